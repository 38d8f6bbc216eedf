"""Which addresses an outgoing call may go to: public ones, and those in networks that the operator has named."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Sequence

from helios_site.env import Network
from helios_site.outgoing.targets import Target

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is given out of IPv6
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """The target must not be called. The text says why, without the address that its name stands for."""


class CannotResolve(Exception):
    """The name has no address, or nobody answered in time."""


def require_allowed(target: Target, allowed: Sequence[Network], *, timeout: float) -> list[IPAddress]:
    """The addresses of the target, resolved once; every one of them may be called. Raises Refused, CannotResolve.

    One bad address condemns the name: which of them a connection would take is not for its owner to decide.
    """
    addresses = resolve(target.host, target.port, timeout=timeout)
    for address in addresses:
        if _is_in(address, allowed):
            continue
        if not is_public(address):
            raise Refused("the host has a private or otherwise special address")
        if not target.is_encrypted:
            raise Refused("the address must begin with https://")
    return addresses


def is_public(address: IPAddress) -> bool:
    """Whether the address, or the IPv4 address that it carries, is one of the open internet."""
    address = carried(address)
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def carried(address: IPAddress) -> IPAddress:
    """The IPv4 address inside a mapped, NAT64 or 6to4 address; any other address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address.sixtofour or address


def resolve(host: str, port: int, *, timeout: float) -> list[IPAddress]:
    """The addresses of a name, in the resolver's order. Raises CannotResolve, at the latest after `timeout` seconds:
    the system's resolver knows no limit, so it is asked by a thread that may be left behind."""
    answers: queue.SimpleQueue[list[IPAddress]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_look_up(host, port)), daemon=True).start()
    try:
        found = answers.get(timeout=max(timeout, 0.001))
    except queue.Empty:
        raise CannotResolve from None
    if not found:
        raise CannotResolve
    return found


def _look_up(host: str, port: int) -> list[IPAddress]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(_plain(ipaddress.ip_address(entry[4][0])) for entry in entries))


def _plain(address: IPAddress) -> IPAddress:
    """A mapped IPv4 address as the IPv4 address that it is to the network."""
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: IPAddress, networks: Sequence[Network]) -> bool:
    return any(form in network for form in {address, carried(address)} for network in networks)

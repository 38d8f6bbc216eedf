"""Where a request really comes from. Headers are believed only as far as trusted proxies wrote them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAX_HOPS = 32  # an endless header costs no more than this


def client_address(request: HttpRequest) -> str | None:
    """The caller's address in canonical text, or None if the server knows none.

    `X-Forwarded-For` counts only when the peer is in `TRUSTED_PROXIES`. It is read from its right end, since
    everything left of the first untrusted address was written by the caller; an entry that is no address
    ends the reading at the last hop that is known.
    """
    known = parse_address(request.META.get("REMOTE_ADDR", ""))
    if known is None:
        return None
    if not _is_trusted(known):
        return str(known)
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    for entry in reversed(forwarded.split(",")[-_MAX_HOPS:]):
        hop = parse_address(entry)
        if hop is None:
            break
        known = hop
        if not _is_trusted(hop):
            break
    return str(known)


def parse_address(text: str) -> Address | None:
    """An IPv4 or IPv6 address, with or without a port; None for anything else.

    An IPv4 address in IPv6 form (`::ffff:10.0.0.1`) is the IPv4 address; a zone (`%eth0`) is dropped.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_in_networks(address: str | None, networks: tuple[str, ...]) -> bool:
    """Whether `address` lies in one of `networks` (CIDR texts). An unknown address lies in none."""
    parsed = parse_address(address or "")
    return parsed is not None and any(parsed in network for network in _parsed(networks))


def bucket_of(address: str | None) -> str:
    """The name under which an address is counted: an IPv6 caller owns a whole /64, so all of it counts as one."""
    parsed = parse_address(address or "")
    if parsed is None:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


@lru_cache(maxsize=4096)
def _parsed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks)


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)

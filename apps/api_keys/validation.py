"""What may be written into a key. Each function returns the value to store or raises ValidationError."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts.audit import MAX_REASON_CHARS as MAX_REASON_CHARS
from apps.accounts.audit import clean_reason as clean_reason
from apps.api_keys import scopes as registry
from helios_site.logs import shorten_keys

MAX_NAME_CHARS = 100
MAX_NETWORKS = 50
MAX_CALLS_PER_MINUTE = 1_000_000


def clean_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationError("A key needs a name.")
    if len(name) > MAX_NAME_CHARS:
        raise ValidationError(f"A name has at most {MAX_NAME_CHARS} characters; this one has {len(name)}.")
    if not name.isprintable():
        raise ValidationError("A name holds no control characters.")
    if shorten_keys(name) != name:
        raise ValidationError("A name holds no key: it is shown to everybody who looks after keys.")
    return name


def clean_scopes(scopes: Sequence[str]) -> list[str]:
    """Known scopes in the registry's order. An empty list is refused: such a key could do nothing."""
    unknown = registry.unknown(scopes)
    if unknown:
        known = ", ".join(registry.API_KEY_SCOPES)
        raise ValidationError(f"Unknown scope: {', '.join(map(repr, unknown))}. The scopes are {known}.")
    if not scopes:
        raise ValidationError("Choose at least one scope: a key without scopes may do nothing.")
    return registry.in_order(scopes)


def clean_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError("The expiry lies in the past.")
    return expires_at


def clean_networks(networks: Sequence[str]) -> list[str]:
    """Networks in canonical text, each once; an IPv4 network in IPv6 form becomes the IPv4 network."""
    if len(networks) > MAX_NETWORKS:
        raise ValidationError(f"At most {MAX_NETWORKS} networks.")
    return list(dict.fromkeys(_network(text.strip()) for text in networks))


def clean_rate_limit(calls_per_minute: int | None) -> int | None:
    if calls_per_minute is not None and not 1 <= calls_per_minute <= MAX_CALLS_PER_MINUTE:
        raise ValidationError(f"A limit lies between 1 and {MAX_CALLS_PER_MINUTE} calls a minute.")
    return calls_per_minute


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValidationError(f"{text!r} is no network: write 203.0.113.0/24 or 2001:db8::/32.") from error
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        if network.prefixlen < 96:
            raise ValidationError(f"{text!r} mixes IPv4 and IPv6 addresses.")
        return f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}"
    return str(network)

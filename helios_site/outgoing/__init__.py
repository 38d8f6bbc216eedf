"""Calls to addresses that others have chosen, such as the receivers of webhooks. There is no other way out."""

from helios_site.outgoing.addresses import CannotResolve, Refused, require_allowed
from helios_site.outgoing.client import Answer, CannotReach, post
from helios_site.outgoing.targets import InvalidURL, Target, parse

__all__ = [
    "Answer",
    "CannotReach",
    "CannotResolve",
    "InvalidURL",
    "Refused",
    "Target",
    "parse",
    "post",
    "require_allowed",
]

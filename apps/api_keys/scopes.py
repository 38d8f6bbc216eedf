"""The one list of what a key can be allowed to do. A scope is `resource:action`; `*` covers all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import MappingProxyType

EVERYTHING = "*"

# Scope -> what it allows, as staff and customers read it.
API_KEY_SCOPES = MappingProxyType(
    {
        EVERYTHING: "everything",
        "model_runs:read": "read model runs and their results",
        "model_runs:write": "create and delete model runs",
        "patients:read": "read patients",
        "patients:write": "create, change and delete patients",
        "appointments:read": "read appointments",
        "appointments:write": "create, change and delete appointments",
        "documents:read": "read documents of patients",
        "documents:write": "upload and delete documents of patients",
        "notes:read": "read clinical notes",
        "webhooks:read": "read webhook endpoints",
        "webhooks:write": "create and delete webhook endpoints",
        "audit:read": "read the organisation's audit trail",
        "usage:read": "read what the organisation's keys were used for",
    }
)

# What a signed-in member who is no admin may do in the browsable API; an admin may do everything.
MEMBER_SCOPES = frozenset(
    {
        "model_runs:read",
        "model_runs:write",
        "patients:read",
        "patients:write",
        "appointments:read",
        "appointments:write",
        "documents:read",
        "documents:write",
        "notes:read",
        "usage:read",
    }
)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def for_method(resource: str, method: str) -> str:
    """The scope that an HTTP method needs on a resource. Writing does not imply reading."""
    return f"{resource}:{'read' if method in _READING else 'write'}"


def allows(granted: Collection[str], needed: str) -> bool:
    """Whether scopes `granted` cover `needed`. An unregistered scope is never covered, not even by `*`."""
    return needed in API_KEY_SCOPES and (needed in granted or EVERYTHING in granted)


def unknown(scopes: Iterable[str]) -> list[str]:
    """Those of `scopes` that the registry lacks."""
    return [scope for scope in scopes if scope not in API_KEY_SCOPES]


def in_order(scopes: Iterable[str]) -> list[str]:
    """Known scopes, each once, in the registry's order."""
    chosen = set(scopes)
    return [scope for scope in API_KEY_SCOPES if scope in chosen]

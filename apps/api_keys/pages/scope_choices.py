"""Scopes as a person chooses and reads them: a few sets by name, or one by one, grouped by what they open."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from typing import NamedTuple

from apps.api_keys.scopes import API_KEY_SCOPES, EVERYTHING

_MOST_NAMED = 2  # resources that a summary names


class ScopeSet(NamedTuple):
    title: str
    meaning: str
    scopes: tuple[str, ...]


SETS = {
    "checks": ScopeSet(
        "Run checks",
        "create model runs, send recordings and read results",
        ("model_runs:read", "model_runs:write"),
    ),
    "reading": ScopeSet(
        "Read only",
        "read everything that a key can read, and change nothing",
        tuple(scope for scope in API_KEY_SCOPES if scope.endswith(":read")),
    ),
    "everything": ScopeSet("Everything", "all that a key can do, now and in later versions", (EVERYTHING,)),
}
ONE_BY_ONE = "chosen"


def set_of(scopes: Collection[str]) -> str:
    """The name of the set that holds exactly these scopes, or ONE_BY_ONE."""
    return next((name for name, known in SETS.items() if set(known.scopes) == set(scopes)), ONE_BY_ONE)


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each resource in words, with its scopes and what they allow."""
    single = [scope for scope in API_KEY_SCOPES if scope != EVERYTHING]
    return [
        (_in_words(resource), [(scope, API_KEY_SCOPES[scope]) for scope in scopes])
        for resource, scopes in groupby(single, lambda scope: scope.partition(":")[0])
    ]


def summary(scopes: Collection[str]) -> str:
    """What a key may do, in a few words."""
    if EVERYTHING in scopes:
        return SETS["everything"].title
    known = SETS.get(set_of(scopes))
    if known is not None:
        return known.title
    parts = [
        f"{_in_words(resource)} ({', '.join(scope.partition(':')[2] for scope in own)})"
        for resource, own in groupby(scopes, lambda scope: scope.partition(":")[0])
    ]
    named, more = parts[:_MOST_NAMED], len(parts) - _MOST_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "") if parts else "Nothing"


def meanings(scopes: Collection[str]) -> list[tuple[str, str]]:
    return [(scope, API_KEY_SCOPES.get(scope, "")) for scope in scopes]


def _in_words(resource: str) -> str:
    return resource.replace("_", " ").capitalize()

"""Lists with page numbers: `{"data": […], "meta": {"page", "limit", "total_pages"}}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import MAX_WHOLE, out_of_bounds

DEFAULT_LIMIT = 20
MAX_LIMIT = settings.HEALOS_MAX_LIMIT
MOST_LIMIT = 2**63 - 1  # what a caller may say who wants all, and gets MAX_LIMIT
TOTAL_PAGES_EMPTY = settings.HEALOS_TOTAL_PAGES_EMPTY


def read_page(query: Mapping[str, str]) -> tuple[int, int]:
    """Page and limit of a query; a limit above `MAX_LIMIT` means that. Raises Invalid, which names the parameter."""
    details: dict[str, list[str]] = {}
    page = _number(query, "page", 1, MAX_WHOLE, details)
    limit = _number(query, "limit", DEFAULT_LIMIT, MOST_LIMIT, details)
    if details:
        raise Invalid(details)
    return page, min(limit, MAX_LIMIT)


def page_of(
    rows: QuerySet[Any], page: int, limit: int, *, total: int | None = None
) -> tuple[list[Any], dict[str, int]]:
    """The rows of one page, and `meta`. Two queries, one where the caller knows how many rows there are in `total`, as
    of a list without filters; one less for a page past the end, which is empty."""
    is_filtered = total is None
    total = rows.count() if total is None else total
    first = (page - 1) * limit
    if first >= total:
        found = []
    elif page == 1 and not is_filtered:
        found = list(rows[:limit])
    else:  # what is skipped, or filtered out, is read from an index alone where it can be
        found = list(rows.filter(pk__in=rows.values("pk")[first : first + limit]))
    return found, meta_of(page, limit, total)


def meta_of(page: int, limit: int, total: int) -> dict[str, int]:
    """What a list says of its page, when there are `total` rows on all of them."""
    return {"page": page, "limit": limit, "total_pages": -(-total // limit) or TOTAL_PAGES_EMPTY}


def _number(query: Mapping[str, str], name: str, default: int, most: int, details: dict[str, list[str]]) -> int:
    text = query.get(name)
    if text is None:
        return default
    whole = re.fullmatch(r"-?[0-9]{1,30}", text) is not None
    problem = out_of_bounds(int(text), 1, most) if whole else "Expected number, received nan"
    if problem:
        details[name] = [problem]
        return default
    return int(text)

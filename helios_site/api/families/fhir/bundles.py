"""Results of a search: a `searchset` Bundle in pages, whose `next` link leads on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from django.conf import settings
from rest_framework.request import Request

from helios_site.api.families.fhir.elements import Element, base_url, present
from helios_site.api.families.fhir.errors import Invalid

MAX_COUNT = 100
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def read_count(query: Mapping[str, str], default: int) -> int:
    """`_count`: how many entries a page may have, cut to the maximum; 0 asks for the total alone. Raises Invalid."""
    raw = query.get("_count")
    if raw is None:
        return default
    if re.fullmatch("[0-9]{1,30}", raw) is None:
        raise Invalid(f"_count is a whole number from 0 to {MAX_COUNT}.")
    return min(int(raw), MAX_COUNT)


def read_reference(query: Mapping[str, str], name: str, resource_type: str) -> str:
    """The id in a required reference parameter: `id`, `Type/id`, or the address of the resource here. Raises
    Invalid."""
    raw = query.get(name, "").removeprefix(f"{base_url()}/").removeprefix(f"{resource_type}/")
    if _ID.fullmatch(raw) is None:
        raise Invalid(f"Name one {resource_type}: {name}=<id> or {name}={resource_type}/<id>.")
    return raw


def link(request: Request, **parameters: object) -> str:
    """The address of this search with these parameters. The host comes from the settings: the Host header is the
    caller's."""
    return f"{settings.HELIOS_PUBLIC_BASE_URL}{request.path}?{urlencode(present(**parameters), safe='/')}"


def searchset(found: Iterable[Element], *, total: int, here: str, onwards: str | None) -> Element:
    """The Bundle of one page; `here` and `onwards` are the links of this page and of the next."""
    entries = [
        {
            "fullUrl": f"{base_url()}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in found
    ]
    links = [{"relation": "self", "url": here}]
    if onwards is not None:
        links.append({"relation": "next", "url": onwards})
    return {"resourceType": "Bundle", "type": "searchset", **present(total=total, link=links, entry=entries)}

"""API families: each a dialect of its own. This module knows which paths speak which."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse

from helios_site.api.families.fhir import errors as fhir
from helios_site.api.families.healos import errors as healos
from helios_site.api.families.helios import errors as helios

ErrorResponse = Callable[[int], HttpResponse]  # of a status

_DIALECTS: dict[str, ErrorResponse] = {
    "/v1/": helios.error_response,
    "/uploads/": helios.error_response,
    "/api/v1/": healos.error_response,
    "/ext-api/v1/": healos.error_response,
    "/fhir/": fhir.error_response,
}


def error_response_for(path: str) -> ErrorResponse | None:
    """How the family answers that owns `path`; None for pages."""
    return next((respond for prefix, respond in _DIALECTS.items() if path.startswith(prefix)), None)

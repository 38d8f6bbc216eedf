"""`GET /ext-api/v1/export` and `POST /ext-api/v1/import`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from apps.api_keys import refusals
from apps.api_keys.scopes import for_method
from apps.api_keys.selectors import KeyRecord
from apps.patients.transfer import openapi
from apps.patients.transfer.exporting import export_lines, record_export
from apps.patients.transfer.filters import named_types, read_options, read_types
from apps.patients.transfer.lines import MEDIA_TYPE
from apps.patients.transfer.reading import CutOff, spooled
from apps.patients.transfer.services import import_lines
from helios_site.api.bodies import LONGEST_STREAM_SECONDS, drain, sent_in_time
from helios_site.api.families.healos.view import HealosViewMixin


@openapi.export
class ExportViewSet(HealosViewMixin, ViewSet):
    """Your organisation's records, one JSON object a line, as of one moment; the last line says how many they are."""

    @property
    def required_scopes(self) -> Mapping[str, str]:
        """The read scope of a type that is asked for."""
        return dict.fromkeys(("GET", "HEAD"), self.read_scopes[0])

    @property
    def also_required_scopes(self) -> tuple[str, ...]:
        """Those of the others."""
        return self.read_scopes[1:]

    @property
    def read_scopes(self) -> tuple[str, ...]:
        known, _ = named_types(self.request.query_params)
        return tuple(for_method(name, "GET") for name in known or ["patients"])

    def list(self, request: Request) -> StreamingHttpResponse:
        types, organization_id = read_types(request.query_params), self.caller.organization_id
        record_export(actor=self.caller.actor, organization_id=organization_id, types=types)
        lines = () if request.method == "HEAD" else export_lines(organization_id, types)
        response = _streamed(request, lines)
        response["Content-Disposition"] = f'attachment; filename="export-{timezone.now():%Y%m%dT%H%M%SZ}.ndjson"'
        return response


class LinesParser(BaseParser):
    """Only a name for the form of the browsable API: the view reads the body itself."""

    media_type = MEDIA_TYPE


@openapi.importing
class ImportViewSet(HealosViewMixin, ViewSet):
    """What an export wrote, or lines of your own. Each line is answered by one, in their order."""

    any_scope = ("patients:write", "appointments:write")  # and each line needs that of its type
    takes_idempotency_key = False
    body_parser_class = LinesParser

    def create(self, request: Request) -> StreamingHttpResponse:
        options = read_options(request.query_params)
        body = spooled(request._request)
        lines = import_lines(
            body,
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            granted=self.caller.scopes,
            options=options,
            on_missing_scope=partial(_report_missing_scope, self.caller),
        )
        response = _streamed(request, lines)
        response._resource_closers.append(body.close)  # type: ignore[attr-defined]  # of a reply that nobody reads
        return response

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        if not isinstance(exc, CutOff):
            drain(self.request._request)
        return super().handle_exception(exc)


def _report_missing_scope(caller: Any, scope: str) -> None:
    if isinstance(caller, KeyRecord):
        refusals.record(caller, f"missing scope: {scope}")


def _streamed(request: Request, lines: Iterable[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        sent_in_time(request._request, lines, within=LONGEST_STREAM_SECONDS), content_type=MEDIA_TYPE
    )

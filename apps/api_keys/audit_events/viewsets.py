"""`GET /ext-api/v1/audit-events` and its export."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.accounts.models import AuditEvent
from apps.api_keys.audit_events import openapi, selectors, services
from apps.api_keys.audit_events.download import download
from apps.api_keys.audit_events.filters import AuditEventFilter, named_in
from apps.api_keys.audit_events.serializers import event_body
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.query import narrowed
from helios_site.api.families.healos.view import HealosViewMixin


class _AuditView(HealosViewMixin, ViewSet):
    scope_resource = "audit"

    def events(self, request: Request) -> QuerySet[AuditEvent]:
        """The organisation's events that the query asks for. Raises Invalid."""
        return narrowed(AuditEventFilter, request.query_params, selectors.list_events(self.caller.organization_id))

    def record(self, verb: str, request: Request) -> None:
        services.record_reading(
            verb,
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            filters=named_in(request.query_params),
        )


@openapi.audit_events
class AuditEventViewSet(_AuditView):
    """Who did what in your organisation, newest first."""

    def list(self, request: Request) -> Response:
        page, limit = read_page(request.query_params)
        organization_id = self.caller.organization_id
        events = self.events(request)
        total = None if named_in(request.query_params) else selectors.count_events(organization_id)
        rows, meta = page_of(events, page, limit, total=total)
        actors = selectors.actors_of(organization_id, rows)
        self.record("listed", request)
        return Response({"data": [event_body(row, actors) for row in rows], "meta": meta})


@openapi.audit_export
class AuditExportViewSet(_AuditView):
    """The same events whole, oldest first, each with its seal; the last line says how many they were."""

    def list(self, request: Request) -> StreamingHttpResponse:
        events = self.events(request)
        self.record("exported", request)
        return download(request._request, events)

"""The audit trail as a file: the same from the API and from the page."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from apps.accounts.audit_export import export_to_the_end
from apps.accounts.models import AuditEvent
from helios_site.api.bodies import LONGEST_STREAM_SECONDS, sent_in_time


def download(request: HttpRequest, events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
    """Whole, oldest first, each event with its seal; the last line says how many they were."""
    lines: Iterable[bytes] = () if request.method == "HEAD" else export_to_the_end(events)
    lines = sent_in_time(request, lines, within=LONGEST_STREAM_SECONDS)
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%dT%H%M%SZ}.ndjson"'
    return response

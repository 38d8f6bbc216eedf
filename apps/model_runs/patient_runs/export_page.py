"""The download of the archive of a person, by a signed link that is good for some minutes and needs nothing else."""

from __future__ import annotations

import time
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.model_runs.archive_page import attachment
from apps.patients.models import PatientExport
from apps.patients.selectors import downloadable_export
from apps.patients.services import record_export

_SIGNER = Signer(salt="archive of a person")


def export_url(export: PatientExport) -> str:
    """The absolute, signed URL of the archive."""
    until = int(time.time()) + settings.HEALOS_EXPORT_URL_TTL_SECONDS
    query = urlencode({"of": _SIGNER.sign(f"{export.id}.{until}")})
    return f"{settings.HELIOS_PUBLIC_BASE_URL}{reverse('patient-export')}?{query}"


@require_safe
def download(request: HttpRequest) -> FileResponse:
    """For whoever has a link that is neither altered nor old, while the archive and its patient are there."""
    export_id = _signed(request.GET.get("of", ""))
    export = None if export_id is None else downloadable_export(export_id)
    if export is None:
        raise Http404
    response = attachment(request, export.storage_key, f"patient-{export.patient_id}-{export.created_at:%Y%m%d}.zip")
    record_export("export_downloaded", export)
    return response


def _signed(token: str) -> UUID | None:
    try:
        identifier, _, until = _SIGNER.unsign(token).partition(".")
    except BadSignature:
        return None
    return UUID(identifier) if time.time() < int(until) else None

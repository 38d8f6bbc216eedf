"""The sample: a recording that comes with Helios, with which a newcomer sees what becomes of one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import services, uploads
from apps.model_runs.models import ModelRun
from apps.model_runs.serializers import ModelRunCreateSerializer
from helios_site.api.bodies import PIECE_BYTES, file_in_time
from helios_site.runtime.demo_client import CREATE_BODY, sample_recording

LABEL = "sample"
MEDIA_TYPE = "audio/wav"
_path = cache(sample_recording)


def body() -> dict[str, Any]:
    """What creates a run for the sample, which is in English of whichever form is taken here."""
    languages = sorted(settings.HELIOS_LANGUAGES, key=lambda name: (not name.startswith("en-"), name))
    return {"user": {**CREATE_BODY["user"], "userLabel": LABEL}, "language": languages[0]}


@require_safe
@for_members
def recording(request: HttpRequest, current: Membership) -> FileResponse:
    """The bytes that the page uploads."""
    response = file_in_time(request, FileResponse(_path().open("rb"), content_type=MEDIA_TYPE))
    response["Cache-Control"] = "private, max-age=86400"
    return response


def start(*, actor: audit.Actor, organization_id: UUID) -> ModelRun:
    """A run of the sample, whose recording has arrived. Raises StorageFull."""
    asked = ModelRunCreateSerializer(data=body())
    asked.is_valid(raise_exception=True)
    run = services.create_run(actor=actor, organization_id=organization_id, key_id=None, request=asked.run_request())
    uploads.take_recording(run, _pieces(_path()), _path().stat().st_size)
    return run


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece

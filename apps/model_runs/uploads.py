"""The signed upload URL, and the view behind it.

A plain Django view, not a DRF one: a parser would read, or refuse, the body. Here it is read in pieces and
streamed to the store while it is hashed.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from apps.model_runs.models import ModelRun, Status
from apps.model_runs.services import Received, receive_recording
from apps.model_runs.services.creation import new_recording_key
from apps.model_runs.signed_links import UPLOAD, genuine_link, signed_query
from helios_site.api.bodies import Cut, drain, pieces_of, stall_limit
from helios_site.api.full_disk import full_database_is_storage_full
from helios_site.storage import StorageFull, object_store

log = structlog.get_logger(__name__)


def upload_url(run: ModelRun) -> str:
    """The absolute, signed URL for the run's recording; built from the public base URL, never from `Host`."""
    expires = int(run.upload_expires_at.timestamp())
    query = signed_query(UPLOAD, run.id, expires)
    return f"{settings.HELIOS_PUBLIC_BASE_URL}/uploads/{run.id}?{query}"


def _refusal(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)


@csrf_exempt
def upload(request: HttpRequest, run_id: str) -> HttpResponse:
    """`PUT` the raw bytes of a recording: 200 once the run has started. Bodies of refusals are `{"detail": …}`."""
    response = _preflight() if request.method == "OPTIONS" else _put(request, run_id)
    origin = request.headers.get("Origin")
    if origin in settings.HELIOS_UPLOAD_CORS_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        response["Vary"] = "Origin"
    response["Cache-Control"] = "no-store"
    return response


def _preflight() -> HttpResponse:
    response = HttpResponse(status=200)
    response["Allow"] = response["Access-Control-Allow-Methods"] = "PUT, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    return response


def _put(request: HttpRequest, run_id: str) -> HttpResponse:
    if request.method != "PUT":
        response = _refusal(405, "Method Not Allowed")
        response["Allow"] = "PUT, OPTIONS"
        return response
    identifier = _authorized(request, run_id)
    if identifier is None:
        return _drained(request, _refusal(403, "This upload URL is not valid. Please create a new run."))
    length = request.META.get("CONTENT_LENGTH") or ""
    if not re.fullmatch(r"[0-9]{1,18}", length):
        return _refusal(411, "Send the recording with a Content-Length header.")
    size = int(length)
    if size > settings.HELIOS_UPLOAD_MAX_BYTES:
        limit = settings.HELIOS_UPLOAD_MAX_BYTES
        return _drained(request, _refusal(413, f"The recording has {size} bytes; at most {limit} are taken."))
    run = ModelRun.objects.only("id", "organization_id", "status").filter(id=identifier).first()
    if run is None:
        return _drained(request, _refusal(404, settings.HELIOS_ERROR_TEXTS["run_not_found"]))
    try:
        with stall_limit(request), full_database_is_storage_full():
            return _answer(take_recording(run, pieces_of(request, size), size))
    except (Cut, UnreadablePostError):
        return _refusal(422, f"The recording was cut off: {size} bytes were announced. Please send it again.")
    except StorageFull:
        log.error("storage_full", run_id=str(run.id))
        return _drained(request, _refusal(507, "The recording could not be stored. Please send it again later."))


def _authorized(request: HttpRequest, run_id: str) -> UUID | None:
    """The run that the URL is good for, at the moment the request starts; None for an altered or expired one."""
    link = genuine_link(UPLOAD, run_id, request.GET)
    return link.run_id if link is not None and time.time() < link.expires else None


def take_recording(run: ModelRun, pieces: Iterable[bytes], size: int) -> Received:
    """Store the `size` bytes of a recording as they come, and give them to the run. Raises what `pieces` raises, and
    StorageFull."""
    digest = hashlib.sha256()
    if run.status != Status.CREATED:  # only the hash is needed, to tell a repetition from a conflict
        for piece in pieces:
            digest.update(piece)
        return receive_recording(run_id=run.id, key="", sha256=digest.hexdigest(), size=size)
    key = new_recording_key(run)
    with object_store().writer(key) as writer:
        for piece in pieces:
            digest.update(piece)
            writer.write(piece)
        writer.commit()
    received = None
    try:
        received = receive_recording(run_id=run.id, key=key, sha256=digest.hexdigest(), size=size)
    finally:
        if received is not Received.STARTED:
            object_store().delete(key)
    return received


def _answer(received: Received) -> HttpResponse:
    if received is Received.CONFLICT:
        return _refusal(409, "This run already has a recording. Please create a new run for another one.")
    if received is Received.GONE:
        return _refusal(404, settings.HELIOS_ERROR_TEXTS["run_not_found"])
    return HttpResponse(status=200, content_type="application/json")


def _drained(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    drain(request)
    return response

"""`/documents/{id}`: the bytes of a document for whoever has a signed link. A plain Django view, outside the families'
bases: no key is asked for."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt

from apps.patients.documents import selectors, services
from apps.patients.documents.inspection.kinds import MEDIA_TYPES
from apps.patients.documents.links import document_of
from apps.patients.models import Document
from helios_site.api.bodies import file_in_time
from helios_site.storage import object_store

NOT_VALID = "This link is not valid, or no longer. Ask for the document again to get another"


@csrf_exempt
def download(request: HttpRequest, document_id: str) -> HttpResponseBase:
    response = _answer(request, document_id)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _answer(request: HttpRequest, document_id: str) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        refusal = _refusal(405, settings.HEALOS_ERROR_TEXTS[405])
        refusal.headers["Allow"] = "GET, HEAD"
        return refusal
    identifier = document_of(document_id, request.GET)
    if identifier is None:
        return _refusal(403, NOT_VALID)
    document = selectors.served_document(identifier)
    response = None if document is None else _served(request, document)
    if document is None or response is None:
        return _refusal(404, settings.HEALOS_ERROR_TEXTS["document"])
    services.record_download(document=document)
    return response


def _served(request: HttpRequest, document: Document) -> HttpResponseBase | None:
    """None when the bytes are not there."""
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type=MEDIA_TYPES[document.file_type])
    else:
        try:
            with object_store().local_path(document.storage_key) as path:
                file = open(path, "rb")  # noqa: SIM115 - the response closes it; what is gone by then stays readable
        except FileNotFoundError:
            return None
        response = file_in_time(request, FileResponse(file, content_type=MEDIA_TYPES[document.file_type]))
    response.headers["Content-Length"] = str(document.file_size)
    response.headers["Content-Disposition"] = content_disposition_header(True, document.filename) or "attachment"
    return response


def _refusal(status: int, text: str) -> HttpResponse:
    return JsonResponse({"error": text}, status=status, json_dumps_params={"separators": (",", ":")})

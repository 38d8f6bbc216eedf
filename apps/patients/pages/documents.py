"""The documents of a patient: what there is, what became of its check, uploads and downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.patients.documents import selectors, services
from apps.patients.documents.inspection.faults import Fault
from apps.patients.documents.inspection.kinds import MEDIA_TYPES
from apps.patients.documents.links import signed_path
from apps.patients.documents.upload_form import FILE, Upload, UploadForm, too_large
from apps.patients.models import Document, Patient
from apps.patients.pages.care import PAGE_SIZE, deleted_page, newest_first, patient_of, record_page
from apps.patients.services import ExternalIdTaken
from helios_site.api.families.healos.errors import BadRequest, Invalid
from helios_site.api.families.healos.fields import parse_uuid
from helios_site.api.full_disk import full_database_is_storage_full
from helios_site.storage import StorageFull

WORDS = {
    Document.Status.PENDING.value: "Being checked",
    Document.Status.READY.value: "Ready",
    Document.Status.FAILED.value: "Refused",
}
CUT_OFF = "The file did not arrive whole. Choose it again and send it once more."
CHOOSE = "Choose a file."
NO_ROOM = "There is no room for the file at the moment. Tell your operator that the storage is full."


@csrf_exempt  # the token is checked in `_keep`, after the form was read by the rules of uploads
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def documents(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """The list; a POST adds a file."""
    patient = patient_of(current, patient_id)
    if request.method != "POST":
        return _list(request, current, patient)
    form = UploadForm(request)
    try:
        form.check_length()
        upload, _ = form.read()
        with full_database_is_storage_full():
            return _keep(request, current, patient, upload)
    except Invalid as refused:
        return _list(request, current, patient, problem=_said_of(refused), status=400)
    except BadRequest:
        return _list(request, current, patient, problem=CUT_OFF, status=400)
    except StorageFull:
        return _list(request, current, patient, problem=NO_ROOM, status=507)
    finally:
        form.close()


@csrf_protect
def _keep(request: HttpRequest, current: Membership, patient: Patient, upload: Upload) -> HttpResponse:
    document = services.keep_document(
        actor=audit.by_user(request.user),
        organization_id=current.organization_id,
        patient_id=patient.pk,
        upload=upload,
        external_id=None,
    )
    if document is None:
        raise Http404
    messages.success(request, f"{document.filename} is uploaded.")
    return redirect("patient-documents", patient.pk)


def _list(
    request: HttpRequest, current: Membership, patient: Patient, *, problem: str = "", status: int = 200
) -> HttpResponse:
    organization_id = current.organization_id
    rows, older = newest_first(request, selectors.list_documents(organization_id, patient.pk))
    is_first = "before" not in request.GET
    services.record_list(actor=audit.by_user(request.user), organization_id=organization_id, patient_id=patient.pk)
    context: dict[str, Any] = {
        "rows": [{"document": row, "status_words": words_of(row.status, row.status_reason)} for row in rows],
        "waits": any(row.status == Document.Status.PENDING for row in rows),
        "older": older,
        "is_first": is_first,
        "deleted": deleted_page(request, selectors.restorable(organization_id, patient.pk)) if is_first else None,
        "restorable_days": settings.SOFT_DELETE_DAYS,
        "most_bytes": settings.HEALOS_DOCUMENT_MAX_BYTES,
        "accepted": ",".join(sorted(set(MEDIA_TYPES.values()))),
        "problem": problem,
    }
    return record_page(request, patient, "patient-documents", "patients/documents.html", context, status)


def _said_of(refused: Invalid) -> str:
    said = refused.details.get(FILE, [CHOOSE])[0]
    if said == too_large():
        return f"The file is too large: at most {filesizeformat(settings.HEALOS_DOCUMENT_MAX_BYTES)} are accepted."
    return said if said in list(Fault) else CHOOSE


def words_of(status: str, reason: str) -> str:
    return f"{WORDS[status]}: {reason}" if reason else WORDS[status]


@require_safe
@for_members
def statuses(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """`{"<id>": {"status", "words"}}` of up to PAGE_SIZE documents `id`, without those that are not there.

    It is not on the record: it tells no more than the page that asks, which is.
    """
    wanted = [one for raw in request.GET.getlist("id")[:PAGE_SIZE] if (one := parse_uuid(raw)) is not None]
    rows = selectors.list_documents(current.organization_id, patient_id).filter(id__in=wanted)
    found = rows.values_list("id", "status", "status_reason")
    return JsonResponse({str(one): {"status": now, "words": words_of(now, why)} for one, now, why in found})


@require_safe
@for_members
def file(request: HttpRequest, current: Membership, patient_id: int, document_id: UUID) -> HttpResponse:
    """On to a signed link, which is made now: one that stood on a page would end while the page is open."""
    document = selectors.get_document(current.organization_id, patient_of(current, patient_id).pk, document_id)
    if document is None or document.status == Document.Status.FAILED:
        raise Http404
    # Whoever follows the link is nobody by name: it is here that the member is known.
    services.record_opening(actor=audit.by_user(request.user), document=document)
    return redirect(signed_path(document.pk))


@require_POST
@for_members
def delete(request: HttpRequest, current: Membership, patient_id: int, document_id: UUID) -> HttpResponse:
    if not services.delete_document(
        actor=audit.by_user(request.user),
        organization_id=current.organization_id,
        patient_id=patient_id,
        document_id=document_id,
    ):
        raise Http404
    return _back(request, patient_id, f"Deleted. For {settings.SOFT_DELETE_DAYS} days you can restore it below.")


@require_POST
@for_members
def restore(request: HttpRequest, current: Membership, patient_id: int, document_id: UUID) -> HttpResponse:
    patient = patient_of(current, patient_id)
    if not selectors.restorable(current.organization_id, patient.pk).filter(id=document_id).exists():
        raise Http404
    try:
        restored = services.restore_document(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            patient_id=patient.pk,
            document_id=document_id,
        )
    except ExternalIdTaken:
        messages.error(request, "Not restored: another document has its id in your records by now.")
        return redirect("patient-documents", patient.pk)
    if restored is None:
        raise Http404
    return _back(request, patient.pk, "Restored.")


def _back(request: HttpRequest, patient_id: int, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("patient-documents", patient_id)

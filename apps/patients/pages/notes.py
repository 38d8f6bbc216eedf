"""The clinical notes of a patient, with what was said in their sessions. The console only reads them, as the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.patients.models import Note
from apps.patients.notes import selectors
from apps.patients.pages.care import newest_first, patient_of, record_page
from apps.patients.services import trail

# Characters that the list shows; all of them stand on the note's own page.
OF_CONTENT = 1500
OF_TRANSCRIPT = 500
LONG = ("content", "icd10_codes", "cpt_codes", "problems", "procedures", "session__text", "session__summary")


@require_safe
@for_members
def note_list(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Newest first, with how they begin, as the record of it says."""
    patient = patient_of(current, patient_id)
    organization_id = current.organization_id
    notes, older = newest_first(request, _begun(selectors.list_notes(organization_id).filter(patient_id=patient.pk)))
    trail.record(
        "note",
        "listed",
        actor=audit.by_user(request.user),
        organization_id=organization_id,
        reason=f"of patient {patient.pk}, with their texts",
    )
    own = current.organization.notes_from_runs
    context = {
        "notes": [
            {
                "note": note,
                "content": _cut(note.begun, OF_CONTENT),
                "transcript": _cut(note.said, OF_TRANSCRIPT),
                "is_cut": len(note.begun) > OF_CONTENT or len(note.said) > OF_TRANSCRIPT,
                **words_of(note),
            }
            for note in notes
        ],
        "older": older,
        "is_first": "before" not in request.GET,
        "is_admin": current.role == Membership.Role.ADMIN,
        "checks_leave_notes": settings.HEALOS_NOTES_FROM_RUNS if own is None else own,
    }
    return record_page(request, patient, "patient-notes", "patients/notes.html", context)


@require_safe
@for_members
def note_page(request: HttpRequest, current: Membership, patient_id: int, note_id: UUID) -> HttpResponse:
    """One note, whole."""
    patient = patient_of(current, patient_id)
    notes = selectors.list_notes(current.organization_id).filter(patient_id=patient.pk, id=note_id)
    note: Note | None = notes.select_related("session", "created_by").first()
    if note is None:
        raise Http404
    trail.record(
        "note",
        "read",
        actor=audit.by_user(request.user),
        organization_id=current.organization_id,
        object_id=note.pk,
    )
    context = {
        "note": note,
        "content": note.content,
        "transcript": note.session.text,
        "codes": [("ICD-10", note.icd10_codes.items()), ("CPT", note.cpt_codes.items())],
        **words_of(note),
    }
    return record_page(request, patient, "patient-notes", "patients/note.html", context)


def words_of(note: Note) -> dict[str, Any]:
    """Its type, and who wrote it where that is a person."""
    author = note.created_by
    kind = note.note_type.replace("_", " ").strip() or "note"
    return {
        "kind": f"{kind[0].upper()}{kind[1:]}",
        "author": "" if author is None else author.name or author.email,
    }


def _begun(notes: Any) -> Any:
    """With the beginnings of their texts alone: some go on for a hundred pages."""
    begun, said = Left("content", OF_CONTENT + 1), Left(F("session__text"), OF_TRANSCRIPT + 1)
    return notes.select_related("session", "created_by").defer(*LONG).annotate(begun=begun, said=said)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"

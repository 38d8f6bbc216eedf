"""Patients, as staff see them: by id and organisation. Who they are is shown for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.staff_admin import MAX_LISTED
from apps.patients import services
from apps.patients.admin.forms import NewNoteForm, PatientForm
from apps.patients.admin.records import OF_PATIENT, with_reason
from apps.patients.admin.writing import WritingAdmin
from apps.patients.ids import parse_patient_id
from apps.patients.models import Patient

SHOWN = 20  # of a patient's appointments, documents and notes; the lists lead to the others
CHANGE, ADD_NOTE = "patients.change_patient", "patients.add_note"


@admin.register(Patient)
class PatientAdmin(WritingAdmin):
    audit_object_type = "patient"
    contents = (
        "name", "search_name", "pronouns", "notes", "first_name", "last_name", "date_of_birth", "gender", "email",
        "phone", "mrn", "client_history",
    )  # fmt: skip
    own_pages = ("reveal", "edit", "add_note", "deletion")
    list_display = ("id", "organization", "external_id", "created_at", "updated_at", "deleted_at")
    fields = (
        "organization", "id", "external_id", "created_at", "updated_at", "deleted_at",
        "appointment_count", "document_count", "note_count", "run_count",
    )  # fmt: skip
    readonly_fields = ("id", "created_at", "updated_at", "deleted_at", *fields[6:])

    def exactly(self, term: str) -> Iterator[Q]:
        if (patient_id := parse_patient_id(term)) is not None:
            yield Q(id=patient_id)
        yield Q(external_id=term)

    # -- What is kept of the patient ---------------------------------------------------------------

    @admin.display(description="appointments")
    def appointment_count(self, patient: Patient) -> SafeString:
        return _counted(patient, patient.appointments, "patients_appointment")

    @admin.display(description="documents")
    def document_count(self, patient: Patient) -> SafeString:
        return _counted(patient, patient.documents, "patients_document")

    @admin.display(description="notes")
    def note_count(self, patient: Patient) -> SafeString:
        return _counted(patient, patient.clinical_notes, "patients_note")

    @admin.display(description="model runs")
    def run_count(self, patient: Patient) -> SafeString:
        return _linked(patient, patient.model_runs.all(), "model_runs_modelrun")

    # -- Reveal, and change ------------------------------------------------------------------------

    @with_reason("Reveal a patient", "Who the patient is, and what is kept of them, is shown once, on the next page.")
    def reveal_view(self, request: HttpRequest, patient: Patient, reason: str) -> HttpResponse:
        self.record(request, patient, "revealed", reason)
        whole = self.whole(patient)
        return self.show(
            request, "revealed_patient", whole, "A patient", reason=reason, shown=SHOWN, of_patient=OF_PATIENT,
            person=_person(whole), may_edit=self.may_change(request),
            may_add=request.user.has_perm(ADD_NOTE), may_edit_notes=request.user.has_perm("patients.change_note"),
            appointments=_newest(request, "appointment", patient.appointments, "-start_at"),
            documents=_newest(request, "document", patient.documents, "-created_at"),
            notes=_newest(request, "note", patient.clinical_notes, "-created_at"),
        )  # fmt: skip

    @with_reason("Change a patient", "The next page shows what clinical notes say of the person.", writing=CHANGE)
    def edit_view(self, request: HttpRequest, patient: Patient, reason: str) -> HttpResponse:
        change = partial(services.change_patient, patient_id=patient.pk)
        return self.edit(request, patient, "Change a patient", PatientForm, reason, change)

    @with_reason("Add a note", "The next page is the form of a clinical note and its session.", writing=ADD_NOTE)
    def add_note_view(self, request: HttpRequest, patient: Patient, reason: str) -> HttpResponse:
        saved = "save" in request.POST
        form = NewNoteForm(
            request.POST if saved else None, initial={"reason": reason, "session_date": timezone.now().date()}
        )
        if saved and form.is_valid():
            note = services.create_note(
                patient_id=patient.pk,
                written_by=request.user,  # type: ignore[arg-type]
                note=form.note(),
                session=form.session(),
                **self.how(request, patient, form.cleaned_data["reason"]),
            )
            if note is None:
                return self.back_to(request, patient, "It is deleted: restore it first.", messages.ERROR)
            return self.back_to(request, patient, "The note is added.")
        return self.show(request, "form", patient, "Add a note", form=form)

    def delete_record(self, record: Patient, **how: Any) -> object:
        return services.delete_patient(patient_id=record.pk, **how)

    def restore_record(self, record: Patient, **how: Any) -> object:
        return services.restore_patient(patient_id=record.pk, **how)


def _person(patient: Patient) -> list[tuple[str, Any]]:
    """What is known of the person, each with its label."""
    names = ("pronouns", "first_name", "last_name", "date_of_birth", "gender", "email", "phone", "notes")
    history = patient.client_history or {}
    return [
        *((_label(name), getattr(patient, name)) for name in names), ("MRN", patient.mrn),
        ("Consent to voice checks", "yes" if patient.consent else "no"),
        *((_label(name), history.get(name)) for name in Patient.CLIENT_HISTORY),
    ]  # fmt: skip


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _newest(request: HttpRequest, kind: str, related: Any, order: str) -> QuerySet[Any] | None:
    """The first that the page shows; None where the group of this member of staff does not see the kind."""
    if not request.user.has_perm(f"patients.view_{kind}"):
        return None
    found: QuerySet[Any] = related.filter(deleted_at__isnull=True).order_by(order, "-id")[:SHOWN]
    return found.select_related("session") if kind == "note" else found


def _counted(patient: Patient, related: Any, name: str) -> SafeString:
    """How many there are, and how many of them are deleted, each leading to the list of them."""
    gone = related.filter(deleted_at__isnull=False)
    return format_html(
        "{} ({} deleted)",
        _linked(patient, related.filter(deleted_at__isnull=True), name),
        _linked(patient, gone, name, "&deleted=yes"),
    )


def _linked(patient: Patient, found: QuerySet[Any], name: str, more: str = "") -> SafeString:
    number = found.order_by().values("pk")[:MAX_LISTED].count()
    said = f"{number:,} or more" if number == MAX_LISTED else str(number)
    address = reverse(f"admin:{name}_changelist")
    return format_html('<a href="{}?{}={}{}">{}</a>', address, OF_PATIENT, patient.pk, more, said)

"""What a line shows of a record, and what a line may say of one. An import reads what an export writes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.patients.appointments.serializers import AppointmentCreateSerializer, appointment_body
from apps.patients.appointments.services import check_rule
from apps.patients.documents.serializers import document_body
from apps.patients.models import Appointment, Document, Note, Patient
from apps.patients.notes.serializers import TRANSCRIPT, patient_of_note, whole_note
from apps.patients.serializers import PatientCreateSerializer, patient_body
from apps.patients.transfer.lines import MAX_LINE_BYTES
from helios_site.api.families.healos.fields import (
    Day,
    Ignored,
    Instant,
    JsonObject,
    Nested,
    StrictSerializer,
    Text,
    Texts,
    timestamp,
)

SHORT = settings.HEALOS_MAX_CHARS["short"]
NOTES = settings.HEALOS_MAX_CHARS["notes"]
FILE_ID = 64  # characters of an id in a file, which need not be one of ours
MOST_TEXTS = 10_000


def patient_line(patient: Patient) -> dict[str, Any]:
    return patient_body(patient) | patient_of_note(patient) | {"updated_at": timestamp(patient.updated_at)}


def appointment_line(appointment: Appointment) -> dict[str, Any]:
    return appointment_body(appointment)


def document_line(document: Document) -> dict[str, Any]:
    """Without the bytes; a link to them would not outlive the file."""
    body = document_body(document)
    del body["public_url"]
    return body | {"patient_id": str(document.patient_id), "sha256": document.sha256}


def note_line(note: Note) -> dict[str, Any]:
    author = note.created_by_id
    return whole_note(note, (TRANSCRIPT,)) | {"created_by": None if author is None else str(author)}


class _Line(StrictSerializer):
    id = Text(min_length=1, max_length=FILE_ID, allow_null=True, required=False)
    created_at = Instant(allow_null=True, required=False)
    updated_at = Instant(allow_null=True, required=False)


class _LineOfPatient(_Line):
    """`patient_id` is the id of a patient in a line above, or else of one that the organisation has."""

    patient_id = Text(min_length=1, max_length=FILE_ID, allow_null=True, required=False)
    patient_external_id = Text(min_length=1, max_length=SHORT, allow_null=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in ("patient_id", "patient_external_id") if attrs.get(name) is not None]
        if not named:
            raise serializers.ValidationError({"patient_id": ["Required, or patient_external_id"]})
        if len(named) > 1:
            raise serializers.ValidationError({"patient_external_id": ["Must not be sent with patient_id"]})
        return attrs


class ClientHistorySerializer(StrictSerializer):
    medical_history = Text(max_length=NOTES, allow_null=True, required=False)
    family_history = Text(max_length=NOTES, allow_null=True, required=False)
    social_history = Text(max_length=NOTES, allow_null=True, required=False)
    previous_treatment = Text(max_length=NOTES, allow_null=True, required=False)


class PatientLineSerializer(_Line, PatientCreateSerializer):
    first_name = Text(max_length=SHORT, allow_null=True, required=False)
    last_name = Text(max_length=SHORT, allow_null=True, required=False)
    date_of_birth = Day(allow_null=True, required=False)
    gender = Text(max_length=SHORT, allow_null=True, required=False)
    email = Text(max_length=SHORT, allow_null=True, required=False)
    phone = Text(max_length=SHORT, allow_null=True, required=False)
    mrn = Text(max_length=SHORT, allow_null=True, required=False)
    client_history = Nested(ClientHistorySerializer, allow_null=True, required=False)


class AppointmentLineSerializer(_LineOfPatient, AppointmentCreateSerializer):  # type: ignore[misc]
    patient_name = Ignored()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_rule(attrs["start_at"], attrs.get("repeat_rule"))
        return super().validate(attrs)


class TranscriptSerializer(StrictSerializer):
    """Of the session that a note was taken in."""

    text = Text(max_length=MAX_LINE_BYTES, required=False)
    summary = Text(max_length=MAX_LINE_BYTES, required=False)
    title = Text(max_length=SHORT, required=False)
    status = Text(min_length=1, max_length=32, required=False)
    session_date = Day(required=False)
    start_time = Instant(allow_null=True, required=False)
    end_time = Instant(allow_null=True, required=False)


class NoteLineSerializer(_LineOfPatient):
    session_id = Text(min_length=1, max_length=FILE_ID, allow_null=True, required=False)
    note_type = Text(min_length=1, max_length=64, required=False)
    specialty = Text(max_length=SHORT, allow_null=True, required=False)
    template_id = Text(max_length=SHORT, allow_null=True, required=False)
    template_name = Text(max_length=SHORT, allow_null=True, required=False)
    content = Text(max_length=MAX_LINE_BYTES, required=False)
    problems = Texts(max_items=MOST_TEXTS, required=False)
    procedures = Texts(max_items=MOST_TEXTS, required=False)
    icd10_codes = JsonObject(required=False)
    cpt_codes = JsonObject(required=False)
    transcript = Nested(TranscriptSerializer, allow_null=True, required=False)
    created_by = Text(max_length=FILE_ID, allow_null=True, required=False)

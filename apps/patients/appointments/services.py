"""Every write of appointments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.patients.models import Appointment, now_to_the_millisecond
from apps.patients.services import ExternalIdTaken, records, trail

__all__ = [
    "ExternalIdTaken",
    "PatientMissing",
    "change_appointment",
    "create_appointment",
    "delete_appointment",
    "record_read",
    "restore_appointment",
]


class PatientMissing(Exception):
    """The organisation has no such patient, or deleted it."""


@records.retried
def create_appointment(*, actor: audit.Actor, organization_id: UUID, fields: Mapping[str, Any]) -> Appointment:
    """A new appointment; what `fields` leave out is as in HEALOS_APPOINTMENT_DEFAULTS. Raises ValidationError by field,
    PatientMissing and ExternalIdTaken."""
    now = now_to_the_millisecond()
    appointment = Appointment(
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
        **{**settings.HEALOS_APPOINTMENT_DEFAULTS, **fields},
    )
    check_rule(appointment.start_at, appointment.repeat_rule)
    with records.external_id_is_free(appointment):
        patient = records.live_patient(organization_id, fields["patient_id"])
        if patient is None:
            raise PatientMissing
        appointment.patient = patient
        appointment.save(force_insert=True)
        _record("created", actor, appointment)
    return appointment


def change_appointment(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    appointment_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Appointment | None:
    """The changed appointment; None when it is not there. Raises ValidationError by field, PatientMissing and
    VersionConflict."""
    with transaction.atomic():
        patient = records.live_patient(organization_id, changes["patient_id"]) if "patient_id" in changes else None
        appointment = _locked(organization_id, appointment_id)
        if appointment is None:
            return None
        check_rule(changes.get("start_at", appointment.start_at), changes.get("repeat_rule", appointment.repeat_rule))
        if "patient_id" in changes and patient is None:
            raise PatientMissing
        records.apply(appointment, changes, expected_version)
        _record("changed", actor, appointment)
    return appointment


def delete_appointment(
    *, actor: audit.Actor, organization_id: UUID, appointment_id: UUID, expected_version: int | None = None
) -> bool:
    """Delete an appointment, for as long as it can be restored; False when it is not there. Raises VersionConflict."""
    with transaction.atomic():
        appointment = _locked(organization_id, appointment_id)
        if appointment is None:
            return False
        records.apply(appointment, {"deleted_at": now_to_the_millisecond()}, expected_version)
        _record("deleted", actor, appointment)
    return True


@records.retried
def restore_appointment(*, actor: audit.Actor, organization_id: UUID, appointment_id: UUID) -> Appointment | None:
    """Undo the deletion of an appointment; None when it or its patient is not there, or it was deleted too long ago.
    One that is not deleted stays as it is. Raises ExternalIdTaken."""
    one = Appointment.objects.filter(organization_id=organization_id, id=appointment_id)
    with transaction.atomic():
        patient_id = one.values_list("patient_id", flat=True).first()
        patient = records.live_patient(organization_id, patient_id)
        if patient is None:
            return None
        appointment: Appointment | None = one.select_for_update().first()
        if appointment is None:
            return None
        if appointment.patient_id != patient_id:
            raise records.Retry
        if appointment.deleted_at is not None and appointment.deleted_at < records.restorable_since():
            return None
        appointment.patient = patient
        with records.external_id_is_free(appointment):
            records.apply(appointment, {"deleted_at": None, "deleted_with_patient": False}, None)
        _record("restored", actor, appointment)
    return appointment


def record_read(*, actor: audit.Actor, organization_id: UUID, appointment_id: UUID | None) -> None:
    """Audit that a caller read one appointment, or a list of them."""
    verb, object_id = ("listed", "") if appointment_id is None else ("read", str(appointment_id))
    trail.record("appointment", verb, actor=actor, organization_id=organization_id, object_id=object_id)


def check_rule(start_at: datetime, rule: Mapping[str, Any] | None) -> None:
    """Raises ValidationError for a rule that ends before the day, in UTC, on which it begins."""
    if rule is not None and rule["end_date"] and date.fromisoformat(rule["end_date"]) < start_at.date():
        raise ValidationError({"repeat_rule": ["end_date must not be before the day of start_at"]})


def _locked(organization_id: UUID, appointment_id: UUID) -> Appointment | None:
    # Without its patient: after waiting for the lock, a join with the patient of before would find nothing.
    found: Appointment | None = (
        Appointment.objects.of(organization_id).select_for_update().filter(id=appointment_id).first()
    )
    return found


def _record(verb: str, actor: audit.Actor, appointment: Appointment) -> None:
    trail.record(
        "appointment",
        verb,
        actor=actor,
        organization_id=appointment.organization_id,
        object_id=appointment.pk,
    )

"""Creating, changing, deleting and restoring patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.accounts import audit
from apps.patients.models import Patient, now_to_the_millisecond
from apps.patients.names import folded
from apps.patients.services import records, trail


@records.retried
def create_patient(*, actor: audit.Actor, organization_id: UUID, fields: Mapping[str, Any]) -> Patient:
    """Raises ExternalIdTaken."""
    now = now_to_the_millisecond()
    patient = Patient(
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
        **with_consent_time(with_search_name(fields)),
    )
    with records.external_id_is_free(patient):
        patient.save(force_insert=True)
        _record("created", actor, patient)
    return patient


def change_patient(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    patient_id: int,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    reason: str = "",
) -> Patient | None:
    """The changed patient; None when it is not there. Raises VersionConflict."""
    with transaction.atomic():
        patient = _locked(organization_id, patient_id)
        if patient is not None:
            apply_changes(patient, with_search_name(changes), expected_version)
            _record("changed", actor, patient, reason)
    return patient


def apply_changes(patient: Patient, changes: Mapping[str, Any], expected_version: int | None = None) -> bool:
    """Change a patient whose lock the caller holds; False when nothing differs. Raises VersionConflict."""
    renamed = changes.get("name", patient.name) != patient.name
    if changes.get("consent", patient.consent) != patient.consent:
        changes = {**changes, "consent_changed_at": now_to_the_millisecond()}
    changed = records.apply(patient, changes, expected_version)
    if renamed:  # appointments show the name: what a caller has of them is no longer their present version
        patient.appointments.update(version=F("version") + 1)
    return changed


def delete_patient(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    patient_id: int,
    expected_version: int | None = None,
    reason: str = "",
) -> bool:
    """Delete a patient with what is kept of it, for as long as it can be restored; False when it is not there.

    Its runs stay as they are. Raises VersionConflict.
    """
    with transaction.atomic():
        patient = _locked(organization_id, patient_id)
        if patient is None:
            return False
        now = now_to_the_millisecond()
        records.apply(patient, {"deleted_at": now}, expected_version)
        for name in settings.PATIENT_CASCADE:
            getattr(patient, name).filter(deleted_at__isnull=True).update(
                deleted_at=now, deleted_with_patient=True, version=F("version") + 1
            )
        _record("deleted", actor, patient, reason)
    return True


@records.retried
def restore_patient(*, actor: audit.Actor, organization_id: UUID, patient_id: int, reason: str = "") -> Patient | None:
    """Undo the deletion of a patient, and of what went with it; None when it is not there, or was deleted too long ago.
    One that is not deleted stays as it is. Raises ExternalIdTaken, then nothing is restored."""
    with transaction.atomic():
        patient: Patient | None = (
            Patient.objects.filter(organization_id=organization_id, id=patient_id).select_for_update().first()
        )
        if patient is None or (patient.deleted_at is not None and patient.deleted_at < records.restorable_since()):
            return None
        if patient.deleted_at is not None:
            with records.external_id_is_free(patient):
                records.apply(patient, {"deleted_at": None}, None)
            for name in settings.PATIENT_CASCADE:
                _restore_with(getattr(patient, name))
        _record("restored", actor, patient, reason)
    return patient


def _restore_with(related: Any) -> None:
    gone = related.filter(deleted_with_patient=True)
    if any(field.name == "external_id" for field in related.model._meta.fields):
        named = gone.exclude(external_id=None).only("organization_id", "external_id")
        for record in named.iterator():  # one by one, to tell which is in the way
            with records.external_id_is_free(record):
                related.filter(pk=record.pk).update(deleted_at=None)
    gone.update(deleted_at=None, deleted_with_patient=False, version=F("version") + 1)


def record_read(*, actor: audit.Actor, organization_id: UUID, patient_id: int | None) -> None:
    """Audit that a caller read one patient, or a list of them."""
    verb, object_id = ("listed", "") if patient_id is None else ("read", str(patient_id))
    trail.record("patient", verb, actor=actor, organization_id=organization_id, object_id=object_id)


def with_search_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` of a patient, and what follows from them."""
    return {**fields, "search_name": folded(fields["name"])} if "name" in fields else dict(fields)


def with_consent_time(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` of a new patient, with when consent was given, if it was."""
    return {**fields, "consent_changed_at": now_to_the_millisecond()} if fields.get("consent") else dict(fields)


def _locked(organization_id: UUID, patient_id: int) -> Patient | None:
    found: Patient | None = Patient.objects.of(organization_id).select_for_update().filter(id=patient_id).first()
    return found


def _record(verb: str, actor: audit.Actor, patient: Patient, reason: str = "") -> None:
    trail.record(
        "patient", verb, actor=actor, organization_id=patient.organization_id, object_id=patient.pk, reason=reason
    )

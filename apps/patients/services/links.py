"""What is linked to a patient.

Each function holds the patient's row until the caller's transaction ends, so that consent is not withdrawn, nor the
patient deleted, between the look and the write. Who ends a run, or erases it, locks the run first.
"""

from __future__ import annotations

from uuid import UUID

from apps.patients.models import Patient


class NoSuchPatient(Exception):
    """Unknown, another organisation's, and deleted alike."""


class ConsentMissing(Exception):
    """The patient has not agreed to voice checks being linked, or has withdrawn it."""


def lock_for_new_link(*, organization_id: UUID, patient_id: int) -> None:
    """Raises NoSuchPatient, ConsentMissing."""
    patient = lock_linked(organization_id=organization_id, patient_id=patient_id)
    if patient is None:
        raise NoSuchPatient
    if not patient.consent:
        raise ConsentMissing


def lock_linked(*, organization_id: UUID, patient_id: int) -> Patient | None:
    """The patient with its organisation; None when it is deleted, or gone."""
    patients = Patient.objects.of(organization_id).select_related("organization")
    found: Patient | None = patients.select_for_update(no_key=True, of=("self",)).filter(id=patient_id).first()
    return found

"""Reads for FHIR. Each begins with the organisation; what is absent, foreign or deleted is None alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.fhir.resources.observations import FIELDS, Run, parse_observation_id
from apps.model_runs.models import Status
from apps.model_runs.selectors import list_runs
from apps.patients.ids import parse_patient_id
from apps.patients.models import Appointment, Document, Patient
from apps.patients.selectors import get_patient
from helios_site.api.families.healos.fields import parse_uuid


def find_patient(organization_id: UUID, text: str) -> Patient | None:
    patient_id = parse_patient_id(text)
    return None if patient_id is None else get_patient(organization_id, patient_id)


def find_appointment(organization_id: UUID, text: str) -> Appointment | None:
    found: Appointment | None = _by_uuid(Appointment.objects.of(organization_id), text)
    return found


def find_document(organization_id: UUID, text: str) -> Document | None:
    found: Document | None = _by_uuid(Document.objects.of(organization_id), text)
    return found


def find_score(organization_id: UUID, text: str) -> tuple[Run, str] | None:
    """A finished run of a patient, and the code of one of its scores."""
    named = parse_observation_id(text)
    if named is None:
        return None
    run_id, code = named
    run = _scored(organization_id).filter(id=run_id, patient__in=Patient.objects.of(organization_id)).first()
    return None if run is None else (run, code)


def scored_runs(organization_id: UUID, patient: Patient | None) -> QuerySet[Any, Run]:
    """The finished runs of a patient, newest first."""
    runs = _scored(organization_id)
    return runs.none() if patient is None else runs.filter(patient_id=patient.pk)


def _scored(organization_id: UUID) -> QuerySet[Any, Run]:
    runs: QuerySet[Any, Run] = list_runs(organization_id).filter(status=Status.COMPLETE_OK).values(*FIELDS)
    return runs


def _by_uuid(records: QuerySet[Any], text: str) -> Any:
    identifier = parse_uuid(text)
    return None if identifier is None else records.filter(id=identifier).first()

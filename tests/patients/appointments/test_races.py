"""What is written of an appointment while somebody else writes its patient, on two connections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.patients import services as patients
from apps.patients.appointments import selectors, services
from apps.patients.models import Appointment, Patient
from apps.patients.selectors import count_records
from tests.patients.waiting import elsewhere, uncommitted

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 4, 15, 14, tzinfo=UTC)


@pytest.fixture
def patient(organization: Organization) -> Patient:
    return patients.create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": "Maria Santos"})


def book(patient: Patient) -> Appointment:
    return services.create_appointment(
        actor=SYSTEM,
        organization_id=patient.organization_id,
        fields={"patient_id": patient.pk, "start_at": START},
    )


def write(service: Any, appointment: Appointment, **fields: Any) -> Any:
    return service(actor=SYSTEM, organization_id=appointment.organization_id, appointment_id=appointment.pk, **fields)


def delete(patient: Patient) -> bool:
    return patients.delete_patient(actor=SYSTEM, organization_id=patient.organization_id, patient_id=patient.pk)


def live(patient: Patient) -> int:
    found = selectors.list_appointments(patient.organization_id).count()
    assert found == count_records(patient.organization_id, "appointment")
    return int(found)


def test_no_appointment_is_made_while_its_patient_is_being_deleted(patient: Patient) -> None:
    with elsewhere() as start:
        with uncommitted(lambda: delete(patient)):
            making = start(lambda: book(patient))
        with pytest.raises(services.PatientMissing):
            making.result(30)
    assert live(patient) == Appointment.objects.count() == 0


def test_an_appointment_that_is_being_made_goes_with_its_patient(patient: Patient) -> None:
    with elsewhere() as start:
        with uncommitted(lambda: book(patient)) as made:
            deleting = start(lambda: delete(patient))
        assert deleting.result(30)
    assert live(patient) == 0
    assert Appointment.objects.get(id=made.pk).deleted_with_patient


def test_appointments_of_one_patient_are_made_side_by_side(patient: Patient) -> None:
    not_waiting = pytest.raises(AssertionError, match="did not wait")
    with elsewhere() as start, uncommitted(lambda: book(patient)), not_waiting:
        start(lambda: book(patient))
    assert live(patient) == 2


def test_no_appointment_moves_to_a_patient_who_is_being_deleted(patient: Patient, organization: Organization) -> None:
    other = patients.create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": "Ana"})
    made = book(other)
    with elsewhere() as start:
        with uncommitted(lambda: delete(patient)):
            moving = start(lambda: write(services.change_appointment, made, changes={"patient_id": patient.pk}))
        with pytest.raises(services.PatientMissing):
            moving.result(30)
    assert selectors.get_appointment(organization.id, made.pk).patient_id == other.pk  # type: ignore[union-attr]


def test_an_appointment_that_is_being_moved_stays_when_its_former_patient_is_deleted(
    patient: Patient, organization: Organization
) -> None:
    other = patients.create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": "Ana"})
    made = book(patient)
    with elsewhere() as start:
        with uncommitted(lambda: write(services.change_appointment, made, changes={"patient_id": other.pk})):
            deleting = start(lambda: delete(patient))
        assert deleting.result(30)
    assert live(patient) == 1


def test_a_second_change_waits_for_one_that_moves_the_appointment(patient: Patient, organization: Organization) -> None:
    other = patients.create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": "Ana"})
    made = book(patient)
    with elsewhere() as start:
        with uncommitted(lambda: write(services.change_appointment, made, changes={"patient_id": other.pk})):
            second = start(lambda: write(services.change_appointment, made, changes={"notes": "x"}))
        changed = second.result(30)
    assert (changed.patient.name, changed.notes, changed.version) == ("Ana", "x", 3)


def test_no_appointment_is_restored_while_its_patient_is_being_deleted(patient: Patient) -> None:
    made = book(patient)
    assert write(services.delete_appointment, made)
    with elsewhere() as start:
        with uncommitted(lambda: delete(patient)):
            restoring = start(lambda: write(services.restore_appointment, made))
        assert restoring.result(30) is None
    assert live(patient) == 0


def test_the_patient_is_held_before_the_appointment(patient: Patient, organization: Organization) -> None:
    """As in the deletion of a patient, so that neither waits for the other for ever."""
    made = book(patient)
    with CaptureQueriesContext(connection) as captured:
        write(services.change_appointment, made, changes={"patient_id": patient.pk})
    locks = [query["sql"] for query in captured.captured_queries if " FOR " in query["sql"]]
    assert [sql.split("FROM")[1].split()[0].strip('"') for sql in locks] == [
        "patients_patient", "patients_appointment",
    ]  # fmt: skip

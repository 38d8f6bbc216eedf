"""The numbers of records, which triggers keep."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.patients import services
from apps.patients.appointments import services as appointments
from apps.patients.models import Appointment, Note, Patient, RecordCount, Session
from apps.patients.selectors import count_records
from tests.patients.waiting import elsewhere, uncommitted

START = datetime(2026, 4, 15, 14, tzinfo=UTC)


def create(organization: Organization, **fields: Any) -> Patient:
    return services.create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": "Ana", **fields})


def book(patient: Patient) -> Appointment:
    fields = {"patient_id": patient.pk, "start_at": START}
    return appointments.create_appointment(actor=SYSTEM, organization_id=patient.organization_id, fields=fields)


def take_note(patient: Patient) -> Note:
    of: dict[str, Any] = {"organization_id": patient.organization_id, "patient": patient}
    session = Session.objects.create(**of, session_date=START.date())
    return Note.objects.create(**of, session=session)


def counts(organization: Organization) -> list[int]:
    """Of patients, appointments and notes; the same as counting them."""
    kinds: dict[str, Any] = {"patient": Patient, "appointment": Appointment, "note": Note}
    kept = [count_records(organization.id, kind) for kind in kinds]
    assert kept == [model.objects.of(organization.id).count() for model in kinds.values()]
    return kept


@pytest.mark.django_db
def test_each_way_to_write_counts(organization: Organization, other_organization: Organization) -> None:
    patient, _ = create(organization, external_id="E"), create(other_organization)
    made, _ = book(patient), take_note(patient)
    book(patient)
    assert counts(organization) == [1, 2, 1]
    one: dict[str, Any] = {"actor": SYSTEM, "organization_id": organization.id}
    assert appointments.delete_appointment(**one, appointment_id=made.pk)
    assert counts(organization) == [1, 1, 1]
    assert services.delete_patient(**one, patient_id=patient.pk)
    assert counts(organization) == [0, 0, 0]
    assert services.restore_patient(**one, patient_id=patient.pk)
    assert counts(organization) == [1, 1, 1]
    assert appointments.restore_appointment(**one, appointment_id=made.pk)
    services.change_patient(**one, patient_id=patient.pk, changes={"name": "Eva"})
    assert counts(organization) == [1, 2, 1]
    assert appointments.delete_appointment(**one, appointment_id=made.pk)
    patient.delete()  # with all that is kept of it, and what was deleted already
    assert counts(organization) == [0, 0, 0]
    assert counts(other_organization) == [1, 0, 0]


@pytest.mark.django_db
def test_statements_over_many_rows_and_organisations_count_each(
    organization: Organization, other_organization: Organization
) -> None:
    rows = [
        Patient(organization=one, name="Ana", search_name="ana", deleted_at=START if number < 2 else None)
        for one in (organization, other_organization)
        for number in range(10)
    ]
    Patient.objects.bulk_create(rows)
    assert [counts(organization)[0], counts(other_organization)[0]] == [8, 8]
    assert RecordCount.objects.count() == 2, "one row for a statement and an organisation"
    Patient.objects.filter(organization=organization).update(deleted_at=None)
    assert [counts(organization)[0], counts(other_organization)[0]] == [10, 8]
    Patient.objects.update(name="Eva")
    assert RecordCount.objects.count() == 3, "what changes no number adds none"
    Patient.objects.filter(pk__in=[row.pk for row in rows[5:15]]).delete()
    assert [counts(organization)[0], counts(other_organization)[0]] == [5, 5]
    Patient.objects.filter(organization=organization).update(organization=other_organization)
    assert [counts(organization)[0], counts(other_organization)[0]] == [0, 10]


@pytest.mark.django_db
def test_what_is_undone_does_not_count(organization: Organization) -> None:
    create(organization, external_id="E")
    with pytest.raises(services.ExternalIdTaken):
        create(organization, external_id="E")
    with transaction.atomic():
        create(organization)
        transaction.set_rollback(True)
    assert counts(organization)[0] == 1


@pytest.mark.django_db(transaction=True)
def test_those_who_create_at_once_do_not_wait_and_all_count(organization: Organization) -> None:
    not_waiting = pytest.raises(AssertionError, match="did not wait")
    with elsewhere() as start, uncommitted(lambda: create(organization)), not_waiting:
        start(lambda: create(organization))

    def work(_: int) -> None:
        try:
            for _ in range(5):
                patient = create(organization)
                book(patient)
                services.delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk)
                book(create(organization))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert counts(organization) == [32, 30, 0]

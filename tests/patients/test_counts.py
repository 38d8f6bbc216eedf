"""The counts of records stay true, and short."""

from __future__ import annotations

from threading import Barrier, Thread
from uuid import uuid4

import psycopg
import pytest

from apps.accounts.models import Organization
from apps.patients.models import Patient, RecordCount
from apps.patients.selectors import count_records
from apps.patients.services import compact_counts
from apps.patients.services.counting import _COMPACT
from tests.conftest import database_url_of_tests
from tests.patients.people import keep, make_patient


@pytest.mark.django_db
def test_compaction_keeps_every_number_in_one_row(organization: Organization, other_organization: Organization) -> None:
    for number in range(3):
        make_patient(organization, f"p{number}")
    keep(make_patient(other_organization))
    gone = make_patient(other_organization, "gone")
    Patient.objects.filter(id=gone.pk).delete()
    before = [
        (whose, kind, count_records(whose.id, kind))
        for whose in (organization, other_organization)
        for kind in ("patient", "appointment", "note")
    ]
    assert [count for _, _, count in before] == [3, 0, 0, 1, 1, 1]
    assert RecordCount.objects.count() == 8
    assert compact_counts() == 4
    assert before == [(whose, kind, count_records(whose.id, kind)) for whose, kind, _ in before]
    assert RecordCount.objects.count() == 4, "a row for each number that is not zero"
    assert compact_counts() == 0


@pytest.mark.django_db
def test_a_number_that_came_back_to_zero_needs_no_row(organization: Organization) -> None:
    patient = make_patient(organization)
    patient.delete()
    assert compact_counts() == 2
    assert (RecordCount.objects.count(), count_records(organization.id, "patient")) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_compactions_at_once_lose_and_double_nothing_and_readers_always_see_the_truth() -> None:
    whose = uuid4()
    RecordCount.objects.bulk_create(RecordCount(organization_id=whose, kind="patient", live=1) for _ in range(2000))
    start, seen, writers = Barrier(4), set[int](), 2

    def compact() -> None:
        with psycopg.connect(database_url_of_tests(), autocommit=True) as connection:
            start.wait()
            for _ in range(20):
                connection.execute(
                    "INSERT INTO patients_recordcount (organization_id, kind, live) VALUES (%s, 'note', 1)", [whose]
                )
                connection.execute(_COMPACT)

    def read() -> None:
        with psycopg.connect(database_url_of_tests(), autocommit=True) as connection:
            start.wait()
            for _ in range(100):
                found = connection.execute(
                    "SELECT sum(live) FROM patients_recordcount WHERE organization_id = %s AND kind = 'patient'",
                    [whose],
                ).fetchone()
                assert found is not None
                seen.add(int(found[0]))

    threads = [Thread(target=target) for target in (*[compact] * writers, read)]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()
    assert seen == {2000}
    assert count_records(whose, "note") == 20 * writers
    compact_counts()
    assert RecordCount.objects.filter(organization_id=whose).count() == 2

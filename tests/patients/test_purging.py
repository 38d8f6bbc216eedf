"""What was deleted can be brought back for some days, and is gone after them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.patients import services
from apps.patients.models import Document, Note, Patient, PatientExport
from apps.patients.services import erasure
from helios_site import celery
from helios_site.models import IdempotentReply
from helios_site.storage.local import LocalStorage
from tests.model_runs.conftest import exists, make_finished, make_run, make_running  # noqa: F401 - fixtures
from tests.patients.people import Kept, keep, left, make_export, make_patient
from tests.patients.waiting import elsewhere, uncommitted

pytestmark = pytest.mark.django_db
ALL = ["Patient", "Appointment", "Document", "Session", "Note", "file"]
NONE = {"appointment": 0, "note": 0, "document": 0, "patient": 0}


def delete(kept: Kept) -> None:
    organization_id = kept.patient.organization_id
    assert services.delete_patient(actor=SYSTEM, organization_id=organization_id, patient_id=kept.patient.pk)


def after(days: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(days=days))


def test_healos_107_a_patient_comes_back_with_what_went_with_it(organization: Organization) -> None:
    kept = keep(make_patient(organization))
    earlier = keep(kept.patient, "earlier")
    Document.objects.filter(pk=earlier.document.pk).update(deleted_at=timezone.now())
    delete(kept)
    with after(29.9):
        assert services.purge_deleted() == NONE
        assert (
            services.restore_patient(actor=SYSTEM, organization_id=organization.id, patient_id=kept.patient.pk)
            == kept.patient
        )
    for row in (kept.patient, kept.appointment, kept.document, kept.note, earlier.appointment, earlier.note):
        row.refresh_from_db()
        assert (row.deleted_at, getattr(row, "deleted_with_patient", False)) == (None, False)
    earlier.document.refresh_from_db()
    assert earlier.document.deleted_at is not None, "was deleted by itself"


def test_healos_107_after_the_purge_there_is_nothing_to_bring_back(organization: Organization) -> None:
    kept = keep(make_patient(organization))
    other = keep(make_patient(organization, "other"), "other")
    export = make_export(kept.patient)
    IdempotentReply.objects.create(
        scope="a", organization_id=organization.id, body_sha256="", status=201, object_ids=[str(kept.note.pk)]
    )
    delete(kept)
    with after(30.1):
        restored = services.restore_patient(actor=SYSTEM, organization_id=organization.id, patient_id=kept.patient.pk)
        assert restored is None, "too late, before the job came by"
        assert left(kept) == ALL
        assert services.purge_deleted() == NONE | {"patient": 1}
        assert services.purge_deleted() == NONE
    assert (left(kept), left(other)) == ([], ALL)
    assert not PatientExport.objects.exists()
    assert not exists(export.storage_key)
    assert not IdempotentReply.objects.exists()
    actions = (
        AuditEvent.objects.filter(object_id=str(kept.patient.pk)).order_by("id").values_list("action", "actor_type")
    )
    assert list(actions) == [("patient.deleted", "system"), ("patient.purged", "system")]


def test_what_was_deleted_by_itself_is_purged_by_itself(organization: Organization) -> None:
    kept, fresh = keep(make_patient(organization)), keep(make_patient(organization, "fresh"), "fresh")
    for row in (kept.appointment, kept.document, kept.note):
        type(row)._default_manager.filter(pk=row.pk).update(deleted_at=timezone.now() - timedelta(days=30, minutes=1))
    Document.objects.filter(pk=fresh.document.pk).update(deleted_at=timezone.now() - timedelta(days=29))
    assert services.purge_deleted() == {"appointment": 1, "note": 1, "document": 1, "patient": 0}
    assert (left(kept), left(fresh)) == (["Patient"], ALL)
    purged = AuditEvent.objects.filter(action__endswith=".purged", organization_id=organization.id)
    assert sorted(purged.values_list("action", "object_id")) == sorted(
        (f"{kind}.purged", str(row.pk))
        for kind, row in (
            ("appointment", kept.appointment),
            ("document", kept.document),
            ("note", kept.note),
            ("session", kept.session),
        )
    )


def test_the_runs_of_a_purged_patient_keep_their_data(
    organization: Organization,
    make_finished: Any,  # noqa: F811 - the fixture
) -> None:
    kept, run = keep(make_patient(organization)), make_finished()
    type(run).objects.filter(id=run.id).update(patient=kept.patient)
    delete(kept)
    with after(31):
        services.purge_deleted()
    again = type(run).objects.get(id=run.id)
    assert (again.patient_id, again.user_label, again.transcript) == (None, run.user_label, run.transcript)
    assert exists(run.recording_key)


def test_a_purge_goes_on_where_the_time_was_up(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.patients.services.purging.BATCH", 2)
    people = [make_patient(organization, f"p{number}") for number in range(3)]
    Patient.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    assert services.purge_deleted(busy_seconds=0)["patient"] == 2
    assert services.purge_deleted(busy_seconds=0)["patient"] == 1
    assert not Patient.objects.filter(id__in=[one.pk for one in people]).exists()


def test_a_store_that_is_away_leaves_the_rows_that_name_its_files(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(make_patient(organization))
    alone = keep(make_patient(organization, "alone"), "alone")
    delete(kept)
    long_ago: datetime = timezone.now() - timedelta(days=31)
    Patient.objects.filter(pk=kept.patient.pk).update(deleted_at=long_ago)
    type(alone.appointment).objects.filter(pk=alone.appointment.pk).update(deleted_at=long_ago)

    def away(self: LocalStorage, key: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "delete", away)
        with pytest.raises(ConnectionError):
            services.purge_deleted()
    assert left(kept) == ALL
    assert "Appointment" not in left(alone), "what has no file does not wait"
    assert services.purge_deleted()["patient"] == 1
    assert left(kept) == []


def test_every_kind_of_row_of_a_patient_is_removed_with_it() -> None:
    """A model that is added later must be named here, and erased."""
    related: set[Any] = {relation.related_model for relation in Patient._meta.related_objects}
    assert {model for model in related if model._meta.app_label == "patients"} == set(erasure._KEPT_OF_PATIENTS)


def test_beat_carries_out_what_waits() -> None:
    celery.app.finalize()
    celery.app.loader.import_default_modules()
    for job, seconds in (
        ("purge_deleted", 300),
        ("remove_erased_objects", 60),
        ("look_after_exports", 60),
        ("compact_counts", 60),
    ):
        name = f"helios.housekeeping.{job}"
        assert celery.app.conf.beat_schedule[name]["schedule"] == seconds
        celery.app.tasks[name]()


def test_what_is_removed_is_not_read_before(organization: Organization) -> None:
    """Sessions hold transcripts, of which 200 patients may have more than fits into memory."""
    delete(keep(make_patient(organization)))
    with after(30.1), CaptureQueriesContext(connection) as queries:
        assert services.purge_deleted()["patient"] == 1
    read = [query["sql"] for query in queries.captured_queries if query["sql"].startswith("SELECT")]
    assert read
    assert not [sql for sql in read if '_session"."text"' in sql or '_patient"."notes"' in sql]


def test_a_session_is_purged_with_its_last_note(organization: Organization) -> None:
    kept, other = keep(make_patient(organization)), keep(make_patient(organization, "other"), "other")
    of_session = {"organization": organization, "patient": kept.patient, "session": kept.session}
    second = Note.objects.create(**of_session, deleted_at=timezone.now() - timedelta(days=29))
    long_ago = timezone.now() - timedelta(days=31)
    Note.objects.filter(pk=kept.note.pk).update(deleted_at=long_ago)
    Note.objects.create(**of_session | {"session": other.session}, deleted_at=long_ago)
    assert services.purge_deleted()["note"] == 2
    assert "Session" in left(kept), "the second can be brought back"
    Note.objects.filter(pk=second.pk).update(deleted_at=long_ago)
    assert services.purge_deleted()["note"] == 1
    assert (left(kept), left(other)) == (["Patient", "Appointment", "Document", "file"], ALL)
    events = AuditEvent.objects.filter(action="session.purged").values_list("object_id", flat=True)
    assert list(events) == [str(kept.session.pk)]


def test_what_comes_back_is_read_by_its_names_alone(organization: Organization) -> None:
    kept = keep(make_patient(organization))
    delete(kept)
    with CaptureQueriesContext(connection) as queries:
        services.restore_patient(actor=SYSTEM, organization_id=organization.id, patient_id=kept.patient.pk)
    read = [query["sql"] for query in queries.captured_queries if 'FROM "patients_appointment"' in query["sql"]]
    assert read
    assert not [sql for sql in read if '"notes"' in sql]


@pytest.mark.django_db(transaction=True)
def test_who_is_brought_back_at_the_last_moment_keeps_the_files(organization: Organization) -> None:
    kept = keep(make_patient(organization))
    delete(kept)

    def restore() -> Patient | None:
        return services.restore_patient(actor=SYSTEM, organization_id=organization.id, patient_id=kept.patient.pk)

    with elsewhere() as start:
        with uncommitted(restore), after(31):
            purge = start(services.purge_deleted)
        assert purge.result() == NONE
    assert left(kept) == ALL


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_lost_against_a_deadlock_is_done_after_it(
    organization: Organization,
    make_finished: Any,  # noqa: F811 - the fixture
) -> None:
    """What ends a run locks it first, and then its patient."""
    patient, run = make_patient(organization), make_finished()
    runs, patients = type(run).objects.filter(id=run.id), Patient.objects.filter(pk=patient.pk)
    runs.update(patient=patient)
    patients.update(deleted_at=timezone.now() - timedelta(days=31))
    with elsewhere() as start:
        with uncommitted(lambda: runs.update(attempt=2)):
            purge = start(services.purge_deleted)
            with suppress(OperationalError), transaction.atomic():  # on a machine that is too slow the other one wins
                list(patients.select_for_update())
        assert purge.result()["patient"] == 1
    assert runs.get().patient_id is None

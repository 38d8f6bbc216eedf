"""Nothing is left of a person who is erased, and nothing of anybody else is touched."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.patient_runs import exporting
from apps.model_runs.patient_runs.erasure import erase_person
from apps.patients.models import Patient, PatientExport, Session
from apps.webhooks.models import WebhookDelivery
from helios_site.models import ErasedObject, IdempotentReply
from helios_site.storage import removal
from helios_site.storage.local import LocalStorage
from tests.conftest import MakeKey, database_url_of_tests
from tests.contract.healos.calls import send, with_key
from tests.contract.healos.patients import INVALID
from tests.model_runs.conftest import OK, exists, make_finished, make_run, make_running
from tests.model_runs.people import MakePerson, Person, anywhere, canaries, make_person, where
from tests.model_runs.tenants import stored
from tests.patients.people import left, make_export, make_patient

__all__ = ["make_finished", "make_person", "make_run", "make_running"]  # fixtures

pytestmark = pytest.mark.django_db
ABSENT = b'{"error":"Patient not found"}'
BODY = {"reason": "subject_request"}


def erase(client: Client, person: Person, **extra: Any) -> Any:
    return send(client, "POST", f"{person.path}/erase", BODY, **extra)


def files_of(person: Person) -> list[str]:
    return [person.kept.document.storage_key, person.finished.recording_key, person.running.recording_key]


def test_nothing_of_a_person_is_left_but_one_row_of_the_trail(
    api: Client, make_person: MakePerson, django_capture_on_commit_callbacks: Any
) -> None:
    mark = uuid4().hex[:12]  # the storage holds what other tests left there
    person, other = make_person(mark), make_person("other")
    archive = make_export(person.kept.patient, f"{mark}-archive".encode())
    claim = services.claim_run(run_id=person.running.id)
    assert claim is not None
    assert all(anywhere(*canaries(mark)).values()), "where they can be found"
    others = anywhere(*canaries("other"))
    before = AuditEvent.objects.latest("id").pk

    with django_capture_on_commit_callbacks(execute=True):
        answer = erase(api, person)
    patient_id = str(person.kept.patient.pk)
    assert (answer.status_code, answer.json()) == (200, {"data": {"id": patient_id}, "message": "Patient erased"})

    assert where(anywhere(mark)) == {}
    assert left(person.kept) == []
    assert not any(exists(key) for key in [*files_of(person), archive.storage_key])
    assert not ErasedObject.objects.exists()
    assert not PatientExport.objects.exists()
    [event] = AuditEvent.objects.filter(id__gt=before)
    assert (event.action, event.object_id, event.reason) == ("patient.erased", patient_id, "subject_request")
    named = [patient_id, *map(str, person.runs)]
    assert not IdempotentReply.objects.filter(object_ids__overlap=named).exists()

    assert not services.finish_run(claim=claim, analysis=OK), "the worker finds no row to finish"
    assert not services.claim_run(run_id=person.running.id)
    assert api.get(person.path).content == erase(api, person).content == ABSENT

    assert anywhere(*canaries("other")) == others
    assert len(left(other.kept)) == 6
    assert all(exists(key) for key in files_of(other))
    assert ModelRun.objects.filter(patient=other.kept.patient).count() == 2
    replies = IdempotentReply.objects.filter(object_ids__overlap=[str(other.kept.patient.pk), str(other.finished.id)])
    assert replies.count() == 2


def test_receivers_are_told_that_the_runs_are_gone_and_nothing_else(api: Client, make_person: MakePerson) -> None:
    person = make_person()
    about = [*person.runs, person.kept.document.id]
    assert WebhookDelivery.objects.filter(object_id__in=about).count() == 3
    erase(api, person)
    told = WebhookDelivery.objects.filter(object_id__in=about)
    assert sorted(told.values_list("event", "object_id")) == sorted(("model_run.deleted", run) for run in person.runs)
    assert [json.loads(one.body)["data"]["userLabel"] for one in told] == [None, None]


@pytest.mark.parametrize("reason", ["subject_request", "consent_withdrawn", "test_data"])
def test_a_deleted_patient_is_erased_too(api: Client, organization: Organization, reason: str) -> None:
    patient = make_patient(organization)
    Patient.objects.filter(pk=patient.pk).update(deleted_at=timezone.now())
    path = f"/ext-api/v1/patients/{patient.pk}"
    assert send(api, "POST", f"{path}/erase", {"reason": reason}).status_code == 200
    assert send(api, "POST", f"{path}/restore").content == ABSENT
    assert AuditEvent.objects.get(action="patient.erased").reason == reason


def test_a_reason_is_one_of_three(api: Client, organization: Organization) -> None:
    path = f"/ext-api/v1/patients/{make_patient(organization).pk}/erase"
    known = "Invalid enum value. Expected 'subject_request' | 'consent_withdrawn' | 'test_data', received 'x'"
    for body, details in (
        ({}, {"reason": ["Required"]}),
        ({"reason": "x"}, {"reason": [known]}),
        ({**BODY, "force": True}, {"force": ["Unrecognized key(s) in object: 'force'"]}),
    ):
        answer = send(api, "POST", path, body)
        assert (answer.status_code, answer.json()) == (400, {"error": INVALID, "details": details})
    assert send(api, "POST", path).status_code == 400
    assert Patient.objects.count() == 1


def test_runs_are_erased_only_by_who_may_erase_runs(make_person: MakePerson, make_key: MakeKey) -> None:
    person = make_person()
    key, raw = make_key(scopes=["patients:write"])
    answer = erase(with_key(raw), person)
    assert (answer.status_code, answer.json()) == (403, {"error": "Insufficient scope"})
    assert len(left(person.kept)) == 6
    assert ModelRun.objects.filter(patient=person.kept.patient).count() == 2
    refused = AuditEvent.objects.get(action="api_key.refused", object_id=str(key.pk))
    assert refused.reason == "missing scope: model_runs:write"
    ModelRun.objects.update(patient=None)
    assert erase(with_key(raw), person).status_code == 200
    assert ModelRun.objects.count() == 2, "no longer linked"
    assert erase(with_key(make_key(scopes=["model_runs:write", "patients:read"])[1]), person).status_code == 403


def test_absent_and_foreign_patients_look_the_same(api: Client, other_api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    path = "/ext-api/v1/patients/{}/erase"
    for odd in (patient.pk, "481926357104938271", "abc"):
        answer = send(other_api, "POST", path.format(odd), {})
        assert (answer.status_code, answer.content) == (404, ABSENT), "before the body"
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_an_erasure_that_the_store_did_not_follow_is_finished_by_the_job(
    api: Client, make_person: MakePerson, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()
    asked: list[str] = []

    def away(self: LocalStorage, key: str) -> None:
        asked.append(key)
        raise ConnectionError

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(LocalStorage, "delete", away)
        assert erase(api, person).status_code == 200
    assert len(asked) == 1, "a store that is away is not asked for each object"
    assert left(person.kept) == ["file"], "the rows went at once"
    assert set(ErasedObject.objects.values_list("storage_key", flat=True)) == set(files_of(person))
    assert removal.remove_erased_objects() == 2
    with time_machine.travel(timezone.now() + removal.PAUSE):
        assert removal.remove_erased_objects() == 1
    assert not any(exists(key) for key in files_of(person))
    assert not ErasedObject.objects.exists()


def test_an_erasure_whose_process_died_after_the_commit_is_finished_by_the_job(
    api: Client, make_person: MakePerson
) -> None:
    person = make_person()
    erase(api, person)  # what comes after the commit is never run here
    assert all(exists(key) for key in files_of(person))
    assert removal.remove_erased_objects(busy_seconds=0) == 1, "what takes long goes on at the next tick"
    assert removal.remove_erased_objects() == 2
    assert not any(exists(key) for key in files_of(person))


def test_an_erasure_that_failed_erased_nothing(
    api: Client, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("apps.model_runs.patient_runs.erasure.forget_deliveries", fails)
        api.raise_request_exception = False
        assert erase(api, person).status_code == 500
    assert len(left(person.kept)) == 6
    assert ModelRun.objects.filter(patient=person.kept.patient).count() == 2
    assert not ErasedObject.objects.exists()
    assert not AuditEvent.objects.filter(action="patient.erased").exists()


def test_an_erasure_is_repeated_with_its_own_reply(api: Client, make_person: MakePerson) -> None:
    person = make_person()
    again = {"headers": {"idempotency-key": "canary-of-the-caller"}}
    first, second = erase(api, person, **again), erase(api, person, **again)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"


def test_an_archive_that_is_being_made_of_an_erased_person_is_thrown_away(
    api: Client, organization: Organization, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()
    export_id = UUID(send(api, "POST", f"{person.path}/export").json()["data"]["id"])

    def slow(patient: Patient, write: Any) -> None:
        write(export_id.bytes)
        assert erase(api, person).status_code == 200

    monkeypatch.setattr(exporting, "write_person_archive", slow)
    assert not exporting.export_person(export_id=export_id)
    removal.remove_erased_objects()
    assert not [key for key in stored(organization) if "/exports/" in key]


def test_a_run_that_staff_ran_again_is_the_persons_too(api: Client, make_person: MakePerson) -> None:
    person = make_person()
    ModelRun.objects.filter(id=person.finished.id).update(
        status="COMPLETE_ERROR", error_code="ERR_INTERNAL", error_reason="x"
    )
    again = services.rerun_failed(actor=SYSTEM, run=ModelRun.objects.get(id=person.finished.id))
    erase(api, person)
    assert not ModelRun.objects.exists()
    removal.remove_erased_objects()
    assert not exists(again.recording_key)


@pytest.mark.django_db(transaction=True)
def test_what_ends_a_run_at_the_same_time_comes_before_the_erasure_and_is_erased(
    organization: Organization, make_finished: Any
) -> None:
    """A finished run may write a note: it locks its run first and then the patient, and the erasure does likewise."""
    patient, run = make_patient(organization), make_finished()
    ModelRun.objects.update(patient=patient)
    erased: list[bool] = []

    def erase_it() -> None:
        erased.append(
            erase_person(
                actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk, reason="test_data", with_runs=True
            )
        )
        connection.close()

    with psycopg.connect(database_url_of_tests()) as worker, psycopg.connect(database_url_of_tests()) as watcher:
        worker.execute("UPDATE model_runs_modelrun SET attempt = attempt + 1 WHERE id = %s", [run.id])
        thread = Thread(target=erase_it)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        while watcher.execute(waiting).fetchone() == (0,):
            watcher.rollback()
        worker.execute(
            "INSERT INTO patients_session (id, organization_id, patient_id, title, status, session_date, text, summary,"
            " created_at) VALUES (gen_random_uuid(), %s, %s, 'late', 'completed', now(), '', '', now())",
            [organization.id, patient.pk],
        )
        worker.commit()
        thread.join()
    assert erased == [True]
    assert not Session.objects.exists()
    assert not ModelRun.objects.exists()


def test_an_erasure_that_lost_against_a_deadlock_is_done_after_it(
    api: Client, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()
    lost: list[UUID] = []

    def loses_once(**fields: Any) -> None:
        if not lost:
            lost.append(fields["organization_id"])
            raise OperationalError from DeadlockDetected()

    monkeypatch.setattr("apps.model_runs.patient_runs.erasure.forget_deliveries", loses_once)
    assert erase(api, person).status_code == 200
    assert len(lost) == 1
    assert left(person.kept) == ["file"]
    assert AuditEvent.objects.filter(action="patient.erased").count() == 1

"""Everything that is kept of a person leaves in one archive, and nothing else."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.patient_runs import exporting
from apps.model_runs.services import housekeeping
from apps.patients import services
from apps.patients.models import Document, Patient, PatientExport
from apps.patients.services import exports
from helios_site.storage import StorageFull
from tests.conftest import MakeKey
from tests.contract.healos.calls import content_of, send, with_key
from tests.contract.helios.calls import RUNS
from tests.model_runs.conftest import exists, make_finished, make_run, make_running
from tests.model_runs.people import MakePerson, Person, canaries, make_person
from tests.patients.people import keep, make_export, make_patient

__all__ = ["make_finished", "make_person", "make_run", "make_running"]  # fixtures

pytestmark = pytest.mark.django_db
SCOPES = ["patients:read", "appointments:read", "documents:read", "notes:read", "model_runs:read"]


@pytest.fixture
def path(organization: Organization) -> str:
    """Of a patient without runs."""
    return f"/ext-api/v1/patients/{keep(make_patient(organization)).patient.pk}"


def asked_for(client: Client, path: str) -> dict[str, Any]:
    answer = send(client, "POST", f"{path}/export")
    assert answer.status_code == 202, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def made(client: Client, path: str) -> dict[str, Any]:
    """A new archive as the API shows it."""
    export_id = asked_for(client, path)["id"]
    assert exporting.export_person(export_id=UUID(export_id))
    data: dict[str, Any] = client.get(f"{path}/exports/{export_id}").json()["data"]
    return data


def download(url: str) -> Any:
    return Client().get(url.removeprefix(settings.HELIOS_PUBLIC_BASE_URL))


def test_everything_of_a_person_is_in_the_archive(api: Client, make_person: MakePerson) -> None:
    person, other = make_person("canary"), make_person("stranger")
    wrong = keep(person.kept.patient, "misfiled")
    for row in (wrong.document, wrong.note):  # with the note its session goes
        type(row)._default_manager.filter(pk=row.pk).update(deleted_at=timezone.now())
    export = made(api, person.path)
    reply = download(export["url"])
    assert reply.status_code == 200
    assert reply["Content-Type"] == "application/zip"
    assert reply["Content-Disposition"].startswith(f'attachment; filename="patient-{person.kept.patient.pk}-')
    assert reply["Cache-Control"] == "private, no-store"
    assert reply["X-Content-Type-Options"] == "nosniff"
    with ZipFile(io.BytesIO(content_of(reply))) as whole:
        assert whole.testzip() is None
        files = {name: whole.read(name) for name in whole.namelist()}
    text = b"\n".join(files.values()).decode()
    assert [name for name in canaries("canary") if name not in text] == []
    for foreign in (
        "stranger-",
        str(other.kept.patient.pk),
        "misfiled-file",
        "misfiled-document-bytes",
        "misfiled-said",
        "127.0.0.1",
    ):
        assert foreign not in text, foreign
    patient = json.loads(files["patient.json"])
    assert patient["id"] == str(person.kept.patient.pk)
    assert patient["client_history"]["family_history"] == "canary-history"
    assert files[f"documents/{person.kept.document.id}.pdf"] == b"canary-document-bytes"
    runs = {run["id"]: run for run in map(json.loads, files["runs.ndjson"].splitlines())}
    assert set(runs) == {str(run_id) for run_id in person.runs}
    assert runs[str(person.finished.id)]["scores"] == person.finished.scores
    assert {name for name in files if name.startswith("recordings/")} == {f"recordings/{run_id}" for run_id in runs}
    events = [json.loads(line) for line in files["audit-events.ndjson"].splitlines()]
    assert {"patient.created", "patient.export_requested", "model_run.completed"} <= {one["action"] for one in events}
    assert all(set(event) == set(exporting._EVENT_FIELDS) for event in events)


def test_an_archive_is_pending_until_a_worker_has_made_it(api: Client, path: str) -> None:
    first = asked_for(api, path)
    assert first == {
        "id": first["id"], "status": "pending", "url": None, "expires_at": None, "created_at": first["created_at"]
    }  # fmt: skip
    assert asked_for(api, path) == first, "one at a time"
    assert api.get(f"{path}/exports/{first['id']}").json()["data"] == first
    assert exporting.export_person(export_id=UUID(first["id"]))
    assert not exporting.export_person(export_id=UUID(first["id"])), "a message that comes twice"
    ready = api.get(f"{path}/exports/{first['id']}").json()["data"]
    assert (ready["status"], ready["expires_at"] > ready["created_at"]) == ("ready", True)
    assert asked_for(api, path)["id"] != first["id"]
    trail = AuditEvent.objects.filter(object_type="patient").order_by("id").values_list("action", flat=True)
    assert list(trail) == [
        "patient.export_requested", "patient.export_requested", "patient.export_read", "patient.exported",
        "patient.export_read", "patient.export_requested",
    ]  # fmt: skip


@pytest.mark.parametrize("missing", SCOPES)
def test_who_takes_everything_along_must_be_allowed_to_read_everything(
    make_person: MakePerson, make_key: MakeKey, missing: str
) -> None:
    person = make_person()
    export = make_export(person.kept.patient)
    client = with_key(make_key(scopes=[scope for scope in SCOPES if scope != missing])[1])
    for answer in (send(client, "POST", f"{person.path}/export"), client.get(f"{person.path}/exports/{export.id}")):
        assert (answer.status_code, answer.json()) == (403, {"error": "Insufficient scope"})
    assert PatientExport.objects.count() == 1
    if missing == "model_runs:read":
        ModelRun.objects.update(patient=None)
        assert send(client, "POST", f"{person.path}/export").status_code == 202, "no run is linked"


def test_absent_foreign_and_expired_exports_look_the_same(
    api: Client, other_api: Client, organization: Organization, path: str
) -> None:
    export = make_export(Patient.objects.get())
    one = f"{path}/exports/{export.id}"
    elsewhere = f"/ext-api/v1/patients/{make_patient(organization, 'b').pk}/exports/{export.id}"
    for client, odd, error in (
        (other_api, one, "Patient not found"),
        (other_api, f"{path}/export", "Patient not found"),
        (api, elsewhere, "Export not found"),
        (api, f"{path}/exports/{UUID(int=1)}", "Export not found"),
        (api, f"{path}/exports/x", "Export not found"),
        (api, "/ext-api/v1/patients/x/export", "Patient not found"),
    ):
        answer = send(client, "POST" if odd.endswith("export") else "GET", odd)
        assert (answer.status_code, answer.json()) == (404, {"error": error}), odd
    assert api.get(one).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7)):
        assert api.get(one).json() == {"error": "Export not found"}, "before the job came by"


def test_a_link_is_good_for_some_minutes_while_the_patient_is_there(
    api: Client, organization: Organization, path: str
) -> None:
    url = made(api, path)["url"]
    assert len(content_of(download(url))) > 100
    assert AuditEvent.objects.filter(action="patient.export_downloaded").count() == 1
    for wrong in (url[:-1] + ("a" if url[-1] != "a" else "b"), url.partition("?")[0], f"{url.partition('=')[0]}=x"):
        assert download(wrong).status_code == 404
    assert Client().post(url.removeprefix(settings.HELIOS_PUBLIC_BASE_URL)).status_code == 405
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.HEALOS_EXPORT_URL_TTL_SECONDS)):
        assert download(url).status_code == 404
    for change in ({"is_active": False}, {"is_active": True}):
        Organization.objects.filter(pk=organization.pk).update(**change)
        reply = download(url)
        assert reply.status_code == (200 if change["is_active"] else 404)
        assert not reply.streaming or content_of(reply)
    send(api, "DELETE", path)
    assert download(url).status_code == 404
    assert AuditEvent.objects.filter(action="patient.export_downloaded").count() == 2


def test_an_archive_goes_after_seven_days_and_another_is_not_touched(api: Client, path: str) -> None:
    old = PatientExport.objects.get(id=made(api, path)["id"])
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        young = PatientExport.objects.get(id=made(api, path)["id"])
    with time_machine.travel(timezone.now() + timedelta(days=7)):
        assert services.look_after_exports()["expired"] == 1
    assert [exists(one.storage_key) for one in (old, young)] == [False, True]
    assert PatientExport.objects.get() == young


def test_what_no_export_names_is_removed_from_the_storage(
    api: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "LEFTOVER_AGE", timedelta(seconds=-5))
    kept, orphan = PatientExport.objects.get(id=made(api, path)["id"]), make_export(Patient.objects.get())
    PatientExport.objects.filter(id=orphan.id).delete()
    housekeeping.remove_leftovers()
    assert [exists(one.storage_key) for one in (kept, orphan)] == [True, False]
    assert exists(Document.objects.get().storage_key)


def test_an_archive_that_cannot_be_written_is_tried_again_and_given_up_in_the_end(
    api: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(exports, "ring", lambda task, export_id: rung.append(export_id))
    export_id = asked_for(api, path)["id"]

    def full(patient: Patient, write: Any) -> None:
        write(b"the first piece")
        raise StorageFull

    now = timezone.now()
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "write_person_archive", full)
        for day in range(exports.MAX_TRIES):
            assert services.look_after_exports()["asked_for"] == 0, "not yet"
            with time_machine.travel(now + timedelta(days=day + 1)):
                assert services.look_after_exports()["asked_for"] == 1
                assert not exporting.export_person(export_id=UUID(export_id))
    assert rung == [export_id] * exports.MAX_TRIES
    with time_machine.travel(now + timedelta(days=9)):
        assert services.look_after_exports()["asked_for"] == 0
        failed = api.get(f"{path}/exports/{export_id}").json()["data"]
        assert (failed["status"], failed["url"]) == ("failed", None)
        assert made(api, path)["status"] == "ready"
    assert AuditEvent.objects.filter(action="patient.export_failed").count() == 1


def test_a_broker_that_is_away_delays_an_archive_and_loses_none(
    api: Client, path: str, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr("helios_site.bell.current_app.send_task", away)
        asked_for(api, path)
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert services.look_after_exports()["asked_for"] == 1


def test_the_three_newest_archives_of_a_patient_are_kept(api: Client, organization: Organization, path: str) -> None:
    other = make_export(make_patient(organization, "other"))
    all_of_them = [made(api, path)["id"] for _ in range(exports.MOST_READY + 1)]
    shown = [api.get(f"{path}/exports/{one}").status_code for one in all_of_them]
    assert shown == [404, 200, 200, 200]
    assert services.look_after_exports()["expired"] == 1
    assert PatientExport.objects.filter(id=other.id, expires_at__gt=timezone.now()).exists()


def runs_that_go(person: Person, **changes: Any) -> None:
    ModelRun.objects.filter(id=person.finished.id).update(**changes)


LONG_AGO = timezone.now() - timedelta(days=400)
RESULTS: dict[str, Any] = {"delete_data": True, "data_to_delete": ["RESULTS"], "completed_at": LONG_AGO}
CREATED: dict[str, Any] = {"status": "CREATED", "created_at": LONG_AGO} | dict.fromkeys(("run_at", "completed_at"))


@pytest.mark.parametrize("how", ["run", "document", "erased", "abandoned", "expired"])
def test_what_is_removed_leaves_with_the_archives_that_hold_it(
    api: Client, make_person: MakePerson, settings: Any, how: str
) -> None:
    person, other = make_person(), make_person("stranger")
    export, untouched = made(api, person.path), made(api, other.path)
    if how == "run":
        assert send(api, "DELETE", f"{RUNS}/{person.finished.id}").status_code == 200
    elif how == "document":
        assert send(api, "DELETE", f"{person.path}/documents/{person.kept.document.id}").status_code == 200
    elif how == "erased":
        runs_that_go(person, **RESULTS)
        assert housekeeping.erase_due_data() == 1
    elif how == "abandoned":
        runs_that_go(person, **CREATED)
        assert housekeeping.remove_leftovers()["abandoned_runs"] == 1
    else:
        settings.HELIOS_RECORDING_RETENTION_DAYS = 30
        runs_that_go(person, completed_at=LONG_AGO)
        assert housekeeping.remove_leftovers()["expired_recordings"] == 1
    assert api.get(f"{person.path}/exports/{export['id']}").json() == {"error": "Export not found"}
    assert download(export["url"]).status_code == 404
    assert services.look_after_exports()["expired"] == 1
    assert api.get(f"{other.path}/exports/{untouched['id']}").status_code == 200


def test_an_archive_that_may_hold_what_was_removed_meanwhile_is_made_once_more(
    api: Client, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()
    export_id = UUID(asked_for(api, person.path)["id"])

    def slow(patient: Patient, write: Any) -> None:
        write(b"read before")
        send(api, "DELETE", f"{person.path}/documents/{person.kept.document.id}")

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "write_person_archive", slow)
        assert not exporting.export_person(export_id=export_id)
    assert PatientExport.objects.get().status == "pending"
    assert exporting.export_person(export_id=export_id)


def test_runs_in_an_archive_are_read_by_who_may_read_runs_when_they_are_no_longer_linked(
    api: Client, make_person: MakePerson, make_key: MakeKey, path: str
) -> None:
    person = make_person("other")
    with_runs = f"{person.path}/exports/{made(api, person.path)['id']}"
    without = f"{path}/exports/{made(api, path)['id']}"
    ModelRun.objects.update(patient=None)
    client = with_key(make_key(scopes=SCOPES[:-1])[1])
    answer = client.get(with_runs)
    assert (answer.status_code, answer.json()) == (403, {"error": "Insufficient scope"})
    assert client.get(without).status_code == api.get(with_runs).status_code == 200

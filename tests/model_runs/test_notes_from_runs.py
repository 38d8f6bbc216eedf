"""A finished run of a linked patient leaves a session with a note in the patient's record, as long as it is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import closing
from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization, User
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.services.closing import _erase_some_runs
from apps.patients import services as patients
from apps.patients.models import Note, Patient, RecordCount, Session
from tests.budgets.test_helios_queries import AUDIT, TELL, shapes
from tests.contract.healos.notes import NOTES, make_patient
from tests.model_runs.conftest import FAILED, OK, MakeRun

pytestmark = pytest.mark.django_db

CONTENT = """\
Voice wellness check of a recording of 44.0 s, with 31.5 s of speech.
Quality of the recording: good.

Scores from 0 to 1, where higher is worse (more of it), in comparison with a reference group of women:
Mental strain: 0.40
Distress: 0.40

Warning: a warning

Words were found that may speak of self-harm. Please read the transcript.

The scores describe one moment. They are no diagnosis, and they replace no examination."""


@pytest.fixture(autouse=True)
def _wanted(settings: Any) -> None:
    settings.HEALOS_NOTES_FROM_RUNS = True


@pytest.fixture
def patient(organization: Organization) -> Patient:
    return make_patient(organization, consent=True)


def test_a_finished_run_is_a_session_with_one_note(
    api: Client, patient: Patient, make_finished: MakeRun, settings: Any
) -> None:
    settings.HEALOS_DAY_TIMEZONE = ZoneInfo("America/New_York")
    run = make_finished(patient_id=patient.pk, recording_time="2026-03-15T23:30:00")
    [item] = api.get(NOTES).json()["data"]
    assert (item["note_type"], item["patient_id"], item["template_id"]) == ("wellness_check", str(patient.pk), None)
    note = Note.objects.get()
    assert (note.created_by_id, note.session.model_run_id) == (None, run.id)
    data = api.get(f"{NOTES}/{note.pk}", {"include": "transcript"}).json()["data"]
    assert data["content"] == CONTENT
    assert data["transcript"] == {
        "text": OK.transcript,
        "summary": "",
        "title": "Voice wellness check",
        "status": "completed",
        "session_date": "2026-03-15",
        "start_time": "2026-03-16T03:30:00.000Z",
        "end_time": "2026-03-16T03:30:44.000Z",
    }
    event = AuditEvent.objects.get(action="note.created")
    assert (event.object_id, event.reason, event.actor_type) == (str(note.pk), f"model run {run.id}", "system")


@pytest.mark.parametrize("sent", [None, "9999-12-31T23:59", "0001-01-01T00:00:00.123456789"])
def test_without_a_time_that_can_be_true_it_ended_when_it_was_received(
    patient: Patient, make_finished: MakeRun, sent: str | None, settings: Any
) -> None:
    settings.HEALOS_DAY_TIMEZONE = ZoneInfo("Asia/Tokyo")
    run = make_finished(patient_id=patient.pk, recording_time=sent)
    session = Session.objects.get()
    assert run.run_at is not None
    assert session.end_time == run.run_at
    assert session.start_time == run.run_at - timedelta(seconds=44)


def test_the_organisation_decides_and_then_the_installation(
    patient: Patient, organization: Organization, make_finished: MakeRun, settings: Any
) -> None:
    made = []
    for own in (None, True, False):
        Organization.objects.filter(pk=organization.pk).update(notes_from_runs=own)
        for installation in (True, False):
            settings.HEALOS_NOTES_FROM_RUNS = installation
            run = make_finished(patient_id=patient.pk)
            made.append(Session.objects.filter(model_run_id=run.id).exists())
    assert made == [True, False, True, True, False, False]


def test_staff_who_may_change_organisations_change_it(admin: Client, organization: Organization, staff: User) -> None:
    page = f"/admin/accounts/organization/{organization.pk}/change/"
    for sent, kept in (("True", True), ("False", False), ("", None)):
        form = {"name": organization.name, "plan": "free", "notes_from_runs": sent}
        assert admin.post(page, form).status_code == 302
        organization.refresh_from_db()
        assert organization.notes_from_runs is kept
    assert AuditEvent.objects.filter(action="organization.changed", actor_id=str(staff.pk)).count() == 3


def test_there_is_none_without_patient_results_or_a_patient_who_is_there(
    patient: Patient, make_finished: MakeRun, make_running: MakeRun
) -> None:
    make_finished()
    make_finished(patient_id=patient.pk, analysis=FAILED)
    claims = [services.claim_run(run_id=make_running(patient_id=patient.pk).id) for _ in range(2)]
    of_patient: dict[str, Any] = {"actor": SYSTEM, "organization_id": patient.organization_id, "patient_id": patient.pk}
    patients.delete_patient(**of_patient)
    assert claims[0] is not None
    assert services.finish_run(claim=claims[0], analysis=OK)
    Patient.objects.get(pk=patient.pk).delete()
    assert claims[1] is not None
    assert services.finish_run(claim=claims[1], analysis=OK)
    assert not Session.objects.exists()
    assert not Note.objects.exists()


def test_finishing_twice_writes_one_note(patient: Patient, make_running: MakeRun) -> None:
    claim = services.claim_run(run_id=make_running(patient_id=patient.pk).id)
    assert claim is not None
    with CaptureQueriesContext(connection) as captured:
        assert services.finish_run(claim=claim, analysis=OK)
    assert not services.finish_run(claim=claim, analysis=replace(OK, transcript="Another."))
    assert (Session.objects.count(), Note.objects.count()) == (1, 1)
    assert shapes(captured) == [
        "UPDATE model_runs_modelrun", AUDIT, TELL, "SELECT patients_patient", "INSERT patients_session",
        "INSERT patients_note", AUDIT, "INSERT api_keys_usageday",
    ]  # fmt: skip


def test_deleting_the_run_removes_both(patient: Patient, make_finished: MakeRun) -> None:
    run, other = make_finished(patient_id=patient.pk), make_finished(patient_id=patient.pk)
    assert services.delete_run(actor=SYSTEM, organization_id=run.organization_id, run_id=run.id)
    assert [session.model_run_id for session in Session.objects.all()] == [other.id]
    assert Note.objects.count() == 1
    counts = RecordCount.objects.filter(organization_id=run.organization_id, kind="note").values_list("live", flat=True)
    assert sum(counts) == 1


@pytest.mark.parametrize(
    ("kinds", "left"),
    [((), 0), (("RESULTS",), 0), (("INPUTS",), 0), (("RECORDINGS",), 1), (("RECORDINGS", "INPUTS"), 0)],
)
def test_erasing_what_a_note_tells_erases_the_note(
    patient: Patient, make_finished: MakeRun, kinds: tuple[str, ...], left: int
) -> None:
    make_finished(patient_id=patient.pk, delete_data=True, data_to_delete=kinds)
    assert (Session.objects.count(), Note.objects.count()) == (1, 1)
    with time_machine.travel(timezone.now() + timedelta(hours=12, seconds=1)):
        assert services.erase_due_data() == 1
    assert (Session.objects.count(), Note.objects.count()) == (left, left)


def test_the_end_of_an_organisation_takes_them_with_its_runs(
    patient: Patient, organization: Organization, make_finished: MakeRun
) -> None:
    make_finished(patient_id=patient.pk)
    closing.close_organization(actor=SYSTEM, organization_id=organization.id, by="ada@example.org")
    assert _erase_some_runs(organization) == 1
    assert not ModelRun.objects.exists()
    assert not Session.objects.exists()
    assert not Note.objects.exists()


def test_a_run_that_is_deleted_while_it_ends_leaves_no_note(patient: Patient, make_running: MakeRun) -> None:
    run = make_running(patient_id=patient.pk)
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    services.delete_run(actor=SYSTEM, organization_id=run.organization_id, run_id=run.id)
    assert services.finish_run(claim=claim, analysis=OK) is False
    assert not Session.objects.exists()

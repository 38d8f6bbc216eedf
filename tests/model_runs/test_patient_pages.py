"""The pages that join a patient with its runs: the overview, the archive of everything, and erasure."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.patient_runs import exporting
from apps.patients.appointments import selectors as appointment_selectors
from apps.patients.models import Appointment, Patient, PatientExport
from tests.contract.healos.calls import content_of
from tests.model_runs.conftest import MakeRun
from tests.model_runs.people import MakePerson, anywhere, make_person, where
from tests.model_runs.results import RICH
from tests.model_runs.test_result_pages import make_story, on_record, text_of
from tests.patients.pages.test_appointments import book
from tests.patients.people import keep, make_export, make_patient
from tests.patients.test_patient_pages import sign_in

__all__ = ["make_person"]  # a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(organization: Organization) -> Client:
    return sign_in(organization)


def test_the_overview_shows_who_it_is_consent_history_and_the_last_runs(
    member: Client, organization: Organization, make_finished: MakeRun, make_running: MakeRun
) -> None:
    patient = keep(make_patient(organization)).patient
    Appointment.objects.update(start_at=timezone.now() + timedelta(days=3))
    run = make_story(make_finished, patient)
    make_finished(user_label="somebody else", analysis=RICH)
    waiting = make_running()
    ModelRun.objects.filter(id=waiting.id).update(patient=patient)
    answer = member.get(f"/patients/{patient.pk}")
    text, html = text_of(answer), answer.content.decode()
    for said in (
        "canary-name", f"Patient {patient.pk}", "canary-patient-external in your records", "canary-pronouns",
        "canary-email@example.net", "canary-phone", "1931-07-09", "canary-patient-notes", "canary-history",
        "Consent to voice checks: given", "1 appointment, 1 document, 1 note",
        "the latest reading", "is within what is usual for this person", "no diagnosis",
    ):  # fmt: skip
        assert said in text, said
    assert "none in the next" not in text
    assert html.count('class="band"') == 6
    assert len(re.findall(r"<th scope=\"row\">\d{4}-\d\d-\d\d", html)) == 7, "no reading of anybody else"
    assert html.count('href="/runs/') == 5, "the last ones"
    assert f'href="/runs/{run.id}"' in html
    assert f'href="/runs?patientId={patient.pk}"' in html
    assert f'data-run="{waiting.id}"' in html
    assert "run-status.js" in html
    assert "no-store" in answer["Cache-Control"]


def test_a_patient_without_readings_is_told_what_comes_next(member: Client, organization: Organization) -> None:
    patient = make_patient(organization, consent=False)
    answer = member.get(f"/patients/{patient.pk}")
    text, new_check = text_of(answer), f'href="/checks/new?patient={patient.pk}"'
    assert new_check not in answer.content.decode(), "it would be refused"
    assert "There is no reading yet. Note the person's consent first" in text
    assert "Consent to voice checks: not given" in text
    assert "No check is linked to this patient." in text
    assert "none in the next 90 days" in text
    member.post(f"/patients/{patient.pk}/consent", {"consent": "yes"})
    assert member.get(f"/patients/{patient.pk}").content.decode().count(new_check) == 2


def test_a_next_appointment_that_nobody_looked_for_is_not_denied(
    member: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = keep(make_patient(organization)).patient
    Appointment.objects.update(start_at=timezone.now() + timedelta(days=3))
    monkeypatch.setattr(appointment_selectors, "MOST_OCCURRENCES", 0)
    answer = member.get(f"/patients/{patient.pk}")
    text = text_of(answer)
    assert "Next appointment too many to tell: see the list" in text
    assert "none in the next" not in text


def test_the_next_appointment_is_by_the_clocks_of_the_organisation(member: Client, organization: Organization) -> None:
    patient, now = make_patient(organization), timezone.now()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    coming = noon if noon > now else noon + timedelta(days=1)
    rule = {"frequency": "DAILY", "interval": 1, "end_date": coming.date().isoformat()}
    book(patient, coming - timedelta(days=3), repeat_rule=rule)
    assert f"Next appointment {coming:%Y-%m-%d %H:%M}" in text_of(member.get(f"/patients/{patient.pk}"))
    Organization.objects.filter(pk=organization.pk).update(time_zone="Pacific/Kiritimati")  # there it is a day later
    assert "none in the next 90 days" in text_of(member.get(f"/patients/{patient.pk}"))


def test_who_notes_a_withdrawal_is_told_of_the_checks_that_go_on(
    member: Client, organization: Organization, make_run: MakeRun, make_running: MakeRun
) -> None:
    patient = make_patient(organization)
    open_run, late, _ = make_run(), make_run(), make_running()
    ModelRun.objects.update(patient=patient)
    make_run(user_label="somebody else")
    ModelRun.objects.filter(id=late.id).update(upload_expires_at=timezone.now())
    path, waits = f"/patients/{patient.pk}", "1 check that was begun before still waits for a recording"
    assert waits not in text_of(member.get(path)), "there is consent"
    member.post(f"{path}/consent", {"consent": "no"})
    answer = member.get(path)
    assert text_of(answer).count(waits) == 2, "in the message and on the page"
    listed = f"/runs?patientId={patient.pk}&status=CREATED"
    assert f'href="{listed}"' in answer.content.decode().replace("&amp;", "&")
    assert str(open_run.id) in member.get(listed).content.decode()
    member.post(f"/runs/{open_run.id}/delete")
    assert waits not in text_of(member.get(path))


def test_reads_are_on_the_record_as_the_api_s(member: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    assert on_record(member, f"/patients/{patient.pk}") == [
        "patient.read", "patient.model_runs_listed", "patient.wellness_read", "appointment.listed",
    ]  # fmt: skip
    assert on_record(member, "/patients") == ["patient.listed"]
    for ending in ("edit", "delete", "archives", "erase"):
        assert on_record(member, f"/patients/{patient.pk}/{ending}") == ["patient.read"], ending
    event = AuditEvent.objects.latest("id")
    assert (event.actor_type, event.object_id, event.reason) == ("user", str(patient.pk), "")


def test_the_overview_costs_the_same_however_much_there_is(
    member: Client, organization: Organization, make_finished: MakeRun
) -> None:
    patient = make_patient(organization)
    make_finished()
    ModelRun.objects.update(patient=patient)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert member.get(f"/patients/{patient.pk}").status_code == 200
        return len(captured.captured_queries)

    few = cost()
    keep(patient)
    make_story(make_finished, patient)
    assert cost() == few
    assert 10 < few <= 18


def test_an_archive_is_made_and_downloaded(member: Client, make_person: MakePerson) -> None:
    patient = make_person().kept.patient
    path = f"/patients/{patient.pk}/archives"
    assert "Make an archive" in text_of(member.get(path))
    assert member.post(path)["Location"] == path
    assert member.post(path)["Location"] == path, "one at a time"
    export = PatientExport.objects.get()
    pending = text_of(member.get(path))
    assert "being made" in pending
    assert "Make an" not in pending
    assert member.post(f"{path}/{export.id}").status_code == 404, "it is not there yet"
    assert exporting.export_person(export_id=export.id)
    assert "Make another archive" in text_of(member.get(path))
    onwards = member.post(f"{path}/{export.id}")
    assert onwards["Location"].startswith("/patient-export?of=")
    assert content_of(Client().get(onwards["Location"])).startswith(b"PK")
    verbs = AuditEvent.objects.filter(action__startswith="patient.export").order_by("id")
    assert list(verbs.values_list("action", "actor_type")) == [
        ("patient.export_requested", "user"), ("patient.export_requested", "user"), ("patient.exported", "system"),
        ("patient.export_read", "user"), ("patient.export_downloaded", "system"),
    ]  # fmt: skip
    assert member.post(f"{path}/{uuid4()}").status_code == 404


def test_an_archive_is_its_patient_s(
    member: Client, organization: Organization, other_organization: Organization
) -> None:
    export = make_export(make_patient(organization))
    other = make_patient(organization, "b")
    assert member.post(f"/patients/{other.pk}/archives/{export.id}").status_code == 404
    stranger = sign_in(other_organization, "admin")
    assert stranger.post(f"/patients/{export.patient_id}/archives/{export.id}").status_code == 404


def test_erasure_asks_why_and_who_and_leaves_nothing(
    member: Client, make_person: MakePerson, django_capture_on_commit_callbacks: object
) -> None:
    mark = uuid4().hex[:12]  # the storage holds what other tests left there
    person, other = make_person(mark), make_person("stranger")
    path = f"/patients/{person.kept.patient.pk}/erase"
    text = text_of(member.get(path))
    assert "This cannot be undone" in text
    assert "2 voice checks with recordings and results are erased" in text
    for typed, said in (
        ({}, "Choose why."),
        ({"reason": "curiosity", "typed": f"{mark}-name"}, "Choose why."),
        ({"reason": "test_data"}, "Type the patient's id or name."),
        ({"reason": "test_data", "typed": "stranger-name"}, "This is neither the patient's id nor the name."),
    ):
        answer = member.post(path, typed)
        assert answer.status_code == 400
        assert said in answer.content.decode().replace("&#x27;", "'"), said
    assert 'value="test_data" id="id_reason_3" required checked' in answer.content.decode(), "it stays chosen"
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        done = member.post(path, {"reason": "subject_request", "typed": f" {mark}-name "})
    assert (done.status_code, done["Location"]) == (302, "/patients")
    assert where(anywhere(mark)) == {}
    assert Patient.objects.get() == other.kept.patient
    event = AuditEvent.objects.get(action="patient.erased")
    assert (event.actor_type, event.object_id, event.reason) == (
        "user",
        str(person.kept.patient.pk),
        "subject_request",
    )
    assert member.post(path, {"reason": "subject_request", "typed": f"{mark}-name"}).status_code == 404


def test_a_deleted_patient_is_erased_too(member: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    Patient.objects.update(deleted_at=timezone.now())
    assert "No voice check is linked." in text_of(member.get(f"/patients/{patient.pk}/erase"))
    answer = member.post(f"/patients/{patient.pk}/erase", {"reason": "test_data", "typed": str(patient.pk)})
    assert answer.status_code == 302
    assert not Patient.objects.exists()


def test_the_menu_leads_to_the_patients(member: Client) -> None:
    html = member.get("/runs").content.decode()
    assert '<a href="/patients">Patients</a>' in html
    assert '<a href="/patients" aria-current="page">Patients</a>' in member.get("/patients").content.decode()


def test_a_run_leads_to_its_patient_while_it_is_there(
    member: Client, organization: Organization, make_finished: MakeRun
) -> None:
    patient, run = make_patient(organization), make_finished(analysis=RICH)
    ModelRun.objects.update(patient=patient)
    link = f'<a href="/patients/{patient.pk}">patient {patient.pk}</a>'
    assert link in member.get(f"/runs/{run.id}").content.decode()
    Patient.objects.update(deleted_at=timezone.now())
    html = member.get(f"/runs/{run.id}").content.decode()
    assert link not in html
    assert f'href="/runs?patientId={patient.pk}"' in html

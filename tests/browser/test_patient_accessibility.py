"""The pages of patients, measured by axe with a person who has everything, and with what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Membership, Organization
from apps.model_runs.models import ModelRun
from apps.patients.models import Appointment
from apps.patients.services import create_patient, delete_patient
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server
from tests.model_runs.conftest import MakeRun, make_finished, make_run, make_running
from tests.model_runs.test_result_pages import make_story
from tests.patients.people import keep, make_export, make_patient
from tests.patients.test_patient_pages import LONG, RTL

__all__ = ["make_finished", "make_run", "make_running"]  # fixtures

pytestmark = [pytest.mark.browser, RECORDINGS]


def test_no_page_of_patients_keeps_people_out(
    server: Server,
    organization: Organization,
    other_organization: Organization,
    make_finished: MakeRun,
    make_running: MakeRun,
    tmp_path: Path,
) -> None:
    person, beginner = make_person(), make_person("beginner@example.org")
    Membership.objects.create(organization=organization, user=person, role="member")
    Membership.objects.create(organization=other_organization, user=beginner, role="member")
    patient = keep(make_patient(organization)).patient
    Appointment.objects.update(start_at=timezone.now() + timedelta(days=3))
    make_story(make_finished, patient)
    waiting = make_running()
    ModelRun.objects.filter(id=waiting.id).update(patient=patient)
    make_export(patient)
    bare, long, gone = (
        create_patient(actor=SYSTEM, organization_id=organization.id, fields={"name": name, "external_id": name[:9]})
        for name in (RTL, LONG, "Gone")
    )
    delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=gone.pk)
    record = f"/patients/{patient.pk}"
    found: list[str] = []
    complaints: list[str] = []

    def act(visitor: Visitor) -> None:
        page, examiner = visitor.page, Examiner(visitor.page)
        sign_in(visitor, person.email, PASSWORD)
        for path in (
            "/patients", "/patients?search=nobody", "/patients/deleted", "/patients/new", record, f"{record}/edit",
            f"{record}/delete", f"{record}/archives", f"{record}/erase", f"/patients/{bare.pk}",
            f"/patients/{long.pk}", f"/patients/{gone.pk}/erase",
        ):  # fmt: skip
            examiner.open(path)
        for path in ("/patients", record):
            examiner.open(path, width=1440)
        assert page.get_by_role("img").count() == 6
        complaints.extend(visitor.complaints)

        page.goto(f"{record}/erase")
        visitor.click(page.get_by_role("button", name="Erase for good"))
        examiner.look("an erasure without a reason")
        page.goto("/patients/new")
        page.get_by_label("Your id").fill("Gone")
        visitor.click(page.get_by_role("button", name="Add patient"))
        examiner.look("a patient without a name")
        page.goto(f"{record}/edit")
        page.get_by_label("Name", exact=True).fill("Maria")
        page.get_by_label("Notes").fill("mine")
        page.evaluate("document.querySelector('[name=version]').value = 9")
        page.evaluate("document.querySelector('[name=seen]').value = ''")
        visitor.click(page.get_by_role("button", name="Save"))
        assert "Nothing was saved" in page.get_by_role("alert").inner_text()
        examiner.look("a stale change")
        visitor.click(page.get_by_role("button", name="Save"))
        assert page.get_by_role("heading", level=1).inner_text() == "Maria"
        visitor.click(page.get_by_role("button", name="Note that it was withdrawn"))
        assert page.get_by_role("heading", name="Consent to voice checks: withdrawn").is_visible()
        examiner.look("a patient who withdrew consent")
        found.extend(examiner.found)

    def begin(visitor: Visitor) -> None:
        examiner = Examiner(visitor.page)
        sign_in(visitor, beginner.email, PASSWORD)
        for path in ("/patients", "/patients/deleted"):
            examiner.open(path)
        found.extend(examiner.found)
        complaints.extend(visitor.complaints)

    for errand in (act, begin):
        visit(server, tmp_path, errand)
    assert found == [], "\n".join(found)
    assert complaints == []

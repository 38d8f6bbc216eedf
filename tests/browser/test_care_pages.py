"""A patient's appointments, documents and notes in a real browser: times of another zone, a check that is waited for,
and what axe finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Membership, Organization
from apps.patients.appointments import services
from apps.patients.documents.checking import check_due
from apps.patients.models import Appointment, Document
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server
from tests.contract.healos.documents import pdf
from tests.contract.healos.notes import make_note, make_patient, make_session
from tests.patients.people import keep
from tests.patients.people import make_patient as make_marked

pytestmark = [pytest.mark.browser, RECORDINGS]


def check() -> None:
    """What a worker does with documents, in a thread that may use the database."""

    def on_its_own() -> None:
        try:
            check_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(on_its_own).result()


def test_times_are_the_viewer_s_and_a_check_is_waited_for(
    server: Server, organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    record = f"/patients/{make_patient(organization).pk}"

    def act(visitor: Visitor) -> None:
        page = visitor.page
        sign_in(visitor, person.email, PASSWORD)
        visitor.goto(f"{record}/appointments/new")
        assert page.locator("#start_at-hint").inner_text() == "In Asia/Tokyo"
        page.get_by_label("Day and time").fill("2027-03-01T08:30")
        page.get_by_label("Length in minutes").fill("an hour")
        visitor.click(page.get_by_role("button", name="Make the appointment"))
        assert "whole minutes" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Day and time").input_value() == "2027-03-01T08:30"
        page.get_by_label("Length in minutes").fill("60")
        visitor.click(page.get_by_role("button", name="Make the appointment"))
        visitor.click(page.get_by_role("link", name="Later ones"))
        assert page.get_by_role("cell", name="2027-03-01 08:30").is_visible()
        visitor.click(page.get_by_role("link", name="Other"))
        assert page.get_by_label("Day and time").input_value() == "2027-03-01T08:30"
        visitor.click(page.get_by_role("button", name="Save"))

        visitor.goto(f"{record}/documents")
        locked = {"name": "locked.pdf", "mimeType": "application/pdf", "buffer": pdf(password="secret")}
        page.get_by_label("File").set_input_files(locked)  # type: ignore[arg-type]
        visitor.click(page.get_by_role("button", name="Upload"))
        assert page.get_by_text("Being checked").is_visible()
        assert page.get_by_role("link", name="Download locked.pdf").is_visible()
        check()
        page.get_by_text("Refused: The file is protected with a password. Send it without.", exact=True).wait_for()
        assert page.locator("[data-news]").inner_text().startswith("locked.pdf: Refused")
        assert page.get_by_role("link", name="Download locked.pdf").is_hidden()

    visitor = visit(server, tmp_path, act, zone="Asia/Tokyo")
    [refused] = visitor.complaints
    assert "status of 400" in refused, "of the length that was no number"
    assert Appointment.objects.get().start_at == datetime(2027, 2, 28, 23, 30, tzinfo=UTC)


def test_no_page_of_care_keeps_people_out(server: Server, organization: Organization, tmp_path: Path) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    kept = keep(make_marked(organization))
    patient, bare = kept.patient, make_patient(organization, "Ben " + "o" * 200)
    rule = {"frequency": "WEEKLY", "interval": 1, "end_date": None}
    Appointment.objects.update(start_at=timezone.now() + timedelta(hours=1), repeat_rule=rule)
    for status in Appointment.Status.values:
        made: Any = {
            "patient_id": patient.pk, "start_at": timezone.now() - timedelta(days=3), "status": status,
            "appointment_type": "o" * 255,
        }  # fmt: skip
        last = services.create_appointment(actor=SYSTEM, organization_id=organization.pk, fields=made)
    services.delete_appointment(actor=SYSTEM, organization_id=organization.pk, appointment_id=last.pk)
    for number, status in enumerate(Document.Status.values):
        Document.objects.create(
            organization=organization, patient=patient, filename="o" * 250 + ".pdf", file_type="pdf", file_size=1,
            sha256="0" * 64, storage_key=f"key-{number}", status=status,
            status_reason="Why." if status == "failed" else "",
            check_due_at=timezone.now() + timedelta(days=1) if status == "pending" else None,
            deleted_at=timezone.now() if status == "ready" else None,
        )  # fmt: skip
    make_note(make_session(patient, model_run_id=uuid4()), content="o" * 3000)
    record = f"/patients/{patient.pk}"
    found: list[str] = []
    complaints: list[str] = []

    def act(visitor: Visitor) -> None:
        page, examiner = visitor.page, Examiner(visitor.page)
        sign_in(visitor, person.email, PASSWORD)
        one = f"{record}/appointments/{kept.appointment.pk}"
        pages = [
            "/appointments", "/appointments?span=week", f"{record}/appointments", f"{record}/appointments/new", one,
            f"{record}/documents{AFTER_ALL}", f"{record}/notes", f"{record}/notes/{kept.note.pk}",
        ]  # fmt: skip
        for path in (
            *pages, "/appointments?day=2001-01-01", *(f"/patients/{bare.pk}/{part}" for part in PARTS),
        ):  # fmt: skip
            examiner.open(path)
        for path in (pages[1], one):
            examiner.open(path, width=1440)
        examiner.open(pages[1], width=320)
        complaints.extend(visitor.complaints)
        examiner.open(f"{record}/appointments/new")
        visitor.page.get_by_label("Kind of appointment").fill(" ")
        visitor.page.get_by_label("Day and time").fill("2027-03-01T08:30")
        visitor.page.get_by_label("Length in minutes").fill("0")
        visitor.click(page.get_by_role("button", name="Make the appointment"))
        assert page.title().startswith("Error: ")
        examiner.look("an appointment of no length")
        examiner.open(one)
        page.evaluate("document.querySelector('[name=version]').value = 9")
        visitor.click(page.get_by_role("button", name="Save"))
        assert "Somebody changed this appointment" in page.get_by_role("alert").inner_text()
        examiner.look("a stale appointment")
        page.goto(f"{record}/documents")
        text = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no document at all"}
        page.get_by_label("File").set_input_files(text)  # type: ignore[arg-type]
        visitor.click(page.get_by_role("button", name="Upload"))
        assert "Only PDF" in page.get_by_role("alert").inner_text()
        examiner.look("a document of a wrong kind")
        found.extend(examiner.found)

    visit(server, tmp_path, act)
    assert found == [], "\n".join(found)
    assert complaints == []


PARTS = ("appointments", "documents", "notes")
AFTER_ALL = f"?deleted=9999-12-31T00:00:00.000Z_{UUID(int=0)}"  # the further page of what was deleted

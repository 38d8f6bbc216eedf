"""A patient's appointments in the console: lists, the form, and what ends one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.patients.appointments import services
from apps.patients.models import Appointment, Patient
from apps.patients.pages.appointment_words import rule_words
from apps.patients.services import delete_patient
from tests.contract.healos.notes import make_patient
from tests.pages import page_text
from tests.patients.pages.reading import forms_of, recorded, text_of

pytestmark = pytest.mark.django_db
TODAY = datetime.combine(timezone.now().astimezone(UTC).date(), time(9), UTC)
FORM = {
    "appointment_type": "First visit", "visit_type": "In-Person", "start_at": "2027-03-01T14:30",
    "duration_minutes": "45", "status": "SCHEDULED", "frequency": "", "interval": "1", "end_date": "",
    "notes": "Brings\r\nher son", "zone": "Europe/Berlin",
}  # fmt: skip


def book(patient: Patient, start_at: datetime = TODAY, **fields: Any) -> Appointment:
    given = {"appointment_type": "Visit", "patient_id": patient.pk, "start_at": start_at} | fields
    return services.create_appointment(actor=SYSTEM, organization_id=patient.organization_id, fields=given)


def weekly(end_date: str | None = None, interval: int = 1) -> dict[str, Any]:
    return {"frequency": "WEEKLY", "interval": interval, "end_date": end_date}


def path_of(patient: Patient, *parts: object) -> str:
    return "/".join(map(str, (f"/patients/{patient.pk}/appointments", *parts)))


def test_the_list_unfolds_what_is_to_come_and_shows_what_was(member: Client, maria: Patient) -> None:
    book(maria, TODAY - timedelta(days=14), appointment_type="Group", repeat_rule=weekly())
    book(maria, TODAY + timedelta(days=2), appointment_type="Alone", status="CANCELLED", visit_type="Telehealth")
    book(maria, TODAY - timedelta(days=400), appointment_type="Long ago", status="NO_SHOW")
    book(maria, TODAY + timedelta(days=300), appointment_type="Far off")
    book(make_patient(maria.organization, "Ben"), appointment_type="Somebody else's")
    answer = member.get(path_of(maria))
    text = text_of(answer)
    coming, _, past = text.partition("Before today")
    assert coming.count("Group") == 8
    assert f"{TODAY.date()} 09:00 Group 50 min, other; every week Scheduled" in coming
    folded = coming.index("Cancelled, from today on")
    assert coming.rindex("Group") < folded < coming.index("Alone 50 min, telehealth Cancelled")
    assert coming.count("Alone") == 1
    assert past.index("Group") < past.index("Long ago 50 min, other Did not come")
    assert "Far off" not in text, "more than eight weeks ahead"
    assert "Somebody else's" not in text
    later = re.search(r'href="(\?after=[^"]+)"', answer.content.decode())
    assert later
    text = text_of(member.get(path_of(maria) + later[1]))
    assert text.count("Group") == 8
    assert "Before today" not in text
    assert recorded()[-2:] == [("appointment.listed", "", "user")] * 2


def test_the_list_leads_on_to_the_only_later_one(member: Client, maria: Patient) -> None:
    book(maria, TODAY + timedelta(days=300), appointment_type="Far off")
    answer = member.get(path_of(maria))
    assert "None in the next 8 weeks. Later ones" in text_of(answer)
    [later] = re.findall(r'href="(\?after=[^"]+)"', answer.content.decode())
    assert "Far off" in text_of(member.get(path_of(maria) + later))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (None, ""),
        ({"frequency": "DAILY", "interval": 1, "end_date": None}, "Every day"),
        ({"frequency": "MONTHLY", "interval": 3, "end_date": "2027-12-31"}, "Every 3 months until 2027-12-31"),
    ],
)
def test_rules_in_words(rule: Any, said: str) -> None:
    assert rule_words(rule) == said


def test_an_empty_list_says_what_to_do(member: Client, maria: Patient) -> None:
    assert "None. Make an appointment , or let your system send it" in text_of(member.get(path_of(maria)))


def test_two_hundred_cost_no_more_than_one_and_come_in_pages(member: Client, maria: Patient) -> None:
    book(maria)
    with CaptureQueriesContext(connection) as few:
        member.get(path_of(maria))
    Appointment.objects.bulk_create(
        Appointment(
            id=uuid4(), organization=maria.organization, patient=maria, appointment_type=f"Number {number}",
            visit_type="Other", start_at=TODAY + timedelta(hours=sign * number + sign * 24), duration_minutes=20,
            status="SCHEDULED",
        )
        for number in range(100) for sign in (1, -1)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        answer = member.get(path_of(maria))
    assert (len(few), len(many)) == (12, 11), "of a full page nobody asks what comes after it"
    html = answer.content.decode()
    assert (html.count("<tr>") - 2, len(html) < 80_000) == (100, True)
    seen = set(re.findall(r"Number \d+", html.partition("Before today")[2]))
    [earlier] = re.findall(r'href="(\?before=[^"]+)"', html)
    seen |= set(re.findall(r"Number \d+", text_of(member.get(path_of(maria) + earlier))))
    assert len(seen) == 100
    seen = set(re.findall(r"Number \d+", html.partition("Before today")[0]))
    for _ in range(3):
        [later] = re.findall(r'href="(\?after=[^"]+)"', html) or [""]
        html = member.get(path_of(maria) + later).content.decode()
        seen |= set(re.findall(r"Number \d+", html.partition("Before today")[0]))
    assert len(seen) == 100


def test_a_form_makes_an_appointment_in_the_zone_of_the_browser(member: Client, maria: Patient) -> None:
    page = member.get(path_of(maria, "new"))
    assert text_of(page).count("Not repeated") == 1
    assert 'name="duration_minutes" required inputmode="numeric" autocomplete="off" value="50"' in page.content.decode()
    answer = member.post(path_of(maria, "new"), {**FORM, "frequency": "WEEKLY", "interval": "2"})
    assert (answer.status_code, answer["Location"]) == (302, path_of(maria))
    made = Appointment.objects.get()
    assert (made.start_at, made.notes) == (datetime(2027, 3, 1, 13, 30, tzinfo=UTC), "Brings\nher son")
    assert (made.patient_id, made.duration_minutes, made.repeat_rule) == (maria.pk, 45, weekly(interval=2))
    assert recorded() == [("appointment.created", str(made.pk), "user")]


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("appointment_type", " ", "Name the kind of appointment"),
        ("appointment_type", "x" * 256, "at most 255 characters"),
        ("visit_type", "By post", "Choose how you meet"),
        ("start_at", "tomorrow", "Enter a date and a time"),
        ("zone", "Mars/Base", "time zone of your browser"),
        ("duration_minutes", "an hour", "whole minutes"),
        ("duration_minutes", "0", "whole minutes"),
        ("status", "LOST", "Choose a status"),
        ("notes", "a\0b", "Shorten the notes"),
        ("frequency", "HOURLY", "how often"),
        ("interval", "0", "whole number, at least 1"),
        ("end_date", "2027-02-30", "Enter the last day"),
        ("end_date", "2027-02-27", "must not be before the appointment"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    member: Client, maria: Patient, name: str, typed: str, said: str
) -> None:
    answer = member.post(path_of(maria, "new"), {**FORM, "frequency": "WEEKLY", name: typed})
    text, html = text_of(answer, 400), answer.content.decode()
    field = "start_at" if name == "zone" else name
    assert text.count(said) == 2, "in the box, and at the field"
    assert re.search(rf'<p class="field-error" id="{field}-error">', html)
    assert re.search(rf'<(?:input|select|textarea)[^>]* name="{field}"[^>]*aria-invalid="true"', html)
    assert "Error: Maria Santos" in html
    assert 'value="First visit"' in html or field == "appointment_type"
    assert not Appointment.objects.exists()


def test_a_change_says_what_is_kept_and_keeps_what_was_not_changed(member: Client, maria: Patient) -> None:
    start = datetime(2026, 10, 25, 1, 30, 30, tzinfo=UTC)  # clocks in Berlin show 02:30 for the second time
    kept = book(maria, start, notes="Old", external_id="ours-7")
    page = path_of(maria, kept.pk)
    text = text_of(member.get(page))
    assert "2026-10-25 01:30 for 50 min, Visit, other, scheduled. ours-7 in your records" in text
    assert recorded()[-1] == ("appointment.read", str(kept.pk), "user")
    form = {**FORM, "start_at": "2026-10-25T02:30", "notes": "New", "version": str(kept.version)}
    assert member.post(page, form)["Location"] == path_of(maria)
    kept.refresh_from_db()
    assert (kept.start_at, kept.notes, kept.appointment_type) == (start, "New", "First visit")
    assert recorded()[-1] == ("appointment.changed", str(kept.pk), "user")
    wrong = member.post(page, {**form, "version": str(kept.version), "start_at": ""})
    assert "Enter a date and a time" in text_of(wrong, 400)


def test_who_saves_a_series_is_told_that_it_is_all_of_it(member: Client, maria: Patient) -> None:
    alone, series = book(maria), book(maria, repeat_rule=weekly())
    said = "What you save, the status too, goes for all its dates, past ones as well."
    assert said not in text_of(member.get(path_of(maria, alone.pk)))
    assert re.search(f"{said}.* Save all its dates", text_of(member.get(path_of(maria, series.pk))))


def test_a_series_keeps_its_time_by_the_clocks_of_its_organisation(member: Client, maria: Patient) -> None:
    Organization.objects.filter(pk=maria.organization_id).update(time_zone="America/New_York")
    at_nine = datetime(2027, 3, 10, 14, tzinfo=UTC)
    kept = book(maria, at_nine, appointment_type="Group", repeat_rule=weekly())
    answer = member.get(f"{path_of(maria)}?after=2027-03-10T00:00:00.000Z_{UUID(int=0)}")
    text = text_of(answer)
    assert "2027-03-10 14:00 Group" in text
    assert "2027-03-17 13:00 Group" in text, "clocks went forward there on the 14th, and it is still 09:00"
    assert "by the clocks of America/New_York" in text
    assert "by the clocks of America/New_York" in text_of(member.get(path_of(maria, kept.pk)))


def test_the_ends_of_the_calendar_break_no_page(member: Client, maria: Patient, settings: Any) -> None:
    settings.HEALOS_DAY_TIMEZONE = ZoneInfo("Asia/Tokyo")
    last = book(maria, datetime(9999, 12, 31, 23, tzinfo=UTC), appointment_type="Last", repeat_rule=weekly())
    book(maria, datetime(1, 1, 1, tzinfo=UTC), appointment_type="First")
    answer = member.get(path_of(maria))
    assert "First" in text_of(answer)
    [later] = re.findall(r'href="(\?after=[^"]+)"', answer.content.decode())
    assert "Last" in text_of(member.get(path_of(maria) + later))
    assert "Last" in text_of(member.get("/appointments?day=9999-12-31"))
    form = {**FORM, "zone": "Asia/Tokyo", "version": "1"}
    assert member.post(path_of(maria, last.pk), form).status_code == 302
    last.refresh_from_db()
    assert last.start_at == datetime(2027, 3, 1, 5, 30, tzinfo=UTC)


def test_a_stale_form_is_refused_and_loses_nothing(member: Client, maria: Patient) -> None:
    kept = book(maria)
    services.change_appointment(
        actor=SYSTEM, organization_id=maria.organization_id, appointment_id=kept.pk, changes={"notes": "Theirs"}
    )
    form = {**FORM, "notes": "Mine", "version": str(kept.version)}
    answer = member.post(path_of(maria, kept.pk), form)
    text, html = text_of(answer, 409), answer.content.decode()
    assert "Somebody changed this appointment" in text
    assert "Theirs" in text
    assert ">\nMine</textarea>" in html
    kept.refresh_from_db()
    assert (kept.notes, f'name="version" value="{kept.version}"' in html) == ("Theirs", True)
    assert member.post(path_of(maria, kept.pk), {**form, "version": str(kept.version)}).status_code == 302
    kept.refresh_from_db()
    assert kept.notes == "Mine"


def test_an_appointment_is_cancelled_deleted_and_restored(member: Client, maria: Patient) -> None:
    kept = book(maria, TODAY + timedelta(days=1))
    page = path_of(maria, kept.pk)
    cancel, delete = forms_of(member.get(page))
    for form in (cancel, delete):
        answer = member.post(form, {"version": "7"}, follow=True)
        assert "Nothing was done: somebody changed this appointment meanwhile" in text_of(answer)
        assert answer.request["PATH_INFO"] == page
    assert "Cancelled: the appointment stays" in text_of(member.post(cancel, {"version": "1"}, follow=True))
    kept.refresh_from_db()
    assert (kept.status, forms_of(member.get(page))) == ("CANCELLED", [delete])
    listed = member.post(delete, {"version": "2"}, follow=True)
    assert "Deleted in the last 30 days" in text_of(listed)
    assert member.get(page).status_code == 404
    [restore] = forms_of(listed)
    assert "Restored. " in text_of(member.post(restore, follow=True))
    assert member.get(page).status_code == 200
    assert member.post(restore).status_code == 404, "there is nothing to restore any more"
    writes = [action for action, _, _ in recorded() if action.partition(".")[2] not in ("read", "listed", "created")]
    assert writes == ["appointment.changed", "appointment.deleted", "appointment.restored"]


def test_the_twenty_first_deleted_one_can_be_restored(member: Client, maria: Patient) -> None:
    Appointment.objects.bulk_create(
        Appointment(
            organization=maria.organization, patient=maria, appointment_type=f"Number {number}", visit_type="Other",
            start_at=TODAY, duration_minutes=20, status="SCHEDULED", deleted_at=TODAY - timedelta(days=number),
        )
        for number in range(21)
    )  # fmt: skip
    html = member.get(path_of(maria)).content.decode()
    assert (html.count("/restore"), "Number 20" in html) == (20, False)
    [onward] = re.findall(r'href="(\?deleted=[^"]+)#deleted" rel="next"', html)
    further = member.get(path_of(maria) + onward)
    assert "Restore Number 20 Last deleted" in text_of(further)
    [restore] = forms_of(further)
    assert "Restored. " in text_of(member.post(restore, follow=True))
    assert "No further ones." in text_of(member.get(path_of(maria) + onward)), "the page may still be open somewhere"


def test_what_has_the_id_meanwhile_is_in_the_way_of_a_restore(member: Client, maria: Patient) -> None:
    kept = book(maria, external_id="ours-7")
    member.post(path_of(maria, kept.pk, "delete"), {"version": "1"})
    book(maria, external_id="ours-7")
    said = text_of(member.post(path_of(maria, kept.pk, "restore"), follow=True))
    assert "Not restored: another appointment has its id" in said


def test_of_others_there_is_nothing(member: Client, stranger: Client, maria: Patient) -> None:
    kept, ben = book(maria), make_patient(maria.organization, "Ben")
    paths = [path_of(maria), path_of(maria, "new"), path_of(maria, kept.pk)]
    unknown = stranger.get(f"/patients/1/appointments/{uuid4()}")
    for path in paths:
        assert member.get(path).status_code == 200
        assert (stranger.get(path).status_code, page_text(stranger.get(path))) == (404, page_text(unknown))
        assert Client().get(path).status_code == 302
    for verb in ("cancel", "delete", "restore"):
        assert stranger.post(path_of(maria, kept.pk, verb), {"version": "1"}).status_code == 404
        assert member.post(path_of(ben, kept.pk, verb), {"version": "1"}).status_code == 404
    assert stranger.post(path_of(maria, "new"), FORM).status_code == 404
    assert stranger.post(path_of(maria, kept.pk), FORM).status_code == 404
    assert member.get(path_of(ben, kept.pk)).status_code == 404
    assert member.get(f"/patients/{10**30}/appointments").status_code == 404
    for wrong in ("?after=x", "?before=2026-01-01T00:00:00.000Z_x", "?after=2026-01-01T00:00:00.000Z"):
        assert member.get(path_of(maria) + wrong).status_code == 404
    kept.refresh_from_db()
    assert (kept.version, kept.deleted_at, Appointment.objects.count()) == (1, None, 1)
    delete_patient(actor=SYSTEM, organization_id=maria.organization_id, patient_id=maria.pk)
    assert [member.get(path).status_code for path in paths] == [404] * 3

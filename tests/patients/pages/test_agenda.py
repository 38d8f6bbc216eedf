"""The appointments of a whole organisation, by day and by week."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization
from apps.patients.appointments import selectors
from apps.patients.models import Appointment, Patient
from tests.contract.healos.notes import make_patient
from tests.patients.pages.reading import recorded, text_of
from tests.patients.pages.test_appointments import TODAY, book, weekly

pytestmark = pytest.mark.django_db
TUESDAY = datetime(2027, 3, 2, 9, tzinfo=UTC)


def test_a_day_shows_whom_the_organisation_sees(
    member: Client, maria: Patient, other_organization: Organization
) -> None:
    ben = make_patient(maria.organization, "Ben")
    book(ben, TUESDAY - timedelta(days=70), appointment_type="Group", repeat_rule=weekly())
    book(maria, TUESDAY - timedelta(hours=1), appointment_type="First")
    book(maria, TUESDAY + timedelta(days=1), appointment_type="Tomorrow")
    book(make_patient(other_organization), TUESDAY, appointment_type="Elsewhere")
    answer = member.get("/appointments?day=2027-03-02")
    text = text_of(answer)
    assert "Tuesday 2027-03-02, 2 in all" in text
    assert text.index("2027-03-02 08:00 Maria Santos First") < text.index("2027-03-02 09:00 Ben Group 50 min, other;")
    assert ("Tomorrow" in text, "Elsewhere" in text) == (False, False)
    html = answer.content.decode()
    assert f'href="/patients/{ben.pk}/appointments"' in html
    assert 'href="/appointments?day=2027-03-01&amp;span=day" rel="prev"' in html
    assert 'href="/appointments?day=2027-03-03&amp;span=day" rel="next"' in html
    assert recorded()[-1] == ("appointment.listed", "", "user")


def test_a_week_begins_on_monday_and_its_days_are_the_installation_s(
    member: Client, maria: Patient, settings: Any
) -> None:
    settings.HEALOS_DAY_TIMEZONE = ZoneInfo("Europe/Berlin")
    book(maria, datetime(2027, 2, 28, 23, 30, tzinfo=UTC), appointment_type="Monday's")
    book(maria, datetime(2027, 3, 7, 22, 59, tzinfo=UTC), appointment_type="Sunday's")
    book(maria, datetime(2027, 3, 7, 23, tzinfo=UTC), appointment_type="Next week's")
    text = text_of(member.get("/appointments?day=2027-03-04&span=week"))
    assert "Monday 2027-03-01 to Sunday 2027-03-07, 2 in all" in text
    days = re.split(r"(?=(?:Mon|Sun)day 2027-03-0\d Appointments)", text)
    assert [("Monday's" in day, "Sunday's" in day) for day in days[1:]] == [(True, False), (False, True)]
    assert "by the clocks of Europe/Berlin" in text


def test_the_days_are_those_of_an_organisation_that_chose_its_clocks(member: Client, maria: Patient) -> None:
    Organization.objects.filter(pk=maria.organization_id).update(time_zone="America/New_York")
    book(maria, datetime(2027, 3, 5, 1, 30, tzinfo=UTC), appointment_type="Evening")
    text = text_of(member.get("/appointments?day=2027-03-04&span=week"))
    assert "Thursday 2027-03-04 Appointments of the day" in text
    assert "by the clocks of America/New_York" in text
    assert "Evening" in text_of(member.get("/appointments?day=2027-03-04"))
    assert "Evening" not in text_of(member.get("/appointments?day=2027-03-05"))


def test_without_a_day_it_is_today_and_says_what_to_do_where_there_is_nothing(member: Client, maria: Patient) -> None:
    assert "There is no appointment on this day. Make one on the page of a patient" in text_of(
        member.get("/appointments")
    )
    book(maria, appointment_type="Now")
    text = text_of(member.get("/appointments"))
    assert "Now" in text
    assert "Today" not in text
    assert "Today" in text_of(member.get("/appointments?day=2027-03-02"))
    assert 'href="/appointments" aria-current="page"' in member.get("/appointments").content.decode()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar(member: Client, organization: Organization, day: str) -> None:
    for span in ("day", "week"):
        assert "There is no appointment" in text_of(member.get(f"/appointments?day={day}&span={span}"))


def test_no_day_and_too_many_are_said(member: Client, maria: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = member.get("/appointments?day=2027-02-30")
    assert "Enter the day as a date" in text_of(answer, 400)
    assert 'value="2027-02-30" aria-invalid="true"' in answer.content.decode()
    monkeypatch.setattr(selectors, "MOST_OCCURRENCES", 3)
    for _ in range(4):
        book(maria)
    assert "Choose a single day" in text_of(member.get("/appointments?span=week"), 400)
    assert "These are too many to show" in text_of(member.get(f"/patients/{maria.pk}/appointments"))


def test_two_hundred_cost_no_more_than_one_and_come_in_pages(member: Client, maria: Patient) -> None:
    book(maria)
    with CaptureQueriesContext(connection) as few:
        member.get("/appointments")
    Appointment.objects.bulk_create(
        Appointment(
            organization=maria.organization, patient=maria, appointment_type=f"Number {number}", visit_type="Other",
            start_at=TODAY + timedelta(minutes=number), duration_minutes=20, status="SCHEDULED",
        )
        for number in range(200)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        html = member.get("/appointments").content.decode()
    assert len(many) == len(few) == 7
    pages = 1
    while found := re.findall(r'href="([^"]+page=\d)" rel="next"', html[-3000:]):
        html += member.get(found[0].replace("&amp;", "&")).content.decode()
        pages += 1
    assert (pages, len(set(re.findall(r"Number \d+", html)))) == (5, 200)
    assert "Number 199" in text_of(member.get("/appointments?page=99"))


def test_it_is_for_members(stranger: Client, maria: Patient) -> None:
    book(maria, appointment_type="Ours")
    assert "Ours" not in text_of(stranger.get("/appointments"))
    assert Client().get("/appointments").status_code == 302

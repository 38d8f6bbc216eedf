"""The list of appointments: its filters, its order, and the occurrences of repeated ones."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.patients.appointments import selectors
from apps.patients.appointments.recurrence import MOST_OCCURRENCES
from tests.contract.healos import patients
from tests.contract.healos.appointments import APPOINTMENTS, book, details
from tests.contract.healos.calls import send

pytestmark = pytest.mark.django_db


def ask(client: Client, **query: object) -> Any:
    return client.get(f"{APPOINTMENTS}?{urlencode(query)}")


def starts(client: Client, **query: object) -> list[str]:
    """When the listed ones take place, to the minute."""
    answer = ask(client, **query)
    assert answer.status_code == 200, answer.content
    return [one["start_at"][:16] for one in answer.json()["data"]]


@pytest.fixture
def patient_id(api: Client) -> str:
    return str(patients.create(api)["id"])


@pytest.fixture
def april(api: Client, patient_id: str) -> list[str]:
    """Appointments at the edges of days."""
    moments = ["2026-03-31T23:59", "2026-04-01T00:00", "2026-04-15T00:00", "2026-04-15T23:59", "2026-04-30T23:59",
               "2026-05-01T00:00"]  # fmt: skip
    for moment in reversed(moments):
        end = ":59.999Z" if moment.endswith("59") else ":00.000Z"
        book(api, patient_id=patient_id, start_at=moment + end)
    return moments


def test_healos_73_days_are_inclusive_and_date_wins(api: Client, april: list[str]) -> None:
    assert starts(api) == april
    assert starts(api, date="2026-04-15") == april[2:4]
    assert starts(api, start_date="2026-04-01", end_date="2026-04-30") == april[1:5]
    assert starts(api, start_date="2026-04-15") == april[2:]
    assert starts(api, end_date="2026-04-15") == april[:4]
    assert starts(api, date="2026-04-01", start_date="2026-04-15", end_date="2026-04-30") == april[1:2]
    assert starts(api, start_date="2026-05-01", end_date="2026-04-01") == []
    assert starts(api, start_date="0001-01-01", end_date="9999-12-31") == april
    assert ask(api, date="2026-04-15", limit=1).json()["meta"] == {"page": 1, "limit": 1, "total_pages": 2}


@pytest.mark.parametrize("name", ["date", "start_date", "end_date"])
@pytest.mark.parametrize("value", ["2026-02-30", "tomorrow", "", "2026-4-1", "2026-04-15T14:00:00Z"])
def test_healos_73_a_bad_date_is_named(api: Client, name: str, value: str) -> None:
    assert details(ask(api, **{"date": "2026-04-15", name: value})) == {name: ["Invalid date"]}


def test_days_are_those_of_the_zone_that_is_set(api: Client, april: list[str], settings: Any) -> None:
    settings.HEALOS_DAY_TIMEZONE = ZoneInfo("Europe/London")  # an hour ahead in April
    assert starts(api, date="2026-04-01") == april[:2]
    assert starts(api, end_date="9999-12-31", start_date="0001-01-01") == april


def test_filters_narrow_and_what_they_do_not_know_is_named(api: Client, other_api: Client, patient_id: str) -> None:
    first = book(api, patient_id=patient_id, status="CANCELLED", visit_type="Both", external_id="A%")
    second = book(api, start_at="2026-04-16T00:00:00Z", external_id="A1")
    book(other_api, external_id="THEIRS")
    for query, expected in [
        ({"patient_id": patient_id}, [first]),
        ({"patient_id": patient_id, "status": "SCHEDULED"}, []),
        ({"status": "CANCELLED"}, [first]),
        ({"visit_type": "Both"}, [first]),
        ({"external_id": "A%"}, [first]),
        ({"external_id": "A"}, []),
        ({"external_id": "THEIRS"}, []),
        ({"patient_id": "abc"}, []),
        ({"patient_id": "9" * 30}, []),
        ({"unknown": "x"}, [first, second]),
    ]:  # fmt: skip
        answer = ask(api, **query).json()
        assert answer["data"] == expected, query
        assert answer["meta"]["total_pages"] == (1 if expected else 0)
    assert list(details(ask(api, status="DONE", visit_type="both", external_id="", sort="name", expand="yes"))) == [
        "external_id", "status", "visit_type", "sort", "expand",
    ]  # fmt: skip
    for name in ("patient_id", "external_id"):
        assert list(details(ask(api, **{name: "a\x00"}))) == [name]


def test_order_is_by_start_and_id_and_can_be_another(api: Client, patient_id: str) -> None:
    made = [
        book(api, patient_id=patient_id, start_at=f"2026-04-{day}T00:00:00Z")["id"] for day in (17, 15, 16, 15, 15, 16)
    ]
    days = dict(zip(made, (17, 15, 16, 15, 15, 16), strict=True))
    expected = sorted(made, key=lambda one: (days[one], one))

    def pages(**query: object) -> list[str]:
        found = [ask(api, limit=2, page=page, **query).json() for page in (1, 2, 3, 4)]
        assert [one["meta"]["total_pages"] for one in found] == [3] * 4
        return [row["id"] for one in found for row in one["data"]]

    assert pages() == pages(sort="start_at") == expected
    assert pages(sort="-start_at") == expected[::-1]
    assert pages(sort="created_at") == pages(sort="-created_at")[::-1] == made
    unfold = {"expand": "true", "start_date": "2026-04-01", "end_date": "2026-04-30"}
    assert pages(**unfold) == expected
    assert pages(sort="-start_at", **unfold) == expected[::-1]
    assert pages(sort="created_at", **unfold) == made


@pytest.fixture
def repeated(api: Client, patient_id: str) -> dict[str, Any]:
    """One that is repeated each Friday at nine in London, beside others."""
    book(api, patient_id=patient_id, start_at="2026-03-27T12:00:00Z", notes="once")
    book(api, patient_id=patient_id, start_at="2027-03-27T12:00:00Z", notes="another year")
    ended = {"frequency": "DAILY", "end_date": "2026-03-14"}
    book(api, patient_id=patient_id, start_at="2026-03-01T12:00:00Z", repeat_rule=ended)
    return book(
        api,
        patient_id=patient_id,
        start_at="2026-03-20T09:00:00.250Z",
        repeat_rule={"frequency": "WEEKLY", "end_date": "2026-04-10"},
        status="CANCELLED",
    )


SPRING = {"expand": "true", "start_date": "2026-03-15", "end_date": "2026-04-30"}


def test_occurrences_are_the_appointment_with_its_own_start(api: Client, repeated: dict[str, Any]) -> None:
    answer = ask(api, tz="Europe/London", **SPRING).json()
    friday = [one for one in answer["data"] if one["id"] == repeated["id"]]
    assert friday == [
        repeated | {"start_at": at}
        for at in ("2026-03-20T09:00:00.250Z", "2026-03-27T09:00:00.250Z", "2026-04-03T08:00:00.250Z",
                   "2026-04-10T08:00:00.250Z")
    ]  # fmt: skip
    assert answer["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    assert starts(api, tz="Europe/London", **SPRING) == [
        "2026-03-20T09:00", "2026-03-27T09:00", "2026-03-27T12:00", "2026-04-03T08:00", "2026-04-10T08:00",
    ]  # fmt: skip
    assert starts(api, **SPRING)[-1] == "2026-04-10T09:00", "in UTC the clocks stand still"
    assert starts(api, **SPRING | {"expand": "false"}) == ["2026-03-20T09:00", "2026-03-27T12:00"], "one row"


def test_occurrences_are_filtered_and_paged_as_a_list(api: Client, repeated: dict[str, Any]) -> None:
    every = starts(api, **SPRING)
    pages = [ask(api, limit=2, page=page, **SPRING).json() for page in (1, 2, 3, 4)]
    assert [one["start_at"][:16] for page in pages for one in page["data"]] == every
    assert [page["meta"]["total_pages"] for page in pages] == [3] * 4
    assert starts(api, status="SCHEDULED", **SPRING) == ["2026-03-27T12:00"]
    assert starts(api, status="CANCELLED", date="2026-04-03", expand="true") == ["2026-04-03T09:00"]
    assert starts(api, **SPRING | {"start_date": "2026-05-01"}) == []
    assert starts(api, **SPRING | {"start_date": "2026-04-04"}) == ["2026-04-10T09:00"]
    assert send(api, "DELETE", f"{APPOINTMENTS}/{repeated['id']}").status_code == 200
    assert starts(api, **SPRING) == ["2026-03-27T12:00"]


def test_days_of_occurrences_are_those_of_the_zone_that_is_asked_for(api: Client, patient_id: str) -> None:
    book(api, patient_id=patient_id, start_at="2026-04-14T23:30:00Z", repeat_rule={"frequency": "DAILY"})
    assert starts(api, expand="true", date="2026-04-15", tz="Asia/Tokyo") == ["2026-04-14T23:30"]
    assert starts(api, expand="true", date="2026-04-15") == ["2026-04-15T23:30"]


def test_what_cannot_be_unfolded_is_named(api: Client) -> None:
    needed = ["Required with expand=true"]
    assert details(ask(api, expand="true")) == {"start_date": needed, "end_date": needed}
    assert details(ask(api, expand="true", start_date="2026-01-01")) == {"end_date": needed}
    days = {"expand": "true", "start_date": "2026-01-01"}
    assert ask(api, **days, end_date="2027-01-02").status_code == 200
    assert list(details(ask(api, **days, end_date="2027-01-03"))) == ["end_date"]
    for zone in ("Europe/Nowhere", "", "../../etc/passwd", "/etc/localtime", "europe/london", "a\x00", "Europe"):
        assert list(details(ask(api, **days, end_date="2026-01-02", tz=zone))) == ["tz"], zone


def test_more_occurrences_than_can_be_shown_ask_for_fewer_days(
    api: Client, patient_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_OCCURRENCES == 10_000
    monkeypatch.setattr(selectors, "MOST_OCCURRENCES", 40)
    for _ in range(2):
        book(api, patient_id=patient_id, start_at="2026-01-01T00:00:00Z", repeat_rule={"frequency": "DAILY"})
    days = {"expand": "true", "start_date": "2026-06-01"}
    assert len(starts(api, **days, end_date="2026-06-20", limit=100)) == 40
    assert details(ask(api, **days, end_date="2026-06-21")) == {
        "expand": ["More than 10000 occurrences. Narrow start_date and end_date"]
    }


def test_the_ends_of_the_calendar_are_no_trap(api: Client, patient_id: str) -> None:
    for start in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"):
        book(api, patient_id=patient_id, start_at=start, repeat_rule={"frequency": "DAILY"})
    for zone in ("UTC", "America/New_York", "Pacific/Kiritimati"):
        for day in ("0001-01-01", "9999-12-31"):
            assert ask(api, expand="true", date=day, tz=zone).status_code == 200
    assert starts(api, date="0001-01-01") == ["0001-01-01T00:00"]
    assert starts(api, date="9999-12-31", expand="true") == ["9999-12-31T00:00", "9999-12-31T23:59"]

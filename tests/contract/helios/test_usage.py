"""`GET /v1/usage`."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey, UsageDay
from apps.api_keys.usage.services import write_requests
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.helios.calls import assert_invalid
from tests.contract.helios.conftest import FAILED, finish, start

USAGE = "/v1/usage"
FREE = {"plan": "free", "heliosPerMinute": 600, "healosPerMinute": 100, "pollPerMinute": 120}


@pytest.fixture
def reader(make_key: MakeKey) -> Client:
    return Client(headers={"x-api-key": make_key(name="reader", scopes=["usage:read"])[1]})


def used(organization: Organization, key: ApiKey | None, *days: str, **counts: int) -> None:
    for day in days:
        UsageDay.objects.create(organization=organization, key=key, day=day, **counts)


def days_of(client: Client, query: str = "") -> list[str]:
    answer = client.get(USAGE + query)
    assert answer.status_code == 200, answer.content
    return [item["day"] for item in answer.json()["items"]]


def test_requests_and_runs_of_today_by_key_with_the_limits_of_the_plan(make_key: MakeKey) -> None:
    key, raw_key = make_key()
    client = Client(headers={"x-api-key": raw_key})
    with time_machine.travel("2026-03-15T12:00:00Z", tick=False):
        finish(start(client))
        finish(start(client), FAILED)
        client.get("/v1/nothing-like-it")  # reaches no view, so no key
        client.get("/v1/models/not-an-id")
        write_requests()
        answer = client.get(USAGE)
    assert answer.json() == {
        "items": [
            {
                "day": "2026-03-15",
                "keyPrefix": key.key_prefix,
                "requests": {"2xx": 2, "4xx": 1, "429": 0, "5xx": 0},
                "runs": {"completeOk": 1, "completeError": 1},
            }
        ],
        "limits": FREE,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_newest_day_comes_first_and_runs_of_members_have_no_key(
    reader: Client, make_key: MakeKey, organization: Organization
) -> None:
    one, other = sorted((make_key()[0], make_key()[0]), key=lambda key: key.key_prefix)
    used(organization, other, "2026-03-14", "2026-03-15", requests_429=7)
    used(organization, one, "2026-03-15", requests_5xx=3)
    used(organization, None, "2026-03-15", runs_ok=2)
    items = reader.get(f"{USAGE}?from=2026-03-01&to=2026-03-31").json()["items"]
    assert [(item["day"], item["keyPrefix"]) for item in items] == [
        ("2026-03-15", one.key_prefix),
        ("2026-03-15", other.key_prefix),
        ("2026-03-15", None),
        ("2026-03-14", other.key_prefix),
    ]
    assert items[0]["requests"] == {"2xx": 0, "4xx": 0, "429": 0, "5xx": 3}
    assert items[2]["runs"] == {"completeOk": 2, "completeError": 0}


def test_another_organisations_usage_is_not_there(
    reader: Client, make_key: MakeKey, other_organization: Organization
) -> None:
    foreign, _ = make_key(organization=other_organization)
    used(other_organization, foreign, "2026-03-15", requests_2xx=1)
    used(other_organization, None, "2026-03-15", runs_ok=1)
    assert days_of(reader, "?from=2026-03-15&to=2026-03-15") == []


@time_machine.travel("2026-03-31T23:00:00Z", tick=False)
def test_both_days_are_included_and_the_last_thirty_are_the_default(
    reader: Client, make_key: MakeKey, organization: Organization
) -> None:
    used(organization, make_key()[0], "2025-12-30", "2025-12-31", "2026-03-01", "2026-03-02", "2026-03-31")
    assert days_of(reader) == ["2026-03-31", "2026-03-02"]
    assert days_of(reader, "?from=2026-03-01") == ["2026-03-31", "2026-03-02", "2026-03-01"]
    assert days_of(reader, "?to=2026-03-30") == ["2026-03-02", "2026-03-01"]
    assert days_of(reader, "?from=2026-03-01&to=2026-03-02") == ["2026-03-02", "2026-03-01"]
    assert days_of(reader, "?from=2026-03-02&to=2026-03-02") == ["2026-03-02"]
    ninety_two = "?from=2025-12-30&to=2026-03-31"
    assert (date(2026, 3, 31) - date(2025, 12, 30)).days == 91
    assert len(days_of(reader, ninety_two)) == 5


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("from=yesterday", "from", "value_error.date"),
        ("to=2026-02-30", "to", "value_error.date"),
        ("from=2026-03-15T00:00:00", "from", "value_error.date"),
        ("from=", "from", "value_error.date"),
        ("to=%00", "to", "value_error.date"),
        ("to=0000-01-01", "to", "value_error.date"),
        ("from=2026-03-16&to=2026-03-15", "from", "value_error"),
        ("from=2025-12-29&to=2026-03-31", "from", "value_error"),
        ("from=0001-01-01&to=9999-12-31", "from", "value_error"),
    ],
)
def test_a_wrong_day_is_named(reader: Client, query: str, name: str, kind: str) -> None:
    assert_invalid(reader.get(f"{USAGE}?{query}"), ["query", name], kind)


@pytest.mark.parametrize("query", ["?to=0001-01-01", "?to=0001-01-15", "?from=9999-12-31&to=9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar_are_days(reader: Client, query: str) -> None:
    assert days_of(reader, query) == []


def test_limits_are_those_of_the_plan_by_the_minute(reader: Client, organization: Organization, settings: Any) -> None:
    assert reader.get(USAGE).json()["limits"] == FREE
    Organization.objects.filter(pk=organization.pk).update(plan="team")
    settings.HEALOS_RATE_LIMIT = Rate(5, 2)
    assert reader.get(USAGE).json()["limits"] == {
        "plan": "team", "heliosPerMinute": 60_000, "healosPerMinute": 15_000, "pollPerMinute": 120,
    }  # fmt: skip


def test_only_usage_read_reads_it(make_key: MakeKey, reader: Client) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=["model_runs:read", "audit:read"])[1]})
    answer = client.get(f"{USAGE}?from=nonsense")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Insufficient scope"})
    assert reader.head(USAGE).status_code == 200
    assert reader.post(USAGE).status_code == 405
    assert reader.get(f"{USAGE}/").status_code == 200

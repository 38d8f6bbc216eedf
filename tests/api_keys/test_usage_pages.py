"""Usage as members and staff see it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.api_keys.models import UsageDay
from apps.api_keys.usage import charts
from apps.api_keys.usage.selectors import DayTotals
from tests.conftest import MakeKey

pytestmark = pytest.mark.django_db
LIST = "/admin/api_keys/usageday/"


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.fixture
def member(organization: Organization) -> Client:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    client = Client()
    client.force_login(user)
    return client


def test_a_member_sees_the_last_thirty_days_beside_the_plans_limits(
    member: Client, make_key: MakeKey, organization: Organization, other_organization: Organization
) -> None:
    today = timezone.now().date()
    key, foreign = make_key(name="EHR <sync>")[0], make_key(organization=other_organization)[0]
    UsageDay.objects.create(organization=organization, key=key, day=today, requests_2xx=12_345, requests_429=6)
    UsageDay.objects.create(organization=organization, key=None, day=today, runs_ok=78)
    UsageDay.objects.create(organization=organization, key=key, day=today - timedelta(days=30), requests_2xx=999_111)
    UsageDay.objects.create(organization=other_organization, key=foreign, day=today, requests_2xx=888_222)
    Organization.objects.filter(pk=organization.pk).update(plan="developer")
    answer = member.get("/usage")
    assert "no-store" in answer["Cache-Control"]
    page = text(answer)
    for shown in ("EHR &lt;sync&gt;", f"{key.key_prefix}…", "12,345", "Members, without a key", "developer", "6,000"):
        assert shown in page, shown
    for hidden in ("999,111", "888,222", foreign.key_prefix, "<script>", "style="):
        assert hidden not in page, hidden


def bars(page: str, kind: str) -> list[tuple[float, float]]:
    """Where the parts of a kind begin and how high they are, of 100."""
    found = re.findall(rf'<rect class="{kind}" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/>', page)
    return [(float(y), float(height)) for y, height in found]


def test_the_chart_stacks_statuses_by_day_and_says_what_the_limit_has_to_do_with_it(
    member: Client, make_key: MakeKey, organization: Organization
) -> None:
    today = timezone.now().date()
    busy, quiet = make_key(name="busy")[0], make_key(name="quiet")[0]
    UsageDay.objects.create(
        organization=organization, key=busy, day=today, requests_2xx=3000, requests_429=1000, runs_ok=4
    )
    UsageDay.objects.create(organization=organization, key=quiet, day=today, requests_2xx=500, requests_5xx=500)
    UsageDay.objects.create(
        organization=organization, key=quiet, day=today - timedelta(days=8), requests_4xx=10, runs_error=1
    )
    page = text(member.get("/usage"))
    assert page.count('class="place"') == 2 * 30
    assert bars(page, "requests_2xx") == [(30.0, 70.0)]  # 3,500 of 5,000
    assert bars(page, "requests_429") == [(10.0, 20.0)]
    assert bars(page, "requests_5xx") == [(0.0, 10.0)]
    assert bars(page, "requests_4xx") == [(99.2, 0.8)]  # little is seen, too
    assert bars(page, "runs_error") == [(75.0, 25.0)]  # 1 of 4
    assert f"<title>{today}: 3,500 answered, 1,000 over the limit, 500 failed</title>" in page
    for said in ("5,010 calls from", "1,000: 20.0 %, on 1 day", "about 4 a minute", "Retry-After", ">25.0 %<"):
        assert said in page, said
    assert page.index(">busy</a>") < page.index(">quiet</a>")
    week = text(member.get("/usage?days=7"))
    assert (week.count('class="place"'), bars(week, "requests_4xx")) == (2 * 7, [])
    assert text(member.get("/usage?days=92")).count('class="place"') == 2 * 92
    one = text(member.get(f"/usage?days=7&key={quiet.id}"))
    assert bars(one, "requests_2xx") == [(50.0, 50.0)]
    assert f'<option value="{quiet.id}" selected>' in one
    assert 'value="7" selected' in one


@pytest.mark.parametrize(("most", "top"), [(0, 1), (7, 7), (10, 10), (11, 15), (99, 100), (5157, 6000), (6001, 8000)])
def test_the_axis_ends_at_a_round_number_near_the_highest_bar(most: int, top: int) -> None:
    days = [DayTotals(day=date(2026, 3, 1), requests_2xx=most), DayTotals(day=date(2026, 3, 2))]
    assert charts.of_requests(days).top == top


def test_a_key_without_usage_is_told_from_one_that_is_not_there(
    member: Client, make_key: MakeKey, other_organization: Organization
) -> None:
    mine, foreign = make_key(name="resting")[0], make_key(organization=other_organization)[0]
    page = text(member.get(f"/usage?key={mine.id}"))
    assert f'<option value="{mine.id}" selected>resting</option>' in page
    assert "Choose a longer period" in page
    assert "Choose a longer period" in text(member.get("/usage?key=members"))
    for missing in (foreign.id, uuid4(), "nonsense"):
        assert member.get(f"/usage?key={missing}").status_code == 404
    for days in ("8", "x"):
        refused = member.get(f"/usage?days={days}")
        assert refused.status_code == 400
        assert "Choose 7, 30 or 92 days." in refused.content.decode()


def test_the_page_costs_the_same_however_many_keys_there_are(
    member: Client, make_key: MakeKey, organization: Organization
) -> None:
    today = timezone.now().date()
    keys = [make_key(name=f"key {n}")[0] for n in range(60)]
    UsageDay.objects.bulk_create(
        UsageDay(organization=organization, key=one, day=today - timedelta(days=n), requests_2xx=1)
        for one in keys
        for n in range(92)
    )
    with CaptureQueriesContext(connection) as captured:
        page = text(member.get("/usage?days=92"))
    assert len(captured) == 6  # session, person, membership (also for the header), by key, by day
    assert page.count('<th scope="row">') == 92 + 50
    assert "And 10 more" in page
    assert len(page) < 200_000


def test_without_usage_the_page_says_where_to_begin(member: Client) -> None:
    page = text(member.get("/usage"))
    assert "No key was used" in page
    assert "/api-reference" in page


def test_the_page_is_for_members_and_changes_nothing(member: Client, organization: Organization) -> None:
    assert member.post("/usage").status_code == 405
    assert Client().get("/usage").headers["Location"] == "/login?next=/usage"
    Organization.objects.filter(pk=organization.pk).update(is_active=False)
    assert member.get("/usage").status_code == 403


def test_staff_see_the_usage_of_a_key_and_of_an_organisation_by_links_from_their_pages(
    admin: Client, make_key: MakeKey, organization: Organization
) -> None:
    keys = [make_key()[0], make_key()[0]]
    today = timezone.now().date()
    for number, key in enumerate(keys, start=1):
        UsageDay.objects.create(organization=organization, key=key, day=today, requests_2xx=1000 + number)
    of_key = f"{LIST}?key__id__exact={keys[0].pk}"
    of_organization = f"{LIST}?organization__id__exact={organization.pk}"
    assert of_key in text(admin.get(f"/admin/api_keys/apikey/{keys[0].pk}/change/"))
    assert of_organization in text(admin.get(f"/admin/accounts/organization/{organization.pk}/change/"))
    page = text(admin.get(of_key))
    assert "1001" in page
    assert "1002" not in page
    page = text(admin.get(of_organization))
    assert "1001" in page
    assert "1002" in page
    yesterday = today - timedelta(days=1)
    assert "1001" not in text(admin.get(f"{of_key}&day__gte={yesterday}&day__lt={today}"))


def test_staff_change_no_usage(admin: Client, organization: Organization) -> None:
    day = UsageDay.objects.create(organization=organization, day=timezone.now().date())
    assert admin.get(f"{LIST}add/").status_code == 403
    assert admin.post(f"{LIST}{day.pk}/change/", {"runs_ok": "5"}).status_code == 403
    assert admin.post(f"{LIST}{day.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_list_counts_no_further_than_a_thousand_rows(admin: Client, organization: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO api_keys_usageday (organization_id, day, requests_2xx, requests_4xx, requests_429,
                                           requests_5xx, runs_ok, runs_error)
            SELECT %s, date '2020-01-01' + n, n, 0, 0, 0, 0, 0 FROM generate_series(1, 3000) AS n
            """,
            [organization.pk],
        )
    for query in ("", f"?organization__id__exact={organization.pk}"):
        with CaptureQueriesContext(connection) as captured:
            text(admin.get(LIST + query))
        counting = [one["sql"] for one in captured if "COUNT(" in one["sql"] and "usageday" in one["sql"]]
        assert counting
        assert all("LIMIT 1000" in sql for sql in counting)

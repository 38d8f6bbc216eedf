"""Usage as members and staff see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.api_keys.models import UsageDay
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
    page = text(member.get("/usage"))
    for shown in ("EHR &lt;sync&gt;", f"{key.key_prefix}…", "12,345", "Members, without a key", "developer", "6,000"):
        assert shown in page, shown
    for hidden in ("999,111", "888,222", foreign.key_prefix, "<script>", "style="):
        assert hidden not in page, hidden


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

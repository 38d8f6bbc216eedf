"""What a plan allows, and what is set on a key within it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations import RunSQL
from django.test import Client

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.accounts.services import change_plan
from apps.api_keys import limits, services
from apps.api_keys.models import ApiKey
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.helios.calls import RUNS, create

pytestmark = pytest.mark.django_db
PLANS = [("free", 600, 100), ("developer", 6000, 1000), ("team", 60_000, 10_000), ("enterprise", 1_000_000, 1_000_000)]


def shown(client: Client, path: str = "/v1/account") -> int:
    return int(client.get(path).headers["X-RateLimit-Limit"])


def put_on(organization: Organization, plan: str) -> None:
    change_plan(actor=SYSTEM, organization_id=organization.pk, plan=plan)


def admin_of(organization: Organization) -> Client:
    user = User.objects.create_user("admin@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(("plan", "helios", "healos"), PLANS)
def test_a_plan_multiplies_the_limits_of_both_families_but_not_that_of_polling(
    api: Client, organization: Organization, plan: str, helios: int, healos: int
) -> None:
    put_on(organization, plan)
    assert shown(api) == helios
    admin = admin_of(organization)
    assert shown(admin, "/api/v1/ext-api-keys") == healos
    assert shown(api, f"{RUNS}/{create(api)['id']}") == 120


def test_a_plan_counts_from_the_next_request_on_and_for_its_organisation_alone(
    api: Client, other_api: Client, organization: Organization
) -> None:
    assert shown(api) == 600
    put_on(organization, "team")
    assert (shown(api), shown(other_api)) == (60_000, 600)
    put_on(organization, "free")
    assert shown(api) == 600


@pytest.mark.parametrize(
    ("own", "is_granted", "expected"),
    [
        (None, False, Rate(100, 60)),
        (99, False, Rate(99, 60)),
        (100, False, Rate(100, 60)),
        (101, False, Rate(100, 60)),
        (99, True, Rate(99, 60)),
        (5000, True, Rate(5000, 60)),
    ],
)
def test_the_lower_of_plan_and_key_counts_unless_staff_set_the_keys(
    own: int | None, is_granted: bool, expected: Rate
) -> None:
    assert limits.of_key("free", own, is_granted=is_granted, general=Rate(100, 60)) == expected


def test_limits_are_compared_by_the_minute_whatever_the_window() -> None:
    by_the_second, by_the_hour = Rate(10, 1), Rate(600, 3600)
    assert limits.of_key("free", 599, is_granted=False, general=by_the_second) == Rate(599, 60)
    assert limits.of_key("free", 600, is_granted=False, general=by_the_second) == by_the_second
    assert limits.of_key("free", 9, is_granted=False, general=by_the_hour) == Rate(9, 60)
    assert limits.of_key("developer", 100, is_granted=False, general=by_the_hour) == Rate(6000, 3600)


def test_a_limit_of_its_own_never_lifts_a_key_above_a_plan_that_was_lowered(
    make_key: MakeKey, organization: Organization
) -> None:
    put_on(organization, "developer")
    organization.refresh_from_db()
    key, raw_key = make_key(rate_limit_per_minute=5000)
    client = Client(headers={"x-api-key": raw_key})
    assert shown(client) == 5000
    put_on(organization, "free")
    assert shown(client) == 600
    services.change_key(actor=SYSTEM, key_id=key.pk, rate_limit_per_minute=50)
    assert shown(client) == 50


def test_what_staff_set_in_the_admin_counts_above_the_plan_and_whatever_the_plan_becomes(
    admin: Client, make_key: MakeKey, organization: Organization
) -> None:
    key, raw_key = make_key()
    client = Client(headers={"x-api-key": raw_key})
    page = f"/admin/api_keys/apikey/{key.pk}/change/"
    form = {"name": key.name, "scopes": ["*"], "allowed_cidrs": "", "rate_limit_per_minute": "5000"}
    assert "up to that of the plan" in admin.get(page).content.decode()
    assert admin.post(page, form).status_code == 302
    assert shown(client) == 5000
    assert "as it stands" in admin.get(page).content.decode()
    put_on(organization, "developer")
    assert shown(client) == 5000
    assert admin.post(page, form | {"rate_limit_per_minute": ""}).status_code == 302
    assert shown(client) == 6000


def test_a_successor_keeps_the_limit_that_staff_set(make_key: MakeKey) -> None:
    key, _ = make_key(rate_limit_per_minute=5000, by_staff=True)
    _, raw_key = services.rotate_key(actor=SYSTEM, key_id=key.pk, grace_seconds=0)
    assert shown(Client(headers={"x-api-key": raw_key})) == 5000


def test_staff_set_the_plan_and_the_audit_trail_says_from_what_to_what(
    admin: Client, staff: User, api: Client, organization: Organization
) -> None:
    page = f"/admin/accounts/organization/{organization.pk}/change/"
    form = {"name": organization.name, "is_active": "on", "plan": "team"}
    assert admin.post(page, form).status_code == 302
    assert shown(api) == 60_000
    event = AuditEvent.objects.get(action="organization.plan_changed")
    assert (event.reason, event.organization_id) == ("from free to team", organization.pk)
    assert (event.actor_type, event.actor_id) == ("staff", str(staff.pk))
    assert '<td class="field-plan">Team</td>' in admin.get("/admin/accounts/organization/").content.decode()
    assert admin.post(page, form).status_code == 302
    assert AuditEvent.objects.filter(action="organization.plan_changed").count() == 1


def test_an_unknown_plan_is_refused_by_the_admin_and_by_the_database(admin: Client, organization: Organization) -> None:
    page = f"/admin/accounts/organization/{organization.pk}/change/"
    answer = admin.post(page, {"name": organization.name, "is_active": "on", "plan": "gold"})
    assert "gold is not one of the available choices" in answer.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(plan="gold")
    organization.refresh_from_db()
    assert organization.plan == "free"


def test_the_database_refuses_to_grant_no_limit(make_key: MakeKey) -> None:
    key, _ = make_key()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(rate_limit_is_granted=True)


def test_an_upgrade_takes_no_limit_away_that_a_key_had(make_key: MakeKey) -> None:
    limited, plain = make_key(rate_limit_per_minute=500)[0], make_key()[0]
    migration: Any = import_module("apps.api_keys.migrations.0004_granted_limits").Migration
    [statement] = [str(operation.sql) for operation in migration.operations if isinstance(operation, RunSQL)]
    with connection.cursor() as cursor:
        cursor.execute(statement)
    granted = ApiKey.objects.filter(rate_limit_is_granted=True).values_list("id", flat=True)
    assert list(granted) == [limited.pk]
    assert plain.rate_limit_per_minute is None

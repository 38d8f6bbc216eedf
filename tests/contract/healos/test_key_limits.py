"""The limit of a key and that of its organisation's plan, at `/api/v1/ext-api-keys`."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.api_keys import services
from apps.api_keys.models import ApiKey
from tests.conftest import MakeKey
from tests.contract.healos.calls import INVALID, KEYS, create, send

pytestmark = pytest.mark.django_db


def refusal(highest: int, plan: str) -> Any:
    return {
        "error": INVALID,
        "details": {
            "rate_limit_per_minute": [
                f"Number must be less than or equal to {highest}",
                f"The plan {plan} allows no more; the operator of this service can give more.",
            ]
        },
    }


@pytest.mark.parametrize(
    ("plan", "highest"), [("free", 600), ("developer", 6000), ("team", 60_000), ("enterprise", 1_000_000)]
)
def test_a_limit_may_be_as_high_as_the_plan_allows_and_no_higher(
    admin: Client, organization: Organization, plan: str, highest: int
) -> None:
    Organization.objects.filter(pk=organization.pk).update(plan=plan)
    assert create(admin, rate_limit_per_minute=highest).status_code == 201
    answer = create(admin, rate_limit_per_minute=highest + 1)
    assert answer.status_code == 400
    if plan == "enterprise":
        assert answer.json()["details"] == {"rate_limit_per_minute": ["Number must be less than or equal to 1000000"]}
    else:
        assert answer.json() == refusal(highest, plan)
    assert ApiKey.objects.count() == 1


def test_a_change_above_the_plan_is_refused_and_nothing_of_it_is_stored(admin: Client) -> None:
    data = create(admin, rate_limit_per_minute=50).json()["data"]
    answer = send(admin, "PATCH", f"{KEYS}/{data['id']}", {"name": "new", "rate_limit_per_minute": 601})
    assert (answer.status_code, answer.json()) == (400, refusal(600, "free"))
    key = ApiKey.objects.get()
    assert (key.name, key.rate_limit_per_minute) == ("EHR sync", 50)


def test_what_staff_gave_may_be_sent_back_and_lowered_but_not_taken_up_again(admin: Client, make_key: MakeKey) -> None:
    key, _ = make_key(rate_limit_per_minute=5000, by_staff=True)
    path = f"{KEYS}/{key.pk}"
    assert send(admin, "PATCH", path, {"name": "new", "rate_limit_per_minute": 5000}).status_code == 200
    key.refresh_from_db()
    assert (key.name, key.rate_limit_per_minute, key.rate_limit_is_granted) == ("new", 5000, True)
    assert send(admin, "PATCH", path, {"rate_limit_per_minute": 4999}).status_code == 400
    assert send(admin, "PATCH", path, {"rate_limit_per_minute": 500}).status_code == 200
    key.refresh_from_db()
    assert (key.rate_limit_per_minute, key.rate_limit_is_granted) == (500, False)
    assert send(admin, "PATCH", path, {"rate_limit_per_minute": 5000}).status_code == 400


@pytest.mark.parametrize("field", ["plan", "rate_limit_is_granted", "by_staff"])
def test_nobody_gives_their_own_organisation_more(admin: Client, field: str) -> None:
    answer = create(admin, **{field: True})
    assert answer.status_code == 400
    assert answer.json()["details"] == {field: [f"Unrecognized key(s) in object: '{field}'"]}
    assert not ApiKey.objects.exists()


def test_the_service_takes_no_plan_and_no_grant_among_the_changes(make_key: MakeKey) -> None:
    key, _ = make_key()
    with pytest.raises(TypeError, match="can be changed"):
        services.change_key(actor=SYSTEM, key_id=key.pk, rate_limit_is_granted=True)

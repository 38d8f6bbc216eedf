"""Finished runs in the usage of the key that created them."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.api_keys.models import UsageDay
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from tests.conftest import MakeKey
from tests.contract.helios.calls import minimal_body
from tests.contract.helios.conftest import FAILED, OK, finish, start

pytestmark = pytest.mark.django_db


def days() -> list[tuple[object, int, int]]:
    return list(UsageDay.objects.order_by("key_id").values_list("key_id", "runs_ok", "runs_error"))


def test_a_run_counts_for_the_key_that_created_it_by_how_it_ended(make_key: MakeKey) -> None:
    (one, raw_one), (other, raw_other) = make_key(), make_key()
    for raw_key, analysis in ((raw_one, OK), (raw_one, OK), (raw_one, FAILED), (raw_other, FAILED)):
        finish(start(Client(headers={"x-api-key": raw_key})), analysis)
    start(Client(headers={"x-api-key": raw_other}))  # has not ended
    assert sorted(days()) == sorted([(one.pk, 2, 1), (other.pk, 0, 1)])
    assert {day.organization_id for day in UsageDay.objects.all()} == {one.organization_id}


def test_a_run_that_a_member_created_counts_under_no_key(organization: Organization) -> None:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    member = Client(headers={"accept": "application/json"})
    member.force_login(user)
    for _ in range(2):
        created = member.post("/browse/v1/models/mental-wellness", minimal_body(), content_type="application/json")
        run_id = UUID(created.json()["id"])
        services.receive_recording(run_id=run_id, key="x/y/z", sha256="0" * 64, size=1)
        finish(str(run_id))
    assert days() == [(None, 2, 0)]
    assert UsageDay.objects.get().organization == organization


def test_a_run_that_the_sweeper_ends_counts_as_an_error(api: Client) -> None:
    run_id = start(api)
    ModelRun.objects.filter(id=run_id).update(attempt=99, lease_expires_at=Now())
    assert services.sweep_runs()["failed"] == 1
    key_id = ModelRun.objects.get(id=run_id).created_by_key_id
    assert days() == [(key_id, 0, 1)]


def test_a_run_counts_once_and_with_the_transaction_that_ends_it(api: Client) -> None:
    claim = services.claim_run(run_id=UUID(start(api)))
    assert claim is not None
    with transaction.atomic():
        assert services.finish_run(claim=claim, analysis=OK)
        transaction.set_rollback(True)
    assert days() == []
    assert services.finish_run(claim=claim, analysis=OK)
    assert not services.finish_run(claim=claim, analysis=OK)
    assert days() == [(claim.run.created_by_key_id, 1, 0)]

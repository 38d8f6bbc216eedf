"""Events become deliveries in the transaction that makes them true."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.api_keys.services import revoke_key
from apps.model_runs import services as runs
from apps.model_runs.models import ModelRun
from apps.webhooks import services
from apps.webhooks.models import WebhookDelivery
from helios_site.api.events import Event
from helios_site.celery import app
from tests.conftest import MakeKey
from tests.model_runs.conftest import FAILED, OK, MakeRun
from tests.webhooks.conftest import MakeEndpoint, say

pytestmark = pytest.mark.django_db


def waiting_bells() -> int:
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        return int(channel.client.llen("webhooks"))


def bodies() -> list[dict[str, Any]]:
    return [json.loads(body) for body in WebhookDelivery.objects.order_by("event").values_list("body", flat=True)]


def test_an_event_costs_one_statement_whoever_listens(
    organization: Organization, make_endpoint: MakeEndpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    event = Event("model_run.completed", organization.id, uuid4(), "COMPLETE_OK")
    with transaction.atomic():
        for _ in range(3):
            with django_assert_num_queries(1):
                services.emit(event, event)
            make_endpoint()
    assert WebhookDelivery.objects.count() == 2 * (0 + 1 + 2)


def test_only_who_chose_the_event_is_told(
    organization: Organization, other_organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    told = make_endpoint(events=["model_run.completed", "model_run.failed"])
    make_endpoint(events=["model_run.failed"])
    make_endpoint(organization=other_organization)
    disabled = make_endpoint()
    services.disable_endpoint(actor=SYSTEM, endpoint_id=disabled.id, reason="test")
    say(organization)
    assert [delivery.endpoint_id for delivery in WebhookDelivery.objects.all()] == [told.id]


def test_an_event_of_a_transaction_that_fails_is_told_to_nobody(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint()

    def fail() -> None:
        with transaction.atomic():
            say(organization)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert WebhookDelivery.objects.count() == 0


def test_a_run_that_ends_tells_its_state_and_never_its_scores(
    make_finished: MakeRun, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint()
    run = make_finished(analysis=OK)
    completed, safety = bodies()
    assert completed.keys() == {"type", "timestamp", "data"}
    assert completed["data"] == safety["data"] == {"id": str(run.id), "status": "COMPLETE_OK", "userLabel": "person-1"}
    assert (completed["type"], safety["type"]) == ("model_run.completed", "model_run.safety")
    assert "phrase-canary" not in str(list(WebhookDelivery.objects.values()))
    assert completed["timestamp"].endswith("+00:00")


def test_safety_is_told_only_where_there_is_a_finding(make_finished: MakeRun, make_endpoint: MakeEndpoint) -> None:
    make_endpoint(events=["model_run.safety", "model_run.failed"])
    make_finished(analysis=FAILED)
    assert [body["type"] for body in bodies()] == ["model_run.failed"]


def test_a_run_that_the_sweeper_gives_up_is_told_as_failed(make_running: MakeRun, make_endpoint: MakeEndpoint) -> None:
    make_endpoint()
    run = make_running()
    ModelRun.objects.filter(id=run.id).update(lease_expires_at=timezone.now() - timedelta(seconds=1), attempt=99)
    assert runs.sweep_runs()["failed"] == 1
    [body] = bodies()
    assert (body["type"], body["data"]["userLabel"]) == ("model_run.failed", "person-1")


def test_a_deleted_run_is_told_and_takes_its_earlier_events_along(
    make_finished: MakeRun,
    make_endpoint: MakeEndpoint,
    organization: Organization,
) -> None:
    everything, ends = make_endpoint(), make_endpoint(events=["model_run.completed"])
    run, other = make_finished(), make_finished()
    assert runs.delete_run(actor=SYSTEM, organization_id=organization.id, run_id=run.id)
    told = WebhookDelivery.objects.filter(object_id=run.id)
    assert [(delivery.endpoint_id, delivery.event) for delivery in told] == [(everything.id, "model_run.deleted")]
    assert json.loads(told[0].body)["data"]["status"] == "DELETED"
    assert WebhookDelivery.objects.filter(object_id=other.id, endpoint=ends).count() == 1


def test_runs_that_go_by_the_clock_are_told_as_deleted(
    make_run: MakeRun,
    make_finished: MakeRun,
    make_endpoint: MakeEndpoint,
) -> None:
    make_endpoint(events=["model_run.deleted"])
    long_ago = timezone.now() - timedelta(days=400)
    abandoned, erased = make_run(), make_finished(delete_data=True)
    ModelRun.objects.filter(id=abandoned.id).update(created_at=long_ago)
    ModelRun.objects.filter(id=erased.id).update(completed_at=long_ago)
    runs.remove_leftovers()
    runs.erase_due_data()
    told = set(WebhookDelivery.objects.values_list("event", "object_id"))
    assert told == {("model_run.deleted", abandoned.id), ("model_run.deleted", erased.id)}


def test_a_revoked_key_is_told_once_without_its_name(make_key: MakeKey, make_endpoint: MakeEndpoint) -> None:
    make_endpoint()
    key, raw = make_key(name="name-canary")
    for _ in range(2):
        revoke_key(actor=SYSTEM, key_id=key.id, reason="leaked")
    [body] = bodies()
    assert body["type"] == "api_key.revoked"
    assert body["data"] == {"id": str(key.id), "status": "revoked", "userLabel": None}
    assert "name-canary" not in json.dumps(body)
    assert raw[:12] not in json.dumps(body)


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_only_if_somebody_is_told(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    say(organization)
    assert waiting_bells() == 0
    make_endpoint()
    with transaction.atomic():
        say(organization)
        assert waiting_bells() == 0
    assert waiting_bells() == 1


@pytest.mark.django_db(transaction=True)
def test_events_and_the_removal_of_their_endpoint_never_fail_each_other(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoints = [make_endpoint() for _ in range(6)]
    known = uuid4()

    def tell(number: int) -> None:
        try:
            say(organization, "model_run.deleted" if number % 3 == 0 else "model_run.completed", object_id=known)
        finally:
            connection.close()

    def remove(number: int) -> bool:
        try:
            return services.delete_endpoint(
                actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoints[number].id
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        told = [pool.submit(tell, number) for number in range(60)]
        removed = [pool.submit(remove, number) for number in range(6)]
        assert all(future.result() for future in removed)
        assert [future.result() for future in told] == [None] * 60
    assert WebhookDelivery.objects.count() == 0

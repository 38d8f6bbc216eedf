"""At least once, one try at a time, on the schedule of the contract."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.webhooks import selectors, sending, services
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from apps.webhooks.queue import ring
from apps.webhooks.services import Outcome, delivering
from apps.webhooks.services.delivering import SCHEDULE
from helios_site import celery
from tests.conftest import RECORDINGS, background
from tests.receiver import Receiver, answer
from tests.webhooks.conftest import MakeEndpoint, say, send

pytestmark = pytest.mark.django_db
OK, BROKEN = Outcome(status=200), Outcome(status=500, response="no")


def test_an_event_arrives_signed_and_is_logged(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    delivery = send(endpoint)
    [call] = receiver.calls
    assert json.loads(call.body)["type"] == "model_run.completed"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["webhook-id"] == str(delivery.id)
    timestamp = call.headers["webhook-timestamp"]
    assert abs(time.time() - int(timestamp)) < 60
    assert call.headers["webhook-signature"] == signature(call.body, call.headers, endpoint.secret)  # type: ignore[attr-defined]
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == ("DELIVERED", 1, None)
    assert (delivery.response_status, delivery.response, delivery.error) == (200, "thanks", "")
    assert send(endpoint).attempts == 1
    assert len(receiver.calls) == 1


def signature(body: bytes, headers: dict[str, str], secret: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_it_is_tried_again_on_the_schedule_under_the_same_id_and_then_the_endpoint_is_disabled(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    receiver.reply = answer(500, b"try later")
    hours = [timedelta(hours=number) for number in (2, 5, 10, 14, 20, 24)]
    pauses = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), *hours]
    for number, pause in enumerate(pauses, 1):
        delivery = send(endpoint)
        assert (delivery.status, delivery.attempts, delivery.response) == ("PENDING", number, "try later")
        assert delivery.next_try_at is not None
        assert delivery.last_try_at is not None
        assert abs(delivery.next_try_at - delivery.last_try_at - pause) < timedelta(seconds=5)
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    delivery = send(endpoint)
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == ("FAILED", 10, None)
    endpoint.refresh_from_db()
    assert not endpoint.is_enabled
    assert endpoint.disabled_reason == f"Delivery {delivery.id} failed 10 times."
    [event] = AuditEvent.objects.filter(action="webhook.disabled")
    assert (event.object_id, event.actor_type, event.organization_id) == (str(endpoint.id), "system", organization.id)
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len({call.body for call in receiver.calls}) == 1
    assert len(receiver.calls) == 10


@pytest.mark.parametrize("status", [199, 301, 307, 400, 410, 429, 503])
def test_only_2xx_counts_as_delivered(
    status: int, organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    receiver.reply = answer(status, Location=receiver.url("/elsewhere"))
    delivery = send(endpoint)
    assert (delivery.status, delivery.response_status) == ("PENDING", status)
    assert [call.path for call in receiver.calls] == ["/hook"]


def test_of_the_answer_500_characters_are_kept_and_no_nul(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    receiver.reply = answer(204, b"")
    receiver.reply = answer(200, b"\xff\x00" + "ä".encode() * 5000)
    assert send(endpoint).response == "\ufffd" + "ä" * 499


def test_a_private_target_is_refused_at_each_send(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver, settings: Any
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    settings.HELIOS_WEBHOOK_ALLOW_CIDRS = ()
    delivery = send(endpoint)
    assert (delivery.status, delivery.response_status) == ("PENDING", None)
    assert delivery.error == "the host has a private or otherwise special address"
    assert receiver.calls == []


def test_after_a_rotation_both_secrets_sign_until_the_old_one_ends(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    rotated = services.rotate_secret(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)
    assert rotated is not None
    new, ends_at = rotated
    assert timedelta(hours=23) < ends_at - timezone.now() <= timedelta(hours=24)
    say(organization)
    send(endpoint)
    call = receiver.calls[0]
    old = endpoint.secret  # type: ignore[attr-defined]
    expected = [signature(call.body, call.headers, secret) for secret in (new, old)]
    assert call.headers["webhook-signature"].split(" ") == expected
    WebhookSecret.objects.filter(ends_at__isnull=False).update(ends_at=timezone.now())
    assert selectors.signing_secrets(endpoint.id) == [new]


def test_a_repeated_rotation_ends_no_earlier_secret_sooner(
    organization: Organization, make_endpoint: MakeEndpoint, settings: Any
) -> None:
    endpoint = make_endpoint()
    secrets = [endpoint.secret]  # type: ignore[attr-defined]
    for _ in range(settings.WEBHOOK_MAX_SECRETS - 1):
        rotated = services.rotate_secret(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)
        assert rotated is not None
        secrets.insert(0, rotated[0])
    assert selectors.signing_secrets(endpoint.id) == secrets
    with pytest.raises(services.TooMany):
        services.rotate_secret(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)


def test_a_secret_is_stored_encrypted_and_its_loss_is_said_in_the_log(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver, settings: Any
) -> None:
    endpoint = make_endpoint(receiver.url())
    secret = endpoint.secret.removeprefix("whsec_")  # type: ignore[attr-defined]
    assert secret.encode() not in bytes(endpoint.secrets.get().encrypted)
    say(organization)
    settings.HELIOS_ENCRYPTION_KEYS = ("another key of at least 32 bytes…",)
    assert send(endpoint).error == "the signing secret cannot be decrypted; rotate it"
    assert receiver.calls == []


def test_nothing_is_sent_to_a_disabled_endpoint_until_it_is_enabled(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint = make_endpoint(receiver.url())
    say(organization)
    assert services.disable_endpoint(actor=SYSTEM, endpoint_id=endpoint.id, reason="noisy")
    assert not services.disable_endpoint(actor=SYSTEM, endpoint_id=endpoint.id, reason="again")
    assert send(endpoint).attempts == 0
    assert services.claim_delivery(endpoint_id=endpoint.id) is None
    assert services.enable_endpoint(actor=SYSTEM, endpoint_id=endpoint.id, reason="mended")
    assert not services.enable_endpoint(actor=SYSTEM, endpoint_id=endpoint.id, reason="again")
    assert send(endpoint).status == "DELIVERED"
    actions = AuditEvent.objects.filter(object_id=str(endpoint.id)).order_by("id").values_list("action", "reason")
    assert list(actions)[1:] == [("webhook.disabled", "noisy"), ("webhook.enabled", "mended")]


# -- one try at a time ------------------------------------------------------------------------------------


def claimed(endpoint: WebhookEndpoint) -> services.Claim:
    claim = services.claim_delivery(endpoint_id=endpoint.id)
    assert claim is not None
    return claim


def lapse(endpoint: WebhookEndpoint) -> None:
    endpoint.deliveries.update(lease_ends_at=timezone.now() - timedelta(hours=1))


def test_a_try_is_taken_once_and_again_only_when_its_lease_has_ended(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    say(organization)
    first = claimed(endpoint)
    assert services.claim_delivery(endpoint_id=endpoint.id) is None
    assert selectors.endpoints_with_work() == []
    lapse(endpoint)
    assert selectors.endpoints_with_work() == [endpoint.id]
    second = claimed(endpoint)
    assert (first.delivery_id, first.number + 1) == (second.delivery_id, second.number)
    assert services.finish_delivery(claim=first, outcome=BROKEN) is False
    assert services.finish_delivery(claim=second, outcome=OK) is True
    assert services.finish_delivery(claim=second, outcome=BROKEN) is False
    assert endpoint.deliveries.get().status == "DELIVERED"


def test_a_try_of_a_removed_endpoint_ends_quietly(organization: Organization, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    say(organization)
    claim = claimed(endpoint)
    services.delete_endpoint(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)
    assert services.finish_delivery(claim=claim, outcome=OK) is False


def test_a_slow_receiver_never_takes_all_senders(organization: Organization, make_endpoint: MakeEndpoint) -> None:
    slow, other = make_endpoint(events=["model_run.completed"]), make_endpoint(events=["model_run.failed"])
    for _ in range(10):
        say(organization)
    say(organization, "model_run.failed")
    taken = [services.claim_delivery(endpoint_id=slow.id) for _ in range(10)]
    assert sum(claim is not None for claim in taken) == delivering.MAX_AT_ONCE
    assert services.claim_delivery(endpoint_id=other.id) is not None


def test_endpoints_are_served_in_turn_and_a_sender_stops_when_its_time_is_up(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    for path in ("/a", "/b"):
        make_endpoint(receiver.url(path))
    for _ in range(3):
        say(organization)
    assert sending.deliver_due(busy_seconds=0) is True
    assert len(receiver.calls) == 1
    receiver.calls.clear()
    assert sending.deliver_due() is False
    assert sorted(call.path for call in receiver.calls[:2]) == ["/a", "/b"]
    assert len(receiver.calls) == 5


@pytest.mark.django_db(transaction=True)
def test_of_eight_senders_none_sends_a_try_twice(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    for path in ("/a", "/b", "/c"):
        make_endpoint(receiver.url(path))
    for _ in range(20):
        say(organization)

    def work(_: int) -> None:
        try:
            while sending.deliver_due() or WebhookDelivery.objects.filter(delivered_at__isnull=True).exists():
                time.sleep(0.01)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    ids = [call.headers["webhook-id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 60
    assert WebhookDelivery.objects.filter(attempts=1, delivered_at__isnull=False).count() == 60


@pytest.mark.parametrize("outcome", [OK, BROKEN])
def test_the_label_of_an_erased_run_leaves_the_body_once_its_farewell_has_arrived_or_was_given_up(
    outcome: Outcome, organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    say(organization, user_label="label-canary")
    say(organization, "model_run.deleted", object_id=endpoint.deliveries.get().object_id, user_label="label-canary")
    services.finish_delivery(claim=claimed(endpoint), outcome=BROKEN)
    assert json.loads(endpoint.deliveries.get().body)["data"]["userLabel"] == "label-canary"  # it is still to go out
    endpoint.deliveries.update(attempts=len(SCHEDULE), next_try_at=timezone.now())
    services.finish_delivery(claim=claimed(endpoint), outcome=outcome)
    body = json.loads(endpoint.deliveries.get().body)
    assert (body["type"], body["data"]["userLabel"]) == ("model_run.deleted", None)
    assert "label-canary" not in str(list(WebhookDelivery.objects.values()))


# -- old ones, and the workers ----------------------------------------------------------------------------


def test_old_deliveries_are_removed(organization: Organization, make_endpoint: MakeEndpoint, settings: Any) -> None:
    settings.HELIOS_WEBHOOK_RETENTION_DAYS = 7
    make_endpoint()
    for days in (6, 8, 9):
        say(organization)
        newest = WebhookDelivery.objects.latest("created_at")
        WebhookDelivery.objects.filter(id=newest.id).update(created_at=timezone.now() - timedelta(days=days))
    assert services.remove_old_deliveries() == 2
    assert WebhookDelivery.objects.count() == 1


def test_beat_rings_as_often_as_the_shortest_pause_asks(settings: Any) -> None:
    celery.app.finalize()
    entry = celery.app.conf.beat_schedule["helios.webhooks.deliver_due"]
    assert entry["schedule"] <= SCHEDULE[0].total_seconds()
    assert "helios.housekeeping.remove_webhook_leftovers" in celery.app.conf.beat_schedule
    assert celery.app.amqp.router.route({}, "helios.webhooks.deliver_due")["queue"].name == "webhooks"


@RECORDINGS
@pytest.mark.django_db(transaction=True)
def test_a_sender_as_it_is_deployed_delivers_and_what_a_killed_one_had_is_sent_again(
    organization: Organization,
    make_endpoint: MakeEndpoint,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HELIOS_WEBHOOK_ALLOW_CIDRS", "127.0.0.0/8")
    endpoint = make_endpoint(receiver.url())
    receiver.reply = lambda _: time.sleep(30)
    command = ["-m", "celery", "-A", "helios_site", "worker", "--queues", "webhooks", "--pool", "threads"]
    say(organization)
    log = tmp_path / "first"

    def called() -> bool:
        ring()  # as beat does: a busy machine starts a worker in more time than a bell lasts
        return bool(receiver.calls)

    with background([*command, "--concurrency", "2"], log, ready=called) as process:
        process.kill()
    assert endpoint.deliveries.get().attempts == 0
    lapse(endpoint)
    receiver.reply = answer(200)
    say(organization, "model_run.failed")
    log = tmp_path / "second"

    def delivered() -> bool:
        ring()
        return endpoint.deliveries.filter(delivered_at__isnull=False).count() == 2

    with background([*command, "--concurrency", "2"], log, ready=delivered):
        ids = [call.headers["webhook-id"] for call in receiver.calls]
    assert (len(ids), len(set(ids))) == (3, 2)
    assert endpoint.secret not in log.read_text()  # type: ignore[attr-defined]

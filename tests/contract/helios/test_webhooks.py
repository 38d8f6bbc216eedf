from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent
from apps.webhooks import sending, services
from apps.webhooks.models import WebhookEndpoint, WebhookSecret
from tests.contract.helios.calls import UNKNOWN_ID, assert_invalid
from tests.contract.helios.conftest import finish, start
from tests.receiver import Receiver, answer, receiving

HOOKS = "/v1/webhooks"
BODY = {"url": "https://93.184.216.34/hook", "events": ["model_run.completed"]}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.HELIOS_WEBHOOK_ALLOW_CIDRS = (ipaddress.ip_network("127.0.0.0/8"),)
    with receiving() as found:
        yield found


def post(client: Client, path: str = HOOKS, body: Any = None) -> Any:
    return client.post(path, "" if body is None else json.dumps(body), content_type="application/json")


def create(client: Client, **changes: Any) -> dict[str, Any]:
    response = post(client, body={**BODY, **changes})
    assert response.status_code == 200, response.content
    reply: dict[str, Any] = response.json()
    return reply


def deliveries(client: Client, webhook_id: str) -> list[dict[str, Any]]:
    reply = client.get(f"{HOOKS}/{webhook_id}/deliveries").json()
    assert reply["nextCursor"] is None
    items: list[dict[str, Any]] = reply["items"]
    return items


def test_the_secret_is_in_the_create_reply_only(api: Client) -> None:
    created = create(api)
    secret = created.pop("secret")
    assert secret.startswith("whsec_")
    assert created == {
        "id": created["id"], **BODY, "enabled": True, "disabledReason": None, "createdAt": created["createdAt"],
    }  # fmt: skip
    assert api.get(f"{HOOKS}/{created['id']}").json() == created
    assert api.get(HOOKS).json() == {"items": [created], "nextCursor": None}
    stored = str(list(WebhookEndpoint.objects.values())) + str(list(WebhookSecret.objects.values()))
    assert secret.removeprefix("whsec_") not in stored + str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("changes", "loc", "kind"),
    [
        ({"url": None}, ["body", "url"], "type_error.none.not_allowed"),
        ({"url": 7}, ["body", "url"], "type_error.str"),
        ({"url": ""}, ["body", "url"], "value_error.any_str.min_length"),
        ({"url": "https://x.example/" + "x" * 1000}, ["body", "url"], "value_error.any_str.max_length"),
        ({"url": "http://93.184.216.34/"}, ["body", "url"], "value_error"),
        ({"url": "http://nobody-knows.invalid/"}, ["body", "url"], "value_error"),
        ({"url": "ftp://93.184.216.34/"}, ["body", "url"], "value_error"),
        ({"url": "https://user:secret@93.184.216.34/"}, ["body", "url"], "value_error"),
        ({"events": []}, ["body", "events"], "value_error"),
        ({"events": "model_run.completed"}, ["body", "events"], "type_error.list"),
        ({"events": ["model_run.completed", "*"]}, ["body", "events", 1], "type_error.enum"),
        ({"events": ["webhook.test"]}, ["body", "events", 0], "type_error.enum"),
    ],
)
def test_what_cannot_be_created_is_422(api: Client, changes: dict[str, Any], loc: list[Any], kind: str) -> None:
    assert_invalid(post(api, body={**BODY, **changes}), loc, kind)
    assert WebhookEndpoint.objects.count() == 0


@pytest.mark.parametrize("missing", ["url", "events"])
def test_both_keys_are_needed_and_others_ignored(api: Client, missing: str) -> None:
    assert_invalid(
        post(api, body={name: value for name, value in BODY.items() if name != missing}),
        ["body", missing],
        "value_error.missing",
    )
    assert create(api, secret="whsec_mine", enabled=False, organization="x")["enabled"] is True


def test_a_name_that_nobody_knows_yet_is_accepted(api: Client) -> None:
    assert create(api, url="https://not-there-yet.invalid/hook")["enabled"] is True


def test_an_organisation_has_a_maximum_of_webhooks(api: Client, other_api: Client, settings: Any) -> None:
    settings.WEBHOOK_MAX_PER_ORG = 2
    create(other_api)
    create(api)
    last = create(api)
    assert_invalid(post(api, body=BODY), ["body"], "value_error")
    assert api.delete(f"{HOOKS}/{last['id']}").status_code == 200
    create(api)


def test_92_a_webhook_verifies_and_a_private_target_is_refused(
    api: Client, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature, redirects and re-resolved names are tested where they are made: tests/webhooks."""
    created = create(api, url=receiver.url())
    finish(start(api))
    sending.deliver_due()
    assert [call.headers["webhook-id"] for call in receiver.calls] == [deliveries(api, created["id"])[0]["id"]]
    receiver.reply = answer(302, Location="http://127.0.0.1:1/")
    assert post(api, f"{HOOKS}/{created['id']}/test").status_code == 200
    sending.deliver_due()
    assert deliveries(api, created["id"])[0]["responseStatus"] == 302
    settings.HELIOS_WEBHOOK_ALLOW_CIDRS = ()
    for url in ("https://127.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/", "https://localhost/"):
        assert_invalid(post(api, body={**BODY, "url": url}), ["body", "url"], "value_error")
    private = socket.getaddrinfo("10.0.0.1", 443, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: private)
    assert_invalid(post(api, body={**BODY, "url": "https://internal.example/"}), ["body", "url"], "value_error")


def test_the_log_shows_what_was_answered_and_not_what_was_said(api: Client, receiver: Receiver) -> None:
    webhook = create(api, url=receiver.url(), events=["model_run.completed", "model_run.deleted"])["id"]
    finish(start(api))
    [waiting] = deliveries(api, webhook)
    assert (waiting["status"], waiting["attempts"], waiting["responseStatus"]) == ("PENDING", 0, None)
    receiver.reply = answer(503, b"busy")
    sending.deliver_due()
    [refused] = deliveries(api, webhook)
    assert (refused["status"], refused["attempts"], refused["response"]) == ("PENDING", 1, "busy")
    assert refused["nextTryAt"] > refused["lastTryAt"]
    assert "42baba59" not in json.dumps(refused)
    receiver.reply = answer(200, b"fine")
    assert post(api, f"{HOOKS}/{webhook}/deliveries/{refused['id']}/resend").json()["status"] == "PENDING"
    sending.deliver_due()
    [arrived] = deliveries(api, webhook)
    assert arrived == {
        **refused, "status": "DELIVERED", "responseStatus": 200, "response": "fine", "nextTryAt": None,
        "deliveredAt": arrived["deliveredAt"], "lastTryAt": arrived["lastTryAt"],
    }  # fmt: skip
    assert post(api, f"{HOOKS}/{webhook}/deliveries/{refused['id']}/resend").json()["deliveredAt"] is None
    sending.deliver_due()
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len(receiver.calls) == 3


def test_a_test_event_is_tried_once_and_disables_nothing(api: Client, receiver: Receiver) -> None:
    webhook = create(api, url=receiver.url())["id"]
    receiver.reply = answer(500)
    reply = post(api, f"{HOOKS}/{webhook}/test").json()
    assert (reply["event"], reply["status"]) == ("webhook.test", "PENDING")
    sending.deliver_due()
    [failed] = deliveries(api, webhook)
    assert (failed["id"], failed["status"], failed["attempts"]) == (reply["id"], "FAILED", 1)
    assert api.get(f"{HOOKS}/{webhook}").json()["enabled"] is True
    body = json.loads(receiver.calls[0].body)
    assert body["type"] == "webhook.test"
    assert body["data"]["userLabel"] is None


def test_a_disabled_webhook_says_so_and_takes_nothing(api: Client) -> None:
    webhook = create(api)["id"]
    delivery = post(api, f"{HOOKS}/{webhook}/test").json()["id"]
    services.disable_endpoint(actor=SYSTEM, endpoint_id=UUID(webhook), reason="It answered 500 for days.")
    shown = api.get(f"{HOOKS}/{webhook}").json()
    assert (shown["enabled"], shown["disabledReason"]) == (False, "It answered 500 for days.")
    for path in ("test", f"deliveries/{delivery}/resend"):
        assert_invalid(post(api, f"{HOOKS}/{webhook}/{path}"), ["path", "webhook_id"], "value_error")


def test_a_disabled_webhook_is_enabled_again_and_sends_what_waited(api: Client, receiver: Receiver) -> None:
    webhook = create(api, url=receiver.url())["id"]
    post(api, f"{HOOKS}/{webhook}/test")
    services.disable_endpoint(actor=SYSTEM, endpoint_id=UUID(webhook), reason="It answered 500 for days.")
    sending.deliver_due()
    assert receiver.calls == []
    for _ in range(2):
        shown = post(api, f"{HOOKS}/{webhook}/enable").json()
        assert shown == api.get(f"{HOOKS}/{webhook}").json()
        assert (shown["enabled"], shown["disabledReason"]) == (True, None)
    sending.deliver_due()
    assert len(receiver.calls) == 1
    [event] = AuditEvent.objects.filter(action="webhook.enabled")
    assert (event.object_id, event.actor_type, event.reason) == (webhook, "key", "enabled by the organisation")


def test_a_rotation_shows_the_new_secret_once(api: Client, settings: Any) -> None:
    created = create(api)
    rotated = post(api, f"{HOOKS}/{created['id']}/rotate").json()
    assert rotated.keys() == {"id", "secret", "previousSecretEndsAt"}
    assert rotated["secret"] != created["secret"]
    assert "secret" not in api.get(f"{HOOKS}/{created['id']}").json()
    settings.WEBHOOK_MAX_SECRETS = 2
    assert_invalid(post(api, f"{HOOKS}/{created['id']}/rotate"), ["path", "webhook_id"], "value_error")


def test_what_is_deleted_foreign_or_unknown_is_the_same_404(api: Client, other_api: Client) -> None:
    webhook = create(api)["id"]
    delivery = post(api, f"{HOOKS}/{webhook}/test").json()["id"]
    foreign = create(other_api)["id"]
    gone = create(api)["id"]
    assert api.delete(f"{HOOKS}/{gone}").json() == {"id": gone, "deleted": True}
    for hook in (foreign, gone, UNKNOWN_ID):
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("GET", "/deliveries"),
            ("POST", "/enable"), ("POST", f"/deliveries/{delivery}/resend"),
        ):  # fmt: skip
            response = api.generic(method, f"{HOOKS}/{hook}{path}")
            assert (response.status_code, response.json()) == (404, {"detail": "Not Found"}), (hook, method, path)
    assert post(api, f"{HOOKS}/{webhook}/deliveries/{UNKNOWN_ID}/resend").status_code == 404
    assert_invalid(api.get(f"{HOOKS}/x"), ["path", "webhook_id"], "type_error.uuid")
    assert_invalid(post(api, f"{HOOKS}/{webhook}/deliveries/x/resend"), ["path", "delivery_id"], "type_error.uuid")
    assert other_api.get(f"{HOOKS}/{foreign}").status_code == 200


def test_lists_come_in_pages(api: Client) -> None:
    ids = [create(api)["id"] for _ in range(3)]
    for _ in range(3):
        post(api, f"{HOOKS}/{ids[0]}/test")
    for path, total in ((HOOKS, 3), (f"{HOOKS}/{ids[0]}/deliveries", 3)):
        first = api.get(f"{path}?limit=2").json()
        second = api.get(f"{path}?limit=2&cursor={first['nextCursor']}").json()
        assert (len(first["items"]), len(second["items"]), second["nextCursor"]) == (2, 1, None)
        assert len({item["id"] for item in first["items"] + second["items"]}) == total


def test_every_act_is_audited_with_the_key_that_did_it(api: Client) -> None:
    webhook = create(api)["id"]
    delivery = post(api, f"{HOOKS}/{webhook}/test").json()["id"]
    post(api, f"{HOOKS}/{webhook}/rotate")
    post(api, f"{HOOKS}/{webhook}/deliveries/{delivery}/resend")
    api.delete(f"{HOOKS}/{webhook}")
    found = AuditEvent.objects.filter(object_type="webhook", object_id=webhook).order_by("id")
    verbs = ["created", "test_sent", "secret_rotated", "resent", "deleted"]
    assert [event.action for event in found] == [f"webhook.{verb}" for verb in verbs]
    assert {event.actor_type for event in found} == {"key"}

"""The client verifies what Helios signs, and refuses everything else."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from apps.webhooks.signing import new_secret, signed_headers
from helios_client import WebhookInvalid, verify_webhook

BODY = json.dumps(
    {"type": "model_run.completed", "timestamp": "2026-03-15T09:30:00+00:00", "data": {"id": "run-1"}}
).encode()
SECRET = new_secret()
SIGNED_AT = 1_800_000_000


def headers(*signers: str, timestamp: int = SIGNED_AT) -> dict[str, str]:
    return signed_headers("event-1", timestamp, BODY, signers or [SECRET])


def test_what_helios_signs_is_an_event() -> None:
    event = verify_webhook(BODY, headers(timestamp=int(time.time())), SECRET)
    assert (event.id, event.type, event.timestamp) == ("event-1", "model_run.completed", "2026-03-15T09:30:00+00:00")
    assert event.data == {"id": "run-1"}


def test_what_the_package_of_standard_webhooks_signs_is_one_too() -> None:
    signature = Webhook(SECRET).sign("event-1", datetime.fromtimestamp(SIGNED_AT, UTC), BODY.decode())
    sent = {"Webhook-Id": "event-1", "WEBHOOK-TIMESTAMP": str(SIGNED_AT), "webhook-signature": signature}
    assert verify_webhook(BODY, sent, SECRET, now=SIGNED_AT).id == "event-1"


def test_any_of_several_signatures_and_secrets_will_do_while_one_replaces_the_other() -> None:
    old, new = new_secret(), new_secret()
    for known in (old, new, [new, SECRET]):
        assert verify_webhook(BODY, headers(old, new), known, now=SIGNED_AT).id == "event-1"
    with_others = headers(new)
    with_others["webhook-signature"] = f"v1a,aGVsbG8= nonsense é {with_others['webhook-signature']}"
    assert verify_webhook(BODY, with_others, [old, new], now=SIGNED_AT).id == "event-1"


@pytest.mark.parametrize(("seconds", "is_taken"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_call_is_good_for_five_minutes(seconds: int, is_taken: bool) -> None:
    if is_taken:
        assert verify_webhook(BODY, headers(), SECRET, now=SIGNED_AT + seconds).id == "event-1"
    else:
        with pytest.raises(WebhookInvalid, match="too old"):
            verify_webhook(BODY, headers(), SECRET, now=SIGNED_AT + seconds)


def test_what_was_altered_is_refused() -> None:
    good = headers()
    version, _, signature = good["webhook-signature"].partition(",")
    altered = [
        (BODY + b" ", good),
        (BODY, good | {"webhook-id": "event-2"}),
        (BODY, good | {"webhook-timestamp": str(SIGNED_AT + 1)}),
        (BODY, good | {"webhook-timestamp": "soon"}),
        (BODY, good | {"webhook-signature": f"v2,{signature}"}),
        (BODY, good | {"webhook-signature": f"{version},{signature[:-4]}"}),
        (BODY, good | {"webhook-signature": ""}),
        (BODY, {name: value for name, value in good.items() if name != "webhook-signature"}),
        (BODY, headers(new_secret())),
    ]
    for body, sent in altered:
        with pytest.raises(WebhookInvalid):
            verify_webhook(body, sent, SECRET, now=SIGNED_AT)


def test_a_signed_body_that_is_no_event_is_refused() -> None:
    sent = signed_headers("event-1", SIGNED_AT, b"[]", [SECRET])
    with pytest.raises(WebhookInvalid, match="no event"):
        verify_webhook(b"[]", sent, SECRET, now=SIGNED_AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_a_secret_that_is_none_is_a_mistake_of_the_program(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and base64"):
        verify_webhook(BODY, headers(), secret, now=SIGNED_AT)

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.webhooks import services
from apps.webhooks.models import WebhookSecret
from apps.webhooks.signing import new_secret, signed_headers
from tests.receiver import Call, Receiver
from tests.webhooks.conftest import MakeEndpoint, say, send


def test_a_signature_is_that_of_the_specification() -> None:
    """The example that implementations of Standard Webhooks share."""
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_secret_adds_a_signature_in_turn() -> None:
    secrets = [new_secret(), new_secret()]
    found = signed_headers("id", 7, "ä".encode(), secrets)["webhook-signature"].split(" ")
    for secret, signature in zip(secrets, found, strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, b"id.7." + "ä".encode(), hashlib.sha256).digest()
        assert signature == "v1," + base64.b64encode(digest).decode()


def test_secrets_are_long_and_differ() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


def verified(call: Call, secret: str) -> Any:
    """The event, as a receiver with the package of Standard Webhooks reads it."""
    return Webhook(secret).verify(call.body, call.headers)


@pytest.mark.django_db
def test_the_package_of_standard_webhooks_verifies_what_is_sent_and_refuses_what_was_altered(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint: Any = make_endpoint(receiver.url())
    say(organization)
    send(endpoint)
    [call] = receiver.calls
    assert verified(call, endpoint.secret) == json.loads(call.body)
    late = str(int(call.headers["webhook-timestamp"]) - 600)
    for forged in (
        Call(call.path, call.headers, call.body.replace(b"COMPLETE_OK", b"COMPLETE_NO")),
        Call(call.path, {**call.headers, "webhook-id": "another"}, call.body),
        Call(call.path, {**call.headers, "webhook-timestamp": late}, call.body),
    ):
        with pytest.raises(WebhookVerificationError):
            verified(forged, endpoint.secret)
    with pytest.raises(WebhookVerificationError):
        verified(call, new_secret())


@pytest.mark.django_db
def test_the_package_verifies_by_either_secret_during_a_rotation_and_by_the_new_one_after_it(
    organization: Organization, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    endpoint: Any = make_endpoint(receiver.url())
    rotated = services.rotate_secret(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)
    assert rotated is not None
    new, old = rotated[0], endpoint.secret
    say(organization)
    send(endpoint)
    [call] = receiver.calls
    assert verified(call, old) == verified(call, new) == json.loads(call.body)
    WebhookSecret.objects.filter(ends_at__isnull=False).update(ends_at=timezone.now() - timedelta(seconds=1))
    endpoint.deliveries.all().delete()
    say(organization)
    send(endpoint)
    assert verified(receiver.calls[1], new)["type"] == "model_run.completed"
    with pytest.raises(WebhookVerificationError):
        verified(receiver.calls[1], old)

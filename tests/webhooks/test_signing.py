from __future__ import annotations

import base64
import hashlib
import hmac

from apps.webhooks.signing import new_secret, signed_headers


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

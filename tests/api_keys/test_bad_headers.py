"""What a real web server makes of wrong key headers, and what looking for other people's keys costs."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.api_keys.models import ApiKey
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.healos.calls import KEYS, send

pytestmark = pytest.mark.django_db


def sent_raw(server: Server, *headers: bytes) -> tuple[int, bytes]:
    """The status and the body for a request with these header lines, as they are."""
    lines = [b"GET /v1/account HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers]
    with socket.create_connection((server.host, server.port), timeout=30) as line:
        line.sendall(b"\r\n".join([*lines, b"", b""]))
        answer = b""
        while some := line.recv(65_536):
            answer += some
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@RECORDINGS
def test_one_whole_key_in_one_header_is_accepted_and_nothing_else(server: Server, make_key: MakeKey) -> None:
    good = make_key()[1].encode()
    other = make_key()[1].encode()
    assert sent_raw(server, b"x-api-key: " + good)[0] == 200
    refused = [
        (b"x-api-key: " + good, b"x-api-key: " + other),
        (b"x-api-key: " + good, b"X-API-Key: " + good),
        (b"x-api-key: " + good + b", " + good,),
        (b"x-api-key: " + b"hlsk_" + b"0" * 10_240,),
        (b"x-api-key: " + good + b"0" * 10_240,),
        (b"x-api-key: hlsk_" + b"\xe9" * 38,),
        (b"x-api-key: hlsk_" + "é".encode() * 38,),
        (b"x_api_key: " + good,),
        (b"x-api-key:",),
    ]
    for headers in refused:
        assert sent_raw(server, *headers) == (401, b'{"detail":"Invalid API key"}'), headers


def test_ids_of_foreign_and_of_no_keys_cost_the_same_work(
    organization: Organization, other_organization: Organization, make_key: MakeKey
) -> None:
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    live, revoked, expired = (make_key(organization=other_organization)[0] for _ in range(3))
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    seen = set()
    for key_id in (live.pk, revoked.pk, expired.pk, uuid4()):
        for method, tail in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
            with CaptureQueriesContext(connection) as queries:
                answer = send(client, method, f"{KEYS}/{key_id}{tail}", {})
            seen.add((answer.status_code, answer.content, len(queries)))
    assert len(seen) == 1
    assert next(iter(seen))[0] == 404

"""Leaked keys: reported by anybody, by GitHub, and found by scanners."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import github_signatures, notices, services, tokens
from apps.api_keys.models import ApiKey, KeyNotice
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.project.checkout import ROOT

pytestmark = pytest.mark.django_db
REPORT = "/api/v1/ext-api-keys/report-leak"
GITHUB = "/api/v1/secret-scanning/github"
NOT_REVOKED = {"data": {"revoked": False}}


def report(raw_key: Any, **extra: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(REPORT, {"key": raw_key}, content_type="application/json", **extra)


def call(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


@pytest.fixture
def admins(organization: Organization) -> list[str]:
    """The addresses of two admins; there are also a member, and an admin who was switched off."""
    people = [("ada", "admin", True), ("bob", "admin", True), ("carl", "member", True), ("dora", "admin", False)]
    for name, role, is_active in people:
        user = User.objects.create_user(f"{name}@example.org", is_active=is_active)
        Membership.objects.create(organization=organization, user=user, role=role)
    return ["ada@example.org", "bob@example.org"]


# -- Reports by anybody ---------------------------------------------------------------------------------


def test_healos_109_a_reported_key_is_revoked_at_once_and_its_admins_are_mailed(
    make_key: MakeKey, organization: Organization, admins: list[str]
) -> None:
    key, raw_key = make_key(name="EHR sync")
    answer = report(raw_key, REMOTE_ADDR="203.0.113.9")
    assert (answer.status_code, answer.json()) == (200, {"data": {"revoked": True}})
    assert answer.headers["Cache-Control"] == "no-store"
    assert call(raw_key) == 401
    key.refresh_from_db()
    assert key.revoked_reason == "leak_report"
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert (event.actor_type, event.organization_id, event.address) == ("system", organization.pk, "203.0.113.9")
    assert event.reason == "leak_report"

    assert notices.send_due_notices() == 1
    assert sorted(one.to[0] for one in mail.outbox) == admins
    assert all(len(one.to) == 1 for one in mail.outbox)
    text = f"{mail.outbox[0].subject}\n{mail.outbox[0].body}"
    assert mail.outbox[0].subject == f"API key {raw_key[:12]}… of Northern Clinic: revoked"
    for word in (f"{raw_key[:12]}…", "EHR sync", "reported it as leaked"):
        assert word in text
    assert raw_key[12:] not in text
    assert report(raw_key).json() == NOT_REVOKED
    assert notices.send_due_notices() == 0


def revoked(key: ApiKey) -> None:
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="earlier")


def expired(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


@pytest.mark.parametrize("peppers", [1, 3])
def test_unknown_revoked_and_expired_keys_cost_the_same_work_and_answer_alike(
    make_key: MakeKey, settings: Any, monkeypatch: pytest.MonkeyPatch, peppers: int
) -> None:
    settings.API_KEY_PEPPERS = tuple(str(number) * 32 for number in range(peppers))
    made: list[str] = []
    digest = tokens._digest

    def counted(pepper: str, raw_key: str) -> bytes:
        made.append(pepper)
        return digest(pepper, raw_key)

    monkeypatch.setattr(tokens, "_digest", counted)
    raw_keys = [tokens.generate()]
    for spoil in (revoked, expired):
        key, raw_key = make_key()
        spoil(key)
        raw_keys.append(raw_key)
    before = list(ApiKey.objects.order_by("id").values())
    costs, answers = [], []
    for raw_key in raw_keys:
        made.clear()
        with CaptureQueriesContext(connection) as queries:
            answers.append(report(raw_key).content)
        first_work = [one["sql"] for one in queries if "api_keys_apikey" in one["sql"]]
        costs.append((len(first_work), len(made)))
    assert costs == [(1, peppers)] * 3
    assert answers == [b'{"data":{"revoked":false}}'] * 3
    assert list(ApiKey.objects.order_by("id").values()) == before
    seen = AuditEvent.objects.filter(action="api_key.leak_seen").values_list("object_id", flat=True)
    assert set(seen) == {str(row["id"]) for row in before}


@pytest.mark.parametrize("raw_key", ["hlsk_wrong", "hlsk_" + "0" * 38, "x", "hlsk_" + "é" * 38, "' OR 1=1 --"])
def test_what_is_no_key_costs_no_query(raw_key: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = report(raw_key)
    assert (answer.status_code, answer.json(), len(queries)) == (200, NOT_REVOKED, 0)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"key": ["Required"]}),
        ({"key": 5}, {"key": ["Expected string, received number"]}),
        ({"key": ""}, {"key": ["String must contain at least 1 character(s)"]}),
        ({"key": "x" * 10_240}, {"key": ["String must contain at most 1000 character(s)"]}),
        ({"key": "x", "organization": "y"}, {"organization": ["Unrecognized key(s) in object: 'organization'"]}),
    ],
)
def test_a_malformed_report_is_named(body: Any, details: Any) -> None:
    answer = Client().post(REPORT, body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"error": "Validation error", "details": details})


def test_reports_are_limited_by_address(make_key: MakeKey, settings: Any) -> None:
    settings.RATE_LIMIT_LEAK_REPORTS = Rate(3, 60)
    raw_key = make_key()[1]
    statuses = [report(tokens.generate()).status_code for _ in range(3)]
    held = report(raw_key)
    assert (statuses, held.status_code) == ([200] * 3, 429)
    assert 1 <= int(held.headers["Retry-After"]) <= 60
    assert call(raw_key) == 200
    assert report(raw_key, REMOTE_ADDR="198.51.100.7").json() == {"data": {"revoked": True}}


def test_a_key_in_its_grace_period_is_live(make_key: MakeKey) -> None:
    key, raw_key = make_key()
    successor, new_raw_key = services.rotate_key(actor=SYSTEM, key_id=key.pk, grace_seconds=60)
    assert report(raw_key).json() == {"data": {"revoked": True}}
    assert [call(raw_key), call(new_raw_key)] == [401, 200]
    assert successor.revoked_at is None


# -- GitHub's partner protocol --------------------------------------------------------------------------


class GitHub:
    """Signs batches as GitHub does, and publishes its keys in a file."""

    def __init__(self, file: Any) -> None:
        self.file, self.private = file, ec.generate_private_key(ec.SECP256R1())
        self.publish("key-1")

    def publish(self, identifier: str, private: Any = None) -> None:
        public = (private or self.private).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        entry = {"key_identifier": identifier, "key": pem.decode(), "is_current": True}
        self.file.write_text(json.dumps({"public_keys": [entry]}))

    def sign(self, raw: bytes) -> str:
        return base64.b64encode(self.private.sign(raw, ec.ECDSA(hashes.SHA256()))).decode()

    def send(self, batch: Any, *, raw: bytes | None = None, identifier: str = "key-1", signature: str = "") -> Any:
        body = json.dumps(batch).encode()
        headers = {
            "github-public-key-identifier": identifier,
            "github-public-key-signature": signature or self.sign(body),
        }
        client = Client(enforce_csrf_checks=True)
        sent = body if raw is None else raw
        return client.generic("POST", GITHUB, sent, content_type="application/json", headers=headers)


@pytest.fixture
def github(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    settings.LEAK_GITHUB_ENABLED = True
    settings.LEAK_GITHUB_KEYS_FILE = str(tmp_path / "keys.json")
    monkeypatch.setattr(github_signatures, "public_keys", github_signatures.PublicKeys())
    return GitHub(tmp_path / "keys.json")


def token(raw_key: str, **changes: Any) -> dict[str, Any]:
    place = {"type": "helios_api_key", "url": "https://github.com/o/r/blob/1/a.py", "source": "commit"}
    return {"token": raw_key, **place, **changes}


def test_healos_110_a_signed_batch_revokes_audits_mails_and_labels(
    github: GitHub, make_key: MakeKey, admins: list[str]
) -> None:
    (one, raw_one), (two, raw_two) = make_key(name="one"), make_key(name="two")
    revoked(two)
    unknown = tokens.generate()
    answer = github.send([token(raw_one), token(raw_two, url=""), token(unknown), token("nonsense", source="novel")])
    assert answer.status_code == 200
    labels = {entry["token_hash"]: entry["label"] for entry in answer.json()}
    named = {
        raw_one: "true_positive",
        raw_two: "true_positive",
        unknown: "false_positive",
        "nonsense": "false_positive",
    }
    assert labels == {hashlib.sha256(raw.encode()).hexdigest(): label for raw, label in named.items()}
    assert {entry["token_type"] for entry in answer.json()} == {"helios_api_key"}
    assert all(set(entry) == {"token_hash", "token_type", "label"} for entry in answer.json())
    assert call(raw_one) == 401
    one.refresh_from_db()
    assert one.revoked_reason == "github_secret_scanning"
    event = AuditEvent.objects.get(action="api_key.revoked", object_id=str(one.pk))
    assert event.reason == "github_secret_scanning, found at GitHub commit https://github.com/o/r/blob/1/a.py"
    notices.send_due_notices()
    assert any("found at: GitHub commit https://github.com/o/r/blob/1/a.py" in sent.body for sent in mail.outbox)


def test_a_place_that_holds_the_key_is_stored_without_it(github: GitHub, make_key: MakeKey) -> None:
    _, raw_key = make_key()
    github.send([token(raw_key, url=f"https://x.example/?k={raw_key}", source="a\x00b")])
    assert KeyNotice.objects.get().detail == "GitHub https://x.example/?k=hlsk_[redacted]"


def test_healos_110_nothing_is_revoked_without_a_true_signature(
    github: GitHub, make_key: MakeKey, tmp_path: Any
) -> None:
    _, raw_key = make_key()
    batch = [token(raw_key)]
    body = json.dumps(batch).encode()
    stranger = GitHub(tmp_path / "elsewhere.json")
    refused = [
        github.send(batch, signature=stranger.sign(body)),
        github.send(batch, signature=github.sign(b"[]")),
        github.send(batch, raw=body + b" "),
        github.send(batch, identifier="key-2"),
        github.send(batch, identifier=""),
        github.send(batch, signature="not base64"),
        github.send(batch, signature=base64.b64encode(b"not der").decode()),
        Client().post(GITHUB, batch, content_type="application/json"),
    ]
    assert [(answer.status_code, answer.json()) for answer in refused] == [(401, {"error": "Invalid signature"})] * 8
    assert call(raw_key) == 200


@pytest.mark.parametrize("batch", [{}, None, "x", 5])
def test_a_signed_body_that_is_no_array_is_a_400(github: GitHub, batch: Any) -> None:
    assert github.send(batch).status_code == 400
    assert github.send(batch, raw=b"[", signature=github.sign(b"[")).json() == {"error": "Invalid JSON body"}


def test_items_of_another_form_are_passed_over(github: GitHub, make_key: MakeKey) -> None:
    _, raw_key = make_key()
    answer = github.send([1, None, [], {}, {"token": 5}, {"token": raw_key}])
    assert [entry["label"] for entry in answer.json()] == ["true_positive"]
    assert call(raw_key) == 401


def test_a_large_batch_costs_a_query_for_five_hundred_tokens(github: GitHub, make_key: MakeKey) -> None:
    _, raw_key = make_key()
    batch = [token(tokens.generate()) for _ in range(1200)] + [token(raw_key)]
    with CaptureQueriesContext(connection) as queries:
        answer = github.send(batch)
    assert len(answer.json()) == 1201
    assert call(raw_key) == 401
    assert len([one for one in queries if "digest" in one["sql"] and one["sql"].startswith("SELECT")]) <= 4
    too_large = github.send([], raw=b" " * (10 * 2**20 + 1))
    assert too_large.status_code == 400


def test_keys_are_looked_up_again_for_an_unknown_name_but_at_most_once_a_minute(
    github: GitHub, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    assert github.send([]).status_code == 200
    github.publish("key-2")
    assert github.send([], identifier="key-2").status_code == 401
    clock[0] += 60
    assert github.send([], identifier="key-2").status_code == 200


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"public_keys": [{}]}', '{"public_keys": [{"key_identifier": 1, "key": "x"}]}']
)
def test_keys_that_cannot_be_read_let_nobody_in(github: GitHub, text: str) -> None:
    github.file.write_text(text)
    assert github.send([]).status_code == 401


def test_a_key_on_another_curve_lets_nobody_in(github: GitHub) -> None:
    github.private = ec.generate_private_key(ec.SECP384R1())
    github.publish("key-1")
    assert github.send([]).status_code == 401


@pytest.fixture
def website(github: GitHub) -> Iterator[str]:
    """Serves GitHub's keys over HTTP at /keys, and sends /elsewhere there."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/keys" else 302)
            self.send_header("Location", "/keys")
            self.end_headers()
            if self.path == "/keys":
                self.wfile.write(github.file.read_bytes())

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("path", "status"), [("/keys", 200), ("/elsewhere", 401)])
def test_keys_come_from_the_address_without_following_redirects(
    github: GitHub, website: str, settings: Any, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    settings.LEAK_GITHUB_KEYS_FILE = ""
    settings.LEAK_GITHUB_KEYS_URL = f"{website}{path}"
    assert github.send([]).status_code == status


def test_switched_off_there_is_no_such_path(github: GitHub, settings: Any) -> None:
    settings.LEAK_GITHUB_ENABLED = False
    assert (github.send([]).status_code, github.send([]).json()) == (404, {"error": "Not found"})


# -- Scanners -------------------------------------------------------------------------------------------


@pytest.fixture
def rule() -> Callable[[str], list[str]]:
    (found,) = tomllib.loads((ROOT / "docs" / "gitleaks.toml").read_text())["rules"]
    assert found["secretGroup"] == 1
    assert found["keywords"] == [tokens.PREFIX]
    pattern = re.compile(found["regex"])
    return lambda text: [match[found["secretGroup"]] for match in pattern.finditer(text)]


def test_the_gitleaks_rule_finds_every_generated_key(rule: Callable[[str], list[str]], settings: Any) -> None:
    for length in (32, 43):
        settings.API_KEY_RANDOM_CHARS = length
        raw_keys = [tokens.generate() for _ in range(200)]
        for frame in ("{}", 'KEY="{}"', "x-api-key: {}\n", "https://x.example/?k={}&b=1", "{{'key': '{}'}}", "({}),"):
            assert [rule(frame.format(raw_key)) for raw_key in raw_keys] == [[raw_key] for raw_key in raw_keys]


@pytest.mark.parametrize(
    "text", ["hlsk_", "hlsk_short", "hlsk_9f3kT2a…", "hlsk_[redacted]", "hlsk_" + "0" * 60, "x" * 80]
)
def test_the_gitleaks_rule_leaves_the_rest_alone(rule: Callable[[str], list[str]], text: str) -> None:
    assert rule(text) == []

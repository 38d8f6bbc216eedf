"""Who may call `/ext-api/v1`, in which form, and what every reply has in common. Numbers are the contract's lines."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.api_keys.models import ApiKey
from apps.api_keys.services import revoke_key
from apps.api_keys.tokens import generate
from tests.conftest import MakeKey
from tests.contract.healos.calls import EVENTS, EXPORT, EXT, GETS, OWN_KEY, content_of, send, with_key

pytestmark = pytest.mark.django_db
MISSING = b'{"error":"Missing API key"}'
REFUSED = b'{"error":"Invalid or expired API key"}'
NO_SCOPE = {"error": "Insufficient scope"}
METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")


# -- Authentication -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_healos_1_15_without_a_key_401(method: str) -> None:
    for path in (*GETS, f"{EXT}/nothing", f"{EXT}/"):
        answer = send(Client(), method, path)
        assert (answer.status_code, answer.content) == (401, MISSING)
        assert answer["WWW-Authenticate"] == "ApiKey"
        assert answer["Content-Type"] == "application/json"


def revoked(key: ApiKey) -> None:
    revoke_key(actor=SYSTEM, key_id=key.pk, reason="test")


def expired(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def superseded(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(grace_ends_at=timezone.now())


def elsewhere(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(allowed_cidrs=["198.51.100.0/24"])


def switched_off(key: ApiKey) -> None:
    Organization.objects.filter(pk=key.organization_id).update(is_active=False)


@pytest.mark.parametrize("spoil", [revoked, expired, superseded, elsewhere, switched_off])
def test_healos_2_to_5_from_the_next_request_on_a_refused_key_is_answered_as_a_wrong_one(
    make_key: MakeKey, spoil: Callable[[ApiKey], None]
) -> None:
    key, raw_key = make_key()
    assert with_key(raw_key).get(OWN_KEY).status_code == 200
    spoil(key)
    for refused in (raw_key, "hlsk_wrong", generate()):
        for path in (*GETS, f"{EXT}/nothing"):
            answer = with_key(refused).get(path)
            assert (answer.status_code, answer.content) == (401, REFUSED)
            assert answer["WWW-Authenticate"] == "ApiKey"


def test_healos_6_a_key_elsewhere_than_in_its_header_is_none(make_key: MakeKey) -> None:
    raw_key = make_key()[1]
    client = Client()
    client.cookies["x-api-key"] = raw_key
    for headers in ({"authorization": f"Bearer {raw_key}"}, {"authorization": raw_key}, {"api-key": raw_key}, {}):
        answer = client.get(f"{OWN_KEY}?x-api-key={raw_key}&api_key={raw_key}", headers=headers)
        assert (answer.status_code, answer.content) == (401, MISSING)


@pytest.mark.django_db(transaction=True)
def test_healos_7_102_on_the_wire_any_letter_case_will_do_but_neither_two_keys_nor_a_long_or_foreign_one(
    live_server: Any, make_key: MakeKey
) -> None:
    raw_key = make_key()[1]

    def ask(*headers: tuple[str, str]) -> tuple[int, bytes]:
        caller = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=10)
        caller.putrequest("GET", OWN_KEY)
        for name, value in headers:
            caller.putheader(name, value)
        caller.endheaders()
        response = caller.getresponse()
        seen = (response.status, response.read())
        caller.close()
        return seen

    for name in ("x-api-key", "X-API-Key", "X-API-KEY", "x-Api-kEy"):
        assert ask((name, raw_key))[0] == 200
    for headers in (
        (("X-API-Key", raw_key), ("X-API-Key", raw_key)),
        (("X-API-Key", raw_key), ("x-api-key", "x")),
        (("X-API-Key", "hlsk_" + "0" * 10_240),),
        (("X-API-Key", "hlsk_é" + "0" * 37),),
        (("X-API-Key", f"{raw_key} {raw_key}"),),
    ):
        assert ask(*headers) == (401, REFUSED)


@pytest.mark.parametrize(
    "header",
    ["x" * 10_240, "hlsk_" + "0" * 10_240, "hlsk_" + "é" * 38, "hlsk_" + "0" * 32 + "2wUdfn", "hlsk_\x00", "a, b"],
)
def test_healos_102_a_malformed_key_costs_no_query(header: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get(EVENTS, HTTP_X_API_KEY=header)
    assert (answer.status_code, answer.content, len(queries)) == (401, REFUSED, 0)


def test_healos_103_a_valid_key_costs_one_query(api: Client) -> None:
    api.get(OWN_KEY)  # notes its use
    with CaptureQueriesContext(connection) as queries:
        assert api.get(OWN_KEY).status_code == 200
    assert len(queries) == 1


# -- Scopes -------------------------------------------------------------------------------------------


def test_healos_8_a_key_with_every_scope_may_call_everything(api: Client) -> None:
    assert [api.get(path).status_code for path in GETS] == [200, 200, 200]


def test_healos_13_15_a_key_may_do_what_its_scopes_say(make_key: MakeKey) -> None:
    reader = with_key(make_key(scopes=["audit:read"])[1])
    others = with_key(make_key(scopes=["patients:read", "notes:read", "webhooks:write", "model_runs:read"])[1])
    assert [reader.get(path).status_code for path in GETS] == [200, 200, 200]
    assert others.get(OWN_KEY).status_code == 200
    for path in (EVENTS, EXPORT):
        answer = others.get(path)
        assert (answer.status_code, answer.json()) == (403, NO_SCOPE)


def test_healos_25_a_key_without_scopes_is_refused_everywhere(make_key: MakeKey) -> None:
    key, raw_key = make_key()
    ApiKey.objects.filter(pk=key.pk).update(scopes=[])
    assert [with_key(raw_key).get(path).status_code for path in GETS] == [403, 403, 403]


def test_healos_14_the_scope_is_judged_before_the_query(make_key: MakeKey) -> None:
    raw_key = make_key(scopes=["patients:read"])[1]
    assert with_key(raw_key).get(EVENTS, {"page": "0", "key_id": "x"}).status_code == 403


def test_a_missing_scope_is_on_the_record_once_a_minute(make_key: MakeKey) -> None:
    key, raw_key = make_key(scopes=["patients:read"])
    for _ in range(3):
        with_key(raw_key).get(EVENTS, REMOTE_ADDR="203.0.113.5")
    event = AuditEvent.objects.get(action="api_key.refused")
    assert (event.reason, event.object_id, event.address) == ("missing scope: audit:read", str(key.pk), "203.0.113.5")
    assert not AuditEvent.objects.filter(action="audit_event.listed").exists()


# -- Form ---------------------------------------------------------------------------------------------


def test_healos_10_101_head_is_a_get_without_a_body(api: Client) -> None:
    for path in GETS:
        answer = api.head(path)
        assert (answer.status_code, content_of(answer)) == (200, b"")
        assert "X-RateLimit-Remaining" in answer.headers
        refused = Client().head(path)
        assert (refused.status_code, refused.content) == (401, b"")


def test_healos_54_101_a_method_that_is_missing_is_405_before_the_scope(make_key: MakeKey) -> None:
    client = with_key(make_key(scopes=["patients:read"])[1])
    for path in GETS:
        for method in METHODS:
            answer = send(client, method, path, {})
            assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"}), method
            assert sorted(answer["Allow"].split(", ")) == ["GET", "HEAD"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_healos_97_an_unknown_path_is_404(api: Client, method: str) -> None:
    for path in (None, "nothing", "", "key/x", "audit-events/1", "%00", "a%0Ab", "//", "é"):
        answer = send(api, method, f"{EXT}/{path}" if path is not None else EXT)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert answer.content == (b"" if method == "HEAD" else b'{"error":"Not found"}')


def test_healos_97_a_fault_is_a_500_without_trace(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.api_keys.audit_events.selectors.list_events", break_down)
    api.raise_request_exception = False
    answer = api.get(EVENTS)
    assert (answer.status_code, answer.content) == (500, b'{"error":"Internal server error"}')
    assert answer["Content-Type"] == "application/json"
    assert answer["X-RateLimit-Limit"] == "100"


def test_a_host_that_is_not_ours_is_a_400_of_the_family(api: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["helios.example.org"]
    answer = api.get(OWN_KEY, headers={"host": "evil.example"})
    assert (answer.status_code, answer.content) == (400, b'{"error":"Bad request"}')


def test_healos_98_100_replies_are_json_without_the_frameworks_words(api: Client, make_key: MakeKey) -> None:
    weak = with_key(make_key(scopes=["patients:read"])[1])
    answers = [
        api.get(OWN_KEY), api.get(EVENTS), api.get(EVENTS, {"page": "x"}), weak.get(EVENTS), Client().get(EVENTS),
        api.get(f"{EXT}/nothing"), api.post(EVENTS), api.get(EXPORT, {"from": "x"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 200, 400, 403, 401, 404, 405, 400]
    for answer in answers:
        assert answer["Content-Type"] == "application/json"
        assert answer.json().keys() & {"detail", "count", "results", "next", "previous"} == set()


def test_healos_99_a_slash_at_the_end_answers_without_a_redirect(api: Client) -> None:
    for path in GETS:
        assert api.get(f"{path}/").status_code == 200
        assert send(api, "POST", f"{path}/").status_code == 405


def test_healos_112_accept_and_format_have_no_say(api: Client) -> None:
    for accept in ("text/html", "application/xml", "image/png", ""):
        for path, status in ((OWN_KEY, 200), (EVENTS, 200), (f"{EXT}/nothing", 404)):
            answer = api.get(f"{path}?format=xml", headers={"accept": accept})
            assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")


def test_no_cors_headers(api: Client) -> None:
    answer = api.get(OWN_KEY, headers={"origin": "https://example.org"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_session_is_no_key(organization: Organization, admin: Client) -> None:
    answer = admin.get(EVENTS)
    assert (answer.status_code, answer.content) == (401, MISSING)

"""`Idempotency-Key` in both families: the work is done once, and the reply is the first one."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from django.utils import timezone
from psycopg.errors import DiskFull

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys.models import ApiKey
from apps.model_runs import services as runs
from apps.model_runs.models import ModelRun
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from helios_site import celery
from helios_site.api.families import idempotency
from helios_site.models import IdempotentReply
from tests.budgets.test_helios_queries import AUDIT, KEY, statements
from tests.conftest import MakeKey
from tests.contract.healos.conftest import session_of
from tests.contract.helios.calls import RUNS, minimal_body

pytestmark = pytest.mark.django_db
HOOKS, KEYS = "/v1/webhooks", "/api/v1/ext-api-keys"
HOOK = {"url": "https://93.184.216.34/hook", "events": ["model_run.completed"]}
NEW_KEY = {"name": "EHR sync", "scopes": ["model_runs:read"]}


@pytest.fixture
def person(organization: Organization) -> Client:
    """The session of an admin."""
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return session_of(user)


def post(client: Client, path: str = RUNS, body: Any = None, key: str = "key-1", **extra: Any) -> Any:
    content = json.dumps(minimal_body() if body is None else body)
    return client.generic(
        "POST", path, content, content_type="application/json", headers={"Idempotency-Key": key}, **extra
    )


def is_replay(response: Any) -> bool:
    return bool(response.headers.get("Idempotent-Replayed") == "true")


# -- the same call once more --------------------------------------------------------------------------------


def test_the_same_call_is_done_once_and_answered_alike(api: Client) -> None:
    first = post(api)
    second = post(api)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert (is_replay(first), is_replay(second)) == (False, True)
    assert second.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert second.headers["Cache-Control"] == "no-store"
    assert ModelRun.objects.count() == 1


def test_a_replay_counts_in_the_limit_and_is_audited_as_one(api: Client) -> None:
    first = post(api)
    second = post(api)
    left = [int(reply.headers["X-RateLimit-Remaining"]) for reply in (first, second)]
    assert left[1] == left[0] - 1
    run_id = first.json()["id"]
    events = AuditEvent.objects.filter(object_id=run_id).order_by("id").values_list("action", "actor_type", "path")
    assert list(events) == [("model_run.created", "key", RUNS), ("request.replayed", "key", RUNS)]


def test_without_the_header_every_call_is_a_new_one(api: Client) -> None:
    for _ in range(2):
        assert api.post(RUNS, minimal_body(), content_type="application/json").status_code == 200
    assert ModelRun.objects.count() == 2
    assert IdempotentReply.objects.count() == 0


def test_other_keys_paths_and_organisations_are_other_calls(api: Client, other_api: Client) -> None:
    ids = [post(client, key=key).json()["id"] for client in (api, other_api) for key in ("a", "b")]
    assert len(set(ids)) == 4
    hook = api.post(HOOKS, HOOK, content_type="application/json").json()["id"]
    tests = [post(api, f"{HOOKS}/{hook}/test", key="a").json()["id"] for _ in range(2)]
    assert tests[0] == tests[1] not in ids
    assert WebhookDelivery.objects.count() == 1


def test_what_waits_for_the_commit_happens_once(api: Client, django_capture_on_commit_callbacks: Any) -> None:
    hook = api.post(HOOKS, HOOK, content_type="application/json").json()["id"]
    for number in (1, 0):
        with django_capture_on_commit_callbacks() as bells:
            assert post(api, f"{HOOKS}/{hook}/test", {}).status_code == 200
        assert len(bells) == number


def test_with_a_slash_it_is_the_same_path_and_another_key_of_the_organisation_is_the_same_caller(
    api: Client, make_key: MakeKey
) -> None:
    first = post(api)
    second = post(Client(headers={"x-api-key": make_key()[1]}), f"{RUNS}/")
    assert (second.content, is_replay(second)) == (first.content, True)


def test_other_methods_do_not_look_at_the_header(api: Client) -> None:
    run_id = post(api).json()["id"]
    for method in ("GET", "DELETE"):
        headers = {"Idempotency-Key": "ä" * 300}
        assert api.generic(method, f"{RUNS}/{run_id}", headers=headers).status_code == 200


# -- bodies ---------------------------------------------------------------------------------------------------


def test_another_body_under_the_same_key_is_422_in_both_families(api: Client, person: Client) -> None:
    post(api)
    other = post(api, body=minimal_body(language="en-US"))
    assert (other.status_code, other.json()) == (
        422,
        {"detail": "This Idempotency-Key was used for another body. Use a new one."},
    )
    post(person, KEYS, {"name": ""})
    other = post(person, KEYS, NEW_KEY)
    assert (other.status_code, other.json()) == (
        422,
        {"error": "This Idempotency-Key was used for another body. Use a new one."},
    )
    assert (ModelRun.objects.count(), ApiKey.objects.filter(created_by__isnull=False).count()) == (1, 0)


def test_an_ignored_body_counts_as_well(api: Client) -> None:
    hook = api.post(HOOKS, HOOK, content_type="application/json").json()["id"]
    first = post(api, f"{HOOKS}/{hook}/test", {"a": 1})
    assert post(api, f"{HOOKS}/{hook}/test", {"a": 1}).content == first.content
    assert post(api, f"{HOOKS}/{hook}/test", {"a": 2}).status_code == 422


def test_a_body_above_the_limit_is_refused_unread_and_nothing_is_kept(api: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    for _ in range(2):
        refused = post(api)
        assert (refused.status_code, is_replay(refused)) == (422, False)
    assert IdempotentReply.objects.count() == 0


class Broken(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise ConnectionResetError


@pytest.mark.parametrize(("path", "status"), [(RUNS, 422), (KEYS, 400)])
def test_a_body_that_ends_early_does_nothing(api: Client, person: Client, path: str, status: int) -> None:
    client = api if path == RUNS else person
    extra: dict[str, Any] = {"wsgi.input": Broken(), "CONTENT_LENGTH": "100"}
    assert post(client, path, **extra).status_code == status
    assert IdempotentReply.objects.count() == 0


# -- the header -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "  ", "ä", "a\x7fb", "a\tb", "a" * 256, "€"])
def test_a_wrong_header_is_refused_in_the_families_formats(api: Client, person: Client, key: str) -> None:
    refused = post(api, key=key)
    assert refused.status_code == 422
    assert refused.json() == {
        "detail": [
            {
                "loc": ["header", "idempotency-key"],
                "msg": "must have 1 to 255 printable ASCII characters",
                "type": "value_error",
            }
        ]
    }
    refused = post(person, KEYS, NEW_KEY, key)
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "Validation error",
        "details": {"idempotency-key": ["String must have 1 to 255 printable ASCII characters"]},
    }
    assert (ModelRun.objects.count(), IdempotentReply.objects.count()) == (0, 0)


@pytest.mark.parametrize("key", ["a", "a" * 255, "two words", '"8e03978e-40d5"', "~!@#"])
def test_255_printable_characters_are_taken(api: Client, key: str) -> None:
    assert post(api, key=key).content == post(api, key=f" {key} ").content
    assert ModelRun.objects.count() == 1


def test_who_may_not_call_is_told_so_before_the_header_is_looked_at(api: Client, make_key: MakeKey) -> None:
    post(api)
    assert post(Client()).status_code == 401
    assert post(Client(headers={"x-api-key": make_key(scopes=["model_runs:read"])[1]})).status_code == 403
    assert post(api, f"{HOOKS}/x/test", key="").json()["detail"][0]["loc"] == ["path", "webhook_id"]
    assert post(api, f"{RUNS}/{UUID(int=1)}", key="").status_code == 405
    assert IdempotentReply.objects.count() == 1


def test_calls_without_a_caller_do_not_look_at_the_header(db: None) -> None:
    for key in ("", "a", "a"):
        reply = post(Client(), f"{KEYS}/report-leak", {"key": "hlsk_nobody"}, key)
        assert (reply.status_code, is_replay(reply)) == (200, False)


# -- what is kept ---------------------------------------------------------------------------------------------


def test_a_refusal_is_kept_and_repeated(api: Client, person: Client) -> None:
    wrong = minimal_body(language="xx-XX")
    first, second = post(api, body=wrong), post(api, body=wrong)
    assert (second.status_code, second.content, is_replay(second)) == (422, first.content, True)
    first, second = (post(person, f"{KEYS}/{UUID(int=1)}/rotate", {}) for _ in range(2))
    assert (second.status_code, second.content, is_replay(second)) == (404, first.content, True)
    assert AuditEvent.objects.filter(action="request.replayed").count() == 2


def test_429_is_not_kept(api: Client, make_key: MakeKey) -> None:
    slow = Client(headers={"x-api-key": make_key(rate_limit_per_minute=1)[1]})
    assert post(slow).status_code == 200
    limited = post(slow, key="key-2")
    assert limited.status_code == 429
    assert post(api, key="key-2").status_code == 200
    assert ModelRun.objects.count() == 2


def test_what_ends_in_5xx_is_undone_and_may_be_tried_again(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = runs.create_run

    def full(**fields: Any) -> ModelRun:
        real(**fields)
        raise OperationalError from DiskFull()

    def bug(**fields: Any) -> ModelRun:
        real(**fields)
        raise ZeroDivisionError

    api.raise_request_exception = False
    for broken, status in ((full, 507), (bug, 500)):
        monkeypatch.setattr(runs, "create_run", broken)
        assert post(api).status_code == status
        assert (ModelRun.objects.count(), IdempotentReply.objects.count()) == (0, 0)
    monkeypatch.setattr(runs, "create_run", real)
    again = post(api)
    assert (again.status_code, is_replay(again)) == (200, False)


def test_a_reply_is_kept_for_24_hours(api: Client) -> None:
    first, now = post(api), timezone.now()
    with time_machine.travel(now + timedelta(hours=23, minutes=59), tick=False):
        assert post(api).content == first.content
        assert idempotency.remove_old_replies() == 0
    with time_machine.travel(now + timedelta(hours=24, seconds=1), tick=False):
        again = post(api, body=minimal_body(language="en-US"))
        assert (again.status_code, is_replay(again)) == (200, False)
        assert again.json()["id"] != first.json()["id"]
        assert is_replay(post(api, body=minimal_body(language="en-US")))
        post(api, key="key-2")
    with time_machine.travel(now + timedelta(hours=49), tick=False):
        assert idempotency.remove_old_replies() == 2
    assert IdempotentReply.objects.count() == 0


def test_beat_removes_what_is_old() -> None:
    celery.app.finalize()
    celery.app.loader.import_default_modules()
    assert "helios.housekeeping.remove_old_replies" in celery.app.conf.beat_schedule
    assert "helios.housekeeping.remove_old_replies" in celery.app.tasks


# -- secrets, and what must not stay --------------------------------------------------------------------------


def everything_kept() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(reply)::text, encode(encrypted, 'escape') FROM helios_site_idempotentreply reply"
        )
        return str(cursor.fetchall())


def test_a_reply_with_a_secret_is_not_kept_and_its_repetition_says_why(api: Client, person: Client) -> None:
    hook = post(api, HOOKS, HOOK)
    rotated = post(api, f"{HOOKS}/{hook.json()['id']}/rotate", {})
    secrets = [hook.json()["secret"], rotated.json()["secret"]]
    for path, body in ((HOOKS, HOOK), (f"{HOOKS}/{hook.json()['id']}/rotate", {})):
        again = post(api, path, body)
        assert again.status_code == 409
        assert "secrets are not stored" in again.json()["detail"]
        assert hook.json()["id"] in again.json()["detail"]
    issued = post(person, KEYS, NEW_KEY)
    replaced = post(person, f"{KEYS}/{issued.json()['data']['id']}/rotate", {})
    secrets += [issued.json()["data"]["key"], replaced.json()["data"]["key"]]
    for path, body, made in (
        (KEYS, NEW_KEY, issued),
        (f"{KEYS}/{issued.json()['data']['id']}/rotate", {}, replaced),
    ):
        again = post(person, path, body)
        assert again.status_code == 409
        assert made.json()["data"]["id"] in again.json()["error"]
        assert post(person, path, body | {"name": "other"}).status_code == 422
    assert WebhookEndpoint.objects.count() == 1
    assert ApiKey.objects.filter(created_by__isnull=False).count() == 2
    assert IdempotentReply.objects.filter(encrypted__isnull=True).count() == 4
    kept = everything_kept()
    assert [secret for secret in secrets if secret.removeprefix("whsec_")[:24] in kept] == []


def test_replies_and_keys_are_not_stored_in_the_clear(api: Client) -> None:
    reply = post(api, key="key-canary")
    kept = everything_kept()
    assert reply.json()["id"] in kept  # by which it is found when the run is erased
    assert reply.json()["recordingUploadUrl"][-40:] not in kept
    assert "key-canary" not in kept


def test_a_reply_that_can_no_longer_be_decrypted_is_not_done_again(api: Client, settings: Any) -> None:
    post(api)
    settings.HELIOS_ENCRYPTION_KEYS = ["another key of at least 32 bytes here"]
    assert post(api).status_code == 409
    assert ModelRun.objects.count() == 1


def test_what_is_erased_takes_its_replies_along(api: Client, organization: Organization) -> None:
    deleted, erased, abandoned, kept = (post(api, key=key).json()["id"] for key in "abcd")
    long_ago = timezone.now() - timedelta(days=400)
    ModelRun.objects.filter(id=erased).update(
        status="COMPLETE_ERROR",
        error_code="ERR_INTERNAL",
        run_at=long_ago,
        completed_at=long_ago,
        delete_data=True,
        data_to_delete=["INPUTS"],
    )
    ModelRun.objects.filter(id=abandoned).update(created_at=long_ago)
    assert api.delete(f"{RUNS}/{deleted}").status_code == 200
    assert runs.erase_due_data() == 1
    assert runs.remove_leftovers()["abandoned_runs"] == 1
    assert list(IdempotentReply.objects.values_list("object_ids", flat=True)) == [[kept]]
    hook = post(api, HOOKS, HOOK).json()["id"]
    test = post(api, f"{HOOKS}/{hook.upper()}/test", {})
    assert IdempotentReply.objects.get(object_ids__contains=[test.json()["id"]]).object_ids[1:] == [hook]
    assert api.delete(f"{HOOKS}/{hook}").status_code == 200
    assert IdempotentReply.objects.count() == 1
    runs.delete_run(actor=SYSTEM, organization_id=organization.id, run_id=UUID(kept))
    assert IdempotentReply.objects.count() == 0


# -- what it costs --------------------------------------------------------------------------------------------


def test_a_call_without_the_header_costs_no_statement_more(api: Client) -> None:
    plain = [KEY, "INSERT model_runs_modelrun", AUDIT]
    body = json.dumps(minimal_body())
    assert statements(api, "POST", RUNS, body) == plain
    api.defaults["HTTP_IDEMPOTENCY_KEY"] = "key-1"
    found = statements(api, "POST", RUNS, body)
    assert len(found) == len(plain) + 3
    assert found[2:] == ["SELECT helios_site_idempotentreply", *plain[1:], "INSERT helios_site_idempotentreply"]
    assert len(statements(api, "POST", RUNS, body)) == 4

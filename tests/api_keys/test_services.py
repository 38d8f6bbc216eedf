"""Issuing, changing and revoking keys, and what the audit trail says of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.audit import SYSTEM, by_user
from apps.accounts.models import AuditEvent, Organization, User
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey

pytestmark = pytest.mark.django_db
Issue = Callable[..., tuple[ApiKey, str]]


def events(key: ApiKey) -> list[tuple[str, str]]:
    rows = AuditEvent.objects.filter(object_type="api_key", object_id=str(key.pk)).order_by("id")
    return [(row.action, row.reason) for row in rows]


def test_an_issued_key_is_stored_as_digest_and_prefix_only(make_key: Issue) -> None:
    key, raw_key = make_key(name=" EHR sync ", scopes=["model_runs:write", "model_runs:read"])
    key.refresh_from_db()
    assert bytes(key.digest) == tokens.digest(raw_key)
    assert len(bytes(key.digest)) == 32
    assert key.key_prefix == raw_key[:12]
    assert (key.name, key.scopes) == ("EHR sync", ["model_runs:read", "model_runs:write"])
    assert key.pepper_version == tokens.pepper_version()
    assert events(key) == [("api_key.created", "model_runs:read, model_runs:write")]


def test_healos_20_the_raw_key_is_nowhere_in_the_database(make_key: Issue) -> None:
    _, raw_key = make_key()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{raw_key[12:]}%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("name", "a\nb"),
        ("scopes", []),
        ("scopes", ["foo:read"]),
        ("scopes", ["model_runs:read", "MODEL_RUNS:WRITE"]),
        ("scopes", [""]),
        ("expires_at", timezone.now() - timedelta(seconds=1)),
        ("allowed_cidrs", ["10.0.0.0/33"]),
        ("allowed_cidrs", ["10.0.0.1/8"]),
        ("allowed_cidrs", ["nonsense"]),
        ("allowed_cidrs", ["::ffff:10.0.0.0/80"]),
        ("allowed_cidrs", [""]),
        ("allowed_cidrs", [f"10.0.{n}.0/24" for n in range(51)]),
        ("rate_limit_per_minute", 0),
        ("rate_limit_per_minute", -5),
        ("rate_limit_per_minute", 1_000_001),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field_and_nothing_is_stored(
    make_key: Issue, field: str, value: Any
) -> None:
    with pytest.raises(ValidationError) as refused:
        make_key(**{field: value})
    assert list(refused.value.message_dict) == [field]
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_networks_are_stored_in_canonical_form(make_key: Issue) -> None:
    key, _ = make_key(
        allowed_cidrs=["10.0.0.0/8", "2001:DB8:0::/48", "10.0.0.0/8", "::ffff:192.0.2.0/120", "192.0.2.7"]
    )
    assert key.allowed_cidrs == ["10.0.0.0/8", "2001:db8::/48", "192.0.2.0/24", "192.0.2.7/32"]


def test_the_database_refuses_what_slips_past_the_services(make_key: Issue) -> None:
    key, _ = make_key()
    for broken in ({"name": ""}, {"rate_limit_per_minute": 0}, {"revoked_reason": "without a time"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(pk=key.pk).update(**broken)


def test_an_organisation_has_a_most_live_keys(settings: Settings, make_key: Issue) -> None:
    settings.API_KEY_MAX_PER_ORG = 2
    first, _ = make_key()
    make_key()
    with pytest.raises(ValidationError, match="2 live keys"):
        make_key()
    services.revoke_key(actor=SYSTEM, key_id=first.pk, reason="room")
    third, _ = make_key()
    ApiKey.objects.filter(pk=third.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    make_key()
    with pytest.raises(ValidationError):
        make_key()


@pytest.mark.django_db(transaction=True)
def test_the_maximum_is_exact_when_many_issue_at_once(settings: Settings, organization: Organization) -> None:
    settings.API_KEY_MAX_PER_ORG = 3

    def issue(_: int) -> bool:
        try:
            services.issue_key(actor=SYSTEM, organization=organization, name="one of many", scopes=["*"])
        except ValidationError:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(issue, range(8))) == 3
    assert ApiKey.objects.count() == 3


def test_revoking_says_who_when_and_why(make_key: Issue, organization: Organization) -> None:
    key, _ = make_key()
    staff = User.objects.create_user("staff@example.org", is_staff=True)
    before = timezone.now()
    revoked, is_new = services.revoke_key(
        actor=by_user(staff), key_id=key.pk, reason="  found in\n a log ", revoked_by=staff
    )
    assert is_new
    assert (revoked.revoked_by, revoked.revoked_reason) == (staff, "found in a log")
    assert revoked.revoked_at is not None
    assert before <= revoked.revoked_at <= timezone.now()
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert (event.actor_type, event.actor_id, event.reason) == ("staff", str(staff.pk), "found in a log")
    assert event.organization_id == organization.pk


def test_a_key_that_is_typed_into_a_reason_or_a_name_is_not_kept(make_key: Issue) -> None:
    key, raw_key = make_key()
    revoked, _ = services.revoke_key(actor=SYSTEM, key_id=key.pk, reason=f"{raw_key} was in a log")
    assert revoked.revoked_reason == f"{raw_key[:12]}… was in a log"
    with pytest.raises(ValidationError, match="holds no key"):
        make_key(name=raw_key)


def test_revoking_again_is_harmless_and_keeps_the_first_reason(make_key: Issue) -> None:
    key, _ = make_key()
    first, _ = services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="first")
    second, is_new = services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="second")
    assert not is_new
    assert (second.revoked_at, second.revoked_reason) == (first.revoked_at, "first")
    assert [action for action, _ in events(key)] == ["api_key.created", "api_key.revoked"]


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501, "a\x00b"])
def test_a_revocation_needs_a_reason(make_key: Issue, reason: str) -> None:
    key, _ = make_key()
    with pytest.raises(ValidationError):
        services.revoke_key(actor=SYSTEM, key_id=key.pk, reason=reason)
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.django_db(transaction=True)
def test_a_revocation_that_fails_to_be_recorded_did_not_happen(
    make_key: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = make_key()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("apps.accounts.audit.record", full_disk)
    with pytest.raises(OSError, match="No space"):
        services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="leak")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_changing_records_what_changed_and_only_then(make_key: Issue) -> None:
    key, _ = make_key(name="old", scopes=["*"])
    services.change_key(actor=SYSTEM, key_id=key.pk, name="new", scopes=["*"], allowed_cidrs=["10.0.0.0/8"])
    services.change_key(actor=SYSTEM, key_id=key.pk, name="new")
    key.refresh_from_db()
    assert (key.name, key.allowed_cidrs) == ("new", ["10.0.0.0/8"])
    assert events(key)[1:] == [("api_key.changed", "changed: name, allowed_cidrs")]


@pytest.mark.parametrize("field", ["organization", "organization_id", "expires_at", "revoked_at", "digest"])
def test_nothing_else_of_a_key_can_be_changed(make_key: Issue, field: str) -> None:
    key, _ = make_key()
    change: dict[str, Any] = {field: None}
    with pytest.raises(TypeError):
        services.change_key(actor=SYSTEM, key_id=key.pk, **change)


@pytest.mark.django_db(transaction=True)
def test_noting_the_use_never_waits_for_a_locked_row(make_key: Issue) -> None:
    key, _ = make_key()
    now = timezone.now()
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                ApiKey.objects.select_for_update().get(pk=key.pk)
                locked.set()
                assert release.wait(10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            services.touch_last_used(key.pk, address="10.0.0.1", now=now)
            services.renew_digest(key.pk, digest=b"x" * 32)
    finally:
        release.set()
        holder.join()
    key.refresh_from_db()
    assert key.last_used_at is None
    assert bytes(key.digest) != b"x" * 32
    services.touch_last_used(key.pk, address="10.0.0.1", now=now)
    noted = ApiKey.objects.get(pk=key.pk)
    assert (noted.last_used_at, noted.last_used_ip) == (now, "10.0.0.1")


def test_the_use_is_noted_at_most_once_a_minute(make_key: Issue) -> None:
    key, _ = make_key()
    now = timezone.now()
    for seconds, expected in [(0, 0), (59, 0), (60, 60), (100, 60), (120, 120)]:
        services.touch_last_used(key.pk, address=None, now=now + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == now + timedelta(seconds=expected)


def test_noting_the_use_writes_no_index_but_once_a_day(make_key: Issue) -> None:
    """PostgreSQL calls that a HOT update: no indexed column changes, so that no index has to be written."""
    key, _ = make_key()
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(days=3))
    noon = timezone.now().replace(hour=12) + timedelta(days=1)
    seen = []
    with connection.cursor() as cursor:
        for minutes in (0, 2, 4):
            services.touch_last_used(key.pk, address="10.0.0.1", now=noon + timedelta(minutes=minutes))
            cursor.execute("SELECT pg_stat_get_xact_tuples_hot_updated('api_keys_apikey'::regclass)")
            seen.append(cursor.fetchone()[0])
    assert [later - earlier for earlier, later in pairwise(seen)] == [1, 1]

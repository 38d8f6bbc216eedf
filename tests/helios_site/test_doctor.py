"""`manage.py doctor` names each thing that is wrong. What it says of a sound installation, which takes one that runs,
stands in `tests/runtime/test_backup.py`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import AuditEvent, Organization, User
from apps.webhooks.services import create_endpoint
from helios_site import doctor
from helios_site.celery import CLOCK_KEY
from tests.conftest import MakeKey
from tests.model_runs.conftest import MakeRun, make_run, make_running

__all__ = ["make_run", "make_running"]  # fixtures

pytestmark = pytest.mark.django_db


def problem(subject: str) -> str:
    return doctor.examine_one(subject).problem


@pytest.fixture(autouse=True)
def _guarded(db: None) -> None:
    """The tests' own clean-up needs two triggers off; here, inside a transaction, they are on."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent ENABLE ALWAYS TRIGGER audit_event_no_truncate")
        cursor.execute("ALTER TABLE accounts_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_truncate")


def test_without_workers_and_beat_it_says_so_and_ends_with_1() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out)
    assert ended.value.code == 1
    text = out.getvalue()
    assert "workers: PROBLEM no worker serves the queue runs: no run is executed and no document checked; no" in text
    assert "clock: PROBLEM no tick was ever carried out" in text
    assert "database: ok" in text
    assert "audit trail: ok" in text


def test_a_clock_that_stopped_is_told_from_one_that_ticks(settings: Any) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(CLOCK_KEY, time.time())
        assert problem("clock") == ""
        client.set(CLOCK_KEY, time.time() - 600)
        assert " s ago: is beat running" in problem("clock")


def test_a_full_disk_and_open_secrets_are_named(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR, settings.HELIOS_RECORDINGS_DIR = tmp_path, tmp_path / "not made yet"
    tmp_path.chmod(0o700)
    secrets = tmp_path / "secrets.json"
    secrets.touch(0o600)
    assert problem("data folder") == ""
    secrets.chmod(0o644)
    assert f"{secrets} is open to other users" in problem("data folder")
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 60)
    assert "GiB are left" in problem("disk")


def test_unsafe_settings_are_named(settings: Any) -> None:
    settings.HELIOS_PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    assert problem("settings") == ""
    settings.HELIOS_PUBLIC_BASE_URL = "http://helios.example.org"
    assert "use https" in problem("settings")
    settings.DEBUG = True
    assert "HELIOS_DEBUG" in problem("settings")


def test_mail_that_reaches_nobody_is_named(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    settings.HELIOS_PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    assert problem("mail") == "", "somebody tries Helios out"
    settings.HELIOS_PUBLIC_BASE_URL = "https://helios.example.org"
    assert "HELIOS_EMAIL_URL is not set" in problem("mail")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert "127.0.0.1 refuses it (ConnectionRefusedError)" in problem("mail")


def test_keys_and_secrets_whose_own_secret_is_lost_are_named(
    settings: Any, make_key: MakeKey, organization: Organization, staff: User
) -> None:
    make_key()
    create_endpoint(
        actor=audit.SYSTEM, organization_id=organization.id, url="https://93.184.216.34/", events=["api_key.revoked"]
    )
    before = settings.API_KEY_PEPPERS, settings.HELIOS_ENCRYPTION_KEYS
    assert "all can be read, 0 of them by an older" in doctor.examine_one("secrets").state
    settings.API_KEY_PEPPERS, settings.HELIOS_ENCRYPTION_KEYS = ("p" * 32, *before[0]), ("e" * 32, *before[1])
    assert problem("secrets") == ""
    assert "all can be read, 2 of them by an older" in doctor.examine_one("secrets").state
    settings.HELIOS_ENCRYPTION_KEYS = ("e" * 32,)
    assert "lacks the key of 2 stored secrets" in problem("secrets")
    settings.API_KEY_PEPPERS = ("p" * 32,)
    assert "lacks the pepper of 1 keys" in problem("secrets")


def test_a_clock_that_differs_from_the_databases_is_named() -> None:
    assert problem("time") == ""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert "disagree by 120 s: set both by NTP" in problem("time")


def test_an_admin_that_nobody_can_enter_is_named() -> None:
    assert "make somebody with manage.py create_staff" in problem("staff")
    user = User.objects.create_superuser("staff@example.org")
    assert problem("staff") == ""
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert "create_staff" in problem("staff")


def test_a_broker_that_is_away_or_forgets_is_named(settings: Any) -> None:
    assert problem("broker") == ""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")  # without a limit of memory it does nothing
        try:
            assert "its memory policy is allkeys-lru: set noeviction" in problem("broker")
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert (problem("broker"), problem("clock")) == ("cannot be checked: ConnectionError",) * 2


def test_a_run_that_waits_too_long_is_named(make_running: MakeRun) -> None:
    run = make_running()
    assert problem("queue") == ""
    type(run).objects.filter(pk=run.pk).update(run_at=timezone.now() - timedelta(minutes=5))
    assert "a run has waited for 30" in problem("queue")


def test_pending_migrations_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'model_runs'")
    assert "manage.py migrate" in problem("database")


def test_an_unguarded_or_unsealed_audit_trail_is_named() -> None:
    audit.record("test.done", actor=audit.SYSTEM, organization_id=None)
    assert problem("audit trail") == "", "a fresh event may wait"
    AuditEvent.objects.create(action="test.old", actor_type="system", at=timezone.now() - timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_unsealedevent WHERE event_id <> (SELECT max(id) FROM accounts_auditevent)")
    assert "wait for their seals" in problem("audit trail")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER audit_event_no_change")
    assert "1 of its 5 triggers are off" in problem("audit trail")

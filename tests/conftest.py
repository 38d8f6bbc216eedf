"""Fixtures that every test may use. Database, broker and worker are real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey
from helios_site.celery import app as celery_app

CHECKOUT = Path(__file__).resolve().parent.parent
RECORDINGS = pytest.mark.xdist_group("worker")  # tests that need the one real worker share a process


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Django's flush between transactional tests truncates, which the audit trail refuses; tests of that
    refusal switch the trigger on again inside a transaction."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER audit_event_no_truncate")


@pytest.fixture(autouse=True)
def _empty_valkey() -> Iterator[None]:
    """Limits, counters and queues begin empty in each test."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield


@pytest.fixture
def organization(db: None) -> Organization:
    return Organization.objects.create(name="Northern Clinic")


@pytest.fixture
def other_organization(db: None) -> Organization:
    return Organization.objects.create(name="Southern Clinic")


MakeKey = Callable[..., tuple[ApiKey, str]]


@pytest.fixture
def make_key(organization: Organization) -> MakeKey:
    """`make_key(scopes=…, organization=…, …)` → the row and the raw key."""
    from apps.api_keys.services import issue_key

    from apps.accounts.audit import SYSTEM

    def make(**fields: Any) -> tuple[ApiKey, str]:
        fields.setdefault("organization", organization)
        fields.setdefault("name", "test")
        fields.setdefault("scopes", ["*"])
        return issue_key(actor=SYSTEM, **fields)

    return make


@pytest.fixture
def api(make_key: MakeKey) -> Client:
    """A client that sends a key of `organization` with every scope."""
    return Client(headers={"x-api-key": make_key()[1]})


@pytest.fixture
def other_api(make_key: MakeKey, other_organization: Organization) -> Client:
    return Client(headers={"x-api-key": make_key(organization=other_organization)[1]})


def database_url_of_tests() -> str:
    """The test database as other processes reach it."""
    database = settings.DATABASES["default"]
    return (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{connection.settings_dict['NAME']}"
        f"?host={quote(str(database['HOST']), safe='')}&port={database['PORT']}"
    ).removesuffix("&port=")


@pytest.fixture(scope="session")
def _worker_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    log = tmp_path_factory.mktemp("worker") / "log"
    command = [
        sys.executable, "-m", "celery", "-A", "helios_site", "worker",
        "--queues", "runs,housekeeping", "--concurrency", "1", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    environment = {**os.environ, "DATABASE_URL": database_url_of_tests(), "HELIOS_LOG_LEVEL": "INFO"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for_worker(process, log)
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for_worker(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if celery_app.control.ping(timeout=0.5):
            return
    pytest.fail(f"The worker did not start:\n{log.read_text()}")


@pytest.fixture
def worker(transactional_db: None, _worker_process: Path) -> Path:
    """A real Celery worker on the test database; the value is the path of its log. Mark such tests RECORDINGS."""
    return _worker_process

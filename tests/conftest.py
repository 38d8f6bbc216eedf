"""Fixtures that every test may use. Database, broker and worker are real ones."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings as django_settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from psycopg.sql import SQL, Identifier
from whitenoise.middleware import WhiteNoiseMiddleware

from apps.accounts.models import Organization, User
from apps.api_keys.models import ApiKey
from apps.api_keys.usage import counting
from helios_site import cache
from helios_site.api import ratelimit
from helios_site.celery import app as celery_app

CHECKOUT = Path(__file__).resolve().parent.parent
RECORDINGS = pytest.mark.xdist_group("worker")  # tests that need the one real worker share a process

# The files of the suite that take the longest. They run first, so that none of them is left alone at the end while
# the other processes have nothing to do.
DEAREST = frozenset({
    "test_backup.py", "test_backup_elsewhere.py", "test_decode.py", "test_demo.py", "test_guard.py",
    "test_notices.py", "test_odd_recordings.py", "test_permission_matrix.py", "test_pipeline.py",
    "test_recordings.py", "test_revocation_race.py", "test_schemathesis.py", "test_score_recordings.py",
    "test_speech.py", "test_supervisor.py", "test_train_wellness_model.py", "test_words.py",
})  # fmt: skip


@pytest.hookimpl(trylast=True)  # after the order is shuffled and Django's is made; among equals it stays
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in DEAREST)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Django's flush between transactional tests truncates, which the audit trail refuses; tests of that
    refusal switch the triggers on again inside a transaction."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER audit_event_no_truncate")
        cursor.execute("ALTER TABLE accounts_auditseal DISABLE TRIGGER audit_seal_no_truncate")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        # Threads of the tests keep their connections, which would keep the database from being dropped.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture(autouse=True, scope="session")
def _flush_beside_a_worker() -> Iterator[None]:
    """Emptying all tables may deadlock with a worker or sealer that is still at its last task: then once more."""
    flush = DatabaseOperations.execute_sql_flush

    def patiently(self: DatabaseOperations, statements: list[str]) -> None:
        for _ in range(4):
            try:
                return flush(self, statements)
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                    raise
        return flush(self, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", patiently)
        yield


@pytest.fixture(autouse=True)
def _empty_valkey(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits, counters and queues begin empty in each test, and a busy machine is no outage of Valkey."""
    settings.RATE_LIMIT_BUDGET_SECONDS = 2
    monkeypatch.setattr(ratelimit, "_pause_until", 0.0)
    monkeypatch.setattr(cache, "_pause_until", 0.0)
    monkeypatch.setattr(counting, "_counts", None)
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Passwords are hashed by the real method, with a hundredth of the work."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"time_cost": 1, "memory_cost": 64, "parallelism": 1}.items():
            patch.setattr(Argon2PasswordHasher, name, value)
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_found_once() -> Iterator[None]:
    """Each test client has middleware of its own, for which WhiteNoise would look at every static file again."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def find_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


def close_valkey_connections() -> None:
    """End, from Valkey's side, the connections to the database of this test process, and to no other."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        database = str(client.connection_pool.connection_kwargs["db"])
        for other in client.client_list():
            if other["db"] == database and other["id"] != str(client.client_id()):
                client.client_kill_filter(_id=other["id"])


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
    from apps.accounts.audit import SYSTEM
    from apps.api_keys.services import issue_key

    def make(**fields: Any) -> tuple[ApiKey, str]:
        fields.setdefault("organization", organization)
        fields.setdefault("name", "test")
        fields.setdefault("scopes", ["*"])
        return issue_key(actor=SYSTEM, **fields)

    return make


def with_totp(user: User) -> User:
    """`user`, whose log-in asks for a code: the admin lets nobody else in."""
    TOTP.activate(user, generate_totp_secret())
    return user


@pytest.fixture
def staff(db: None) -> User:
    """Somebody who may do everything in the admin, and signs in with an authenticator app."""
    return with_totp(User.objects.create_superuser("staff@example.org"))


@pytest.fixture
def admin(staff: User) -> Client:
    """A browser in which `staff` is signed in."""
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def api(make_key: MakeKey) -> Client:
    """A client that sends a key of `organization` with every scope."""
    return Client(headers={"x-api-key": make_key()[1]})


@pytest.fixture
def other_api(make_key: MakeKey, other_organization: Organization) -> Client:
    return Client(headers={"x-api-key": make_key(organization=other_organization)[1]})


def database_url_of_tests(name: str | None = None) -> str:
    """The test database, or another one on its server, as other processes reach it."""
    database: dict[str, Any] = django_settings.DATABASES["default"]
    return (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}"
        f"@/{name or connection.settings_dict['NAME']}"
        f"?host={quote(str(database['HOST']), safe='')}&port={database['PORT']}"
    ).removesuffix("&port=")


@contextmanager
def new_database() -> Iterator[str]:
    """The name of an empty database on the server of the tests, which is gone afterwards."""
    name = f"test_another_{uuid4().hex[:12]}"
    with psycopg.connect(database_url_of_tests("postgres"), autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield name
        finally:
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _worker_answers() -> bool:
    # By a connection of its own: those that Celery keeps may have been cut by a test that kills clients.
    with celery_app.connection_for_write() as connection:
        return bool(celery_app.control.ping(timeout=0.5, connection=connection))


@pytest.fixture(scope="module")  # no longer: it would execute the runs of tests that come after
def _worker_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    log = tmp_path_factory.mktemp("worker") / "log"
    command = [
        "-m", "celery", "-A", "helios_site", "worker",
        "--queues", "runs,housekeeping,webhooks", "--concurrency", "1", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    with background(command, log, ready=_worker_answers):
        yield log


@contextmanager
def background(arguments: list[str], log: Path, *, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program on the test database, from the moment it is `ready`; stopped with all its children."""
    environment = {**os.environ, "DATABASE_URL": database_url_of_tests(), "HELIOS_LOG_LEVEL": "INFO"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{arguments} did not start:\n{log.read_text()}")
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def worker(transactional_db: None, _worker_process: Path) -> Path:
    """A real Celery worker on the test database; the value is the path of its log. Mark such tests RECORDINGS."""
    return _worker_process


@dataclass(frozen=True)
class Server:
    """A real web server: gunicorn with threads, as `manage.py up` runs it."""

    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @contextmanager
    def connect(self) -> Iterator[HTTPConnection]:
        connection = HTTPConnection(self.host, self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def here(self, url: str) -> str:
        """Path and query of a URL that was made for the public address."""
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@contextmanager
def serving(log: Path) -> Iterator[Server]:
    """A web server of the test database, with what is in the environment now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
    command = [
        "-m",
        "gunicorn",
        "helios_site.wsgi",
        "--bind",
        f"{host}:{port}",
        "--threads",
        "8",
        "--no-control-socket",
        "--limit-request-field_size",
        "16384",
    ]

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, port)) == 0

    with background(command, log, ready=answers) as process:
        yield Server(host, port, process)


@pytest.fixture(scope="session")
def _server_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("web") / "log") as server:
        yield server


@pytest.fixture
def server(transactional_db: None, _server_process: Server) -> Server:
    """A real web server on the test database. Mark such tests RECORDINGS, so that one process of them serves all."""
    return _server_process

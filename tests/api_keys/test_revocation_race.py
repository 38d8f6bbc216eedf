"""Revocations race against the calls of four worker processes of the real web server."""

from __future__ import annotations

import queue
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from django.db import connection

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey
from tests.api_keys.named_workers import HEADER
from tests.conftest import RECORDINGS, Server, background

WORKERS = 4
REVOCATIONS = 1000
ELSEWHERE = 5  # of so many keys, one is tried at another worker, too, than the one that has just accepted it


@pytest.fixture
def four_workers(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
    command = [
        "-m", "gunicorn", "tests.api_keys.named_workers", "--bind", f"{host}:{port}", "--workers", str(WORKERS),
        "--threads", "4", "--preload", "--keep-alive", "60", "--no-control-socket",
    ]  # fmt: skip

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, port)) == 0

    with background(command, tmp_path_factory.mktemp("web") / "log", ready=answers) as process:
        yield Server(host, port, process)


def ask(line: HTTPConnection, raw_key: str) -> tuple[int, str]:
    """The status, and which worker answered."""
    line.request("GET", "/v1/account", headers={"x-api-key": raw_key})
    answer = line.getresponse()
    answer.read()
    return answer.status, answer.headers[HEADER]


def line_to_each_worker(server: Server, stack: ExitStack) -> list[HTTPConnection]:
    """A connection stays with the worker that took it, so one that meets a new worker is kept."""
    lines: dict[str, HTTPConnection] = {}  # in the order of the workers' numbers, so that two lists name them alike
    for _ in range(400):
        line = stack.enter_context(server.connect())
        _, worker = ask(line, "nobody's")
        if lines.setdefault(worker, line) is not line:
            line.close()
        if len(lines) == WORKERS:
            return [lines[worker] for worker in sorted(lines)]
    pytest.fail(f"only {len(lines)} of {WORKERS} workers take connections")


def live_keys(organization: Organization) -> list[tuple[ApiKey, str]]:
    raw_keys = [tokens.generate() for _ in range(REVOCATIONS)]
    keys = [
        ApiKey(
            organization=organization, name="raced", key_prefix=tokens.display_prefix(raw_key), scopes=["*"],
            digest=tokens.digest(raw_key), pepper_version=tokens.pepper_version(),
        )
        for raw_key in raw_keys
    ]  # fmt: skip
    return list(zip(ApiKey.objects.bulk_create(keys), raw_keys, strict=True))


@RECORDINGS
def test_no_call_that_begins_after_the_commit_of_a_revocation_is_accepted_by_any_worker(
    four_workers: Server, organization: Organization
) -> None:
    """Each key is used at one worker while it is being revoked, and there once more: that one would still know it."""
    keys = live_keys(organization)
    to_revoke: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    committed = [threading.Event() for _ in keys]

    def revoke() -> None:
        try:
            while (index := to_revoke.get()) is not None:
                services.revoke_key(actor=SYSTEM, key_id=keys[index][0].pk, reason="raced")
                committed[index].set()
        finally:
            connection.close()
            for event in committed:
                event.set()  # nobody waits for ever, should this thread fail

    def hammer(number: int, line: HTTPConnection, other: HTTPConnection) -> Counter[tuple[bool, int]]:
        """How often each status was seen by calls that began before, and after, the commit."""
        seen: Counter[tuple[bool, int]] = Counter()
        for index in range(number, REVOCATIONS, WORKERS):
            to_revoke.put(index)
            is_over = False
            while not is_over:
                is_over = committed[index].is_set()
                seen[is_over, ask(line, keys[index][1])[0]] += 1
                committed[index].wait(0.05)  # the next call begins right after the commit
            if index % ELSEWHERE == 0:
                seen[True, ask(other, keys[index][1])[0]] += 1
        return seen

    with ExitStack() as stack, ThreadPoolExecutor(WORKERS + 1) as pool:
        lines, others = (line_to_each_worker(four_workers, stack) for _ in range(2))
        revoking = pool.submit(revoke)
        hammering = [
            pool.submit(hammer, number, lines[number], others[(number + 1) % WORKERS]) for number in range(WORKERS)
        ]
        try:
            seen = sum((one.result() for one in hammering), Counter())
        finally:
            to_revoke.put(None)
        revoking.result()
    assert seen[False, 200] > REVOCATIONS / 2  # most keys were good until then; a revocation may win the race
    assert {status for is_after, status in seen if is_after} <= {401, 429}
    assert seen[True, 401] + seen[True, 429] == REVOCATIONS + REVOCATIONS // ELSEWHERE
    assert ApiKey.objects.filter(revoked_at__isnull=False).count() == REVOCATIONS

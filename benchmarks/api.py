"""What a list of 20 runs and the account cost beside bare Django views of equal features, and what a create costs.

    python -m helios_site.runtime.servers run -- python -m benchmarks.api [--rows 100000] [--calls 50]

The bare view does by hand what the list does: one query for the key, the same rules of revocation, expiry and address,
one call of the rate limiter, one read, one audit row, the same JSON to the byte; that of the account has neither the
read nor the audit row. Both are called as a WSGI server calls them and stand behind the same middleware. Rounds of the
two alternate, so that other work on the machine meets both; the ratio is the median of the rounds' ratios. Runs that
wait for their recording are the harder comparison: a page of finished ones carries 30 explanations a run, and turning
these into JSON is most of its price in both.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

ROUNDS = 30
LIST = "/v1/models/mental-wellness"
ACCOUNT = "/v1/account"
BARE = "/v1/bare"
BARE_ACCOUNT = "/v1/bare-account"
BODY = {
    "user": {"userLabel": "benchmark", "dateOfBirth": "1990-08-24", "birthSex": "MALE"},
    "language": "en-GB",
    "tags": [{"name": "site", "value": "north"}],
}


class Caller:
    """Calls a WSGI application in this process, reading and closing each response as a server does."""

    def __init__(
        self,
        application: Any,
        method: str,
        path: str,
        key: str,
        body: bytes = b"",
        status: str = "200",
        content_type: str = "application/json",
    ) -> None:
        path, _, query = path.partition("?")
        self._application, self._body, self.status = application, body, status
        self._environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000", "HTTP_X_API_KEY": key,
            "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type, "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.multithread": True,
            "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip

    def __call__(self) -> bytes:
        return self._call()[0]

    def seconds(self) -> float:
        """Wall time until the whole answer is there, without what the server does after it."""
        return self._call()[1]

    def _call(self) -> tuple[bytes, float]:
        statuses: list[str] = []
        began = time.perf_counter()
        environ = {**self._environ, "wsgi.input": io.BytesIO(self._body)}
        response = self._application(environ, lambda status, headers, error=None: statuses.append(status))
        try:
            content = b"".join(response)
            took = time.perf_counter() - began
        finally:
            response.close()
        assert statuses[0].startswith(self.status), (statuses, content)
        return content, took


def install_bare_views() -> None:
    """Put the bare views beside the API's, at BARE and BARE_ACCOUNT."""
    from django.http import HttpRequest, HttpResponse, JsonResponse
    from django.urls import path
    from django.utils import timezone

    from apps.accounts import audit
    from apps.api_keys import refusals, tokens
    from apps.api_keys.scopes import allows
    from apps.api_keys.selectors import KeyRecord, find_record
    from apps.model_runs.models import ModelRun
    from apps.model_runs.serializers import run_body, run_fields
    from apps.model_runs.viewsets import FEATURES
    from helios_site import urls
    from helios_site.api import ratelimit
    from helios_site.api.client_address import client_address
    from helios_site.api.families import positions
    from helios_site.env import Rate

    def admitted(request: HttpRequest) -> KeyRecord | None:
        raw_key = request.headers.get("x-api-key", "")
        key = find_record(tokens.digests(raw_key)) if tokens.is_well_formed(raw_key) else None
        if key is None or refusals.refusal(key, timezone.now(), client_address(request)) is not None:
            return None
        decision = ratelimit.charge(f"bare:{key.bucket}", Rate(1_000_000, 60))
        request.rate_limit = decision  # type: ignore[attr-defined]
        return key if decision.allowed and allows(key.scopes, "model_runs:read") else None

    def answer(body: Any) -> HttpResponse:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return HttpResponse(content, content_type="application/json")

    def bare(request: HttpRequest) -> HttpResponse:
        key = admitted(request)
        if key is None:
            return JsonResponse({"detail": "refused"}, status=403)
        limit = int(request.GET.get("limit", 20))
        runs = ModelRun.objects.visible_to(key.organization_id).order_by("-created_at", "-id")
        rows = list(runs.values(*run_fields())[: limit + 1])
        audit.record("model_run.listed", actor=key.actor, organization_id=key.organization_id, object_type="model_run")
        last = rows[limit - 1] if len(rows) > limit else None
        following = last and positions.pack((last["created_at"], last["id"]))
        return answer({"items": [run_body(row) for row in rows[:limit]], "nextCursor": following})

    def bare_account(request: HttpRequest) -> HttpResponse:
        key = admitted(request)
        if key is None:
            return JsonResponse({"detail": "refused"}, status=403)
        features = [name for name, scopes in FEATURES.items() if any(allows(key.scopes, scope) for scope in scopes)]
        return answer({"id": str(key.organization_id), "features": features})

    for at, view in ((BARE, bare), (BARE_ACCOUNT, bare_account)):
        urls.urlpatterns.insert(0, path(at.removeprefix("/"), view))


def new_customer(name: str) -> tuple[Any, str]:
    """An organisation and its key."""
    from apps.accounts.audit import SYSTEM
    from apps.accounts.services import find_or_create_organization
    from apps.api_keys import services

    organization, _ = find_or_create_organization(actor=SYSTEM, name=name)
    _, key = services.issue_key(
        actor=SYSTEM,
        organization=organization,
        name="benchmark",
        scopes=["*"],
        rate_limit_per_minute=1_000_000,
        by_staff=True,
    )
    return organization, key


def first_run(organization: Any, *, finished: bool) -> None:
    """One run to be copied: waiting for its recording, or with a real result."""
    from datetime import date

    from apps.accounts.audit import SYSTEM
    from apps.model_runs import services
    from apps.model_runs.execution import limits, person_of
    from apps.model_runs.wellness import pipeline
    from tests import audio

    request = services.RunRequest("benchmark", date(1990, 8, 24), "MALE", "en-GB", tags=({"name": "a", "value": "b"},))
    run = services.create_run(actor=SYSTEM, organization_id=organization.id, key_id=None, request=request)
    if not finished:
        return
    services.receive_recording(run_id=run.id, key="", sha256="", size=0)
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    analysis = pipeline.analyse(audio.asset_path("two_cities.wav"), person_of(run), limits())
    assert analysis.ok, analysis
    assert services.finish_run(claim=claim, analysis=analysis)


def copy_up_to(rows: int, organization: Any) -> None:
    """Copies of the organisation's newest run, one a second into the past, until it has `rows`."""
    from django.db import connection

    from apps.model_runs.models import ModelRun

    columns = [field.column for field in ModelRun._meta.concrete_fields if field.name not in ("id", "created_at")]
    listed = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO model_runs_modelrun (id, created_at, {listed})"  # noqa: S608 - names of our own columns
            f" SELECT gen_random_uuid(), created_at - n * interval '1 second', {listed}"
            " FROM (SELECT * FROM model_runs_modelrun WHERE organization_id = %s ORDER BY created_at DESC LIMIT 1)"
            " AS run,"
            " generate_series((SELECT count(*) FROM model_runs_modelrun WHERE organization_id = %s), %s - 1) AS n",
            [organization.id, organization.id, rows],
        )
        cursor.execute("ANALYZE model_runs_modelrun")


@contextmanager
def without_log() -> Iterator[None]:
    """The access log is written, as in production, but not to the terminal."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def cpu_of(call: Callable[[], object], calls: int) -> float:
    """Milliseconds of this process's CPU for one call."""
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls * 1000


def compare(first: Caller, second: Caller, calls: int) -> tuple[float, float, float]:
    """CPU milliseconds of each, the least of all rounds, and the median ratio of the two."""
    pairs = []
    for number in range(ROUNDS):
        order = (first, second) if number % 2 else (second, first)
        cost = {id(call): cpu_of(call, calls) for call in order}
        pairs.append((cost[id(first)], cost[id(second)]))
    ratio = statistics.median(one / other for one, other in pairs)
    return min(one for one, _ in pairs), min(other for _, other in pairs), ratio


def statements(call: Caller) -> str:
    """How many reads, and how many writes, one call makes, transactions not counted."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    return f"{verbs.count('SELECT')} reads, {verbs.count('INSERT')} inserts, {verbs.count('UPDATE')} updates"


def beside(application: Any, name: str, path: str, bare_path: str, key: str, calls: int) -> None:
    """Print a row of the comparison."""
    asked, bare = (Caller(application, "GET", each, key) for each in (path, bare_path))
    content = asked()
    assert content == bare(), "The two do not answer the same."
    ours, theirs, ratio = compare(asked, bare, calls)
    name = f"{name}, {len(content) / 1000:.0f} kB"
    print(f"{name:<44}{ours:>8.2f}{theirs:>8.2f}{ratio:>8.2f}   {statements(asked)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What API calls cost.")
    parser.add_argument("--rows", type=int, default=100_000, help="runs in the larger table (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=50, help="calls a round (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    install_bare_views()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    application = get_wsgi_application()
    print(f"{'CPU ms of one call':<44}{'API':>8}{'bare':>8}{'ratio':>8}")
    with without_log():
        for finished in (False, True):
            organization, key = new_customer("finished" if finished else "waiting")
            first_run(organization, finished=finished)
            for rows, limit in ((10, 10), (options.rows, 10), (options.rows, 20)):
                copy_up_to(rows, organization)
                query = f"?limit={limit}"
                name = f"list {limit} of {rows:,} {organization.name} runs"
                beside(application, name, LIST + query, BARE + query, key, options.calls)
        beside(application, "account", ACCOUNT, BARE_ACCOUNT, key, options.calls)
        created = Caller(application, "POST", LIST, key, json.dumps(BODY).encode())
        cost = min(cpu_of(created, options.calls) for _ in range(ROUNDS))
        print(f"{'create':<44}{cost:>8.2f}{'':>16}   {statements(created)}")


if __name__ == "__main__":
    main()

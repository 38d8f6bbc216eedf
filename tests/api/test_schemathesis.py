"""The API description against the API itself: schemathesis, all phases and all checks, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.servers.basehttp import WSGIRequestHandler
from django.middleware.csrf import CSRF_SESSION_KEY
from django.test import Client
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from apps.accounts.models import Membership, Organization, User
from helios_site.env import Rate
from tests.conftest import MakeKey

EXAMPLES = 4  # for each operation and phase
CSRF_TOKEN = "t" * 32
NO_LIMIT = Rate(1_000_000, 60)  # an exhausted bucket would answer 429 to everything


@pytest.fixture
def _answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's server sends an answer in several small packets. Each but the first would wait for the client to
    acknowledge the one before, which takes 40 ms."""
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)


@pytest.mark.usefixtures("_answers_at_once")
@pytest.mark.django_db(transaction=True)
def test_the_api_is_as_described(
    live_server: Any, make_key: MakeKey, organization: Organization, settings: Any
) -> None:
    settings.HELIOS_RATE_LIMIT = settings.HELIOS_POLL_LIMIT = settings.RATE_LIMIT_FAILED_AUTH = NO_LIMIT
    settings.WEBHOOK_MAX_PER_ORG = settings.WEBHOOK_MAX_SECRETS = 1_000_000
    settings.HEALOS_RATE_LIMIT = settings.RATE_LIMIT_LEAK_REPORTS = NO_LIMIT
    settings.API_KEY_MAX_PER_ORG = 10_000
    settings.CSRF_USE_SESSIONS = True  # so that the one cookie is enough
    session = _session_of_an_admin(organization)
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"x-api-key": make_key()[1], "x-csrftoken": CSRF_TOKEN},
            "auth": {"openapi": {"session": {"api_key": session}}},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "continue-on-failure": True,
            # A revoked key stays readable, so that it can be traced; a deleted patient can be restored.
            "operations": [
                {
                    "include-path-regex": "ext-api-keys|ext-api/v1/patients",
                    "checks": {"use_after_free": {"enabled": False}},
                }
            ],
            "hooks": "tests/api/schemathesis_hooks.py",
        }
    )
    schema = schemathesis.openapi.from_url(f"{live_server.url}/openapi.json", config=config)
    problems, scenarios = [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            scenarios += 1
            problems += _failures(event)
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            problems.append(repr(event))
    assert not problems, "\n\n".join(problems)
    assert scenarios > 8


def _session_of_an_admin(organization: Organization) -> str:
    user = User.objects.create_user("admin@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    session = client.session
    session[CSRF_SESSION_KEY] = CSRF_TOKEN
    session.save()
    return str(session.session_key)


def _failures(event: events.ScenarioFinished) -> list[str]:
    found = []
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                case = event.recorder.cases[case_id].value
                failure = check.failure_info.failure
                response = event.recorder.interactions[case_id].response
                answer = "" if response is None else f"{response.status_code} {response.content[:400]!r}"
                found.append(
                    f"[{event.phase}] {check.name} {case.operation.label}\n{failure}\n"
                    f"path={case.path_parameters} query={case.query} body={case.body!r:.600}\n{answer}"
                )
    return found

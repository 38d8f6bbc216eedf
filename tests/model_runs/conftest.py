"""Runs in each state, made by the services themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.services.creation import new_recording_key
from apps.model_runs.storage import recordings
from apps.model_runs.wellness.interface import Analysis, ErrorCode, Quality

REQUEST = services.RunRequest(
    user_label="person-1", date_of_birth=date(1990, 8, 24), birth_sex="FEMALE", language="en-GB"
)
OK = Analysis(
    duration_seconds=44.0,
    speech_seconds=31.5,
    transcript="Today I walked to the market.",
    scores={"mentalStrain": 0.4, "distress": 0.33, "uniformDistress": 0.4},
    quality=Quality("GOOD", 21.0, 0.0, 8000.0, ()),
    warnings=("a warning",),
    model_version="test",
    elapsed_seconds={"decode": 0.1},
)
FAILED = Analysis(
    error_code=ErrorCode.TOO_SHORT, error_reason="6.2 s of speech were found; at least 10 s are needed.",
    duration_seconds=20.0, speech_seconds=6.2,
)  # fmt: skip

MakeRun = Callable[..., ModelRun]


@pytest.fixture
def make_run(organization: Organization) -> MakeRun:
    """`make_run(user_label=…, organization=…)` → a run in CREATED."""

    def make(*, organization: Organization = organization, **fields: Any) -> ModelRun:
        return services.create_run(
            actor=SYSTEM, organization_id=organization.id, key_id=None, request=replace(REQUEST, **fields)
        )

    return make


def store(run: ModelRun, content: bytes = b"RIFF") -> str:
    """Put `content` where an upload of the run would; its key."""
    key = new_recording_key(run)
    with recordings().writer(key) as writer:
        writer.write(content)
        writer.commit()
    return key


@pytest.fixture
def make_running(make_run: MakeRun) -> MakeRun:
    """A run in RUNNING with a stored recording."""

    def make(*, content: bytes = b"RIFF", **fields: Any) -> ModelRun:
        run = make_run(**fields)
        services.receive_recording(run_id=run.id, key=store(run, content), sha256=uuid4().hex, size=len(content))
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def make_finished(make_running: MakeRun) -> MakeRun:
    """A run that ended, with `analysis`."""

    def make(*, analysis: Analysis = OK, **fields: Any) -> ModelRun:
        run = make_running(**fields)
        claim = services.claim_run(run_id=run.id)
        assert claim is not None
        assert services.finish_run(claim=claim, analysis=analysis)
        run.refresh_from_db()
        return run

    return make


def exists(key: str) -> bool:
    try:
        with recordings().local_path(key):
            return True
    except FileNotFoundError:
        return False

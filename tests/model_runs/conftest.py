"""Runs in each state, made by the services themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.utils import timezone
from moto.server import ThreadedMotoServer

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.services.creation import new_recording_key
from apps.model_runs.wellness.interface import Analysis, ErrorCode, Quality
from helios_site.storage import object_store
from helios_site.storage.s3 import S3Storage

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
    safety={"selfHarmLanguage": True, "phrases": [{"startSecs": 1.0, "finishSecs": 2.0, "text": "phrase-canary"}]},
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
    with object_store().writer(key) as writer:
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
        with object_store().local_path(key):
            return True
    except FileNotFoundError:
        return False


BUCKET = "recordings"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str) -> S3Storage:
    client = boto3.client(
        "s3", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket=BUCKET)
    storage = S3Storage(client, BUCKET)
    for key in list(storage.keys_before(timezone.now() + timedelta(days=1))):
        storage.delete(key)
    return storage

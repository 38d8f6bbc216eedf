"""Runs in the states that the tests need, reached over the API and finished by the services that a worker calls."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from apps.model_runs import services
from apps.model_runs.wellness.interface import DIMENSIONS, Analysis, ErrorCode, Quality
from tests.contract.helios.calls import create, put

_CONTINUOUS = {"uniformDistress": 0.48, "uniformStress": 0.39, "uniformExhaustion": 0.61,
               "uniformSleepPropensity": 0.58, "uniformLowSelfEsteem": 0.21}  # fmt: skip
_BUCKETS = dict(zip(DIMENSIONS, (0.33, 0.33, 0.66, 0.66, 0.0), strict=True))

OK = Analysis(
    duration_seconds=28.6,
    speech_seconds=21.4,
    transcript="Today I walked to the market.",
    scores={"mentalStrain": 0.454, **_BUCKETS, **_CONTINUOUS},
    quality=Quality("GOOD", 18.2, 0.0, 8000.0, ()),
    confidence={name: {"level": "MEDIUM", "low": 0.3, "high": 0.6} for name in ("mentalStrain", *DIMENSIONS)},
    evidence=dict.fromkeys(("mentalStrain", *DIMENSIONS), "literature_index"),
    explanation=(
        {"score": "stress", "kind": "VOICE", "feature": "speechRate", "value": 4.1, "unit": "syllables/s",
         "referenceLow": 3.0, "referenceHigh": 4.0, "direction": "UP", "weight": 0.12, "phrase": None,
         "text": "Speech was faster than is usual for this group."},
    ),
    safety={"selfHarmLanguage": False, "phrases": []},
    model_version="test-1",
)  # fmt: skip
FAILED = Analysis(
    error_code=ErrorCode.TOO_SHORT,
    error_reason="6.2 s of speech were found; at least 10 s are needed.",
    duration_seconds=20.0,
    speech_seconds=6.2,
)

CONTENT = b"a recording"

Finish = Callable[..., str]


def start(client: Client, body: dict[str, object] | None = None, content: bytes = CONTENT) -> str:
    """A run in RUNNING; its id."""
    reply = create(client, body)
    assert put(client, reply["recordingUploadUrl"], content).status_code == 200
    return str(reply["id"])


def finish(run_id: str, analysis: Analysis = OK) -> None:
    """End a RUNNING run as a worker does."""
    claim = services.claim_run(run_id=UUID(run_id))
    assert claim is not None
    assert services.finish_run(claim=claim, analysis=analysis)


@pytest.fixture
def finished(api: Client) -> str:
    """The id of a run in COMPLETE_OK."""
    run_id = start(api)
    finish(run_id)
    return run_id

"""A statement about self-harm on its way through a worker: warned of, kept, in no log, without weight in a score."""

from __future__ import annotations

import logging

import pytest

from apps.accounts.models import AuditEvent
from apps.model_runs import services
from apps.model_runs.execution import execute_run
from apps.model_runs.models import ModelRun
from apps.model_runs.wellness import transcribe
from apps.model_runs.wellness.interface import Samples, Segment, Speech, Transcript
from apps.model_runs.wellness.safety import SELF_HARM_WARNING
from tests import audio
from tests.model_runs.conftest import MakeRun, store

pytestmark = pytest.mark.django_db

STATEMENT, PLEASANTRY = "I want to die", "I like my tea"


def executed(run: ModelRun, words: str, monkeypatch: pytest.MonkeyPatch) -> ModelRun:
    """The run after a worker has executed it, with `words` for what the transcriber heard."""

    def hear(samples: Samples, speech: Speech, language: str) -> Transcript:
        return Transcript(f"Well. {words}.", (Segment(1.0, 5.0, f"Well. {words}."),))

    monkeypatch.setattr(transcribe, "transcribe", hear)
    key = store(run, audio.encode(audio.speech(14), "flac"))
    services.receive_recording(run_id=run.id, key=key, sha256="a" * 64, size=4)
    assert execute_run(run.id)
    run.refresh_from_db()
    return run


def test_it_is_kept_and_warned_of_in_no_log_and_changes_no_score(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    said = executed(make_run(), STATEMENT, monkeypatch)
    assert said.safety == {
        "selfHarmLanguage": True,
        "phrases": [{"startSecs": 2.2, "finishSecs": 4.8, "text": STATEMENT}],
    }
    assert SELF_HARM_WARNING in said.warnings

    unsaid = executed(make_run(), PLEASANTRY, monkeypatch)
    assert unsaid.safety == {"selfHarmLanguage": False, "phrases": []}
    assert SELF_HARM_WARNING not in unsaid.warnings
    assert said.scores == unsaid.scores
    assert said.confidence == unsaid.confidence

    logged = caplog.text + str([vars(record) for record in caplog.records]) + "".join(capfd.readouterr())
    assert "run_executed" in logged
    audited = str(list(AuditEvent.objects.values()))
    for secret in (STATEMENT, "selfHarm", SELF_HARM_WARNING):
        assert secret not in logged
        assert secret not in audited

"""What is kept of a recording to draw it: right, small, and of the sound alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from apps.model_runs.wellness import features
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech
from apps.model_runs.wellness.outline import MOST_POINTS, outline
from tests.model_runs.wellness.voices import spoken, voice


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def test_loudness_speech_and_pitch_lie_where_they_are_in_the_recording() -> None:
    samples = np.concatenate([silence(3), voice(4, 200.0), silence(2), voice(3, 130.0)])
    speech = spoken(samples, [(3.0, 7.0), (9.0, 12.0)])
    found = outline(samples, speech, features.track(samples, speech))
    assert found["seconds"] == 12
    assert found["speech"] == [[3.0, 7.0], [9.0, 12.0]]
    envelope, pitch = found["envelope"], found["pitch"]
    assert len(envelope) == len(pitch) == MOST_POINTS
    assert max(envelope[:148]) == 0
    assert min(envelope[152:348]) > 0.1
    assert max(envelope) == pytest.approx(0.3, abs=0.001)
    assert pitch[:149] == [None] * 149
    assert [pitch[250], pitch[525]] == pytest.approx([200, 130], rel=0.02)
    assert pitch[400] is None
    assert json.loads(json.dumps(found)) == found


def test_no_recording_has_more_points_than_are_kept() -> None:
    samples = silence(180)
    samples[::800] = 0.5
    spans = tuple((start / 5, start / 5 + 0.15) for start in range(890))
    found = outline(samples, Speech(spans, 133.5, np.zeros(18_000, bool)))
    assert len(found["envelope"]) == MOST_POINTS
    assert found["speech"] == [[0.0, pytest.approx(177.95)]], "gaps that no drawing would show"
    assert found["pitch"] is None
    assert len(json.dumps(found)) < 6_000


@pytest.mark.parametrize("count", [0, 1, 160, 161])
def test_the_shortest_recordings_have_an_outline(count: int) -> None:
    found = outline(np.full(count, 0.25, np.float32), Speech((), 0.0, np.zeros(0, bool)))
    assert found["envelope"] == [0.25] * -(-count // 160)
    assert found["speech"] == []

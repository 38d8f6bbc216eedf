"""What the voice and the words say of one state, put together in logits of the share of peers.

    logit = voice weight * logit(share of peers whose voice scores lower)
          + word weight * gate * confidence of the transcript * word logit, within WORD_LIMITS

The voice weight is how much the evidence behind a head is worth: 1 leaves its percentile as it is, less draws it
towards the middle of the peers. The gate is shut where a person says nothing about himself or herself that bears on
the state, so that everyday words leave the voice's score alone; a mean of both would drag every score towards zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.model_runs.wellness.heads import Dimension, VoiceModel, VoiceReading
from apps.model_runs.wellness.interface import DIMENSIONS, Quality, Speech, Transcript
from apps.model_runs.wellness.scores import percentile, to_logit
from apps.model_runs.wellness.words.reading import WordReading
from apps.model_runs.wellness.words.strangeness import reads_strangely

WORD_LIMITS = (-2.0, 3.0)  # a denial weighs less than a statement: many deny what troubles them
AUTHORED_WORDS = "authored_words"

# Below and above these, words and speech do not belong together: the recogniser invented or lost words.
_USUAL_WORDS_A_SECOND = (0.7, 5.5)
_QUALITY_CONFIDENCE = {"GOOD": 1.0, "FAIR": 0.8, "POOR": 0.5}
_UNUSUAL_RATE_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Fused:
    """One score in logits: the part that the voice adds and the part that the words add.

    `spoken` tells whether the person spoke of the state at all, `evidence` what the greater part rests on, and
    `unknown` that neither voice nor words say anything: the score is the middle of the peers.
    """

    voice: float
    words: float
    spoken: bool
    evidence: str
    unknown: bool

    @property
    def logit(self) -> float:
        return self.voice + self.words


def fuse(model: VoiceModel, reading: VoiceReading, said: WordReading, trust: float) -> dict[str, Fused]:
    """The five scores in logits; `trust` is `transcript_confidence`."""
    fused = {}
    for name in DIMENSIONS:
        dimension, about = model.dimensions[name], said.said[name]
        reference = model.heads[dimension.head].reference[reading.group]
        voice = dimension.voice_weight * float(to_logit(percentile(reference, reading.logits[name])))
        gate = about.gate * trust
        words = dimension.word_weight * gate * float(np.clip(about.logit, *WORD_LIMITS))
        unknown = dimension.voice_weight == 0 and gate == 0
        fused[name] = Fused(voice, words, gate > 0, _evidence(dimension, voice, words), unknown)
    return fused


def transcript_confidence(transcript: Transcript, speech: Speech, quality: Quality) -> float:
    """How far the words can be relied on, 0..1: by the recording's quality and by a plausible number of words; not at
    all where they do not read like English."""
    words = len(transcript.text.split())
    if not words or reads_strangely(transcript.text):
        return 0.0
    slowest, fastest = _USUAL_WORDS_A_SECOND
    usual = slowest <= words / max(speech.speech_seconds, 0.1) <= fastest
    return _QUALITY_CONFIDENCE[quality.level] * (1.0 if usual else _UNUSUAL_RATE_CONFIDENCE)


def _evidence(dimension: Dimension, voice: float, words: float) -> str:
    trained = dimension.evidence in ("trained", "customer_trained")
    rests_on_words = dimension.voice_weight == 0 or abs(words) > abs(voice)
    return AUTHORED_WORDS if rests_on_words and not trained else dimension.evidence

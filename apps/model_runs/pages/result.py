"""What the page of a run says: its columns in words, figures and drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.model_runs.models import ModelRun
from apps.model_runs.pages import drawings
from apps.model_runs.pages.check_forms import SEXES
from apps.model_runs.wellness.baseline import title_of
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.quality import BEST_SNR_DB, CLIPPED_SHARE, GOOD_SNR_DB
from apps.model_runs.wellness.safety import SELF_HARM_WARNING
from apps.model_runs.wellness.scores import MENTAL_STRAIN, SCORES, uniform_name

STATUSES = {
    "CREATED": "Waits for its recording",
    "RUNNING": "Being scored",
    "COMPLETE_OK": "Scored",
    "COMPLETE_ERROR": "Not scored",
}
# As docs/results.md says what a score rests on.
EVIDENCE = {
    "literature_index": "voice features that publications connect with the state; no recording was labelled with it",
    "authored_words": "what the person said, read by heads that learnt from sentences written for the purpose",
    "acted_proxy": "recordings of actors who played a related emotion",
    "customer_trained": "recordings that you labelled",
    "trained": "recordings of people in the state itself",
}
ISSUES = {
    "LOW_SNR": "The background is loud. Record in a quieter room, closer to the microphone.",
    "CLIPPING": "The loudest parts are cut off. Lower the microphone's level, or move it away.",
    "LOW_LEVEL": "The voice is very quiet. Raise the microphone's level, or move closer.",
    "SECOND_SPEAKER": "There may be a second voice. Record one person alone.",
    "NARROW_BAND": "High sounds are missing, as on a telephone. Record on the device itself.",
}
ERRORS = {
    "ERR_RECORDING_TOO_SHORT": "Too little speech",
    "ERR_RECORDING_TOO_LONG": "Too long",
    "ERR_RECORDING_INVALID_FORMAT": "Not a recording",
    "ERR_TRANSCRIPTION_FAILED": "Nothing understood",
    "ERR_INTERNAL": "A fault of ours",
}
WHAT_TO_DO = {
    "ERR_RECORDING_INVALID_FORMAT": "Send the recording as FLAC, MP3, MP4, Ogg, WebM or WAV, in a new run.",
    "ERR_RECORDING_TOO_SHORT": "Record again in a new run: about thirty seconds of speech are a good length.",
    "ERR_RECORDING_TOO_LONG": "Send a shorter part of the recording in a new run.",
    "ERR_TRANSCRIPTION_FAILED": "Check the microphone, and record again in a new run, speaking clearly.",
    "ERR_INTERNAL": "The fault is ours, not the recording's. Send it once more in a new run; if it fails again, tell "
    "your administrator the id of this one.",
}


@dataclass(frozen=True, slots=True)
class Score:
    """One of the six. `low` and `high` are None where no confidence is known."""

    name: str
    title: str
    value: float
    at: str
    low: float | None
    high: float | None
    interval: drawings.Stretch | None
    level: str
    bucket: float | None
    evidence: str
    rests_on: str
    is_composite: bool
    reasons: list[dict[str, Any]]

    @property
    def label(self) -> str:
        text = f"{self.title}: {self.value:.2f} on the scale from 0 to 1"
        return text if self.low is None else f"{text}, uncertain between {self.low:.2f} and {self.high:.2f}"


def scores_of(run: ModelRun) -> list[Score]:
    """The scores that the run has, mental strain first."""
    values = run.scores or {}
    found = [(name, values.get(name if name == MENTAL_STRAIN else uniform_name(name))) for name in SCORES]
    return [_score(run, name, float(value)) for name, value in found if value is not None]


def _score(run: ModelRun, name: str, value: float) -> Score:
    trust = (run.confidence or {}).get(name) or {}
    low, high = trust.get("low"), trust.get("high")
    evidence = (run.evidence or {}).get(name, "")
    return Score(
        name=name,
        title=title_of(name),
        value=value,
        at=drawings.at(value),
        low=low,
        high=high,
        interval=None if low is None or high is None else drawings.stretch(low, high),
        level=trust.get("level", "").lower(),
        bucket=(run.scores or {}).get(name) if name in DIMENSIONS else None,
        evidence=evidence,
        rests_on=EVIDENCE.get(evidence, ""),
        is_composite=name == MENTAL_STRAIN,
        reasons=[_reason(item) for item in run.explanation or () if item["score"] == name],
    )


def _reason(item: Mapping[str, Any]) -> dict[str, Any]:
    value, low, high = item.get("value"), item.get("referenceLow"), item.get("referenceHigh")
    unit = item.get("unit") or ""
    return {
        "text": item["text"],
        "phrase": item.get("phrase"),
        "value": _figure(value),
        "low": _figure(low),
        "high": _figure(high),
        "unit": "" if unit in ("", "1") else f" {unit}",
        "scale": None if value is None or low is None or high is None else drawings.scale(value, low, high),
    }


def _figure(value: float | None) -> str:
    """Three digits that count, and never a power of ten."""
    if value is None or abs(value) >= 100:
        return "" if value is None else f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.0001 else "0"


def facts_of(run: ModelRun) -> dict[str, str]:
    """What was said of the person whom the recording is of, as far as it was said and not erased."""
    absent = "not given" if run.erased_at is None else "not given, or erased"
    return {
        "Date of birth": absent if run.date_of_birth is None else run.date_of_birth.isoformat(),
        "Birth sex": SEXES.get(run.birth_sex, absent),
        "Language": run.language or absent,
    }


def warnings_of(run: ModelRun) -> list[str]:
    """Without the one on self-harm, which the page says at greater length."""
    return [text for text in run.warnings if not (run.safety and text == SELF_HARM_WARNING)]


def quality_of(run: ModelRun) -> dict[str, Any] | None:
    found = run.quality
    if found is None:
        return None
    snr, clipped = found.get("snr_db"), found.get("clipping_ratio")
    return {
        "level": found["level"].lower(),
        "snr_db": snr,
        "noise": None if snr is None else drawings.noise(snr, GOOD_SNR_DB, BEST_SNR_DB),
        "good_snr_db": GOOD_SNR_DB,
        "clipped_percent": _figure(None if clipped is None else clipped * 100),
        "clipped_limit_percent": _figure(CLIPPED_SHARE * 100),
        "clipping": None if clipped is None else drawings.clipping(clipped, CLIPPED_SHARE),
        "bandwidth_hz": found.get("bandwidth_hz"),
        "issues": [ISSUES.get(issue, issue) for issue in found["issues"]],
    }


def recording_of(run: ModelRun) -> dict[str, Any] | None:
    """The drawings of the recording; None for runs from before they were kept."""
    outline = run.outline
    if not outline or not outline["envelope"]:
        return None
    seconds = outline["seconds"]
    return {
        "seconds": seconds,
        "ticks": [seconds * part / 4 for part in range(5)],
        "waveform": drawings.waveform(outline["envelope"]),
        "spans": drawings.spans(outline),
        "pitch": drawings.pitch(outline["pitch"] or ()),
        "utterances": [_utterance(outline, start, finish) for start, finish in outline["speech"]],
        "speech_seconds": run.speech_seconds,
    }


def _utterance(outline: Mapping[str, Any], start: float, finish: float) -> dict[str, Any]:
    """The figures of one span of speech."""
    count, seconds = len(outline["envelope"]), outline["seconds"]
    inside = slice(int(start / seconds * count), max(int(finish / seconds * count), int(start / seconds * count) + 1))
    hertz = sorted(value for value in (outline["pitch"] or ())[inside] if value)
    return {
        "start": start,
        "finish": finish,
        "peak_percent": max(outline["envelope"][inside], default=0.0) * 100,
        "pitch_hz": hertz[len(hertz) // 2] if hertz else None,
    }

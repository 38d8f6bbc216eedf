"""A run and its results, as they are read from the API. Texts about a person are left out of every repr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Literal

BirthSex = Literal["MALE", "FEMALE", "INTERSEX", "UNKNOWN"]
Status = Literal["CREATED", "RUNNING", "COMPLETE_OK", "COMPLETE_ERROR"]
DataToDelete = Literal["RECORDINGS", "INPUTS", "RESULTS"]


@dataclass(frozen=True, slots=True)
class Person:
    """Whose voice is recorded. Same label, same person; results compare with people of the same birth sex. Take the
    first for a month or day that is not known."""

    label: str = field(repr=False)
    date_of_birth: date | str = field(repr=False)  # YYYY-MM-DD
    birth_sex: BirthSex


@dataclass(frozen=True, slots=True)
class CreatedRun:
    """`upload_url` takes one recording, for an hour, from whoever has it."""

    id: str
    upload_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Activity:
    """`link` opens the page that records the person, for an hour and one recording, to whoever has it."""

    id: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confidence:
    """`level` is LOW, MEDIUM or HIGH; the whole of a clean recording would give low..high with a chance of 80 %."""

    level: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """`value` and `bucket` (0, 0.33, 0.66, 1; None of mental strain) are 0..1, higher is worse; .5 is the middle of the
    reference group. `evidence` says what the score was learnt from."""

    value: float
    bucket: float | None
    confidence: Confidence | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    mental_strain: Score
    distress: Score
    stress: Score
    exhaustion: Score
    sleep_propensity: Score
    low_self_esteem: Score

    def items(self) -> Iterator[tuple[str, Score]]:
        """The six with their names."""
        for one in fields(self):
            yield one.name, getattr(self, one.name)


@dataclass(frozen=True, slots=True)
class Quality:
    """`level` is GOOD, FAIR or POOR; `snr_db` in dB; `clipping_ratio` the share of samples at full scale."""

    level: str
    snr_db: float | None
    clipping_ratio: float
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """What moved a score. `kind` is VOICE or WORDS; `phrase` is what was said, `text` a sentence that explains it."""

    score: str
    kind: str | None
    feature: str | None
    value: float | None
    unit: str | None
    reference_low: float | None
    reference_high: float | None
    direction: str | None
    weight: float | None
    phrase: str | None = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Times in seconds from the beginning of the recording."""

    start: float
    finish: float
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Safety:
    """Statements about self-harm in an English transcript. None found is no sign of safety."""

    self_harm_language: bool
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `scores` and `transcript` are there if it is `ok`, `error_code` and `error_reason` if it failed. What
    follows `transcript` is None where the installation sends no `extensions`. `raw` is the whole reply."""

    id: str
    status: Status
    created_at: datetime
    run_at: datetime | None
    completed_at: datetime | None
    user_label: str = field(repr=False)
    delete_data: bool
    error_code: str | None
    error_reason: str | None
    warnings: tuple[str, ...]
    scores: Scores | None
    transcript: str | None = field(repr=False)
    language: str | None
    tags: Mapping[str, str] = field(repr=False)
    patient_id: str | None
    duration_seconds: float | None
    speech_seconds: float | None
    quality: Quality | None
    explanation: tuple[Reason, ...] = field(repr=False)
    safety: Safety | None = field(repr=False)
    model_version: str | None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        return self.status in ("COMPLETE_OK", "COMPLETE_ERROR")

    @property
    def ok(self) -> bool:
        return self.status == "COMPLETE_OK"


def read_created(body: Mapping[str, Any]) -> CreatedRun:
    return CreatedRun(body["id"], body["recordingUploadUrl"])


def read_activity(body: Mapping[str, Any]) -> Activity:
    return Activity(body["id"], body["activityLink"])


def read_run(body: Mapping[str, Any]) -> Run:
    extensions = body.get("extensions") or {}
    results = body["results"]
    section = results["sections"][0] if results else None
    return Run(
        id=body["id"],
        status=body["status"],
        created_at=datetime.fromisoformat(body["createdAt"]),
        run_at=_moment(body["runAt"]),
        completed_at=_moment(body["completedAt"]),
        user_label=body["userLabel"],
        delete_data=body["deleteData"],
        error_code=body["errorCode"],
        error_reason=body["errorReason"],
        warnings=tuple(body["warnings"] or ()),
        scores=_scores(section, extensions) if section else None,
        transcript=section["transcript"] if section else None,
        language=extensions.get("language"),
        tags={tag["name"]: tag["value"] for tag in extensions.get("tags") or ()},
        patient_id=extensions.get("patientId"),
        duration_seconds=extensions.get("durationSeconds", section["finishSecs"] if section else None),
        speech_seconds=extensions.get("speechSeconds"),
        quality=_quality(extensions.get("quality")),
        explanation=tuple(map(_reason, extensions.get("explanation") or ())),
        safety=_safety(extensions.get("safety")),
        model_version=(extensions.get("model") or {}).get("version"),
        raw=body,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _scores(section: Mapping[str, Any], extensions: Mapping[str, Any]) -> Scores:
    return Scores(**{one.name: _score(_camel(one.name), section, extensions) for one in fields(Scores)})


def _score(name: str, section: Mapping[str, Any], extensions: Mapping[str, Any]) -> Score:
    own = section[name]["value"]
    continuous = section.get(f"uniform{name[0].upper()}{name[1:]}")  # mental strain has no bucket
    confidence = (extensions.get("confidence") or {}).get(name)
    return Score(
        value=continuous["value"] if continuous else own,
        bucket=own if continuous else None,
        confidence=Confidence(confidence["level"], confidence["low"], confidence["high"]) if confidence else None,
        evidence=(extensions.get("evidence") or {}).get(name),
    )


def _quality(found: Mapping[str, Any] | None) -> Quality | None:
    if not found:
        return None
    return Quality(found["level"], found["snrDb"], found["clippingRatio"], tuple(found["issues"]))


def _reason(item: Mapping[str, Any]) -> Reason:
    found: dict[str, Any] = {one.name: item.get(_camel(one.name)) for one in fields(Reason)}
    return Reason(**found)


def _safety(found: Mapping[str, Any] | None) -> Safety | None:
    if not found:
        return None
    phrases = (Phrase(phrase["startSecs"], phrase["finishSecs"], phrase["text"]) for phrase in found["phrases"])
    return Safety(found["selfHarmLanguage"], tuple(phrases))

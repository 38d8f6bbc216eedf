"""A patient, and what is usual of one. Names and notes are left out of every repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PatientSummary:
    """What a list says of a patient."""

    id: str
    name: str = field(repr=False)
    created_at: datetime
    external_id: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patient(PatientSummary):
    pronouns: str | None = field(repr=False)
    notes: str | None = field(repr=False)
    consent: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """One score of one run; `day` is that of the recording."""

    model_run_id: str
    day: date
    time: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual of the person. The numbers are None until `ready`."""

    ready: bool
    runs_used: int
    days_used: int
    median: float | None
    spread: float | None
    low: float | None
    high: float | None
    minimum_detectable_change: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """The latest reading against the days before it; `deviation` in spreads from the median."""

    value: float | None
    deviation: float | None
    changed: bool
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScoreOverTime:
    series: tuple[Reading, ...]  # oldest first
    baseline: Baseline
    change: Change


@dataclass(frozen=True, slots=True)
class Wellness:
    """`scores` by name, such as `uniform_stress`; `model_version` is that of the latest run, None if there is none."""

    patient_id: str
    window_days: int
    min_days: int
    model_version: str | None
    scores: Mapping[str, ScoreOverTime]


def read_summary(found: Mapping[str, Any]) -> PatientSummary:
    created = datetime.fromisoformat(found["created_at"])
    return PatientSummary(found["id"], found["name"], created, found["external_id"])


def read_patient(body: Mapping[str, Any]) -> Patient:
    found = body["data"]
    summary = read_summary(found)
    return Patient(
        summary.id, summary.name, summary.created_at, summary.external_id,
        found["pronouns"], found["notes"], found["consent"],
    )  # fmt: skip


def read_wellness(body: Mapping[str, Any]) -> Wellness:
    found = body["data"]
    return Wellness(
        patient_id=found["patient_id"],
        window_days=found["window_days"],
        min_days=found["min_days"],
        model_version=found["model_version"],
        scores={name: _over_time(score) for name, score in found["scores"].items()},
    )


def _over_time(found: Mapping[str, Any]) -> ScoreOverTime:
    baseline, change = found["baseline"], found["change"]
    return ScoreOverTime(
        series=tuple(map(_reading, found["series"])),
        baseline=Baseline(**{name: baseline[name] for name in Baseline.__slots__}),
        change=Change(**{name: change[name] for name in Change.__slots__}),
    )


def _reading(found: Mapping[str, Any]) -> Reading:
    day, time = date.fromisoformat(found["day"]), datetime.fromisoformat(found["time"])
    return Reading(found["model_run_id"], day, time, found["value"])

"""Training units: takes, joins of takes as long as the product's recordings, and disturbed copies of them.

The product hears ten seconds and more, a take lasts two; so takes of one speaker and one label are joined. All
units of a speaker stay together in one fold.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness import features, quality, speech
from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.interface import SAMPLE_RATE, Recording, Samples
from apps.model_runs.wellness.training.corpus import Take
from apps.model_runs.wellness.training.disturbances import CLEAN, DISTURBANCES, disturb

TAKE, JOIN, PART, WHOLE = "take", "join", "part", "whole"

JOIN_SECONDS = 10.5
LEAST_JOIN_SECONDS = 6.0  # a speaker who says less in all with a label gives takes only
JOINS = 6  # of one speaker and label
DISTURBED_JOINS = 1  # of these, each under every disturbance
PART_SECONDS = (2.0, 5.0)
PARTS = 5
PAUSE_SECONDS = 0.3

Strings = NDArray[np.str_]
Mask = NDArray[np.bool_]
Progress = Callable[[int, int], None]
Row = tuple[float, float, float, list[float]]


@dataclass(frozen=True, slots=True)
class Job:
    """One unit that is still to be measured."""

    speaker: str
    sex: str
    label: str
    kind: str
    number: int
    disturbance: str
    tail_seconds: float
    samples: Samples
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """Measured units, one a row: `values` is (units, features) in the order of `registry.FEATURES`."""

    speaker: Strings
    sex: Strings
    label: Strings
    kind: Strings
    number: NDArray[np.int64]
    disturbance: Strings
    tail_seconds: NDArray[np.float64]
    speech_seconds: NDArray[np.float64]
    snr_db: NDArray[np.float64]
    bandwidth_hz: NDArray[np.float64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.speaker)

    def where(self, mask: Mask) -> Units:
        return Units(*(getattr(self, field.name)[mask] for field in fields(self)))

    def of(self, kind: str, disturbance: str | None = None) -> Mask:
        mask: Mask = self.kind == kind
        return mask if disturbance is None else mask & (self.disturbance == disturbance)


def build_units(takes: Sequence[Take], jobs: int, progress: Progress | None = None) -> Units:
    """Joins, disturbs and measures; the same units whatever the number of processes `jobs`."""
    todo = list(plan(takes))
    rows = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for row in pool.imap(measure, todo, chunksize=16):
            rows.append(row)
            if progress is not None:
                progress(len(rows), len(todo))
    return to_units(todo, rows)


def to_units(todo: Sequence[Job], rows: Sequence[Row]) -> Units:
    """One row for each job and its measurement."""
    return Units(
        speaker=np.array([job.speaker for job in todo]),
        sex=np.array([job.sex for job in todo]),
        label=np.array([job.label for job in todo]),
        kind=np.array([job.kind for job in todo]),
        number=np.array([job.number for job in todo]),
        disturbance=np.array([job.disturbance for job in todo]),
        tail_seconds=np.array([job.tail_seconds for job in todo]),
        speech_seconds=np.array([row[0] for row in rows]),
        snr_db=np.array([row[1] for row in rows]),
        bandwidth_hz=np.array([row[2] for row in rows]),
        values=np.array([row[3] for row in rows]),
    )


def measure(job: Job) -> Row:
    """Seconds of speech, signal to noise in dB, bandwidth in Hz and features, by the same stages as in the product."""
    samples = disturb(job.samples, job.disturbance, np.random.default_rng(job.seed))
    found = speech.find_speech(samples, PAUSE_SECONDS)
    tracked = features.track(samples, found)
    found_quality = quality.measure(Recording(samples, "wav", "pcm_s16le", SAMPLE_RATE, 1), found, tracked)
    snr = quality.BEST_SNR_DB if found_quality.snr_db is None else found_quality.snr_db
    values = features.extract(samples, found, tracked)
    return found.speech_seconds, snr, found_quality.bandwidth_hz, [values[feature.name] for feature in FEATURES]


def plan(takes: Sequence[Take]) -> Iterator[Job]:
    """Every unit of the training, in a fixed order with fixed random numbers."""
    cells: dict[tuple[str, str], list[Take]] = defaultdict(list)
    for take in takes:
        cells[take.speaker, take.label].append(take)
    for cell_number, key in enumerate(sorted(cells)):
        cell = cells[key]
        jobs = _Cell(cell, cell_number)
        for number, take in enumerate(cell):
            yield jobs.job(TAKE, number, CLEAN, [number], take.tail_seconds)
        if sum(len(take.samples) for take in cell) >= LEAST_JOIN_SECONDS * SAMPLE_RATE:
            yield from jobs.joined()


class _Cell:
    """The takes of one speaker with one label."""

    def __init__(self, takes: Sequence[Take], number: int) -> None:
        self._takes = takes
        self._number = number
        self._rng = np.random.default_rng((20_260_101, number))

    def joined(self) -> Iterator[Job]:
        yield self.job(WHOLE, 0, CLEAN, list(range(len(self._takes))))
        names = tuple(DISTURBANCES)
        for number in range(JOINS):
            chosen = self._choose(JOIN_SECONDS)
            yield self.job(JOIN, number, CLEAN, chosen)
            if number < DISTURBED_JOINS:
                for name in names:
                    yield self.job(JOIN, number, name, chosen)
        for number in range(PARTS * len(PART_SECONDS)):
            chosen = self._choose(PART_SECONDS[number % len(PART_SECONDS)])
            yield self.job(PART, number, CLEAN, chosen)
            yield self.job(PART, number, names[(self._number + number) % len(names)], chosen)

    def job(self, kind: str, number: int, disturbance: str, chosen: list[int], tail_seconds: float = 0.0) -> Job:
        first = self._takes[0]
        samples = np.concatenate([self._takes[place].samples for place in chosen])
        # The noise of a unit is its own, whatever order the units are measured in.
        seed = (self._number, (TAKE, JOIN, PART, WHOLE).index(kind), number)
        return Job(first.speaker, first.sex, first.label, kind, number, disturbance, tail_seconds, samples, seed)

    def _choose(self, seconds: float) -> list[int]:
        """Takes in random order, none twice, until they last `seconds` or there are no more."""
        chosen: list[int] = []
        length = 0
        for place in self._rng.permutation(len(self._takes)).tolist():
            chosen.append(place)
            length += len(self._takes[place].samples)
            if length >= seconds * SAMPLE_RATE:
                break
        return chosen

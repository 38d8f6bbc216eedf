"""Takes of the Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005).

The stored files are all 2.000 s long: longer takes were cut and shorter ones padded with digital zeros, and how
much was padded depends on the emotion. The zeros are therefore cut off before anything else looks at a take.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.model_runs.wellness.heads import FEMALE, MALE
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples

NEUTRAL = "neutral"
LABELS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": NEUTRAL,
}
SEXES = {
    **dict.fromkeys(("03", "10", "11", "12", "15"), MALE),
    **dict.fromkeys(("08", "09", "13", "14", "16"), FEMALE),
}
# Years, as the database's authors give them.
AGES = {"03": 31, "08": 34, "09": 21, "10": 32, "11": 26, "12": 30, "13": 32, "14": 35, "15": 25, "16": 31}


class TrainingDataMissing(Exception):
    """The folder of the training data does not hold what training needs; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Take:
    """One sentence of one speaker with one label; `tail_seconds` of zeros were cut off its end."""

    speaker: str
    sex: str
    label: str
    samples: Samples
    tail_seconds: float


def read_emodb(folder: Path) -> list[Take]:
    """All takes in order of file name. Raises TrainingDataMissing when the folder holds none."""
    paths = sorted(folder.glob("*.wav"))
    if not paths:
        raise TrainingDataMissing(f"No recordings in {folder}: HELIOS_TRAINING_DATA must name the folder of emodb/.")
    return list(_takes(paths))


def _takes(paths: Iterable[Path]) -> Iterable[Take]:
    for path in paths:
        speaker, letter = path.name[:2], path.name[5:6]
        if speaker not in SEXES or letter not in LABELS:
            raise TrainingDataMissing(f"{path.name} is not named as the Berlin Database names its files.")
        samples, rate = _read_wav(path)
        spoken, tail = strip_zeros(samples)
        if len(spoken):
            yield Take(speaker, SEXES[speaker], LABELS[letter], resample(spoken, rate), tail / rate)


def strip_zeros(samples: Samples) -> tuple[Samples, int]:
    """The samples without the exact zeros at both ends, and how many stood at the end."""
    sounding = np.flatnonzero(samples)
    if not len(sounding):
        return samples[:0], len(samples)
    return samples[sounding[0] : sounding[-1] + 1], len(samples) - 1 - int(sounding[-1])


def resample(samples: Samples, rate: int) -> Samples:
    """To 16 kHz by cutting or extending the spectrum of the whole take."""
    if rate == SAMPLE_RATE:
        return samples
    count = round(len(samples) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(samples.astype(np.float64))
    resized = np.zeros(count // 2 + 1, complex)
    shared = min(len(spectrum), len(resized))
    resized[:shared] = spectrum[:shared]
    return (np.fft.irfft(resized, count) * (count / len(samples))).astype(np.float32)


def _read_wav(path: Path) -> tuple[Samples, int]:
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise TrainingDataMissing(f"{path.name} is not 16-bit mono.")
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return (data / np.float32(32_768)).astype(np.float32), file.getframerate()

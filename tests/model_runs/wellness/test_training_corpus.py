"""From files to training units: what is cut off, joined and disturbed."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from apps.model_runs.wellness import features, speech
from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples
from apps.model_runs.wellness.training.corpus import Take, TrainingDataMissing, read_emodb, resample, strip_zeros
from apps.model_runs.wellness.training.disturbances import CLEAN, DISTURBANCES, disturb
from apps.model_runs.wellness.training.units import JOIN, PART, TAKE, WHOLE, build_units, measure, plan
from tests import audio

RATE = 22_050


def write(path: Path, samples: Samples, *, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())


def spoken_takes(count: int, seconds: float, speaker: str = "03", label: str = "fear") -> list[Take]:
    reading = audio.speech_44s()
    return [
        Take(speaker, "MALE", label, audio.cut(reading, 3 + 2 * n, 3 + 2 * n + seconds), 0.1 * n) for n in range(count)
    ]


@pytest.mark.parametrize("tail", [0, 1, 5_000, 30_000])
def test_a_take_is_the_same_whatever_zeros_stand_around_it(tmp_path: Path, tail: int) -> None:
    sound = (0.2 * np.sin(np.arange(12_000) / 9) + 0.01).astype(np.float32)
    write(tmp_path / "03a01Wa.wav", sound)
    write(tmp_path / "03a02Wa.wav", np.concatenate([np.zeros(700), sound, np.zeros(tail)]).astype(np.float32))
    bare, padded = read_emodb(tmp_path)
    assert padded.samples.tolist() == bare.samples.tolist()
    assert padded.tail_seconds == pytest.approx(tail / RATE)
    assert (bare.speaker, bare.sex, bare.label) == ("03", "MALE", "anger")


def test_takes_come_in_order_with_speaker_sex_and_label(tmp_path: Path) -> None:
    sound = np.full(2_000, 0.1, np.float32)
    for name in ("16b10Td.wav", "08a01Na.wav"):
        write(tmp_path / name, sound)
    (tmp_path / "notes.txt").write_text("not a take")
    assert [(t.speaker, t.sex, t.label) for t in read_emodb(tmp_path)] == [
        ("08", "FEMALE", "neutral"),
        ("16", "FEMALE", "sadness"),
    ]


def test_a_take_of_silence_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "03a01Wa.wav", np.zeros(1_000, np.float32))
    assert read_emodb(tmp_path) == []
    assert strip_zeros(np.zeros(10, np.float32))[1] == 10


def test_missing_or_foreign_data_are_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataMissing, match=r"No recordings in .*HELIOS_TRAINING_DATA") as caught:
        read_emodb(tmp_path / "emodb")
    assert "\n" not in str(caught.value)
    write(tmp_path / "hello.wav", np.full(10, 0.5, np.float32))
    with pytest.raises(TrainingDataMissing, match="not named"):
        read_emodb(tmp_path)
    (tmp_path / "hello.wav").unlink()
    write(tmp_path / "03a01Wa.wav", np.full(10, 0.5, np.float32), channels=2)
    with pytest.raises(TrainingDataMissing, match="16-bit mono"):
        read_emodb(tmp_path)


def test_resampling_keeps_length_pitch_and_level() -> None:
    tone = np.sin(2 * np.pi * 441 * np.arange(RATE) / RATE).astype(np.float32)
    found = resample(tone, RATE)
    expected = np.sin(2 * np.pi * 441 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    assert len(found) == SAMPLE_RATE
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert resample(tone, SAMPLE_RATE) is tone


@pytest.mark.parametrize("name", [CLEAN, *DISTURBANCES])
def test_a_disturbance_changes_the_sound_the_same_way_each_time(name: str) -> None:
    samples = audio.cut(audio.speech_44s(), 2, 5)
    first, again = (disturb(samples, name, np.random.default_rng(4)) for _ in range(2))
    assert first.dtype == np.float32
    assert first.tolist() == again.tolist()
    assert np.abs(first).max() == pytest.approx(0.5, rel=0.01)
    unchanged = len(first) == len(samples) and np.corrcoef(first, samples)[0, 1] > 0.99999
    assert unchanged == (name == CLEAN)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_leaves_the_pitch_of_the_voice(name: str) -> None:
    samples = audio.cut(audio.speech_44s(), 2, 12)
    clean, changed = (features.extract(x, speech.find_speech(x, 0.3))["pitchMedian"]
                      for x in (samples, disturb(samples, name, np.random.default_rng(4))))  # fmt: skip
    assert changed == pytest.approx(clean, abs=1.5)  # semitones


@pytest.mark.parametrize(("name", "length"), [("slower by 8 %", 1 / 0.92), ("faster by 8 %", 1 / 1.08)])
def test_tempo_changes_the_length(name: str, length: float) -> None:
    samples = audio.cut(audio.speech_44s(), 2, 5)
    assert len(disturb(samples, name, np.random.default_rng(4))) == pytest.approx(length * len(samples), rel=0.001)


def test_noise_is_added_at_its_ratio() -> None:
    samples = audio.cut(audio.speech_44s(), 2, 5).astype(np.float64)
    noisy = DISTURBANCES["pink noise 10 dB"](samples, np.random.default_rng(1))
    ratio = 10 * np.log10(np.mean(samples**2) / np.mean((noisy - samples) ** 2))
    assert ratio == pytest.approx(10, abs=1e-6)


def test_joins_hold_takes_of_one_speaker_and_label_none_twice() -> None:
    first, second = spoken_takes(7, 2.0), spoken_takes(7, 2.0, "08", "neutral")
    jobs = list(plan([*first, *second]))
    for job in jobs:
        own = first if job.speaker == "03" else second
        assert (job.speaker, job.label) in {("03", "fear"), ("08", "neutral")}
        takes = [take.samples for take in own]
        pieces = job.samples.reshape(-1, 2 * SAMPLE_RATE)
        used = [next(n for n, take in enumerate(takes) if np.array_equal(piece, take)) for piece in pieces]
        assert len(set(used)) == len(used)
        if job.kind == JOIN:
            assert len(job.samples) == 12 * SAMPLE_RATE  # the first whole takes that pass 10.5 s
        if job.kind == WHOLE:
            assert sorted(used) == list(range(7))
    assert {job.kind for job in jobs} == {TAKE, JOIN, PART, WHOLE}
    assert {job.disturbance for job in jobs if job.kind == JOIN} == {CLEAN, *DISTURBANCES}
    assert len({(job.speaker, job.label, job.kind, job.number, job.disturbance) for job in jobs}) == len(jobs)


def test_the_plan_is_the_same_each_time() -> None:
    takes = spoken_takes(6, 2.0)
    for first, again in zip(plan(takes), plan(takes), strict=True):
        assert (first.kind, first.number, first.seed) == (again.kind, again.number, again.seed)
        assert np.array_equal(first.samples, again.samples)


def test_a_speaker_who_says_little_with_a_label_gives_takes_only() -> None:
    assert {job.kind for job in plan(spoken_takes(2, 2.0))} == {TAKE}


def test_units_are_the_same_for_any_number_of_processes() -> None:
    takes = spoken_takes(2, 2.0)
    seen: list[tuple[int, int]] = []
    units = build_units(takes, 2, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert len(units) == 2
    assert units.tail_seconds.tolist() == pytest.approx([0.0, 0.1])
    alone = [measure(job) for job in plan(takes)]
    assert units.values.tolist() == [row[3] for row in alone]
    assert units.speech_seconds.tolist() == [row[0] for row in alone]
    assert units.values.shape == (2, len(FEATURES))
    assert np.isfinite(units.values).all()

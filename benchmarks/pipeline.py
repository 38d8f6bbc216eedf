"""How much faster than real time the pipeline is on one core, with and without transcription.

    python -m benchmarks.pipeline [--repeat 3]

Time is CPU time of this process and of its decoders, all bound to one core; seconds of recording divided by it is the
speed. Without transcription means a language that has no transcriber. The speed of a repetition depends on what else
the machine does to its caches and clock, so the best one counts.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from pathlib import Path

from apps.model_runs.wellness import pipeline
from apps.model_runs.wellness.interface import Analysis, Limits, Person
from tests import audio

LENGTHS = (30.0, 44.0, 180.0)  # seconds; the first also warms up


def cpu_seconds() -> float:
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def measure(path: Path, language: str, repeat: int) -> tuple[float, Analysis]:
    """CPU seconds of the best repetition, and its result."""
    best: tuple[float, Analysis] | None = None
    for _ in range(repeat):
        before = cpu_seconds()
        analysis = pipeline.analyse(path, Person("MALE", None, language), Limits())
        spent = cpu_seconds() - before
        assert analysis.ok, analysis.error_reason
        if best is None or spent < best[0]:
            best = spent, analysis
    assert best is not None
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description="The pipeline's speed on one core.")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, of which the best counts")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pipeline.load_models()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.wav"
        path.write_bytes(audio.encode(audio.speech(LENGTHS[0])))
        measure(path, "en-GB", 1)  # imports, caches
        print(f"{'':<34}{'CPU s':>8}{'x real time':>14}   wall seconds by stage")
        for seconds in LENGTHS:
            path.write_bytes(audio.encode(audio.speech(seconds)))
            for name, language in (("without transcription", "de-DE"), ("with transcription", "en-GB")):
                spent, analysis = measure(path, language, options.repeat)
                stages = ", ".join(f"{stage} {value:.2f}" for stage, value in analysis.elapsed_seconds.items())
                print(f"{f'{seconds:.0f} s, {name}':<34}{spent:>8.2f}{seconds / spent:>14.1f}   {stages}")


if __name__ == "__main__":
    main()

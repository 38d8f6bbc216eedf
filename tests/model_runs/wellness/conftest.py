"""The decoders under test, and recordings as files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.model_runs.wellness.decode import decode
from apps.model_runs.wellness.interface import Limits, Recording
from tests.model_runs.wellness import stand_in_ffmpeg

# "ffmpeg" is the machine's own program, where there is one; the stand-in runs everywhere.
DECODERS = ["pyav", "stand-in", *(["ffmpeg"] if shutil.which("ffmpeg") and shutil.which("ffprobe") else [])]

Decode = Callable[..., Recording]
"""(bytes of a file, seconds accepted = 180) → Recording"""


@pytest.fixture
def decode_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Decode]:
    """A decoder of DECODERS as a function of a file's bytes."""

    def choose(name: str) -> Decode:
        if name == "stand-in":
            programs = tmp_path / "programs"
            programs.mkdir(exist_ok=True)
            stand_in_ffmpeg.install(programs)
            monkeypatch.setenv("PATH", str(programs))

        def run(data: bytes, longest: float = 180.0) -> Recording:
            path = tmp_path / "recording with spaces, and 'quotes'"
            path.write_bytes(data)
            return decode(path, Limits(max_recording_seconds=longest, decoder=name.replace("stand-in", "ffmpeg")))

        return run

    return choose


@pytest.fixture(params=DECODERS)
def decode_bytes(request: pytest.FixtureRequest, decode_with: Callable[[str], Decode]) -> Decode:
    """Each decoder in turn."""
    return decode_with(request.param)


@pytest.fixture
def pyav(decode_with: Callable[[str], Decode]) -> Decode:
    return decode_with("pyav")

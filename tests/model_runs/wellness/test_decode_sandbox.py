"""What a hostile file could make a decoder do, done by small programs inside the same sandbox."""

from __future__ import annotations

import importlib.machinery
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.model_runs.wellness.decode import decode, decoders
from apps.model_runs.wellness.decode.sandbox import Bounds, DecoderFailed, Outcome, run
from apps.model_runs.wellness.interface import ErrorCode, Limits, RecordingRefused
from tests import audio
from tests.model_runs.wellness.conftest import Decode

MEGABYTE = 1024 * 1024
CHECKOUT = Path(__file__).parents[3]


def run_python(code: str, room: int = 1000, cpu_seconds: int = 20, wall_seconds: float = 40.0) -> Outcome:
    return run([sys.executable, "-I", "-S", "-c", code], room=room, bounds=Bounds(cpu_seconds, wall_seconds))


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


# --- Limits ---
def test_output_and_status() -> None:
    outcome = run_python("import sys; print('out', end=''); print('err', file=sys.stderr); sys.exit(3)")
    assert outcome.output.tobytes() == b"out"
    assert (outcome.errors, outcome.status) == ("err\n", 3)
    assert not outcome.full
    assert not outcome.out_of_time


def test_a_loop_ends_at_the_cpu_limit() -> None:
    outcome = run_python("while True: pass", cpu_seconds=1)
    assert (outcome.status, outcome.out_of_time) == (-signal.SIGXCPU, True)


def test_a_sleeper_ends_at_the_deadline() -> None:
    start = time.monotonic()
    outcome = run_python("import time; print('x', flush=True); time.sleep(60)", wall_seconds=0.5)
    assert (outcome.out_of_time, outcome.output.tobytes()) == (True, b"x\n")
    assert time.monotonic() - start < 10


def test_one_that_closes_its_output_and_stays_ends_at_the_deadline() -> None:
    outcome = run_python("import os, time; os.close(1); os.close(2); time.sleep(60)", wall_seconds=0.5)
    assert outcome.out_of_time


def test_an_endless_output_ends_when_the_room_is_full() -> None:
    outcome = run_python("while True: print('x' * 1000)", room=5 * MEGABYTE)
    assert (outcome.full, outcome.out_of_time, len(outcome.output)) == (True, False, 5 * MEGABYTE)


def test_a_flood_of_messages_is_drained_and_cut() -> None:
    outcome = run_python("import sys; sys.stderr.write('y' * 5_000_000); print('done', end='')")
    assert (outcome.output.tobytes(), outcome.errors) == (b"done", "y" * 4096)


def test_memory_is_bounded() -> None:
    outcome = run_python("b'x' * 900_000_000; print('had it')")
    assert (outcome.status, len(outcome.output)) == (1, 0)
    assert "MemoryError" in outcome.errors


def test_no_file_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / "written"
    outcome = run_python(f"import os; os.write(os.open({str(target)!r}, os.O_CREAT | os.O_WRONLY), b'x')")
    assert (outcome.status, target.stat().st_size) == (1, 0)
    assert "File too large" in outcome.errors


def test_nothing_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/db")
    code = (
        "import os; print(os.environ.get('DATABASE_URL'), os.getcwd(),"
        " sorted(map(int, os.listdir('/proc/self/fd')))[:3], len(os.listdir('/proc/self/fd')),"
        " os.getsid(0) == os.getpid(),"
        " [line.split()[1] for line in open('/proc/self/status') if line.startswith('NoNewPrivs')])"
    )
    outcome = run_python(code)
    # The fourth descriptor is that of the listing itself.
    assert outcome.output.tobytes().decode().strip() == "None / [0, 1, 2] 4 True ['1']"


def test_nothing_is_left_behind() -> None:
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    run_python("pass")
    run_python("import time; time.sleep(60)", wall_seconds=0.3)
    assert (children(), len(os.listdir("/proc/self/fd"))) == (before, descriptors)


def test_an_interruption_kills_the_decoder() -> None:
    """As the soft time limit of a task interrupts it: by an exception in the middle of the wait."""

    def interrupt(*_: object) -> None:
        raise TimeoutError

    before, previous = children(), signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(TimeoutError):
            run_python("import time; time.sleep(60)")
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert children() == before


def test_the_decoder_dies_with_its_parent() -> None:
    code = (
        "import os, sys, threading; from apps.model_runs.wellness.decode.sandbox import Bounds, run\n"
        "def tell():\n"
        "    path = f'/proc/self/task/{os.getpid()}/children'\n"
        "    while not (pids := open(path).read().split()): pass\n"
        "    while b'sleep' not in open(f'/proc/{pids[0]}/cmdline', 'rb').read().split(b'\\0')[0]: pass\n"
        "    print(pids[0], flush=True)\n"
        "threading.Thread(target=tell, daemon=True).start()\n"
        "run(['/bin/sleep', '60'], room=10, bounds=Bounds())"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as parent:
        assert parent.stdout is not None
        decoder = int(parent.stdout.readline())
        assert Path(f"/proc/{decoder}").exists()
        parent.kill()
    deadline = time.monotonic() + 10
    while running(decoder):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- Whose fault it is ---
def test_a_crash_is_the_files_fault() -> None:
    outcome = run_python("import os; os.kill(os.getpid(), 11)")
    assert outcome.status == -signal.SIGSEGV


def test_a_kill_from_outside_is_not() -> None:
    before = children()

    def kill() -> None:
        while not (mine := children() - before):
            time.sleep(0.01)
        os.kill(mine.pop(), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DecoderFailed, match="killed from outside"):
        run_python("import time; time.sleep(30)")
    killer.join()


def test_a_missing_program_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DecoderFailed, match="the program ffprobe is not installed"):
        decode(audio.asset_path("beckett.wav"), Limits(decoder="ffmpeg"))


def test_a_broken_pyav_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "av").mkdir()
    (tmp_path / "av" / "__init__.py").write_text("raise ImportError('libavcodec.so is missing')")
    broken = importlib.machinery.ModuleSpec("av", None, origin=str(tmp_path / "av" / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: broken)
    decoders._directory_of_pyav.cache_clear()
    with pytest.raises(DecoderFailed, match=r"libavcodec\.so is missing"):
        decode(audio.asset_path("beckett.wav"), Limits())
    decoders._directory_of_pyav.cache_clear()


def test_out_of_time_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused) as caught:
        decode(audio.asset_path("two_cities.wav"), Limits(), Bounds(wall_seconds=0.01))
    assert caught.value.code == ErrorCode.INVALID_FORMAT
    assert caught.value.reason == "The WAV file could not be decoded within the time limit."


# --- Hostile files ---
def damaged(data: bytes, seed: int) -> bytes:
    """A file with bytes of its first kilobyte, where the structure is described, replaced by extreme ones."""
    chance, result = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 12)):
        result[chance.randrange(12, min(len(result), 1000))] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
    return bytes(result)


@pytest.mark.parametrize("container", audio.CONTAINERS)
def test_broken_headers_end_in_an_answer(pyav: Decode, container: str) -> None:
    data = audio.encode(audio.cut(audio.speech_10s(), 0, 2), container)
    start = time.monotonic()
    for seed in range(3):
        try:
            seconds = pyav(damaged(data, seed), 30.0).duration_seconds
        except RecordingRefused:
            continue
        assert 0 < seconds <= 30.1
    assert time.monotonic() - start < 3 * Bounds().wall_seconds


def loop_of_chunks() -> bytes:
    """A WAV of 200,000 chunks of no length, and no sound."""
    return audio.wav(audio.silence(0.1))[:12] + b"JUNK\0\0\0\0" * 200_000


def loop_of_boxes() -> bytes:
    """An MP4 whose boxes are nested 5000 deep, each as long as the file."""
    head = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    return head + b"".join((8 * (5000 - depth)).to_bytes(4) + b"moov" for depth in range(5000))


def loop_of_pages() -> bytes:
    """An Ogg of empty pages."""
    return (b"OggS\0\0" + bytes(20) + b"\0") * 200_000


@pytest.mark.parametrize("make", [loop_of_chunks, loop_of_boxes, loop_of_pages])
def test_headers_that_go_round_in_circles(decode_bytes: Decode, make: Callable[[], bytes]) -> None:
    start = time.monotonic()
    with pytest.raises(RecordingRefused) as caught:
        decode_bytes(make())
    assert caught.value.code == ErrorCode.INVALID_FORMAT
    assert time.monotonic() - start < 2 * Bounds().wall_seconds


# --- Price ---
def test_the_price_of_a_decoder() -> None:
    """0.25 s of CPU at rest; the bound leaves room for a busy machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    decode(audio.asset_path("beckett.wav"), Limits())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0

"""The watcher: whatever ends, nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helios_site.runtime import guard
from helios_site.runtime.datadir import CHECKOUT
from helios_site.runtime.watched import Program, WatchedProgram
from tests.runtime import processes

# A leader with a child in its group and one that has left it; the leader says when all are there.
TREE = textwrap.dedent("""
    setsid sleep 600 & sleep 600 &
    trap 'echo stopping; exit 3' TERM
    trap '' HUP
    echo ready
    wait; wait
""")
STUBBORN = "trap '' TERM; echo ready; while true; do sleep 600; done"


@pytest.fixture
def tree(folder: Path, environ: dict[str, str]) -> Iterator[WatchedProgram]:
    program = WatchedProgram(Program("tree", ("/bin/sh", "-c", TREE)), cwd=folder, environ=environ, logs=folder)
    program.start()
    wait_for(folder / "tree.log", "ready")
    yield program
    end(program)


def end(program: WatchedProgram) -> None:
    assert program.process is not None
    program.ask(guard.KILL)
    program.process.wait(10)
    program.close()


def wait_for(log: Path, text: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def test_leader_is_asked_politely_and_its_children_go_with_it(tree: WatchedProgram, folder: Path):
    assert len(processes.of(folder)) == 4
    tree.ask(guard.STOP)
    assert tree.process is not None
    assert tree.process.wait(10) == 3
    assert "stopping" in tree.log.read_text()
    assert processes.of(folder) == {}


def test_a_killed_leader_leaves_no_child(tree: WatchedProgram, folder: Path):
    assert tree.leader is not None
    os.kill(tree.leader, signal.SIGKILL)
    assert tree.process is not None
    assert tree.process.wait(10) == 128 + signal.SIGKILL
    assert processes.of(folder) == {}


def test_kill_ends_one_that_will_not_stop(folder: Path, environ: dict[str, str]):
    program = WatchedProgram(Program("x", ("/bin/sh", "-c", STUBBORN)), cwd=folder, environ=environ, logs=folder)
    program.start()
    wait_for(program.log, "ready")
    program.ask(guard.STOP)
    assert program.process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(0.3)
    end(program)
    assert program.process.returncode == 128 + signal.SIGKILL


def test_a_killed_watcher_takes_its_group_along(tree: WatchedProgram, folder: Path):
    assert tree.process is not None
    tree.process.kill()
    tree.process.wait(10)
    wait_for(tree.log, "stopping")  # the death signal reached the leader
    tree.close()
    deadline = time.monotonic() + 10
    while len(left := processes.of(folder)) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)  # what was killed takes a moment to be gone
    for pid in left:
        os.kill(pid, signal.SIGKILL)  # the one that left the group has nobody to look after it
    assert len(left) <= 1


def test_nothing_outlives_a_killed_supervisor(folder: Path, environ: dict[str, str]):
    script = textwrap.dedent(f"""
        import os, time
        from pathlib import Path
        from helios_site.runtime.watched import Program, WatchedProgram
        folder = Path({str(folder)!r})
        for name, text in {{"tree": {TREE!r}, "stubborn": {STUBBORN!r}}}.items():
            program = Program(name, ("/bin/sh", "-c", text))
            globals()[name] = watched = WatchedProgram(program, cwd=folder, environ=os.environ, logs=folder)
            watched.start()
        time.sleep(600)
    """)
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, env=environ)
    for name in ("tree.log", "stubborn.log"):
        while not (folder / name).exists():
            time.sleep(0.02)
        wait_for(folder / name, "ready")
    supervisor.kill()
    supervisor.wait(10)
    wait_for(folder / "tree.log", "stopping")
    assert processes.wait_for_none(folder, 15) == {}  # ten seconds of grace, then a kill


def test_a_program_that_is_not_there_ends_with_127(folder: Path, environ: dict[str, str]):
    program = WatchedProgram(Program("x", ("/no/such",)), cwd=folder, environ=environ, logs=folder)
    program.start()
    assert program.process is not None
    assert program.process.wait(10) == 127
    program.close()
    assert "No such file" in program.log.read_text()

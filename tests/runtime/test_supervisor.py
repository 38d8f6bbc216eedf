"""`manage.py up`, the real command with every process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from helios_site.management.commands import up
from helios_site.runtime.datadir import CHECKOUT
from tests.runtime import processes
from tests.runtime.conftest import data_directory, environ_of

UP = [sys.executable, "manage.py", "up", "--workers", "1"]

NAMES = {"supervisor", "postgres", "valkey", "web", "worker", "webhooks", "housekeeping", "beat"}


class Helios:
    """A running `manage.py up` and what it has said."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        self.folder = Path(environ["HELIOS_DATA_DIR"])
        self.process = subprocess.Popen(
            [*UP, *arguments], cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""

    def read_until(self, text: str) -> str:
        """The line with `text`; it must come before the output ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if text in line:
                return line
        raise AssertionError(self.said)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.said += output.read()
        return self.process.wait(60)

    def pids(self) -> dict[str, int]:
        recorded = json.loads((self.folder / "run" / "processes.json").read_text())
        return {name: entry["pid"] for name, entry in recorded.items()}

    def url(self) -> str:
        return self.read_until("Helios is ready at").split()[-1]


@pytest.fixture(scope="module")
def folder_of_helios() -> Iterator[Path]:
    with data_directory() as path:
        yield path


@pytest.fixture(scope="module")
def serving(folder_of_helios: Path) -> Iterator[tuple[Helios, str]]:
    """A Helios that tests may disturb, and its URL. Whatever they did, Ctrl-C ends it and leaves nothing."""
    running = Helios(environ_of(folder_of_helios), "--port", "0")
    yield running, running.url()
    assert len(processes.of(folder_of_helios)) >= 2 * len(NAMES)
    assert running.end(signal.SIGINT) == 0
    assert processes.wait_for_none(folder_of_helios, 15) == {}
    assert not (folder_of_helios / "run" / "processes.json").exists()


def answer_of(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/readyz", timeout=30) as response:
        return int(response.status)


def test_ready_means_ready_and_everybody_is_listed(serving: tuple[Helios, str]):
    helios, url = serving
    assert answer_of(url) == 200
    pids = helios.pids()
    assert set(pids) == NAMES
    assert set(pids.values()) <= {helios.process.pid, *processes.of(helios.folder)}


def test_a_second_one_on_the_same_data_says_so_and_stops(serving: tuple[Helios, str]):
    helios, _ = serving
    done = subprocess.run(
        [*UP, "--port", "0"], cwd=CHECKOUT, env=environ_of(helios.folder), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Helios is already running on {helios.folder}.\n"


def test_a_taken_port_is_named_and_nothing_is_started(folder: Path, environ: dict[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*UP, "--port", str(port)], cwd=CHECKOUT, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Port {port} is already in use; name another with --port")
    assert done.stderr.count("\n") == 1
    assert not (folder / "postgres").exists()


@pytest.mark.parametrize("wrong", [("--port", "70000"), ("--workers", "0"), ("--web-threads", "many")])
def test_options_out_of_range_are_named(capsys: pytest.CaptureFixture[str], wrong: tuple[str, str]):
    with pytest.raises(SystemExit) as ended:
        up.Command().run_from_argv(["manage.py", "up", *wrong])
    assert ended.value.code == 2
    assert f"argument {wrong[0]}: a whole number from" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(NAMES - {"supervisor"}))
def test_what_is_killed_starts_again(serving: tuple[Helios, str], name: str):
    helios, url = serving
    before = helios.pids()
    os.kill(before[name], signal.SIGKILL)
    helios.read_until(f"{name} ended (killed by SIGKILL) and starts again")
    deadline = time.monotonic() + 30
    while helios.pids()[name] == before[name]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    after = helios.pids()
    assert {other for other in NAMES if after[other] != before[other]} == {name}
    while True:
        try:
            assert answer_of(url) == 200
            break
        except urllib.error.HTTPError:  # PostgreSQL or Valkey is not back yet
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_start_right_after_a_kill_waits_for_the_port_and_nothing_outlives_a_kill(made: Path):
    killed = Helios(environ_of(made), "--port", "0")
    port = killed.url().rpartition(":")[2]
    killed.process.kill()
    again = Helios(environ_of(made), "--port", port)
    assert again.url().endswith(f":{port}")
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert len(processes.of(made)) >= 2 * len(NAMES)
    assert again.end(signal.SIGKILL) == -signal.SIGKILL
    assert processes.wait_for_none(made, 15) == {}
    assert (made / "run" / "processes.json").exists()

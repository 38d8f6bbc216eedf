from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helios_site.runtime import datadir
from helios_site.runtime.datadir import CHECKOUT, DataDirBusyError, DataDirError


def test_default_is_the_checkout_or_the_system_folder_of_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert datadir.data_dir({}) == CHECKOUT / ".helios"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert datadir.data_dir({"HELIOS_DATA_DIR": " "}) == Path("/var/lib/helios")


def test_named_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, folder: Path):
    monkeypatch.chdir(folder)
    assert datadir.data_dir({"HELIOS_DATA_DIR": "state"}) == folder / "state"


def test_secrets_are_private_strong_and_stay(folder: Path):
    first = datadir.secrets(folder / "new")
    stored = json.loads((folder / "new" / "secrets.json").read_text())
    assert datadir.secrets(folder / "new") == first
    assert (folder / "new" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(set(stored.values())) == len(stored) == 6
    assert set(map(len, stored.values())) == {64}  # 384 bits
    assert first.secret_key not in repr(first)


def test_processes_that_start_together_agree_on_the_secrets(folder: Path):
    script = (
        "import sys; from pathlib import Path; from helios_site.runtime.datadir import secrets; sys.stdin.read();"
        f"print(secrets(Path({str(folder / 'new')!r})).secret_key)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    answers = {process.communicate()[0] for process in started}
    assert len(answers) == 1
    assert answers == {datadir.secrets(folder / "new").secret_key + "\n"}


def test_a_new_secret_joins_the_old_ones(folder: Path):
    before = datadir.secrets(folder)
    path = folder / "secrets.json"
    stored = json.loads(path.read_text())
    del stored["valkey_password"]
    path.write_text(json.dumps(stored))
    after = datadir.secrets(folder)
    assert after.secret_key == before.secret_key
    assert len(after.valkey_password) == 64
    assert after.valkey_password != before.valkey_password


@pytest.mark.parametrize("text", ["{", "[]", '{"secret_key": 1}'])
def test_damaged_secrets_are_named_and_never_overwritten(folder: Path, text: str):
    (folder / "secrets.json").write_text(text)
    with pytest.raises(DataDirError, match="Restore it from a backup"):
        datadir.secrets(folder)
    assert (folder / "secrets.json").read_text() == text


def test_long_path_has_its_sockets_in_a_short_folder_of_its_own(folder: Path):
    long, other = folder / ("x" * 90), folder / ("y" * 90)
    assert datadir.socket_dir(folder) == folder / "sockets"
    assert len(os.fsencode(datadir.socket_dir(long) / datadir.POSTGRES_SOCKET)) <= datadir.MAX_SOCKET_PATH_BYTES
    assert datadir.socket_dir(long) == datadir.socket_dir(long) != datadir.socket_dir(other)


def test_a_comma_would_separate_hosts(folder: Path):
    assert "," not in str(datadir.socket_dir(folder / "a,b"))
    assert "a%2Cb" not in datadir.server_urls(folder / "a,b").database_url


def test_one_holder_at_a_time(folder: Path):
    with datadir.hold(folder), pytest.raises(DataDirBusyError, match="already running"), datadir.hold(folder):
        pytest.fail("held twice")
    with datadir.hold(folder):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(folder: Path):
    (folder / "file").write_text("")
    with pytest.raises(DataDirError, match="cannot be created") as caught:
        datadir.prepare(folder / "file" / "data")
    assert "\n" not in str(caught.value)

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import redis

from helios_site.runtime import datadir
from helios_site.runtime.datadir import CHECKOUT, DataDirBusyError, DataDirError
from helios_site.runtime.postgres import PostgresServer
from helios_site.runtime.server_process import ServerError, working_in
from helios_site.runtime.servers import EmbeddedServers, lay_out, throwaway_folder
from tests.runtime import processes

CLI = [sys.executable, "-m", "helios_site.runtime.servers", "run"]


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def test_servers_keep_their_data_and_their_distance(folder: Path):
    with EmbeddedServers(folder, fsync=False) as servers:
        with psycopg.connect(servers.urls.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
            version, vector, superuser, collation = (
                connection.execute(
                    "SELECT current_setting('server_version_num')::int / 10000,"
                    " (SELECT count(*) FROM pg_extension WHERE extname = 'vector'),"
                    " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
                    " (SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database())"
                ).fetchone()
                or ()
            )
            addresses = connection.execute("SHOW listen_addresses").fetchone()
        assert (version, vector, superuser, collation) == (18, 1, False, "bC.UTF-8")
        assert addresses == ("",)
        with redis.Redis.from_url(servers.urls.redis_url) as client:
            client.set("kept", "too")
            assert client.config_get("port")["port"] == "0"
        owner = pwd.getpwuid(Path(f"/proc/{postmaster(folder)}").stat().st_uid).pw_name
        assert owner == ("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        for name in ("postgres", "valkey", "sockets", "logs"):
            assert (folder / name).stat().st_mode & 0o077 == 0, name
        password = datadir.secrets(folder).valkey_password
        assert not any(password in arguments for arguments in processes.of(folder).values())
    assert processes.of(folder) == {}
    with EmbeddedServers(folder, fsync=False) as servers:
        with psycopg.connect(servers.urls.database_url) as connection:
            assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
        with redis.Redis.from_url(servers.urls.redis_url, decode_responses=True) as client:
            assert client.get("kept") == "too"


def test_a_wrong_password_is_refused(made: Path):
    with EmbeddedServers(made, fsync=False) as servers:
        known = datadir.secrets(made)
        wrong = servers.urls.database_url.replace(known.postgres_password, "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(servers.urls.database_url.replace("//helios:", "//postgres:"))
        anonymous = redis.Redis(unix_socket_path=str(datadir.socket_dir(made) / datadir.VALKEY_SOCKET))
        with anonymous, pytest.raises(redis.AuthenticationError):
            anonymous.ping()


def test_committed_data_survives_kill_9_of_postgresql(made: Path):
    user = lay_out(made)
    url = datadir.server_urls(made).database_url
    server = PostgresServer(made, user, fsync=False)
    server.start()
    server.wait_ready()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE survivor AS SELECT generate_series(1, 1000) AS n")
    assert server.process is not None
    server.process.kill()
    server.process.wait(10)
    assert (made / "postgres" / "postmaster.pid").exists()
    # At once, while children of the killed server may still be on their way out.
    server.start()
    server.wait_ready()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM survivor").fetchone() == (1000,)
    server.stop()
    assert working_in(made / "postgres") == []


def test_lock_files_that_name_a_stranger_do_not_hinder_the_start(made: Path):
    """Nor one that names a server which was killed and which nobody has collected yet: its pid still exists."""
    stranger = subprocess.Popen(["/bin/sleep", "600"], user=lay_out(made).uid)
    locks = (made / "postgres" / "postmaster.pid", datadir.socket_dir(made) / f"{datadir.POSTGRES_SOCKET}.lock")
    try:
        for lock in locks:
            lock.write_text(f"{stranger.pid}\n{made}/postgres\n1\n5432\n\n\n\n\n")
        with EmbeddedServers(made, fsync=False) as servers, psycopg.connect(servers.urls.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_long_path_works(folder: Path):
    long = folder / ("long-" * 20)
    long.mkdir(mode=0o711)
    sockets = datadir.socket_dir(long)
    assert not sockets.is_relative_to(long)
    try:
        with EmbeddedServers(long, fsync=False) as servers:
            with psycopg.connect(servers.urls.database_url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            with redis.Redis.from_url(servers.urls.redis_url) as client:
                assert client.ping() is True
            assert sockets.stat().st_mode & 0o077 == 0
    finally:
        for path in sockets.iterdir():
            path.unlink()
        sockets.rmdir()


def test_a_planted_socket_folder_is_refused(folder: Path):
    (folder / "elsewhere").mkdir()
    (folder / "sockets").symlink_to(folder / "elsewhere")
    with pytest.raises(DataDirError, match="belongs to another user"), EmbeddedServers(folder):
        pytest.fail("started")


def test_data_of_another_major_version_is_refused(made: Path):
    version = made / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(DataDirError, match="made by PostgreSQL 17"), EmbeddedServers(made):
            pytest.fail("started")
    finally:
        version.write_text("18\n")


def test_a_server_that_cannot_start_says_why(made: Path):
    configuration = made / "postgres" / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(ServerError, match="no_such_setting"), EmbeddedServers(made):
            pytest.fail("started")
    finally:
        configuration.write_text(before)


def test_a_second_one_on_the_same_folder_is_refused(made: Path):
    with EmbeddedServers(made, fsync=False), pytest.raises(DataDirBusyError), EmbeddedServers(made):
        pytest.fail("started")


def test_command_runs_beside_the_servers_and_its_exit_code_counts(environ: dict[str, str]):
    script = (
        "import os, psycopg; from helios_site.runtime.datadir import *;"
        "folder = data_dir(os.environ); print(folder);"
        "psycopg.connect(server_urls(folder).database_url).close(); raise SystemExit(5)"
    )
    done = subprocess.run(
        [*CLI, "--", sys.executable, "-c", script], cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, text=True
    )
    used = Path(done.stdout.strip())
    assert done.returncode == 5
    assert str(used) != environ["HELIOS_DATA_DIR"]
    assert not used.exists()
    assert processes.of(used) == {}


def test_what_may_be_lost_lies_in_memory_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("helios_site.runtime.servers.MEMORY", tmp_path / "memory")
    assert throwaway_folder().parent == tmp_path, "there is no such memory"
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr("helios_site.runtime.servers.LEAST_ROOM_BYTES", 0)
    assert throwaway_folder("x").parent == tmp_path / "memory"
    monkeypatch.setattr("helios_site.runtime.servers.LEAST_ROOM_BYTES", 1 << 60)
    folder = throwaway_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_runner_of_a_command(folder: Path, environ: dict[str, str], end: signal.Signals):
    (folder / "data").mkdir(mode=0o711)
    command = [*CLI, "--data-dir", str(folder / "data"), "--", "/bin/sh", "-c", "echo up; exec sleep 600"]
    runner = subprocess.Popen(command, cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    with runner.stdout:
        assert runner.stdout.readline() == "up\n"
        assert len(processes.of(folder)) > 3
        started = time.monotonic()
        runner.send_signal(end)
        runner.wait(20)
    assert processes.wait_for_none(folder, 10) == {}
    assert time.monotonic() - started < 10

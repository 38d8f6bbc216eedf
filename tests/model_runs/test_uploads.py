"""Uploads over real sockets: cut, stalled, chunked, too large, twice at once, and never whole in memory."""

from __future__ import annotations

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from apps.model_runs.models import ModelRun, Status
from apps.model_runs.uploads import upload_url
from helios_site.storage.s3 import S3Storage
from tests.conftest import RECORDINGS, Server
from tests.model_runs.conftest import MakeRun, exists

pytestmark = RECORDINGS


def target(run: ModelRun) -> str:
    parts = urlsplit(upload_url(run))
    return f"{parts.path}?{parts.query}"


def put(server: Server, run: ModelRun, body: Any, **headers: str) -> tuple[int, bytes]:
    with server.connect() as connection:
        connection.request("PUT", target(run), body=body, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read()


def stored_objects() -> list[Path]:
    root = Path(django_settings.HELIOS_RECORDINGS_DIR)
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def _no_recordings() -> None:
    for path in stored_objects():
        path.unlink()


def test_a_whole_upload_starts_the_run(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    assert put(server, run, b"sound") == (200, b"")
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    assert exists(run.recording_key)
    assert run.recording_bytes == 5


def test_an_upload_cut_half_way_leaves_nothing_and_the_url_works_afterwards(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        head = f"PUT {target(run)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.replace("Host: x", "Host: 127.0.0.1").encode() + os.urandom(400_000))
        connection.shutdown(socket.SHUT_WR)
        reply = connection.recv(65536)
    assert b" 422 " in reply.split(b"\r\n")[0]
    run.refresh_from_db()
    assert run.status == Status.CREATED
    assert stored_objects() == []
    assert put(server, run, b"sound") == (200, b"")


def test_a_chunked_upload_is_asked_for_a_length(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    status, body = put(server, run, iter([b"so", b"und"]))
    assert status == 411
    assert "Content-Length" in json.loads(body)["detail"]
    run.refresh_from_db()
    assert run.status == Status.CREATED


def test_an_upload_above_the_limit_is_refused_and_the_client_sees_why(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    limit = django_settings.HELIOS_UPLOAD_MAX_BYTES
    with server.connect() as connection:
        connection.putrequest("PUT", target(run))
        connection.putheader("Content-Length", str(limit + 1))
        connection.endheaders()
        connection.send(bytes(4 << 20))
        # The client goes on sending: it must still get to read the answer.
        connection.send(bytes(8 << 20))
        reply = connection.getresponse()
        assert reply.status == 413
        assert str(limit) in json.loads(reply.read())["detail"]
    assert stored_objects() == []


def test_two_uploads_at_once_start_one_run_and_keep_one_recording(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    bodies = [os.urandom(3 << 20) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(status for status, _ in pool.map(lambda body: put(server, run, body), bodies))
    assert statuses == [200, 409, 409, 409]
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    assert [path.stat().st_size for path in stored_objects()] == [3 << 20]


def test_a_100_mb_upload_raises_the_web_process_by_less_than_20_mb(server: Server, make_run: MakeRun) -> None:
    piece = os.urandom(1 << 20)

    def resident() -> int:
        """Peak resident kB of the web processes."""
        total = 0
        for line in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = line.read_text().rsplit(")", 1)[1].split()
                if int(fields[2]) != server.process.pid:  # process group
                    continue
                status = (line.parent / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += int(status.split("VmHWM:")[1].split()[0])
        return total

    put(server, make_run(), piece)  # imports and caches are warm
    before = resident()
    run = make_run()
    with server.connect() as connection:
        connection.putrequest("PUT", target(run))
        connection.putheader("Content-Length", str(100 << 20))
        connection.endheaders()
        for _ in range(100):
            connection.send(piece)
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (200, b"")
    run.refresh_from_db()
    assert run.recording_bytes == 100 << 20
    assert resident() - before < 20 * 1024


def test_a_deleted_run_answers_404(server: Server, make_run: MakeRun) -> None:
    run = make_run()
    url = target(run)
    ModelRun.objects.filter(id=run.id).delete()
    with server.connect() as connection:
        connection.request("PUT", url, body=b"sound")
        reply = connection.getresponse()
        assert (reply.status, json.loads(reply.read())) == (404, {"detail": "Model run not found"})
    assert stored_objects() == []


def test_a_browser_of_an_allowed_origin_may_upload(make_run: MakeRun, settings: Any, client: Client) -> None:
    settings.HELIOS_UPLOAD_CORS_ORIGINS = ("https://clinic.example",)
    url = target(make_run())
    allowed = client.options(url, headers={"origin": "https://clinic.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://clinic.example"
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    refused = client.options(url, headers={"origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_other_methods_are_405_with_allow(make_run: MakeRun, client: Client) -> None:
    reply = client.post(target(make_run()), b"x", content_type="audio/wav")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "PUT, OPTIONS")


def test_an_upload_is_streamed_to_an_s3_compatible_store(
    make_run: MakeRun, client: Client, s3: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.model_runs.uploads.object_store", lambda: s3)
    run, content = make_run(), os.urandom(9 << 20)  # more than one part
    assert client.put(target(run), content, content_type="audio/wav").status_code == 200
    run.refresh_from_db()
    with s3.local_path(run.recording_key) as path:
        assert path.read_bytes() == content
    assert client.put(target(run), content, content_type="audio/wav").status_code == 200
    assert client.put(target(run), b"other", content_type="audio/wav").status_code == 409
    assert len(list(s3.keys_before(timezone.now() + timedelta(minutes=1)))) == 1


def test_a_full_store_refuses_the_upload_and_the_url_works_afterwards(
    make_run: MakeRun, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    with monkeypatch.context() as patch:
        patch.setattr("helios_site.storage.local.open", open_full, raising=False)
        reply = client.put(target(run), bytes(2 << 20), content_type="audio/wav")
    assert (reply.status_code, "later" in reply.json()["detail"]) == (507, True)
    assert stored_objects() == []
    assert client.put(target(run), b"sound", content_type="audio/wav").status_code == 200


def open_full(path: Path, mode: str, **options: Any) -> Any:
    """As `open`, on a disk that is full: /dev/full is the system's own."""
    file = open(path, mode, **options)  # noqa: SIM115
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file.fileno())
    os.close(full)
    return file

"""PUT to the upload URL, and what the run makes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.model_runs.models import ModelRun
from helios_site.storage import object_store
from tests.conftest import MakeKey
from tests.contract.helios.calls import create, put, read
from tests.contract.helios.conftest import CONTENT, finish

pytestmark = pytest.mark.django_db


def nothing_stored(run_id: str) -> bool:
    run = ModelRun.objects.get(id=run_id)
    objects = list(object_store().keys_before(timezone.now() + timedelta(days=1)))
    return run.status == "CREATED" and not run.recording_key and not [key for key in objects if run_id in key]


def test_33_raw_bytes_without_a_key_are_200_with_empty_body(api: Client) -> None:
    reply = create(api)
    response = put(Client(), reply["recordingUploadUrl"], CONTENT)
    assert (response.status_code, response.content) == (200, b"")
    assert read(api, reply["id"])["status"] == "RUNNING"


@pytest.mark.parametrize("content_type", ["audio/mpeg", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_34_any_content_type_and_none_are_taken(api: Client, content_type: str) -> None:
    reply = create(api)
    assert put(Client(), reply["recordingUploadUrl"], CONTENT, content_type=content_type).status_code == 200
    run = ModelRun.objects.get(id=reply["id"])
    with object_store().local_path(run.recording_key) as path:
        assert path.read_bytes() == CONTENT


def test_35_a_key_a_user_agent_and_cookies_are_tolerated(api: Client, make_key: MakeKey) -> None:
    for key in (make_key()[1], "hlsk_wrong"):
        client = Client(enforce_csrf_checks=True, headers={"x-api-key": key, "user-agent": "curl/8"})
        client.cookies["csrftoken"] = "x"
        assert put(client, create(api)["recordingUploadUrl"], CONTENT).status_code == 200


def test_37_an_expired_url_is_refused_and_nothing_starts(api: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1, seconds=1), tick=False):
        reply = create(api)
    response = put(Client(), reply["recordingUploadUrl"], CONTENT)
    assert response.status_code == 403
    assert response.json()["detail"]
    assert nothing_stored(reply["id"])


def test_38_the_url_is_good_for_59_minutes(api: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=59), tick=False):
        reply = create(api)
    assert put(Client(), reply["recordingUploadUrl"], CONTENT).status_code == 200


def test_40_an_altered_url_is_refused_and_nothing_stored(api: Client) -> None:
    reply, other = create(api), create(api)
    url = str(reply["recordingUploadUrl"])
    signature = url[-64:]
    wrong = "0" if signature[0] != "0" else "1"
    altered = [
        url.replace(signature, wrong + signature[1:]),
        url.replace(signature, ""),
        url.replace(reply["id"], other["id"]),
        url.replace(reply["id"], reply["id"].upper()),
        url.replace(reply["id"], "not-an-id"),
        url.replace("expires=", "expires=9"),
        url.split("?")[0] + "?",
    ]
    for one in altered:
        response = put(Client(), one, CONTENT)
        assert response.status_code == 403, one
        assert response.json()["detail"]
    assert nothing_stored(reply["id"])
    assert nothing_stored(other["id"])


def test_80_a_second_put_is_200_if_identical_and_409_if_not(api: Client) -> None:
    reply = create(api)
    url = reply["recordingUploadUrl"]
    assert put(Client(), url, CONTENT).status_code == 200
    running = read(api, reply["id"])
    assert put(Client(), url, CONTENT).status_code == 200
    assert put(Client(), url, CONTENT + b"!").status_code == 409
    assert read(api, reply["id"]) == running
    finish(reply["id"])
    result = read(api, reply["id"])
    assert put(Client(), url, CONTENT).status_code == 200
    assert put(Client(), url, b"other").status_code == 409
    assert read(api, reply["id"]) == result


class _Body:
    """A request body of `size` bytes, made as it is read."""

    def __init__(self, size: int) -> None:
        self.left, self.largest, self.total = size, 0, 0

    def read(self, size: int = -1) -> bytes:
        piece = min(self.left, self.left if size < 0 else size)
        self.left -= piece
        self.total += piece
        self.largest = max(self.largest, piece)
        return b"x" * piece

    readline = read


def stream(url: str, body: _Body, announced: int | None) -> Any:
    parts = urlsplit(url)
    length = {} if announced is None else {"CONTENT_LENGTH": str(announced)}
    environ: dict[str, Any] = {"wsgi.input": body, **length}
    return Client().put(f"{parts.path}?{parts.query}", b"", content_type="audio/wav", **environ)


def test_82_without_a_length_411_and_truncated_leaves_the_run_created(api: Client) -> None:
    reply = create(api)
    url = reply["recordingUploadUrl"]
    assert stream(url, _Body(100), None).status_code == 411
    assert nothing_stored(reply["id"])
    assert stream(url, _Body(600_000), 1_000_000).status_code == 422
    assert nothing_stored(reply["id"])
    assert stream(url, _Body(1_000_000), 1_000_000).status_code == 200


def test_83_an_upload_above_the_limit_is_413_and_never_held_in_memory(api: Client, settings: Any) -> None:
    settings.HELIOS_UPLOAD_MAX_BYTES = 5_000_000
    reply = create(api)
    body = _Body(50_000_000)
    response = stream(reply["recordingUploadUrl"], body, 50_000_000)
    assert response.status_code == 413
    assert response.json()["detail"]
    assert body.largest <= 1_000_000
    assert body.total < 50_000_000
    assert nothing_stored(reply["id"])

    allowed = _Body(5_000_000)
    assert stream(reply["recordingUploadUrl"], allowed, 5_000_000).status_code == 200
    assert allowed.largest <= 1_000_000


def test_a_deleted_run_takes_no_upload(api: Client) -> None:
    reply = create(api)
    assert api.delete(f"/v1/models/mental-wellness/{reply['id']}").status_code == 200
    assert put(Client(), reply["recordingUploadUrl"], CONTENT).status_code == 404

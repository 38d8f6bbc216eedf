"""What only shows when a worker is there, or has died: lines 32, 65 and 93."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from celery.signals import after_task_publish
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.model_runs import services
from tests import audio
from tests.conftest import RECORDINGS, MakeKey
from tests.contract.helios.calls import body_with_user, minimal_body, post, put, read
from tests.contract.helios.conftest import OK, start
from tests.contract.helios.test_recordings import wait
from tests.contract.helios.test_status import assert_described


@RECORDINGS
def test_32_two_creates_for_one_label_at_once_finish_on_their_own(worker: Path, make_key: MakeKey) -> None:
    raw = make_key()[1]
    recording = audio.encode(audio.speech(14), "flac")

    def whole(_: int) -> dict[str, Any]:
        client = Client(headers={"x-api-key": raw})
        try:
            reply = post(client, minimal_body())
            assert reply.status_code == 200
            assert put(client, reply.json()["recordingUploadUrl"], recording).status_code == 200
            return wait(client, reply.json()["id"])[-1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(whole, range(2))
    assert first["id"] != second["id"]
    assert first["userLabel"] == second["userLabel"]
    assert first["status"] == second["status"] == "COMPLETE_OK"
    assert_described(first)
    assert first["extensions"]["explanation"]
    assert set(first["extensions"]["confidence"]) >= {"mentalStrain", "distress", "lowSelfEsteem"}
    assert first["extensions"]["safety"] == {"selfHarmLanguage": False, "phrases": []}


def test_65_a_run_whose_workers_crash_ends_in_err_internal(api: Client, settings: Any) -> None:
    """A worker that dies leaves its claim to the lease; here the lease ends at once."""
    settings.HELIOS_RUN_LEASE_SECONDS = -1
    settings.HELIOS_RUN_MAX_ATTEMPTS = 3
    run_id = start(api)
    for _ in range(3):
        claim = services.claim_run(run_id=UUID(run_id))
        assert claim
        assert read(api, run_id)["status"] == "RUNNING"
        services.sweep_runs()
    body = read(api, run_id)
    assert (body["status"], body["errorCode"], body["results"]) == ("COMPLETE_ERROR", "ERR_INTERNAL", None)
    assert "3 attempts" in body["errorReason"]
    assert services.claim_run(run_id=UUID(run_id)) is None
    assert claim
    assert services.finish_run(claim=claim, analysis=OK) is False


LABEL, BIRTH_DATE = "Zweifelhaft-93", "1967-03-04"


def person() -> dict[str, Any]:
    return body_with_user(userLabel=LABEL, dateOfBirth=BIRTH_DATE)


@RECORDINGS
def test_93_logs_tell_nothing_of_the_person(
    worker: Path, make_key: MakeKey, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = make_key()[1]
    client = Client(headers={"x-api-key": raw})
    caplog.set_level(logging.INFO)
    reply = post(client, person()).json()
    put(client, reply["recordingUploadUrl"], audio.encode(audio.speech(14), "flac"))
    body = wait(client, reply["id"])[-1]
    transcript = body["results"]["sections"][0]["transcript"]
    client.get(f"/v1/models/mental-wellness?userLabel={LABEL}")
    assert post(client, person() | {"language": LABEL}).status_code == 422

    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(services, "create_run", break_down)
    client.raise_request_exception = False
    assert post(client, person()).status_code == 500

    web, work = caplog.text + str([vars(record) for record in caplog.records]), worker.read_text()
    assert "/v1/models/mental-wellness" in web
    assert "a fault" in web
    assert reply["id"] in work
    words = [transcript, *(" ".join(transcript.split()[at : at + 3]) for at in range(0, 12, 3))]
    for secret in (LABEL, BIRTH_DATE, raw, raw[5:], *words):
        assert secret not in web
        assert secret not in work
    for event in AuditEvent.objects.values():
        assert not [secret for secret in (LABEL, BIRTH_DATE, raw, *words) if secret in str(event)]


@pytest.mark.django_db(transaction=True)
def test_93_task_arguments_and_limits_name_ids_alone(api: Client, settings: Any) -> None:
    published: list[tuple[Any, Any]] = []

    def note(body: Any, headers: Any, **_: Any) -> None:
        published.append((body, headers))

    after_task_publish.connect(note)
    try:
        reply = post(api, person()).json()
        put(api, reply["recordingUploadUrl"], b"a recording")
    finally:
        after_task_publish.disconnect(note)
    ((body, headers),) = published
    assert body[:2] == ([reply["id"]], {})
    api.get(f"/v1/models/mental-wellness?userLabel={LABEL}")
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        kept = b"".join(key + (broker.dump(key) or b"") for key in broker.scan_iter())
    assert b"helios:limit" in kept
    for secret in (LABEL, BIRTH_DATE, "hlsk_"):
        assert secret not in str((body, headers))
        assert secret.encode() not in kept

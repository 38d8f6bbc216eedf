"""The whole story of one person over the API: consent, six checks on six days, what is usual, notes, and the end."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone

from apps.model_runs.execution import execute_run
from apps.model_runs.patient_runs.exporting import export_person
from tests import audio
from tests.contract.healos.calls import content_of, send
from tests.contract.healos.patients import PATIENTS
from tests.contract.healos.patients import create as create_patient
from tests.contract.helios.calls import create, minimal_body, post, put, read
from tests.model_runs.people import anywhere, where

DAYS = 6
NAME = "Canary Quetzal"


def check(client: Client, patient_id: str, days_ago: int, content: bytes) -> str:
    """One finished check of the person; its id."""
    taken = (timezone.now() - timedelta(days=days_ago)).strftime("%Y-%m-%dT09:00:00")
    run = create(client, minimal_body(patientId=patient_id, recordingTime=taken))
    assert put(client, run["recordingUploadUrl"], content).status_code == 200
    execute_run(UUID(run["id"]))
    assert read(client, run["id"])["status"] == "COMPLETE_OK"
    return str(run["id"])


@pytest.mark.django_db
def test_a_person_from_consent_to_erasure(api: Client, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.HEALOS_NOTES_FROM_RUNS = True
    patient = create_patient(api, name=NAME, notes="canary-remark")
    refused = post(api, minimal_body(patientId=patient["id"]))
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "patientId"])
    path = f"{PATIENTS}/{patient['id']}"
    assert send(api, "PATCH", path, {"consent": True}).status_code == 200

    # Six mornings, each with a recording of its own: the same sentences at another loudness.
    speech = audio.cut(audio.speech_44s(), 0, 16)
    recordings = [audio.wav(audio.gain(speech, -day)) for day in range(DAYS)]
    runs = [check(api, patient["id"], DAYS - day, recordings[day]) for day in range(DAYS)]

    wellness = api.get(f"{path}/wellness").json()["data"]
    assert wellness["latest"]["model_run_id"] == runs[-1]
    for score in wellness["scores"].values():
        values = [point["value"] for point in score["series"]]
        assert len(values) == DAYS
        assert all(0 <= value <= 1 for value in values)
        assert (score["baseline"]["ready"], score["baseline"]["days_used"]) == (True, DAYS - 1)
        assert not score["change"]["changed"], "loudness is no change of the person"
        assert "usual for this person" in score["change"]["text"]
    listed = api.get(f"{path}/model-runs").json()["data"]
    assert [run["id"] for run in listed] == runs[::-1]

    notes = api.get("/ext-api/v1/notes", {"patient_id": patient["id"]}).json()["data"]
    assert [note["note_type"] for note in notes] == ["wellness_check"] * DAYS
    note = api.get(f"/ext-api/v1/notes/{notes[0]['id']}").json()["data"]
    assert note["transcript"]["text"] == read(api, runs[-1])["results"]["sections"][0]["transcript"] != ""
    assert api.delete(f"/v1/models/mental-wellness/{runs[0]}").status_code == 200
    assert len(api.get("/ext-api/v1/notes", {"patient_id": patient["id"]}).json()["data"]) == DAYS - 1

    export_id = send(api, "POST", f"{path}/export").json()["data"]["id"]
    assert export_person(export_id=UUID(export_id))
    url = api.get(f"{path}/exports/{export_id}").json()["data"]["url"]
    with ZipFile(io.BytesIO(content_of(Client().get(url.removeprefix(settings.HELIOS_PUBLIC_BASE_URL))))) as whole:
        assert json.loads(whole.read("patient.json"))["name"] == NAME
        assert [whole.read(f"recordings/{run_id}") for run_id in runs[1:]] == recordings[1:]

    assert where(anywhere(NAME, "canary-remark")) != {}
    with django_capture_on_commit_callbacks(execute=True):
        assert send(api, "POST", f"{path}/erase", {"reason": "subject_request"}).status_code == 200
    assert where(anywhere(NAME, "canary-remark")) == {}
    places = {place for found in anywhere(*runs[1:]).values() for place in found}
    # The buckets that count polling end with their minute.
    assert {place for place in places if not place.startswith("helios:limit:")} == {"accounts_auditevent"}
    assert api.get(path).status_code == api.get(f"/v1/models/mental-wellness/{runs[1]}").status_code == 404

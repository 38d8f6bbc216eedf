"""Where what a request sends lies until it is judged: nowhere in memory, also where `/tmp` is memory."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.model_runs.models import ModelRun
from apps.patients.models import Document, Patient
from helios_site.storage.spool import spooled
from tests.contract.healos.calls import content_of
from tests.contract.healos.documents import pdf, upload
from tests.contract.healos.transfer import NDJSON
from tests.patients.people import make_patient

LARGE = 2 << 20  # more than is kept in memory of any of them


def test_it_is_on_the_disk_of_the_recordings_without_a_name(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_RECORDINGS_DIR = root = tmp_path / "data" / "recordings"
    with spooled(10) as file:
        file.write(b"more than ten bytes")
        place = Path(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        assert place.parent == root / "incoming"
        assert list(place.parent.iterdir()) == []
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


@pytest.fixture
def without_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")


@pytest.mark.django_db
@pytest.mark.usefixtures("without_tmp")
def test_forms_with_files_leave_tmp_alone(organization: Organization) -> None:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    member = Client()
    member.force_login(user)
    person = {"label": "person-1", "date_of_birth": "1990-08-24", "birth_sex": "FEMALE", "language": "en-GB"}
    recording = SimpleUploadedFile("me.wav", b"RIFF" + bytes(LARGE))
    assert member.post("/checks/new", {**person, "how": "upload", "recording": recording}).status_code == 302
    assert ModelRun.objects.get().recording_bytes == LARGE + 4
    patient = make_patient(organization)
    upload(member, f"/patients/{patient.pk}/documents", pdf() + bytes(LARGE))
    assert Document.objects.get().file_size > LARGE


@pytest.mark.django_db
@pytest.mark.usefixtures("without_tmp")
def test_an_import_leaves_tmp_alone(api: Client) -> None:
    line = b'{"type": "patient", "data": {"name": "Maria Santos"}}' + b" " * 1000 + b"\n"
    answer = api.generic("POST", "/ext-api/v1/import", line + b"\n" * LARGE, content_type=NDJSON)
    assert b'"status":"created"' in content_of(answer).replace(b" ", b"")
    assert Patient.objects.get().name == "Maria Santos"

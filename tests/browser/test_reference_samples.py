"""The samples of the API description with curl and Node.js, each executed as somebody would who has copied it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from helios_site.env import Rate
from tests.api.samples import (
    CSRF_TOKEN,
    NOT_THERE,
    good,
    objects_of,
    operations,
    session_of_an_admin,
    sources,
    write_files,
)
from tests.conftest import RECORDINGS, MakeKey, serving

pytestmark = [pytest.mark.browser, RECORDINGS]
LINKS = {"HELIOS_UPLOAD_URL": "recordingUploadUrl", "HELIOS_DOCUMENT_URL": "public_url"}
SAVED = "nothing said: the reply became a file"
STATUS_LAST = 'write-out = "\\n%{http_code}"\n'  # for curl, which prints the reply alone


@pytest.mark.parametrize(
    ("label", "program", "name"), [("curl", "sh", "sample.sh"), ("JavaScript", "node", "sample.mjs")]
)
def test_the_samples_do_what_they_say(
    label: str,
    program: str,
    name: str,
    transactional_db: None,
    make_key: MakeKey,
    api: Client,
    organization: Organization,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    settings.HELIOS_RATE_LIMIT = settings.HELIOS_POLL_LIMIT = settings.HEALOS_RATE_LIMIT = Rate(1_000_000, 60)
    for limit in ("HELIOS_RATE_LIMIT", "HELIOS_POLL_LIMIT", "HELIOS_HEALOS_RATE_LIMIT"):
        monkeypatch.setenv(limit, "1000000/60")
    description = Client().get("/openapi.json").json()
    write_files(tmp_path, description)
    (tmp_path / ".curlrc").write_text(STATUS_LAST)
    wrong = {}
    with serving(tmp_path / "web.log") as server:
        monkeypatch.setenv("CURL_HOME", str(tmp_path))
        monkeypatch.setenv("HELIOS_URL", server.url)
        monkeypatch.setenv("HELIOS_KEY", make_key()[1])
        monkeypatch.setenv("HELIOS_SESSION", session_of_an_admin(organization))
        monkeypatch.setenv("HELIOS_CSRF_TOKEN", CSRF_TOKEN)
        for path, method, operation in operations(description):
            objects = objects_of(api, make_key, path, method)
            for variable, link in LINKS.items():
                monkeypatch.setenv(variable, server.url + server.here(objects.get(link, "")))
            (tmp_path / name).write_text(sources(description, path, method, objects)[label])
            done = subprocess.run(
                [program, name], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
            )
            words = done.stdout.split() or [SAVED]
            status = words[0] if program == "node" else words[-1]
            expected = {404} if path in NOT_THERE else good(operation)
            if done.returncode or status not in {SAVED, *map(str, expected)}:
                wrong[method, path] = (done.returncode, done.stdout[-300:], done.stderr[-300:])
    assert wrong == {}
    assert (tmp_path / "document").read_bytes() == (tmp_path / "letter.pdf").read_bytes()

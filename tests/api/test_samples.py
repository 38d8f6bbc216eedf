"""The samples of each operation: all are there and parse, and those in Python are executed against the API."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from apps.accounts.models import Organization
from helios_site.api.samples.call import call_of
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
from tests.conftest import MakeKey

NO_LIMIT = Rate(1_000_000, 60)


@pytest.fixture(scope="module")
def description() -> Any:
    return Client().get("/openapi.json").json()


def test_every_operation_has_samples_that_parse(description: Any) -> None:
    shell = []
    for path, method, operation in operations(description):
        samples = operation["x-codeSamples"]
        assert [sample["label"] for sample in samples] == ["curl", "Python", "JavaScript"], (method, path)
        curl, python, javascript = (sample["source"] for sample in samples)
        ast.parse(python)
        shell.append(curl)
        for source in (curl, python, javascript):
            assert re.search("hlsk_|127.0.0.1|localhost", source) is None
            assert ("HELIOS_KEY" in source) == (operation["security"] == [{"apiKey": []}])
            assert ("HELIOS_SESSION" in source) == (operation["security"] == [{"session": []}])
    assert len(shell) > 60
    # One process for all: a quote that is left open would swallow those that follow, and the end of the file.
    subprocess.run(["sh", "-n"], input="\n".join(shell).encode(), check=True)


def test_an_operation_without_an_example_is_refused() -> None:
    schemes = {"apiKey": {"name": "x-api-key"}}
    bare = {"operationId": "new", "responses": {}, "requestBody": {"content": {"application/json": {}}}}
    with pytest.raises(ValueError, match="post /v1/new needs an example"):
        call_of("/v1/new", "post", bare, schemes)
    nameless = {"name": "label", "in": "query", "required": True, "schema": {"type": "string"}}
    with pytest.raises(ValueError, match="needs `examples`"):
        call_of("/v1/new", "get", {"operationId": "new", "responses": {}, "parameters": [nameless]}, schemes)


class Answers(httpx.WSGITransport):
    """Helios in this process, with the statuses that it answered."""

    def __init__(self) -> None:
        super().__init__(WSGIHandler())
        self.statuses: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self.statuses.append(response.status_code)
        return response


def test_the_samples_in_python_do_what_they_say(
    transactional_db: None,  # an export reads in a transaction of its own
    description: Any,
    api: Client,
    make_key: MakeKey,
    organization: Organization,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    settings.HELIOS_RATE_LIMIT = settings.HELIOS_POLL_LIMIT = settings.HEALOS_RATE_LIMIT = NO_LIMIT
    answers = Answers()
    monkeypatch.setattr("httpx._client.HTTPTransport", lambda **options: answers)
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, description)
    monkeypatch.setenv("HELIOS_URL", django_settings.HELIOS_PUBLIC_BASE_URL)
    monkeypatch.setenv("HELIOS_KEY", make_key()[1])
    monkeypatch.setenv("HELIOS_SESSION", session_of_an_admin(organization))
    monkeypatch.setenv("HELIOS_CSRF_TOKEN", CSRF_TOKEN)
    wrong = {}
    for path, method, operation in operations(description):
        expected = {404} if path in NOT_THERE else good(operation)
        objects = objects_of(api, make_key, path, method)
        monkeypatch.setenv("HELIOS_UPLOAD_URL", objects.get("recordingUploadUrl", ""))
        monkeypatch.setenv("HELIOS_DOCUMENT_URL", objects.get("public_url", ""))
        source = sources(description, path, method, objects)["Python"]
        exec(compile(source, f"{method} {path}", "exec"), {})  # noqa: S102 - it is our own
        if answers.statuses[-1] not in expected:
            wrong[method, path] = answers.statuses[-1]
    assert wrong == {}
    assert len(answers.statuses) == sum(1 for _ in operations(description))
    assert (tmp_path / "document").read_bytes() == (tmp_path / "letter.pdf").read_bytes()

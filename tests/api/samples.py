"""The samples of the API description, made for objects that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.test import Client

from apps.accounts.models import Membership, Organization, User
from helios_site.api.families.healos.openapi import EXAMPLE_ID
from helios_site.api.samples import describe_samples
from tests.api.test_permission_matrix import own_objects
from tests.conftest import MakeKey
from tests.contract.healos.documents import pdf

CSRF_TOKEN = "t" * 32
IMPORT = "/ext-api/v1/import"
NOT_THERE = {"/v1/users/history", "/v1/users/baseline"}  # nobody has the label of the example


def operations(description: Any) -> Iterator[tuple[str, str, Any]]:
    """Path, method and what is described, of each."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def objects_of(client: Client, make_key: MakeKey, path: str, method: str) -> dict[str, str]:
    """What the operation is about, of the organisation that `client` has a key of."""
    route = re.sub(r"{(\w+)}", r"<str:\1>", path.removeprefix("/"))
    return own_objects(client, make_key, method.upper(), route)


def sources(description: Any, path: str, method: str, objects: dict[str, str]) -> dict[str, str]:
    """The samples of an operation by label, with the ids of `objects` for those that are made up."""
    patient = objects.get("patient_id", EXAMPLE_ID)
    operation = json.loads(json.dumps(description["paths"][path][method]).replace(f'"{EXAMPLE_ID}"', f'"{patient}"'))
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["schema"] = {"examples": [objects[parameter["name"]]]}
    describe_samples({**description, "paths": {path: {method: operation}}}, None, None, True)
    return {sample["label"]: sample["source"] for sample in operation["x-codeSamples"]}


def good(operation: Any) -> set[int]:
    """The statuses that say that it was done."""
    return {int(status) for status in operation["responses"] if status.startswith("2")}


def session_of_an_admin(organization: Organization) -> str:
    user = User.objects.create_user("samples@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    return str(client.session.session_key)


def write_files(folder: Path, description: Any) -> None:
    """What the samples send."""
    examples = description["paths"][IMPORT]["post"]["requestBody"]["content"]["application/x-ndjson"]["examples"]
    [example] = examples.values()
    (folder / "records.ndjson").write_text(example["value"])
    (folder / "letter.pdf").write_bytes(pdf())
    (folder / "recording.wav").write_bytes(b"RIFF0000WAVE")

"""The samples of the documentation, run as a customer runs them: each page's samples of a language are one program,
from the top of the page to its end, against a real Helios.

Python runs in `make test`; shell (which needs curl) and JavaScript (which needs Node) in `make browser-test`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from apps.api_keys.models import ApiKey
from apps.model_runs.models import ModelRun, Status
from apps.patients.models import Patient
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.signing import new_secret, signed_headers
from helios_site.documentation.pages import PAGES
from tests import audio
from tests.conftest import MakeKey
from tests.project.checkout import ROOT

DOCUMENTS = sorted({source.path for source in PAGES.values()})
LANGUAGES = ("python", "javascript", "sh")
OF_CUSTOMERS = {"HELIOS_URL", "HELIOS_KEY"}  # variables of whoever calls Helios, and no settings of it
BETWEEN = "-- the next sample --"
PROGRAMS = {
    "python": ([sys.executable, "-W", "error", "-c"], f"print('{BETWEEN}')\n"),
    "javascript": (["node", "--input-type=module", "--eval"], f"console.log('{BETWEEN}');\n"),
    "sh": (["bash", "-euo", "pipefail", "-c"], f"printf '\\n{BETWEEN}\\n'\n"),
}
_CLIENT = ROOT / "clients" / "python" / "src"

_ID = "[0-9a-f-]{36}"
_SAID = "(?i:it was the best of times)"
_TRANSCRIPT = f"{_SAID}.*"
_ACCOUNT = rf'\{{"id":"{_ID}","features":\[.*"helios".*\]\}}'
_FINISHED = rf'\{{"id":.*"status":"COMPLETE_OK".*{_SAID}.*\}}'
_SCORES = r"mental_strain\b.*distress\b.*stress\b.*exhaustion\b.*sleep_propensity\b.*low_self_esteem\b"
_COMMAND = rf"run .*mental strain +0\.\d\d.*confidence (LOW|MEDIUM).*quality (GOOD|FAIR|POOR).*transcript: {_SAID}"

# Page and language -> what each of its samples prints, as a pattern of all of it.
PRINTED: dict[tuple[str, str], list[str]] = {
    ("README.md", "python"): [rf"{_TRANSCRIPT}mental strain 0\.\d+"],
    ("README.md", "sh"): [rf'{_ACCOUNT} ?\{{"id":.*"status":"RUNNING".*\}}', "", r".*helios_queue_age_seconds.*"],
    ("clients/python/README.md", "python"): [
        rf"{_TRANSCRIPT}{_SCORES} 0\.\d+ Confidence\(level='(LOW|MEDIUM)', low=0\.\d+, high=[01]\.\d+\)",
        r"PatientSummary\(id='\d+'.*\) \d+ Maria Santos",
        "event-1 model_run.completed run-1 200 400 400",
    ],
    ("clients/python/README.md", "sh"): [rf'{_COMMAND}.*\{{ "id":.*"userLabel": "person-1".*\}}'],
    ("docs/integration.md", "javascript"): ["true false false"],
    ("docs/integration.md", "python"): ["True False False"],
    ("docs/integration.md", "sh"): [
        rf"http://\S+/activity/{_ID}\?\S+",
        r"whsec_\S{44}",
        "one run",
        rf'\{{"id":"{_ID}","deleted":true\}}',
    ],
    ("docs/keys.md", "sh"): [
        r'\{"data":\{.*"key_prefix":"hlsk_.*"scopes":\["\*"\].*\}\}',
        r'\{"data":\{"revoked":true\}\}',
        r'\{"data":\[\{.*"api_key\.revoked".*\}\],"meta":\{.*\}\}',
    ],
    ("docs/patients.md", "sh"): ["Maria Santos", r'\{"data":\[\{.*"external_id":"EHR-1".*\}\],.*\}', "", ""],
    ("docs/quick-start.md", "javascript"): [rf"{_TRANSCRIPT}mental strain 0\.\d+"],
    ("docs/quick-start.md", "python"): [rf"{_TRANSCRIPT}{_SCORES}: 0\.\d\d"],
    ("docs/quick-start.md", "sh"): [_ACCOUNT, _FINISHED],
    ("docs/results.md", "python"): [
        rf"{_SCORES}: 0\.\d\d, from 0\.\d\d to [01]\.\d\d, authored_words.*stress: .*doubtful: Nothing was said.*"
    ],
    ("docs/results.md", "sh"): ["False"],
}

# What comes after the last sample of a page: a sample that defines something is put to use.
_CALLS_OF_WEBHOOK = """
import json, pathlib
calls = json.loads(pathlib.Path("calls.json").read_text())
"""
THEN: dict[tuple[str, str], str] = {
    ("clients/python/README.md", "python"): _CALLS_OF_WEBHOOK
    + "print(*(receive(one['body'].encode(), one['headers'], one['secret']) for one in calls))\n",
    ("docs/integration.md", "python"): _CALLS_OF_WEBHOOK
    + "print(*(is_genuine(one['body'].encode(), one['headers'], one['secret']) for one in calls))\n",
    ("docs/integration.md", "javascript"): """
import { readFileSync } from "node:fs";
const calls = JSON.parse(readFileSync("calls.json"));
console.log(...calls.map((one) => isGenuine(Buffer.from(one.body), one.headers, one.secret)));
""",
}


def _one_run_is_left() -> None:
    assert ModelRun.objects.get().status == Status.CREATED  # that of the activity; the other one was deleted
    assert WebhookEndpoint.objects.get().events == ["model_run.completed", "model_run.failed"]


def _the_leaked_key_is_revoked() -> None:
    assert ApiKey.objects.get(name="leaked").revoked_at is not None


def _nobody_is_left() -> None:
    assert (Patient.objects.count(), ModelRun.objects.count()) == (0, 0)


# What a page's samples leave in the database, beyond what they print.
LEFT: dict[tuple[str, str], Callable[[], None]] = {
    ("docs/integration.md", "sh"): _one_run_is_left,
    ("docs/keys.md", "sh"): _the_leaked_key_is_revoked,
    ("docs/patients.md", "sh"): _nobody_is_left,
}


@dataclass(frozen=True)
class Customer:
    """Somebody who follows the documentation: a folder with a recording, and an environment with address and key."""

    folder: Path
    environment: dict[str, str]


@pytest.fixture
def customer(transactional_db: None, live_server: Any, make_key: MakeKey, settings: Any, tmp_path: Path) -> Customer:
    settings.HELIOS_PUBLIC_BASE_URL = live_server.url
    (tmp_path / "recording.wav").write_bytes(audio.encode(audio.speech(16), "wav"))
    (tmp_path / "calls.json").write_text(json.dumps(_calls_of_webhook()))
    command = tmp_path / "bin" / "helios"  # as installing the client puts it on the path
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m helios_client "$@"\n')
    command.chmod(0o755)
    return Customer(
        tmp_path,
        {
            "PATH": os.pathsep.join([str(command.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(_CLIENT),
            "NO_PROXY": "*",
            "HELIOS_URL": live_server.url,
            "HELIOS_KEY": make_key()[1],
            "LEAKED_KEY": make_key(name="leaked")[1],
            "HELIOS_METRICS_TOKEN": "not asked for on this machine",
        },
    )


def _calls_of_webhook() -> list[dict[str, Any]]:
    """A genuine call, one whose body was altered, and one of an hour ago."""
    body = json.dumps(
        {"type": "model_run.completed", "timestamp": "2026-03-15T09:30:00+00:00", "data": {"id": "run-1"}}
    )
    secret, now = new_secret(), int(time.time())
    made = [
        (text, signed_headers("event-1", sent_at, body.encode(), [new_secret(), secret]))
        for text, sent_at in ((body, now), (f"{body} ", now), (body, now - 3600))
    ]
    return [{"body": text, "headers": headers, "secret": secret} for text, headers in made]


def samples(document: str, language: str) -> list[str]:
    """The fenced blocks of that language, in their order."""
    tokens = MarkdownIt("commonmark").parse((ROOT / document).read_text())
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


def in_language(language: str) -> list[str]:
    return [document for document, its in PRINTED if its == language]


def run_samples(document: str, language: str, customer: Customer) -> None:
    """All of a page's samples of a language; AssertionError where one fails, or prints or leaves something else."""
    command, between = PROGRAMS[language]
    program = between.join(samples(document, language)) + THEN.get((document, language), "")
    ran = subprocess.run(
        [*command, program], cwd=customer.folder, env=customer.environment, capture_output=True, text=True, timeout=120
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    printed = [" ".join(part.split()) for part in ran.stdout.split(BETWEEN)]
    expected = PRINTED[document, language]
    assert len(printed) == len(expected)
    for text, pattern in zip(printed, expected, strict=True):
        assert re.fullmatch(pattern, text, re.DOTALL), text
    LEFT.get((document, language), lambda: None)()

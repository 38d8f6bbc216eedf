"""Logs are JSON, carry the request id, and hold no key and no upload signature."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from apps.api_keys import tokens
from helios_site.logs import redact, shorten_keys
from tests.conftest import CHECKOUT


@pytest.mark.parametrize("around", ["{}", "key={}&x=1", '{{"key": "{}"}}', "a {} b {}"])
def test_keys_are_redacted_wherever_they_stand(around: str) -> None:
    key = tokens.generate()
    assert key[5:] not in redact(around.replace("{}", key))
    assert "hlsk_[redacted]" in redact(around.replace("{}", key))


def test_upload_signatures_are_redacted() -> None:
    text = redact("PUT /uploads/x?expires=1&signature=abcdef0123 HTTP/1.1")
    assert "abcdef0123" not in text
    assert text.endswith("signature=[redacted] HTTP/1.1")


@pytest.mark.parametrize(
    "path", ["/key-replacements/{}", "https://helios.example/key-replacements/{}?x=1", "'/key-replacements/{}'"]
)
def test_tokens_of_mailed_links_are_redacted(path: str) -> None:
    assert redact(path.format("s3cr-et_")) == path.format("[redacted]")


def test_a_key_in_what_people_typed_is_shortened_to_what_everybody_may_see() -> None:
    key = tokens.generate()
    assert shorten_keys(f"{key} {key[:-1]}, {key[:12]} hlsk_") == f"{key[:12]}… {key[:12]}…, {key[:12]} hlsk_"


def test_every_record_of_a_process_is_one_redacted_json_line() -> None:
    key = tokens.generate()
    program = f"""
import django, logging, structlog
django.setup()
structlog.get_logger("a").info("event", secret="{key}", nested={{"list": ["{key}"]}})
logging.getLogger("b").warning("plain %s", "{key}")
try:
    raise ValueError("{key}")
except ValueError:
    structlog.get_logger("c").exception("failed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "helios_site.settings", "HELIOS_LOG_LEVEL": "INFO"},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["event", "plain hlsk_[redacted]", "failed"]
    assert "ValueError" in lines[2]["exception"]
    assert key not in done.stderr + done.stdout

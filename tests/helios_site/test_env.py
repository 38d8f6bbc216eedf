"""A mistyped variable stops the start with one line that names it and never repeats its value."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from helios_site.env import Environment, MailServer, Rate, celery_broker_url, parse_database_url, parse_mail_url
from tests.conftest import CHECKOUT

READERS: dict[str, Callable[[Environment], Any]] = {
    "boolean": lambda env: env.boolean("X", False),
    "integer": lambda env: env.integer("X", 5, 1, 10),
    "number": lambda env: env.number("X", 0.5, 0, 1),
    "rate": lambda env: env.rate("X", "600/60"),
    "words": lambda env: env.words("X", pattern=r"[a-z]{2}-[A-Z]{2}"),
    "networks": lambda env: env.networks("X"),
    "cuts": lambda env: env.cuts("X", (0.25, 0.5, 0.75)),
    "base_url": lambda env: env.base_url("X", "http://127.0.0.1:8000"),
    "database": lambda env: env.database("X", "postgresql://u@/db"),
    "redis_url": lambda env: env.redis_url("X"),
    "mail_server": lambda env: env.mail_server("X"),
    "choice": lambda env: env.choice("X", "a", ("a", "b")),
    "text": lambda env: env.text("X", min_bytes=8),
}


@pytest.mark.parametrize(
    ("reader", "raw"),
    [
        ("boolean", "yes"), ("boolean", "tru"), ("integer", "5.0"), ("integer", "0"), ("integer", "11"),
        ("integer", "0x5"), ("integer", "9" * 30), ("number", "nan"), ("number", "1e-1"), ("number", "1.5"),
        ("rate", "600"), ("rate", "0/60"), ("rate", "600/0"), ("rate", "-1/60"), ("words", "en-GB,en-gb"),
        ("words", "en-GB,"), ("networks", "10.0.0.1/8"), ("networks", "10.0.0/24"), ("cuts", "0.5,0.25,0.75"),
        ("cuts", "0.25,0.5"), ("cuts", "a,b,c"), ("base_url", "helios.example"), ("base_url", "ftp://x"),
        ("base_url", "https://x/?a=b"), ("database", "mysql://u@h/db"), ("database", "postgresql://u@h"),
        ("redis_url", "http://x"), ("mail_server", "http://x"), ("mail_server", "smtp:///x"),
        ("mail_server", "smtp://user@host"), ("mail_server", "smtp://h/path"), ("mail_server", "smtp://h:99999"),
        ("mail_server", "smtp://h?tls=no"), ("choice", "A"), ("text", "short"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_form_is_refused(reader: str, raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X cannot be used: ") as refusal:
        READERS[reader](Environment({"X": raw}))
    if reader in ("text", "database", "redis_url", "mail_server"):  # these may hold a password
        assert raw not in str(refusal.value)


@pytest.mark.parametrize(
    ("reader", "raw", "value"),
    [
        ("boolean", "TRUE", True), ("boolean", "0", False), ("integer", "10", 10), ("number", "0.25", 0.25),
        ("rate", "100/60", Rate(100, 60)), ("words", "en-GB, de-DE", ("en-GB", "de-DE")),
        ("cuts", "0.2,0.5,0.9", (0.2, 0.5, 0.9)), ("base_url", "https://helios.example/", "https://helios.example"),
        ("choice", "b", "b"),
    ],
)  # fmt: skip
def test_a_value_of_the_right_form_is_taken(reader: str, raw: str, value: object) -> None:
    assert READERS[reader](Environment({"X": raw})) == value


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_variable_counts_as_absent(reader: str) -> None:
    env = Environment({"X": ""})
    assert READERS[reader](env) == READERS[reader](Environment({}))
    assert list(env.declared) == ["X"]


def test_a_database_url_may_name_a_socket_folder_and_options() -> None:
    parsed = parse_database_url("postgresql://u%40x:p%2Fw@/name?host=%2Frun%2Fpg&sslmode=require")
    assert (parsed["USER"], parsed["PASSWORD"], parsed["HOST"]) == ("u@x", "p/w", "/run/pg")
    assert parsed["OPTIONS"] == {"sslmode": "require"}
    assert parse_database_url("postgres://u@db.example:5433/name")["PORT"] == "5433"


def test_a_mail_server_is_spoken_to_as_its_scheme_says() -> None:
    known = MailServer("h", 587, "u@x", "p/w", starttls=True, tls=False)
    assert parse_mail_url("smtp://u%40x:p%2Fw@h") == known
    assert parse_mail_url("smtps://h") == MailServer("h", 465, "", "", starttls=False, tls=True)
    assert parse_mail_url("smtp+plain://[::1]:2525/") == MailServer("::1", 2525, "", "", starttls=False, tls=False)


def test_the_broker_of_a_unix_socket_is_named_as_celery_names_it() -> None:
    assert celery_broker_url("redis://h:6379/1") == "redis://h:6379/1"
    assert celery_broker_url("unix://:pw@/run/v.sock?db=3") == "redis+socket://:pw@/run/v.sock?virtual_host=3"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("HELIOS_RATE_LIMIT", "many", "HELIOS_RATE_LIMIT cannot be used"),
        ("HELIOS_API_KEY_PEPPERS", "short", "HELIOS_API_KEY_PEPPERS cannot be used"),
        ("HELIOS_RUN_LEASE_SECONDS", "50", "HELIOS_RUN_TIME_LIMIT_SECONDS < HELIOS_RUN_LEASE_SECONDS"),
        ("HELIOS_STORAGE", "s3", "HELIOS_STORAGE=s3 needs HELIOS_S3_BUCKET"),
    ],
)
def test_a_wrong_setting_stops_the_start(name: str, value: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT, env={**os.environ, name: value}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    (only,) = done.stderr.splitlines()
    assert only.startswith("Helios cannot start: ")
    assert line in only

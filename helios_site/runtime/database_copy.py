"""A database into one file and back, by PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from helios_site.runtime.binaries import postgres_client

# Owner and rights are those of whoever restores. A comment on an extension would need a superuser.
_PLAIN = ("--no-owner", "--no-privileges", "--no-comments")


class DatabaseCopyError(Exception):
    """It did not work; the message is what PostgreSQL said."""


def conninfo(database: Mapping[str, object]) -> str:
    """libpq's form of one of Django's DATABASES."""
    options = database.get("OPTIONS")
    known = {
        "dbname": database["NAME"], "user": database["USER"], "password": database["PASSWORD"],
        "host": database["HOST"], "port": database["PORT"],
    } | (dict(options) if isinstance(options, Mapping) else {})  # fmt: skip
    return make_conninfo(**{name: str(value) for name, value in known.items() if value})


def dump(url: str, target: Path) -> None:
    """Write the whole database as of one moment, compressed. Raises DatabaseCopyError, DataDirError."""
    _run("pg_dump", url, "--format=custom", *_PLAIN, f"--file={target}")


def load(url: str, source: Path) -> None:
    """Fill an empty database, wholly or not at all. Raises DatabaseCopyError, DataDirError."""
    _run("pg_restore", url, "--single-transaction", "--exit-on-error", *_PLAIN, str(source))


def is_empty(url: str) -> bool:
    """Whether there is no table yet. Raises DatabaseCopyError when the database cannot be reached."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            found = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone()
    except psycopg.Error as error:
        raise DatabaseCopyError(f"The database cannot be reached: {error}") from error
    return found is None


def _run(program: str, url: str, *arguments: str) -> None:
    # The password goes through the environment: on the command line every user could read it.
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", None)
    known = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [str(postgres_client(program)), f"--dbname={make_conninfo('', **parts)}", "--no-password", *arguments],
        env=known | ({} if password is None else {"PGPASSWORD": password}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise DatabaseCopyError(f"{program} failed: {done.stderr.strip()}")

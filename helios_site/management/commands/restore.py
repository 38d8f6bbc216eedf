"""`manage.py restore PATH`: a backup into an empty data directory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from helios_site.backup import Backup, BackupError, open_backup
from helios_site.runtime import database_copy, datadir
from helios_site.runtime.database_copy import DatabaseCopyError
from helios_site.runtime.datadir import DataDirError
from helios_site.runtime.server_process import ServerError
from helios_site.runtime.servers import EmbeddedServers
from helios_site.storage import StorageFull, object_store


class Command(BaseCommand):
    help = (
        "Restore what `backup` has written into an empty HELIOS_DATA_DIR, and into the empty database that "
        "DATABASE_URL names, if you use one of your own. Then start Helios as usual."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", type=Path, help="a file that `manage.py backup` made")

    def handle(self, **options: Any) -> None:
        own_database = bool(os.environ.get("DATABASE_URL"))
        try:
            with open_backup(options["path"]) as backup:
                _require_empty(settings.DATA_DIR)
                self._restore(backup, own_database)
        except (BackupError, DatabaseCopyError, DataDirError, ServerError, StorageFull) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup cannot be restored: {error}") from error
        self.stdout.write(
            f"Restored the backup of {backup.summary.made_at}: the database, {backup.summary.recordings} stored files "
            "and the secrets. Start Helios as usual; runs that waited then are taken up within a minute."
        )
        if backup.summary.environment:
            self.stderr.write(f"Set these as they were: {', '.join(backup.summary.environment)}.")

    def _restore(self, backup: Backup, own_database: bool) -> None:
        """All of it or nothing: what a failure leaves could be taken for an installation."""
        folder = settings.DATA_DIR
        url = database_copy.conninfo(settings.DATABASES["default"])
        if own_database and not database_copy.is_empty(url):
            raise BackupError("The database of DATABASE_URL is not empty.")
        try:
            with ExitStack() as stack:
                beside = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="restore.")))
                backup.database(beside / "database")
                backup.recordings(object_store())
                # PostgreSQL is made with the password that the backup's secrets name.
                datadir.restore_secrets(folder, backup.secrets())
                if not own_database:
                    url = stack.enter_context(EmbeddedServers(folder)).urls.database_url
                database_copy.load(url, beside / "database")
        except BaseException:
            for key in object_store().keys_before(timezone.now()):
                object_store().delete(key)
            if not own_database:
                shutil.rmtree(folder / "postgres", ignore_errors=True)
            raise


def _require_empty(folder: Path) -> None:
    """`secrets.json` does not count: every command makes it."""
    if (folder / "postgres").exists():
        raise BackupError(f"{folder} is not empty: set HELIOS_DATA_DIR to a new folder.")
    if next(object_store().keys_before(timezone.now()), None) is not None:
        raise BackupError("The store of recordings is not empty.")

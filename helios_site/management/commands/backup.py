"""`manage.py backup PATH`: database, stored files and secrets in one file, while Helios runs or not."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from apps.accounts import audit
from helios_site.backup import BackupError, write_backup
from helios_site.runtime.database_copy import DatabaseCopyError, conninfo
from helios_site.runtime.datadir import DataDirBusyError, DataDirError
from helios_site.runtime.server_process import ServerError
from helios_site.runtime.servers import EmbeddedServers
from helios_site.storage import object_store


class Command(BaseCommand):
    help = (
        "Write database, stored files and secrets into one new file, which only its owner may read. Whoever has it has "
        "everything: keep it as you keep secrets."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", type=Path, help="the file to make; it must not exist")

    def handle(self, **options: Any) -> None:
        target: Path = options["path"].absolute()
        try:
            with ExitStack() as stack:
                if not os.environ.get("DATABASE_URL"):
                    # Where the folder is held, Helios runs, and its PostgreSQL with it.
                    with suppress(DataDirBusyError):
                        stack.enter_context(EmbeddedServers(settings.DATA_DIR))
                summary = write_backup(
                    target,
                    folder=settings.DATA_DIR,
                    database_url=conninfo(settings.DATABASES["default"]),
                    storage=object_store(),
                    environ=os.environ,
                )
                audit.record("backup.made", actor=audit.SYSTEM, organization_id=None)
                connection.close()
        except (BackupError, DatabaseCopyError, DataDirError, ServerError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup cannot be written: {error}") from error
        self.stdout.write(f"{target}: the database, {summary.recordings} stored files and the secrets.")
        if summary.environment:
            self.stderr.write(f"Not in it, since set in the environment: {', '.join(summary.environment)}. Keep them.")

"""`manage.py activate_wellness_model --organization NAME --file MODEL.json --reason TEXT`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.audit import SYSTEM
from apps.accounts.selectors import organization_named
from apps.model_runs.model_files import ModelRefused, read_trained
from apps.model_runs.models import THE_SHIPPED_MODEL
from apps.model_runs.services import activate_model, store_model


class Command(BaseCommand):
    help = "Score an organisation's runs with a trained model, or with the shipped one, from the next run on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--file", type=Path, metavar="MODEL.json", help="stored first, with evaluation.json and card.md beside it"
        )
        which.add_argument("--model-version", metavar="VERSION", help='of a stored model, or "shipped"')
        parser.add_argument("--reason", required=True, help="stays with the activation and in the audit trail")

    def handle(self, **options: Any) -> None:
        try:
            file = read_trained(options["file"]) if options["file"] else None
            with transaction.atomic():
                organization = organization_named(options["organization"])
                stored, is_stored = store_model(actor=SYSTEM, file=file) if file else (None, False)
                step, is_new = activate_model(
                    actor=SYSTEM,
                    organization_id=organization.id,
                    version=options["model_version"] if stored is None else stored.version,
                    reason=options["reason"],
                )
        except ModelRefused as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if stored is not None and is_stored:
            self.stderr.write(f"Stored {stored}, SHA-256 {stored.sha256}.")
            if stored.evaluation is None:
                self.stderr.write("No evaluation.json lies beside the file: nobody will see how good it is.")
        model = step.model_name if step else THE_SHIPPED_MODEL
        if is_new:
            self.stdout.write(f"{organization} is scored with {model} from its next run on.")
        else:
            self.stdout.write(f"{organization} is scored with {model} already; nothing changed.")
        if settings.HELIOS_MODEL_VERSION:
            self.stderr.write(f"HELIOS_MODEL_VERSION is set: {settings.HELIOS_MODEL_VERSION} scores every run.")

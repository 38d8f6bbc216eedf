"""`manage.py roll_back_wellness_model --organization NAME --reason TEXT`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.audit import SYSTEM
from apps.accounts.selectors import organization_named
from apps.model_runs.services import roll_back_model


class Command(BaseCommand):
    help = "Return an organisation to the model before its latest activation; again, to the one before that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--reason", required=True, help="stays with the activation and in the audit trail")

    def handle(self, **options: Any) -> None:
        try:
            organization = organization_named(options["organization"])
            step = roll_back_model(actor=SYSTEM, organization_id=organization.id, reason=options["reason"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{organization} is scored with {step.model_name} again, from its next run on.")

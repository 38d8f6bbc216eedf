"""`manage.py issue_key --organization NAME`: the raw key is the only line on standard output."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.services import find_or_create_organization
from apps.api_keys.scopes import EVERYTHING
from apps.api_keys.services import issue_key

_CENTURY = 3_155_760_000


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and 1 <= int(text) <= _CENTURY):
        raise ArgumentTypeError(f"a whole number of seconds from 1 to {_CENTURY} is needed")
    return int(text)


class Command(BaseCommand):
    help = "Issue an API key. The raw key is the only line on standard output; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME", help="made if it does not exist")
        parser.add_argument("--scopes", default=EVERYTHING, help="separated by spaces (default: %(default)s)")
        parser.add_argument("--name", default="issued by manage.py", help="what the key is for")
        parser.add_argument("--expires-in", type=_seconds, metavar="SECONDS", help="default: never")

    def handle(self, **options: Any) -> None:
        expires_in = options["expires_in"]
        try:
            with transaction.atomic():
                organization, is_new = find_or_create_organization(actor=SYSTEM, name=options["organization"])
                key, raw_key = issue_key(
                    actor=SYSTEM,
                    organization=organization,
                    name=options["name"],
                    scopes=options["scopes"].replace(",", " ").split(),
                    expires_at=None if expires_in is None else timezone.now() + timedelta(seconds=expires_in),
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if is_new:
            self.stderr.write(f"Made the organisation {organization.name}.")
        until = "never expires" if key.expires_at is None else f"expires {key.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        self.stderr.write(f"Key {key} of {organization.name}: {', '.join(key.scopes)}; {until}.")
        self.stdout.write(raw_key)

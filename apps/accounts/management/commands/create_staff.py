"""`manage.py create_staff EMAIL`: the password is the only line on standard output."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.audit import SYSTEM
from apps.accounts.models import User
from apps.accounts.services import create_staff, reset_staff


class Command(BaseCommand):
    help = "Make a staff user. The generated password is the only line on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            metavar="NAME",
            help="support, clinical or auditor, or one that you made; may be repeated (default: every permission)",
        )
        parser.add_argument(
            "--reset",
            action="store_true",
            help="the user exists: give a new password and these rights alone, and end the user's sessions",
        )

    def handle(self, **options: Any) -> None:
        make = reset_staff if options["reset"] else create_staff
        try:
            user, password = make(actor=SYSTEM, email=options["email"], groups=options["group"])
        except User.DoesNotExist as error:
            raise CommandError("There is no such user; leave --reset out to make one.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write(
            f"{user.email} may sign in at /admin/ with this password. Change it there after the first sign-in."
        )
        self.stdout.write(password)

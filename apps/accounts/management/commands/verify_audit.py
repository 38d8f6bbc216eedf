"""`manage.py verify_audit`: a line for each chain; exit code 1 when anything is broken."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import Organization
from apps.accounts.selectors import organization_named
from apps.accounts.verification import Verdict, find_unsealed, verify_chains


def _hash(text: str) -> bytes:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ArgumentTypeError("a hash of 64 hexadecimals is needed")
    return bytes.fromhex(text)


class Command(BaseCommand):
    help = (
        "Check that no event of the audit trail was changed, removed or left unsealed, and print the head of each "
        "chain. Keep the heads elsewhere: --expect-head then proves that the end of a chain was not cut off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="NAME", help="its chain alone")
        parser.add_argument(
            "--expect-head",
            metavar="HEX",
            action="append",
            default=[],
            type=_hash,
            help="a head that was printed before, which a chain must still contain; may be repeated",
        )

    def handle(self, **options: Any) -> None:
        try:
            one = organization_named(options["organization"]).pk if options["organization"] else None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        expected: set[bytes] = set(options["expect_head"])
        sound = True
        for verdict in verify_chains(one, expected):
            sound &= not verdict.broken
            expected -= verdict.found
            self.stdout.write(_line(verdict))
        for missing in sorted(expected):
            self.stdout.write(f"BROKEN no chain contains the expected head {missing.hex()}: its end was cut off")
        if unsealed := find_unsealed(one):
            self.stdout.write(f"BROKEN {unsealed}")
        if unsealed or expected or not sound:
            sys.exit(1)


def _line(verdict: Verdict) -> str:
    name = "the installation"
    if verdict.organization_id is not None:
        found = Organization.objects.filter(pk=verdict.organization_id).values_list("name", flat=True).first()
        name = f"{found or 'a former organisation'} ({verdict.organization_id})"
    state = f"BROKEN {verdict.broken}; before it:" if verdict.broken else "ok"
    return f"{name}: {state} {verdict.seals} events, head {verdict.head.hex()}"

"""`manage.py demo`: everything that `up` starts, then one run of a real recording as a customer would make it."""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from apps.accounts import services as accounts
from apps.accounts.audit import SYSTEM
from apps.accounts.models import Membership, Organization, User
from apps.api_keys import services as keys
from apps.api_keys.models import ApiKey
from apps.model_runs import selectors
from helios_site.management.commands.up import add_options, options_from, say
from helios_site.runtime import supported
from helios_site.runtime.datadir import DataDirError
from helios_site.runtime.demo_client import DemoClient, DemoError, Outcome, sample_recording
from helios_site.runtime.demo_report import Progress, next_lines, outcome_lines
from helios_site.runtime.listening import PortError
from helios_site.runtime.printed_mails import PrintedMails
from helios_site.runtime.supervisor import Supervisor

ORGANIZATION = "Helios demo"
KEY_NAME = "demo"
STAFF_EMAIL = "staff@example.org"


class Command(BaseCommand):
    help = "Start Helios, send it a real recording over its API and show the result."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)
        parser.add_argument("--exit", action="store_true", help="stop after the result; 0 only if the run succeeded")

    def handle(self, *args: Any, **options: Any) -> None:
        def show(url: str) -> None:
            succeeded = False
            mails = PrintedMails(supervisor.folder / "logs", say)
            try:
                succeeded = _show(url, supervisor, keep_serving=not options["exit"])
            except Exception as error:  # nobody is above this thread to tell
                if not supervisor.stopping:  # a Ctrl-C takes the servers away in the middle of a call
                    say(f"The demo failed: {error} The logs are in {supervisor.folder / 'logs'}.")
            finally:
                if options["exit"]:
                    supervisor.request_stop(0 if succeeded else 1)
            if not environ.get("HELIOS_EMAIL_URL"):
                mails.follow(lambda: supervisor.stopping)

        # Who tries Helios out may try signing up, too, and sees what becomes of a patient's runs.
        environ = {"HELIOS_SIGNUP": "open", "HELIOS_HEALOS_NOTES_FROM_RUNS": "true", **os.environ}
        supervisor = Supervisor(options_from(options), environ, say=say, on_ready=show)
        try:
            supported.check()
            sys.exit(supervisor.run())
        except (supported.UnsupportedError, DataDirError, PortError) as error:
            sys.exit(str(error))


def _show(url: str, supervisor: Supervisor, *, keep_serving: bool) -> bool:
    """One run, from the key to the report; whether it succeeded."""
    try:
        organization, key = _make_key()
        staff = _make_staff(organization) if keep_serving else ""
    finally:
        connections["default"].close()
    recording = sample_recording()
    say(f"\nSending {recording.name}, 44 seconds of a person reading aloud, through the API.")
    progress = Progress(say, live=sys.stdout.isatty())

    def hear(status: str, seconds: float) -> None:
        progress.hear(status, seconds)
        if name := supervisor.hopeless():
            raise DemoError(f"{name} ended again and again.")

    outcome = DemoClient(url, key).run(recording, hear)
    say("")
    for line in outcome_lines(outcome, _stage_seconds(organization, outcome)):
        say(line)
    if keep_serving:
        say("")
        for line in next_lines(url, key, outcome.run["id"], recording, staff):
            say(line)
        say("\nHelios keeps serving; press Ctrl-C to stop. Without a mail server, its mails are printed here.")
    return bool(outcome.run["status"] == "COMPLETE_OK")


def _make_key() -> tuple[Organization, str]:
    """The demo's organisation and a new key; the keys of earlier demos are revoked, since nobody has them."""
    organization, _ = accounts.find_or_create_organization(actor=SYSTEM, name=ORGANIZATION)
    earlier = ApiKey.objects.filter(organization=organization, name=KEY_NAME, revoked_at__isnull=True)
    for key_id in earlier.values_list("id", flat=True):
        keys.revoke_key(actor=SYSTEM, key_id=key_id, reason="A newer demo has its own key.")
    _, raw_key = keys.issue_key(actor=SYSTEM, organization=organization, name=KEY_NAME, scopes=["*"])
    return organization, raw_key


def _make_staff(organization: Organization) -> str:
    """How to sign in: the first staff user is made here, its password shown this once."""
    known = User.objects.filter(is_staff=True).order_by("id").first()
    if known is not None:
        return f"as {known.email} (forgotten password: manage.py create_staff {known.email} --reset)"
    user, password = accounts.create_staff(actor=SYSTEM, email=STAFF_EMAIL)
    accounts.add_member(actor=SYSTEM, organization=organization, user=user, role=Membership.Role.ADMIN)
    return f"as {user.email} with the password {password}, shown only now"


def _stage_seconds(organization: Organization, outcome: Outcome) -> dict[str, float]:
    """The worker's own clock, which the API does not tell."""
    try:
        run = selectors.get_run(organization.id, UUID(outcome.run["id"]))
        return dict(run.stage_seconds or {}) if run is not None else {}
    finally:
        connections["default"].close()

"""`manage.py doctor`: a line for each thing that an operator can get wrong; exit code 1 when one is."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from helios_site.doctor import examine


class Command(BaseCommand):
    help = "Look at settings, folders, servers, workers, queue and audit trail of a running Helios."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        sound = True
        for finding in examine():
            sound &= not finding.problem
            state = f"PROBLEM {finding.problem}" if finding.problem else f"ok, {finding.state}"
            self.stdout.write(f"{finding.subject}: {state}")
        if not sound:
            sys.exit(1)

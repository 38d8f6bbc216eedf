"""Leave a database as a release leaves it, for `test_upgrade.py` to migrate to the newest.

Run with the code of that release: in a checkout of it, with its own environment,

    PYTHONPATH=. python -m helios_site.runtime.servers run -- python …/tests/upgrade/leave_database.py …/tests/upgrade

It writes `database.sql`, `expected.json`, and nothing of a person: what the rows say is made up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SECRETS = {
    "HELIOS_API_KEY_PEPPERS": "pepper of the release before " + "x" * 10,
    "HELIOS_ENCRYPTION_KEYS": "encryption key of the release before",
    "HELIOS_UPLOAD_SIGNING_KEY": "signing key of the release before",
}
PASSWORD = "a password of the release before"
RECORDING = b"no sound, only words"
DUMP = ("--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges", "--no-comments")


def leave(folder: Path) -> None:
    os.environ.update(SECRETS, DJANGO_SETTINGS_MODULE="helios_site.settings", HELIOS_LOG_LEVEL="ERROR")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from helios_site.runtime.binaries import postgres_client
    from helios_site.runtime.database_copy import conninfo

    settings.ALLOWED_HOSTS.append("testserver")
    call_command("migrate", interactive=False, verbosity=0)
    expected = _fill()
    address = conninfo(settings.DATABASES["default"])
    done = subprocess.run(
        [str(postgres_client("pg_dump")), f"--dbname={address}", *DUMP], capture_output=True, text=True, check=True
    )
    # What only psql understands is left out, and so are remarks.
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(("\\", "--"))]
    (folder / "database.sql").write_text("\n".join(lines) + "\n")
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def _fill() -> dict[str, Any]:
    """An organisation with people, keys, a webhook, and a run in each state; what its callers read of them."""
    from django.test import Client

    from apps.accounts.audit import SYSTEM
    from apps.accounts.models import AuditEvent, AuditSeal, Membership, Organization, User
    from apps.accounts.sealing import seal_waiting
    from apps.accounts.services import add_member, create_staff, find_or_create_organization
    from apps.api_keys.services import issue_key, revoke_key
    from apps.webhooks.services import create_endpoint

    organization, _ = find_or_create_organization(actor=SYSTEM, name="Northern Clinic")
    assert isinstance(organization, Organization)
    user = User.objects.create_user("ada@example.org", PASSWORD, name="Ada")
    add_member(actor=SYSTEM, organization=organization, user=user, role=Membership.Role.ADMIN)
    create_staff(actor=SYSTEM, email="staff@example.org")
    key, raw_key = issue_key(
        actor=SYSTEM, organization=organization, name="all", scopes=["*"], rate_limit_per_minute=900
    )
    revoked, raw_revoked = issue_key(actor=SYSTEM, organization=organization, name="gone", scopes=["*"])
    revoke_key(actor=SYSTEM, key_id=revoked.id, reason="found in a log")
    endpoint, secret = create_endpoint(
        actor=SYSTEM, organization_id=organization.id, url="https://93.184.216.34/hook", events=["model_run.completed"]
    )
    runs = _runs(organization.id, key.id)
    seal_waiting()
    client = Client(headers={"x-api-key": raw_key})
    read = {run_id: client.get(f"/v1/models/mental-wellness/{run_id}").json() for run_id in runs.values()}
    seal_waiting()
    return {
        "key": raw_key,
        "revoked": raw_revoked,
        "webhook": [str(endpoint.id), secret],
        "states": runs,
        "runs": read,
        "events": AuditEvent.objects.count(),
        "heads": [bytes(seal.hash).hex() for seal in _heads(AuditSeal)],
    }


def _heads(seals: Any) -> Any:
    return seals.objects.order_by("organization_id", "-sequence").distinct("organization_id")


def _runs(organization_id: Any, key_id: Any) -> dict[str, str]:
    """The id of a run in each state. Only rows: the recording that is still to be analysed is the test's to store."""
    from datetime import date

    from apps.accounts.audit import SYSTEM
    from apps.model_runs import services
    from apps.model_runs.serializers import SCORES
    from apps.model_runs.services.creation import new_recording_key
    from apps.model_runs.wellness.interface import Analysis, ErrorCode, Quality

    ok = Analysis(
        duration_seconds=44.0,
        speech_seconds=31.5,
        transcript="Today I walked to the market.",
        scores=dict.fromkeys(SCORES, 0.4),
        quality=Quality("GOOD", 21.0, 0.0, 8000.0, ()),
        warnings=("The recording is short.",),
        model_version="before",
        elapsed_seconds={"decode": 0.1},
    )
    short = Analysis(error_code=ErrorCode.TOO_SHORT, error_reason="6.2 s of speech were found.", duration_seconds=20.0)
    request = services.RunRequest(
        user_label="person-1", date_of_birth=date(1990, 8, 24), birth_sex="FEMALE", language="en-GB",
        tags=({"name": "site", "value": "north"},),
    )  # fmt: skip
    made = {}
    for state, analysis in (("CREATED", None), ("COMPLETE_OK", ok), ("COMPLETE_ERROR", short), ("RUNNING", None)):
        run = services.create_run(actor=SYSTEM, organization_id=organization_id, key_id=key_id, request=request)
        made[state] = str(run.id)
        if state == "CREATED":
            continue
        key, size = new_recording_key(run), len(RECORDING)
        services.receive_recording(run_id=run.id, key=key, sha256=run.id.hex * 2, size=size)
        if analysis is not None:
            claim = services.claim_run(run_id=run.id)
            assert claim is not None
            assert services.finish_run(claim=claim, analysis=analysis)
    return made


if __name__ == "__main__":
    leave(Path(sys.argv[1]))

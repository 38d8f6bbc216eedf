"""The archive of an organisation: one ZIP file with what Helios knows of it, written in one pass in little memory.

JSON in UTF-8, lists of many as one object a line. There are no secrets in it: of keys and webhooks what their owners
see, never what they are checked or signed with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.accounts.audit_export import export_lines
from apps.accounts.models import AuditEvent, ConsentText, Invitation, Membership, Organization
from apps.api_keys.models import ApiKey, UsageDay
from apps.model_runs.models import ModelRun, WellnessModelActivation
from apps.model_runs.record_rows import (
    README_OF_PATIENTS,
    RUN_FIELDS,
    add_records,
    as_text,
    patient_ids,
    patient_rows,
)
from apps.model_runs.zip_archive import ZipArchive, in_pieces
from apps.patients.models import Patient
from apps.webhooks.models import WebhookEndpoint

_KEY_FIELDS = (
    "id", "name", "key_prefix", "scopes", "expires_at", "grace_ends_at", "revoked_at", "revoked_reason",
    "allowed_cidrs", "rate_limit_per_minute", "created_at", "last_used_at", "last_used_ip",
)  # fmt: skip
_INVITATION_FIELDS = ("email", "role", "created_at", "expires_at", "accepted_at", "withdrawn_at")
_WEBHOOK_FIELDS = ("id", "url", "events", "is_enabled", "disabled_reason", "created_at")
_USAGE_FIELDS = (
    "day", "key_id", "requests_2xx", "requests_4xx", "requests_429", "requests_5xx", "runs_ok", "runs_error",
)  # fmt: skip
_MODEL_FIELDS = ("number", "model_id", "is_roll_back", "reason", "created_at")
_README = """\
{name} on Helios, as of {now:%Y-%m-%d %H:%M} UTC.

organization.json     the organisation
consent_texts.json    what people agreed to before the hosted activity recorded them, by version
members.json          who belongs to it
invitations.json      who was invited
api_keys.json         its API keys, without what they are checked with
usage.json            what its keys were used for by day (UTC)
webhooks.json         where events are sent, without what signs them
wellness_models.json  which models scored its runs, in the order of the changes
patients.ndjson       a patient a line
{of_patients}\
runs.ndjson           a run a line: what was sent, and what came of it
recordings/ID         the recording of the run with that id, byte for byte as it was uploaded
audit-events.ndjson   the audit trail with its seals; a line without its `hash` is what was hashed
"""


def write_archive(organization: Organization, write: Callable[[bytes], object]) -> str:
    """Give the archive to `write` piece by piece; what is in it, in words."""
    with ZipArchive(write) as archive:
        about = _README.format(name=organization.name, now=timezone.now(), of_patients=README_OF_PATIENTS)
        archive.add("README.txt", [about.encode()])
        archive.add_json("organization.json", _about(organization))
        archive.add_json("consent_texts.json", _consent_texts(organization))
        archive.add_json("members.json", _members(organization))
        archive.add_json("invitations.json", list(_of(Invitation, organization).values(*_INVITATION_FIELDS)))
        archive.add_json("api_keys.json", list(_of(ApiKey, organization).values(*_KEY_FIELDS)))
        archive.add_json("usage.json", _usage(organization))
        archive.add_json("webhooks.json", list(_of(WebhookEndpoint, organization).values(*_WEBHOOK_FIELDS)))
        archive.add_json("wellness_models.json", _models(organization))
        of_it = Patient.objects.of(organization.id).order_by("created_at", "id")
        patients = archive.add_lines("patients.ndjson", patient_rows(of_it))
        documents = add_records(archive, lambda: patient_ids(organization.id))
        runs = archive.add_lines("runs.ndjson", as_text(in_pieces(_runs(organization).values(*RUN_FIELDS))))
        stored = _runs(organization).exclude(recording_key="").values_list("id", "recording_key")
        copied = sum(archive.add_object(f"recordings/{run_id}", key) for run_id, key in in_pieces(stored))
        events = AuditEvent.objects.filter(organization_id=organization.id)
        archive.add("audit-events.ndjson", export_lines(events))
    return f"{patients} patients, {documents} documents, {runs} runs, {copied} recordings"


def _about(organization: Organization) -> dict[str, Any]:
    names = ("id", "name", "created_at", "plan", "helios_lenient_user", "notes_from_runs", "activity_origins",
             "check_language", "check_delete_data", "time_zone", "closing_at")  # fmt: skip
    return {name: getattr(organization, name) for name in names}


def _consent_texts(organization: Organization) -> list[Any]:
    texts = ConsentText.objects.filter(organization=organization).order_by("number")
    return list(texts.values("number", "text", "created_at"))


def _members(organization: Organization) -> list[Any]:
    members = Membership.objects.filter(organization=organization).order_by("id")
    return list(members.values("role", "created_at", email=F("user__email"), name=F("user__name")))


def _usage(organization: Organization) -> list[Any]:
    days = UsageDay.objects.filter(organization=organization)
    return list(days.order_by("day", "key_id").values(*_USAGE_FIELDS))


def _of(model: Any, organization: Organization) -> Any:
    return model.objects.filter(organization=organization).order_by("created_at", "id")


def _models(organization: Organization) -> list[Any]:
    steps = WellnessModelActivation.objects.filter(organization=organization)
    return list(steps.order_by("number").values(*_MODEL_FIELDS))


def _runs(organization: Organization) -> Any:
    """Those that the organisation may still see."""
    return ModelRun.objects.visible_to(organization.id).order_by("created_at", "id")

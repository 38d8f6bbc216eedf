"""The archive of an organisation: one ZIP file with what Helios knows of it, written in one pass in little memory.

JSON in UTF-8, lists of many as one object a line. There are no secrets in it: of keys and webhooks what their owners
see, never what they are checked or signed with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F
from django.utils import timezone

from apps.accounts.audit_export import export_lines
from apps.accounts.models import AuditEvent, Invitation, Membership, Organization
from apps.api_keys.models import ApiKey, UsageDay
from apps.model_runs.models import ModelRun, WellnessModelActivation
from apps.webhooks.models import WebhookEndpoint
from helios_site.storage import object_store

ROWS_AT_ONCE = 200
PIECE_BYTES = 1 << 20

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
_RUN_FIELDS = (
    "id", "status", "created_at", "run_at", "completed_at", "created_by_key_id", "rerun_of",
    "user_label", "date_of_birth", "birth_sex", "language", "accent", "sleep_time", "wake_time", "recording_time",
    "tags", "delete_data", "data_to_delete", "erased_at",
    "recording_sha256", "recording_bytes", "error_code", "error_reason", "warnings", "transcript", "scores",
    "duration_seconds", "speech_seconds", "quality", "confidence", "evidence", "explanation", "safety",
    "model_version",
)  # fmt: skip
_README = """\
{name} on Helios, as of {now:%Y-%m-%d %H:%M} UTC.

organization.json     the organisation
members.json          who belongs to it
invitations.json      who was invited
api_keys.json         its API keys, without what they are checked with
usage.json            what its keys were used for by day (UTC)
webhooks.json         where events are sent, without what signs them
wellness_models.json  which models scored its runs, in the order of the changes
runs.ndjson           a run a line: what was sent, and what came of it
recordings/ID         the recording of the run with that id, byte for byte as it was uploaded
audit-events.ndjson   the audit trail with its seals; a line without its `hash` is what was hashed
"""


class _Sink:
    """What ZipFile writes to when it cannot go back."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, piece: bytes) -> int:
        self._write(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Every piece has gone on already."""


def write_archive(organization: Organization, write: Callable[[bytes], object]) -> str:
    """Give the archive to `write` piece by piece; what is in it, in words."""
    sink: Any = _Sink(write)
    with ZipFile(sink, "w") as archive:
        _add(archive, "README.txt", [_README.format(name=organization.name, now=timezone.now()).encode()])
        _add(archive, "organization.json", _whole(_about(organization)))
        _add(archive, "members.json", _whole(_members(organization)))
        _add(archive, "invitations.json", _whole(list(_of(Invitation, organization).values(*_INVITATION_FIELDS))))
        _add(archive, "api_keys.json", _whole(list(_of(ApiKey, organization).values(*_KEY_FIELDS))))
        _add(archive, "usage.json", _whole(_usage(organization)))
        _add(archive, "webhooks.json", _whole(list(_of(WebhookEndpoint, organization).values(*_WEBHOOK_FIELDS))))
        _add(archive, "wellness_models.json", _whole(_models(organization)))
        runs = _add(archive, "runs.ndjson", _lines(_runs(organization).values(*_RUN_FIELDS)))
        copied = sum(_add_recording(archive, run_id, key) for run_id, key in _recordings(organization))
        events = AuditEvent.objects.filter(organization_id=organization.id)
        _add(archive, "audit-events.ndjson", export_lines(events))
    return f"{runs} runs, {copied} recordings"


def _about(organization: Organization) -> dict[str, Any]:
    names = ("id", "name", "created_at", "plan", "helios_lenient_user", "closing_at")
    return {name: getattr(organization, name) for name in names}


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


def _recordings(organization: Organization) -> Iterator[tuple[Any, str]]:
    stored = _runs(organization).exclude(recording_key="").values_list("id", "recording_key")
    return iter(stored.iterator(chunk_size=ROWS_AT_ONCE))


def _whole(value: Any) -> list[bytes]:
    return [json.dumps(value, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False).encode() + b"\n"]


def _lines(rows: Any) -> Iterator[bytes]:
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        yield json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"


def _add(archive: ZipFile, name: str, pieces: Iterable[bytes]) -> int:
    """Write a member; of how many pieces."""
    count = 0
    with _member(archive, name, ZIP_DEFLATED) as member:
        for piece in pieces:
            member.write(piece)
            count += 1
    return count


def _add_recording(archive: ZipFile, run_id: Any, key: str) -> bool:
    """False when the recording was erased since its row was read."""
    try:
        with (
            object_store().local_path(key) as path,
            open(path, "rb") as source,
            _member(archive, f"recordings/{run_id}", ZIP_STORED) as member,  # most are compressed already
        ):
            while piece := source.read(PIECE_BYTES):
                member.write(piece)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _member(archive: ZipFile, name: str, compression: int) -> Iterator[IO[bytes]]:
    info = ZipInfo(name, date_time=timezone.now().timetuple()[:6])
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as member:  # the size is known only at the end
        yield member

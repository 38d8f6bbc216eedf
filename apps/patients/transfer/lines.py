"""What the files of exports and imports are made of: one JSON object a line, `{"type": …, "data": {…}}`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apps.api_keys.scopes import EVERYTHING
from helios_site.api.families.healos.errors import VALIDATION_ERROR, Details

MEDIA_TYPE = "application/x-ndjson"
PATIENT, APPOINTMENT, DOCUMENT, NOTE, END = "patient", "appointment", "document", "note", "end"
# What `types` and the counts of the last line say of each type of line, in the order of an export.
TYPES = {"patients": PATIENT, "appointments": APPOINTMENT, "documents": DOCUMENT, "notes": NOTE}
WRITE_SCOPES = {
    PATIENT: "patients:write",
    APPOINTMENT: "appointments:write",
    DOCUMENT: "documents:write",
    NOTE: EVERYTHING,  # there is no scope to write notes
}
MAX_BYTES = settings.HEALOS_IMPORT_MAX_BYTES
MAX_LINE_BYTES = settings.HEALOS_IMPORT_MAX_LINE_BYTES


@dataclass(slots=True)
class Line:
    """One line of an import, and what became of it."""

    number: int
    kind: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    file_id: str | None = None  # its id in the file; it gets a new one
    patient_file_id: str | None = None  # how it names its patient: by an id
    patient_external_id: str | None = None  # or so
    patient_id: int | None = None  # and who that is
    pk: Any = None
    reply: dict[str, Any] | None = None

    @property
    def external_id(self) -> str | None:
        external_id: str | None = self.fields.get("external_id")
        return external_id

    def answer(self, status: str, pk: object, **more: str) -> None:
        self.pk = pk
        shown = None if pk is None else str(pk)
        self.reply = {"line": self.number, "status": status, "id": shown, **more}

    def fail(self, error: str, details: Details | None = None) -> None:
        self.reply = {"line": self.number, "status": "error", "error": error, "details": details or {}}

    def invalid(self, details: Details) -> None:
        self.fail(VALIDATION_ERROR, details)

    @property
    def created(self) -> bool:
        """Whether there is a new record."""
        return self.pk is not None and self.reply is not None and self.reply["status"] == "created"

    @property
    def failed(self) -> bool:
        return self.reply is not None and self.reply["status"] == "error"


def encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

"""The records of an organisation, one a line, as of one moment and in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.accounts import audit
from apps.patients.models import Appointment, Document, Note, Patient
from apps.patients.services import trail
from apps.patients.transfer.lines import END, TYPES, encoded
from apps.patients.transfer.serializers import appointment_line, document_line, note_line, patient_line

PIECE_BYTES = 64 * 1024
_ROWS_AT_ONCE = 200  # notes may be long


def record_export(*, actor: audit.Actor, organization_id: UUID, types: Collection[str]) -> None:
    """Audit that a caller takes these types away."""
    reason = f"types={','.join(types)}"
    trail.record("patient", "exported", actor=actor, organization_id=organization_id, reason=reason)


def export_lines(organization_id: UUID, types: Collection[str]) -> Iterator[bytes]:
    """Pieces of whole lines: each record of `types` in the order of TYPES, oldest first, and a last line that says how
    many there were. The transaction, which is of one moment, lasts as long as the stream."""
    counts: dict[str, int] = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        piece = bytearray()
        for name in types:
            rows, body = _SOURCES[name]
            counts[name] = 0
            for record in rows(organization_id).iterator(chunk_size=_ROWS_AT_ONCE):
                counts[name] += 1
                piece += encoded({"type": TYPES[name], "data": body(record)})
                if len(piece) > PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
        yield bytes(piece + encoded({"type": END, "counts": counts}))


def _of(model: Any) -> Callable[[UUID], QuerySet[Any]]:
    def rows(organization_id: UUID) -> QuerySet[Any]:
        found: QuerySet[Any] = model.objects.of(organization_id).order_by("created_at", "id")
        return found

    return rows


_Source = tuple[Callable[[UUID], QuerySet[Any]], Callable[[Any], dict[str, Any]]]
_SOURCES: dict[str, _Source] = {
    "patients": (_of(Patient), patient_line),
    "appointments": (lambda of: _of(Appointment)(of).select_related("patient"), appointment_line),
    "documents": (_of(Document), document_line),
    "notes": (lambda of: _of(Note)(of).select_related("session"), note_line),
}

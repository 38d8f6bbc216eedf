"""Reading the body of an import: lines, one by one, each checked by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.exceptions import ValidationError

from apps.api_keys.scopes import allows
from apps.patients.transfer.lines import (
    APPOINTMENT,
    DOCUMENT,
    END,
    MAX_BYTES,
    MAX_LINE_BYTES,
    MEDIA_TYPE,
    NOTE,
    PATIENT,
    TYPES,
    WRITE_SCOPES,
    Line,
)
from apps.patients.transfer.serializers import AppointmentLineSerializer, NoteLineSerializer, PatientLineSerializer
from helios_site.api.bodies import Cut, pieces_of, stall_limit
from helios_site.api.families import strict_json
from helios_site.api.families.healos.errors import BadRequest, Details, details_of
from helios_site.api.families.healos.fields import kind_of, unrecognized, wrong_choice
from helios_site.storage import spool
from helios_site.storage.local import full_disk_is_storage_full

WRONG_TYPE = f"Content-Type must be {MEDIA_TYPE}"
ONLY_BYTES = "A file does not hold the bytes of documents: upload them to the patient's documents"
_BOM = b"\xef\xbb\xbf"


class CutOff(BadRequest):
    """400: nothing more of the body will come."""


def spooled(request: HttpRequest) -> IO[bytes]:
    """The whole body in a file that has no name. Clients send all of it before they read a reply, so that it cannot be
    answered while it comes. Raises BadRequest and StorageFull."""
    size = strict_json.announced_length(request)
    if size == 0:
        raise BadRequest("Send the lines in the body, with a Content-Length header")
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise BadRequest(WRONG_TYPE)
    if size > MAX_BYTES:
        raise BadRequest(f"The body has more than {MAX_BYTES} bytes. Send it in parts")
    body = spool.spooled(MAX_LINE_BYTES)
    try:
        with full_disk_is_storage_full(), stall_limit(request):
            for piece in pieces_of(request, size):
                body.write(piece)
    except (Cut, UnreadablePostError):
        body.close()
        raise CutOff(f"The body was cut off: {size} bytes were announced. Nothing was imported") from None
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return body


def numbered(body: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The lines from 1 on without those that are blank; None for one above MAX_LINE_BYTES."""
    number, begin = 0, _BOM
    while piece := body.readline(MAX_LINE_BYTES + 2):
        number += 1
        line: bytes | None = piece.removeprefix(begin).strip(b" \t\r\n")
        begin = b""
        if (not piece.endswith(b"\n") and len(piece) > MAX_LINE_BYTES + 1) or len(line or b"") > MAX_LINE_BYTES:
            line = None
            while not piece.endswith(b"\n") and (piece := body.readline(MAX_LINE_BYTES)):
                pass
        if line != b"":
            yield number, line


class Reader:
    """Turns lines into records to be kept, or says what is wrong with them. `granted` are the caller's scopes."""

    def __init__(self, granted: Collection[str]) -> None:
        self.missing_scopes: set[str] = set()
        self._granted = granted
        self._counts: Counter[str] = Counter()
        self._ended = False
        # One of each for all lines: to make one costs more than to use it.
        self._serializers = {
            PATIENT: PatientLineSerializer(),
            APPOINTMENT: AppointmentLineSerializer(),
            NOTE: NoteLineSerializer(),
        }

    def read(self, number: int, raw: bytes | None) -> Line | None:
        """The line, with its reply already if it is not to be kept; None for a last line that is right."""
        line = Line(number)
        if raw is None:
            line.fail(f"The line has more than {MAX_LINE_BYTES} bytes")
            return line
        try:
            value = strict_json.parse(raw)
        except strict_json.Unparsable:
            line.fail("Invalid JSON")
            return line
        if self._ended:
            line.fail("There is a line after the end of the file")
        elif not isinstance(value, dict):
            line.invalid({})
        elif value.get("type") == END:
            self._ended = True
            differences = self._differences(value)
            if not differences:
                return None
            line.invalid(differences)
        else:
            self._read_record(line, value)
        return line

    def _read_record(self, line: Line, value: dict[str, Any]) -> None:
        kind, data = value.get("type"), value.get("data")
        if isinstance(kind, str) and kind in WRITE_SCOPES:
            line.kind = kind
            self._counts[kind] += 1
        wrong = _wrong_in_line(value)
        if wrong:
            line.invalid(wrong)
        elif not allows(self._granted, WRITE_SCOPES[line.kind]):
            self.missing_scopes.add(WRITE_SCOPES[line.kind])
            line.fail(settings.HEALOS_ERROR_TEXTS[403])
        elif kind == DOCUMENT:
            line.answer("skipped", None, reason=ONLY_BYTES)
        else:
            try:
                line.fields = self._serializers[line.kind].run_validation(data)
            except ValidationError as error:
                line.invalid(details_of(error.detail))
            else:
                line.file_id = line.fields.pop("id", None)
                line.patient_file_id = line.fields.pop("patient_id", None)
                line.patient_external_id = line.fields.pop("patient_external_id", None)

    def _differences(self, end: dict[str, Any]) -> Details:
        """What the last line says of its file, and is not so."""
        wrong = {key: unrecognized(key) for key in end if key not in ("type", "counts")}
        if "counts" not in end:
            return wrong | {"counts": ["Required"]}
        counts = end["counts"]
        if not isinstance(counts, dict):
            return wrong | {"counts": [f"Expected object, received {kind_of(counts)}"]}
        for name, count in counts.items():
            found = self._counts[TYPES.get(name, "")]
            if type(count) is not int or count != found:
                said = count if type(count) is int else kind_of(count)
                wrong[name] = [f"Expected {said} lines, found {found}: the file was cut or altered"]
        return wrong


def _wrong_in_line(value: dict[str, Any]) -> Details:
    wrong = {key: unrecognized(key) for key in value if key not in ("type", "data")}
    kind = value.get("type")
    if "type" not in value:
        wrong["type"] = ["Required"]
    elif not isinstance(kind, str) or kind not in WRITE_SCOPES:
        wrong["type"] = [wrong_choice(kind, [*WRITE_SCOPES, END])]
    if "data" not in value:
        wrong["data"] = ["Required"]
    elif not isinstance(value["data"], dict):
        wrong["data"] = [f"Expected object, received {kind_of(value['data'])}"]
    return wrong

"""Notes and sessions in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from apps.patients.models import Patient
from apps.patients.notes.filters import LONGEST
from apps.patients.notes.selectors import MOST_OF_SESSION
from apps.patients.notes.serializers import OF_PATIENT, PARTS, PATIENT, TRANSCRIPT
from helios_site.api.families.healos.openapi import (
    IF_NONE_MATCH,
    LIST_META,
    MOMENT,
    PATIENT_ID,
    paging,
    query_parameter,
    replies,
    set_list,
)
from helios_site.api.families.schema import TEXT, UUID, Schema, component, fixed, nullable

NOTES = "/ext-api/v1/notes"
EXPORT = f"{NOTES}/export"
OF_SESSION = "/ext-api/v1/sessions/{session_id}/notes"

_DAY: Schema = {"type": "string", "format": "date"}
_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]*$"}
_TEXTS: Schema = {"type": "array", "items": TEXT}
_CODES: Schema = {"type": "object", "additionalProperties": True}
_INCLUDE = query_parameter(
    "include",
    {"type": "string", "pattern": f"^((?:{'|'.join(PARTS)})(?:,(?:{'|'.join(PARTS)}))*)?$"},
    "What comes along, separated by commas; both where it is not sent, neither where it is empty.",
)
_LIGHT: dict[str, Schema] = {
    "id": UUID,
    "patient_id": PATIENT_ID,
    "session_id": UUID,
    "note_type": TEXT,
    "specialty": nullable(TEXT),
    "template_id": nullable(TEXT),
    "template_name": nullable(TEXT),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_TRANSCRIPT = fixed(
    {
        "text": TEXT,
        "summary": TEXT,
        "title": TEXT,
        "status": TEXT,
        "session_date": _DAY,
        "start_time": nullable(MOMENT),
        "end_time": nullable(MOMENT),
    }
)
_PATIENT = fixed(
    {
        "id": PATIENT_ID,
        "name": TEXT,
        "pronouns": nullable(TEXT),
        **{name: nullable(TEXT) for name in OF_PATIENT},
        "date_of_birth": nullable(_DAY),
        "client_history": nullable(fixed({name: nullable(TEXT) for name in Patient.CLIENT_HISTORY})),
    }
)


def _with_parts(always: dict[str, Schema], **parts: Schema) -> Schema:
    """An object that has `parts` where they are included."""
    schema = fixed(always)
    return schema | {"properties": schema["properties"] | parts}


def _filters() -> list[OpenApiParameter]:
    moment: Schema = {"anyOf": [_DAY, MOMENT]}
    return [
        query_parameter("patient_id", _WORD, "Of this patient."),
        query_parameter("session_id", UUID, "Taken in this session."),
        query_parameter("template_id", _WORD, "Made from this template."),
        query_parameter("created_by", UUID, "Written by the member of the organisation with this id."),
        query_parameter("note_type", _WORD, "Of this type, such as `clinical_visit`."),
        query_parameter("from", moment, "Created then or later. A date is a whole day."),
        query_parameter("to", moment, "Created then or earlier. A date means the whole day."),
    ]


notes = extend_schema_view(
    list=extend_schema(
        operation_id="notes_list",
        summary="List the organisation's clinical notes, newest first",
        parameters=[*paging("Notes"), *_filters()],
        responses=replies(200, "NoteList", "A page of notes without their content."),
    ),
    retrieve=extend_schema(
        operation_id="notes_retrieve",
        summary="Read one note",
        parameters=[
            OpenApiParameter("note_id", UUID, OpenApiParameter.PATH, description="Id of the note."),
            _INCLUDE,
            IF_NONE_MATCH,
        ],
        responses=replies(200, "NoteReply", "The whole note."),
    ),
)
export = extend_schema_view(
    list=extend_schema(
        operation_id="notes_export",
        summary="List whole notes, newest first",
        parameters=[*paging("Notes"), *_filters(), _INCLUDE],
        responses=replies(200, "NoteExport", "A page of whole notes."),
    )
)
of_session = extend_schema_view(
    list=extend_schema(
        operation_id="session_notes",
        summary="Read a session with its notes",
        description=f"Shows at most the {MOST_OF_SESSION} newest notes: `GET /notes?session_id=` lists all of them. A "
        "session of which no note is left is answered with 404.",
        parameters=[
            OpenApiParameter("session_id", UUID, OpenApiParameter.PATH, description="Id of the session."),
            _INCLUDE,
        ],
        responses=replies(200, "SessionNotes", "The session, its patient, and its notes, newest first."),
    )
)


def describe_notes(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    content: dict[str, Schema] = {
        "content": TEXT, "problems": _TEXTS, "procedures": _TEXTS, "icd10_codes": _CODES, "cpt_codes": _CODES,
    }  # fmt: skip
    parts = {TRANSCRIPT: component("NoteTranscript"), PATIENT: component("NotePatient")}
    session = _with_parts({"id": UUID, "patient_id": PATIENT_ID}, **{TRANSCRIPT: parts[TRANSCRIPT]})
    newest: Schema = {"type": "array", "items": component("Note"), "maxItems": MOST_OF_SESSION}
    inside: dict[str, Schema] = {"session": session, "notes": newest}

    def list_of(item: Schema) -> Schema:
        return fixed({"data": {"type": "array", "items": item}, "meta": component(LIST_META)})

    result["components"].setdefault("schemas", {}).update(
        {
            "NoteTranscript": _TRANSCRIPT,
            "NotePatient": _PATIENT,
            "Note": _with_parts(_LIGHT | content, **parts),
            "NoteReply": fixed({"data": component("Note")}),
            "NoteList": list_of(fixed(_LIGHT)),
            "NoteExport": list_of(component("Note")),
            "SessionNotes": fixed({"data": _with_parts(inside, **{PATIENT: parts[PATIENT]})}),
        }
    )
    set_list(result, NOTES, "NoteList")
    set_list(result, EXPORT, "NoteExport")
    set_list(result, OF_SESSION, "SessionNotes")
    if not settings.HEALOS_NOTES_EXPORT:
        result["paths"].pop(EXPORT)
    return result

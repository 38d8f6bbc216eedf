"""Exports and imports in the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.patients.transfer.filters import MODES
from apps.patients.transfer.lines import MAX_BYTES, MAX_LINE_BYTES, MEDIA_TYPE, TYPES
from helios_site.api.families.healos.openapi import query_parameter
from helios_site.api.families.schema import TEXT, Schema, example

EXPORT, IMPORT = "/ext-api/v1/export", "/ext-api/v1/import"
_LINES = """{"type": "patient", "data": {"id": "1", "name": "Maria Santos", "external_id": "EHR-1"}}
{"type": "appointment", "data": {"patient_id": "1", "start_at": "2030-01-15T09:30:00Z", "external_id": "EHR-A1"}}
"""
_ONE_TYPE = "|".join(TYPES)
_TYPES = query_parameter(
    "types",
    {"type": "string", "pattern": f"^({_ONE_TYPE})(,({_ONE_TYPE}))*$"},
    f"Some of {', '.join(TYPES)}, with commas between them; all unless it says. Each needs its read scope.",
)


def _truth(name: str, description: str) -> OpenApiParameter:
    return query_parameter(name, {"type": "boolean", "default": False}, description)


export = extend_schema_view(
    list=extend_schema(
        operation_id="records_export",
        summary="Download the organisation's patients, appointments, documents and notes",
        description='One JSON object a line, as of one moment: `{"type": "patient", "data": {…}}`, patients first. The '
        'last line is `{"type": "end", "counts": {"patients": n, …}}`; where it is missing, so is some of the rest. '
        "The bytes of documents are not included.",
        parameters=[_TYPES],
        responses={(200, MEDIA_TYPE): OpenApiResponse(TEXT, description="The records.")},
    )
)
importing = extend_schema_view(
    create=extend_schema(
        operation_id="records_import",
        summary="Upload patients, appointments and notes",
        description="Takes the lines of an export, or of your own. Each line needs the write scope of its type; notes "
        "need `*`. Records get new ids; `patient_id` names a patient by its `id` in a line above, or one that you "
        "have, as does `patient_external_id`. A record is there already if its `external_id` is or, where it has none, "
        "if its `id` is. "
        'The reply has a line for each: `{"line": 1, "status": "created", "id": "…"}` (or `updated`, `skipped`), or '
        '`{"line": 1, "status": "error", "error": "…", "details": {…}}`, after which the others go on. A `document` is '
        "`skipped`, since its bytes are not in the file. An `end` whose counts are right is not answered. Lines that "
        "were answered stay imported when the rest of the reply does not arrive: send the file again. "
        f"A line has at most {MAX_LINE_BYTES} bytes, the body {MAX_BYTES}. `Idempotency-Key` is not taken.",
        parameters=[
            query_parameter(
                "mode",
                {"type": "string", "enum": list(MODES), "default": MODES[0]},
                "What happens to a record that is there already. `update` changes what the line names.",
            ),
            _truth("dry_run", "`true`: store nothing, and reply as if; records that would be created have no `id`."),
            _truth(
                "atomic",
                "`true`: store nothing if a line fails. The last line of the reply is then "
                '`{"status": "committed"}` or `{"status": "rolled_back"}`.',
            ),
        ],
        examples=example("A patient with an appointment", _LINES, media_type=MEDIA_TYPE),
        request={MEDIA_TYPE: {"type": "string", "minLength": 1}},
        responses={(200, MEDIA_TYPE): OpenApiResponse(TEXT, description="What became of each line.")},
    )
)


def describe_transfer(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the generator takes every list for an array of items; ours are lines."""
    paths = result["paths"]
    paths[EXPORT]["get"]["responses"]["200"]["content"] = {MEDIA_TYPE: {"schema": TEXT}}
    paths[IMPORT]["post"]["requestBody"]["required"] = True
    return result

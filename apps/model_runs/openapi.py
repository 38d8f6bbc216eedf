"""Model runs in the API description: what each operation takes and gives."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from apps.model_runs.models import Status
from apps.model_runs.serializers import (
    CONTINUOUS,
    EXPLANATION_KEYS,
    LABEL_MAX_CHARS,
    SCORES,
    ModelRunCreateSerializer,
)
from apps.model_runs.wellness.interface import DIMENSIONS, ErrorCode
from apps.patients.ids import PATTERN
from helios_site.api.families.helios.fields import DAY_PATTERN, TIME_PATTERN
from helios_site.api.families.helios.openapi import MOMENT, RUN_ID_PARAMETER
from helios_site.api.families.helios.query import CURSOR_PATTERN, DEFAULT_LIMIT, MAX_LIMIT
from helios_site.api.families.schema import NUMBER, SHARE, TEXT, UUID, Schema, component, example, fixed, nullable

_BUCKET = {"type": "number", "enum": [0.0, 0.33, 0.66, 1.0]}
_LEVEL = {"type": "string", "enum": ["LOW", "MEDIUM", "HIGH"]}
_TEXTS = {"type": "array", "items": TEXT}
_PHRASE = fixed({"startSecs": NUMBER, "finishSecs": NUMBER, "text": TEXT})
_PATIENT_ID: Schema = {"type": "string", "pattern": f"^{PATTERN}$"}
_CONFIDENCE = nullable(fixed({"level": _LEVEL, "low": SHARE, "high": SHARE}))

_EXPLANATION_FORMS: dict[str, Schema] = {
    "score": {"type": "string", "enum": list(SCORES)},
    "kind": {"type": "string", "enum": ["VOICE", "WORDS"]},
    "feature": TEXT,
    "direction": {"type": "string", "enum": ["UP", "DOWN"]},
    "weight": NUMBER,
    "text": TEXT,
    "unit": nullable(TEXT),
    "phrase": nullable(TEXT),
    "value": nullable(NUMBER),
    "referenceLow": nullable(NUMBER),
    "referenceHigh": nullable(NUMBER),
}


MINIMAL = {
    "user": {"userLabel": "42baba59-fa4a-4a22-ba1c-2e4a88a3badb", "dateOfBirth": "1990-08-24", "birthSex": "MALE"},
    "language": settings.HELIOS_LANGUAGES[0],
}


def _tag() -> Schema:
    name, value = settings.HELIOS_TAG_KEYS
    return fixed({name: TEXT, value: TEXT})


def _extensions() -> Schema:
    return fixed(
        {
            "patientId": nullable(_PATIENT_ID),
            "language": nullable(TEXT),
            "tags": {"type": "array", "items": _tag()},
            "durationSeconds": nullable(NUMBER),
            "speechSeconds": nullable(NUMBER),
            "quality": nullable(
                fixed(
                    {
                        "level": {"type": "string", "enum": ["GOOD", "FAIR", "POOR"]},
                        "snrDb": nullable(NUMBER),
                        "clippingRatio": SHARE,
                        "issues": _TEXTS,
                    }
                )
            ),
            "confidence": nullable({"type": "object", "additionalProperties": _CONFIDENCE}),
            "evidence": nullable({"type": "object", "additionalProperties": TEXT}),
            "explanation": nullable(
                {
                    "type": "array",
                    "items": fixed({key: _EXPLANATION_FORMS[key] for key in EXPLANATION_KEYS}),
                }
            ),
            "safety": nullable(
                fixed({"selfHarmLanguage": {"type": "boolean"}, "phrases": {"type": "array", "items": _PHRASE}})
            ),
            "model": nullable(fixed({"name": TEXT, "version": TEXT})),
        },
        "Ours, beyond the original; null until known.",
    )


def _run() -> Schema:
    properties: dict[str, Schema] = {
        "id": UUID,
        "createdAt": MOMENT,
        "status": {"type": "string", "enum": list(Status.values)},
        "userLabel": TEXT,
        "deleteData": {"type": "boolean"},
        "runAt": nullable(MOMENT),
        "completedAt": nullable(MOMENT),
        "errorCode": nullable({"type": "string", "enum": [str(code) for code in ErrorCode]}),
        "errorReason": nullable(TEXT),
        "warnings": nullable(_TEXTS),
        "results": nullable(
            fixed(
                {
                    "sections": {
                        "type": "array",
                        "items": component("MentalWellnessPartResult"),
                        "minItems": 1,
                        "maxItems": 1,
                    }
                }
            )
        ),
    }
    if settings.HELIOS_EXTENSIONS_IN_RUN:
        properties["extensions"] = _extensions()
    return fixed(properties)


def _schemas() -> dict[str, Schema]:
    scores = {name: component("MentalWellnessContinuousValue") for name in ("mentalStrain", *CONTINUOUS)}
    scores |= {name: component("MentalWellnessValue") for name in DIMENSIONS}
    return {
        "AccountResponse": fixed({"id": UUID, "features": _TEXTS}),
        "MentalWellnessModelRunCreateResponse": fixed(
            {"id": UUID, "recordingUploadUrl": {"type": "string", "format": "uri"}}
        ),
        "MentalWellnessModelRunResponse": _run(),
        "MentalWellnessModelRunListResponse": fixed(
            {
                "items": {"type": "array", "items": component("MentalWellnessModelRunResponse")},
                "nextCursor": nullable(TEXT),
            }
        ),
        "MentalWellnessModelRunDeleteResponse": fixed({"id": UUID, "deleted": {"const": True}}),
        "MentalWellnessPartResult": fixed(
            {"startSecs": NUMBER, "finishSecs": NUMBER, "transcript": TEXT} | {name: scores[name] for name in SCORES}
        ),
        "MentalWellnessValue": fixed({"value": _BUCKET}, "Quartile among peers; higher is worse."),
        "MentalWellnessContinuousValue": fixed({"value": SHARE}, "Higher is worse."),
    }


def query_parameter(name: str, schema: Schema, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **options)


def time_parameter(name: str, description: str) -> OpenApiParameter:
    day = {"type": "string", "pattern": DAY_PATTERN}
    time = {"type": "string", "pattern": TIME_PATTERN}
    return query_parameter(name, {"anyOf": [day, time]}, f"{description} A date means the whole UTC day; inclusive.")


LABEL: Schema = {"type": "string", "minLength": 1, "maxLength": LABEL_MAX_CHARS, "pattern": r"^[^\x00]*$"}
LIMIT = query_parameter(
    "limit",
    {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
    f"Runs on the page; more than {MAX_LIMIT} means {MAX_LIMIT}.",
)
CURSOR = query_parameter(
    "cursor", {"type": "string", "pattern": f"^{CURSOR_PATTERN}$"}, "`nextCursor` of the page before."
)


def _list_parameters() -> list[OpenApiParameter]:
    longest = settings.HELIOS_TAG_MAX_CHARS
    tag = {"type": "string", "pattern": rf"^[^\x00:]{{1,{longest}}}(:[^\x00]{{0,{longest}}})?$"}
    statuses = {"type": "array", "items": {"type": "string", "enum": list(Status.values)}}
    return [
        query_parameter("userLabel", LABEL, "Exactly this label."),
        query_parameter("status", statuses, "Any of these.", explode=True),
        query_parameter("tag", {"type": "array", "items": tag}, "All of these: `name` or `name:value`.", explode=True),
        time_parameter("createdFrom", "Created then or later."),
        time_parameter("createdTo", "Created then or earlier."),
        time_parameter("completedFrom", "Finished then or later."),
        time_parameter("completedTo", "Finished then or earlier."),
        query_parameter("patientId", _PATIENT_ID, "Linked to this patient."),
        LIMIT,
        CURSOR,
    ]


def _ok(name: str, description: str) -> dict[int, OpenApiResponse]:
    return {200: OpenApiResponse(component(name), description=description)}


def _get(operation_id: str, summary: str) -> Any:
    found = "The run. It is finished when its status is COMPLETE_OK or COMPLETE_ERROR."
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=[RUN_ID_PARAMETER],
        responses=_ok("MentalWellnessModelRunResponse", found),
    )


account = extend_schema_view(
    retrieve=extend_schema(
        operation_id="account",
        summary="Who am I",
        responses=_ok("AccountResponse", "The organisation, and the features that this key can use."),
    )
)
model_runs = extend_schema_view(
    list=extend_schema(
        operation_id="mental_wellness_list",
        summary="List runs, newest first",
        parameters=_list_parameters(),
        responses=_ok("MentalWellnessModelRunListResponse", "A page of runs."),
    ),
    create=extend_schema(
        operation_id="mental_wellness_create",
        summary="Create a run and get its upload URL",
        description="PUT the recording to `recordingUploadUrl` within an hour; the run then starts by itself. A run "
        "with a `patientId` belongs to that patient's record, and stays when the patient is deleted.",
        request=ModelRunCreateSerializer,
        examples=example("The least that is needed", MINIMAL),
        responses=_ok("MentalWellnessModelRunCreateResponse", "The run, waiting for its recording."),
    ),
    retrieve=_get("mental_wellness_retrieve", "Read status and results of a run"),
    destroy=extend_schema(
        operation_id="mental_wellness_delete",
        summary="Erase a run with its recording and results",
        parameters=[RUN_ID_PARAMETER],
        responses=_ok("MentalWellnessModelRunDeleteResponse", "It is gone; from now on 404."),
    ),
)
legacy = extend_schema_view(retrieve=_get("model_retrieve", "Read a run by its older path"))


def describe_runs(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name, and the upload, which is no DRF view."""
    result["components"].setdefault("schemas", {}).update(_schemas())
    # The generator takes every list for an array of items; ours is a page.
    page = result["paths"]["/v1/models/mental-wellness"]["get"]["responses"]["200"]["content"]
    page["application/json"]["schema"] = component("MentalWellnessModelRunListResponse")
    if not settings.HELIOS_LEGACY_GET:
        result["paths"].pop("/v1/models/{model_run_id}")
    result["paths"]["/uploads/{model_run_id}"] = {"put": _upload()}
    return result


def _upload() -> Schema:
    def refusal(description: str) -> Schema:
        return {"description": description, "content": {"application/json": {"schema": component("Error")}}}

    return {
        "operationId": "upload",
        "summary": "Send the recording",
        "description": "The URL as it stood in the reply to the create is all that is needed: no key, any or no "
        "`Content-Type`. FLAC, MP3, MP4, Ogg, WebM or WAV, judged by content.",
        "tags": ["uploads"],
        "security": [],
        "parameters": [
            {"name": "model_run_id", "in": "path", "required": True, "schema": UUID},
            {"name": "expires", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 0}},
            {
                "name": "signature",
                "in": "query",
                "required": True,
                "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "200": {"description": "The run has the recording and starts."},
            "403": refusal("The URL has expired or was altered."),
            "404": refusal("The run was deleted."),
            "409": refusal("The run has another recording already."),
            "411": refusal("The request has no Content-Length."),
            "413": refusal(f"The recording has more than {settings.HELIOS_UPLOAD_MAX_BYTES} bytes."),
            "422": refusal("Fewer bytes came than were announced; the URL is still good."),
            "507": refusal("The storage is full; the URL is still good."),
        },
    }

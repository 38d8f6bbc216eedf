"""FHIR in the API description: the elements that are written, each in FHIR's own form."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.fhir.pages import CURSOR_PATTERN, DEFAULT_COUNT
from apps.fhir.resources.scores import CODES, ID
from helios_site.api.families.fhir.bundles import MAX_COUNT
from helios_site.api.families.fhir.openapi import (
    CONCEPT,
    IDENTIFIERS,
    INSTANT,
    REFERENCE,
    bundle,
    kept,
    open_resource,
)
from helios_site.api.families.healos.fields import MAX_WHOLE
from helios_site.api.families.healos.openapi import EXAMPLE_ID, IF_NONE_MATCH, PATIENT_ID_IN_PATH, query_parameter
from helios_site.api.families.schema import EXAMPLE_UUID, SHARE, TEXT, UUID, Schema, component, fixed

_OBSERVATION_ID: Schema = {
    "type": "string",
    "pattern": rf"^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\.({'|'.join(CODES)})$",
    "examples": [f"{EXAMPLE_UUID}.{CODES[0]}"],
}
_DAY: Schema = {"type": "string", "format": "date"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}


def _some(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def _one_of(*codes: str) -> Schema:
    return {"type": "string", "enum": list(codes)}


_PATIENT = kept(
    "Patient",
    {"active": {"const": True}},
    {
        "identifier": IDENTIFIERS,
        "name": _some({"type": "object", "properties": {"text": TEXT, "family": TEXT, "given": _some(TEXT)}}),
        "telecom": _some(fixed({"system": _one_of("phone", "email"), "value": TEXT})),
        "gender": _one_of("male", "female", "other", "unknown"),
        "birthDate": _DAY,
    },
)
_APPOINTMENT = kept(
    "Appointment",
    {
        "status": _one_of("booked", "fulfilled", "cancelled", "noshow"),
        "start": INSTANT,
        "end": INSTANT,
        "minutesDuration": _WHOLE,
        "created": INSTANT,
        "participant": _some(fixed({"actor": REFERENCE, "status": {"const": "accepted"}})),
    },
    {"identifier": IDENTIFIERS, "appointmentType": fixed({"text": TEXT}), "comment": TEXT},
)
_ATTACHMENT: Schema = {
    "type": "object",
    "properties": {"contentType": TEXT, "url": TEXT, "size": _WHOLE, "title": TEXT, "creation": INSTANT},
    "required": ["contentType", "size", "creation"],
}
_DOCUMENT = kept(
    "DocumentReference",
    {
        "status": _one_of("current", "entered-in-error"),
        "docStatus": _one_of("preliminary", "final", "entered-in-error"),
        "subject": REFERENCE,
        "date": INSTANT,
        "content": _some(fixed({"attachment": _ATTACHMENT})),
    },
    {"identifier": IDENTIFIERS},
)
_OBSERVATION = kept(
    "Observation",
    {
        "status": {"const": "final"},
        "category": _some(CONCEPT),
        "code": CONCEPT,
        "subject": REFERENCE,
        "effectiveDateTime": {"anyOf": [INSTANT, _DAY]},
        "issued": INSTANT,
    },
    {
        "valueQuantity": fixed({"value": SHARE, "unit": TEXT, "system": TEXT, "code": TEXT}),
        "dataAbsentReason": CONCEPT,
        "note": _some(fixed({"text": TEXT})),
        "device": fixed({"display": TEXT}),
    },
)
_SCHEMAS: dict[str, Schema] = {
    "FhirPatient": _PATIENT,
    "FhirAppointment": _APPOINTMENT,
    "FhirDocumentReference": _DOCUMENT,
    "FhirObservation": _OBSERVATION,
    "FhirObservationBundle": bundle("FhirObservation"),
    "FhirCodeSystem": open_resource(
        "CodeSystem", {"id": {"const": ID}, "url": TEXT, "concept": _some(fixed({"code": TEXT}))}
    ),
    "FhirCapabilityStatement": open_resource("CapabilityStatement", {"fhirVersion": {"const": "4.0.1"}}),
}


def _read(name: str, summary: str, identifier: Schema | None = None, **options: Any) -> Any:
    """The description of one read. `identifier` is the schema of the id in the path."""
    parameters = options.pop("parameters", [])
    if identifier is not None:
        description = f"Id of the {name}."
        parameters = [
            OpenApiParameter("resource_id", identifier, OpenApiParameter.PATH, description=description),
            *parameters,
        ]
    return extend_schema(
        operation_id=f"fhir_{name}",
        summary=summary,
        parameters=parameters,
        responses={200: OpenApiResponse(component(f"Fhir{name}"), description=f"The {name}.")},
        **options,
    )


metadata = extend_schema_view(retrieve=_read("CapabilityStatement", "What FHIR clients can read here", auth=[]))
code_system = extend_schema_view(
    retrieve=_read("CodeSystem", "What the codes of the scores mean", {"type": "string", "enum": [ID]}, auth=[])
)
patient = extend_schema_view(
    retrieve=_read("Patient", "Read a patient as FHIR R4", PATIENT_ID_IN_PATH, parameters=[IF_NONE_MATCH])
)
appointment = extend_schema_view(
    retrieve=_read("Appointment", "Read an appointment as FHIR R4", UUID, parameters=[IF_NONE_MATCH])
)
document = extend_schema_view(retrieve=_read("DocumentReference", "Read what is known of a document as FHIR R4", UUID))
observation = extend_schema_view(
    retrieve=_read("Observation", "Read one score of a run as FHIR R4", _OBSERVATION_ID, parameters=[IF_NONE_MATCH]),
)
search = extend_schema(
    operation_id="fhir_Observation_search",
    summary="List the scores of a patient's finished runs as FHIR R4, newest first",
    description="One Observation for each score of each run.",
    parameters=[
        OpenApiParameter(
            "patient",
            {"type": "string", "pattern": r"^(Patient/)?[A-Za-z0-9.\-]{1,64}$", "examples": [EXAMPLE_ID]},
            OpenApiParameter.QUERY,
            required=True,
            description="`<id>` or `Patient/<id>`. There is nothing to list of one that is not yours.",
        ),
        query_parameter(
            "_count",
            {**_WHOLE, "maximum": MAX_WHOLE, "default": DEFAULT_COUNT},
            f"Entries on the page; more than {MAX_COUNT} means {MAX_COUNT}, and 0 gives the total alone.",
        ),
        query_parameter("_cursor", {"type": "string", "pattern": f"^{CURSOR_PATTERN}$"}, "From the link `next`."),
    ],
    responses={200: OpenApiResponse(component("FhirObservationBundle"), description="A page of scores.")},
)


def describe_fhir(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    result["components"].setdefault("schemas", {}).update(_SCHEMAS)
    return result

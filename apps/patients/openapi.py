"""Patients in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from apps.patients.filters import LONGEST, ORDERS
from apps.patients.serializers import PatientChangeSerializer, PatientCreateSerializer
from helios_site.api.families.healos.openapi import (
    IF_MATCH,
    IF_NONE_MATCH,
    MOMENT,
    PATIENT_ID,
    PATIENT_ID_IN_PATH,
    object_and_list,
    paging,
    query_parameter,
    replies,
    set_list,
    sorting,
)
from helios_site.api.families.schema import TEXT, Schema, component, example, fixed, nullable

PATIENTS = "/ext-api/v1/patients"
WORD: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]*$"}
ID_IN_PATH = OpenApiParameter("patient_id", PATIENT_ID_IN_PATH, OpenApiParameter.PATH, description="Id of the patient.")
EXTERNAL_ID = query_parameter("external_id", WORD, "Exactly this `external_id`.")

_ITEM: dict[str, Schema] = {"id": PATIENT_ID, "name": TEXT, "created_at": MOMENT, "external_id": nullable(TEXT)}
_PATIENT: dict[str, Schema] = {
    **_ITEM,
    "pronouns": nullable(TEXT),
    "notes": nullable(TEXT),
    "consent": {"type": "boolean"},
}
_KEPT = f"It can be restored for {settings.SOFT_DELETE_DAYS} days, and is gone for ever then."

patients = extend_schema_view(
    list=extend_schema(
        operation_id="patients_list",
        summary="List the organisation's patients, newest first",
        parameters=[
            *paging("Patients"),
            EXTERNAL_ID,
            query_parameter(
                "search",
                WORD,
                "A part of the name, whatever its case and accents, or exactly the `external_id`. One "
                "or two letters are looked for at the beginning of names.",
            ),
            sorting(ORDERS),
        ],
        responses=replies(200, "PatientList", "A page of patients."),
    ),
    create=extend_schema(
        operation_id="patients_create",
        summary="Create a patient",
        description="If a patient with this `external_id` exists, the answer is 409 with that patient in `data`.",
        request=PatientCreateSerializer,
        examples=example("With an id of yours", {"name": "Maria Santos", "consent": True, "external_id": "EHR-1"}),
        responses=replies(201, "PatientReply", "The new patient."),
    ),
    retrieve=extend_schema(
        operation_id="patients_retrieve",
        summary="Read one patient",
        parameters=[ID_IN_PATH, IF_NONE_MATCH],
        responses=replies(200, "PatientReply", "The patient."),
    ),
    partial_update=extend_schema(
        operation_id="patients_update",
        summary="Change what is sent, and nothing else",
        parameters=[ID_IN_PATH, IF_MATCH],
        request=PatientChangeSerializer,
        examples=example("What has changed", {"pronouns": "she/her", "consent": True}),
        responses=replies(200, "PatientReply", "The whole patient as it is now."),
    ),
    destroy=extend_schema(
        operation_id="patients_delete",
        summary="Delete a patient with its appointments, documents and notes",
        description=_KEPT,
        parameters=[ID_IN_PATH, IF_MATCH],
        responses=replies(200, "PatientDeleted", "It is deleted."),
    ),
)
restoring = extend_schema(
    operation_id="patients_restore",
    summary="Restore a deleted patient, with what went with it",
    description="If its `external_id` has been taken since, the answer is 409 with the record that has it, and nothing "
    "is restored.",
    parameters=[ID_IN_PATH],
    request=None,
    responses=replies(200, "PatientReply", "The patient."),
)


def describe_patients(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    schemas = result["components"].setdefault("schemas", {})
    schemas |= {"Patient": fixed(_PATIENT), **object_and_list("Patient", component("Patient"), fixed(_ITEM))}
    set_list(result, PATIENTS, "PatientList")
    result["paths"][f"{PATIENTS}/{{patient_id}}"]["patch"]["requestBody"]["required"] = True
    return result

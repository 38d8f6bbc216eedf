"""Erasure and export of a person in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from apps.patients.openapi import ID_IN_PATH, PATIENTS
from apps.patients.services.exports import MOST_READY
from helios_site.api.families.healos.openapi import MOMENT, PATIENT_ID, replies
from helios_site.api.families.schema import TEXT, UUID, Schema, example, fixed, nullable

EXPORT_ID = OpenApiParameter("export_id", UUID, OpenApiParameter.PATH, description="Id of the export.")
_SCOPES = (
    "Needs `patients:read`, `appointments:read`, `documents:read` and `notes:read`, and `model_runs:read` if runs are "
    "linked to the patient or in the archive."
)

erasure = extend_schema_view(
    create=extend_schema(
        operation_id="patients_erase",
        summary="Erase a person for good",
        description="Removes the patient, deleted or not, its appointments, documents, notes and sessions, the model "
        "runs that are linked to it with their recordings, and its exports. It cannot be undone. What is left is one "
        "row of the audit trail, with the reason and the id. Needs `patients:write`, and `model_runs:write` if runs "
        "are linked to the patient.",
        parameters=[ID_IN_PATH],
        examples=example("A person who was made up", {"reason": "test_data"}),
        responses=replies(200, "PatientErased", "It is erased."),
    ),
)
exports = extend_schema_view(
    create=extend_schema(
        operation_id="patients_export",
        summary="Have an archive made of everything of a person",
        description="A ZIP file with the patient, appointments, documents, sessions, notes, runs with transcripts, "
        f"scores and recordings, and what the audit trail says of them. While one is pending, it is the answer. "
        f"{_SCOPES}",
        parameters=[ID_IN_PATH],
        examples=example("Nothing to say", {}),
        responses=replies(202, "PatientExportReply", "It will be made."),
    ),
    retrieve=extend_schema(
        operation_id="patients_export_retrieve",
        summary="See whether an archive is ready, and where",
        description=f"`url` is good for {settings.HEALOS_EXPORT_URL_TTL_SECONDS // 60} minutes, and new in each reply: "
        "whoever has it needs no key. The archive is kept until `expires_at`, "
        f"{settings.HEALOS_EXPORT_DAYS} days, or until a run or a document of the patient is deleted, or {MOST_READY} "
        f"newer ones are ready: have a new one made then. {_SCOPES}",
        parameters=[ID_IN_PATH, EXPORT_ID],
        responses=replies(200, "PatientExportReply", "The export."),
    ),
)


def describe_person(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    status: Schema = {"type": "string", "enum": ["pending", "ready", "failed"]}
    result["components"].setdefault("schemas", {}).update(
        PatientErased=fixed({"data": fixed({"id": PATIENT_ID}), "message": TEXT}),
        PatientExportReply=fixed(
            {
                "data": fixed(
                    {
                        "id": UUID,
                        "status": status,
                        "url": nullable(TEXT),
                        "expires_at": nullable(MOMENT),
                        "created_at": MOMENT,
                    }
                )
            }
        ),
    )
    result["paths"][f"{PATIENTS}/{{patient_id}}/erase"]["post"]["requestBody"]["required"] = True
    return result

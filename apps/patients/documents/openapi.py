"""Documents in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from apps.patients.documents.inspection.kinds import FILE_TYPES, MEDIA_TYPES
from apps.patients.openapi import EXTERNAL_ID, ID_IN_PATH, PATIENTS, WORD
from helios_site.api.families.healos.openapi import (
    IF_MATCH,
    MOMENT,
    PATIENT_ID,
    object_and_list,
    paging,
    query_parameter,
    replies,
    set_list,
)
from helios_site.api.families.schema import TEXT, UUID, Schema, component, fixed, nullable

DOCUMENTS = f"{PATIENTS}/{{patient_id}}/documents"
DOCUMENT_ID = OpenApiParameter("document_id", UUID, OpenApiParameter.PATH, description="Id of the document.")
_STATUS: Schema = {"type": "string", "enum": list(settings.HEALOS_DOCUMENT_STATUSES)}
_TYPE: Schema = {"type": "string", "enum": list(FILE_TYPES)}
_SIZE: Schema = {"type": "integer", "minimum": 1}
_MOST = settings.HEALOS_DOCUMENT_MAX_BYTES

_ITEM: dict[str, Schema] = {
    "id": UUID,
    "filename": TEXT,
    "file_size": _SIZE,
    "public_url": {"type": "string", "format": "uri"},
    "upload_date": MOMENT,
    "external_id": nullable(TEXT),
}
_DOCUMENT = {**_ITEM, "file_type": _TYPE, "status": _STATUS}
# Shown in a list when `include=status` asks for it.
_LISTED: Schema = fixed(_ITEM) | {"properties": {**_ITEM, "status": _STATUS, "status_reason": nullable(TEXT)}}
_FORM: Schema = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "The one file."},
        "external_id": WORD,
        "patient_id": PATIENT_ID | {"description": "May be sent, and must then equal that of the path."},
    },
    "required": ["file"],
    "additionalProperties": False,
}

documents = extend_schema_view(
    list=extend_schema(
        operation_id="documents_list",
        summary="List a patient's documents, newest first",
        description="Each reply has new links, which are good for "
        f"{settings.HEALOS_DOCUMENT_URL_TTL_SECONDS} seconds without a key.",
        parameters=[
            ID_IN_PATH,
            *paging("Documents"),
            EXTERNAL_ID,
            query_parameter("file_type", _TYPE, "Exactly this `file_type`."),
            query_parameter("include", {"type": "string", "enum": ["status"]}, "Adds `status` and `status_reason`."),
        ],
        responses=replies(200, "DocumentList", "A page of documents."),
    ),
    create=extend_schema(
        operation_id="documents_upload",
        summary="Upload a document",
        description=f"PDF, JPEG, PNG or DOCX, judged by content, of at most {_MOST} bytes. It is checked further "
        "after the reply: `status` is `pending` until then, and the webhook events `document.ready` and "
        "`document.failed` tell of the end. If a document with this `external_id` exists, the answer is 409 with that "
        "document in `data`.",
        parameters=[ID_IN_PATH],
        request={"multipart/form-data": _FORM},
        responses=replies(201, "DocumentUploaded", "The new document."),
    ),
    destroy=extend_schema(
        operation_id="documents_delete",
        summary="Delete a document",
        description=f"Its links are dead at once. It can be restored for {settings.SOFT_DELETE_DAYS} days, and is gone "
        "for ever then.",
        parameters=[ID_IN_PATH, DOCUMENT_ID, IF_MATCH],
        responses=replies(200, "DocumentDeleted", "It is deleted."),
    ),
)
restoring = extend_schema(
    operation_id="documents_restore",
    summary="Restore a deleted document",
    description="If its `external_id` has been taken since, the answer is 409 with the document that has it.",
    parameters=[ID_IN_PATH, DOCUMENT_ID],
    request=None,
    responses=replies(200, "DocumentReply", "The document."),
)


def describe_documents(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name, and the download, which is no DRF view."""
    schemas = result["components"].setdefault("schemas", {})
    schemas |= {"Document": fixed(_DOCUMENT), **object_and_list("Document", component("Document"), _LISTED)}
    schemas["DocumentUploaded"] = fixed({"data": component("Document"), "message": TEXT})
    if not settings.HEALOS_DOCUMENT_LIST_META:
        schemas["DocumentList"]["required"].remove("meta")
    set_list(result, DOCUMENTS, "DocumentList")
    result["paths"][DOCUMENTS]["post"]["requestBody"]["required"] = True
    result["paths"]["/documents/{document_id}"] = {"get": _download()}
    return result


def _download() -> Schema:
    def refusal(description: str) -> Schema:
        return {"description": description, "content": {"application/json": {"schema": component("HealosError")}}}

    binary: Schema = {"schema": {"type": "string", "format": "binary"}}
    return {
        "operationId": "documents_download",
        "summary": "Download a document",
        "description": "The `public_url` as it stood in a reply is all that is needed: no key.",
        "tags": ["documents"],
        "security": [],
        "parameters": [
            {"name": "document_id", "in": "path", "required": True, "schema": UUID},
            {"name": "expires", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 0}},
            {
                "name": "signature",
                "in": "query",
                "required": True,
                "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        ],
        "responses": {
            "200": {"description": "The bytes.", "content": dict.fromkeys(sorted(set(MEDIA_TYPES.values())), binary)},
            "403": refusal("The link has expired or was altered."),
            "404": refusal("The document or its patient was deleted, or the document has failed its check."),
            "405": refusal("The path has no such method."),
        },
    }

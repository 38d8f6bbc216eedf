"""A document in JSON, and the form in which one is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.patients.documents.links import public_url
from apps.patients.models import Document
from helios_site.api.families.healos.fields import StrictSerializer, Text, timestamp

SHORT = settings.HEALOS_MAX_CHARS["short"]
LIST_FIELDS = ("id", "filename", "file_size", "created_at", "external_id", "status", "status_reason")


class DocumentFieldsSerializer(StrictSerializer):
    """What may stand beside the file."""

    external_id = Text(min_length=1, max_length=SHORT, required=False)
    patient_id = Text(max_length=19, required=False)


class DocumentFormSerializer(StrictSerializer):
    """The form of the browsable API; the API itself reads the file as it arrives."""

    file = serializers.FileField()
    external_id = Text(min_length=1, max_length=SHORT, required=False)


def document_item(row: Mapping[str, Any], *, with_status: bool) -> dict[str, Any]:
    """One of a list; `row` has LIST_FIELDS."""
    item = {
        "id": str(row["id"]),
        "filename": row["filename"],
        "file_size": row["file_size"],
        "public_url": public_url(row["id"]),
        "upload_date": timestamp(row["created_at"]),
        "external_id": row["external_id"],
    }
    return item | {"status": row["status"], "status_reason": row["status_reason"] or None} if with_status else item


def document_body(document: Document) -> dict[str, Any]:
    return {
        **document_item({name: getattr(document, name) for name in LIST_FIELDS}, with_status=False),
        "file_type": document.file_type,
        "status": document.status,
    }

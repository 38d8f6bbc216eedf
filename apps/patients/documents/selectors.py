"""Reads of documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.patients.models import Document
from apps.patients.services.records import restorable_since


def list_documents(organization_id: UUID, patient_id: int) -> QuerySet[Any]:
    documents = Document.objects.of(organization_id).filter(patient_id=patient_id)
    return documents.order_by(*settings.HEALOS_ORDERING["documents"])


def get_document(organization_id: UUID, patient_id: int, document_id: UUID) -> Document | None:
    """The document, or None: absent, foreign, deleted and another patient's look the same."""
    found: Document | None = list_documents(organization_id, patient_id).filter(id=document_id).first()
    return found


def restorable(organization_id: UUID, patient_id: int) -> QuerySet[Any]:
    """Those of a patient that were deleted by themselves and can be brought back, the last one first."""
    gone: QuerySet[Any] = Document.objects.deleted_of(organization_id, restorable_since())
    return gone.filter(patient_id=patient_id, deleted_with_patient=False).order_by("-deleted_at", "id")


def served_document(document_id: UUID) -> Document | None:
    """The document that a signed link leads to: the signature stands for the organisation, which made it. None when
    it may not be had any more, or the organisation is suspended."""
    of_active = Document.objects.filter(organization__is_active=True, patient__deleted_at__isnull=True)
    found: Document | None = (
        of_active.filter(id=document_id, deleted_at__isnull=True).exclude(status=Document.Status.FAILED).first()
    )
    return found

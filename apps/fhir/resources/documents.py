"""A document as FHIR's DocumentReference."""

from __future__ import annotations

from apps.patients.documents.links import public_url
from apps.patients.models import Document
from helios_site.api.families.fhir.elements import (
    Element,
    identifiers,
    instant,
    present,
    reference,
    resource,
    text_of,
)

_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
# Status of ours -> status of the reference, and of the document. Until its content has been checked it may yet turn out
# to be none; one that failed the check is not given out.
_STATUSES = {
    Document.Status.PENDING: ("current", "preliminary"),
    Document.Status.READY: ("current", "final"),
    Document.Status.FAILED: ("entered-in-error", "entered-in-error"),
}


def document_resource(document: Document) -> Element:
    status, document_status = _STATUSES[Document.Status(document.status)]
    uploaded = instant(document.created_at)
    attachment = present(
        contentType=_MEDIA_TYPES[document.file_type],
        url=None if document.status == Document.Status.FAILED else public_url(document.pk),
        size=document.file_size,
        title=text_of(document.filename),
        creation=uploaded,
    )
    return resource(
        "DocumentReference",
        document.pk,
        # What the check finds is one more version here; the record's own stays through it.
        document.version + (document.status != Document.Status.PENDING),
        document.updated_at,
        identifier=identifiers(document.organization_id, "document", document.external_id),
        status=status,
        docStatus=document_status,
        subject=reference("Patient", document.patient_id),
        date=uploaded,
        content=[{"attachment": attachment}],
    )

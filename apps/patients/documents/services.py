"""Keeping, deleting and restoring documents."""

from __future__ import annotations

from typing import IO
from uuid import UUID, uuid4

from django.db import transaction

from apps.accounts import audit
from apps.patients.documents.checking import CHECK_DUE
from apps.patients.documents.upload_form import Upload
from apps.patients.models import Document, Patient, now_to_the_millisecond
from apps.patients.selectors import DOCUMENTS
from apps.patients.services import records, trail
from apps.patients.services.exports import withdraw_exports
from helios_site.api.bodies import PIECE_BYTES
from helios_site.bell import ring_on_commit
from helios_site.storage import object_store


def keep_document(
    *, actor: audit.Actor, organization_id: UUID, patient_id: int, upload: Upload, external_id: str | None
) -> Document | None:
    """The new document, of which the bytes are in the storage; None when the patient is not there. Raises
    ExternalIdTaken and StorageFull; then nothing is stored."""
    identifier = uuid4()
    key = f"{organization_id}/{DOCUMENTS}/{identifier}/{uuid4().hex}"
    _store(upload.content, key)
    document = None
    try:
        document = _create(
            actor,
            Document(
                id=identifier,
                organization_id=organization_id,
                patient_id=patient_id,
                storage_key=key,
                external_id=external_id,
                filename=upload.filename,
                file_type=upload.file_type,
                file_size=upload.size,
                sha256=upload.sha256,
            ),
        )
    finally:
        if document is None:
            object_store().delete(key)
    return document


def delete_document(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    patient_id: int,
    document_id: UUID,
    expected_version: int | None = None,
) -> bool:
    """False when it is not there. Its bytes stay for as long as it can be restored. Raises VersionConflict."""
    with transaction.atomic():
        if not _patient_stays(organization_id, patient_id):  # its lock comes first, as where the patient is deleted
            return False
        documents = Document.objects.of(organization_id).select_for_update()
        document: Document | None = documents.filter(patient_id=patient_id, id=document_id).first()
        if document is None:
            return False
        records.apply(document, {"deleted_at": now_to_the_millisecond()}, expected_version)
        withdraw_exports([patient_id])
        _record("deleted", actor, document)
    return True


@records.retried
def restore_document(
    *, actor: audit.Actor, organization_id: UUID, patient_id: int, document_id: UUID
) -> Document | None:
    """Undo the deletion of a document; None when it or its patient is not there, or it was deleted too long ago. One
    that is not deleted stays as it is. Raises ExternalIdTaken."""
    with transaction.atomic():
        if not _patient_stays(organization_id, patient_id):
            return None
        documents = Document.objects.filter(organization_id=organization_id, patient_id=patient_id)
        document: Document | None = documents.filter(id=document_id).select_for_update().first()
        if document is None:
            return None
        if document.deleted_at is not None:
            if document.deleted_at < records.restorable_since():
                return None
            with records.external_id_is_free(document):
                records.apply(document, {"deleted_at": None, "deleted_with_patient": False}, None)
            ring_on_commit(CHECK_DUE)  # it may not have been checked before
        _record("restored", actor, document)
    return document


def record_list(*, actor: audit.Actor, organization_id: UUID, patient_id: int) -> None:
    """Audit that a caller read the list of a patient's documents."""
    reason = f"of patient {patient_id}"
    trail.record("document", "listed", actor=actor, organization_id=organization_id, reason=reason)


def record_opening(*, actor: audit.Actor, document: Document) -> None:
    """Audit that a caller was sent on to the bytes."""
    _record("opened", actor, document)


def record_download(*, document: Document) -> None:
    """Audit that somebody who had a link fetched the bytes."""
    _record("downloaded", audit.SYSTEM, document)


def _store(content: IO[bytes], key: str) -> None:
    with object_store().writer(key) as writer:
        while piece := content.read(PIECE_BYTES):
            writer.write(piece)
        writer.commit()


@records.retried
def _create(actor: audit.Actor, document: Document) -> Document | None:
    with transaction.atomic():
        if not _patient_stays(document.organization_id, document.patient_id):
            return None
        now = now_to_the_millisecond()
        document.created_at = document.updated_at = document.check_due_at = now
        with records.external_id_is_free(document):
            document.save(force_insert=True)
        _record("created", actor, document)
        ring_on_commit(CHECK_DUE)
    return document


def _patient_stays(organization_id: UUID, patient_id: int) -> bool:
    """Whether the patient is there, and remains so until the transaction ends."""
    patients = Patient.objects.of(organization_id).select_for_update(no_key=True)
    return patients.filter(id=patient_id).only("id").first() is not None


def _record(verb: str, actor: audit.Actor, document: Document) -> None:
    trail.record("document", verb, actor=actor, organization_id=document.organization_id, object_id=document.pk)

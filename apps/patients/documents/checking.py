"""Checking documents to their end, apart from the upload. The row says what is due; the bell only wakes a worker.

A document that is taken becomes due again later, and later still with each try: that is how one is found whose worker
died over it.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.patients.documents.inspection.confined import CannotCheck, fault_of
from apps.patients.models import Document
from apps.patients.services import trail
from apps.webhooks.services import emit
from helios_site.api.events import Event
from helios_site.storage import object_store

log = structlog.get_logger(__name__)

CHECK_DUE = "helios.documents.check_due"
BUSY_SECONDS = 10.0  # of a worker that has runs to execute, too
MAX_TRIES = 5
FIRST_GAP = timedelta(seconds=90)  # longer than any check takes; twice as long after each try
MOST_DOUBLINGS = 6  # 96 minutes: a storage that was away for days is not waited for much longer
GIVEN_UP = "The document could not be checked. Upload it again."


class Claim(NamedTuple):
    """One try at one document."""

    document_id: UUID
    number: int
    storage_key: str
    file_type: str


def check_due(*, busy_seconds: float = BUSY_SECONDS) -> bool:
    """Check what is due; True when there may be more, since the time was up."""
    until = time.monotonic() + busy_seconds
    while (claim := claim_document()) is not None:
        if not _check(claim):
            return False  # the others would fare alike: the next tick goes on
        if time.monotonic() >= until:
            return True
    return False


def claim_document() -> Claim | None:
    """Take the document that has waited the longest; None when none is due. One that was tried too often has failed."""
    now = timezone.now()
    due = Document.objects.filter(status=Document.Status.PENDING, check_due_at__lte=now, deleted_at__isnull=True)
    while True:
        with transaction.atomic():
            document = due.select_for_update(skip_locked=True).order_by("check_due_at").first()
            if document is None:
                return None
            if document.check_tries - document.check_tries_excused >= MAX_TRIES:
                _finish(document, GIVEN_UP)
                continue
            gap = FIRST_GAP * 2 ** min(document.check_tries, MOST_DOUBLINGS)
            document.check_tries += 1
            document.check_due_at = now + gap
            document.save(update_fields=["check_tries", "check_due_at"])
        return Claim(document.id, document.check_tries, document.storage_key, document.file_type)


def finish_check(*, claim: Claim, reason: str) -> bool:
    """End a try: the document is sound, or has failed for this reason. False when it is no longer this try's to end."""
    with transaction.atomic():
        document = (
            Document.objects.filter(
                id=claim.document_id,
                status=Document.Status.PENDING,
                check_tries=claim.number,
                deleted_at__isnull=True,  # a deleted one is checked once it is restored
            )
            .select_for_update()
            .first()
        )
        if document is None:
            return False
        _finish(document, reason)
    return True


def _check(claim: Claim) -> bool:
    """One try; False if the storage failed it. What is not the file's fault leaves the document due."""
    with ExitStack() as opened:
        try:
            path = opened.enter_context(object_store().local_path(claim.storage_key))
        except FileNotFoundError as error:
            _not_checked(claim, str(error))
            return True
        except Exception as error:  # whatever a store raises: the try does not count
            _not_checked(claim, type(error).__name__)
            tried = Document.objects.filter(id=claim.document_id, check_tries=claim.number)
            tried.update(check_tries_excused=F("check_tries_excused") + 1)
            return False
        try:
            fault = fault_of(path, claim.file_type)
        except CannotCheck as error:
            _not_checked(claim, str(error))
            return True
    finish_check(claim=claim, reason=fault or "")
    return True


def _not_checked(claim: Claim, error: str) -> None:
    log.error("document_not_checked", document=str(claim.document_id), error=error)


def _finish(document: Document, reason: str) -> None:
    """Once, in the transaction that says so to the trail and to the webhooks. Its version stays, since an upload's
    `ETag` must go on naming it."""
    document.status = Document.Status.FAILED if reason else Document.Status.READY
    document.status_reason, document.check_due_at = reason, None
    document.save(update_fields=["status", "status_reason", "check_due_at"])
    kind = f"document.{document.status}"
    trail.record(
        "document", document.status, organization_id=document.organization_id, object_id=document.pk, reason=reason
    )
    emit(Event(kind, document.organization_id, document.id, document.status))

"""Clinical notes, as staff write them: the API only reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Membership, User
from apps.patients.models import Note, Session, now_to_the_millisecond
from apps.patients.services import records, trail


def create_note(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    patient_id: int,
    written_by: User,
    note: Mapping[str, Any],
    session: Mapping[str, Any],
    reason: str = "",
) -> Note | None:
    """A note and the session that it was taken in; None when the patient is not there. The person who wrote it is its
    author if they are a member of the organisation: readers of the API look authors up among its members."""
    with transaction.atomic():
        if records.live_patient(organization_id, patient_id) is None:
            return None
        of_patient = {"organization_id": organization_id, "patient_id": patient_id}
        is_member = Membership.objects.filter(organization_id=organization_id, user=written_by).exists()
        now = now_to_the_millisecond()
        created: Note = Note.objects.create(
            session=Session.objects.create(created_at=now, **of_patient, **session),
            created_by=written_by if is_member else None,
            created_at=now,
            updated_at=now,
            **of_patient,
            **note,
        )
        _record("created", actor, created, reason)
    return created


def change_note(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    note_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    reason: str = "",
) -> Note | None:
    """The changed note; None when it is not there. Raises VersionConflict."""
    with transaction.atomic():
        note = _locked(organization_id, note_id)
        if note is not None:
            records.apply(note, changes, expected_version)
            _record("changed", actor, note, reason)
    return note


def delete_note(*, actor: audit.Actor, organization_id: UUID, note_id: UUID, reason: str = "") -> bool:
    """Delete a note, for as long as it can be restored; False when it is not there. Its session stays until its last
    note is purged."""
    with transaction.atomic():
        note = _locked(organization_id, note_id)
        if note is None:
            return False
        records.apply(note, {"deleted_at": now_to_the_millisecond()}, None)
        _record("deleted", actor, note, reason)
    return True


def restore_note(*, actor: audit.Actor, organization_id: UUID, note_id: UUID, reason: str = "") -> Note | None:
    """Undo the deletion of a note; None when it is not there, was deleted too long ago, or its patient is deleted, with
    whom it comes back. One that is not deleted stays as it is."""
    with transaction.atomic():
        notes = Note.objects.filter(organization_id=organization_id, id=note_id)
        patient_id = notes.values_list("patient_id", flat=True).first()
        # The patient first, as where it is deleted with its notes.
        if records.live_patient(organization_id, patient_id) is None:
            return None
        note: Note | None = notes.select_for_update().first()
        if note is None or (note.deleted_at is not None and note.deleted_at < records.restorable_since()):
            return None
        records.apply(note, {"deleted_at": None}, None)
        _record("restored", actor, note, reason)
    return note


def _locked(organization_id: UUID, note_id: UUID) -> Note | None:
    found: Note | None = Note.objects.of(organization_id).select_for_update().filter(id=note_id).first()
    return found


def _record(verb: str, actor: audit.Actor, note: Note, reason: str) -> None:
    trail.record("note", verb, actor=actor, organization_id=note.organization_id, object_id=note.pk, reason=reason)

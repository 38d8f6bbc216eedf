"""Reads of notes and sessions. Each begins with the organisation."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.patients.models import Note, Session
from apps.patients.notes.serializers import PATIENT, TRANSCRIPT

MOST_OF_SESSION = 100  # notes that are shown with their session

_READ_WITH = {TRANSCRIPT: "session", PATIENT: "patient"}


def list_notes(organization_id: UUID) -> QuerySet[Any]:
    return Note.objects.of(organization_id).order_by(*settings.HEALOS_ORDERING["notes"])


def with_parts(notes: QuerySet[Any], include: Collection[str]) -> QuerySet[Any]:
    """Together with what a whole note includes."""
    named = [_READ_WITH[part] for part in include]
    return notes.select_related(*named) if named else notes


def get_note(organization_id: UUID, note_id: UUID, include: Collection[str]) -> Note | None:
    """The note, or None: absent, foreign and deleted look the same."""
    found: Note | None = with_parts(Note.objects.of(organization_id), include).filter(id=note_id).first()
    return found


def get_session(organization_id: UUID, session_id: UUID) -> Session | None:
    """The session with its patient, or None: absent, foreign, and of a deleted patient look the same."""
    of_it = Session.objects.filter(organization_id=organization_id, patient__deleted_at__isnull=True)
    return of_it.select_related("patient").filter(id=session_id).first()

"""`/ext-api/v1/notes` and `/ext-api/v1/sessions/{session_id}/notes`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.patients.notes import openapi, selectors
from apps.patients.notes.filters import is_narrowed, narrowed_notes, read_include
from apps.patients.notes.serializers import (
    LIGHT_FIELDS,
    PARTS,
    PATIENT,
    light_note,
    patient_of_note,
    session_body,
    whole_note,
)
from apps.patients.record_views import not_found
from apps.patients.selectors import count_records
from apps.patients.services import trail
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.versions import etag, is_known
from helios_site.api.families.healos.view import HealosViewMixin


class _NotesView(HealosViewMixin, ViewSet):
    scope_resource = "notes"
    kind = "note"

    def not_found(self) -> Any:
        return not_found(self.kind)

    def record(self, verb: str, object_id: object = "") -> None:
        trail.record(
            self.kind, verb, actor=self.caller.actor, organization_id=self.caller.organization_id, object_id=object_id
        )

    def page(self, request: Request, *, whole: Collection[str] | None = None) -> tuple[list[Any], dict[str, int]]:
        """The notes that the query asks for, and `meta`; rows of LIGHT_FIELDS, or notes with the parts of `whole`."""
        query, organization_id = request.query_params, self.caller.organization_id
        page, limit = read_page(query)
        notes = narrowed_notes(selectors.list_notes(organization_id), query)
        total = None if is_narrowed(query) else count_records(organization_id, "note")
        rows = notes.values(*LIGHT_FIELDS) if whole is None else selectors.with_parts(notes, whole)
        return page_of(rows, page, limit, total=total)


@openapi.notes
class NoteViewSet(_NotesView):
    """Clinical notes of your patients, newest first. They come from your organisation's people, from imports, and, if
    it wants so, from finished voice checks."""

    uuid_path_name = "note_id"

    def list(self, request: Request) -> Response:
        rows, meta = self.page(request)
        self.record("listed")
        return Response({"data": [light_note(row) for row in rows], "meta": meta})

    def retrieve(self, request: Request, note_id: str) -> Response:
        include = read_include(request.query_params)
        note = selectors.get_note(self.caller.organization_id, self.path_id, include)
        if note is None:
            raise self.not_found()
        self.record("read", note.pk)
        body = whole_note(note, include)
        tag = _tag(note.version, body)
        if is_known(request, tag):
            return Response(status=304, headers={"ETag": etag(tag)})
        return Response({"data": body}, headers={"ETag": etag(tag)})


@openapi.export
class NoteExportViewSet(_NotesView):
    """The same notes whole, page by page."""

    def check_path(self) -> None:
        if not settings.HEALOS_NOTES_EXPORT:
            raise self.not_found()

    def list(self, request: Request) -> Response:
        include = read_include(request.query_params)
        notes, meta = self.page(request, whole=include)
        self.record("exported")
        return Response({"data": [whole_note(note, include) for note in notes], "meta": meta})


@openapi.of_session
class SessionNotesViewSet(_NotesView):
    """One session with its patient and its notes."""

    kind = "session"
    uuid_path_name = "session_id"

    def list(self, request: Request, session_id: str) -> Response:
        include, organization_id = read_include(request.query_params), self.caller.organization_id
        session = selectors.get_session(organization_id, self.path_id)
        if session is None:
            raise self.not_found()
        notes = list(selectors.list_notes(organization_id).filter(session=session)[: selectors.MOST_OF_SESSION])
        if not notes:  # all are deleted: what was said goes with them, and comes back with one of them
            raise self.not_found()
        body: dict[str, Any] = {"session": session_body(session, include)}
        if PATIENT in include:
            body[PATIENT] = patient_of_note(session.patient)
        body["notes"] = [whole_note(note, ()) for note in notes]  # their transcript and patient stand beside them
        self.record("read", session.pk)
        return Response({"data": body})


def _tag(version: int, body: dict[str, Any]) -> int | str:
    """The version of the note; what it includes changes on its own, and so is a part of the tag."""
    included = [body[part] for part in PARTS if part in body]
    if not included:
        return version
    return f"{version}-{hashlib.sha256(json.dumps(included).encode()).hexdigest()[:16]}"

"""The paths of notes under `/ext-api/v1/`; the literal one stands before the ids."""

from __future__ import annotations

from apps.patients.notes.viewsets import NoteExportViewSet, NoteViewSet, SessionNotesViewSet
from helios_site.api.families.routes import either

urlpatterns = [
    *either("notes", NoteViewSet.as_view({"get": "list"})),
    *either("notes/export", NoteExportViewSet.as_view({"get": "list"})),
    *either("notes/<str:note_id>", NoteViewSet.as_view({"get": "retrieve"})),
    *either("sessions/<str:session_id>/notes", SessionNotesViewSet.as_view({"get": "list"})),
]

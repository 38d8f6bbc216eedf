"""Clinical notes, as staff see them: of what type and when. What they say is shown, and written, for a reason."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from apps.patients import services
from apps.patients.admin.forms import NoteChangeForm
from apps.patients.admin.records import with_reason
from apps.patients.admin.writing import WritingAdmin
from apps.patients.models import Note


@admin.register(Note)
class NoteAdmin(WritingAdmin):
    audit_object_type = "note"
    contents = ("specialty", "template_name", "content", "problems", "procedures", "icd10_codes", "cpt_codes")
    own_pages = ("reveal", "edit", "deletion")
    search_help_text = "An id, or a part of the organisation's name."
    list_display = (
        "id", "organization", "patient_link", "session_id", "note_type", "created_at", "updated_at", "deleted_at",
    )  # fmt: skip
    fields = (
        "organization", "id", "patient_link", "session_id", "note_type", "created_by_id", "created_at", "updated_at",
        "deleted_at",
    )  # fmt: skip
    readonly_fields = fields

    @with_reason("Reveal a note", "What the note and its session say is shown once, on the next page.")
    def reveal_view(self, request: HttpRequest, note: Note, reason: str) -> HttpResponse:
        self.record(request, note, "revealed", reason)
        return self.show(
            request, "revealed_note", note, "A note", reason=reason, notes=[self.whole(note)],
            may_edit_notes=self.may_change(request),
        )  # fmt: skip

    @with_reason("Change a note", "The next page shows what the note says.", writing="patients.change_note")
    def edit_view(self, request: HttpRequest, note: Note, reason: str) -> HttpResponse:
        change = partial(services.change_note, note_id=note.pk)
        return self.edit(request, note, "Change a note", NoteChangeForm, reason, change)

    def delete_record(self, record: Note, **how: Any) -> object:
        return services.delete_note(note_id=record.pk, **how)

    def restore_record(self, record: Note, **how: Any) -> object:
        return services.restore_note(note_id=record.pk, **how)

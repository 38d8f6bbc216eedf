"""Changing, deleting and restoring in the staff's admin, with a reason. Nothing is removed for good here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit
from apps.patients.admin.forms import WhyForm
from apps.patients.admin.records import RecordAdmin
from apps.patients.services import ExternalIdTaken
from helios_site.api.families.healos.errors import VersionConflict

_CHANGED_MEANWHILE = "It was changed meanwhile. Open it once more in another tab, and add there what you changed."


class WritingAdmin(RecordAdmin):
    """A record that staff change, delete and restore by services, which take the actor, the organisation and the
    reason."""

    def delete_record(self, record: Any, **how: Any) -> object:
        raise NotImplementedError

    def restore_record(self, record: Any, **how: Any) -> object:
        """None if it can no more be restored. Raises ExternalIdTaken."""
        raise NotImplementedError

    def how(self, request: HttpRequest, record: Any, reason: str) -> dict[str, Any]:
        return {"actor": audit.by_user(request.user), "organization_id": record.organization_id, "reason": reason}

    def edit(
        self, request: HttpRequest, record: Any, title: str, form_class: Any, reason: str, change: Callable[..., object]
    ) -> HttpResponse:
        """The form with what is stored, which reveals it; once it is saved, `change` does so. What was typed is never
        lost to an error, and a form with an error shows nothing else."""
        saved = "save" in request.POST
        form = form_class(request.POST if saved else None, instance=self.whole(record), initial={"reason": reason})
        if not saved:
            self.record(request, record, "revealed", reason)
        elif form.is_valid():
            how = self.how(request, record, form.cleaned_data["reason"])
            try:
                if change(changes=form.changes(), expected_version=form.cleaned_data["version"], **how) is None:
                    return self.back_to(request, record, "It is deleted: restore it first.", messages.ERROR)
                return self.back_to(request, record, "It is changed.")
            except VersionConflict:
                form.add_error(None, _CHANGED_MEANWHILE)
        return self.show(request, "form", record, title, form=form)

    def deletion_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then delete the record, or restore it if it is deleted."""
        if not self.may_change(request):
            raise PermissionDenied
        record = self.get_object(request, unquote(object_id))
        if record is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        # What the page asked, not what is true by now: two who press the button at once mean the same.
        verb = request.POST.get("verb") or ("delete" if record.deleted_at is None else "restore")
        form = WhyForm(request.POST if request.method == "POST" else None)
        if verb in ("delete", "restore") and form.is_valid():
            how = self.how(request, record, form.cleaned_data["reason"])
            level, said = self._delete(record, how) if verb == "delete" else self._restore(record, how)
            return self.back_to(request, record, said, level)
        title = f"{verb.capitalize()} a {self.opts.verbose_name}"
        return self.show(request, "deletion", record, title, form=form, verb=verb, days=settings.SOFT_DELETE_DAYS)

    def _delete(self, record: Any, how: dict[str, Any]) -> tuple[int, str]:
        self.delete_record(record, **how)  # if it is deleted by now, somebody else meant the same
        return messages.SUCCESS, f"It is deleted, and can be restored for {settings.SOFT_DELETE_DAYS} days."

    def _restore(self, record: Any, how: dict[str, Any]) -> tuple[int, str]:
        try:
            if self.restore_record(record, **how) is not None:
                return messages.SUCCESS, "It is restored."
        except ExternalIdTaken as taken:
            kind = taken.existing._meta.verbose_name
            return messages.ERROR, (
                f"Nothing is restored: the {kind} {taken.existing} has the external id of one that would come back."
            )
        return messages.ERROR, "It cannot be restored: it was deleted too long ago, or its patient is deleted."

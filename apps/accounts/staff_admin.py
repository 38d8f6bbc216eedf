"""What the lists and pages of the staff's admin share."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import audit
from apps.accounts.models import AuditEvent, User

MAX_LISTED = 1000
HISTORY_ROWS = 200


class BoundedPaginator(Paginator):
    """Counts no further than `MAX_LISTED` rows, so that a list of millions opens as fast as one of ten.

    The pages beyond are reached by searching.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:MAX_LISTED].count())


class StaffModelAdmin(admin.ModelAdmin):
    """A list without COUNT over the whole table, and a history page that shows the audit trail of the object.

    Whoever opens the page or the history of an object is on the record: what staff see is other people's.
    """

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each is a COUNT over the whole table
    list_per_page = 50
    list_max_show_all = 0
    audit_object_type: ClassVar[str]  # the `object_type` of this model's audit rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """By the id of what an object belongs to, and by the filters that the list offers. Django allows each field of
        the model, so that an address could ask for what the list does not show, letter by letter."""
        field, _, rest = lookup.partition("__")
        offered = {one if isinstance(one, str) else getattr(one, "parameter_name", "") for one in self.list_filter}
        return (rest == "id__exact" or field in offered) and super().lookup_allowed(lookup, value, request)

    def organization_of(self, found: Any) -> Any:
        """The id of the organisation whose trail tells of the object; None for the installation's."""
        return getattr(found, "organization_id", None)

    def record(self, request: HttpRequest, found: Any, verb: str, reason: str = "") -> None:
        """Append `<object type>.<verb>`, done by the staff of the request."""
        audit.record(
            f"{self.audit_object_type}.{verb}",
            actor=audit.by_user(request.user),
            organization_id=self.organization_of(found),
            object_type=self.audit_object_type,
            object_id=found.pk,
            reason=reason,
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if change:
            self.record(request, obj, "viewed")
        return super().render_change_form(request, context, add, change, form_url, obj)

    def action_checkbox(self, obj: models.Model) -> SafeString:
        """Django's own box without a template for each, which is a quarter of what a list costs."""
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Select {} for an action">'
        return format_html(box, helpers.ACTION_CHECKBOX_NAME, obj.pk, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.get_object(request, unquote(object_id))
        if found is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_or_change_permission(request, found):
            raise PermissionDenied
        self.record(request, found, "history_viewed")
        events = AuditEvent.objects.filter(object_type=self.audit_object_type, object_id=str(found.pk))
        newest = list(events.order_by("-id")[:HISTORY_ROWS])
        _name_people(newest)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {found}",
            "subtitle": None,
            "events": newest,
            "object": found,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit_history.html", context)


def _name_people(events: list[AuditEvent]) -> None:
    """Give each event `who`: the address of a person, the id of a key."""
    people = {event.actor_id for event in events if event.actor_type in (AuditEvent.Actor.STAFF, AuditEvent.Actor.USER)}
    emails = {str(pk): email for pk, email in User.objects.filter(pk__in=people).values_list("pk", "email")}
    for event in events:
        event.who = emails.get(event.actor_id, event.actor_id)  # type: ignore[attr-defined]


class AuditedModelAdmin(StaffModelAdmin):
    """Writes an audit row in the transaction of each change that is made in the admin.

    For models whose writes in the admin do not pass through a service that does so itself.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return self._audited(request, obj, "created", super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return self._audited(request, obj, "changed", super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        for deleted in queryset:
            self.record(request, deleted, "deleted")
        return super().log_deletions(request, queryset)

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        with transaction.atomic():  # Django itself deletes and logs apart
            return super().response_action(request, queryset)

    def _audited(self, request: HttpRequest, obj: Any, verb: str, entry: LogEntry) -> LogEntry:
        self.record(request, obj, verb, entry.get_change_message())
        return entry


class ReadOnlyAdmin(StaffModelAdmin):
    """A list and pages that nobody can change from here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

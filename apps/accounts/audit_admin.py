"""The audit trail in the staff's admin: found by whose, who, what and when, and downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.audit_export import export_lines
from apps.accounts.models import AuditEvent, AuditSeal, Organization
from apps.accounts.staff_admin import ReadOnlyAdmin
from helios_site.logs import redact

_MAX_ORGANIZATIONS_FOUND = 50


def of_organization(term: str) -> Q:
    """Events of the organisation with this id, or of those with this in their names."""
    try:
        return Q(organization_id=UUID(term))
    except ValueError:
        named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
        return Q(organization_id__in=list(named[:_MAX_ORGANIZATIONS_FOUND]))


class TypedFilter(admin.SimpleListFilter):
    """A filter with a box to type into: a list of choices would have to read the whole trail."""

    template = "admin/typed_filter.html"
    hint: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # without any, Django leaves the filter out

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = {name: value for name, value in changelist.params.items() if name != self.parameter_name}
        yield {"others": others, "hint": self.hint}

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        typed = (self.value() or "").strip().replace("\0", "")
        return self.matching(queryset, typed) if typed else queryset

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        raise NotImplementedError


class OrganizationFilter(TypedFilter):
    title, parameter_name, hint = "organisation", "organization", "its id, or a part of its name"

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        return queryset.filter(of_organization(typed))


class ActorFilter(TypedFilter):
    title, parameter_name, hint = "actor", "actor", "id of a key or of a person"

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        return queryset.filter(actor_id=typed)


class ActionFilter(TypedFilter):
    title, parameter_name, hint = "action", "what", "such as api_key.revoked"

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        return queryset.filter(action=typed)


class ObjectFilter(TypedFilter):
    title, parameter_name, hint = "object", "object", "its id"

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        return queryset.filter(object_id=typed)


class DayFilter(TypedFilter):
    title, parameter_name, hint = "day (UTC)", "day", "such as 2026-03-31"

    def matching(self, queryset: QuerySet[AuditEvent], typed: str) -> QuerySet[AuditEvent]:
        try:
            begin = datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC)
            return queryset.filter(at__gte=begin, at__lt=begin + timedelta(days=1))
        except (ValueError, OverflowError):
            return queryset.none()


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail. The database refuses every change to it, whoever asks."""

    audit_object_type = "audit_event"
    list_display = (
        "at",
        "action",
        "outcome",
        "actor_type",
        "actor_id",
        "object_type",
        "object_id",
        "reason",
        "address",
    )
    list_display_links = ("at", "action")
    list_filter = (OrganizationFilter, ActorFilter, ActionFilter, ObjectFilter, DayFilter, "actor_type")
    search_fields = ("object_id",)  # shows the box; get_search_results says what is searched
    search_help_text = "The id of an object or of an organisation, or an organisation's name."
    ordering = ("-id",)
    sortable_by = ()
    readonly_fields = ("seal",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(object_id=term) | of_organization(term)) if term else queryset), False

    @admin.display(description="seal")
    def seal(self, event: AuditEvent) -> str:
        found = AuditSeal.objects.filter(event_id=event.pk).first()
        return f"{found.sequence} of its chain, {bytes(found.hash).hex()}" if found else "not sealed yet"

    def get_urls(self) -> list[URLPattern]:
        export = path("export", self.admin_site.admin_view(self.export), name="accounts_auditevent_export")
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows with the same query, whole, as NDJSON. That somebody took it is an event itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = self.get_changelist_instance(request).get_queryset(request)
        now = timezone.now()
        audit.record(
            "audit_event.exported",
            actor=audit.by_user(request.user),
            organization_id=None,
            object_type=self.audit_object_type,
            reason=redact(request.GET.urlencode()),  # somebody may look for a whole key
        )
        response = StreamingHttpResponse(export_lines(chosen), content_type="application/x-ndjson")
        response["Content-Disposition"] = f'attachment; filename="audit-{now:%Y%m%dT%H%M%SZ}.ndjson"'
        response["Cache-Control"] = "no-store"
        return response

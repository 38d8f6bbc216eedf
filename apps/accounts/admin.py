"""Organisations, people and the audit trail, as staff see them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.forms import NewUserForm, StaffSignInForm, UserForm
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.accounts.staff_admin import AuditedModelAdmin, ReadOnlyAdmin

admin.site.login_form = StaffSignInForm


@admin.register(Organization)
class OrganizationAdmin(AuditedModelAdmin):
    """Organisations are switched off, never deleted: their keys and runs must stay traceable."""

    audit_object_type = "organization"
    list_display = ("name", "is_active", "helios_lenient_user", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("id", "created_at", "related")
    fields = ("name", "is_active", "helios_lenient_user", "id", "created_at", "related")

    def organization_of(self, changed: Organization) -> uuid.UUID:
        return changed.pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="see also")
    def related(self, organization: Organization) -> SafeString | str:
        if organization._state.adding:
            return "-"
        return format_html(
            '<a href="{}?organization__id__exact={}">API keys</a> · '
            '<a href="{}?organization__id__exact={}">Members</a> · '
            '<a href="{}?organization__id__exact={}">Wellness models</a>',
            reverse("admin:api_keys_apikey_changelist"),
            organization.pk,
            reverse("admin:accounts_membership_changelist"),
            organization.pk,
            reverse("admin:model_runs_wellnessmodelactivation_changelist"),
            organization.pk,
        )


@admin.register(User)
class UserAdmin(AuditedModelAdmin, DjangoUserAdmin):
    """Users are switched off, never deleted: who revoked a key must stay known."""

    audit_object_type = "user"
    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        # Who may edit users must not be able to make themselves more than they are.
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(AuditedModelAdmin):
    audit_object_type = "membership"
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("user", "organization")
    readonly_fields = ("created_at",)

    def organization_of(self, changed: Membership) -> uuid.UUID:
        return changed.organization_id


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
    list_filter = ("actor_type",)
    search_fields = ("object_id",)  # shows the box; get_search_results says what is searched
    search_help_text = "The id of an object or of an organisation, or an organisation's name."
    ordering = ("-id",)
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(object_id=term)
        try:
            wanted |= Q(organization_id=uuid.UUID(term))
        except ValueError:
            named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
            wanted |= Q(organization_id__in=list(named[:50]))
        return queryset.filter(wanted), False

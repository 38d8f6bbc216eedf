"""Organisations and people, as staff see them. Importing it registers the audit trail's pages, too."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import audit_admin  # noqa: F401 - registers its pages
from apps.accounts.forms import NewUserForm, UserForm
from apps.accounts.models import Membership, Organization, User
from apps.accounts.staff_admin import AuditedModelAdmin

# Nobody edits these but their owner: there is no audit row in the pages that django-allauth has for them.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


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
            '<a href="{}">Revoke all API keys</a> · '
            '<a href="{}?organization__id__exact={}">Members</a> · '
            '<a href="{}?organization__id__exact={}">Wellness models</a>',
            reverse("admin:api_keys_apikey_changelist"),
            organization.pk,
            reverse("admin:api_keys_apikey_revoke_organization", args=[organization.pk]),
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

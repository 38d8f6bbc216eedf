"""Organisations and users, as staff see them. Importing it registers the pages of the other modules, too."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import (
    audit,
    audit_admin,  # noqa: F401 - registers its pages
    group_admin,  # noqa: F401 - registers its pages
    organizations,
    people_admin,  # noqa: F401 - registers its pages
    services,
)
from apps.accounts.closing_admin import close_view
from apps.accounts.forms import NewUserForm, OrganizationForm, ReasonForm, UserForm
from apps.accounts.models import Organization, User
from apps.accounts.staff_admin import AuditedModelAdmin

# Nobody edits these but their owner: there is no audit row in the pages that django-allauth has for them.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


@admin.register(Organization)
class OrganizationAdmin(AuditedModelAdmin):
    """Organisations are suspended, with a reason, never deleted: their keys and runs must stay traceable."""

    audit_object_type = "organization"
    form = OrganizationForm
    list_display = ("name", "plan", "is_active", "closing_at", "helios_lenient_user", "created_at")
    list_filter = ("is_active", "plan")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("id", "is_active", "closing_at", "closed_at", "created_at", "related")
    fields = (
        "name", "plan", "is_active", "closing_at", "closed_at", "helios_lenient_user", "notes_from_runs",
        "activity_origins", "id", "created_at", "related",
    )  # fmt: skip

    def organization_of(self, found: Organization) -> uuid.UUID:
        return found.pk

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        if change:
            services.change_plan(actor=audit.by_user(request.user), organization_id=obj.pk, plan=obj.plan)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        switch = path(
            "<path:object_id>/suspension/",
            self.admin_site.admin_view(self.suspension_view),
            name="accounts_organization_suspension",
        )
        close = path(
            "<path:object_id>/close/",
            self.admin_site.admin_view(partial(close_view, self)),
            name="accounts_organization_close",
        )
        return [switch, close, *super().get_urls()]

    def suspension_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then suspend the organisation, or resume it if it is suspended."""
        organization = self.get_object(request, unquote(object_id))
        if organization is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_change_permission(request, organization):
            raise PermissionDenied
        # What the page asked, not what is true by now: two who press the button at once mean the same.
        verb = request.POST.get("verb") or ("suspend" if organization.is_active else "resume")
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if verb in ("suspend", "resume") and form.is_valid():
            switch = organizations.suspend_organization if verb == "suspend" else organizations.resume_organization
            done = switch(
                actor=audit.by_user(request.user), organization_id=organization.pk, reason=form.cleaned_data["reason"]
            )
            said = f"{verb.removesuffix('e').capitalize()}ed." if done else "It was so already."
            self.message_user(request, said, messages.SUCCESS if done else messages.WARNING)
            return HttpResponseRedirect(reverse("admin:accounts_organization_change", args=[organization.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb.capitalize()} an organisation",
            "opts": self.opts,
            "organization": organization,
            "verb": verb,
            "form": form,
        }
        return TemplateResponse(request, "admin/accounts/organization/suspension.html", context)

    @admin.display(description="see also")
    def related(self, organization: Organization) -> SafeString | str:
        if organization._state.adding:
            return "-"
        return format_html(
            '<a href="{}?organization__id__exact={}">API keys</a> · '
            '<a href="{}">Revoke all API keys</a> · '
            '<a href="{}?organization__id__exact={}">Usage</a> · '
            '<a href="{}?organization__id__exact={}">Members</a> · '
            '<a href="{}?organization__id__exact={}">Invitations</a> · '
            '<a href="{}?organization__id__exact={}">Wellness models</a>',
            reverse("admin:api_keys_apikey_changelist"),
            organization.pk,
            reverse("admin:api_keys_apikey_revoke_organization", args=[organization.pk]),
            reverse("admin:api_keys_usageday_changelist"),
            organization.pk,
            reverse("admin:accounts_membership_changelist"),
            organization.pk,
            reverse("admin:accounts_invitation_changelist"),
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

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic():  # Django itself sets and logs apart
            return super().user_change_password(request, id, form_url)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

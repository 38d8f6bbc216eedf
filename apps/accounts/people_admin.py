"""Who belongs to which organisation, and who is invited, as staff see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.accounts import audit, members, services
from apps.accounts.models import Invitation, Membership
from apps.accounts.staff_admin import ReadOnlyAdmin, StaffModelAdmin


@admin.register(Membership)
class MembershipAdmin(StaffModelAdmin):
    """Written by the services that the organisation's own page calls, so that the last admin stays here, too."""

    audit_object_type = "membership"
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("user", "organization")
    readonly_fields = ("created_at",)
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("organization", "user", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        actor = audit.by_user(request.user)
        if change:
            members.change_role(actor=actor, membership_id=obj.pk, role=obj.role)
        else:
            role = Membership.Role(obj.role)
            made, _ = services.add_member(actor=actor, organization=obj.organization, user=obj.user, role=role)
            obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.end_membership(actor=audit.by_user(request.user), membership_id=obj.pk)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_say_why(request, lambda: super(MembershipAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_say_why(request, lambda: super(MembershipAdmin, self).delete_view(request, *args, **kwargs))

    def _or_say_why(self, request: HttpRequest, view: Callable[[], Any]) -> HttpResponse:
        """What `view` answers; where it would take the last admin away, its transaction has been undone."""
        try:
            response: HttpResponse = view()
        except members.LastAdmin as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.path)
        return response


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    audit_object_type = "invitation"
    list_display = ("email", "organization", "role", "mailed_at", "expires_at", "accepted_at", "withdrawn_at")
    list_select_related = ("organization",)
    search_fields = ("email", "organization__name")
    ordering = ("-created_at", "-id")
    fields = (
        "id", "organization", "email", "role", "invited_by", "created_at", "mail_tries", "mailed_at", "expires_at",
        "accepted_at", "withdrawn_at",
    )  # fmt: skip

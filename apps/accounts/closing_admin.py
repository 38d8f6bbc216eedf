"""Closing and reopening an organisation in the staff's admin, with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts import audit, closing
from apps.accounts.forms import ReasonForm

_BY = "The operator of this installation"


def close_view(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask for the reason, then close the organisation, or reopen it if it is closing."""
    organization = admin.get_object(request, unquote(object_id))
    if organization is None:
        return admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)  # type: ignore[no-any-return]
    if not admin.has_change_permission(request, organization):
        raise PermissionDenied
    # What the page asked, not what is true by now: two who press the button at once mean the same.
    verb = request.POST.get("verb") or ("close" if organization.closing_at is None else "reopen")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if verb in ("close", "reopen") and form.is_valid():
        change = closing.close_organization if verb == "close" else closing.reopen_organization
        try:
            change(
                actor=audit.by_user(request.user),
                organization_id=organization.pk,
                by=_BY,
                reason=form.cleaned_data["reason"],
            )
        except closing.CannotClose as refusal:
            admin.message_user(request, str(refusal), messages.ERROR)
        except closing.CannotReopen:
            admin.message_user(request, "It is not closing, or it is erased already.", messages.ERROR)
        else:
            admin.message_user(request, "It is closing." if verb == "close" else "It is open again.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_organization_change", args=[organization.pk]))
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{verb.capitalize()} an organisation",
        "opts": admin.opts,
        "organization": organization,
        "verb": verb,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/organization/close.html", context)

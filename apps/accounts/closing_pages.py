"""The page on which an organisation's admins close it, and open it again while it is closing."""

from __future__ import annotations

from contextlib import suppress

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import audit, closing
from apps.accounts.archive_links import archive_url, closings_of
from apps.accounts.membership_required import no_access
from apps.accounts.models import Membership, Organization, User
from apps.accounts.selectors import current_membership


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def close_page(request: HttpRequest) -> HttpResponse:
    """Ask for the name of the organisation that this admin works for now, and close it; above, those that are closing,
    for which nobody works any more."""
    user = _user(request)
    current = current_membership(user, request.session)
    organization = current.organization if current and current.role == Membership.Role.ADMIN else None
    closings = closings_of(user)
    if organization is None and (request.method == "POST" or not closings):
        return no_access(request, "Only an organisation's admins can close it. Ask one of them.")
    problem = ""
    if organization is not None and request.method == "POST":
        # Whoever closes an organisation types its name: it is no button to press by mistake.
        if request.POST.get("name", "").strip() == organization.name:
            return _close(user, organization)
        problem = "This is not the organisation's name. Type it exactly as it stands here."
    context = {
        "organization": organization,
        "closings": [(one, archive_url(one) if one.archive_key else "") for one in closings],
        "problem": problem,
    }
    return render(request, "accounts/close_organization.html", context, status=400 if problem else 200)


def _close(user: User, organization: Organization) -> HttpResponse:
    with suppress(closing.CannotClose):  # somebody was faster: the page shows what they did
        closing.close_organization(actor=audit.by_user(user), organization_id=organization.id, by=user.email)
    return redirect("organization-close")


@require_POST
@login_required
def reopen(request: HttpRequest) -> HttpResponse:
    """Open an organisation of this admin again; what is not theirs, and what is no longer closing, is not found."""
    user = _user(request)
    wanted = request.POST.get("organization_id", "")
    found = next((one for one in closings_of(user) if str(one.id) == wanted), None)
    if found is None:
        raise Http404
    try:
        closing.reopen_organization(actor=audit.by_user(user), organization_id=found.id, by=user.email)
    except closing.CannotReopen:
        raise Http404 from None
    messages.success(request, f"{found.name} is open again.")
    return redirect("organization")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user

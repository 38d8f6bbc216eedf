"""The page of a mailed invitation. Opening it changes nothing: mail scanners open every link."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts import audit, members
from apps.accounts.invitations import INVITATION, CannotAccept, accept_invitation, invitation_of
from apps.accounts.models import Invitation, User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """For whom it is: a button that joins. For others: how to sign in, up or out. For a dead link: one page alike."""
    found = invitation_of(token)
    if found is None:
        return _dead(request)
    user = request.user if isinstance(request.user, User) else None
    is_for_user = user is not None and user.email == found.email
    if request.method == "POST" and user is not None and is_for_user:
        return _join(request, user, found)
    if user is None and request.method == "GET":
        request.session[INVITATION] = str(found.id)  # so that signing up knows of it
    may_sign_up = settings.HELIOS_SIGNUP != "closed"
    context = {"invitation": found, "is_for_user": is_for_user, "may_sign_up": may_sign_up}
    return render(request, "accounts/invitation.html", context)


def _join(request: HttpRequest, user: User, found: Invitation) -> HttpResponse:
    try:
        membership = accept_invitation(actor=audit.by_user(user), user=user, invitation=found)
    except CannotAccept:  # it ended a moment ago
        return _dead(request)
    members.choose(membership=membership, session=request.session)
    request.session.pop(INVITATION, None)
    messages.success(request, f"You belong to {membership.organization} now.")
    return redirect("home")


def _dead(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation_ended.html", status=404)

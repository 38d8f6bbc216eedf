"""Pages for the members of an organisation, or for its admins: who else comes reads why not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from apps.accounts.models import Membership, User
from apps.accounts.selectors import CURRENT_ORGANIZATION, current_membership, why_no_organization
from helios_site.api import ratelimit
from helios_site.env import Rate

SENDING = Rate(60, 60)  # forms that one member may send: far more than a person does, far less than a program could
MemberPage = Callable[..., HttpResponseBase]  # of the request, the current membership and what the path names


def for_members(page: MemberPage) -> MemberPage:
    """Call `page` with the current membership of who is signed in; who is not signs in first. Unless the page says
    otherwise, nothing keeps it."""

    @login_required
    @wraps(page)
    def guarded(request: HttpRequest, **named: Any) -> HttpResponseBase:
        user = request.user
        assert isinstance(user, User)
        current = current_membership(user, request.session)
        if current is None:
            return no_access(request, why_no_organization(user))
        response = _refusal(request, current) or page(request, current, **named)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)  # who comes back after signing out finds nothing
        return response

    return guarded


def _refusal(request: HttpRequest, current: Membership) -> HttpResponse | None:
    """Why what a form sends is not done; None where it may be, and for pages that are only read."""
    if request.method in ("GET", "HEAD"):
        return None
    chosen = request.session.get(CURRENT_ORGANIZATION)
    if chosen is not None and chosen != str(current.organization_id):
        request.session[CURRENT_ORGANIZATION] = str(current.organization_id)
        rotate_token(request)  # forms of the other organisation end with it
        text = f"You do not work for the organisation of this form any more, but for {current.organization} now."
        return render(request, "error.html", {"title": "Nothing was changed", "text": text}, status=409)
    decision = ratelimit.charge(f"pages:{current.pk}", SENDING)
    if decision.allowed:
        return None
    text = f"Nothing was changed. Go back, and send it again in {decision.retry_after} seconds."
    response = render(request, "error.html", {"title": "Too often", "text": text}, status=429)
    response.headers["Retry-After"] = str(decision.retry_after)
    return response


def for_admins(page: MemberPage) -> MemberPage:
    """The same, where the membership must be an admin's."""

    @for_members
    @wraps(page)
    def guarded(request: HttpRequest, current: Membership, **named: Any) -> HttpResponseBase:
        if current.role != Membership.Role.ADMIN:
            return no_access(request, f"Only an admin of {current.organization} may do this. Ask one of them.")
        return page(request, current, **named)

    return guarded


def no_access(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "accounts/no_access.html", {"reason": reason}, status=403)

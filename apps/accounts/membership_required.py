"""Pages for the members of an organisation, or for its admins: who else comes reads why not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.accounts.models import Membership, User
from apps.accounts.selectors import current_membership, why_no_organization

MemberPage = Callable[..., HttpResponseBase]  # of the request, the current membership and what the path names


def for_members(page: MemberPage) -> MemberPage:
    """Call `page` with the current membership of who is signed in; who is not signs in first."""

    @login_required
    @wraps(page)
    def guarded(request: HttpRequest, **named: Any) -> HttpResponseBase:
        user = request.user
        assert isinstance(user, User)
        current = current_membership(user, request.session)
        if current is None:
            return no_access(request, why_no_organization(user))
        return page(request, current, **named)

    return guarded


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

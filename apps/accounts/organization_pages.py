"""The page of an organisation: its people, and for its admins the forms that change who they are.

Every address looks at the current organisation alone: what belongs to another one is not found.
"""

from __future__ import annotations

import math
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit, invitations, members
from apps.accounts.membership_required import for_admins, for_members
from apps.accounts.models import Invitation, Membership, User
from apps.accounts.selectors import has_other_admin
from helios_site.api import ratelimit
from helios_site.env import Rate

INVITING = Rate(30, 3600)  # mails that an organisation may have sent to people it names


@require_safe
@for_members
def organization(request: HttpRequest, current: Membership) -> HttpResponse:
    """Who belongs to it, and for admins the forms."""
    return _page(request, current)


@require_POST
@for_admins
def invite(request: HttpRequest, current: Membership) -> HttpResponse:
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    typed = {"email": email, "invited_role": role}
    decision = ratelimit.charge(f"invite:{current.organization_id}", INVITING)
    if not decision.allowed:
        minutes = math.ceil(decision.retry_after / 60)
        response = _page(
            request, current, problem=f"Too many invitations. Try again in {minutes} min.", status=429, typed=typed
        )
        response.headers["Retry-After"] = str(decision.retry_after)
        return response
    try:
        invitations.invite_member(
            actor=_actor(request),
            organization=current.organization,
            email=email,
            role=role,
            invited_by=current.user,
        )
    except ValidationError as error:
        return _page(request, current, problem=_text(error), status=400, typed=typed)
    return _back(request, f"A link is on its way to {email.strip().lower()}.")


@require_POST
@for_admins
def withdraw(request: HttpRequest, current: Membership, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation, id=invitation_id, organization=current.organization)
    done = invitations.withdraw_invitation(actor=_actor(request), invitation_id=invitation.id)
    return _back(request, "Withdrawn: the link is worthless now." if done else "It was accepted or withdrawn already.")


@require_POST
@for_admins
def change_role(request: HttpRequest, current: Membership, membership_id: int) -> HttpResponse:
    member = _own_member(current, membership_id)
    role = request.POST.get("role", "")
    try:
        members.change_role(actor=_actor(request), membership_id=member.pk, role=role)
    except ValidationError as error:
        return _page(request, current, problem=_text(error), status=400)
    except members.LastAdmin as error:
        return _page(request, current, problem=str(error), status=409)
    return _back(request, f"{member.user} is {'an admin' if role == Membership.Role.ADMIN else 'a member'} now.")


@require_POST
@for_admins
def remove(request: HttpRequest, current: Membership, membership_id: int) -> HttpResponse:
    member = _own_member(current, membership_id)
    try:
        members.end_membership(actor=_actor(request), membership_id=member.pk)
    except members.LastAdmin as error:
        return _page(request, current, problem=str(error), status=409)
    return _back(request, f"{member.user} does not belong to {current.organization} any more.")


@require_POST
@for_members
def leave(request: HttpRequest, current: Membership) -> HttpResponse:
    try:
        members.end_membership(actor=_actor(request), membership_id=current.pk)
    except members.LastAdmin as error:
        return _page(request, current, problem=str(error), status=409)
    return _back(request, f"You have left {current.organization}.")


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Make another organisation of the user the session's current one; an unknown one changes nothing."""
    wanted, back = request.POST.get("organization_id", ""), request.POST.get("next", "")
    mine = Membership.objects.filter(user=_user(request), organization__is_active=True)
    chosen = next((one for one in mine if str(one.organization_id) == wanted), None)
    if chosen is not None:
        members.choose(membership=chosen, session=request.session)
        rotate_token(request)  # a form that was opened for another organisation is not sent to this one
    # Paths alone: no host is believed, not even one that we are called by.
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "organization")


def _page(
    request: HttpRequest,
    current: Membership,
    *,
    problem: str = "",
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    people = Membership.objects.filter(organization=current.organization).select_related("user")
    context: dict[str, Any] = {
        "current": current,
        "organization": current.organization,
        "is_admin": current.role == Membership.Role.ADMIN,
        "may_leave": current.role != Membership.Role.ADMIN or has_other_admin(current),
        "people": people.order_by("user__email"),
        "invitations": invitations.open_invitations()
        .filter(organization=current.organization)
        .order_by("created_at", "id"),
        "roles": Membership.Role.choices,
        "problem": problem,
        "typed": typed or {},
    }
    return render(request, "accounts/organization.html", context, status=status)


def _own_member(current: Membership, membership_id: int) -> Membership:
    mine = Membership.objects.select_related("user").filter(organization=current.organization)
    return get_object_or_404(mine, id=membership_id)


def _back(request: HttpRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("organization")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _actor(request: HttpRequest) -> audit.Actor:
    return audit.by_user(request.user)


def _text(error: ValidationError) -> str:
    return " ".join(error.messages)

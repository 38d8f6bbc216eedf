"""Where a person lands after signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.accounts.models import Membership, User
from apps.accounts.selectors import CURRENT_ORGANIZATION, current_membership, has_totp
from apps.api_keys.selectors import has_keys


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponseRedirect:
    """On to the next step: staff to their second one, an admin whose organisation never had a key to its first one,
    everybody else to the first page."""
    user = request.user
    assert isinstance(user, User)
    if user.is_staff and not has_totp(user):
        return redirect("mfa_activate_totp")
    current = current_membership(user, request.session)
    if current is not None and CURRENT_ORGANIZATION not in request.session:
        # From here on it is a choice: should the membership end, no form for it is taken for another organisation's.
        request.session[CURRENT_ORGANIZATION] = str(current.organization_id)
    if current is not None and current.role == Membership.Role.ADMIN and not has_keys(current.organization):
        return redirect("first-key")
    return redirect("home")

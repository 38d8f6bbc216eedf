"""Where a person lands after signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.accounts.models import User
from apps.accounts.selectors import has_totp


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponseRedirect:
    """On to the next step: staff to their second one, everybody else to the API."""
    user = request.user
    assert isinstance(user, User)
    if user.is_staff and not has_totp(user):
        return redirect("mfa_activate_totp")
    return redirect("browse")

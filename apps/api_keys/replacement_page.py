"""The page behind the mailed link to a new key: for a signed-in admin of the organisation, and nobody else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.membership_required import no_access
from apps.accounts.models import Membership, User
from apps.accounts.selectors import membership_in
from apps.api_keys import links, replacements
from apps.api_keys.models import KeyReplacement


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def replacement(request: HttpRequest, replacement_token: str) -> HttpResponse:
    """Shows what the link is for. Only the button makes a key: whatever opens the links in mails makes none."""
    user, offered = request.user, links.find(replacement_token)
    assert isinstance(user, User)
    membership = membership_in(user, offered.key.organization_id) if offered else None
    if offered is None or membership is None:
        raise Http404
    if membership.role != Membership.Role.ADMIN:
        return no_access(request, f"Only an admin of {offered.key.organization} may take its new key. Ask one of them.")
    if request.method == "POST":
        return _take(request, user, offered)
    state = offered.state()
    return _page(request, offered, state, 200 if state == "open" else 410)


def _take(request: HttpRequest, user: User, offered: KeyReplacement) -> HttpResponse:
    try:
        key, raw_key = replacements.take_replacement(actor=audit.by_user(user), replacement_id=offered.id, user=user)
    except replacements.NotOpen:
        offered.refresh_from_db()
        return _page(request, offered, offered.state(), 410)
    except ValidationError as error:
        return _page(request, offered, "open", 409, error=" ".join(error.messages))
    return _page(request, offered, "taken", 200, key=key, raw_key=raw_key)


def _page(request: HttpRequest, offered: KeyReplacement, state: str, status: int, **more: Any) -> HttpResponse:
    context = {"offered": offered, "old": offered.key, "state": state, "error": "", **more}
    return render(request, "api_keys/replacement.html", context, status=status)

"""The page on which an organisation gets its first key, shown in one response and never again."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.membership_required import for_admins, no_access
from apps.accounts.models import Membership
from apps.accounts.selectors import has_verified_email
from apps.api_keys import services
from apps.api_keys.selectors import has_keys


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def first_key(request: HttpRequest, current: Membership) -> HttpResponse:
    """The button makes the key; whoever comes again, or a moment later, is sent to the list of keys."""
    context = {"organization": current.organization, "base_url": settings.HELIOS_PUBLIC_BASE_URL}
    if request.method == "POST":
        if not has_verified_email(current.user):
            return no_access(request, f"Verify your e-mail address {current.user} first: see Account.")
        try:
            _, raw_key = services.issue_first_key(
                actor=audit.by_user(request.user), organization=current.organization, created_by=current.user
            )
        except services.NotTheFirst:
            return render(request, "api_keys/first_key.html", {**context, "has_key": True}, status=409)
        return render(request, "api_keys/first_key.html", {**context, "raw_key": raw_key})
    return render(request, "api_keys/first_key.html", {**context, "has_key": has_keys(current.organization)})

"""The page of a member's organisation."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.models import User
from apps.accounts.selectors import current_membership
from apps.api_keys.usage import selectors
from apps.api_keys.usage.openapi import DEFAULT_DAYS


@require_safe
@login_required
def usage_page(request: HttpRequest) -> HttpResponse:
    """The last 30 days by key, beside the limits of the plan."""
    user = request.user
    assert isinstance(user, User)
    current = current_membership(user, request.session)
    if current is None:
        reason = "You do not belong to an organisation that is switched on."
        return render(request, "browse/no_access.html", {"reason": reason}, status=403)
    today = timezone.now().date()
    context = {
        "current": current,
        "days": selectors.list_usage(current.organization_id, today - timedelta(days=DEFAULT_DAYS - 1), today),
        "limits": selectors.limits_of(current.organization.plan),
    }
    return render(request, "usage.html", context)

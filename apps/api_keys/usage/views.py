"""The page of a member's organisation."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.api_keys.usage import selectors
from apps.api_keys.usage.openapi import DEFAULT_DAYS


@require_safe
@for_members
def usage_page(request: HttpRequest, current: Membership) -> HttpResponse:
    """The last 30 days by key, beside the limits of the plan."""
    today = timezone.now().date()
    context = {
        "current": current,
        "days": selectors.list_usage(current.organization_id, today - timedelta(days=DEFAULT_DAYS - 1), today),
        "limits": selectors.limits_of(current.organization.plan),
    }
    return render(request, "usage.html", context)

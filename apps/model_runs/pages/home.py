"""`/`: what Helios is, for strangers; for members how to begin, and what happened lately."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.api_keys.authentication import MemberRecord
from apps.api_keys.selectors import has_keys, newest_live_prefix
from apps.api_keys.usage.selectors import count_runs
from apps.model_runs import selectors, services
from apps.model_runs.pages import result, sample
from apps.model_runs.pages.views import UNFINISHED
from apps.model_runs.summary import NO_DIAGNOSIS
from apps.model_runs.wellness.baseline import title_of
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES, SCORES
from helios_site.api import ratelimit
from helios_site.api.full_disk import full_database_is_storage_full
from helios_site.storage import StorageFull

QUICK_START_SCOPES = ("model_runs:read", "model_runs:write")
LATEST_RUNS = 5
LATEST_DAYS = 7  # in UTC, as usage is counted


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The first page of who is signed in; to everybody else a few words on what this is."""
    if request.user.is_authenticated:
        return _console(request)
    context = {"signup": settings.HELIOS_SIGNUP, "needed_seconds": settings.HELIOS_MIN_SPEECH_SECONDS}
    return render(request, "console/landing.html", context)


@for_members
def _console(request: HttpRequest, current: Membership) -> HttpResponse:
    return _page(request, current)


@require_POST
@for_members
def run_sample(request: HttpRequest, current: Membership) -> HttpResponse:
    """The sample without scripts: the run is made here, and its page tells what becomes of it."""
    member = MemberRecord.of(current, current.user)
    decision = ratelimit.charge(f"helios:{member.bucket}", member.rate(settings.HELIOS_RATE_LIMIT))
    if not decision.allowed:
        return _page(request, current, problem=f"Too often. Try again in {decision.retry_after} seconds.", status=429)
    try:
        with full_database_is_storage_full():
            run = sample.start(actor=member.actor, organization_id=current.organization_id)
    except StorageFull:
        full = "The disk of this Helios is full. Tell its operator, then try again."
        return _page(request, current, problem=full, status=507)
    return redirect("run", run.id)


def _page(request: HttpRequest, current: Membership, *, problem: str = "", status: int = 200) -> HttpResponse:
    organization_id = current.organization_id
    prefix = newest_live_prefix(organization_id, QUICK_START_SCOPES)
    today = timezone.now().date()
    scored, not_scored = count_runs(organization_id, today - timedelta(days=LATEST_DAYS - 1), today)
    body = sample.body()
    context = {
        "current": current,
        "is_admin": current.role == Membership.Role.ADMIN,
        "problem": problem,
        "sample": body,
        "sample_json": json.dumps(body),
        "scores": [
            {"name": name, "value_name": value_name, "title": title_of(name)}
            for name, value_name in zip(SCORES, CONTINUOUS_NAMES, strict=True)
        ],
        "no_diagnosis": NO_DIAGNOSIS,
        "key_prefix": prefix,
        "had_keys": prefix is None and has_keys(current.organization),
        "base_url": settings.HELIOS_PUBLIC_BASE_URL,
        "needed_seconds": settings.HELIOS_MIN_SPEECH_SECONDS,
        "now": timezone.now(),
        "scored": scored,
        "not_scored": not_scored,
        **_lately(request, current),
    }
    return render(request, "console/home.html", context, status=status)


def _lately(request: HttpRequest, current: Membership) -> dict[str, Any]:
    runs = selectors.list_runs(current.organization_id).values("id", "created_at", "status", "user_label")
    rows = [
        {**row, "status_words": result.STATUSES[row["status"]], "is_unfinished": row["status"] in UNFINISHED}
        for row in runs[:LATEST_RUNS]
    ]
    services.record_read(actor=audit.by_user(request.user), organization_id=current.organization_id, run_id=None)
    return {"rows": rows, "waits": any(row["is_unfinished"] for row in rows)}

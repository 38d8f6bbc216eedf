"""Rotating and revoking a key: each a page that says what will happen, with the button that does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.membership_required import for_admins
from apps.accounts.models import Membership
from apps.api_keys import services
from apps.api_keys.forms import RevocationForm
from apps.api_keys.pages import states
from apps.api_keys.pages.forms import RotationForm
from apps.api_keys.pages.one_key import about, issued, own_key, show
from apps.api_keys.serializers import DEFAULT_GRACE_SECONDS


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def rotate(request: HttpRequest, current: Membership, key_id: UUID) -> HttpResponse:
    """Asks how long the old key goes on; sent, the page that shows the new one once."""
    key = own_key(current, key_id)
    if not states.state_of(key, timezone.now()).may_rotate:
        return _cannot_rotate(request, current, key_id)
    form = RotationForm(request.POST if request.method == "POST" else None, initial={"grace": DEFAULT_GRACE_SECONDS})
    if form.is_valid():
        try:
            new, raw_key = services.rotate_key(
                actor=audit.by_user(request.user),
                key_id=key.id,
                grace_seconds=form.cleaned_data["grace"],
                created_by=current.user,
            )
            return issued(request, current, new, raw_key, old=own_key(current, key_id))
        except services.KeyEnded:
            return _cannot_rotate(request, current, key_id)
        except ValidationError as error:
            form.add_error(None, error)
    context = {**about(current, key), "form": form}
    return render(request, "keys/rotate.html", context, status=400 if form.is_bound else 200)


def _cannot_rotate(request: HttpRequest, current: Membership, key_id: UUID) -> HttpResponse:
    """Leads to the key in its place: of a form that was sent twice, the second answer is the one that people see."""
    key = own_key(current, key_id)
    problem = "This key was rotated already or has ended: only a live key can be rotated, once."
    new = key.superseded_by
    if new is not None and states.state_of(new, timezone.now()).may_rotate:
        problem = format_html(
            'This key was rotated already. <a href="{}">{}</a> takes its place, and was shown once. '
            "If you could not copy the new key, revoke it and make another.",
            reverse("key", args=[new.id]),
            f"{new.name}, {new.key_prefix}…",
        )
    return show(request, current, key, problem=problem, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def revoke(request: HttpRequest, current: Membership, key_id: UUID) -> HttpResponse:
    """Says what will happen and asks why; sent, the key is refused from then on."""
    key = own_key(current, key_id)
    form = RevocationForm(request.POST if request.method == "POST" else None)
    if not states.state_of(key, timezone.now()).is_live:
        problem = "This key has ended already: every call with it is refused."
        return show(request, current, key, problem=problem, status=409)
    if form.is_valid():
        services.revoke_key(
            actor=audit.by_user(request.user),
            key_id=key.id,
            reason=form.cleaned_data["reason"],
            revoked_by=current.user,
        )
        messages.success(request, f"Revoked: {key}. The next call with it is refused.")
        return redirect("key", key_id=key.id)
    context: dict[str, Any] = {**about(current, key), "form": form}
    return render(request, "keys/revoke.html", context, status=400 if form.is_bound else 200)

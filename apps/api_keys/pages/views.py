"""The list of keys, the form that makes one, and a key's page. A raw key is in the answer that makes it, and nowhere
else: neither in a message nor in the session."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_admins
from apps.accounts.models import Membership
from apps.api_keys import selectors, services
from apps.api_keys.models import UNUSED_DAYS, ApiKey
from apps.api_keys.pages import scope_choices, states
from apps.api_keys.pages.forms import KeyForm, NewKeyForm
from apps.api_keys.pages.one_key import form_context, issued, own_key, show
from helios_site.api.families import positions
from helios_site.tickets import new_ticket, read_ticket

PAGE_SIZE = 50


@require_safe
@for_admins
def key_list(request: HttpRequest, current: Membership) -> HttpResponse:
    """Newest first, all or those of one state."""
    now = timezone.now()
    wanted, cursor = request.GET.get("state", ""), request.GET.get("cursor", "")
    after = positions.unpack(cursor) if cursor else None
    problem = ""
    if (wanted and wanted not in states.FILTERS) or (cursor and after is None):
        problem = "This address is not one of the list's."
    found = [] if problem else _page(current, wanted, after, now)
    older = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    context = {
        "current": current,
        "rows": [_row(key, now) for key in found[:PAGE_SIZE]],
        "problem": problem,
        "wanted": wanted,
        "cursor": cursor,
        "filters": [("", "All"), *((code, title) for code, (title, _) in states.FILTERS.items())],
        "older": positions.pack((older.created_at, older.id)) if older else "",
    }
    return render(request, "keys/list.html", context, status=400 if problem else 200)


def _page(current: Membership, wanted: str, after: positions.Position | None, now: datetime) -> list[ApiKey]:
    """One key more than fits on the page where there are more."""
    keys = selectors.list_keys(current.organization_id).select_related("created_by")
    if wanted:
        keys = keys.filter(states.FILTERS[wanted][1](now))
    if after is not None:
        keys = positions.older(keys, after)
    return list(keys[: PAGE_SIZE + 1])


def _row(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "state": states.state_of(key, now),
        "may_do": scope_choices.summary(key.scopes),
        "is_unused": any("unused" in why for why in key.attention(now)),
        "unused_days": UNUSED_DAYS,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def new_key(request: HttpRequest, current: Membership) -> HttpResponse:
    """The form; sent, the page that shows the key once. The same form sent again makes no second key."""
    organization = current.organization
    if request.method != "POST":
        live = selectors.count_live(organization.id, timezone.now())
        form = NewKeyForm(initial={"access": "checks", "zone": "UTC"})
        return _form_page(request, current, form, is_full=live >= settings.API_KEY_MAX_PER_ORG)
    form, ticket = NewKeyForm(request.POST), request.POST.get("ticket", "")
    key_id = read_ticket(ticket, "key", organization.id)
    if key_id is None:
        form.add_error(None, "This form was not made for your organisation. Look it over and send it once more.")
    if key_id is not None and form.is_valid():
        try:
            key, raw_key = services.issue_key(
                actor=audit.by_user(request.user),
                organization=organization,
                created_by=current.user,
                key_id=key_id,
                **form.fields_of_key,
            )
            return issued(request, current, key, raw_key)
        except services.IssuedAlready:
            twice = (
                "The form was sent twice. It made this key the first time, and the answer to that showed it. "
                "If you could not copy it, revoke this key and make a new one."
            )
            return show(request, current, own_key(current, key_id), problem=twice, status=409)
        except ValidationError as error:
            form.add_error(None, error)
    return _form_page(request, current, form, status=400, ticket=ticket if key_id else "")


def _form_page(
    request: HttpRequest,
    current: Membership,
    form: NewKeyForm,
    *,
    status: int = 200,
    ticket: str = "",
    is_full: bool = False,
) -> HttpResponse:
    context = {
        "current": current,
        "form": form,
        "ticket": ticket or new_ticket("key", current.organization_id),
        "is_full": is_full,
        "most": settings.API_KEY_MAX_PER_ORG,
        **form_context(current),
    }
    return render(request, "keys/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def key_page(request: HttpRequest, current: Membership, key_id: UUID) -> HttpResponse:
    """What a key is and did; sent, the form changes it."""
    key = own_key(current, key_id)
    if request.method != "POST":
        return show(request, current, key)
    if not states.state_of(key, timezone.now()).is_live:
        return show(request, current, key, problem="The key has ended: nothing of it can be changed.", status=409)
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            services.change_key(actor=audit.by_user(request.user), key_id=key.id, **form.fields_of_key)
        except services.KeyEnded as refusal:  # in this very moment
            form.add_error(None, f"{refusal}.")
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Saved. The next call with this key goes by it.")
            return redirect("key", key_id=key.id)
    return show(request, current, key, form=form, status=400)

"""The settings of an organisation, for its admins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit, consent_texts, organizations
from apps.accounts.membership_required import for_admins
from apps.accounts.models import ConsentText, Membership
from helios_site.zones import names_to_choose

EARLIER_LISTED = 10
DEFAULTS = ("check_language", "check_delete_data", "notes_from_runs", "time_zone")
NOTES = {"": None, "yes": True, "no": False}


@require_safe
@for_admins
def organization_settings(request: HttpRequest, current: Membership) -> HttpResponse:
    """Its name, what new checks begin with, whose clocks its days go by, and the hosted activity."""
    return _page(request, current)


@require_POST
@for_admins
def rename(request: HttpRequest, current: Membership) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        organizations.rename_organization(
            actor=audit.by_user(request.user), organization_id=current.organization_id, name=name
        )
    except ValidationError as error:
        return _page(request, current, problem=_text(error), typed={"name": name})
    return _back(request, "Renamed.")


@require_POST
@for_admins
def change_defaults(request: HttpRequest, current: Membership) -> HttpResponse:
    typed = {name: request.POST.get(name, "") for name in DEFAULTS}
    try:
        if typed["notes_from_runs"] not in NOTES:
            raise ValidationError("Choose whether finished checks leave notes.")
        organizations.change_defaults(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            check_language=typed["check_language"],
            check_delete_data=bool(typed["check_delete_data"]),
            notes_from_runs=NOTES[typed["notes_from_runs"]],
            time_zone=typed["time_zone"],
        )
    except ValidationError as error:
        return _page(request, current, problem=_text(error), typed=typed)
    return _back(request, "Saved.")


@require_POST
@for_admins
def change_origins(request: HttpRequest, current: Membership) -> HttpResponse:
    typed = request.POST.get("origins", "")
    try:
        organizations.change_activity_origins(
            actor=audit.by_user(request.user), organization_id=current.organization_id, origins=typed.split()
        )
    except ValidationError as error:
        return _page(request, current, problem=_text(error), typed={"origins": typed})
    return _back(request, "Saved: activity links that are opened from now on go by these origins.")


@require_safe
@for_admins
def consent_text(request: HttpRequest, current: Membership, number: int) -> HttpResponse:
    """One version of what people agreed to, with ways to its neighbours."""
    text = get_object_or_404(ConsentText, organization=current.organization, number=number)
    context = {
        "organization": current.organization,
        "version": text,
        "previous": consent_texts.earlier(current.organization, number).first(),
        "following": consent_texts.later(current.organization, number).first(),
    }
    return render(request, "accounts/consent_text.html", context)


@require_POST
@for_admins
def change_consent_text(request: HttpRequest, current: Membership) -> HttpResponse:
    typed = request.POST.get("text", "")
    try:
        version = organizations.change_consent_text(
            actor=audit.by_user(request.user), organization_id=current.organization_id, text=typed
        )
    except ValidationError as error:
        return _page(request, current, problem=_text(error), typed={"consent": typed})
    return _back(request, f"People agree to version {version} from now on.")


def _page(
    request: HttpRequest, current: Membership, *, problem: str = "", typed: dict[str, str] | None = None
) -> HttpResponse:
    """With what was typed where it was refused, and what is stored elsewhere."""
    organization = current.organization
    stored = {
        "name": organization.name,
        "check_language": organization.check_language,
        "check_delete_data": "on" if organization.check_delete_data else "",
        "notes_from_runs": {value: name for name, value in NOTES.items()}[organization.notes_from_runs],
        "time_zone": organization.time_zone,
        "origins": "\n".join(organization.activity_origins),
    }
    consent = consent_texts.present(organization)
    earlier = list(consent_texts.earlier(organization)[: EARLIER_LISTED + 1])
    context: dict[str, Any] = {
        "organization": organization,
        "consent": consent,
        "earlier_texts": earlier[:EARLIER_LISTED],
        "older_text": earlier[EARLIER_LISTED] if len(earlier) > EARLIER_LISTED else None,
        "general_origins": settings.HELIOS_ACTIVITY_FRAME_ANCESTORS,
        "languages": settings.HELIOS_LANGUAGES,
        "erased_after_hours": settings.HELIOS_DELETE_DATA_AFTER_HOURS,
        "general_notes": settings.HEALOS_NOTES_FROM_RUNS,
        "time_zones": names_to_choose(),
        "general_time_zone": settings.HEALOS_DAY_TIMEZONE.key,
        "problem": problem,
        "values": {**stored, "consent": consent.text, **(typed or {})},
    }
    return render(request, "accounts/organization_settings.html", context, status=400 if problem else 200)


def _back(request: HttpRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("organization-settings")


def _text(error: ValidationError) -> str:
    return " ".join(error.messages)

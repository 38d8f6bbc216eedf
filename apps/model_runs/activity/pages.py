"""`/activity/{id}`: the page on which a person records themselves, for whoever has its signed link.

Plain Django views without session and without cookies: the page stands in frames of other sites, where browsers
keep cookies back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import consent_texts
from apps.accounts.models import Organization
from apps.model_runs import services
from apps.model_runs.activity.links import allowed_origins, consent_path, upload_path
from apps.model_runs.activity.prompts import prompts_for
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.signed_links import ACTIVITY, genuine_link

ADVISED_SECONDS = 30
SPARE_SECONDS = 5  # the recorder stops that long before a recording is too long


@dataclass(frozen=True, slots=True)
class Ending:
    """Why there is nothing to record, for the person and, as `code`, for the page around."""

    code: str
    status: int
    title: str
    text: str


ALTERED = Ending(
    "link_invalid",
    403,
    "This link does not work",
    "It was changed or cut off on its way. Copy the whole link, or ask for a new one where you got it.",
)
EXPIRED = Ending(
    "link_expired", 403, "This link has expired", "Nothing was recorded. Ask for a new link where you got this one."
)
GONE = Ending(
    "link_expired",
    404,
    "This check is no longer there",
    "Whoever asked you for it has taken it back. Ask them for a new link.",
)
RECORDED = Ending(
    "",
    200,
    "Your recording has arrived",
    "A link is good for one recording. There is nothing more to do, and you can close this page.",
)


@xframe_options_exempt
@require_safe
def activity(request: HttpRequest, model_run_id: str) -> HttpResponse:
    """The recorder, or a page that says why there is none: 403 for an altered or expired link, 404 without a run."""
    run, ending = _opened(request, model_run_id)
    origins = allowed_origins(run.organization) if run else ()
    context: dict[str, Any] = {"run": run, "origins": origins, "ending": ending}
    if run is not None and ending is None:
        context |= _of_the_recorder(run)
    page = render_to_string("activity/record.html" if ending is None else "activity/ending.html", context)
    return _guarded(HttpResponse(page, status=200 if ending is None else ending.status), origins)


@csrf_exempt  # the signed link is what allows it: there is no session that another site could ride on
@require_POST
def consent(request: HttpRequest, model_run_id: str) -> HttpResponse:
    """Keep that the person agreed to `version` of the text: 200 `{"uploadUrl"}`, else `{"detail", "code"}`."""
    run, ending = _opened(request, model_run_id)
    if run is None or ending is not None:
        return _refusal(ending or ALTERED)
    version = request.POST.get("version", "")
    if not _was_shown(run.organization, version):
        return JsonResponse({"code": "consent_unknown", "detail": "Load the page again to read the text."}, status=422)
    agreed = services.record_consent(run_id=run.id, version=version)
    if agreed is None:
        return _refusal(RECORDED)
    response = JsonResponse({"uploadUrl": upload_path(agreed)})
    response["Cache-Control"] = "no-store"
    return response


def _opened(request: HttpRequest, model_run_id: str) -> tuple[ModelRun | None, Ending | None]:
    """The run of the link, where there is one, and why nothing can be recorded for it."""
    link = genuine_link(ACTIVITY, model_run_id, request.GET)
    if link is None:
        return None, ALTERED
    runs = ModelRun.objects.select_related("organization").filter(organization__is_active=True)
    run = runs.filter(id=link.run_id).first()
    if run is None:
        return None, GONE
    if run.status != Status.CREATED:
        return run, RECORDED
    return run, EXPIRED if time.time() >= link.expires else None


def _was_shown(organization: Organization, version: str) -> bool:
    """Whether there is such a version; it may have been replaced while the person was reading."""
    if version == consent_texts.DEFAULT_VERSION:
        return True
    return version.isdecimal() and len(version) < 9 and organization.consent_texts.filter(number=version).exists()


def _of_the_recorder(run: ModelRun) -> dict[str, Any]:
    spoken = run.language.partition("-")[0]
    prompts_language, prompts = prompts_for(run.language)
    return {
        "consent": consent_texts.present(run.organization),
        "consent_path": consent_path(run),
        "seconds_left": int(run.upload_expires_at.timestamp() - time.time()),
        "needed_seconds": settings.HELIOS_MIN_SPEECH_SECONDS,
        "advised_seconds": ADVISED_SECONDS,
        "longest_seconds": settings.HELIOS_MAX_RECORDING_SECONDS - SPARE_SECONDS,
        "prompts": prompts,
        "prompts_language": run.language if prompts_language == spoken else prompts_language,
        "may_read": prompts_language == spoken,  # a passage in another language would not be what was asked for
        "page_language": run.language if spoken == "en" else "en-GB",
        "spoken": None if spoken == "en" else {"code": run.language, "name": _name_of(spoken, run.language)},
    }


def _name_of(spoken: str, fallback: str) -> str:
    known = LANG_INFO.get(spoken)
    return str(known["name_local"]) if known and "name_local" in known else fallback


def _refusal(ending: Ending) -> JsonResponse:
    code, status = (ending.code, ending.status) if ending.code else ("already_recorded", 409)
    return JsonResponse({"code": code, "detail": f"{ending.title}. {ending.text}"}, status=status)


def _guarded(response: HttpResponse, origins: tuple[str, ...]) -> HttpResponse:
    """Nothing from elsewhere, nothing inline, and frames of the allowed origins alone."""
    response["Content-Security-Policy"] = "; ".join((
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "media-src blob:",
        "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors " + (" ".join(origins) or "'none'"),
    ))  # fmt: skip
    response["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
    response["Referrer-Policy"] = "no-referrer"  # the address holds the signature
    response["Cache-Control"] = "no-store"
    return response

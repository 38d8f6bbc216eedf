"""What admins do with webhooks on their pages, by the services that the API has, and with its checks.

A secret is in the one response to the POST that made it.
"""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import audit
from apps.accounts.membership_required import for_admins
from apps.accounts.models import Membership
from apps.webhooks import services
from apps.webhooks.event_types import EVENT_TYPES
from apps.webhooks.models import WebhookDelivery
from apps.webhooks.pages.views import own_endpoint, webhook_page
from apps.webhooks.serializers import WebhookCreateSerializer
from helios_site.api.families.helios.errors import entries
from helios_site.tickets import new_ticket, read_ticket

COMMON_EVENTS = ("model_run.completed", "model_run.failed")  # ticked in an empty form
TICKET = "webhook"
NOTHING_TYPED = ("value_error.missing", "value_error.any_str.min_length")
SENT_TWICE = (
    "The form was sent twice. It made this webhook the first time, and the answer to that showed its secret. "
    "If you could not copy it, rotate the secret here."
)
OFF = "This webhook is disabled: nothing is sent to it. Enable it first."


class Typed(TypedDict):
    url: str
    events: list[str]


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def new(request: HttpRequest, current: Membership) -> HttpResponse:
    """The form of a new webhook; once it is made, its secret. The same form sent again makes no second one."""
    if request.method != "POST":
        return _form(request, current, Typed(url="", events=list(COMMON_EVENTS)))
    typed = Typed(url=request.POST.get("url", "").strip(), events=request.POST.getlist("events"))
    ticket = request.POST.get("ticket", "")
    endpoint_id = read_ticket(ticket, TICKET, current.organization_id)
    if endpoint_id is None:
        other = "This form was not made for your organisation. Look it over and send it once more."
        return _form(request, current, typed, errors={"": other})
    serializer = WebhookCreateSerializer(data=typed)
    if not serializer.is_valid():
        return _form(request, current, typed, errors=_errors(serializer.errors), ticket=ticket)
    try:
        endpoint, secret = services.create_endpoint(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            endpoint_id=endpoint_id,
            **serializer.validated_data,
        )
    except services.MadeAlready:
        return _refused(request, current, endpoint_id, SENT_TWICE, status=409)
    except services.TooMany as error:
        return _form(request, current, typed, errors={"": f"{_sentence(str(error))} Delete one first."}, ticket=ticket)
    return render(request, "webhooks/secret.html", {"current": current, "endpoint": endpoint, "secret": secret})


def _form(
    request: HttpRequest,
    current: Membership,
    typed: Typed,
    *,
    errors: dict[str, str] | None = None,
    ticket: str = "",
) -> HttpResponse:
    context: dict[str, Any] = {
        "current": current,
        "ticket": ticket or new_ticket(TICKET, current.organization_id),
        "url": typed["url"],
        "choices": [(kind, meaning, kind in typed["events"]) for kind, meaning in EVENT_TYPES.items()],
        "errors": errors or {},
        "general_error": (errors or {}).get(""),
        "networks": settings.HELIOS_WEBHOOK_ALLOW_CIDRS,
    }
    return render(request, "webhooks/new.html", context, status=400 if errors else 200)


def _errors(found: Any) -> dict[str, str]:
    """The first error of each field."""
    errors: dict[str, str] = {}
    for entry in entries(found, ()):
        field = str(entry["loc"][0])
        said = "enter where events are sent" if entry["type"] in NOTHING_TYPED else entry["msg"]
        errors.setdefault(field, _sentence(said))
    return errors


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


@require_POST
@for_admins
def test(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    try:
        delivery = services.send_test(
            actor=audit.by_user(request.user), organization_id=current.organization_id, endpoint_id=webhook_id
        )
    except services.EndpointDisabled:
        return _refused(request, current, webhook_id, OFF, status=409)
    return _sent(request, webhook_id, delivery, "A test event is on its way.")


@require_POST
@for_admins
def resend(request: HttpRequest, current: Membership, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    try:
        delivery = services.resend_delivery(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            endpoint_id=webhook_id,
            delivery_id=delivery_id,
        )
    except services.EndpointDisabled:
        return _refused(request, current, webhook_id, OFF, status=409)
    return _sent(request, webhook_id, delivery, "It is on its way again, under the same webhook-id.")


def _sent(request: HttpRequest, webhook_id: UUID, delivery: WebhookDelivery | None, said: str) -> HttpResponse:
    if delivery is None:
        raise Http404
    messages.success(request, f"{said} Its row below says what comes of it.")
    return redirect("webhook", webhook_id)


@require_POST
@for_admins
def enable(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    endpoint = own_endpoint(current, webhook_id)
    done = services.enable_endpoint(
        actor=audit.by_user(request.user), endpoint_id=endpoint.id, reason=services.BY_THE_ORGANIZATION
    )
    said = "Enabled: what waited is sent now." if done else "It was enabled already."
    return _done(request, webhook_id, said)


@require_POST
@for_admins
def disable(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    endpoint, reason = own_endpoint(current, webhook_id), request.POST.get("reason", "")
    try:
        done = services.disable_endpoint(actor=audit.by_user(request.user), endpoint_id=endpoint.id, reason=reason)
    except ValidationError as error:
        typed = {"reason": reason, "reason_error": " ".join(error.messages)}
        return _refused(request, current, webhook_id, typed["reason_error"], status=400, typed=typed)
    said = "Disabled: nothing is sent until it is enabled again." if done else "It was disabled already."
    return _done(request, webhook_id, said)


@require_POST
@for_admins
def rotate(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    """A new secret, shown in this response."""
    endpoint = own_endpoint(current, webhook_id)
    try:
        rotated = services.rotate_secret(
            actor=audit.by_user(request.user), organization_id=current.organization_id, endpoint_id=webhook_id
        )
    except services.TooMany as error:
        return _refused(request, current, webhook_id, _sentence(str(error)), status=409)
    if rotated is None:
        raise Http404
    secret, ends_at = rotated
    context = {"current": current, "endpoint": endpoint, "secret": secret, "previous_ends_at": ends_at}
    return render(request, "webhooks/secret.html", context)


@require_POST
@for_admins
def delete(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    if not services.delete_endpoint(
        actor=audit.by_user(request.user), organization_id=current.organization_id, endpoint_id=webhook_id
    ):
        raise Http404
    messages.success(request, "Deleted, with its secret and its deliveries.")
    return redirect("webhooks")


def _done(request: HttpRequest, webhook_id: UUID, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("webhook", webhook_id)


def _refused(
    request: HttpRequest,
    current: Membership,
    webhook_id: UUID,
    problem: str,
    *,
    status: int,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    endpoint = own_endpoint(current, webhook_id)
    return webhook_page(request, current, endpoint, problem=problem, status=status, typed=typed)

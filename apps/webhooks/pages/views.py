"""The list of webhooks, a webhook's page with what was sent, and the outcomes that the page waits for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.membership_required import for_admins
from apps.accounts.models import Membership
from apps.webhooks import selectors
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.pages import wording
from helios_site.api.families import positions
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.query import read_cursor
from helios_site.api.families.positions import Position

PAGE_SIZE = 50


@require_safe
@for_admins
def webhook_list(request: HttpRequest, current: Membership) -> HttpResponse:
    """Newest first, each with what became of its last delivery. They are few: an organisation has a maximum."""
    endpoints = list(selectors.list_endpoints(current.organization_id))
    last = selectors.last_deliveries(current.organization_id)
    rows = []
    for endpoint in endpoints:
        delivery = last.get(endpoint.id)
        shown = wording.row(delivery, is_enabled=endpoint.is_enabled) if delivery else None
        rows.append({"endpoint": endpoint, "last": shown})
    context = {"current": current, "rows": rows, "most": settings.WEBHOOK_MAX_PER_ORG}
    return render(request, "webhooks/list.html", context)


@require_safe
@for_admins
def webhook(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    endpoint = own_endpoint(current, webhook_id)
    try:
        return webhook_page(request, current, endpoint, after=read_cursor(request.GET))
    except Invalid:
        problem = "This place in the list is not there. The newest deliveries are shown."
        return webhook_page(request, current, endpoint, problem=problem, status=400)


def webhook_page(
    request: HttpRequest,
    current: Membership,
    endpoint: WebhookEndpoint,
    *,
    after: Position | None = None,
    problem: str = "",
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    """Its facts, what can be done with it, and its deliveries after a place in their list."""
    deliveries = selectors.list_deliveries(endpoint.id)
    if after is not None:
        deliveries = positions.older(deliveries, after)
    found = list(deliveries[: PAGE_SIZE + 1])
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    context: dict[str, Any] = {
        "current": current,
        "endpoint": endpoint,
        "events": [(kind, wording.of_event(kind)) for kind in endpoint.events],
        "earlier_secrets": selectors.earlier_secrets(endpoint.id),
        "rows": [wording.row(one, is_enabled=endpoint.is_enabled) for one in found[:PAGE_SIZE]],
        "waits": endpoint.is_enabled and any(one.status == "PENDING" for one in found[:PAGE_SIZE]),
        "is_newest": after is None,
        "older": positions.pack((last.created_at, last.id)) if last else "",
        "retention_days": settings.HELIOS_WEBHOOK_RETENTION_DAYS,
        "overlap_hours": settings.WEBHOOK_SECRET_OVERLAP_HOURS,
        "problem": problem,
        "typed": typed or {},
    }
    return render(request, "webhooks/webhook.html", context, status=status)


@require_safe
@for_admins
def outcomes(request: HttpRequest, current: Membership, webhook_id: UUID) -> HttpResponse:
    """`{"<id>": {"status", "outcome", "answer", "tries", "nextTryAt", "response"}}` of up to PAGE_SIZE deliveries
    `id`, without those that are not there."""
    endpoint = own_endpoint(current, webhook_id)
    wanted = []
    for raw in request.GET.getlist("id")[:PAGE_SIZE]:
        try:
            wanted.append(UUID(raw))
        except ValueError:
            continue
    found: list[WebhookDelivery] = list(selectors.list_deliveries(endpoint.id).filter(id__in=wanted))
    return JsonResponse({str(one.id): wording.news(one, is_enabled=endpoint.is_enabled) for one in found})


def own_endpoint(current: Membership, webhook_id: UUID) -> WebhookEndpoint:
    """Raises Http404: absent, foreign and deleted look the same."""
    endpoint = selectors.list_endpoints(current.organization_id).filter(id=webhook_id).first()
    if endpoint is None:
        raise Http404
    return endpoint

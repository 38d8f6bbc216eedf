"""`/metrics`: what operators watch, in Prometheus's text format."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from apps.model_runs import metrics as run_metrics
from helios_site.api.context import current_request


class _Runs:
    def collect(self) -> Iterable[Metric]:
        return run_metrics.collect()


_runs = CollectorRegistry()
_runs.register(_Runs())


def _allowed(request: HttpRequest) -> bool:
    """With a token set, whoever sends it as Bearer; without one, only this machine, and not what a proxy on it
    passes on."""
    if settings.HELIOS_METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.HELIOS_METRICS_TOKEN}".encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    address = current_request().address
    return address is not None and ipaddress.ip_address(address).is_loopback


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not _allowed(request):
        return HttpResponse(
            "Set HELIOS_METRICS_TOKEN and send it as a Bearer token.\n", status=403, content_type="text/plain"
        )
    return HttpResponse(generate_latest(REGISTRY) + generate_latest(_runs), content_type=CONTENT_TYPE_LATEST)

"""What every response gets, whatever made it: a request id and a log line, the limit headers, TLS."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.encoding import iri_to_uri

from helios_site.api import ratelimit
from helios_site.api.after_response import arrange
from helios_site.api.client_address import bucket_of, client_address
from helios_site.api.context import RequestContext, reset_request, set_request
from helios_site.logs import redact

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Paths of the API families, whose every response carries the limit headers.
API_PREFIXES = ("/v1/", "/api/v1/", "/ext-api/v1/", "/fhir/")
# Asked by load balancers and monitors from inside, where there is often no TLS.
PROBES = frozenset({"/livez", "/readyz", "/metrics"})

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

access_log = structlog.get_logger("helios.access")


class RequestContextMiddleware:
    """Gives the request an id, tells logs and audit trail of it, and writes one line when it is answered.

    A caller's own `X-Request-ID` is kept if it is of harmless form, and no key. Query strings and headers are never
    logged.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        sent_id = request.headers.get("X-Request-ID", "")
        context = RequestContext(
            id=sent_id if _REQUEST_ID.fullmatch(sent_id) and redact(sent_id) == sent_id else str(uuid.uuid4()),
            address=client_address(request),
            method=request.method or "",
            path=redact(request.path),
        )
        token = set_request(context)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = context.id
            arrange(request, response, context)
            _log(request, response, context, time.perf_counter() - started)
        finally:
            reset_request(token)
        return response


def _log(request: HttpRequest, response: HttpResponseBase, context: RequestContext, seconds: float) -> None:
    key = getattr(request, "api_key", None)
    write = access_log.debug if context.path in PROBES else access_log.info
    write(
        "request",
        method=context.method,
        path=context.path,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        address=context.address,
        **({} if key is None else {"key_id": str(key.id), "organization_id": str(key.organization_id)}),
    )


class ApiResponseMiddleware:
    """Puts the three limit headers on every response of the API families, errors included.

    They show the bucket that the call was charged to (`request.rate_limit`). A call that was charged to none,
    since it never reached a view, shows the bucket in which refused calls of its address are counted.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if f"{request.path_info}/".startswith(API_PREFIXES):  # the base itself, too
            decision: ratelimit.Decision | None = getattr(request, "rate_limit", None)
            if decision is None:
                bucket = ratelimit.refused_calls_bucket(bucket_of(client_address(request)))
                decision = ratelimit.peek(bucket, settings.RATE_LIMIT_FAILED_AUTH)
            response.headers["X-RateLimit-Limit"] = str(decision.limit)
            response.headers["X-RateLimit-Remaining"] = str(decision.remaining)
            response.headers["X-RateLimit-Reset"] = str(decision.reset_epoch)
            if response.status_code == 429:
                response.headers["Retry-After"] = str(decision.retry_after)
        return response


class RequireTlsMiddleware:
    """Sends callers of an https installation to https with 308, which keeps method and body; 301 loses them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        base: str = settings.HELIOS_PUBLIC_BASE_URL
        if base.startswith("https:") and not request.is_secure() and request.path_info not in PROBES:
            # The host comes from the settings: the Host header is the caller's.
            return HttpResponse(status=308, headers={"Location": base + iri_to_uri(request.get_full_path())})
        return self.get_response(request)

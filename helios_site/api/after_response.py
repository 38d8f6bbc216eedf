"""Work that the caller need not wait for: it runs in the same thread once the response has been sent."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from helios_site.api.context import RequestContext, reset_request, set_request

log = logging.getLogger(__name__)

Work = Callable[[], None]


def after_response(request: HttpRequest, work: Work) -> None:
    """Run `work` when the response to `request` is closed. It may be lost with the process, and an error in it
    is logged only: use it for what is nice to have, never for what must be true."""
    request.__dict__.setdefault("after_response", []).append(work)


def arrange(request: HttpRequest, response: HttpResponseBase, context: RequestContext) -> None:
    """Have `response` run the work that was left for later, as part of the request `context`."""
    works: list[Work] | None = request.__dict__.get("after_response")
    if works:
        response._resource_closers.append(lambda: _run(works, context))  # type: ignore[attr-defined]


def _run(works: list[Work], context: RequestContext) -> None:
    token = set_request(context)
    try:
        for work in works:
            try:
                work()
            except Exception:
                log.exception("Work after a response failed.")
    finally:
        reset_request(token)

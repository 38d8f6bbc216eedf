"""Counts each request that a key made, once it is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.api_keys.usage.counting import count_request
from helios_site.api.after_response import after_response


class UsageMiddleware:
    """Stands outside of everything that may change the status. A key that was refused has made no request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        key = getattr(request, "api_key", None)
        if key is not None:
            after_response(request, partial(count_request, key.id, response.status_code))
        return response

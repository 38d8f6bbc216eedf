"""`/openapi.json` and `/api-reference`: the description of every API family, and a page that shows it.

Both are open unless `API_DOCS_PUBLIC` is off; then they ask for a session. Everything the page needs comes from here.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from helios_site.api.middleware import API_PREFIXES

View = Callable[..., HttpResponse]

_SIDECAR = "drf_spectacular_sidecar/swagger-ui-dist"
_ASSETS = {
    "swagger-ui-bundle.js": (f"{_SIDECAR}/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (f"{_SIDECAR}/swagger-ui.css", "text/css"),
    "reference.css": ("api-reference/reference.css", "text/css"),
    "samples.js": ("api-reference/samples.js", "text/javascript"),
    "authorization.js": ("api-reference/authorization.js", "text/javascript"),
    "repairs.js": ("api-reference/repairs.js", "text/javascript"),
    "start.js": ("api-reference/start.js", "text/javascript"),
}


def for_readers(view: View) -> View:
    """Who may read the description."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.API_DOCS_PUBLIC or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.path.endswith(".json"):
            return JsonResponse({"detail": "Sign in to read this."}, status=403)
        return redirect_to_login(request.get_full_path())

    return require_safe(guarded)


class _Text(NamedTuple):
    """What is sent again and again, as it is and compressed: the bundle of scripts is 1.6 MB plain."""

    plain: bytes
    compressed: bytes
    tag: str

    @classmethod
    def of(cls, plain: bytes) -> _Text:
        # Weak, since one tag names both forms.
        return cls(plain, gzip.compress(plain, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')

    def answer(self, request: HttpRequest, content_type: str, keep: str) -> HttpResponse:
        """Compressed for who takes that, and 304 without a body for who has it. `keep` is the `Cache-Control`."""
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(self.compressed if takes_gzip else self.plain, content_type=content_type)
        if takes_gzip:
            response["Content-Encoding"] = "gzip"
        response["ETag"] = self.tag
        response["Cache-Control"] = keep
        patch_vary_headers(response, ["Accept-Encoding"])
        return get_conditional_response(request, etag=self.tag, response=response) or response


@cache
def _description() -> _Text:
    """Built once a process: it depends on code and settings alone."""
    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    return _Text.of(json.dumps(schema, ensure_ascii=False).encode())


@for_readers
def openapi(request: HttpRequest) -> HttpResponse:
    return _description().answer(request, "application/json", "private, no-cache")


@for_readers
def api_reference(request: HttpRequest) -> HttpResponse:
    return render(request, "api_reference.html", {"base_url": settings.HELIOS_PUBLIC_BASE_URL})


@cache
def _asset(path: str) -> _Text:
    found = finders.find(path)
    if not isinstance(found, str):
        raise Http404
    with open(found, "rb") as file:
        return _Text.of(file.read())


@for_readers
def asset(request: HttpRequest, name: str) -> HttpResponse:
    if name not in _ASSETS:
        raise Http404
    path, content_type = _ASSETS[name]
    return _asset(path).answer(request, f"{content_type}; charset=utf-8", "private, no-cache")


def without_slash_twins(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular hook: the contract's paths alone, each once. With a slash the same views answer."""
    return [one for one in endpoints if one[0].startswith(API_PREFIXES) and not one[0].endswith("/")]

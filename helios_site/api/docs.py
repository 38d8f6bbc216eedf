"""`/openapi.json` and `/api-reference`: the description of every API family, and a page that shows it.

Both are open unless `API_DOCS_PUBLIC` is off; then they ask for a session. Everything the page needs comes from here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from helios_site.api.middleware import API_PREFIXES

View = Callable[..., HttpResponse]

_SIDECAR = "drf_spectacular_sidecar/swagger-ui-dist"
_ASSETS = {
    "swagger-ui-bundle.js": (f"{_SIDECAR}/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (f"{_SIDECAR}/swagger-ui.css", "text/css"),
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


@cache
def _description() -> bytes:
    """Built once a process: it depends on code and settings alone."""
    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    return json.dumps(schema, ensure_ascii=False).encode()


@for_readers
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_description(), content_type="application/json")


@for_readers
def api_reference(request: HttpRequest) -> HttpResponse:
    return render(request, "api_reference.html")


@cache
def _asset(path: str) -> tuple[bytes, bytes]:
    """A static file as it is and compressed: the bundle is 1.6 MB plain, and static files are served plain."""
    found = finders.find(path)
    if not isinstance(found, str):
        raise Http404
    with open(found, "rb") as file:
        plain = file.read()
    return plain, gzip.compress(plain, mtime=0)


@for_readers
def asset(request: HttpRequest, name: str) -> HttpResponse:
    if name not in _ASSETS:
        raise Http404
    path, content_type = _ASSETS[name]
    plain, compressed = _asset(path)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(compressed if takes_gzip else plain, content_type=f"{content_type}; charset=utf-8")
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = "private, max-age=3600"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def without_slash_twins(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular hook: the contract's paths alone, each once. With a slash the same views answer."""
    return [one for one in endpoints if one[0].startswith(API_PREFIXES) and not one[0].endswith("/")]

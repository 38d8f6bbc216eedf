"""The browsable API: every family's viewsets once more under `/browse/`, for signed-in members of an organisation.

Same code, same checks, same errors; only who is calling differs (a session with CSRF instead of a key), and a
browser gets pages with a form for every write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, include, path
from django.views.decorators.http import require_safe
from rest_framework import exceptions, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request, is_form_media_type
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.membership_required import for_members, no_access
from apps.accounts.models import Membership
from apps.api_keys import ext_api_urls as ext_api
from apps.api_keys import urls as api_keys
from apps.api_keys.authentication import MemberAuthentication
from apps.api_keys.usage import urls as usage
from apps.fhir import urls as fhir
from apps.model_runs import urls as model_runs
from apps.model_runs.patient_runs import urls as patient_runs
from apps.patients import urls as patients
from apps.webhooks import urls as webhooks

FAMILIES = {
    "v1/": [*model_runs.urlpatterns, *webhooks.urlpatterns, *usage.urlpatterns],
    "api/v1/": api_keys.urlpatterns,
    "ext-api/v1/": [*ext_api.urlpatterns, *patients.urlpatterns, *patient_runs.urlpatterns],
    "fhir/": fhir.urlpatterns,
}


class PagesFirst(DefaultContentNegotiation):
    """What `Accept` asks for, and a page where that is nothing that we have."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        except exceptions.NotAcceptable:
            return renderers[0], renderers[0].media_type
        return chosen


class Pages(BrowsableAPIRenderer):
    """Django REST framework's, with a form for changes that holds what there is: sent as it stands, it changes
    nothing."""

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        if method == "PATCH" and form is not None:
            shown = data.get("data", data) if isinstance(data, dict) else {}
            fields = view.get_serializer().fields
            present = {name: shown[name] for name in fields if name in shown}
            form.initial["_content"] = json.dumps(present, indent=4, ensure_ascii=False)
        return form

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        """Each page once, and not its twin with a slash."""
        crumbs: dict[str, tuple[str, str]] = {}
        for name, url in super().get_breadcrumbs(request):
            crumbs.setdefault(url.rstrip("/"), (name, url))
        return list(crumbs.values())


class BrowsableMixin(APIView):
    """Put before a family's view class."""

    authentication_classes = (MemberAuthentication,)
    renderer_classes = (Pages, JSONRenderer)
    parser_classes = (JSONParser, FormParser, MultiPartParser)
    content_negotiation_class = PagesFirst

    def read_body(self, request: Request) -> dict[str, Any]:
        if is_form_media_type(request.content_type):
            view: Any = self
            return form_body(cast(QueryDict, request.data), view.get_serializer())
        body: dict[str, Any] = super().read_body(request)  # type: ignore[misc]
        return body

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.streaming and request.method == "POST" and isinstance(request.accepted_renderer, Pages):
            response = _on_a_page(response)
        return super().finalize_response(request, response, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        if isinstance(exc, exceptions.NotAuthenticated) and self.request.method in ("GET", "HEAD"):
            return redirect_to_login(self.request.get_full_path())
        if isinstance(exc, exceptions.PermissionDenied) and self.request.auth is None:
            return no_access(self.request._request, str(exc.detail))
        return super().handle_exception(exc)


def _on_a_page(lines: StreamingHttpResponse) -> Response:
    """Lines of JSON as a list: the script of the form can show pages alone."""
    page = Response([json.loads(line) for line in b"".join(cast(Iterable[bytes], lines)).splitlines()])
    page._resource_closers += lines._resource_closers  # type: ignore[attr-defined]
    return page


def form_body(form: QueryDict, serializer: serializers.BaseSerializer, prefix: str = "") -> dict[str, Any]:
    """What an HTML form says, as the JSON body that the family expects. A field left blank is left out."""
    body: dict[str, Any] = {}
    fields: dict[str, serializers.Field] = serializer.fields  # type: ignore[attr-defined]
    for name, field in fields.items():
        sent = form.getlist(prefix + name)
        if isinstance(field, serializers.Serializer):
            body[name] = form_body(form, field, f"{prefix}{name}.")
        elif not sent or sent == [""]:
            continue
        elif hasattr(field, "from_form"):
            body[name] = field.from_form(sent)
        elif isinstance(field, serializers.ListSerializer):
            body[name] = _json_or_text(sent[-1])
        else:
            body[name] = sent if isinstance(field, serializers.MultipleChoiceField) else sent[-1]
    return body


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # which the family refuses as no list


def mounted(patterns: Iterable[URLPattern]) -> Iterator[URLPattern]:
    """The same routes with the browsable form of each viewset."""
    for pattern in patterns:
        view: Any = pattern.callback
        if hasattr(view, "actions"):  # what is no viewset is a path that is not built yet
            own = {"__doc__": view.cls.__doc__}
            if hasattr(view.cls, "body_parser_class"):
                own["parser_classes"] = (view.cls.body_parser_class,)
            browsable: Any = type(view.cls.__name__, (BrowsableMixin, view.cls), own)
            yield URLPattern(pattern.pattern, browsable.as_view(dict(view.actions), **view.initkwargs))


@require_safe
@for_members
def root(request: HttpRequest, current: Membership) -> HttpResponse:
    """The endpoints."""
    return render(request, "browse/root.html", {"current": current, "endpoints": list(_endpoints())})


def _endpoints() -> Iterator[dict[str, str]]:
    for prefix, patterns in FAMILIES.items():
        for pattern in mounted(patterns):
            route = str(pattern.pattern)
            if not route.endswith("/"):  # its twin with a slash answers alike
                view: Any = pattern.callback
                methods = sorted(method.upper() for method in view.actions if method != "head")
                shown = f"/{prefix}{route}".replace("<str:", "{").replace(">", "}")
                yield {"path": shown, "methods": ", ".join(methods), "link": "" if "{" in shown else f"/browse{shown}"}


urlpatterns = [
    path("", root, name="browse"),
    *[path(prefix, include(list(mounted(patterns)))) for prefix, patterns in FAMILIES.items()],
]

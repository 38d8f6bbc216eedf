"""What the views of all API families share: JSON whatever is accepted, and the order of checks.

Header, key, address list (authentication) → rate limit → method → scope → path → `Idempotency-Key` → body → object.
A family adds its dialect: error bodies, ids, field classes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, ClassVar, Protocol, cast
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, MethodNotAllowed, NotFound, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from helios_site.api import ratelimit
from helios_site.api.families import idempotency
from helios_site.env import Rate


class Caller(Protocol):
    """`request.auth`: what authentication says of a key, or of a signed-in member in the browsable API."""

    @property
    def organization_id(self) -> UUID: ...

    @property
    def scopes(self) -> Collection[str]: ...

    @property
    def helios_lenient_user(self) -> bool:
        """Whether the organisation may leave out, or misspell, what it says of a person."""

    @property
    def key_id(self) -> UUID | None: ...

    @property
    def actor(self) -> Any:
        """The caller as the audit trail names it."""

    @property
    def bucket(self) -> str:
        """The name under which the limiter counts the caller."""

    @property
    def plan(self) -> str:
        """The plan of the organisation."""

    def rate(self, default: Rate) -> Rate:
        """The caller's limit in a family whose general limit is `default`."""

    def record_replay(self, object_id: str) -> None:
        """Note in the audit trail that the caller got a kept reply, which is about this object, once more."""


class FirstRenderer(BaseContentNegotiation):
    """The first parser and the first renderer: neither `Accept` nor `?format` nor `Content-Type` has a say."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser:
        parser: BaseParser = parsers[0]
        return parser

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class FamilyViewMixin(APIView):
    """Base of a family's views. `request.auth` is a Caller once authentication has passed."""

    renderer_classes = (JSONRenderer,)
    content_negotiation_class = FirstRenderer
    metadata_class = None  # OPTIONS describes nothing
    throttle_classes = ()
    takes_idempotency_key: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.charge(request, *self.rate_limit_of(request))
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        self.check_permissions(request)
        self.check_path()
        if request.method == "POST" and request.auth is not None and idempotency.IN_META in request.META:
            if not self.takes_idempotency_key:
                raise self.invalid_header(idempotency.HEADER, idempotency.NOT_TAKEN)
            # As a viewset itself names its handlers: dispatch looks for one after this.
            setattr(self, "post", partial(self._once, getattr(self, "post")))  # noqa: B009, B010

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}  # replies hold health data

    @property
    def allowed_methods(self) -> list[str]:
        return [method for method in super().allowed_methods if method != "OPTIONS"]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed(str(request.method))

    @property
    def caller(self) -> Caller:
        """Who is calling; there is one from authentication on."""
        return cast(Caller, self.request.auth)

    def charge(self, request: Request, bucket: str, rate: Rate) -> None:
        """Count this call in one bucket, which the response's headers will show. Raises Throttled."""
        decision = ratelimit.charge(bucket, rate)
        http_request: HttpRequest = request._request
        http_request.rate_limit = decision  # type: ignore[attr-defined]
        if not decision.allowed:
            raise Throttled(wait=decision.retry_after)

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        """The bucket that this call is counted in, and its limit."""
        raise NotImplementedError

    def check_path(self) -> None:
        """Parse what the path names. Raises the family's error for a malformed id."""

    def before_transaction(self, request: Request) -> None:
        """What may take long and writes nothing, such as reading a large body: a call with an `Idempotency-Key` is one
        transaction, from here to the reply."""

    def invalid_header(self, name: str, message: str) -> APIException:
        """The family's error for a header of ours."""
        raise NotImplementedError

    def _once(
        self, handler: Callable[..., HttpResponseBase], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        call = idempotency.call_of(
            request._request, organization_id=self.caller.organization_id, path_ids=kwargs.values()
        )
        if call is None:
            raise self.invalid_header(idempotency.HEADER, idempotency.INVALID)
        self.before_transaction(request)

        def work() -> HttpResponseBase:
            try:
                return handler(request, *args, **kwargs)
            except Exception as error:
                return self.handle_exception(error)  # which raises a bug again

        return idempotency.once(call, work, on_replay=self.caller.record_replay)


class NothingHereMixin(FamilyViewMixin):
    """Put before a family's view class: 404 to every method of every valid caller."""

    permission_classes = ()  # there is nothing to permit
    schema = None

    @property
    def allowed_methods(self) -> list[str]:
        return [str(self.request.method)]

    def check_path(self) -> None:
        raise NotFound

"""The base of every Healos view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from helios_site.api.families.base import FamilyViewMixin, NothingHereMixin
from helios_site.api.families.healos import json_body
from helios_site.api.families.healos.errors import Invalid, exception_handler
from helios_site.api.families.healos.fields import parse_uuid
from helios_site.api.families.healos.query import refuse_undecodable
from helios_site.env import Rate


class HealosViewMixin(FamilyViewMixin):
    """Speaks the Healos dialect. The name `uuid_path_name`, if a view has one, is parsed into `self.path_id` before
    the handler; a malformed id is answered as an absent object."""

    uuid_path_name: ClassVar[str] = ""
    not_found_text: ClassVar[str] = ""
    path_id: UUID

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_undecodable(request._request)

    @property
    def missing_credentials(self) -> str:
        """The text of a 401 to somebody who sent no credentials."""
        return str(settings.HEALOS_ERROR_TEXTS["missing_key"])

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return exception_handler

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        return f"healos:{self.caller.bucket}", self.caller.rate(settings.HEALOS_RATE_LIMIT)

    def check_path(self) -> None:
        if self.uuid_path_name in self.kwargs:
            found = parse_uuid(self.kwargs[self.uuid_path_name])
            if found is None:
                raise self.not_found()
            self.path_id = found

    def not_found(self) -> NotFound:
        """Absent, foreign and malformed alike."""
        return NotFound(self.not_found_text)

    def invalid_header(self, name: str, message: str) -> Invalid:
        return Invalid({name.lower(): [f"String {message}"]})

    def read_body(self, request: Request) -> dict[str, Any]:
        """The JSON object that was sent. Raises BadRequest or Invalid."""
        return json_body.read_object(request._request, may_be_empty=self.body_may_be_empty)

    @property
    def body_may_be_empty(self) -> bool:
        return False


class UnknownPathView(NothingHereMixin, HealosViewMixin):
    """Whatever no other route of a base takes: 401 without a valid key, else 404, to every method."""

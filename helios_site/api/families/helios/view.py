"""The base of every Helios view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from helios_site.api.families.base import FamilyViewMixin, NothingHereMixin
from helios_site.api.families.helios import json_body
from helios_site.api.families.helios.errors import Invalid, exception_handler
from helios_site.env import Rate


class HeliosViewMixin(FamilyViewMixin):
    """Speaks the Helios dialect. Names in `uuid_path_names` are parsed into `self.path_ids` before the handler."""

    uuid_path_names: ClassVar[tuple[str, ...]] = ()
    path_ids: dict[str, UUID]

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return exception_handler

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        """The general row: one bucket for each key, whatever it calls."""
        return f"helios:{self.caller.bucket}", self.caller.rate(settings.HELIOS_RATE_LIMIT)

    def check_path(self) -> None:
        self.path_ids = {}
        for name in self.uuid_path_names:
            if name in self.kwargs:
                found = as_uuid(self.kwargs[name])
                if found is None:
                    raise Invalid(("path", name), "type_error.uuid")
                self.path_ids[name] = found

    def invalid_header(self, name: str, message: str) -> Invalid:
        return Invalid(("header", name.lower()), "value_error", message)

    def read_body(self, request: Request) -> dict[str, Any]:
        """The JSON object that was sent. Raises Invalid."""
        return json_body.read_object(request._request)


class NotBuiltView(NothingHereMixin, HeliosViewMixin):
    """A path that the original has and this service does not: 404 to every method of every valid key."""


def as_uuid(text: str) -> UUID | None:
    """A UUID in any form that Python's `uuid.UUID` takes; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None

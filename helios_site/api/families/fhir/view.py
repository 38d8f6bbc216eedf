"""The base of every FHIR view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.utils.http import http_date
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from helios_site.api.client_address import bucket_of, client_address
from helios_site.api.families.base import FamilyViewMixin, NothingHereMixin
from helios_site.api.families.fhir.elements import Element
from helios_site.api.families.fhir.errors import MEDIA_TYPE, Invalid, exception_handler
from helios_site.api.families.healos.fields import parse_instant
from helios_site.api.families.healos.versions import is_known
from helios_site.env import Rate


class FhirRenderer(JSONRenderer):
    media_type = MEDIA_TYPE


class FhirViewMixin(FamilyViewMixin):
    """Speaks FHIR: JSON alone, whatever `Accept` and `_format` say."""

    renderer_classes = (FhirRenderer,)
    versions_say_all: ClassVar[bool] = True  # a resource of the same version is the same

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return exception_handler

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        """The bucket of the Healos family: the same records, so reading them here gives no second allowance. What is
        open to everybody counts by address."""
        if request.auth is None:
            return f"fhir:{bucket_of(client_address(request._request))}", settings.HEALOS_RATE_LIMIT
        return f"healos:{self.caller.bucket}", self.caller.rate(settings.HEALOS_RATE_LIMIT)

    def invalid_header(self, name: str, message: str) -> APIException:
        return Invalid(f"The header {name} {message}")

    def reply_to_read(self, request: Request, resource: Element) -> Response:
        """One resource with its version; or, if `versions_say_all`, that the caller has it already."""
        version, changed = resource["meta"]["versionId"], parse_instant(resource["meta"]["lastUpdated"])
        headers = {"ETag": f'W/"{version}"', "Last-Modified": http_date(changed.timestamp())}
        if self.versions_say_all and is_known(request, int(version)):
            return Response(status=304, headers=headers)
        return Response(resource, headers=headers)


class UnknownPathView(NothingHereMixin, FhirViewMixin):
    """Whatever no other route of the base takes: 401 without a valid key, else 404, to every method."""

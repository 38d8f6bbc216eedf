"""What a create of the hosted activity takes: a run's body without the recording time, and where to go afterwards."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.accounts.origins import origin_of
from apps.model_runs.serializers import ModelRunCreateSerializer
from helios_site.api.families.helios.fields import Text, fail

RETURN_URL_MAX_CHARS = 2000
RETURN_URL_PATTERN = "https://[!-~]+"
NOT_ALLOWED = (
    "an https address is needed whose origin is one of those that your organisation allows; its admins set them at "
    "/organization/settings, under Hosted activity"
)


class ReturnUrl(Text):
    """An https address on one of the `origins` in the context."""

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        if not re.fullmatch(RETURN_URL_PATTERN, url) or origin_of(url) not in self.context["origins"]():
            fail("value_error", NOT_ALLOWED)
        return url

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "format": "uri",
            "pattern": f"^{RETURN_URL_PATTERN}$",
            "maxLength": RETURN_URL_MAX_CHARS,
        }


class ActivityCreateSerializer(ModelRunCreateSerializer):
    """Who is to record themselves, and what is to happen with it. Unknown keys are ignored; `null` for an optional key
    equals leaving it out."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        del fields[settings.HELIOS_RECORDING_TIME_KEYS[0]]  # the person records when the page is open
        fields["returnUrl"] = ReturnUrl(
            max_length=RETURN_URL_MAX_CHARS,
            required=False,
            allow_null=True,
            initial=None,
            help_text="Where the page leads once the recording has arrived: https, on an origin that the organisation "
            "allows.",
        )
        return fields

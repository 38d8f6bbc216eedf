"""Usage in the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.accounts.models import Organization
from helios_site.api.families.helios.fields import DAY_PATTERN
from helios_site.api.families.schema import TEXT, Schema, component, fixed, nullable

STATUS_CLASSES = ("2xx", "4xx", "429", "5xx")
MAX_DAYS = 92  # a quarter
DEFAULT_DAYS = 30

_NUMBER: Schema = {"type": "integer", "minimum": 0}
_DAY: Schema = {"type": "string", "format": "date", "pattern": DAY_PATTERN}
_SCHEMAS: dict[str, Schema] = {
    "UsageDay": fixed(
        {
            "day": _DAY,
            "keyPrefix": {**nullable(TEXT), "description": "Null: runs that members created without a key."},
            "requests": fixed(dict.fromkeys(STATUS_CLASSES, _NUMBER)),
            "runs": fixed({"completeOk": _NUMBER, "completeError": _NUMBER}),
        }
    ),
    "UsageLimits": fixed(
        {
            "plan": {"type": "string", "enum": list(Organization.Plan.values)},
            "heliosPerMinute": _NUMBER,
            "healosPerMinute": _NUMBER,
            "pollPerMinute": _NUMBER,
        },
        "Calls a minute that the plan allows each key, and reads of each run's status.",
    ),
    "UsageResponse": fixed(
        {"items": {"type": "array", "items": component("UsageDay")}, "limits": component("UsageLimits")}
    ),
}


def _bound(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, _DAY, OpenApiParameter.QUERY, description=description)


usage = extend_schema_view(
    retrieve=extend_schema(
        operation_id="usage",
        summary="Read what the keys were used for, by day",
        description="Requests by the status of their answers (429 is not among 4xx), and finished runs of the key that "
        "created them. Days are in UTC, the newest first; a day on which a key did nothing is left out. Requests "
        f"appear with a delay of a minute. At most {MAX_DAYS} days at a time; they are kept for 400.",
        parameters=[
            _bound("from", f"The first day; without it {DEFAULT_DAYS} days end with the last."),
            _bound("to", "The last day; without it today."),
        ],
        responses={200: OpenApiResponse(component("UsageResponse"), description="The days, and the plan's limits.")},
    )
)


def describe_usage(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operation names."""
    result["components"].setdefault("schemas", {}).update(_SCHEMAS)
    return result

"""History and baseline of a person in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.model_runs.openapi import CURSOR, LABEL, LIMIT, query_parameter, time_parameter
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from helios_site.api.families.helios.openapi import MOMENT
from helios_site.api.families.schema import NUMBER, SHARE, TEXT, UUID, Schema, component, fixed, nullable

_BASELINE = (
    f"What is usual is told from {settings.HELIOS_BASELINE_WINDOW_DAYS} days, at least "
    f"{settings.HELIOS_BASELINE_MIN_RUNS} of which need a run: of a run in the history from those before its own day, "
    "of the baseline from those that end today. A run counts on the day of its recording time if that was sent, else "
    "on the day of `completedAt`. Runs of poor quality, and those of another model version, do not count."
)
_LABEL = query_parameter("userLabel", LABEL | {"examples": ["person-1"]}, "Exactly this label.", required=True)


def _operation(operation_id: str, summary: str, parameters: list[OpenApiParameter], name: str, said: str) -> Any:
    return extend_schema_view(
        retrieve=extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=_BASELINE,
            parameters=[_LABEL, *parameters],
            responses={200: OpenApiResponse(component(name), description=said)},
        )
    )


history = _operation(
    "user_history",
    "List a person's finished runs with what is unusual in them, newest first",
    [
        time_parameter("from", "Finished then or later."),
        time_parameter("to", "Finished then or earlier."),
        LIMIT,
        CURSOR,
    ],
    "UserHistoryResponse",
    "A page of runs. `deviation` is in the person's own robust standard deviations, null until it can be told.",
)
baseline = _operation(
    "user_baseline",
    "Read what is usual of a person",
    [],
    "UserBaselineResponse",
    "As of today. `mad` is the median absolute deviation; 95 of 100 days lie between `low` and `high`.",
)


def describe_users(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    share = nullable(SHARE)
    item: dict[str, Schema] = {"id": UUID, "completedAt": MOMENT, **dict.fromkeys(CONTINUOUS_NAMES, share)}
    deviation = nullable(fixed(dict.fromkeys(CONTINUOUS_NAMES, nullable(NUMBER))))
    usual = fixed(dict.fromkeys(("median", "mad", "low", "high"), share))
    whole: Schema = {"type": "integer", "minimum": 0}
    items = {"type": "array", "items": fixed(item | {"deviation": deviation})}
    result["components"].setdefault("schemas", {}).update(
        {
            "UserHistoryResponse": fixed({"userLabel": TEXT, "items": items, "nextCursor": nullable(TEXT)}),
            "UserBaselineResponse": fixed(
                {
                    "userLabel": TEXT,
                    "ready": {"type": "boolean"},
                    "runsUsed": whole,
                    "windowDays": whole,
                    "scores": fixed(dict.fromkeys(CONTINUOUS_NAMES, usual)),
                }
            ),
        }
    )
    for path in ("/v1/users/history", "/v1/users/baseline"):
        result["paths"][path]["get"]["responses"]["404"] = {"$ref": "#/components/responses/Helios404"}
    return result

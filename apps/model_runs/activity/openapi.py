"""The hosted activity in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from apps.model_runs.activity.serializers import ActivityCreateSerializer
from apps.model_runs.openapi import MINIMAL
from helios_site.api.families.schema import UUID, Schema, component, example, fixed

RESPONSE = "MentalWellnessModelRunCreateActivityResponse"

activity = extend_schema_view(
    create=extend_schema(
        operation_id="mental_wellness_activity_create",
        summary="Create a run that is recorded on a hosted page",
        description=f"Open `{settings.HELIOS_ACTIVITY_LINK_KEY}` for the person, on its own or in a frame with "
        '`allow="microphone"` on an origin that the organisation allows. It is good for one recording, and for '
        f"{settings.HELIOS_ACTIVITY_URL_TTL_SECONDS} seconds. Once the recording has arrived the run starts by itself. "
        "The page around gets messages `{type, modelRunId}`, whose types are `helios.activity.ready`, `.recording`, "
        "`.uploaded`, `.complete` and, with a `code`, `.error`.",
        request=ActivityCreateSerializer,
        examples=example("The least that is needed", MINIMAL),
        responses={200: OpenApiResponse(component(RESPONSE), description="The run, waiting for its recording.")},
    )
)


def describe_activity(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schema that the operation names."""
    link = {"type": "string", "format": "uri"}
    result["components"].setdefault("schemas", {})[RESPONSE] = fixed(
        {"id": UUID, settings.HELIOS_ACTIVITY_LINK_KEY: link}
    )
    return result

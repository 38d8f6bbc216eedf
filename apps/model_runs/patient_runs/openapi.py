"""A patient's runs and wellness in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view

from apps.model_runs.models import Status
from apps.model_runs.patient_runs.serializers import snake_case
from apps.model_runs.serializers import SCORES
from apps.model_runs.wellness.interface import ErrorCode
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from apps.patients.openapi import ID_IN_PATH, PATIENTS
from helios_site.api.families.healos.openapi import (
    LIST_META,
    MOMENT,
    PATIENT_ID,
    paging,
    query_parameter,
    replies,
    set_list,
)
from helios_site.api.families.schema import NUMBER, SHARE, TEXT, UUID, Schema, component, fixed, nullable

RUNS = f"{PATIENTS}/{{patient_id}}/model-runs"
_DAY: Schema = {"type": "string", "format": "date"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_LEVEL: Schema = {"type": "string", "enum": ["GOOD", "FAIR", "POOR"]}
_TEXTS: Schema = {"type": "array", "items": TEXT}

model_runs = extend_schema_view(
    list=extend_schema(
        operation_id="patient_model_runs",
        summary="List the voice checks of a patient, newest first",
        parameters=[ID_IN_PATH, *paging("Runs")],
        responses=replies(200, "PatientRunList", "A page of runs."),
    )
)
wellness = extend_schema_view(
    retrieve=extend_schema(
        operation_id="patient_wellness",
        summary="Read a patient's scores over time against what is usual of the patient",
        description="`baseline` is made of the "
        f"{settings.HELIOS_BASELINE_WINDOW_DAYS} days that end with the day before the latest reading, and needs "
        f"readings on {settings.HELIOS_BASELINE_MIN_RUNS} of them; `spread` is 1.4826 times the median absolute "
        "deviation. `change` is the latest reading against it; `deviation` counts in spreads. The day of a reading is "
        "that of its recording time if that was sent, else that of its completion. Readings of poor quality, and those "
        "of another model version than the latest, are in neither series nor baseline.",
        parameters=[
            ID_IN_PATH,
            query_parameter(
                "from",
                _DAY,
                "The first day of the series; without it the series begins as many days before its end as the baseline "
                "is made of.",
            ),
            query_parameter("to", _DAY, "The last day of the series."),
        ],
        responses=replies(200, "PatientWellnessReply", "Six scores from 0 to 1; higher is worse."),
    )
)


def describe_patient_runs(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    share, number = nullable(SHARE), nullable(NUMBER)
    quality = fixed({"level": _LEVEL, "snr_db": number, "clipping_ratio": SHARE, "issues": _TEXTS})
    run = fixed(
        {
            "id": UUID,
            "status": {"type": "string", "enum": list(Status.values)},
            "created_at": MOMENT,
            "completed_at": nullable(MOMENT),
            "error_code": nullable({"type": "string", "enum": [str(code) for code in ErrorCode]}),
            "warnings": _TEXTS,
            "scores": nullable(fixed({snake_case(name): share for name in SCORES})),
            "quality": nullable(quality),
            "model_version": nullable(TEXT),
        }
    )
    reading: dict[str, Schema] = {"model_run_id": UUID, "day": _DAY, "time": MOMENT}
    usual: dict[str, Schema] = {
        "ready": {"type": "boolean"},
        "runs_used": _WHOLE,
        "days_used": _WHOLE,
        **dict.fromkeys(("median", "spread", "low", "high"), share),
        "minimum_detectable_change": number,
    }
    score = fixed(
        {
            "series": {"type": "array", "items": fixed(reading | {"value": share})},
            "baseline": fixed(usual),
            "change": fixed({"value": share, "deviation": number, "changed": {"type": "boolean"}, "text": TEXT}),
        }
    )
    body: dict[str, Schema] = {
        "patient_id": PATIENT_ID,
        "window_days": _WHOLE,
        "min_days": _WHOLE,
        "model_version": nullable(TEXT),
        "latest": nullable(fixed(reading | {"quality": nullable(_LEVEL)})),
        "scores": fixed({snake_case(name): component("PatientWellnessScore") for name in CONTINUOUS_NAMES}),
    }
    runs = {"data": {"type": "array", "items": run}, "meta": component(LIST_META)}
    result["components"].setdefault("schemas", {}).update(
        {
            "PatientRunList": fixed(runs),
            "PatientWellnessScore": score,
            "PatientWellnessReply": fixed({"data": fixed(body)}),
        }
    )
    set_list(result, RUNS, "PatientRunList")
    return result

"""Appointments in the API description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from apps.patients.appointments.filters import LONGEST_SPAN, ORDERS
from apps.patients.appointments.recurrence import MOST_OCCURRENCES
from apps.patients.appointments.serializers import (
    MAX_INTEGER,
    AppointmentChangeSerializer,
    AppointmentCreateSerializer,
)
from apps.patients.models import Appointment
from apps.patients.openapi import EXTERNAL_ID
from helios_site.api.families.healos.openapi import (
    EXAMPLE_ID,
    IF_MATCH,
    IF_NONE_MATCH,
    MOMENT,
    PATIENT_ID,
    object_and_list,
    paging,
    query_parameter,
    replies,
    set_list,
    sorting,
)
from helios_site.api.families.schema import TEXT, UUID, Schema, component, example, fixed, nullable

APPOINTMENTS = "/ext-api/v1/appointments"
ID_IN_PATH = OpenApiParameter("appointment_id", UUID, OpenApiParameter.PATH, description="Id of the appointment.")
_DAY: Schema = {"type": "string", "format": "date"}
_FROM_ONE: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
_VISIT: Schema = {"type": "string", "enum": list(Appointment.VisitType.values)}
_STATUS: Schema = {"type": "string", "enum": list(Appointment.Status.values)}
_RULE = {
    "frequency": {"type": "string", "enum": list(settings.HEALOS_REPEAT_FREQUENCIES)},
    "interval": _FROM_ONE,
    "end_date": nullable(_DAY),
}
_APPOINTMENT: dict[str, Schema] = {
    "id": UUID,
    "patient_id": PATIENT_ID,
    "patient_name": {"type": "string", "description": "The present name of the patient."},
    "appointment_type": TEXT,
    "visit_type": _VISIT,
    "start_at": MOMENT,
    "duration_minutes": _FROM_ONE,
    "notes": TEXT,
    "status": _STATUS,
    "repeat_rule": nullable(
        fixed(
            _RULE,
            "The appointment takes place again every `interval` days, weeks, months or years, at the same time of the "
            "day, up to and with `end_date`, or without an end. A month or year that lacks the day, such as the 31st "
            "or 29 February, is left out. The rule is kept with the one appointment; a list with `expand=true` "
            "unfolds it.",
        )
    ),
    "external_id": nullable(TEXT),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_EXAMPLE = {"patient_id": EXAMPLE_ID, "start_at": "2030-01-15T09:30:00Z", "duration_minutes": 30}
_DEFAULTS = ", ".join(
    f"`{name}` is {value!r}".replace("'", '"') for name, value in settings.HEALOS_APPOINTMENT_DEFAULTS.items() if value
)
_NO_PATIENT = "If your organisation has no such patient, the answer is 404 and nothing is stored."
_END = "The `end_date` of a `repeat_rule` must not be before the day, in UTC, of `start_at`."
_KEPT = f"It can be restored for {settings.SOFT_DELETE_DAYS} days, and is gone for ever then."
_EXPAND = (
    "`true`: each time that a repeated appointment takes place from `start_date` to `end_date`, both required then and "
    f"at most {LONGEST_SPAN} days apart, is an item of its own: the appointment with the same `id` and its own "
    "`start_at`. One that is not repeated is there once, one that is cancelled with its `status`. Times keep their "
    "wall-clock time in `tz`: one that a change of clocks leaves out is as much later as the clocks go forward, and of "
    "one that comes twice the first is meant. A month or year that lacks the day, such as the 31st or 29 February, is "
    f"left out. More than {MOST_OCCURRENCES} occurrences are refused with 400: narrow the dates."
)

appointments = extend_schema_view(
    list=extend_schema(
        operation_id="appointments_list",
        summary="List the organisation's appointments, the earliest first",
        description=f"Days are those of {settings.HEALOS_DAY_TIMEZONE}. A repeated appointment is one item, on the day "
        "of its first occurrence, unless the list is unfolded with `expand=true`.",
        parameters=[
            *paging("Appointments"),
            query_parameter("date", _DAY, "On this day; then `start_date` and `end_date` have no effect."),
            query_parameter("start_date", _DAY, "On this day or later."),
            query_parameter("end_date", _DAY, "On this day or earlier."),
            EXTERNAL_ID,
            query_parameter("patient_id", TEXT | {"maxLength": 255, "minLength": 1}, "Of this patient."),
            query_parameter("status", _STATUS, "In this state."),
            query_parameter("visit_type", _VISIT, "Of this kind."),
            sorting(ORDERS),
            query_parameter("expand", {"type": "string", "enum": ["true", "false"]}, _EXPAND),
            query_parameter(
                "tz",
                TEXT | {"examples": ["Europe/London"]},
                f"With `expand=true`: the IANA name of the time zone whose days and wall-clock times are meant; "
                f"otherwise {settings.HEALOS_DAY_TIMEZONE}.",
            ),
        ],
        responses=replies(200, "AppointmentList", "A page of appointments."),
    ),
    create=extend_schema(
        operation_id="appointments_create",
        summary="Create an appointment",
        description=f"Where a field is left out, {_DEFAULTS}. {_END} {_NO_PATIENT} If an appointment with this "
        "`external_id` exists, the answer is 409 with that appointment in `data`.",
        request=AppointmentCreateSerializer,
        examples=example("Half an hour", _EXAMPLE),
        responses=replies(201, "AppointmentReply", "The new appointment."),
    ),
    retrieve=extend_schema(
        operation_id="appointments_retrieve",
        summary="Read one appointment",
        parameters=[ID_IN_PATH, IF_NONE_MATCH],
        responses=replies(200, "AppointmentReply", "The appointment."),
    ),
    partial_update=extend_schema(
        operation_id="appointments_update",
        summary="Change what is sent, and nothing else",
        description=f"{_END} {_NO_PATIENT}",
        parameters=[ID_IN_PATH, IF_MATCH],
        request=AppointmentChangeSerializer,
        examples=example("Later", {"start_at": "2030-01-15T11:00:00Z"}),
        responses=replies(200, "AppointmentReply", "The whole appointment as it is now."),
    ),
    destroy=extend_schema(
        operation_id="appointments_delete",
        summary="Delete an appointment, with all its repetitions",
        description=_KEPT,
        parameters=[ID_IN_PATH, IF_MATCH],
        responses=replies(200, "AppointmentDeleted", "It is deleted."),
    ),
)
restoring = extend_schema(
    operation_id="appointments_restore",
    summary="Restore a deleted appointment",
    description="If its patient is deleted, the answer is 404: restore the patient. If its `external_id` has been "
    "taken since, it is 409 with the appointment that has it.",
    parameters=[ID_IN_PATH],
    request=None,
    responses=replies(200, "AppointmentReply", "The appointment."),
)


def describe_appointments(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    schemas = result["components"].setdefault("schemas", {})
    whole = component("Appointment")
    schemas |= {"Appointment": fixed(_APPOINTMENT), **object_and_list("Appointment", whole, whole)}
    set_list(result, APPOINTMENTS, "AppointmentList")
    operations = result["paths"]
    operations[f"{APPOINTMENTS}/{{appointment_id}}"]["patch"]["requestBody"]["required"] = True
    operations[APPOINTMENTS]["post"]["responses"]["404"] = {"$ref": "#/components/responses/Healos404"}
    return result

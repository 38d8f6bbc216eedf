"""`/ext-api/v1/appointments`."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.patients.appointments import openapi, selectors, services
from apps.patients.appointments.filters import NARROWING, AppointmentFilter
from apps.patients.appointments.recurrence import MOST_OCCURRENCES
from apps.patients.appointments.serializers import (
    FIELDS,
    AppointmentChangeSerializer,
    AppointmentCreateSerializer,
    appointment_item,
)
from apps.patients.models import Appointment
from apps.patients.record_views import NothingSerializer, RecordViewSet, conflict, not_found
from apps.patients.selectors import count_records
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.pages import meta_of, page_of, read_page
from helios_site.api.families.healos.query import left_by, narrowed
from helios_site.api.families.healos.versions import expected_version


@openapi.appointments
class AppointmentViewSet(RecordViewSet):
    """When your organisation sees its patients."""

    kind = "appointment"
    scope_resource = "appointments"
    uuid_path_name = "appointment_id"

    def get_serializer_class(self) -> Any:
        if self.action == "restore":
            return NothingSerializer
        return AppointmentCreateSerializer if self.action in ("create", "list") else AppointmentChangeSerializer

    @property
    def body_may_be_empty(self) -> bool:
        return self.action == "restore"

    def create(self, request: Request) -> Response:
        fields = self.validated(request, AppointmentCreateSerializer)
        try:
            appointment = services.create_appointment(
                actor=self.caller.actor, organization_id=self.caller.organization_id, fields=fields
            )
        except services.PatientMissing:
            raise not_found("patient") from None
        except services.ExternalIdTaken as taken:
            raise conflict(taken) from None
        return self.reply(appointment, 201)

    def list(self, request: Request) -> Response:
        query, organization_id = request.query_params, self.caller.organization_id
        page, limit = read_page(query)
        appointments = selectors.list_appointments(organization_id)
        if query.get("expand") == "true":
            rows, meta = self.unfolded(AppointmentFilter(query, appointments), page, limit)
        else:
            appointments = narrowed(AppointmentFilter, query, appointments)
            total = None if any(name in query for name in NARROWING) else count_records(organization_id, self.kind)
            rows, meta = page_of(appointments.values(*FIELDS), page, limit, total=total)
        services.record_read(actor=self.caller.actor, organization_id=organization_id, appointment_id=None)
        return Response({"data": [appointment_item(row) for row in rows], "meta": meta})

    def unfolded(self, filters: AppointmentFilter, page: int, limit: int) -> tuple[Any, dict[str, int]]:
        """One page of the occurrences, each as the appointment with its own `start_at`, and `meta`."""
        appointments = left_by(filters)
        try:
            found = selectors.unfolded(appointments, filters.span())
        except selectors.TooMany:
            narrower = f"More than {MOST_OCCURRENCES} occurrences. Narrow start_date and end_date"
            raise Invalid({"expand": [narrower]}) from None
        order = filters.form.cleaned_data["sort"] or "start_at"
        if order.endswith("start_at"):  # otherwise they come in the order of the appointments
            found.sort(key=lambda one: (one[1], one[0]), reverse=order.startswith("-"))
        shown = found[(page - 1) * limit : page * limit]
        rows = selectors.by_id(self.caller.organization_id, {one for one, _ in shown}, FIELDS)
        # One that was deleted meanwhile is left out.
        return [rows[one] | {"start_at": at} for one, at in shown if one in rows], meta_of(page, limit, len(found))

    def retrieve(self, request: Request, appointment_id: str) -> Response:
        appointment = self.found()
        services.record_read(
            actor=self.caller.actor, organization_id=self.caller.organization_id, appointment_id=appointment.pk
        )
        return self.reply_to_read(request, appointment)

    def partial_update(self, request: Request, appointment_id: str) -> Response:
        version = expected_version(request, self.found().version)
        try:
            changed = services.change_appointment(
                actor=self.caller.actor,
                organization_id=self.caller.organization_id,
                appointment_id=self.path_id,
                changes=self.validated(request, AppointmentChangeSerializer, partial=True),
                expected_version=version,
            )
        except services.PatientMissing:
            raise not_found("patient") from None
        if changed is None:
            raise self.not_found()
        return self.reply(changed)

    def destroy(self, request: Request, appointment_id: str) -> Response:
        version = expected_version(request, self.found().version)
        if not services.delete_appointment(
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            appointment_id=self.path_id,
            expected_version=version,
        ):
            raise self.not_found()
        return self.deleted(self.path_id)

    @openapi.restoring
    def restore(self, request: Request, appointment_id: str) -> Response:
        self.validated(request, NothingSerializer)
        try:
            appointment = services.restore_appointment(
                actor=self.caller.actor, organization_id=self.caller.organization_id, appointment_id=self.path_id
            )
        except services.ExternalIdTaken as taken:
            raise conflict(taken) from None
        if appointment is None:
            raise self.not_found()
        return self.reply(appointment)

    def found(self) -> Appointment:
        appointment = selectors.get_appointment(self.caller.organization_id, self.path_id)
        if appointment is None:
            raise self.not_found()
        return appointment

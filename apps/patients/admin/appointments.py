"""Appointments, as staff see them: when and for whom. What for is shown for a reason."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from apps.patients.admin.records import RecordAdmin, with_reason
from apps.patients.models import Appointment


@admin.register(Appointment)
class AppointmentAdmin(RecordAdmin):
    audit_object_type = "appointment"
    contents = ("appointment_type", "notes", "repeat_rule")
    own_pages = ("reveal",)
    list_display = (
        "id", "organization", "patient_link", "external_id", "start_at", "duration_minutes", "status", "created_at",
        "deleted_at",
    )  # fmt: skip
    fields = (
        "organization", "id", "patient_link", "external_id", "start_at", "duration_minutes", "visit_type", "status",
        "created_at", "updated_at", "deleted_at",
    )  # fmt: skip
    readonly_fields = ("id", "patient_link", "created_at", "updated_at", "deleted_at")

    @with_reason("Reveal an appointment", "What the appointment is for is shown once, on the next page.")
    def reveal_view(self, request: HttpRequest, appointment: Appointment, reason: str) -> HttpResponse:
        self.record(request, appointment, "revealed", reason)
        return self.show(
            request, "revealed_appointment", appointment, "An appointment", reason=reason, appointments=[appointment]
        )

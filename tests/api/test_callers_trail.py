"""What callers write over the API, and some of what they read, as one table with the event that tells of it. A new
route that writes needs a row."""

from __future__ import annotations

from typing import Any

from django.test import Client

from apps.accounts.models import AuditEvent
from helios_site.env import Rate
from tests.api.permission_rows import MATRIX
from tests.api.test_permission_matrix import ask, clients, own_objects  # noqa: F401 - a fixture among them
from tests.conftest import MakeKey

EVENTS = {
    ("POST", "v1/models/mental-wellness"): "model_run.created",
    ("POST", "v1/models/mental-wellness-activity"): "model_run.created",
    ("GET", "v1/models/mental-wellness"): "model_run.listed",
    ("DELETE", "v1/models/mental-wellness/<str:model_run_id>"): "model_run.deleted",
    ("PUT", r"^uploads/(?P<run_id>[^/]+)$"): "model_run.recording_received",
    ("POST", "v1/webhooks"): "webhook.created",
    ("DELETE", "v1/webhooks/<str:webhook_id>"): "webhook.deleted",
    ("POST", "v1/webhooks/<str:webhook_id>/rotate"): "webhook.secret_rotated",
    ("POST", "v1/webhooks/<str:webhook_id>/test"): "webhook.test_sent",
    ("POST", "v1/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/resend"): "webhook.resent",
    ("POST", "api/v1/ext-api-keys"): "api_key.created",
    ("PATCH", "api/v1/ext-api-keys/<str:key_id>"): "api_key.changed",
    ("DELETE", "api/v1/ext-api-keys/<str:key_id>"): "api_key.revoked",
    ("POST", "api/v1/ext-api-keys/<str:key_id>/rotate"): "api_key.rotated",
    ("GET", "fhir/Patient/<str:resource_id>"): "patient.read",
    ("GET", "fhir/Appointment/<str:resource_id>"): "appointment.read",
    ("GET", "fhir/DocumentReference/<str:resource_id>"): "document.read",
    ("GET", "fhir/Observation/<str:resource_id>"): "model_run.read",  # its search: tests/contract/fhir
    ("GET", "ext-api/v1/audit-events"): "audit_event.listed",
    ("GET", "ext-api/v1/audit-events/export"): "audit_event.exported",
    ("GET", "ext-api/v1/patients"): "patient.listed",
    ("POST", "ext-api/v1/patients"): "patient.created",
    ("GET", "ext-api/v1/patients/<str:patient_id>"): "patient.read",
    ("PATCH", "ext-api/v1/patients/<str:patient_id>"): "patient.changed",
    ("DELETE", "ext-api/v1/patients/<str:patient_id>"): "patient.deleted",
    ("POST", "ext-api/v1/patients/<str:patient_id>/restore"): "patient.restored",
    ("POST", "ext-api/v1/patients/<str:patient_id>/erase"): "patient.erased",
    ("POST", "ext-api/v1/patients/<str:patient_id>/export"): "patient.export_requested",
    ("GET", "ext-api/v1/patients/<str:patient_id>/exports/<str:export_id>"): "patient.export_read",
    ("GET", "ext-api/v1/patients/<str:patient_id>/model-runs"): "patient.model_runs_listed",
    ("GET", "ext-api/v1/patients/<str:patient_id>/wellness"): "patient.wellness_read",
    ("GET", "ext-api/v1/notes"): "note.listed",
    ("GET", "ext-api/v1/notes/export"): "note.exported",
    ("GET", "ext-api/v1/notes/<str:note_id>"): "note.read",
    ("GET", "ext-api/v1/sessions/<str:session_id>/notes"): "session.read",
    ("GET", "ext-api/v1/appointments"): "appointment.listed",
    ("POST", "ext-api/v1/appointments"): "appointment.created",
    ("GET", "ext-api/v1/appointments/<str:appointment_id>"): "appointment.read",
    ("PATCH", "ext-api/v1/appointments/<str:appointment_id>"): "appointment.changed",
    ("DELETE", "ext-api/v1/appointments/<str:appointment_id>"): "appointment.deleted",
    ("POST", "ext-api/v1/appointments/<str:appointment_id>/restore"): "appointment.restored",
    ("GET", "ext-api/v1/patients/<str:patient_id>/documents"): "document.listed",
    ("POST", "ext-api/v1/patients/<str:patient_id>/documents"): "document.created",
    ("DELETE", "ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>"): "document.deleted",
    ("POST", "ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>/restore"): "document.restored",
    ("GET", "documents/<str:document_id>"): "document.downloaded",
    ("GET", "ext-api/v1/export"): "patient.exported",
    ("GET", "audit"): "audit_event.listed",
    ("GET", "audit/download"): "audit_event.exported",
    ("GET", "patients"): "patient.listed",
    ("GET", "patients/deleted"): "patient.listed",
    ("GET", "patients/<int:patient_id>"): "patient.wellness_read",
    ("GET", "patients/<int:patient_id>/edit"): "patient.read",
    ("GET", "patients/<int:patient_id>/delete"): "patient.read",
    ("POST", "patients/<int:patient_id>/restore"): "patient.restored",
    ("GET", "patients/<int:patient_id>/archives"): "patient.read",
    ("POST", "patients/<int:patient_id>/archives"): "patient.export_requested",
    ("GET", "patients/<int:patient_id>/erase"): "patient.read",
    ("GET", "appointments"): "appointment.listed",
    ("GET", "patients/<int:patient_id>/appointments"): "appointment.listed",
    ("GET", "patients/<int:patient_id>/appointments/<uuid:appointment_id>"): "appointment.read",
    ("GET", "patients/<int:patient_id>/documents"): "document.listed",
    ("POST", "patients/<int:patient_id>/documents"): "document.created",
    ("GET", "patients/<int:patient_id>/documents/<uuid:document_id>/file"): "document.opened",
    ("POST", "patients/<int:patient_id>/documents/<uuid:document_id>/delete"): "document.deleted",
    ("GET", "patients/<int:patient_id>/notes"): "note.listed",
    ("GET", "patients/<int:patient_id>/notes/<uuid:note_id>"): "note.read",
    ("GET", "runs"): "model_run.listed",
    ("GET", "runs/<uuid:model_run_id>.json"): "model_run.read",  # the page's: tests/model_runs/test_result_pages.py
    ("GET", "runs/<uuid:model_run_id>.csv"): "model_run.read",
    ("POST", "runs/<uuid:model_run_id>/delete"): "model_run.deleted",
}
# Writes of which no event is expected here, and why.
WITHOUT = {
    ("POST", "v1/models/apollo"),  # not built
    ("POST", "api/v1/ext-api-keys/report-leak"),  # tests/api_keys/test_leaks.py: the table sends no key
    ("POST", "api/v1/secret-scanning/github"),  # likewise: switched off
    ("POST", "ext-api/v1/import"),  # tests/contract/healos/test_imports.py: the table sends no lines
    ("POST", "browse/ext-api/v1/import"),
    ("POST", "v1/webhooks/<str:webhook_id>/enable"),  # the table's is enabled: tests/contract/helios/test_webhooks.py
    ("POST", "browse/v1/webhooks/<str:webhook_id>/enable"),
    # Forms of pages, which the table sends empty: test_patient_pages.py of tests/patients and tests/model_runs
    ("POST", "patients/new"),
    ("POST", "patients/<int:patient_id>/edit"),
    ("POST", "patients/<int:patient_id>/consent"),
    ("POST", "patients/<int:patient_id>/delete"),
    ("POST", "patients/<int:patient_id>/erase"),
    ("POST", "patients/<int:patient_id>/archives/<uuid:export_id>"),  # likewise: its archive is not made yet
    # Forms of pages, which the table sends empty, or for what is not deleted: tests/patients/pages
    ("POST", "patients/<int:patient_id>/appointments/new"),
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>"),
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/cancel"),
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/delete"),
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/restore"),
    ("POST", "patients/<int:patient_id>/documents/<uuid:document_id>/restore"),
}
BY_SESSION = ("api/v1/", "appointments", "audit", "browse/", "patients", "runs")
API = ("v1/", "ext-api/v1/", "^uploads/", *BY_SESSION)


def test_every_route_that_writes_has_a_row() -> None:
    writes = {(method, route) for method, route in MATRIX if method != "GET" and route.startswith(API)} - WITHOUT
    assert writes
    assert {(method, route.removeprefix("browse/")) for method, route in writes} <= set(EVENTS)


def test_each_of_them_is_on_the_record_with_caller_address_and_request(
    clients: dict[str, Client],  # noqa: F811 - the fixture
    make_key: MakeKey,
    settings: Any,
) -> None:
    settings.HEALOS_RATE_LIMIT = Rate(10_000, 60)  # which the rows together are above
    missing = {}
    for (method, route), action in EVENTS.items():
        for form in (route, f"browse/{route}"):
            if (method, form) not in MATRIX:
                continue
            by_session = form.startswith(BY_SESSION)
            objects = own_objects(clients["own"], make_key, method, form)
            before = AuditEvent.objects.latest("id").pk
            status = ask(clients["admin" if by_session else "own"], method, form, objects)
            by_link = method == "PUT" or form.startswith("documents/")  # the signed URL names nobody
            actor_type = "system" if by_link else "user" if by_session else "key"
            found = AuditEvent.objects.filter(
                id__gt=before, action=action, actor_type=actor_type, outcome="ok", address="127.0.0.1", method=method
            ).exclude(request_id="")
            if status not in (200, 201, 202, 302) or not found.exists():
                missing[method, form] = status
    assert missing == {}

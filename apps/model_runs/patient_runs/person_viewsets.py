"""`/ext-api/v1/patients/{patient_id}/erase`, `/export` and `/exports/{export_id}`: a person's data leaves whole."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api_keys.permissions import require_scopes
from apps.api_keys.scopes import allows
from apps.model_runs.patient_runs import person_openapi as openapi
from apps.model_runs.patient_runs.erasure import REASONS, RunsAreLinked, erase_person, has_runs
from apps.model_runs.patient_runs.export_page import export_url
from apps.patients import selectors, services
from apps.patients.models import PatientExport
from apps.patients.record_views import NothingSerializer, RecordViewSet, not_found
from helios_site.api.families.healos.fields import Choice, StrictSerializer, timestamp

READ_RUNS, WRITE_RUNS = "model_runs:read", "model_runs:write"
READ_RECORDS = ("appointments:read", "documents:read", "notes:read")


class ErasureSerializer(StrictSerializer):
    reason = Choice(choices=REASONS)


@openapi.erasure
class ErasureViewSet(RecordViewSet):
    """Everything of one person, erased for good."""

    kind = "patient"
    scope_resource = "patients"
    serializer_class = ErasureSerializer

    def create(self, request: Request, patient_id: str) -> Response:
        organization_id = self.caller.organization_id
        if not selectors.is_kept(organization_id, self.patient_id):
            raise self.not_found()
        if has_runs(organization_id, self.patient_id):
            require_scopes(request, WRITE_RUNS)
        try:
            erased = erase_person(
                actor=self.caller.actor,
                organization_id=organization_id,
                patient_id=self.patient_id,
                reason=self.validated(request, ErasureSerializer)["reason"],
                with_runs=allows(self.caller.scopes, WRITE_RUNS),
            )
        except RunsAreLinked:  # since we looked
            require_scopes(request, WRITE_RUNS)
            raise
        if not erased:
            raise self.not_found()
        return Response({"data": {"id": str(self.patient_id)}, "message": "Patient erased"})


@openapi.exports
class PatientExportViewSet(RecordViewSet):
    """An archive of everything of one person."""

    kind = "export"
    uuid_path_name = "export_id"
    required_scopes: ClassVar = dict.fromkeys(("GET", "HEAD", "POST"), "patients:read")
    also_required_scopes = READ_RECORDS
    serializer_class = NothingSerializer
    body_may_be_empty = True

    def create(self, request: Request, patient_id: str) -> Response:
        self._require_patient(request)
        self.validated(request, NothingSerializer)
        export = services.request_export(
            actor=self.caller.actor, organization_id=self.caller.organization_id, patient_id=self.patient_id
        )
        if export is None:
            raise not_found("patient")
        return Response({"data": export_body(export)}, status=202)

    def retrieve(self, request: Request, patient_id: str, export_id: str) -> Response:
        self._require_patient(request)
        export = selectors.get_export(self.caller.organization_id, self.patient_id, self.path_id)
        if export is None:
            raise self.not_found()
        if export.holds_runs:  # be they no longer linked
            require_scopes(request, READ_RUNS)
        services.record_export("export_read", export, actor=self.caller.actor)
        return Response({"data": export_body(export)})

    def _require_patient(self, request: Request) -> None:
        if selectors.get_patient(self.caller.organization_id, self.patient_id) is None:
            raise not_found("patient")
        if has_runs(self.caller.organization_id, self.patient_id):
            require_scopes(request, READ_RUNS)


def export_body(export: PatientExport) -> dict[str, Any]:
    is_ready = export.status == PatientExport.Status.READY
    return {
        "id": str(export.id),
        "status": export.status,
        "url": export_url(export) if is_ready else None,
        "expires_at": timestamp(export.expires_at),
        "created_at": timestamp(export.created_at),
    }

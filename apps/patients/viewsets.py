"""`/ext-api/v1/patients`."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api_keys.scopes import allows
from apps.patients import openapi, selectors, services
from apps.patients.filters import NARROWING, PatientFilter
from apps.patients.models import Patient
from apps.patients.record_views import NothingSerializer, RecordViewSet, conflict
from apps.patients.serializers import LIST_FIELDS, PatientChangeSerializer, PatientCreateSerializer, patient_item
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.query import narrowed
from helios_site.api.families.healos.versions import expected_version


@openapi.patients
class PatientViewSet(RecordViewSet):
    """The people whom your organisation looks after."""

    kind = "patient"
    scope_resource = "patients"

    def get_serializer_class(self) -> Any:
        if self.action == "restore":
            return NothingSerializer
        return PatientCreateSerializer if self.action in ("create", "list") else PatientChangeSerializer

    @property
    def body_may_be_empty(self) -> bool:
        return self.action == "restore"

    def create(self, request: Request) -> Response:
        fields = self.validated(request, PatientCreateSerializer)
        try:
            patient = services.create_patient(
                actor=self.caller.actor, organization_id=self.caller.organization_id, fields=fields
            )
        except services.ExternalIdTaken as taken:
            raise conflict(taken) from None
        return self.reply(patient, 201)

    def list(self, request: Request) -> Response:
        query, organization_id = request.query_params, self.caller.organization_id
        page, limit = read_page(query)
        patients = narrowed(PatientFilter, query, selectors.list_patients(organization_id))
        total = (
            None if any(name in query for name in NARROWING) else selectors.count_records(organization_id, "patient")
        )
        rows, meta = page_of(patients.values(*LIST_FIELDS), page, limit, total=total)
        services.record_read(actor=self.caller.actor, organization_id=organization_id, patient_id=None)
        return Response({"data": [patient_item(row) for row in rows], "meta": meta})

    def retrieve(self, request: Request, patient_id: str) -> Response:
        patient = self.found()
        services.record_read(
            actor=self.caller.actor, organization_id=self.caller.organization_id, patient_id=patient.pk
        )
        return self.reply_to_read(request, patient)

    def partial_update(self, request: Request, patient_id: str) -> Response:
        version = expected_version(request, self.found().version)
        changed = services.change_patient(
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            patient_id=self.patient_id,
            changes=self.validated(request, PatientChangeSerializer, partial=True),
            expected_version=version,
        )
        if changed is None:
            raise self.not_found()
        return self.reply(changed)

    def destroy(self, request: Request, patient_id: str) -> Response:
        version = expected_version(request, self.found().version)
        if not services.delete_patient(
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            patient_id=self.patient_id,
            expected_version=version,
        ):
            raise self.not_found()
        return self.deleted(self.patient_id)

    @openapi.restoring
    def restore(self, request: Request, patient_id: str) -> Response:
        self.validated(request, NothingSerializer)
        try:
            patient = services.restore_patient(
                actor=self.caller.actor, organization_id=self.caller.organization_id, patient_id=self.patient_id
            )
        except services.ExternalIdTaken as taken:
            # It may be an appointment or a document, of another patient at that: shown to whoever may read it.
            kind = taken.existing._meta.model_name
            is_shown = kind == self.kind or allows(self.caller.scopes, f"{kind}s:read")
            raise conflict(taken, with_data=is_shown) from None
        if patient is None:
            raise self.not_found()
        return self.reply(patient)

    def found(self) -> Patient:
        patient = selectors.get_patient(self.caller.organization_id, self.patient_id)
        if patient is None:
            raise self.not_found()
        return patient

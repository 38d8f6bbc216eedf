"""`/ext-api/v1/patients/{patient_id}/model-runs` and `/wellness`."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.model_runs import readings, selectors
from apps.model_runs.models import ModelRunQuerySet
from apps.model_runs.patient_runs import openapi
from apps.model_runs.patient_runs.filters import WellnessFilter
from apps.model_runs.patient_runs.serializers import RUN_FIELDS, run_item, wellness_body
from apps.model_runs.wellness.baseline import POOR, Reading, days_before
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from apps.patients.record_views import RecordViewSet
from apps.patients.selectors import get_patient
from apps.patients.services import trail
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.query import refuse_wrong

MOST_SHOWN = 1_000  # readings of a series


class _OfPatient(RecordViewSet):
    kind = "patient"
    scope_resource = "patients"
    also_required_scopes = ("model_runs:read",)

    def runs(self) -> ModelRunQuerySet:
        """The patient's, newest first. Raises NotFound."""
        if get_patient(self.caller.organization_id, self.patient_id) is None:
            raise self.not_found()
        return selectors.list_runs(self.caller.organization_id).filter(patient_id=self.patient_id)

    def record(self, verb: str) -> None:
        trail.record(
            self.kind,
            verb,
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            object_id=self.patient_id,
        )


@openapi.model_runs
class PatientRunViewSet(_OfPatient):
    """The runs that are linked to a patient, newest first, whatever became of them."""

    def list(self, request: Request, patient_id: str) -> Response:
        page, limit = read_page(request.query_params)
        rows, meta = page_of(self.runs().values(*RUN_FIELDS), page, limit)
        self.record("model_runs_listed")
        return Response({"data": [run_item(row) for row in rows], "meta": meta})


@openapi.wellness
class WellnessViewSet(_OfPatient):
    """How a patient's scores went over time, what is usual of the patient, and whether the latest reading differs."""

    def retrieve(self, request: Request, patient_id: str) -> Response:
        runs = self.runs()
        filters = WellnessFilter(request.query_params, readings.by_day(runs))
        refuse_wrong(filters.form)
        series = filters.qs
        latest = readings.by_day(runs).first()
        if latest is None:
            current = Reading(timezone.now().date(), dict.fromkeys(CONTINUOUS_NAMES), None, "")
        else:
            current = readings.reading_of(latest)
        if filters.form.cleaned_data["from"] is None:
            last = filters.form.cleaned_data["to"] or current.day
            series = series.filter(day__gte=days_before(last, settings.HELIOS_BASELINE_WINDOW_DAYS))
        [comparison] = readings.compared(runs, [current])
        comparable = series.filter(model_version=current.model_version).exclude(quality__level=POOR)
        self.record("wellness_read")
        return Response({"data": wellness_body(self.patient_id, latest, comparison, reversed(comparable[:MOST_SHOWN]))})

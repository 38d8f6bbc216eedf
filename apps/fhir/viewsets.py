"""`/fhir`: patients and what is kept of them, read-only, as FHIR R4."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.fhir import openapi, selectors
from apps.fhir.pages import DEFAULT_COUNT, cursor_at, page_of_scores, read_place
from apps.fhir.resources.appointments import appointment_resource
from apps.fhir.resources.conformance import capability_statement
from apps.fhir.resources.documents import document_resource
from apps.fhir.resources.observations import observation_resource
from apps.fhir.resources.patients import patient_resource
from apps.fhir.resources.scores import CODES, code_system
from apps.model_runs.services import record_read
from apps.patients.services import trail
from helios_site.api.families.fhir.bundles import link, read_count, read_reference, searchset
from helios_site.api.families.fhir.view import FhirViewMixin


class _OpenViewSet(FhirViewMixin, ViewSet):
    """For everybody: nothing in it is anybody's."""

    authentication_classes = ()
    permission_classes = ()


@openapi.metadata
class MetadataViewSet(_OpenViewSet):
    """What can be read here, and how: the CapabilityStatement."""

    def retrieve(self, request: Request) -> Response:
        return Response(capability_statement())


@openapi.code_system
class CodeSystemViewSet(_OpenViewSet):
    """What the codes of the scores mean."""

    def retrieve(self, request: Request, resource_id: str) -> Response:
        return Response(_there("CodeSystem", code_system(resource_id)))


class _ReadViewSet(FhirViewMixin, ViewSet):
    def audit(self, kind: str, verb: str, object_id: object) -> None:
        organization_id = self.caller.organization_id
        trail.record(kind, verb, actor=self.caller.actor, organization_id=organization_id, object_id=object_id)


@openapi.patient
class PatientViewSet(_ReadViewSet):
    """The people whom your organisation looks after."""

    scope_resource = "patients"

    def retrieve(self, request: Request, resource_id: str) -> Response:
        patient = _there("Patient", selectors.find_patient(self.caller.organization_id, resource_id))
        self.audit("patient", "read", patient.pk)
        return self.reply_to_read(request, patient_resource(patient))


@openapi.appointment
class AppointmentViewSet(_ReadViewSet):
    """When patients are seen."""

    scope_resource = "appointments"

    def retrieve(self, request: Request, resource_id: str) -> Response:
        appointment = _there("Appointment", selectors.find_appointment(self.caller.organization_id, resource_id))
        self.audit("appointment", "read", appointment.pk)
        return self.reply_to_read(request, appointment_resource(appointment))


@openapi.document
class DocumentReferenceViewSet(_ReadViewSet):
    """Files of patients."""

    scope_resource = "documents"
    versions_say_all = False  # the link to the file is a new one each time

    def retrieve(self, request: Request, resource_id: str) -> Response:
        document = _there("DocumentReference", selectors.find_document(self.caller.organization_id, resource_id))
        self.audit("document", "read", document.pk)
        return self.reply_to_read(request, document_resource(document))


@openapi.observation
class ObservationViewSet(_ReadViewSet):
    """The scores of patients' finished runs."""

    scope_resource = "patients"
    also_required_scopes = ("model_runs:read",)

    @openapi.search
    def search(self, request: Request) -> Response:
        query, organization_id = request.query_params, self.caller.organization_id
        patient_id = read_reference(query, "patient", "Patient")
        count, after = read_count(query, DEFAULT_COUNT), read_place(query)
        patient = selectors.find_patient(organization_id, patient_id)
        runs = selectors.scored_runs(organization_id, patient)
        found, last = page_of_scores(runs, after, count)
        self.audit("patient", "scores_read", "" if patient is None else patient.pk)
        here = {"patient": f"Patient/{patient_id}", "_count": count}
        return Response(
            searchset(
                [observation_resource(run, code) for run, code in found],
                total=runs.count() * len(CODES),
                here=link(request, **here, _cursor=query.get("_cursor")),
                onwards=None if last is None else link(request, **here, _cursor=cursor_at(last)),
            )
        )

    def retrieve(self, request: Request, resource_id: str) -> Response:
        organization_id = self.caller.organization_id
        run, code = _there("Observation", selectors.find_score(organization_id, resource_id))
        record_read(actor=self.caller.actor, organization_id=organization_id, run_id=run["id"])
        return self.reply_to_read(request, observation_resource(run, code))


def _there(resource_type: str, found: Any) -> Any:
    """What was found. Raises NotFound: absent, foreign, deleted and malformed alike."""
    if found is None:
        raise NotFound(f"There is no such {resource_type}.")
    return found

"""What the viewsets of patients, appointments and documents share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.patients.appointments.serializers import appointment_body
from apps.patients.documents.serializers import document_body
from apps.patients.ids import parse_patient_id
from apps.patients.models import Appointment, Document, Patient
from apps.patients.serializers import patient_body
from apps.patients.services import ExternalIdTaken
from helios_site.api.families.healos.errors import Conflict
from helios_site.api.families.healos.fields import StrictSerializer
from helios_site.api.families.healos.versions import etag, is_known
from helios_site.api.families.healos.view import HealosViewMixin

BODIES: dict[type, Callable[[Any], dict[str, Any]]] = {
    Patient: patient_body,
    Appointment: appointment_body,
    Document: document_body,
}


class NothingSerializer(StrictSerializer):
    """A body without keys."""


class RecordViewSet(HealosViewMixin, GenericViewSet):
    """`kind` names the record in errors and messages. `patient_id` in the path is parsed into `self.patient_id`."""

    kind: ClassVar[str]
    patient_id: int

    def check_path(self) -> None:
        super().check_path()
        if "patient_id" in self.kwargs:
            found = parse_patient_id(self.kwargs["patient_id"])
            if found is None:
                raise not_found("patient")
            self.patient_id = found

    def not_found(self) -> NotFound:
        return not_found(self.kind)

    def validated(self, request: Request, serializer: type, *, partial: bool = False) -> dict[str, Any]:
        """What was sent, as the fields of a service. Raises the family's errors."""
        sent = serializer(data=self.read_body(request), partial=partial)
        sent.is_valid(raise_exception=True)
        return dict(sent.validated_data)

    def reply(self, record: Any, status: int = 200) -> Response:
        return Response({"data": body_of(record)}, status=status, headers={"ETag": etag(record.version)})

    def reply_to_read(self, request: Request, record: Any) -> Response:
        """The record, or that the caller has it already."""
        if is_known(request, record.version):
            return Response(status=304, headers={"ETag": etag(record.version)})
        return self.reply(record)

    def deleted(self, object_id: object) -> Response:
        return Response(delete_body(self.kind, object_id), status=settings.HEALOS_DELETE_STATUS)


def not_found(kind: str) -> NotFound:
    return NotFound(settings.HEALOS_ERROR_TEXTS[kind])


def body_of(record: Any) -> dict[str, Any]:
    return BODIES[type(record)](record)


def delete_body(kind: str, object_id: object) -> dict[str, Any]:
    return {"data": {"id": str(object_id)}, "message": f"{kind.capitalize()} deleted"}


def conflict(taken: ExternalIdTaken, *, with_data: bool = True) -> Conflict:
    """409 with the whole of the record that has the `external_id`, if the caller may see it."""
    return Conflict(settings.HEALOS_ERROR_TEXTS["external_id"], body_of(taken.existing) if with_data else None)

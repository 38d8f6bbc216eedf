"""`/ext-api/v1/patients/{patient_id}/documents`."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps.patients.documents import openapi, selectors, services
from apps.patients.documents.filters import STATUS, DocumentFilter
from apps.patients.documents.serializers import (
    LIST_FIELDS,
    DocumentFieldsSerializer,
    DocumentFormSerializer,
    document_body,
    document_item,
)
from apps.patients.documents.upload_form import Upload, UploadForm
from apps.patients.models import Document
from apps.patients.record_views import NothingSerializer, RecordViewSet, conflict, not_found
from apps.patients.selectors import get_patient
from apps.patients.services import ExternalIdTaken
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import parse_uuid
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.query import narrowed
from helios_site.api.families.healos.versions import etag, expected_version

UPLOADED = "Document uploaded successfully"
OF_PAGES = "csrfmiddlewaretoken"  # what the forms of our own pages send


@openapi.documents
class DocumentViewSet(RecordViewSet):
    """The files of a patient: PDF, JPEG, PNG and DOCX."""

    kind = "document"
    scope_resource = "documents"
    form: UploadForm | None = None
    received: tuple[Upload, str | None] | None = None

    def get_serializer_class(self) -> Any:
        return NothingSerializer if self.action == "restore" else DocumentFormSerializer

    @property
    def body_may_be_empty(self) -> bool:
        return self.action == "restore"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self.form is not None:
                self.form.close()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        if request.method == "POST" and self.action_map.get("post") == "create":
            self.form = UploadForm(request)  # before anybody looks for a token in it
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_patient()
        if self.form is not None:
            self.form.check_length()

    def before_transaction(self, request: Request) -> None:
        if self.form is not None:
            self.received = self.receive(self.form)

    def create(self, request: Request, patient_id: str) -> Response:
        upload, external_id = self.received or self.receive(cast(UploadForm, self.form))
        try:
            document = services.keep_document(
                actor=self.caller.actor,
                organization_id=self.caller.organization_id,
                patient_id=self.patient_id,
                upload=upload,
                external_id=external_id,
            )
        except ExternalIdTaken as taken:
            raise conflict(taken) from None
        if document is None:
            raise not_found("patient")
        body = {"data": document_body(document), "message": UPLOADED}
        return Response(body, 201, headers={"ETag": etag(document.version)})

    def list(self, request: Request, patient_id: str) -> Response:
        query, organization_id = request.query_params, self.caller.organization_id
        page, limit = read_page(query)
        documents = narrowed(DocumentFilter, query, selectors.list_documents(organization_id, self.patient_id))
        rows, meta = page_of(documents.values(*LIST_FIELDS), page, limit)
        services.record_list(actor=self.caller.actor, organization_id=organization_id, patient_id=self.patient_id)
        with_status = query.get("include") == STATUS
        body: dict[str, Any] = {"data": [document_item(row, with_status=with_status) for row in rows]}
        return Response(body | {"meta": meta} if settings.HEALOS_DOCUMENT_LIST_META else body)

    def destroy(self, request: Request, patient_id: str, document_id: str) -> Response:
        document = self.found(document_id)
        if not services.delete_document(
            actor=self.caller.actor,
            organization_id=self.caller.organization_id,
            patient_id=self.patient_id,
            document_id=document.pk,
            expected_version=expected_version(request, document.version),
        ):
            raise self.not_found()
        return self.deleted(document.pk)

    @openapi.restoring
    def restore(self, request: Request, patient_id: str, document_id: str) -> Response:
        self.validated(request, NothingSerializer)
        identifier = parse_uuid(document_id)
        try:
            document = (
                None
                if identifier is None
                else services.restore_document(
                    actor=self.caller.actor,
                    organization_id=self.caller.organization_id,
                    patient_id=self.patient_id,
                    document_id=identifier,
                )
            )
        except ExternalIdTaken as taken:
            raise conflict(taken) from None
        if document is None:
            raise self.not_found()
        return self.reply(document)

    def check_patient(self) -> None:
        if get_patient(self.caller.organization_id, self.patient_id) is None:
            raise not_found("patient")

    def found(self, document_id: str) -> Document:
        identifier = parse_uuid(document_id)
        document = (
            None
            if identifier is None
            else selectors.get_document(self.caller.organization_id, self.patient_id, identifier)
        )
        if document is None:
            raise self.not_found()
        return document

    def receive(self, form: UploadForm) -> tuple[Upload, str | None]:
        """The file, and its `external_id`. Raises the family's errors."""
        upload, fields = form.read()
        if self.caller.key_id is None:  # a form on a page of ours sends its token, and fields left blank
            fields = {name: values for name, values in fields.items() if name != OF_PAGES and values != [""]}
        several = [name for name, values in fields.items() if len(values) > 1]
        if several:
            raise Invalid({name: ["Expected one value, received more"] for name in several})
        sent = DocumentFieldsSerializer(data={name: value for name, [value] in fields.items()})
        sent.is_valid(raise_exception=True)
        of_patient = sent.validated_data.get("patient_id", str(self.patient_id))
        if of_patient != str(self.patient_id):
            raise Invalid({"patient_id": [f'Invalid literal value, expected "{self.patient_id}"']})
        return upload, sent.validated_data.get("external_id")

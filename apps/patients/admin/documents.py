"""Documents, as staff see them: of what kind and size. The file itself is handed out for a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase

from apps.patients.admin.records import DeletedFilter, RecordAdmin, with_reason
from apps.patients.models import Document
from helios_site.storage import object_store


class FailedFilter(admin.SimpleListFilter):
    """Those that the check refused: few, so that an index finds them."""

    title = "check"
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        return queryset.filter(status="failed") if self.value() == "failed" else queryset


@admin.register(Document)
class DocumentAdmin(RecordAdmin):
    audit_object_type = "document"
    contents = ("filename",)
    own_pages = ("download",)
    list_display = (
        "id", "organization", "patient_link", "external_id", "file_type", "file_size", "status", "created_at",
        "deleted_at",
    )  # fmt: skip
    list_filter = (DeletedFilter, FailedFilter)
    fields = (
        "organization", "id", "patient_link", "external_id", "file_type", "file_size", "status", "status_reason",
        "created_at", "deleted_at",
    )  # fmt: skip
    readonly_fields = ("id", "patient_link", "created_at", "deleted_at")

    def buttons(self, request: HttpRequest, record: Any) -> Any:
        yield from super().buttons(request, record)
        if record is not None and record.deleted_at is None and record.status != Document.Status.FAILED:
            yield "download", "Download"

    @with_reason("Download a document", "You get the file, under its own name.")
    def download_view(self, request: HttpRequest, document: Document, reason: str) -> HttpResponseBase:
        if document.status == Document.Status.FAILED:
            return self.back_to(request, document, "Its check failed: the file is not handed out.", messages.ERROR)
        try:
            with object_store().local_path(document.storage_key) as path:
                file = open(path, "rb")  # noqa: SIM115 - the response closes it; a path that is gone stays readable
        except FileNotFoundError:
            return self.back_to(request, document, "The file is not in the storage.", messages.ERROR)
        self.record(request, document, "downloaded", reason)
        response = FileResponse(
            file, as_attachment=True, filename=document.filename, content_type="application/octet-stream"
        )
        response.headers["Content-Security-Policy"] = "sandbox"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

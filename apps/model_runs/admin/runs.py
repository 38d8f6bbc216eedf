"""Runs, as staff see them: their life, never their content. Label, transcript and scores are the customer's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.staff_admin import ReadOnlyAdmin
from apps.model_runs import services
from apps.model_runs.models import ModelRun

_MAX_ORGANIZATIONS_FOUND = 50
_ERROR_CODES = (
    "ERR_RECORDING_INVALID_FORMAT",
    "ERR_RECORDING_TOO_SHORT",
    "ERR_RECORDING_TOO_LONG",
    "ERR_TRANSCRIPTION_FAILED",
    "ERR_INTERNAL",
)


class ErrorCodeFilter(admin.SimpleListFilter):
    """The contract's codes; Django's own filter would read the whole table for its choices."""

    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in _ERROR_CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ModelRun]) -> QuerySet[ModelRun]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


@admin.register(ModelRun)
class ModelRunAdmin(ReadOnlyAdmin):
    audit_object_type = "model_run"
    list_display = (
        "id",
        "organization",
        "status",
        "error_code",
        "created_at",
        "completed_at",
        "attempt",
        "speech_seconds",
        "model_version",
    )
    list_filter = ("status", ErrorCodeFilter)
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)
    search_fields = ("id",)  # shows the box; get_search_results says what is searched
    search_help_text = "A run's id, or a part of the organisation's name."
    actions = ("run_again",)
    readonly_fields = ("linked_patient",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "id",
                    "organization",
                    "linked_patient",
                    "created_by_key",
                    "status",
                    "error_code",
                    "error_reason",
                )
            },
        ),
        (
            "Life",
            {
                "fields": (
                    "created_at",
                    "upload_expires_at",
                    "run_at",
                    "first_claimed_at",
                    "lease_expires_at",
                    "attempt",
                    "enqueued_at",
                    "enqueue_count",
                    "completed_at",
                    "rerun_of",
                    "consent_version",
                    "consented_at",
                    "delete_data",
                    "data_to_delete",
                    "erased_at",
                )
            },
        ),
        (
            "Recording and model",
            {
                "fields": (
                    "language",
                    "recording_bytes",
                    "duration_seconds",
                    "speech_seconds",
                    "quality",
                    "model_version",
                    "stage_seconds",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelRun]:
        return super().get_queryset(request).defer("transcript", "scores", "explanation", "confidence", "safety")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelRun], search_term: str
    ) -> tuple[QuerySet[ModelRun], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(id=UUID(term)), False
        except ValueError:
            named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
            return queryset.filter(organization__in=list(named[:_MAX_ORGANIZATIONS_FOUND])), False

    @admin.display(description="patient")
    def linked_patient(self, run: ModelRun) -> str:
        """The id, which names nobody, and no more: the record itself is for those who may see patients."""
        return "-" if run.patient_id is None else str(run.patient_id)

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("model_runs.change_modelrun"))

    @admin.action(description="Run again (only runs that ended in ERR_INTERNAL)", permissions=["rerun"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[ModelRun]) -> None:
        """A new run for each: a terminal state never changes."""
        for run in queryset:
            try:
                again = services.rerun_failed(actor=audit.by_user(request.user), run=run)
            except services.CannotRerun as error:
                self.message_user(request, f"{run.id}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{run.id} runs again as {again.id}.", messages.SUCCESS)

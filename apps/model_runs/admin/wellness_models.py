"""Trained models as staff see them: what each is worth, who uses it, activated and rolled back with a reason."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.staff_admin import ReadOnlyAdmin
from apps.model_runs import selectors, services
from apps.model_runs.forms import ActivationForm, RollBackForm
from apps.model_runs.model_files import SHIPPED
from apps.model_runs.models import THE_SHIPPED_MODEL, WellnessModelActivation, WellnessModelVersion

_SHOWN = 5  # organisations of a model in the list; its page names all
_MAX_ORGANIZATIONS_FOUND = 50


@admin.register(WellnessModelVersion)
class WellnessModelVersionAdmin(ReadOnlyAdmin):
    """Models come by `manage.py activate_wellness_model`; they are not changed, and not deleted."""

    audit_object_type = "wellness_model"
    list_display = ("version", "sha256", "users", "created_at")
    search_fields = ("version",)
    ordering = ("-created_at", "version")
    sortable_by = ("created_at",)
    fields = ("version", "sha256", "created_at", "created_by", "all_users", "shown_card", "shown_evaluation")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return selectors.models_with_organizations()

    @admin.display(description="used by")
    def users(self, model: Any) -> str:
        more = len(model.used_by) - _SHOWN
        return (", ".join(model.used_by[:_SHOWN]) or "nobody") + (f" and {more} more" if more > 0 else "")

    @admin.display(description="used by")
    def all_users(self, model: Any) -> str:
        return ", ".join(model.used_by) or "nobody"

    @admin.display(description="card")
    def shown_card(self, model: WellnessModelVersion) -> SafeString | str:
        return _preformatted(model.card) if model.card else "Nothing was stored with this model that says what it is."

    @admin.display(description="figures")
    def shown_evaluation(self, model: WellnessModelVersion) -> SafeString | str:
        if model.evaluation is None:
            return "No figures were stored with this model: nobody knows how good it is."
        return _preformatted(json.dumps(model.evaluation, indent=2, ensure_ascii=False))


@admin.register(WellnessModelActivation)
class WellnessModelActivationAdmin(ReadOnlyAdmin):
    """The history of what scores each organisation's runs: only added to, by the services."""

    audit_object_type = "wellness_model"
    form = ActivationForm
    list_display = (
        "organization",
        "number",
        "model_name",
        "in_force",
        "is_roll_back",
        "reason",
        "created_at",
        "created_by",
    )
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    search_fields = ("organization__name",)  # shows the box; get_search_results says what is searched
    search_help_text = "A model's version, or a part of the organisation's name."
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WellnessModelActivation]:
        return WellnessModelActivation.objects.marked()

    @admin.display(description="in force", boolean=True)
    def in_force(self, step: Any) -> bool:
        return bool(step.is_in_force)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        pinned = settings.HELIOS_MODEL_VERSION
        subtitle = f"HELIOS_MODEL_VERSION is set: {pinned} scores every run." if pinned else None
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": subtitle})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WellnessModelActivation], search_term: str
    ) -> tuple[QuerySet[WellnessModelActivation], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
        of_organization = queryset.filter(organization__in=list(named[:_MAX_ORGANIZATIONS_FOUND]))
        return of_organization | queryset.filter(model=term), False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a step is the list of its organisation's steps."""
        step = self.get_object(request, unquote(object_id))
        if step is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        steps = reverse("admin:model_runs_wellnessmodelactivation_changelist")
        return HttpResponseRedirect(f"{steps}?organization__id__exact={step.organization_id}")

    # -- Activate ----------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("model_runs.add_wellnessmodelactivation"))

    def get_fields(self, request: HttpRequest, obj: WellnessModelActivation | None = None) -> tuple[str, ...]:
        return self.list_display if obj is not None else ("organization", "model", "reason")

    def save_model(self, request: HttpRequest, obj: WellnessModelActivation, form: Any, change: bool) -> None:
        step, _ = services.activate_model(
            actor=audit.by_user(request.user),
            organization_id=obj.organization_id,
            version=obj.model_id or SHIPPED,
            reason=obj.reason,
        )
        obj.__dict__.update(step.__dict__)

    # -- Roll back ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        roll_back = path(
            "<path:object_id>/roll-back/",
            self.admin_site.admin_view(self.roll_back_view),
            name="model_runs_wellnessmodelactivation_roll_back",
        )
        return [roll_back, *super().get_urls()]

    def roll_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then end one step, if it is still the latest of its organisation."""
        step = self.get_object(request, unquote(object_id))
        if step is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RollBackForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and (done := self._roll_back(request, step, form)) is not None:
            self.message_user(request, f"{step.organization} uses {done.model_name} again.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:model_runs_wellnessmodelactivation_change", args=[done.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Roll back a wellness model",
            "opts": self.opts,
            "step": step,
            "form": form,
            "now": step.model_name,
            "then": step.before.model_name if step.before else THE_SHIPPED_MODEL,
        }
        return TemplateResponse(request, "admin/model_runs/wellnessmodelactivation/roll_back.html", context)

    def _roll_back(
        self, request: HttpRequest, step: WellnessModelActivation, form: RollBackForm
    ) -> WellnessModelActivation | None:
        try:
            return services.roll_back_model(
                actor=audit.by_user(request.user),
                organization_id=step.organization_id,
                reason=form.cleaned_data["reason"],
                from_number=step.number,
            )
        except ValidationError as error:
            form.add_error(None, error)
            return None


def _preformatted(text: str) -> SafeString:
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)

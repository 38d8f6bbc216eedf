"""Webhooks as staff see them: where events go and what became of them. Staff switch an endpoint off and on, with a
reason, and change nothing else; secrets are not shown, and of a delivery not what it said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.staff_admin import ReadOnlyAdmin
from apps.webhooks import services
from apps.webhooks.forms import ReasonForm
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint

_MAX_ORGANIZATIONS_FOUND = 50


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    audit_object_type = "webhook"
    list_display = ("url", "organization", "is_enabled", "disabled_reason", "created_at")
    list_filter = ("is_enabled",)
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)
    search_fields = ("organization__name",)  # shows the box; get_search_results says what is searched
    search_help_text = "The beginning of a URL, or a part of the organisation's name."
    fields = (
        "id", "organization", "url", "events", "is_enabled", "disabled_at", "disabled_reason", "created_at",
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
        of_organization = queryset.filter(organization__in=list(named[:_MAX_ORGANIZATIONS_FOUND]))
        return of_organization | queryset.filter(url__startswith=term), False

    def get_urls(self) -> list[URLPattern]:
        switch = path(
            "<path:object_id>/switch/",
            self.admin_site.admin_view(self.switch_view),
            name="webhooks_webhookendpoint_switch",
        )
        return [switch, *super().get_urls()]

    def may_switch(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webhooks.change_webhookendpoint"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_switch": self.may_switch(request)}
        return super().change_view(request, object_id, form_url, context)

    def switch_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then disable the endpoint, or enable it if it is disabled."""
        endpoint = self.get_object(request, unquote(object_id))
        if endpoint is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.may_switch(request):
            raise PermissionDenied
        # What the page asked, not what is true by now: two who press the button at once mean the same.
        verb = request.POST.get("verb") or ("disable" if endpoint.is_enabled else "enable")
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if verb in ("disable", "enable") and form.is_valid():
            switch = services.disable_endpoint if verb == "disable" else services.enable_endpoint
            done = switch(
                actor=audit.by_user(request.user), endpoint_id=endpoint.pk, reason=form.cleaned_data["reason"]
            )
            said = f"{verb.capitalize()}d." if done else f"It was {verb}d already."
            self.message_user(request, said, messages.SUCCESS if done else messages.WARNING)
            return HttpResponseRedirect(reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb.capitalize()} a webhook",
            "opts": self.opts,
            "endpoint": endpoint,
            "verb": verb,
            "form": form,
        }
        return TemplateResponse(request, "admin/webhooks/webhookendpoint/switch.html", context)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """Reached from its endpoint's page. `body` holds the label of a person, so it is not shown."""

    audit_object_type = "webhook_delivery"
    list_display = ("id", "event", "endpoint", "state", "attempts", "response_status", "error", "created_at")
    list_select_related = ("endpoint",)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fields = (
        "id", "endpoint", "event", "object_id", "state", "attempts", "created_at", "last_try_at", "next_try_at",
        "delivered_at", "response_status", "response", "error",
    )  # fmt: skip
    readonly_fields = ("state",)

    def organization_of(self, found: WebhookDelivery) -> UUID:
        return found.endpoint.organization_id

    @admin.display(description="state")
    def state(self, delivery: WebhookDelivery) -> str:
        return delivery.status

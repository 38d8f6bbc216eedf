"""What staff do when keys leaked: find the keys in a text that was pasted, and revoke all of an organisation.

The text is read in memory, once: it is neither stored, nor logged, nor shown again.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.staff_admin import StaffModelAdmin
from apps.api_keys import leaks, services, tokens
from apps.api_keys.forms import PastedTextForm, RevocationForm
from apps.api_keys.models import ApiKey

CHANGELIST = "admin:api_keys_apikey_changelist"


class LeakAdmin(StaffModelAdmin):
    """Two pages of the admin of keys."""

    def get_urls(self) -> list[URLPattern]:
        find = path("find/", self.admin_site.admin_view(self.find_view), name="api_keys_apikey_find")
        revoke_all = path(
            "revoke-organization/<uuid:organization_id>/",
            self.admin_site.admin_view(self.revoke_organization_view),
            name="api_keys_apikey_revoke_organization",
        )
        return [find, revoke_all, *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Whose are the keys in this text? Live, revoked and expired ones are found by their digests."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = PastedTextForm(request.POST or None)
        context: dict[str, Any] = {"title": "Find leaked keys", "form": form}
        if form.is_valid():
            raw_keys = tokens.find_keys(form.cleaned_data["text"])
            known = leaks.known_keys(raw_keys)
            actor = audit.by_user(request.user)
            leaks.record_search(actor=actor, keys=len(raw_keys), known=len(known))
            for key in known.values():
                reason = "in a text that staff pasted"
                leaks.record_sighting(key.id, key.organization_id, reason=reason, actor=actor)
            context |= {
                "searched": True,
                "form": None,  # the text goes back to nobody
                "found": sorted(known.values(), key=lambda key: (not leaks.is_live(key), key.created_at)),
                "unknown": [tokens.display_prefix(raw_key) for raw_key in raw_keys if raw_key not in known],
                "may_revoke": self.has_change_permission(request),
                "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            }
        response = self._page(request, "admin/api_keys/apikey/find.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    def revoke_organization_view(self, request: HttpRequest, organization_id: Any) -> HttpResponseBase:
        """Ask for the reason, then revoke every key of one organisation."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        organization = Organization.objects.filter(id=organization_id).first()
        if organization is None:
            raise Http404
        back = f"{reverse(CHANGELIST)}?organization__id__exact={organization.pk}"
        form = RevocationForm(request.POST or None)
        if form.is_valid():
            count = services.revoke_all_keys(
                actor=audit.by_user(request.user),
                organization=organization,
                reason=form.cleaned_data["reason"],
                revoked_by=request.user,  # type: ignore[arg-type]
            )
            self.message_user(
                request, f"Revoked: {count} API key{pluralize(count)} of {organization}.", messages.SUCCESS
            )
            return HttpResponseRedirect(back)
        context = {
            "title": f"Revoke all API keys of {organization}",
            "organization": organization,
            "count": ApiKey.objects.filter(organization=organization, revoked_at__isnull=True).count(),
            "form": form,
            "back": back,
        }
        return self._page(request, "admin/api_keys/apikey/revoke_organization.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

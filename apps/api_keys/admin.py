"""Keys, as staff see them: found by prefix, name or organisation; issued, changed and revoked; never deleted.

The raw key is shown in the one response that issues it. It is never put into a message: Django keeps those in a
cookie or in the session.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import admin_mails, audit
from apps.accounts.models import Organization
from apps.api_keys import replacements, services, tokens
from apps.api_keys.admin_filters import AttentionFilter, StatusFilter
from apps.api_keys.forms import ApiKeyForm, RevocationForm
from apps.api_keys.leak_admin import LeakAdmin
from apps.api_keys.models import ApiKey
from apps.api_keys.usage import admin as usage_admin  # noqa: F401 - registers its pages
from helios_site.logs import shorten_keys

_MAX_ORGANIZATIONS_FOUND = 50


@admin.register(ApiKey)
class ApiKeyAdmin(LeakAdmin):
    audit_object_type = "api_key"
    form = ApiKeyForm
    list_display = (
        "visible_prefix",
        "name",
        "organization",
        "current_status",
        "attention",
        "scope_list",
        "last_used_at",
        "expires_at",
        "created_at",
    )
    list_filter = (StatusFilter, AttentionFilter)
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)  # the others have no index, and a million rows would be sorted
    search_fields = ("key_prefix",)  # shows the box; get_search_results says what is searched
    search_help_text = "The beginning of a key, a part of its name, or a part of the organisation's name."
    autocomplete_fields = ("organization",)
    actions = ("revoke_selected", "replace_selected")
    readonly_fields = (
        "id",
        "visible_prefix",
        "current_status",
        "created_at",
        "created_by",
        "last_used_at",
        "last_used_ip",
        "revoked_at",
        "revoked_by",
        "revoked_reason",
        "grace_ends_at",
        "superseded_by",
        "limit_counts",
        "usage",
        "replacement",
    )
    _editable: ClassVar = (
        "organization",
        "name",
        "scopes",
        "expires_at",
        "allowed_cidrs",
        "rate_limit_per_minute",
    )

    @admin.display(description="key", ordering="key_prefix")
    def visible_prefix(self, key: ApiKey) -> str:
        return f"{key.key_prefix}…"

    @admin.display(description="status")
    def current_status(self, key: ApiKey) -> str:
        return key.status()

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="the limit counts")
    def limit_counts(self, key: ApiKey) -> str:
        return "as it stands" if key.rate_limit_is_granted else "up to that of the plan"

    @admin.display(description="usage")
    def usage(self, key: ApiKey) -> SafeString:
        days = reverse("admin:api_keys_usageday_changelist")
        return format_html('<a href="{}?key__id__exact={}">Requests and runs by day</a>', days, key.pk)

    @admin.display(description="attention")
    def attention(self, key: ApiKey) -> str:
        return ", ".join(key.attention()) or "-"

    @admin.display(description="replacement")
    def replacement(self, key: ApiKey) -> str:
        offered = key.replacements.select_related("offered_by", "used_by", "new_key").order_by("-offered_at").first()
        if offered is None:
            return "-"
        if offered.new_key is not None:
            return f"taken by {offered.used_by} at {offered.used_at:%Y-%m-%d %H:%M} UTC: {offered.new_key}"
        return f"{offered.state()}: offered by {offered.offered_by}, ends {offered.expires_at:%Y-%m-%d %H:%M} UTC"

    # -- What may be done --------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": self._editable})]
        return [
            (None, {"fields": ("visible_prefix", "current_status", *self._editable)}),
            ("Life", {"fields": ("id", *self.readonly_fields[3:])}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return self.readonly_fields
        if obj.revoked_at is not None:
            return (*self.readonly_fields, *self._editable)
        return (*self.readonly_fields, *(name for name in self._editable if name not in services.CHANGEABLE))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # A whole key in the search box is not shown again; its first characters are all that is looked for.
        typed = request.GET.copy()
        if SEARCH_VAR in typed:
            typed[SEARCH_VAR] = shorten_keys(str(typed[SEARCH_VAR]))
            request.GET = typed  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        for word in search_term.split():
            # The organisations first, as a list: joined, PostgreSQL could not combine the three indexes.
            named = Organization.objects.filter(name__icontains=word).values_list("id", flat=True)
            queryset = queryset.filter(
                # A whole key that was pasted finds its prefix; the rest of it is not looked at.
                Q(key_prefix__startswith=tokens.display_prefix(word))
                # Trigrams find a part of three letters or more, and shorter ones only at the beginning of a word.
                | (Q(name__icontains=word) if len(word) >= 3 else Q(name__istartswith=word))
                | Q(organization__in=list(named[:_MAX_ORGANIZATIONS_FOUND]))
            )
        return queryset, False

    # -- Issue and change --------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        actor = audit.by_user(request.user)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            services.change_key(actor=actor, key_id=obj.pk, by_staff=True, **changes)
            return
        fields = {name: form.cleaned_data[name] for name in self._editable}
        key, raw_key = services.issue_key(actor=actor, created_by=request.user, by_staff=True, **fields)  # type: ignore[arg-type]
        obj.__dict__.update(key.__dict__)
        request.issued_key = raw_key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": obj,
            "raw_key": request.issued_key,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "admin/api_keys/apikey/issued.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    # -- Revoke, and replace -----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="api_keys_apikey_revoke",
        )
        replace = path(
            "<path:object_id>/replace/",
            self.admin_site.admin_view(self.replace_view),
            name="api_keys_apikey_replace",
        )
        return [revoke, replace, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask for the reason, then revoke one key."""
        return self._one(request, object_id, "revoke_selected")

    def replace_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask for the reason, then revoke one key and mail its organisation a link to a new one."""
        return self._one(request, object_id, "replace_selected")

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponseBase | None:
        """Ask for the reason, then revoke the keys that are ticked on the page."""
        return self._ticked(request, queryset, "revoke_selected")

    @admin.action(description="Revoke and replace selected keys", permissions=["change"])
    def replace_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponseBase | None:
        """The same, and mail their organisations a link to a new one for each."""
        return self._ticked(request, queryset, "replace_selected")

    def _one(self, request: HttpRequest, object_id: str, action: str) -> HttpResponseBase:
        key = self.get_object(request, unquote(object_id))
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        back = reverse("admin:api_keys_apikey_change", args=[key.pk])
        return self._ask_and_do(request, [key], action, back) or HttpResponseRedirect(back)

    def _ticked(self, request: HttpRequest, queryset: QuerySet[ApiKey], action: str) -> HttpResponseBase | None:
        ticked = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        keys = list(queryset.filter(pk__in=ticked).select_related("organization"))
        return self._ask_and_do(request, keys, action, reverse("admin:api_keys_apikey_changelist"))

    def _ask_and_do(self, request: HttpRequest, keys: list[ApiKey], action: str, back: str) -> HttpResponseBase | None:
        """The page that asks; None once it is done."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        replaces = action == "replace_selected"
        form = RevocationForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            (self._replace if replaces else self._revoke)(request, keys, form.cleaned_data["reason"])
            return None
        verb = "Revoke and replace" if replaces else "Revoke"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb} API keys" if len(keys) > 1 else f"{verb} an API key",
            "verb": verb,
            "opts": self.opts,
            "keys": keys,
            "form": form,
            "back": back,
            "action": action,
            "replaces": replaces,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/api_keys/apikey/revoke.html", context)

    def _revoke(self, request: HttpRequest, keys: list[ApiKey], reason: str) -> None:
        actor = audit.by_user(request.user)
        with transaction.atomic():
            # In one order, so that two who revoke overlapping keys do not wait for each other in a circle.
            results = [
                services.revoke_key(actor=actor, key_id=key_id, reason=reason, revoked_by=request.user)  # type: ignore[arg-type]
                for key_id in sorted(key.pk for key in keys)
            ]
        self._say_revoked(request, results)

    def _replace(self, request: HttpRequest, keys: list[ApiKey], reason: str) -> None:
        actor = audit.by_user(request.user)
        with transaction.atomic():
            results = [
                replacements.offer_replacement(actor=actor, key_id=key_id, reason=reason, offered_by=request.user)  # type: ignore[arg-type]
                for key_id in sorted(key.pk for key in keys)
            ]
        self._say_revoked(request, results)
        for organization in {key.organization for key in keys}:
            if admin_mails.addresses_of(organization):
                said = f"The admins of {organization} are mailed a link to take a new key, valid for 24 hours."
                self.message_user(request, said, messages.SUCCESS)
            else:
                said = f"Nobody could be mailed: {organization} has no admin. Give it one, then replace the key again."
                self.message_user(request, said, messages.ERROR)

    def _say_revoked(self, request: HttpRequest, results: list[tuple[ApiKey, bool]]) -> None:
        revoked = [key for key, is_new in results if is_new]
        if revoked:
            what = str(revoked[0]) if len(revoked) == 1 else f"{len(revoked)} API keys"
            self.message_user(request, f"Revoked: {what}. The next request is refused.", messages.SUCCESS)
        if len(revoked) < len(results):
            self.message_user(request, f"{len(results) - len(revoked)} already revoked.", messages.WARNING)

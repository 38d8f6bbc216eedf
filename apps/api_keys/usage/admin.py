"""Usage as staff see it, reached from the pages of a key and of an organisation."""

from __future__ import annotations

from django.contrib import admin

from apps.accounts.staff_admin import ReadOnlyAdmin
from apps.api_keys.models import UsageDay

_COUNTS = ("requests_2xx", "requests_4xx", "requests_429", "requests_5xx", "runs_ok", "runs_error")


@admin.register(UsageDay)
class UsageDayAdmin(ReadOnlyAdmin):
    audit_object_type = "usage"
    list_display = ("day", "key", "organization", *_COUNTS)
    list_filter = ("day",)
    list_select_related = ("key", "organization")
    ordering = ("-day", "-id")
    sortable_by = ()
    fields = ("day", "key", "organization", *_COUNTS)

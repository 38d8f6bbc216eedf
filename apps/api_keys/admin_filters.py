"""Filters of the staff's list of keys. Each is answered by an index, also with a million keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.api_keys.models import UNUSED_DAYS, ApiKey
from apps.api_keys.selectors import live


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status, status) for status in ("active", "expired", "revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        ended = Q(expires_at__lte=now) | Q(grace_ends_at__lte=now)
        match self.value():
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
            case "expired":
                return queryset.filter(ended, revoked_at__isnull=True)
            case "active":
                return queryset.filter(live(now))
            case _:
                return queryset


class AttentionFilter(admin.SimpleListFilter):
    """Live keys that nobody may be looking after."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lasting", "never expires"), ("unused", f"unused for {UNUSED_DAYS} days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        match self.value():
            case "lasting":
                return queryset.filter(live(now), expires_at__isnull=True)
            case "unused":
                last = now - timedelta(days=UNUSED_DAYS)
                # What was issued later cannot be quiet so long; said, it lets the index of the newest skip them.
                return queryset.filter(live(now), quiet_since__lte=last.date(), created_at__lte=last)
            case _:
                return queryset

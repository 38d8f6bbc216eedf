"""Groups of staff: what their members may do in the admin. Every change of one is an event."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group

from apps.accounts.staff_admin import AuditedModelAdmin

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedModelAdmin, DjangoGroupAdmin):
    audit_object_type = "group"

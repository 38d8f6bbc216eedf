"""What the groups of staff may do with patients in the admin: `clinical` alone sees them.

Nobody may delete: in the admin that is a change, which can be undone.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

VIEW, CHANGE, ADD = "view", "change", "add"
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "clinical": {
        "patient": (VIEW, CHANGE),
        "appointment": (VIEW,),
        "document": (VIEW,),
        "note": (VIEW, CHANGE, ADD),
        "session": (VIEW,),
    }
}


def _permissions(apps: Any, rights: dict[str, tuple[str, ...]]) -> list[Any]:
    """In a new database Django makes them only after all migrations."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    return [
        permissions.get_or_create(
            content_type=content_types.get_or_create(app_label="patients", model=model)[0],
            codename=f"{verb}_{model}",
            defaults={"name": f"Can {verb} {model}"},
        )[0]
        for model, verbs in rights.items()
        for verb in verbs
    ]


def allow(apps: Any, schema_editor: Any) -> None:
    for group_name, rights in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group_name)
        group.permissions.add(*_permissions(apps, rights))


def forbid(apps: Any, schema_editor: Any) -> None:
    for group_name, rights in GROUPS.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=group_name):
            group.permissions.remove(*_permissions(apps, rights))


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_admin_lists"), ("accounts", "0009_staff_groups")]
    operations = [migrations.RunPython(allow, forbid)]

"""The groups of staff who are no superusers, and what each may do in the admin."""

from __future__ import annotations

from typing import Any

from django.db import migrations

VIEW, CHANGE, ADD, DELETE = "view", "change", "add", "delete"
# Group -> app, model, the model's name in the names of permissions, what is allowed.
GROUPS: dict[str, list[tuple[str, str, str, tuple[str, ...]]]] = {
    # Neither runs nor patients. It may not issue keys or add members either: both would open what it must not see.
    "support": [
        ("accounts", "organization", "organization", (VIEW, CHANGE, ADD)),
        ("accounts", "membership", "membership", (VIEW, CHANGE, DELETE)),
        ("accounts", "invitation", "invitation", (VIEW,)),
        ("accounts", "user", "user", (VIEW,)),
        ("api_keys", "apikey", "API key", (VIEW, CHANGE)),
        ("api_keys", "usageday", "usage of a day", (VIEW,)),
        ("webhooks", "webhookendpoint", "webhook endpoint", (VIEW, CHANGE)),
        ("webhooks", "webhookdelivery", "webhook delivery", (VIEW,)),
    ],
    "clinical": [("model_runs", "modelrun", "model run", (VIEW,))],
    "auditor": [("accounts", "auditevent", "audit event", (VIEW,))],
}


def make_groups(apps: Any, schema_editor: Any) -> None:
    """Also the permissions: in a new database Django makes those only after all migrations."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    for group_name, models in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group_name)
        for app, model, words, verbs in models:
            content_type, _ = content_types.get_or_create(app_label=app, model=model)
            for verb in verbs:
                permission, _ = permissions.get_or_create(
                    content_type=content_type, codename=f"{verb}_{model}", defaults={"name": f"Can {verb} {words}"}
                )
                group.permissions.add(permission)


def remove_groups(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_closing"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, remove_groups)]

"""Signing up, and log-in by django-allauth, which keeps whether an address is verified in a table of its own."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def trust_addresses(apps: Any, schema_editor: Any) -> None:
    """Who could sign in so far was let in by hand; none of them shall need a mail for it now."""
    addresses = apps.get_model("account", "EmailAddress")
    users = apps.get_model("accounts", "User").objects.exclude(emailaddress__isnull=False)
    addresses.objects.bulk_create(
        [
            addresses(user_id=user_id, email=email, primary=True, verified=True)
            for user_id, email in users.values_list("pk", "email").iterator()
        ]
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_invitations"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [
        migrations.AddField(
            model_name="user",
            name="wanted_organization",
            field=models.CharField(blank=True, editable=False, max_length=200),
        ),
        migrations.RunPython(trust_addresses, migrations.RunPython.noop),
    ]

"""That nothing is left of an organisation that was closed, but what must stay."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.accounts.sealing import seal_waiting
from apps.api_keys.models import ApiKey
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.services import closing as closings
from apps.webhooks.models import WebhookDelivery
from tests.model_runs.conftest import make_finished, make_run, make_running
from tests.model_runs.people import rows_with, where
from tests.model_runs.tenants import (
    AFTER,
    CANARIES,
    Tenant,
    close,
    exported,
    stored,
    tenant,
)

__all__ = ["make_finished", "make_run", "make_running", "tenant"]  # fixtures

pytestmark = pytest.mark.django_db


def test_after_fourteen_days_nothing_of_it_is_left_but_its_trail(tenant: Tenant, admin: Client) -> None:
    organization = tenant("Canary Clinic")
    page = f"/admin/accounts/organization/{organization.pk}/change/"
    admin.post(page, {"name": "Canary Clinic", "is_active": "on", "helios_lenient_user": "on"})
    exported(organization)
    assert all(rows_with(*CANARIES).values())
    services.look_after_closings()
    assert ModelRun.objects.filter(organization=organization).count() == 3, "not yet"

    with time_machine.travel(timezone.now() + AFTER):
        services.look_after_closings()
    organization.refresh_from_db()
    assert organization.name == f"Closed organisation {organization.id.hex[:12]}"
    assert (organization.is_active, organization.closed_at is not None, organization.archive_key) == (False, True, "")
    assert where(rows_with(*CANARIES)) == {}
    assert stored(organization) == []
    key = ApiKey.objects.get(organization=organization)
    assert (key.name, key.revoked_reason, key.allowed_cidrs) == ("erased", "The organisation was closed.", [])
    account = f"{organization.id.hex}@example.org"
    assert rows_with(account) == {account: ["accounts_user"]}, "a person's account is their own"
    actions = set(AuditEvent.objects.filter(organization_id=organization.id).values_list("action", flat=True))
    assert {"model_run.created", "organization.closing", "organization.exported", "organization.erased"} <= actions
    assert Organization.objects.create(name="Canary Clinic"), "the name is free again"


def test_the_erasure_of_one_organisation_touches_no_other(tenant: Tenant) -> None:
    organization, other = close(tenant("Canary Clinic")), tenant("Southern Clinic")
    before = stored(other), WebhookDelivery.objects.filter(endpoint__organization=other).count()
    with time_machine.travel(timezone.now() + AFTER):
        services.look_after_closings()
    assert (stored(other), WebhookDelivery.objects.filter(endpoint__organization=other).count()) == before
    assert ModelRun.objects.filter(organization=other).count() == 3
    assert ApiKey.objects.get(organization=other).status() == "active"
    assert other.memberships.count() == 1
    assert stored(organization) == []


def test_an_erasure_that_takes_long_goes_on_at_the_next_tick(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closings, "BATCH", 2)
    organization = close(tenant("Canary Clinic"))
    with time_machine.travel(timezone.now() + AFTER):
        services.look_after_closings(busy_seconds=0)
        assert ModelRun.objects.filter(organization=organization).count() == 1
        organization.refresh_from_db()
        assert organization.closed_at is None
        services.look_after_closings()
        organization.refresh_from_db()
        assert organization.closed_at is not None
        services.look_after_closings()
    assert AuditEvent.objects.filter(action="organization.erased").count() == 1


# What the erasure does with each table that belongs to an organisation. A new one must be decided on, here and in
# `apps.model_runs.services.closing`.
DECIDED = {
    "accounts.consenttext": "erased",
    "accounts.invitation": "erased",
    "accounts.membership": "erased",
    "accounts.organizationnotice": "erased",
    "api_keys.apikey": "kept, without names, networks and address",
    "api_keys.keynotice": "erased",
    "api_keys.keyreplacement": "erased",
    "api_keys.usageday": "kept, since it only counts",
    "helios_site.idempotentreply": "erased",
    "model_runs.modelrun": "erased",
    "model_runs.wellnessmodelactivation": "erased",
    "patients.appointment": "erased",
    "patients.document": "erased",
    "patients.note": "erased",
    "patients.patient": "erased",
    "patients.patientexport": "erased",
    "patients.recordcount": "erased",
    "patients.session": "erased",
    "webhooks.webhookdelivery": "erased",
    "webhooks.webhookendpoint": "erased",
    "webhooks.webhooknotice": "erased",
    "webhooks.webhooksecret": "erased",
    "accounts.auditevent": "kept",
    "accounts.auditseal": "kept",
}


def belonging() -> dict[type[models.Model], str]:
    """Each model that names an organisation, or something that does, and the path of the name."""
    found: dict[type[models.Model], str] = {Organization: ""}
    fresh: list[type[models.Model]] = [Organization]
    while fresh:
        fresh = [model for model in apps.get_models() if model not in found and _path(model, found)]
        found |= {model: _path(model, found) for model in fresh}
    del found[Organization]
    return found


def _path(model: type[models.Model], found: dict[type[models.Model], str]) -> str:
    for field in model._meta.concrete_fields:
        if field.name == "organization_id":
            return "organization_id"
        if field.remote_field is not None and field.related_model in found:
            above: Any = field.related_model
            return "__".join(part for part in (field.name, found[above]) if part)
    return ""


def test_every_table_of_an_organisation_is_decided_on(tenant: Tenant) -> None:
    assert {model._meta.label_lower for model in belonging()} == set(DECIDED)
    organization = close(tenant("Canary Clinic"))
    of_it = {model: model._default_manager.filter(**{path: organization.id}) for model, path in belonging().items()}
    seal_waiting()
    assert [model for model, rows in of_it.items() if not rows.exists()] == [], "the organisation has one of each"
    with time_machine.travel(timezone.now() + AFTER):
        services.look_after_closings()
    for model, rows in of_it.items():
        assert rows.exists() == DECIDED[model._meta.label_lower].startswith("kept"), model

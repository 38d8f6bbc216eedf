"""An organisation with something of everything, marked so that it is found again, and its closing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import audit, closing, organizations
from apps.accounts.invitations import invite_member
from apps.accounts.models import Membership, Organization, User
from apps.api_keys import notices as key_notices
from apps.api_keys.models import ApiKey, KeyReplacement, UsageDay
from apps.model_runs import services
from apps.model_runs.models import WellnessModelActivation
from apps.patients.models import Patient
from apps.patients.services import delete_patient
from apps.webhooks.models import WebhookNotice
from apps.webhooks.services import create_endpoint
from helios_site.models import IdempotentReply
from helios_site.storage import object_store
from tests.conftest import MakeKey
from tests.model_runs.conftest import OK, MakeRun
from tests.patients.people import MARKED, keep, make_export, make_patient

AFTER = timedelta(days=14, seconds=1)
LABEL, KEY_NAME, SOUND = "canary-label", "canary-key", b"canary-recording " * 1000
WEBHOOK = "https://93.184.216.34/canary-webhook"
NETWORK, ADDRESS = "203.0.113.77/32", "203.0.113.78"
CANARIES = (
    "Canary Clinic",
    "canary@example.net",
    LABEL,
    KEY_NAME,
    "canary-webhook",
    "203.0.113.7",
    "canary-reason",
    "canary-consent",
    OK.transcript,
    *(f"canary-{name}" for name in MARKED if name != "document-bytes"),  # which are in the storage
)
Tenant = Callable[[str], Organization]


@pytest.fixture
def tenant(make_key: MakeKey, make_finished: MakeRun, make_running: MakeRun, make_run: MakeRun) -> Tenant:
    """An organisation with an admin, a key, a webhook with something to deliver, and runs in three states."""

    def make(name: str) -> Organization:
        organization = Organization.objects.create(name=name)
        user = User.objects.create_user(f"{organization.id.hex}@example.org", name="Ada")
        Membership.objects.create(organization=organization, user=user, role="admin")
        invite_member(
            actor=audit.SYSTEM, organization=organization, email="canary@example.net", role=Membership.Role.MEMBER
        )
        organizations.change_consent_text(actor=audit.SYSTEM, organization_id=organization.id, text="canary-consent")
        organizations.change_activity_origins(
            actor=audit.SYSTEM, organization_id=organization.id, origins=["https://canary-origin.example.org"]
        )
        key, _ = make_key(organization=organization, name=KEY_NAME, allowed_cidrs=[NETWORK])
        ApiKey.objects.filter(pk=key.pk).update(last_used_ip=ADDRESS)
        key_notices.announce(key, key_notices.Kind.EXPIRED, detail="canary-reason")
        KeyReplacement.objects.create(key=key, expires_at=timezone.now())
        UsageDay.objects.create(organization=organization, key=key, day=timezone.now().date())
        endpoint, _ = create_endpoint(
            actor=audit.SYSTEM, organization_id=organization.id, url=WEBHOOK, events=["model_run.completed"]
        )
        WebhookNotice.objects.create(endpoint=endpoint, event="model_run.completed", tried=10, answer="canary-reason")
        IdempotentReply.objects.create(
            scope=organization.id.hex, organization_id=organization.id, body_sha256="", status=200, object_ids=[]
        )
        WellnessModelActivation.objects.create(
            organization=organization, number=1, reason="canary-reason", created_by="system"
        )
        for make in (make_finished, make_running):
            make(organization=organization, user_label=LABEL, content=SOUND)
        make_run(organization=organization, user_label=LABEL)
        deleted = keep(make_patient(organization)).patient
        delete_patient(actor=audit.SYSTEM, organization_id=organization.id, patient_id=deleted.pk)
        keep(make_patient(organization))
        make_export(Patient.objects.of(organization.id).get())
        return organization

    return make


def close(organization: Organization) -> Organization:
    return closing.close_organization(actor=audit.SYSTEM, organization_id=organization.id, by="ada@example.org")


def exported(organization: Organization) -> Organization:
    close(organization)
    assert services.export_organization(organization_id=organization.id)
    organization.refresh_from_db()
    return organization


def stored(organization: Organization | None = None) -> list[str]:
    keys = object_store().keys_before(timezone.now() + timedelta(days=30))
    return [key for key in keys if organization is None or key.startswith(str(organization.id))]

"""The life of an endpoint and of its secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.closing import forget_log_entries
from apps.accounts.models import Organization
from apps.api_keys.validation import clean_reason
from apps.webhooks import signing
from apps.webhooks.models import WebhookEndpoint, WebhookSecret
from apps.webhooks.services import trail
from helios_site.api.events import Event
from helios_site.api.families.idempotency import forget
from helios_site.encryption import encrypt

BY_THE_ORGANIZATION = "enabled by the organisation"


class TooMany(Exception):
    """The text says of what there are too many."""


class MadeAlready(Exception):
    """The endpoint of this id is there: whoever made it was shown its secret."""


class EndpointDisabled(Exception):
    """Nothing is sent to an endpoint that is switched off."""


@transaction.atomic
def create_endpoint(
    *, actor: audit.Actor, organization_id: UUID, url: str, events: Sequence[str], endpoint_id: UUID | None = None
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which can be read from here only now.

    `url` and `events` have been checked by the caller. With `endpoint_id`, which the caller drew before, a call that is
    made twice makes one endpoint. Raises TooMany, MadeAlready.
    """
    # Two who create at once take turns here, so that the maximum is exact.
    Organization.objects.select_for_update(no_key=True).only("id").get(id=organization_id)
    theirs = WebhookEndpoint.objects.filter(organization_id=organization_id)
    if endpoint_id is not None and theirs.filter(id=endpoint_id).exists():
        raise MadeAlready
    if theirs.count() >= settings.WEBHOOK_MAX_PER_ORG:
        raise TooMany(f"an organisation has at most {settings.WEBHOOK_MAX_PER_ORG} webhooks")
    endpoint = WebhookEndpoint.objects.create(
        id=endpoint_id or uuid4(), organization_id=organization_id, url=url, events=list(events)
    )
    secret = _new_secret(endpoint)
    trail.record("created", endpoint, actor=actor, reason=", ".join(events))
    return endpoint, secret


@transaction.atomic
def rotate_secret(*, actor: audit.Actor, organization_id: UUID, endpoint_id: UUID) -> tuple[str, datetime] | None:
    """A new secret, and until when the one before signs too; None when there is no such endpoint.

    A rotation that is repeated ends no earlier one sooner: all whose time is not over sign. Raises TooMany.
    """
    endpoint = lock_endpoint(organization_id, endpoint_id)
    if endpoint is None:
        return None
    now = timezone.now()
    endpoint.secrets.filter(ends_at__lte=now).delete()
    if endpoint.secrets.count() >= settings.WEBHOOK_MAX_SECRETS:
        raise TooMany(f"at most {settings.WEBHOOK_MAX_SECRETS} secrets sign at once; wait until the oldest has ended")
    ends_at = now + timedelta(hours=settings.WEBHOOK_SECRET_OVERLAP_HOURS)
    endpoint.secrets.filter(ends_at__isnull=True).update(ends_at=ends_at)
    secret = _new_secret(endpoint)
    trail.record("secret_rotated", endpoint, actor=actor)
    return secret, ends_at


@transaction.atomic
def delete_endpoint(*, actor: audit.Actor, organization_id: UUID, endpoint_id: UUID) -> bool:
    """Remove an endpoint with its secrets and deliveries; False when it is not there. A try under way finds no row
    to write its result to."""
    # The strongest lock from the start: who writes deliveries locks the endpoint first, and then waits here.
    endpoint = WebhookEndpoint.objects.select_for_update().filter(_of(organization_id, endpoint_id)).first()
    if endpoint is None:
        return False
    trail.record("deleted", endpoint, actor=actor)
    endpoint.delete()
    forget(organization_id, [endpoint_id])
    return True


@transaction.atomic
def disable_endpoint(*, actor: audit.Actor, endpoint_id: UUID, reason: str) -> bool:
    """Send nothing more to an endpoint; False when it is disabled already, or gone. Events that happen meanwhile are
    not kept for it; what waits already is sent once it is enabled again. Raises ValidationError without a reason."""
    reason = clean_reason(reason)
    disabled = WebhookEndpoint.objects.filter(id=endpoint_id, is_enabled=True).update(
        is_enabled=False, disabled_at=timezone.now(), disabled_reason=reason
    )
    if disabled:
        trail.record("disabled", WebhookEndpoint.objects.get(id=endpoint_id), actor=actor, reason=reason)
    return bool(disabled)


@transaction.atomic
def enable_endpoint(*, actor: audit.Actor, endpoint_id: UUID, reason: str) -> bool:
    """Send to an endpoint again; False when it is enabled already, or gone. Raises ValidationError without a reason."""
    reason = clean_reason(reason)
    enabled = WebhookEndpoint.objects.filter(id=endpoint_id, is_enabled=False).update(
        is_enabled=True, disabled_at=None, disabled_reason=""
    )
    if enabled:
        trail.record("enabled", WebhookEndpoint.objects.get(id=endpoint_id), actor=actor, reason=reason)
    return bool(enabled)


CLOSING = "The organisation is closing."


def follow_organization(event: Event) -> None:
    """Send nothing for an organisation that is closing, and go on when it is reopened; whatever else was disabled
    stays so. Called with every event, in the transaction of its cause."""
    mine = WebhookEndpoint.objects.filter(organization_id=event.organization_id)
    if event.type == "organization.closing":
        for endpoint in mine.filter(is_enabled=True):
            disable_endpoint(actor=audit.SYSTEM, endpoint_id=endpoint.id, reason=CLOSING)
    elif event.type == "organization.reopened":
        for endpoint in mine.filter(is_enabled=False, disabled_reason=CLOSING):
            enable_endpoint(actor=audit.SYSTEM, endpoint_id=endpoint.id, reason="The organisation was reopened.")


@transaction.atomic
def forget_endpoints(*, organization_id: UUID) -> None:
    """Remove the endpoints of an organisation that is erased, with their secrets and deliveries."""
    mine = WebhookEndpoint.objects.select_for_update().filter(organization_id=organization_id)
    forget_log_entries(WebhookEndpoint, mine.values_list("pk", flat=True))
    mine.delete()


def lock_endpoint(organization_id: UUID, endpoint_id: UUID) -> WebhookEndpoint | None:
    """The endpoint, held until the transaction ends; None when it is absent or another organisation's."""
    return WebhookEndpoint.objects.select_for_update(no_key=True).filter(_of(organization_id, endpoint_id)).first()


def _of(organization_id: UUID, endpoint_id: UUID) -> Q:
    return Q(id=endpoint_id, organization_id=organization_id)


def _new_secret(endpoint: WebhookEndpoint) -> str:
    secret = signing.new_secret()
    WebhookSecret.objects.create(endpoint=endpoint, encrypted=encrypt(secret, purpose=signing.PURPOSE))
    return secret

"""An endpoint's rows in the audit trail. They name neither its URL's query nor its secret."""

from __future__ import annotations

from apps.accounts import audit
from apps.webhooks.models import WebhookEndpoint


def record(verb: str, endpoint: WebhookEndpoint, *, actor: audit.Actor, reason: str = "") -> None:
    """Append `webhook.<verb>`."""
    audit.record(
        f"webhook.{verb}",
        actor=actor,
        organization_id=endpoint.organization_id,
        object_type="webhook",
        object_id=endpoint.id,
        reason=reason,
    )

"""Every write to webhooks. One function a verb, one transaction each, its audit row in the same transaction."""

from apps.webhooks.services.delivering import Claim, Outcome, claim_delivery, finish_delivery, remove_old_deliveries
from apps.webhooks.services.emitting import emit, forget_deliveries, resend_delivery, send_test
from apps.webhooks.services.endpoints import (
    BY_THE_ORGANIZATION,
    EndpointDisabled,
    MadeAlready,
    TooMany,
    create_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    follow_organization,
    forget_endpoints,
    rotate_secret,
)
from apps.webhooks.services.notices import send_due_notices

__all__ = [
    "BY_THE_ORGANIZATION",
    "Claim",
    "EndpointDisabled",
    "MadeAlready",
    "Outcome",
    "TooMany",
    "claim_delivery",
    "create_endpoint",
    "delete_endpoint",
    "disable_endpoint",
    "emit",
    "enable_endpoint",
    "finish_delivery",
    "follow_organization",
    "forget_deliveries",
    "forget_endpoints",
    "remove_old_deliveries",
    "resend_delivery",
    "rotate_secret",
    "send_due_notices",
    "send_test",
]

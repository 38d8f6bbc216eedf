"""Sending what is due."""

from __future__ import annotations

import time

import structlog
from django.conf import settings

from apps.webhooks import selectors, services
from apps.webhooks.services import Claim, Outcome
from apps.webhooks.signing import signed_headers
from helios_site import outgoing
from helios_site.encryption import CannotDecrypt

log = structlog.get_logger(__name__)

BUSY_SECONDS = 10.0


def deliver_due(*, busy_seconds: float = BUSY_SECONDS) -> bool:
    """Send what is due; True when there may be more, since the time was up: a sender that is asked to stop ends soon.

    Takes one delivery of each endpoint in turn, so that whoever has thousands waiting does not keep the others waiting.
    """
    until = time.monotonic() + busy_seconds
    sent = True
    while sent:  # otherwise nothing is due, or only for endpoints that other senders are busy with
        sent = False
        for endpoint_id in selectors.endpoints_with_work():
            claim = services.claim_delivery(endpoint_id=endpoint_id)
            if claim is not None:
                services.finish_delivery(claim=claim, outcome=_try(claim))
                sent = True
            if time.monotonic() >= until:
                return True
    return False


def _try(claim: Claim) -> Outcome:
    """Make one call. It raises nothing that is the receiver's or the network's doing."""
    try:
        answer = _call(claim)
    except (outgoing.CannotReach, outgoing.Refused, outgoing.InvalidURL) as error:
        outcome = Outcome(error=str(error))
    except CannotDecrypt:
        outcome = Outcome(error="the signing secret cannot be decrypted; rotate it")
    else:
        outcome = Outcome(status=answer.status, response=answer.body.decode(errors="replace"))
    log.info(
        "webhook_tried", delivery=str(claim.delivery_id), webhook=str(claim.endpoint_id), status=outcome.status,
        error=outcome.error,
    )  # fmt: skip
    return outcome


def _call(claim: Claim) -> outgoing.Answer:
    body = claim.body.encode()
    secrets = selectors.signing_secrets(claim.endpoint_id)
    headers = signed_headers(str(claim.delivery_id), int(time.time()), body, secrets)
    return outgoing.post(
        outgoing.parse(claim.url),
        body,
        {"Content-Type": "application/json", "User-Agent": "Helios-Webhooks/1", **headers},
        timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
        allowed=settings.HELIOS_WEBHOOK_ALLOW_CIDRS,
        ca_file=settings.HELIOS_WEBHOOK_CA_FILE,
    )

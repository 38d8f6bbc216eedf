"""Tickets: the id of what a form will make, drawn before it is sent, so that a form that is sent twice makes one."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.core import signing


def new_ticket(kind: str, organization_id: UUID) -> str:
    """A new id, signed for this kind of object of this organisation."""
    return signing.dumps(uuid4().hex, salt=_salt(kind, organization_id))


def read_ticket(ticket: str, kind: str, organization_id: UUID) -> UUID | None:
    """None for one that we gave to nobody of this organisation."""
    try:
        return UUID(signing.loads(ticket, salt=_salt(kind, organization_id)))
    except signing.BadSignature:
        return None


def _salt(kind: str, organization_id: UUID) -> str:
    return f"new {kind} of {organization_id}"

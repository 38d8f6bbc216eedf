"""Reads of an organisation's audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.accounts.models import AuditEvent, Membership, User
from apps.api_keys.models import ApiKey

_COUNT = """
SELECT coalesce((SELECT sequence FROM accounts_auditseal WHERE organization_id = %(organization_id)s
                 ORDER BY sequence DESC LIMIT 1), 0)
     + (SELECT count(*) FROM accounts_unsealedevent AS waiting JOIN accounts_auditevent AS event
        ON event.id = waiting.event_id WHERE event.organization_id = %(organization_id)s)
"""


class Actors(NamedTuple):
    """What the organisation calls its own keys and people, by their ids."""

    key_prefixes: dict[str, str]
    emails: dict[str, str]


def list_events(organization_id: UUID) -> QuerySet[AuditEvent]:
    """The organisation's events in the reverse order of their writing."""
    return AuditEvent.objects.filter(organization_id=organization_id).order_by("-id")


def count_events(organization_id: UUID) -> int:
    """How many there are, without counting them: seals are numbered without gaps, and what has none yet is little."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"organization_id": organization_id})
        return int(cursor.fetchone()[0])


def people_of(organization_id: UUID) -> QuerySet[Membership, Any]:
    """The ids and addresses of its present members, by address."""
    members = Membership.objects.filter(organization_id=organization_id)
    return members.order_by("user__email").values_list("user_id", "user__email")


def actors_of(organization_id: UUID, events: Iterable[AuditEvent]) -> Actors:
    """Its keys and present members among the actors of `events`; at most one query for each kind."""
    ids = {kind: {event.actor_id for event in events if event.actor_type == kind} for kind in AuditEvent.Actor}
    keys, users = ids[AuditEvent.Actor.KEY], ids[AuditEvent.Actor.USER]
    prefixes = ApiKey.objects.filter(organization_id=organization_id, id__in=keys).values_list("id", "key_prefix")
    emails = User.objects.filter(memberships__organization_id=organization_id, id__in=users).values_list("id", "email")
    return Actors(
        key_prefixes={str(identifier): prefix for identifier, prefix in prefixes},
        emails={str(identifier): email for identifier, email in emails},
    )

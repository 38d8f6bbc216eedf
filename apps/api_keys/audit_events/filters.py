"""The filters of the audit trail."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import FilterSet

from apps.accounts.models import AuditEvent
from helios_site.api.families.healos.query import Earliest, ExactText, ExactUuid, Latest

LONGEST = 64  # characters of the columns


class _ByKey(ExactUuid):
    def filter(self, events: QuerySet[AuditEvent], key_id: Any) -> QuerySet[AuditEvent]:
        if key_id is None:
            return events
        return events.filter(actor_type=AuditEvent.Actor.KEY, actor_id=str(key_id))


class _Meta:
    model = AuditEvent
    fields: tuple[str, ...] = ()


# Not by a class statement: `from` is no name in Python.
AuditEventFilter: Any = type(
    "AuditEventFilter",
    (FilterSet,),
    {
        "Meta": _Meta,
        "from": Earliest("at", "gte"),
        "to": Latest("at", "lt"),
        "key_id": _ByKey(),
        "object_type": ExactText("object_type", longest=LONGEST),
        "object_id": ExactText("object_id", longest=LONGEST),
        "action": ExactText("action", longest=LONGEST),
    },
)


def named_in(query: QueryDict) -> dict[str, str]:
    """The filters that the query names, as they were sent; of a repeated one the last."""
    return {name: str(query[name]) for name in AuditEventFilter.base_filters if name in query}

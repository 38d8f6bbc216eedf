"""The query parameters of the lists of notes, and `include`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import FilterSet

from apps.patients.filters import OfPatient
from apps.patients.models import Note
from apps.patients.notes.serializers import PARTS
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import wrong_choice
from helios_site.api.families.healos.query import Earliest, ExactText, ExactUuid, Latest, narrowed

LONGEST = 255


class _Meta:
    model = Note
    fields: tuple[str, ...] = ()


# Not by a class statement: `from` is no name in Python.
NoteFilter: Any = type(
    "NoteFilter",
    (FilterSet,),
    {
        "Meta": _Meta,
        "patient_id": OfPatient(longest=LONGEST),
        "session_id": ExactUuid("session_id"),
        "template_id": ExactText("template_id", longest=LONGEST),
        "created_by": ExactUuid("created_by_id"),
        "note_type": ExactText("note_type", longest=LONGEST),
        "from": Earliest("created_at", "gte"),
        "to": Latest("created_at", "lt"),
    },
)


def is_narrowed(query: Mapping[str, str]) -> bool:
    """Whether the list is not the whole one, which is counted already."""
    return not NoteFilter.base_filters.keys().isdisjoint(query)


def narrowed_notes(notes: QuerySet[Any], query: QueryDict) -> QuerySet[Any]:
    """The notes that the query's filters leave. Raises Invalid; unknown parameters are ignored."""
    return narrowed(NoteFilter, query, notes)


def read_include(query: Mapping[str, str]) -> frozenset[str]:
    """What `include` asks for: both where it is not sent, neither where it is empty. Raises Invalid."""
    sent = query.get("include")
    words = list(PARTS) if sent is None else sent.split(",") if sent else []
    wrong = [wrong_choice(word, PARTS) for word in words if word not in PARTS]
    if wrong:
        raise Invalid({"include": wrong})
    return frozenset(words)

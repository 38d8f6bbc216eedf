"""The query parameters of the list of patients."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django_filters import FilterSet

from apps.patients.models import Patient
from apps.patients.names import folded
from helios_site.api.families.healos.query import ExactText, Sort, TextField

LONGEST = 255
ORDERS = {"name": ("search_name",), "created_at": ("created_at",)}
NARROWING = ("external_id", "search")  # a list without them is counted already


class Search(ExactText):
    """A part of the name, without regard to case and accents, or exactly the `external_id`. One or two letters are
    looked for at the beginning of the name alone: names that hold them somewhere are too many."""

    field_class = TextField

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if value is None:
            return qs
        part = folded(value)
        found = Q(external_id=value)
        if part:
            found |= Q(search_name__startswith=part) if len(part) < 3 else Q(search_name__contains=part)
        return qs.filter(found)


class PatientFilter(FilterSet):
    external_id = ExactText("external_id", longest=LONGEST)
    search = Search(longest=LONGEST)
    sort = Sort(ORDERS)

    class Meta:
        model = Patient
        fields: ClassVar[list[str]] = []

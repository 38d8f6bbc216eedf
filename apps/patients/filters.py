"""The query parameters of the list of patients."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django_filters import FilterSet

from apps.patients.ids import parse_patient_id
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
        # The one with the external id first: joined with the name by OR, neither index would count or sort alone.
        exact = list(qs.filter(external_id=value).order_by().values_list("pk", flat=True)[:1])
        if not part:
            return qs.filter(pk__in=exact)
        named = Q(search_name__startswith=part) if len(part) < 3 else Q(search_name__contains=part)
        return qs.filter(named | Q(pk=exact[0]) if exact else named)


class PatientFilter(FilterSet):
    external_id = ExactText("external_id", longest=LONGEST)
    search = Search(longest=LONGEST)
    sort = Sort(ORDERS)

    class Meta:
        model = Patient
        fields: ClassVar[list[str]] = []


class OfPatient(ExactText):
    """What belongs to one patient. A text that can be no id is as absent as an unknown one."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if value is None:
            return qs
        patient_id = parse_patient_id(value)
        return qs.none() if patient_id is None else qs.filter(patient_id=patient_id)

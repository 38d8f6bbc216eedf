"""The query parameters of a person's history."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import FilterSet

from apps.model_runs.filters import Earliest, Label, Latest
from apps.model_runs.models import ModelRun
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.query import refuse_wrong


class _Meta:
    model = ModelRun
    fields: tuple[str, ...] = ()


class LabelFilter(FilterSet):
    userLabel = Label("user_label")  # noqa: N815 - names of the API

    class Meta(_Meta):
        pass


# Not by a class statement: `from` is no name in Python.
HistoryFilter: Any = type(
    "HistoryFilter",
    (LabelFilter,),
    {"Meta": _Meta, "from": Earliest("completed_at", "gte"), "to": Latest("completed_at", "lt")},
)


def narrowed(filters: Any, runs: QuerySet[Any], query: QueryDict) -> tuple[str, QuerySet[Any]]:
    """The label that the query must name, and the runs that its filters leave. Raises Invalid."""
    if "userLabel" not in query:
        raise Invalid(("query", "userLabel"), "value_error.missing")
    found = filters(query, runs)
    if not found.is_valid():
        refuse_wrong(found.form)
    return found.form.cleaned_data["userLabel"], found.qs

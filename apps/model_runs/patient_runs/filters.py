"""The query parameters of a patient's wellness."""

from __future__ import annotations

from typing import Any

from django_filters import FilterSet

from apps.model_runs.models import ModelRun
from helios_site.api.families.healos.query import Day


class _Meta:
    model = ModelRun
    fields: tuple[str, ...] = ()


# Not by a class statement: `from` is no name in Python.
WellnessFilter: Any = type(
    "WellnessFilter", (FilterSet,), {"Meta": _Meta, "from": Day("day", "gte"), "to": Day("day", "lte")}
)

"""The filters of the run list."""

from __future__ import annotations

from django.conf import settings
from django.forms import ValidationError
from django.http import QueryDict
from django_filters import Filter, FilterSet

from apps.model_runs.models import ModelRun, ModelRunQuerySet, Status
from apps.model_runs.serializers import LABEL_MAX_CHARS
from apps.patients.ids import parse_wanted_id
from helios_site.api.families.helios.errors import permitted
from helios_site.api.families.helios.query import (
    EarliestField,
    LatestField,
    RepeatableField,
    read_text,
    refuse,
    refuse_wrong,
)
from helios_site.api.families.query_field import QueryField


class _LabelField(QueryField):
    def parse(self, raw: str) -> str:
        return read_text(raw, max_length=LABEL_MAX_CHARS)


class _StatusField(RepeatableField):
    def parse(self, raw: str) -> str:
        if raw not in Status.values:
            refuse("type_error.enum", permitted=permitted(Status.values))
        return raw


class _TagField(RepeatableField):
    """`name`, or `name:value` cut at the first colon."""

    def parse(self, raw: str) -> dict[str, str]:
        name, colon, value = raw.partition(":")
        longest = settings.HELIOS_TAG_MAX_CHARS
        tag = {"name": read_text(name, max_length=longest)}
        if colon:
            tag["value"] = read_text(value, max_length=longest, min_length=0)
        return tag


class _PatientField(QueryField):
    def parse(self, raw: str) -> int:
        found = parse_wanted_id(raw)
        if found is None:
            raise ValidationError("the id of a patient is a text of digits", code="value_error")
        return found


class Label(Filter):
    field_class = _LabelField


class _Status(Filter):
    field_class = _StatusField


class _Tag(Filter):
    field_class = _TagField


class _Patient(Filter):
    field_class = _PatientField


class Earliest(Filter):
    field_class = EarliestField


class Latest(Filter):
    field_class = LatestField


class ModelRunFilter(FilterSet):
    """Each narrows; `status` may be any of several, `tag` must be all of several."""

    userLabel = Label("user_label")  # noqa: N815 - names of the API
    status = _Status("status", "in")
    tag = _Tag("tags", "contains")
    createdFrom = Earliest("created_at", "gte")  # noqa: N815
    createdTo = Latest("created_at", "lt")  # noqa: N815
    completedFrom = Earliest("completed_at", "gte")  # noqa: N815
    completedTo = Latest("completed_at", "lt")  # noqa: N815

    patientId = _Patient("patient_id")  # noqa: N815

    class Meta:
        model = ModelRun
        fields: tuple[str, ...] = ()


def narrowed(runs: ModelRunQuerySet, query: QueryDict) -> ModelRunQuerySet:
    """The runs that the query's filters leave. Raises Invalid; unknown parameters are ignored."""
    if ModelRunFilter.base_filters.keys().isdisjoint(query):
        return runs  # building the form costs more than reading a page
    filters = ModelRunFilter(query, runs)
    if not filters.is_valid():
        refuse_wrong(filters.form)
    left: ModelRunQuerySet = filters.qs
    return left

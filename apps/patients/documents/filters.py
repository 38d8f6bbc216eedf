"""The query parameters of the list of documents."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import FilterSet

from apps.patients.documents.inspection.kinds import FILE_TYPES
from apps.patients.filters import LONGEST
from apps.patients.models import Document
from helios_site.api.families.healos.query import ExactChoice, ExactText

STATUS = "status"


class Include(ExactChoice):
    """What else each item shows; it leaves the list as it is."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return qs


class DocumentFilter(FilterSet):
    external_id = ExactText("external_id", longest=LONGEST)
    file_type = ExactChoice("file_type", choices=FILE_TYPES)
    include = Include(choices=(STATUS,))

    class Meta:
        model = Document
        fields: ClassVar[list[str]] = []

"""Which patients a page of a list shows. Pages go on by place: who is added meanwhile moves nobody to another page."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.patients.filters import PatientFilter
from apps.patients.ids import parse_patient_id
from apps.patients.models import Patient
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.query import narrowed

PAGE_SIZE = 50
FIELDS = ("id", "name", "external_id", "consent", "created_at", "deleted_at")
CONSENT = {"given": True, "missing": False}


class Order(NamedTuple):
    field: str
    falls: bool


ORDERS = {"newest": Order("created_at", falls=True), "name": Order("search_name", falls=False)}
LAST_DELETED = Order("deleted_at", falls=True)


class Wrong(Exception):
    """The query asks for what cannot be: a sentence that says so."""


def searched(patients: QuerySet[Any], text: str) -> QuerySet[Any]:
    """As the API's `search`. Raises Wrong."""
    if not text:
        return patients
    query = QueryDict(mutable=True)
    query["search"] = text
    try:
        return narrowed(PatientFilter, query, patients)
    except Invalid as refusal:
        raise Wrong(f"This cannot be searched for: {' '.join(refusal.details['search'])}.") from None


def page_of(
    organization_id: UUID, patients: QuerySet[Any], order: Order, after: str, *, is_narrowed: bool
) -> tuple[list[dict[str, Any]], int | None]:
    """Rows of FIELDS behind the patient whose id is `after`, and the id for the page that follows, if one does. Raises
    Wrong."""
    sign = "-" if order.falls else ""
    rows = patients.order_by(f"{sign}{order.field}", f"{sign}id")
    if after:
        rows = rows.filter(_behind(organization_id, order, after))
    if is_narrowed:  # what is left out is read from an index alone where it can be
        rows = rows.filter(pk__in=rows.values("pk")[: PAGE_SIZE + 1])
    found = list(rows.values(*FIELDS)[: PAGE_SIZE + 1])
    return found[:PAGE_SIZE], found[PAGE_SIZE - 1]["id"] if len(found) > PAGE_SIZE else None


def _behind(organization_id: UUID, order: Order, after: str) -> Q:
    """Where the list goes on. The link names the id alone: a name has no place in an address."""
    last = Patient.objects.filter(organization_id=organization_id, id=parse_patient_id(after) or 0)
    place = last.values_list(order.field, flat=True).first()
    if place is None:
        raise Wrong("The place where the list was to go on is gone.")
    beyond = "lt" if order.falls else "gt"
    tied = Q((order.field, place), (f"id__{beyond}", after))
    # The first condition alone finds the place in the index; the second cuts the ties.
    return Q((f"{order.field}__{beyond}e", place)) & (Q((f"{order.field}__{beyond}", place)) | tied)

"""What the pages of a patient's appointments, documents and notes share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Membership
from apps.patients.models import Patient
from apps.patients.selectors import get_patient
from helios_site.api.families import positions
from helios_site.api.families.healos.fields import parse_instant, parse_uuid, timestamp

PAGE_SIZE = 50
DELETED_AT_ONCE = 20  # that a page offers to restore

Place = tuple[datetime, UUID]  # of one row in an order by a moment and the id


class Deleted(NamedTuple):
    """Some of what can be brought back, and the place from which another page goes on; empty at the end."""

    rows: list[Any]
    onward: str
    is_further: bool  # behind a page that showed those deleted last


def patient_of(current: Membership, patient_id: int) -> Patient:
    """Raises Http404: absent, foreign and deleted look the same."""
    patient = get_patient(current.organization_id, patient_id)
    if patient is None:
        raise Http404
    return patient


def whole_number(text: str) -> int:
    """What `text` writes in at most nine digits; 0 for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def version_of(request: HttpRequest) -> int:
    """The version that the form was made from; 0, which no row has, where it names none."""
    return whole_number(request.POST.get("version", ""))


def record_page(
    request: HttpRequest, patient: Patient, section: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page below the heading of the patient; `section` names the one that is marked as the present one."""
    return render(request, template, {"patient": patient, "section": section, **context}, status=status)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day by the clocks of `zone`; at the ends of the calendar, where these have none, that of UTC."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def pack_place(place: Place) -> str:
    """A place in a list, for the address of the next page. It may be in any year, as appointments are."""
    return f"{timestamp(place[0])}_{place[1]}"


def read_place(request: HttpRequest, name: str) -> Place | None:
    """The place that the query names; None where it names none. Raises Http404 for what no page of ours links to."""
    sent = request.GET.get(name)
    if sent is None:
        return None
    moment, _, identifier = sent.partition("_")
    found = parse_uuid(identifier)
    try:
        if found is not None:
            return parse_instant(moment), found
    except ValueError:
        pass
    raise Http404


def newest_first(request: HttpRequest, rows: QuerySet[Any]) -> tuple[list[Any], str]:
    """One page of rows that come by their creation, and the cursor of the older ones, empty where there are none.
    Raises Http404 for a cursor that no page of ours has."""
    sent = request.GET.get("before")
    if sent is not None:
        after = positions.unpack(sent)
        if after is None:
            raise Http404
        rows = positions.older(rows, after)
    found = list(rows[: PAGE_SIZE + 1])
    if len(found) <= PAGE_SIZE:
        return found, ""
    last = found[PAGE_SIZE - 1]
    return found[:PAGE_SIZE], positions.pack((last.created_at, last.id))


def deleted_page(request: HttpRequest, restorable: QuerySet[Any]) -> Deleted:
    """Those of `restorable` that were deleted last, or that come behind the place in the query's `deleted`. Raises
    Http404 for a place that no page of ours links to."""
    place = read_place(request, "deleted")
    if place is not None:
        moment, identifier = place
        behind = Q(deleted_at__lt=moment) | Q(id__gt=identifier)
        restorable = restorable.filter(deleted_at__lte=moment).filter(behind)
    found = list(restorable[: DELETED_AT_ONCE + 1])
    rows = found[:DELETED_AT_ONCE]
    onward = pack_place((rows[-1].deleted_at, rows[-1].pk)) if len(found) > DELETED_AT_ONCE else ""
    return Deleted(rows, onward, is_further=place is not None)

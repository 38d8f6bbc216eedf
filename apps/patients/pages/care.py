"""What the pages of a patient's appointments, documents and notes share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Membership
from apps.patients.models import Patient
from apps.patients.selectors import get_patient
from helios_site.api.families import positions
from helios_site.api.families.healos.fields import parse_instant, parse_uuid, timestamp

PAGE_SIZE = 50
MOST_DELETED = 20  # that are offered to be restored

Place = tuple[datetime, UUID]  # of one row in an order by a moment and the id


def patient_of(current: Membership, patient_id: int) -> Patient:
    """Raises Http404: absent, foreign and deleted look the same."""
    patient = get_patient(current.organization_id, patient_id)
    if patient is None:
        raise Http404
    return patient


def record_page(
    request: HttpRequest, patient: Patient, section: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page below the heading of the patient; `section` names the one that is marked as the present one."""
    return render(request, template, {"patient": patient, "section": section, **context}, status=status)


def day_of(moment: datetime) -> date:
    """The day of the installation's clocks; at the ends of the calendar, where these have none, that of UTC."""
    try:
        return moment.astimezone(settings.HEALOS_DAY_TIMEZONE).date()
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

"""The query parameters of the list of appointments."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - a filter has the name
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django_filters import Filter, FilterSet

from apps.patients.appointments.recurrence import Span
from apps.patients.filters import OfPatient
from apps.patients.models import Appointment
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.query import (
    ChoiceField,
    DayField,
    ExactChoice,
    ExactText,
    Sort,
    moments_of,
)
from helios_site.api.families.query_field import QueryField
from helios_site.zones import zone_named

LONGEST = 255
ORDERS = {"start_at": ("start_at",), "created_at": ("created_at",)}
LONGEST_SPAN = 366  # days between the first and the last of those that are unfolded
# A list without them is counted already.
NARROWING = ("date", "start_date", "end_date", "external_id", "patient_id", "status", "visit_type")


class ZoneField(QueryField):
    """The name of a time zone in the IANA database."""

    def parse(self, raw: str) -> ZoneInfo:
        zone = zone_named(raw)
        if zone is None:
            raise forms.ValidationError("Invalid time zone. Expected an IANA name such as 'Europe/London'")
        return zone


class Said(Filter):
    """Narrows nothing by itself: the filter set as a whole does."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs


class SaidDay(Said):
    field_class = DayField


class SaidZone(Said):
    field_class = ZoneField


class SaidTruth(Said):
    field_class = ChoiceField


class AppointmentFilter(FilterSet):
    """`date` wins over `start_date` and `end_date`. Of a list that is unfolded, `span` says which days are meant."""

    date = SaidDay()
    start_date = SaidDay()
    end_date = SaidDay()
    external_id = ExactText("external_id", longest=LONGEST)
    patient_id = OfPatient(longest=LONGEST)
    status = ExactChoice("status", choices=Appointment.Status.values)
    visit_type = ExactChoice("visit_type", choices=Appointment.VisitType.values)
    sort = Sort(ORDERS)
    expand = SaidTruth(choices=("true", "false"))
    tz = SaidZone()

    class Meta:
        model = Appointment
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        narrowed: QuerySet[Any] = super().filter_queryset(queryset)
        first, last = self._days()
        if self.unfolds or first is last is None:
            return narrowed
        begin, end = moments_of(first, last)
        return narrowed.filter(start_at__gte=begin, start_at__lt=end)

    @property
    def unfolds(self) -> bool:
        """Whether each occurrence was asked for. Only of valid parameters."""
        return bool(self.form.cleaned_data["expand"] == "true")

    def span(self) -> Span:
        """The days whose occurrences were asked for. Raises Invalid when they are not said, or are too many."""
        first, last = self._days()
        if first is None or last is None:
            missing = {"start_date": first, "end_date": last}
            raise Invalid({name: ["Required with expand=true"] for name, day in missing.items() if day is None})
        if (last - first).days > LONGEST_SPAN:
            raise Invalid({"end_date": [f"Must be at most {LONGEST_SPAN} days after start_date with expand=true"]})
        return Span(first, last, self.form.cleaned_data["tz"] or settings.HEALOS_DAY_TIMEZONE)

    def _days(self) -> tuple[Date | None, Date | None]:
        said = self.form.cleaned_data
        return (said["date"], said["date"]) if said["date"] else (said["start_date"], said["end_date"])

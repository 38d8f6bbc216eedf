"""The day that a finished run belongs to, as the database computes it and its indexes keep it."""

from __future__ import annotations

from typing import Any

from django.db.models import DateField, Func

# `make_date` and the day in UTC are immutable, as an index asks; a cast of text to a date is not.
_RECORDED = "make_date(substr({0}, 1, 4)::integer, substr({0}, 6, 2)::integer, substr({0}, 9, 2)::integer)"
_COMPLETED = "({1} AT TIME ZONE 'UTC')::date"
_DAY = f"CASE WHEN {_RECORDED} <= {_COMPLETED} + 1 THEN {_RECORDED} ELSE {_COMPLETED} END"


class RunDay(Func):
    """The day of the recording on the person's wall clock, if it was sent and is not ahead of every clock on earth;
    else the day (UTC) on which the run was completed."""

    output_field = DateField()

    def __init__(self, recording_time: Any = "recording_time", completed_at: Any = "completed_at") -> None:
        super().__init__(recording_time, completed_at)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        columns = [compiler.compile(source)[0] for source in self.source_expressions]
        return _DAY.format(*columns), []

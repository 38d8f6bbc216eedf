"""A person's own baseline: what is usual for them, and whether a new reading differs from it by more than chance.

Robust statistics over the person's earlier days, after P. J. Rousseeuw and C. Croux, "Alternatives to the median
absolute deviation", J. Am. Stat. Assoc. 88 (1993) 1273-1283. No Django and no clock: all is in the arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt
from statistics import median
from types import MappingProxyType

MIN_DAYS = 5
WINDOW_DAYS = 90
POOR = "POOR"

# MAD times this estimates the standard deviation of normal values.
MAD_TO_SD = 1.4826
# A spread below this is an accident of few days: another encoding of the same audio may move a score by 0.08,
# and the minimum detectable change at the floor is 0.083 or more.
SPREAD_FLOOR = 0.03
NORMAL_95 = 1.96
# The spread of few days is itself uncertain, and too small more often than too large. These factors, from 400,000
# simulated series of normal values for each number of days, hold the false alarms at 5 in 100; from 13 days on none
# is needed.
FEW_DAYS = MappingProxyType({5: 2.16, 6: 1.52, 7: 1.47, 8: 1.24, 9: 1.21, 10: 1.10, 11: 1.09, 12: 1.02})

_NAMES = MappingProxyType({"sleepPropensity": "sleepiness", "lowSelfEsteem": "low self-esteem"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One finished run. `day` is the person's day; `values` are scores by name, 0..1."""

    day: date
    values: Mapping[str, float | None]
    quality: str | None  # GOOD, FAIR, POOR
    model_version: str


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of one score. Everything but the counts is None until `ready`; all in the score's unit."""

    ready: bool
    runs_used: int
    days_used: int
    median: float | None = None
    spread: float | None = None  # MAD x MAD_TO_SD, at least SPREAD_FLOOR
    low: float | None = None  # median -/+ NORMAL_95 spreads, cut to 0..1: where 95 of 100 days of theirs lie
    high: float | None = None
    minimum_detectable_change: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A reading against what is usual. `deviation` is in the person's own standard deviations, above 0 for higher."""

    usual: Usual
    deviation: float | None
    changed: bool
    text: str


def usual(
    readings: Iterable[Reading],
    name: str,
    *,
    model_version: str,
    before: date,
    window_days: int = WINDOW_DAYS,
    min_days: int = MIN_DAYS,
) -> Usual:
    """What is usual of the score `name` in the `window_days` days that end with the day before `before`.

    Readings of poor quality, of another model version, and without a value in 0..1 do not count; those of one day
    count as their median. Ready from `min_days` different days on (and so as many runs). The order of the readings
    is of no effect.

    The minimum detectable change is 1.96 x sqrt(2) x SEM: what two single readings of an unchanged person differ by
    in 5 of 100 pairs (J. P. Weir, J. Strength Cond. Res. 19 (2005) 231-240; H. Beckerman et al., Qual. Life Res. 10
    (2001) 571-578). The SEM, the standard error of measurement, is the spread over the person's own days, which holds
    the ordinary ups and downs besides the error of the model, times FEW_DAYS. Of readings of normally distributed
    values that do not change, at most about 5 in 100 are then called a change, of each score; with six scores, one of
    them more often. Raises ValueError for fewer than MIN_DAYS days and for a window that cannot hold them.
    """
    if not MIN_DAYS <= min_days <= window_days:
        raise ValueError(f"min_days is at least {MIN_DAYS} and at most window_days")
    first = days_before(before, window_days)
    days: dict[date, list[float]] = defaultdict(list)
    for reading in readings:
        value = _score(reading, name)
        if value is not None and reading.model_version == model_version and first <= reading.day < before:
            days[reading.day].append(value)
    runs_used = sum(len(values) for values in days.values())
    if len(days) < min_days:
        return Usual(False, runs_used, len(days))
    daily = [median(values) for values in days.values()]
    middle = median(daily)
    spread = max(MAD_TO_SD * median(abs(value - middle) for value in daily), SPREAD_FLOOR)
    return Usual(
        ready=True,
        runs_used=runs_used,
        days_used=len(days),
        median=middle,
        spread=spread,
        low=max(0.0, middle - NORMAL_95 * spread),
        high=min(1.0, middle + NORMAL_95 * spread),
        minimum_detectable_change=NORMAL_95 * sqrt(2) * spread * FEW_DAYS.get(len(days), 1.0),
    )


def days_before(day: date, days: int) -> date:
    """So many days before, or the first day of the calendar."""
    return date.fromordinal(max(1, day.toordinal() - days))


def compare(
    earlier: Iterable[Reading], current: Reading, *, window_days: int = WINDOW_DAYS, min_days: int = MIN_DAYS
) -> dict[str, Comparison]:
    """Each score of `current` against what was usual on the days before it.

    Readings of the day itself are not among what they are compared with. A reading of poor quality is not judged.
    """
    known = usual_scores(
        earlier,
        current.values,
        model_version=current.model_version,
        before=current.day,
        window_days=window_days,
        min_days=min_days,
    )
    return judge(current, known, min_days=min_days)


def usual_scores(
    readings: Iterable[Reading],
    names: Iterable[str],
    *,
    model_version: str,
    before: date,
    window_days: int = WINDOW_DAYS,
    min_days: int = MIN_DAYS,
) -> dict[str, Usual]:
    """What is usual of each of the scores `names`, as `usual` says."""
    known = list(readings)
    return {
        name: usual(known, name, model_version=model_version, before=before, window_days=window_days, min_days=min_days)
        for name in names
    }


def judge(current: Reading, known: Mapping[str, Usual], *, min_days: int = MIN_DAYS) -> dict[str, Comparison]:
    """Each score of `current` against what is usual of it, by readings of the same model version."""
    return {name: _compared(name, current, known[name], min_days) for name in current.values}


def _score(reading: Reading, name: str) -> float | None:
    """The value if it counts. NaN is in no range."""
    value = reading.values.get(name)
    return value if value is not None and reading.quality != POOR and 0.0 <= value <= 1.0 else None


def _compared(name: str, current: Reading, known: Usual, min_days: int) -> Comparison:
    title = title_of(name)
    value = _score(current, name)
    if current.quality == POOR:
        return Comparison(known, None, False, f"{title} is not compared: the quality of the recording is too poor.")
    if value is None:
        return Comparison(known, None, False, f"{title} has no value to compare.")
    if known.median is None or known.spread is None or known.minimum_detectable_change is None:
        text = f"{title} is compared from {min_days} earlier days on; so far there are {known.days_used}."
        return Comparison(known, None, False, text)
    difference = value - known.median
    deviation = difference / known.spread
    figures = f"{value:.2f} against a median of {known.median:.2f}"
    if abs(difference) <= known.minimum_detectable_change:
        return Comparison(known, deviation, False, f"{title} is within what is usual for this person: {figures}.")
    text = (
        f"{title} is {'higher' if difference > 0 else 'lower'} than usual for this person: {figures}; a difference "
        f"above {known.minimum_detectable_change:.2f} is more than their ordinary ups and downs."
    )
    return Comparison(known, deviation, True, text)


def title_of(name: str) -> str:
    """`uniformSleepPropensity` and `sleepPropensity` are "Sleepiness", `mentalStrain` is "Mental strain"."""
    plain = name.removeprefix("uniform")
    plain = plain[:1].lower() + plain[1:]
    words = _NAMES.get(plain) or "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in plain)
    return words[:1].upper() + words[1:]

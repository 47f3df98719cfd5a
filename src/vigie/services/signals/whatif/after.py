"""What came of a change: what detectors measured in the hours after it, beside hours before it that are like them.

An hour after is set beside one before that has the same hour of the town's clock, on the same day of the week or else
on a day of the same kind; no hour twice, and a public holiday beside none but Sundays and its like. Hours of one day
rise and fall together, so that they are no evidence apart from each other: a day's hours are one difference, their
mean, and the interval is Student's of the days' differences (`whatif.paired`).

Whether a change did it, figures alone do not say. Vehicles that are fewer may be on holiday, and fewer are faster
anywhere: hence speed and occupancy are told of like flow as well, where the same detector counted about as many in
both hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.past import Told
from vigie.core.times import HOUR_US, from_us
from vigie.services.signals.flow.usual import HOURS, kinds_of, weekdays_of
from vigie.services.signals.whatif.paired import Says, paired

HOURS_MIN = 6
"""A day of which fewer hours could be compared is no day like the others."""

DAYS_MIN = 3
"""With two days the interval is thirteen standard errors wide to each side, with three four."""

LIKE_SHARE = 0.1
LIKE_FEW_H = 25.0
"""Flows are alike that differ by no more than this share of the greater, or by so few vehicles an hour."""

NONE = -1
"""The hour that is beside an hour that has none."""


class Verdict(StrEnum):
    """What is said of a figure. Of flow neither more nor less is better."""

    BETTER = "better"
    WORSE = "worse"
    MORE = "more"
    LESS = "less"
    OPEN = "cannot be told apart"
    SAME = "the same"
    FEW = "not enough yet"


@dataclass(frozen=True, slots=True)
class Judged:
    """How a figure is judged. unit: as in points. like: whether of like flow alone. lower, higher: what is said of less
    and of more of it."""

    unit: str
    lower: Verdict
    higher: Verdict
    like: bool = False


FIGURES: Mapping[str, Judged] = {
    "speed_like": Judged("km/h", Verdict.WORSE, Verdict.BETTER, like=True),
    "occupancy_like": Judged("%", Verdict.BETTER, Verdict.WORSE, like=True),
    "speed": Judged("km/h", Verdict.WORSE, Verdict.BETTER),
    "occupancy": Judged("%", Verdict.BETTER, Verdict.WORSE),
    "flow": Judged("/h", Verdict.LESS, Verdict.MORE),
}
"""All of them, in the order in which they are told: first what tells most."""


@dataclass(frozen=True)
class Measured:
    """Means of full hours that follow each other, (hour, detector), NaN where nothing was measured. Both sides have the
    same detectors in the same order. start_us: when the first hour begins."""

    start_us: int
    flow: Floats
    speed: Floats
    occupancy: Floats


class AfterFigure(msgspec.Struct, frozen=True):
    """A figure before and after. hours: that were compared; days: that they make, each with HOURS_MIN of them at least;
    unmeasured: hours that have one beside them, but nothing measured in one of the two, or no flow where like flow is
    asked for; unlike: hours whose flow was another, which is asked of some figures alone. The rest is None where it is
    not enough yet; low, high: the ends of the 95 % interval of the difference, which is after less before."""

    figure: str
    unit: str
    says: Verdict
    days: int
    hours: int
    unmeasured: int
    unlike: int
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


class After(msgspec.Struct, frozen=True):
    """What came of a change. hours: that have passed since, in the time that is asked about; unmatched: those of them
    that no hour before is like; school: those that are beside one before, one of the two in school holidays."""

    hours: int
    unmatched: int
    school: int
    figures: tuple[AfterFigure, ...]


def compare(before: Measured, after: Measured, calendar: Calendar) -> After:
    """Sets the hours after a change beside hours before it."""
    days_before, hours_before = clock_of(before.start_us, len(before.flow), calendar.zone)
    days_after, hours_after = clock_of(after.start_us, len(after.flow), calendar.zone)
    beside = matched((days_before, hours_before), (days_after, hours_after), frozenset(calendar.public))
    rows = np.flatnonzero(beside != NONE)
    own = beside[rows]
    school = sum(
        (old in calendar.school) != (new in calendar.school)
        for old, new in zip(ints(days_before[own]), ints(days_after[rows]), strict=True)
    )
    flows = before.flow[own], after.flow[rows]
    like, counted = alike(*flows), ~np.isnan(flows[0]) & ~np.isnan(flows[1])
    found: list[AfterFigure] = []
    for name, judged in FIGURES.items():
        point = name.removesuffix("_like")
        old, new = getattr(before, point)[own], getattr(after, point)[rows]
        if judged.like:
            old = np.where(counted, old, np.nan)
        found.append(_figure(name, judged, rows // HOURS, (old, new), like if judged.like else None))
    return After(len(beside), len(beside) - len(rows), school, tuple(found))


def broken(told: Told, detectors: Int64s, start_us: int, hours: int) -> Mask:
    """The hours in some part of which the last that a detector had told was that it does not work, (hour, detector).
    told: `working`, from long enough before the first hour on. As with means, what is told at the end of an hour is of
    that hour."""
    down = told.value < 1
    until_us = np.full(len(told.asset), start_us + hours * HOUR_US)
    same = np.flatnonzero(told.asset[1:] == told.asset[:-1])
    until_us[same] = told.observed_us[same + 1]
    first, last = ((at_us[down] - 1 - start_us) // HOUR_US for at_us in (told.observed_us, until_us))
    order = np.argsort(detectors)
    own = order[np.searchsorted(detectors[order], told.asset[down])]
    changes = np.zeros((hours + 1, len(detectors)), np.int64)
    np.add.at(changes, (np.maximum(first, 0), own), 1)
    np.add.at(changes, (np.maximum(last + 1, 0), own), -1)
    found: Mask = changes[:hours].cumsum(0) > 0
    return found


def clock_of(start_us: int, count: int, zone: ZoneInfo) -> tuple[Int64s, Int64s]:
    """The day, as a number since the epoch, and the hour that the town's clock shows as each of some hours begins."""
    at = [from_us(start_us + nth * HOUR_US).astimezone(zone) for nth in range(count)]
    days = np.array([(each.date() - EPOCH_DAY).days for each in at], np.int64)
    return days, np.array([each.hour for each in at], np.int64)


def matched(before: tuple[Int64s, Int64s], after: tuple[Int64s, Int64s], public: AbstractSet[int]) -> Int64s:
    """For each hour after, the place of the hour before that it is set beside, NONE where there is none. Both sides are
    days and hours of the clock. The same day of the week is looked for first, and of several the newest: what is usual
    drifts."""
    (days_before, of_before), (days_after, of_after) = before, after
    kinds = kinds_of(days_before, public), kinds_of(days_after, public)
    weekdays = weekdays_of(days_before), weekdays_of(days_after)
    beside = np.full(len(days_after), NONE, np.int64)
    used = np.zeros(len(days_before), np.bool_)
    for same_day in (True, False):
        # The last of a list is the newest.
        free: dict[tuple[int, ...], list[int]] = {}
        for at in ints(np.flatnonzero(~used)):
            free.setdefault(_key(kinds[0], of_before, weekdays[0], at, same_day), []).append(at)
        for at in ints(np.flatnonzero(beside == NONE)):
            own = free.get(_key(kinds[1], of_after, weekdays[1], at, same_day))
            if own:
                beside[at] = own.pop()
                used[beside[at]] = True
    return beside


def _key(kinds: Int64s, hours: Int64s, weekdays: Int64s, at: int, same_day: bool) -> tuple[int, ...]:
    common = int(kinds[at]), int(hours[at])
    return (*common, int(weekdays[at])) if same_day else common


def alike(one: Floats, other: Floats) -> Mask:
    """Where two flows, vehicles an hour, are about the same; not where one of them is unknown."""
    apart: Mask = np.abs(one - other) <= np.maximum(LIKE_SHARE * np.maximum(one, other), LIKE_FEW_H)
    return apart


def _figure(name: str, judged: Judged, blocks: Int64s, values: tuple[Floats, Floats], like: Mask | None) -> AfterFigure:
    """A figure of hours that are beside each other, (hour, detector), each side. blocks: the day after the change that
    each is of, counted from the change itself. Of each hour the detectors that measured on both sides count."""
    there = ~np.isnan(values[0]) & ~np.isnan(values[1])
    measured = there.any(1)
    kept = there if like is None else there & like
    known = kept.any(1)
    old, new = (np.where(kept, side, 0.0).sum(1)[known] / kept.sum(1)[known] for side in values)
    days, day, count = np.unique(blocks[known], return_inverse=True, return_counts=True)
    whole = count >= HOURS_MIN
    told = AfterFigure(
        figure=name, unit=judged.unit, says=Verdict.FEW, days=int(whole.sum()), hours=int(known.sum()),
        unmeasured=int((~measured).sum()), unlike=int((measured & ~known).sum()),
    )  # fmt: skip
    if told.days < DAYS_MIN:
        return told
    means = [floats((np.bincount(day, side, len(days)) / count)[whole]) for side in (old, new)]
    found = paired(ints(days[whole]), *means)
    says = {Says.BETTER: judged.lower, Says.WORSE: judged.higher, Says.SAME: Verdict.SAME}.get(found.says, Verdict.OPEN)
    return msgspec.structs.replace(
        told, says=says, before=found.before, after=found.after, difference=found.difference, low=found.low,
        high=found.high,
    )  # fmt: skip

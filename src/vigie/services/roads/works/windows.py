"""When something is so in a street: from a minute to another by the town's clock, and within that at weekly hours.

Minutes are those of the clock on the town's walls, counted from the midnight that began 1970. Two windows are held
against each other by that clock: on the night on which it is put back, an hour that it shows twice is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated

import numpy as np
from msgspec import Meta

from vigie.core.hours import LENGTH_MAX as HOURS_LENGTH_MAX
from vigie.core.hours import read
from vigie.core.observations import Int64s

Moment = Annotated[str, Meta(pattern=r"^(19[7-9]\d|2[01]\d\d)-\d\d-\d\dT\d\d:\d\d$")]
"""A minute by the town's clock, such as 2026-11-30T08:00, of a year that works may be in."""

Hours = Annotated[str, Meta(max_length=HOURS_LENGTH_MAX)]

DAY_MIN, WEEK_MIN = 24 * 60, 7 * 24 * 60
NEVER = 1 << 60

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the clock on the walls has no zone)
_EPOCH_WEEKDAY = _EPOCH.weekday()

Spans = tuple[tuple[int, int], ...]
"""From when to when in a week, in minutes from Monday's midnight; sorted, apart, none past the week's end."""


def minute_of(moment: str) -> int:
    """The minute that a text says. Raises ValueError."""
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(minutes=1)


def moment_of(minute: int) -> str:
    """The minute as a text."""
    return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes")


@lru_cache(maxsize=1_000)
def spans_of(hours: str) -> Spans:
    """The hours of a text that `vigie.core.hours` reads; "" is day and night. Raises HoursWrong."""
    if not hours:
        return ((0, WEEK_MIN),)
    found = list[tuple[int, int]]()
    for day, spans in enumerate(read(hours)):
        for start, end in spans:
            first, last = day * DAY_MIN + start, day * DAY_MIN + end
            # A night from Sunday to Monday goes on where the week begins.
            found += [(first, last)] if last <= WEEK_MIN else [(first, WEEK_MIN), (0, last - WEEK_MIN)]
    return _joined(sorted(found))


@lru_cache(maxsize=10_000)
def common(one: str, other: str) -> Spans:
    """The hours that lie in both of two texts."""
    found = list[tuple[int, int]]()
    for start, end in spans_of(one):
        for first, last in spans_of(other):
            if max(start, first) < min(end, last):
                found.append((max(start, first), min(end, last)))
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Window:
    """From a minute to another, which is no part of it any more; within that at these hours."""

    begin: int
    end: int
    hours: str = ""

    def holds(self, minute: int) -> bool:
        """Whether a minute lies in it."""
        return self.begin <= minute < self.end and self.first_in_both(Window(minute, minute + 1)) is not None

    def first_in_both(self, other: Window) -> int | None:
        """The first minute that lies in this window and in another; None where there is none."""
        least, most = max(self.begin, other.begin), min(self.end, other.end)
        if least >= most:
            return None
        if not self.hours and not other.hours:
            return least
        since = (least + _EPOCH_WEEKDAY * DAY_MIN) % WEEK_MIN
        both = common(self.hours, other.hours)
        waits = [0 if start <= since < end else (start - since) % WEEK_MIN for start, end in both]
        first = least + min(waits, default=most)
        return first if first < most else None


def firsts_in_both(least: Int64s, one: str, other: str) -> Int64s:
    """The first minute, from each of some on, that lies in both of two hours; one after all time where none does. The
    same as `Window.first_in_both`, of many at once."""
    both = np.array(common(one, other), np.int64).reshape(-1, 2)
    if not len(both):
        return np.full(len(least), NEVER)
    since = (least + _EPOCH_WEEKDAY * DAY_MIN) % WEEK_MIN
    start, end = both[:, :1], both[:, 1:]
    waits = np.where((start <= since) & (since < end), 0, (start - since) % WEEK_MIN)
    return (least + waits.min(0)).astype(np.int64)


def _joined(spans: Sequence[tuple[int, int]]) -> Spans:
    joined = list[tuple[int, int]]()
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)

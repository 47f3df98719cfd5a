"""When somebody works, week for week: as one text that people read and the inventory carries.

`mon-fri 06:00-20:00; sat 07:00-12:00 13:00-17:00` by the town's clock. What ends before it begins goes on past midnight
(`sun-thu 22:00-05:00`), and belongs to the day on which it began. Days that are not said are free; an end is no part of
it any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.times import from_us, to_us

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTH_MAX = 300

_DAY_MIN = 24 * 60
_DAYS_AHEAD_MAX = 3_660
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?((?: \d\d:\d\d-\d\d:\d\d)+)", re.ASCII)
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)

Spans = tuple[tuple[int, int], ...]
"""From when to when, in minutes from the midnight before; an end past midnight is more than a day's minutes."""

Week = tuple[Spans, ...]
"""Seven days from Monday on."""


class HoursWrong(ValueError):
    """A text that says no hours; says why."""


@lru_cache(maxsize=1_000)
def read(text: str) -> Week:
    """The week that a text says. Raises HoursWrong."""
    if len(text) > LENGTH_MAX:
        raise HoursWrong(f"it is longer than {LENGTH_MAX} characters")
    found: dict[int, Spans] = {}
    for part in text.split(";"):
        said = _PART.fullmatch(part.strip())
        if said is None or said[1] not in DAYS or (said[2] or said[1]) not in DAYS:
            raise HoursWrong(f"{part.strip()[:60]!r} is not such as 'mon-fri 06:00-20:00'")
        spans = _apart(tuple(_spans(said[3])))
        first, last = DAYS.index(said[1]), DAYS.index(said[2] or said[1])
        for day in (each % 7 for each in range(first, first + (last - first) % 7 + 1)):
            if day in found:
                raise HoursWrong(f"{DAYS[day]} is said twice")
            found[day] = spans
    return tuple(found.get(day, ()) for day in range(7))


def are_open(week: Week, at_us: int, zone: tzinfo) -> bool:
    """Whether an instant lies in these hours, by the clock on the town's walls."""
    there = from_us(at_us).astimezone(zone)
    minute, day = there.hour * 60 + there.minute, there.weekday()
    today, yesterday = week[day], week[day - 1]
    return any(start <= minute < end for start, end in today) or any(minute < end - _DAY_MIN for _, end in yesterday)


def worked_from(week: Week, calendar: Calendar, at_us: int, work_us: int) -> int:
    """The instant by which so much of working time has passed since another one.

    No work is done on public holidays. Where a night's change of the clock lies within a span, it is as long as it is.
    A week without hours has none of it: then it is the time of the clock.
    """
    if not any(week):
        return at_us + work_us
    day = from_us(at_us).astimezone(calendar.zone).date() - timedelta(days=1)
    left_us, since_us = work_us, at_us
    for _ in range(_DAYS_AHEAD_MAX):
        if (day - EPOCH_DAY).days not in calendar.public:
            for start_min, end_min in week[day.weekday()]:
                start_us, end_us = (instant(day, minute, calendar.zone) for minute in (start_min, end_min))
                # A night goes on into the next day's hours: what lies in both is worked once.
                since_us = max(start_us, since_us)
                worked_us = end_us - since_us
                if worked_us >= left_us:
                    return since_us + left_us
                left_us -= max(0, worked_us)
                since_us = max(since_us, end_us)
        day += timedelta(days=1)
    return at_us + work_us


def instant(day: date, minute: int, zone: tzinfo) -> int:
    """When the clock on the town's walls shows so many minutes from the midnight of a day."""
    days, minutes = divmod(minute, _DAY_MIN)
    return to_us(datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), zone))


def _apart(spans: Spans) -> Spans:
    """The spans in their order. What lay in two of them would be worked twice."""
    ordered = tuple(sorted(spans))
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            raise HoursWrong(f"{start // 60:02d}:{start % 60:02d} lies in the span before it")
    return ordered


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for said in _SPAN.finditer(text):
        from_h, from_min, to_h, to_min = map(int, said.groups())
        start, end = from_h * 60 + from_min, to_h * 60 + to_min
        if max(from_min, to_min) >= 60 or start >= _DAY_MIN or end > _DAY_MIN:
            raise HoursWrong(f"{said[0]} are no times of a day")
        if start == end:
            raise HoursWrong(f"{said[0]} ends as it begins; a whole day is 00:00-24:00")
        yield start, end if end > start else end + _DAY_MIN

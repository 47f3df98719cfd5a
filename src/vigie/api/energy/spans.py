"""Which nights are meant: a month or a day as people write it, as far as its nights are over, and something is kept of
them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile, takewhile

import numpy as np

from vigie.api.problems import Problem
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.times import from_us
from vigie.services.lighting.energy.asked import NIGHTS_MAX
from vigie.services.lighting.programmes.nights import Nights

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Nights, each named by the day of its evening: the first and the last, both included."""

    first: date
    last: date

    @property
    def month(self) -> bool:
        """Whether it is a whole month."""
        return self.first.day == 1 and self.last == _last_of(self.first)


def span_of(start: str, end: str, calendar: Calendar, now_us: int) -> Span:
    """The nights from one month or day to another, as they were asked for: the last whole month where nothing is said.

    Raises Problem 400.
    """
    if not start and end:
        raise Problem(400, "Impossible span", "`to` without `from`.", mend="Say `from` too.")
    if not start:
        here = datetime.fromtimestamp(now_us / 1e6, UTC).astimezone(calendar.zone).date()
        last = here.replace(day=1) - _ONE
        return Span(last.replace(day=1), last)
    span = Span(_day(start, "from", last=False), _day(end or start, "to", last=True))
    if not 0 <= (span.last - span.first).days < NIGHTS_MAX:
        raise Problem(400, "Impossible span", f"`from` is not after `to`, and it is {NIGHTS_MAX} nights at most.")
    return span


def told_of(
    span: Span, calendar: Calendar, now_us: int, since_us: int | None, kept: Collection[date] = frozenset()
) -> Span:
    """What can be told of a span: its nights that are over, and of which there is history or a sum that is kept; the
    last that follow each other, where some between are missing.

    since_us: from when on there is history, None where there is none. Raises Problem 422 where nothing is left.
    """
    over = last_over(calendar, now_us)
    if span.first > over:
        raise Problem(
            422, "Nights to come", f"The last night that is over is that of {over}.",
            mend=f"Ask for nights up to {over}.", rule="lighting.energy_ahead", values={"day": over.isoformat()},
        )  # fmt: skip
    since = None if since_us is None else first_known(calendar, since_us)
    if not kept and (since is None or since > over):
        raise Problem(
            422, "No history yet", "No whole night has been reported yet.",
            mend="Ask again when lamps and cabinets have reported through a night.", rule="lighting.energy_none",
        )  # fmt: skip

    def known(night: date) -> bool:
        return night in kept or (since is not None and night >= since)

    asked = [span.first + _ONE * n for n in range((min(span.last, over) - span.first).days + 1)]
    told = list(takewhile(known, dropwhile(lambda night: not known(night), reversed(asked))))
    if not told:
        from_on = min(kept if since is None else {*kept, since})
        raise Problem(
            422, "No history of it", f"What was reported is kept from the night of {from_on} on.",
            mend=f"Ask for nights from {from_on} on; the settings history_days and energy_days say for how long.",
            rule="lighting.energy_before", values={"day": from_on.isoformat()},
        )  # fmt: skip
    return Span(told[-1], told[0])


def last_over(calendar: Calendar, now_us: int) -> date:
    """The last night that is over: one ends at noon of the town's clock."""
    here = datetime.fromtimestamp(now_us / 1e6, UTC).astimezone(calendar.zone)
    return here.date() - _ONE * (1 + (here.hour < 12))


def first_known(calendar: Calendar, since_us: int) -> date:
    """The first night that history covers whole: it begins at noon."""
    here = from_us(since_us).astimezone(calendar.zone)
    return here.date() + _ONE * ((here.hour, here.minute, here.second, here.microsecond) > (12, 0, 0, 0))


def bounds_of(calendar: Calendar, night: date) -> tuple[int, int]:
    """The noons that a night lies between, in microseconds."""
    start_us, end_us = Nights(np.array([(night - EPOCH_DAY).days]), calendar).bounds_us
    return int(start_us[0]), int(end_us[0])


def nights_of(calendar: Calendar, spans: Sequence[tuple[int, int]]) -> set[date]:
    """The nights that these spans are. One that was kept while the town lived by another clock is none of this one."""
    named = {first_known(calendar, start_us): (start_us, end_us) for start_us, end_us in spans}
    return {night for night, span in named.items() if bounds_of(calendar, night) == span}


def _day(said: str, name: str, *, last: bool) -> date:
    try:
        if month := _MONTH.fullmatch(said):
            first = date(int(month[1]), int(month[2]), 1)
            return _last_of(first) if last else first
        return date.fromisoformat(said)
    except (ValueError, OverflowError):
        mend = "Write a month such as 2026-10 or a day such as 2026-10-31."
        raise Problem(400, "Impossible day", f"`{name}` is no month and no day: {said[:40]!r}.", mend=mend) from None


def _last_of(day: date) -> date:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - _ONE

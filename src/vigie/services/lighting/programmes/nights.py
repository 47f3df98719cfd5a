"""Nights: which they are, when they begin and end at a place, and what the clock says in them. In columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np

from vigie.core import sun
from vigie.core.calendar import EPOCH_DAY, Calendar, date_of, day_number
from vigie.core.observations import Int64s, Mask
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.lighting.programmes.model import (
    MINUTES_A_DAY,
    NOON_MIN,
    Clock,
    Dawn,
    Moment,
    Season,
    Span,
    Switching,
    When,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where lamps stand, closely enough for the sun: degrees, WGS84."""

    lon: float
    lat: float


@dataclass(frozen=True)
class Nights:
    """Some nights, each named by the day it begins on (days since the epoch)."""

    days: Int64s
    calendar: Calendar
    _clocks: dict[int, Int64s] = field(default_factory=dict[int, Int64s], compare=False, repr=False)

    @staticmethod
    def of_year(year: int, calendar: Calendar) -> Nights:
        """The nights that begin in a year."""
        first, after = (date(each, 1, 1) - EPOCH_DAY for each in (year, year + 1))
        return Nights(np.arange(first.days, after.days), calendar)

    @staticmethod
    def at(instant_us: int, calendar: Calendar) -> Nights:
        """The one night that an instant lies in: from noon to noon of the town's clock."""
        here = datetime.fromtimestamp(instant_us / 1e6, UTC).astimezone(calendar.zone)
        day = here.date() - timedelta(days=here.hour < 12)
        return Nights(np.array([(day - EPOCH_DAY).days]), calendar)

    def __len__(self) -> int:
        return len(self.days)

    @cached_property
    def _dates(self) -> list[date]:
        return [date_of(int(day)) for day in self.days]

    @cached_property
    def _month_day(self) -> Int64s:
        return np.array([each.month * 100 + each.day for each in self._dates], np.int64)

    def match(self, when: When) -> Mask:
        """Which of the nights a rule is for."""
        found = np.ones(len(self), np.bool_)
        if when.weekdays:
            found &= np.isin((self.days + 3) % 7, when.weekdays)  # The epoch was a Thursday.
        public = np.fromiter(self.calendar.public, np.int64, len(self.calendar.public))
        if when.public_holiday is not None:
            found &= np.isin(self.days, public) == when.public_holiday
        if when.eve is not None:
            found &= np.isin(self.days + 1, public) == when.eve
        if when.school_holiday is not None:
            school = np.fromiter(self.calendar.school, np.int64, len(self.calendar.school))
            found &= np.isin(self.days, school) == when.school_holiday
        if when.seasons:
            found &= np.any([self._in_season(each) for each in when.seasons], 0)
        if when.dates:
            found &= np.any([self._within(each) for each in when.dates], 0)
        return found

    def _in_season(self, season: Season) -> Mask:
        first, last = (int(each[:2]) * 100 + int(each[3:]) for each in (season.first, season.last))
        after, before = self._month_day >= first, self._month_day <= last
        return after & before if first <= last else after | before

    def _within(self, span: Span) -> Mask:
        return (self.days >= day_number(span.first)) & (self.days <= day_number(span.last))

    def clock_us(self, minute: int) -> Int64s:
        """The instants at which the town's clock shows so many minutes after midnight, one for each night.

        A time that the clock skips in spring counts as if it had not been set on yet, one that comes twice in autumn
        is the first of the two (PEP 495, fold=0).
        """
        if minute not in self._clocks:
            self._clocks[minute] = self._wall_us(minute, days_later=minute < NOON_MIN)
        return self._clocks[minute]

    def hours_us(self, first_min: int, after_min: int) -> tuple[Int64s, Int64s]:
        """When the hours from one time of the town's clock to another begin and end: nights by the pieces in each.

        A night ends at noon, so hours that noon lies in, as the off-peak ones of a French midday, are two pieces of
        each night: those that are left of them after its first noon, and those that come before its last.
        """
        start_us, end_us = self.clock_us(first_min), self.clock_us(after_min)
        # Where both are the same there are none; a time that is skipped in spring may come after the later one.
        if (first_min - NOON_MIN) % MINUTES_A_DAY <= (after_min - NOON_MIN) % MINUTES_A_DAY:
            return start_us[:, None], np.maximum(start_us, end_us)[:, None]
        noon_us, next_noon_us = self.bounds_us
        return np.stack([noon_us, start_us], 1), np.stack([end_us, next_noon_us], 1)

    @cached_property
    def bounds_us(self) -> tuple[Int64s, Int64s]:
        """The noons between which each night lies, of the town's clock."""
        return self._wall_us(NOON_MIN, days_later=0), self._wall_us(NOON_MIN, days_later=1)

    def _wall_us(self, minute: int, *, days_later: int) -> Int64s:
        (hour, rest), zone = divmod(minute, 60), self.calendar.zone
        days = (each + timedelta(days=days_later) for each in self._dates)
        seconds = [datetime(day.year, day.month, day.day, hour, rest, tzinfo=zone).timestamp() for day in days]
        return np.array(seconds, np.int64) * SECOND_US


@dataclass(frozen=True)
class Edges:
    """When the lights come on and go out at a place, for each night. Where the sun never sinks so low, and nothing
    else lights them, both are the same instant."""

    on_us: Int64s
    off_us: Int64s

    @staticmethod
    def of(nights: Nights, place: Place, switching: Switching) -> Edges:
        """What a way of switching makes of some nights at a place."""
        noon, next_noon = nights.bounds_us
        if switching.always:
            return Edges(noon, next_noon)
        on, how = sun.evening_us(nights.days, place.lon, place.lat, switching.sun_deg)
        off, how_after = sun.morning_us(nights.days + 1, place.lon, place.lat, switching.sun_deg)
        middle = (on + off) // 2
        on = np.select([how == sun.Passage.STAYS_ABOVE, how == sun.Passage.STAYS_BELOW], [middle, noon], on)
        off = np.select(
            [how_after == sun.Passage.STAYS_ABOVE, how_after == sun.Passage.STAYS_BELOW], [middle, next_noon], off
        )
        on = np.clip(on + switching.evening_min * MINUTE_US, noon, next_noon)
        off = np.clip(off + switching.morning_min * MINUTE_US, noon, next_noon)
        return Edges(on, np.maximum(on, off))

    def moment(self, moment: Moment, nights: Nights) -> Int64s:
        """When a moment is, in each of the nights."""
        match moment:
            case Clock():
                return nights.clock_us(moment.minute)
            case Dawn():
                return self.off_us + moment.offset_min * MINUTE_US
            case _:
                return self.on_us + moment.offset_min * MINUTE_US

"""Programmes as TALQ gateways are given them: control programs of a day, and the calendars that pick one for each day.

A way to be lit becomes one calendar. Dusk and dawn are said as minutes from the gateway's own sunset and sunrise, the
rest in local times, so that nights which differ by the sun alone share a program, and a gateway that is cut off still
follows the sun. One that has room for few programs is given coarser nights. What is said holds from the first of this
year to the last of the next; beyond it the commonest night.

Programs and calendars are named by what they say: whatever changes has another name, and what is held under a name of
ours is either right or not there. A photocell's leave to advance or delay (`Switching.photocell_min`) cannot be said
in TALQ, and is left to the lamp.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import groupby, pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

import numpy as np

from vigie.core import sun
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar, date_of
from vigie.core.observations import Int64s
from vigie.core.times import MINUTE_US
from vigie.protocols.talq import Night, Programme, Rule, Slot, Year, written, written_year
from vigie.protocols.talq.differences import Held
from vigie.services.lighting.programmes import model as lighting
from vigie.services.lighting.programmes.layers import Layer, Schedule, Sunlit, groups, schedule, switching_of
from vigie.services.lighting.programmes.model import MINUTES_A_DAY, NOON_MIN
from vigie.services.lighting.programmes.nights import Nights, Place
from vigie.services.lighting.programmes.park import Park

PREFIX = "vigie-"
"""What the name of every program and calendar of ours begins with."""

_NAME_DIGITS = 16

Levels = tuple[tuple[int, int], ...]
"""(minutes after local midnight, level from then on), in the order in which they come."""


@dataclass(frozen=True, slots=True)
class Alike:
    """One night as it is said: lit from so many minutes after sunset to so many after the next sunrise; None for a
    whole day and night. levels: the first from noon on, and empty where nothing is lit."""

    lit: tuple[int, int] | None
    levels: Levels


DARK = Alike(None, ())


def nights_ahead(calendar: Calendar, now_us: int) -> Nights:
    """The nights that are said: of this year and the next, with the one that ends on New Year's Day."""
    year = datetime.fromtimestamp(now_us / 1e6, UTC).astimezone(calendar.zone).year
    this, after = (Nights.of_year(each, calendar).days for each in (year, year + 1))
    return Nights(np.concatenate([this[:1] - 1, this, after]), calendar)


@dataclass(frozen=True)
class Wanted:
    """What lamps should be given. calendars: of each lamp that a programme speaks for, by its id, the name of its
    calendar. plans: of each of them the ids of those programmes."""

    programs: Mapping[str, Programme]
    years: Mapping[str, Year]
    calendars: Mapping[str, str]
    plans: Mapping[str, Sequence[str]]

    def speaking_for(self, lamps: Iterable[str]) -> dict[str, int]:
        """The ids of the programmes that speak for some of these lamps, and for how many each."""
        return dict(Counter(plan for lamp in lamps for plan in self.plans.get(lamp, ())))

    def of(self, actuators: Mapping[str, Sequence[str]], owner: str) -> Held:
        """What one gateway should hold. actuators: of each of its lamps, by id, as TALQ addresses them. owner: the
        CMS's address."""
        assigned = {
            each: self.calendars[lamp] for lamp, own in actuators.items() if lamp in self.calendars for each in own
        }
        years = {name: self.years[name] for name in sorted(set(assigned.values()))}
        used = {name for year in years.values() for name in (year.otherwise, *(rule.programme for rule in year.rules))}
        return Held(
            programs={name: written(self.programs[name], owner) for name in sorted(used)},
            calendars={name: written_year(year, owner) for name, year in years.items()},
            assigned=assigned,
        )


def wanted(park: Park, layers: Sequence[Layer], nights: Nights, *, from_noon: bool, step_min: int = 1) -> Wanted:
    """What the lamps of a park should be given. from_noon: whether the gateway's days begin at noon, as nights do
    (dayOffset 12); otherwise at midnight. step_min: what follows the sun is rounded to so many minutes: the coarser,
    the fewer programs. Lamps that no programme speaks for are given nothing. Raises Unanswerable."""
    programs: dict[str, Programme] = {}
    years: dict[str, Year] = {}
    calendars: dict[str, str] = {}
    plans: dict[str, Sequence[str]] = {}
    sunlit = Sunlit(nights)
    for group in groups(park, layers):
        if not group.layers:
            continue
        always = switching_of(layers, group.layers).always
        clock = {minute for index in group.layers for minute in _clock_minutes(layers[index].programme)}
        said = _nights(schedule(group, layers, sunlit), nights, group.place, clock, step_min, always=always)
        year = _year(nights.days, said if from_noon else _from_midnight(said), programs)
        years[year.name] = year
        own = [park.ids[row] for row in ints(group.rows)]
        calendars |= dict.fromkeys(own, year.name)
        plans |= dict.fromkeys(own, tuple(layers[index].id for index in group.layers))
    return Wanted(programs, years, calendars, plans)


# A night as it is said.


def _clock_minutes(programme: lighting.Programme) -> Iterator[int]:
    """The times of the clock that a programme names."""
    for rule in programme.rules:
        for window in rule.windows:
            yield from (each.minute for each in (window.start, window.end) if isinstance(each, lighting.Clock))


def _nights(
    plan: Schedule, nights: Nights, place: Place, clock: set[int], step_min: int, *, always: bool
) -> list[Alike]:
    """Every night of a schedule, which is in the order of time. clock: the minutes that are not rounded."""
    days, zone = nights.days, nights.calendar.zone
    sunset, _ = sun.evening_us(days, place.lon, place.lat)
    sunrise, _ = sun.morning_us(days + 1, place.lon, place.lat)
    bounds = ints(np.searchsorted(plan.night, np.arange(len(days) + 1)))
    start, end, level = ints(plan.start_us), ints(plan.end_us), ints(plan.level)
    found: list[Alike] = []
    for night, (first, after) in enumerate(pairwise(bounds)):
        if first == after:
            found.append(DARK)
            continue
        edges = (start[first] - int(sunset[night]), end[after - 1] - int(sunrise[night]))
        lit = (_minutes(edges[0], step_min), _minutes(edges[1], step_min))
        # The first level holds from noon on: a gateway whose sun sets a little sooner has it too.
        levels = {NOON_MIN: level[first]}
        for row in range(first + 1, after):
            minute = _local_minute(start[row], zone)
            levels[minute if minute in clock else _rounded(minute, step_min)] = level[row]
        found.append(Alike(None if always else lit, tuple(levels.items())))
    return found


def _minutes(span_us: int, step_min: int) -> int:
    return round(span_us / MINUTE_US / step_min) * step_min


def _rounded(minute: int, step_min: int) -> int:
    return round(minute / step_min) * step_min % MINUTES_A_DAY


def _local_minute(at_us: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(round(at_us / MINUTE_US) * 60, UTC).astimezone(zone)
    return local.hour * 60 + local.minute


def _from_midnight(nights: Sequence[Alike]) -> list[Alike]:
    """The same by days that begin at midnight: of each the morning of the night before, and its own evening. The first
    day's morning is told as if the night before it were as its own."""
    days: list[Alike] = []
    for before, own in pairwise([nights[0], *nights]):
        if not before.levels and not own.levels:
            days.append(DARK)
            continue
        late = [level for minute, level in before.levels if minute >= NOON_MIN] or [0]
        morning = [each for each in before.levels if each[0] < NOON_MIN]
        evening = [each for each in own.levels if each[0] >= NOON_MIN] or [(NOON_MIN, 0)]
        dusk, dawn = own.lit or before.lit, before.lit or own.lit
        lit = (dusk[0], dawn[1]) if dusk and dawn else None
        days.append(Alike(lit, tuple(({0: late[-1]} | dict([*morning, *evening])).items())))
    return days


# Programs and years.


def _year(days: Int64s, said: Sequence[Alike], programs: dict[str, Programme]) -> Year:
    """The calendar of a way to be lit; what programs it needs is added to those that there are."""
    names: dict[Alike, str] = {}
    for each in dict.fromkeys(said):
        program = _program(each)
        programs[program.name] = program
        names[each] = program.name
    commonest = names[Counter(said).most_common(1)[0][0]]
    rules: list[Rule] = []
    for name, run in groupby(zip((names[each] for each in said), ints(days), strict=True), itemgetter(0)):
        held = [day for _, day in run]
        if name != commonest:
            rules.append(Rule(name, first=date_of(held[0]), last=date_of(held[-1])))
    return Year(_named((tuple(rules), commonest)), tuple(rules), commonest)


def _program(night: Alike) -> Programme:
    alight = () if night.lit is None else (Night(*night.lit),)
    slots = tuple(Slot(time(*divmod(minute, 60)), level) for minute, level in sorted(night.levels or [(0, 0)]))
    return Programme(_named((alight, slots)), alight, slots)


def _named(content: object) -> str:
    """A name that says what it is the name of."""
    return PREFIX + hashlib.sha256(repr(content).encode()).hexdigest()[:_NAME_DIGITS]

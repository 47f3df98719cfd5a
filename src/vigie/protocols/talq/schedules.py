"""Programmes and calendars in neutral words, and what TALQ makes of them.

A programme says what a lamp does within a day, a calendar which programme rules on which day. Whoever plans lighting
speaks these; `written` and `read` turn them into TALQ's control programs and calendars and back, without loss.

Source of the rules: ControlProgramOne, FixedTimeControl, AstroClockTimeControl and Calendar in the TALQ 2.7.1 data
model.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from vigie.protocols.talq.messages import (
    AbsoluteActivePeriod,
    AstroClockActivePeriod,
    AstroClockTimeControl,
    Calendar,
    CalendarRule,
    CommandBase,
    ControlProgramOne,
    DateCondition,
    DateSpan,
    DayCondition,
    DaySpan,
    FixedTimeControl,
    State,
)

OFFSET_MIN_MAX = 720
"""The largest offset from the sun, in minutes either way."""

FADE_S_MAX = 3_600.0


class NoLighting(ValueError):
    """A control program or calendar that is well formed, and says what a lamp cannot do or this vocabulary cannot
    say."""


class Sun(StrEnum):
    """The two events of the sun."""

    RISE = "sunrise"
    SET = "sunset"


class How(StrEnum):
    """What a level that follows the sun does with the level of the clock (EffectOperation)."""

    SET = "Set"
    MAX = "Max"
    MIN = "Min"
    ADD = "Add"
    SUB = "Sub"
    MUL = "Mul"


@dataclass(frozen=True, slots=True)
class Hours:
    """Alight from one local time to another; the whole day where they are the same."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Night:
    """Alight from sunset to sunrise, each moved by minutes; negative is earlier."""

    after_sunset_min: int = 0
    after_sunrise_min: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """From a local time on: a level in per cent, reached by a fade in seconds that ends `fade_s` after it."""

    start: time
    level: int
    fade_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SunSlot:
    """From minutes after sunrise or sunset on: a level, upon that of the slot that rules then."""

    event: Sun
    offset_min: int
    level: int
    how: How = How.SET
    fade_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Programme:
    """What a lamp does within a day.

    alight: when the programme is active at all; empty for the whole day. Outside it the lamp is in its default state.
    slots: in the order of their times, no two at the same; before the first, the last of the day before rules.
    """

    name: str
    alight: tuple[Hours | Night, ...]
    slots: tuple[Slot, ...]
    sun_slots: tuple[SunSlot, ...] = ()

    def __post_init__(self) -> None:
        """Raises NoLighting for what no gateway may be given."""
        starts = [slot.start for slot in self.slots]
        times = [
            *starts,
            *(bound for each in self.alight if isinstance(each, Hours) for bound in (each.start, each.end)),
        ]
        if any(each.tzinfo is not None or each.microsecond for each in times):
            raise NoLighting(f"{self.name}: times are local, in whole seconds")
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise NoLighting(f"{self.name}: slots must follow one another")
        for slot in (*self.slots, *self.sun_slots):
            if not 0 <= slot.level <= 100 or not 0 <= slot.fade_s <= FADE_S_MAX:
                raise NoLighting(f"{self.name}: a level of {slot.level} % or a fade of {slot.fade_s} s")
        offsets = [slot.offset_min for slot in self.sun_slots]
        for night in self.alight:
            if isinstance(night, Night):
                offsets += [night.after_sunset_min, night.after_sunrise_min]
        if any(abs(offset) > OFFSET_MIN_MAX for offset in offsets):
            raise NoLighting(f"{self.name}: more than {OFFSET_MIN_MAX} minutes from the sun")


@dataclass(frozen=True, slots=True)
class MonthDays:
    """Days of each month, from `first` to `last`, 1 to 31."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class YearDays:
    """Days of each year, from (month, day) to (month, day)."""

    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class WeekDays:
    """Days of the week, 1 is Monday. which: only the first ("1") to fifth or last ("L") such day of a month."""

    spans: tuple[tuple[int, int], ...]
    which: tuple[str, ...] = ()


On = WeekDays | tuple[MonthDays | YearDays, ...] | None
Bound = date | tuple[int, int] | None
"""A date, or a (month, day) of each year, or no bound."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A programme, on the days of `on` (all for None) between two bounds."""

    programme: str
    on: On = None
    first: Bound = None
    last: Bound = None


@dataclass(frozen=True, slots=True)
class Year:
    """A calendar: of the rules that hold on a day the first decides; without any, `otherwise`."""

    name: str
    rules: tuple[Rule, ...]
    otherwise: str = ""


def level(state: State) -> int:
    """The level of a state, in per cent. Raises NoLighting for a state that is no lamp's."""
    if state.name != "LevelState" or not isinstance(state.value, int) or isinstance(state.value, bool):
        raise NoLighting(f"a state {state.name!r} is no level")
    if not 0 <= state.value <= 100:
        raise NoLighting(f"a level of {state.value} %")
    return state.value


def level_state(level_percent: int) -> State:
    """A level as a state."""
    return State("LevelState", level_percent)


# To the wire.


def written(programme: Programme, owner: str) -> ControlProgramOne:
    """The control program that says the same. owner: the address of the CMS that it belongs to."""
    return ControlProgramOne(
        id=programme.name,
        owner_cms=owner,
        active_periods=tuple(
            AbsoluteActivePeriod(each.start, each.end)
            if isinstance(each, Hours)
            else AstroClockActivePeriod(each.after_sunset_min, each.after_sunrise_min)
            for each in programme.alight
        ),
        fixed_time_controls=tuple(
            FixedTimeControl(slot.start, _command(slot.level, slot.fade_s)) for slot in programme.slots
        ),
        astro_clock_time_controls=tuple(
            AstroClockTimeControl(slot.offset_min, slot.event.value, slot.how.value, _command(slot.level, slot.fade_s))
            for slot in programme.sun_slots
        ),
    )


def written_year(year: Year, owner: str) -> Calendar:
    """The calendar that says the same."""
    return Calendar(
        id=year.name,
        owner_cms=owner,
        rules=tuple(
            CalendarRule(rule.programme, _bound(rule.first), _bound(rule.last), _condition(rule.on))
            for rule in year.rules
        ),
        default_program=year.otherwise,
    )


def _command(level_percent: int, fade_s: float) -> CommandBase:
    return CommandBase(level_state(level_percent), fade_s or None)


def _bound(bound: Bound) -> str | None:
    if bound is None:
        return None
    return bound.isoformat() if isinstance(bound, date) else f"--{bound[0]:02}-{bound[1]:02}"


def _condition(on: On) -> DateCondition | DayCondition | None:
    if on is None:
        return None
    if isinstance(on, WeekDays):
        return DayCondition(tuple(DaySpan(a, b if b != a else None) for a, b in on.spans), on.which)
    spans: list[DateSpan] = []
    for each in on:
        if isinstance(each, MonthDays):
            start, end = f"---{each.first:02}", f"---{each.last:02}"
        else:
            start, end = (f"--{month:02}-{day:02}" for month, day in (each.first, each.last))
        spans.append(DateSpan(start, end if end != start else None))
    return DateCondition(tuple(spans))


# From the wire.


def read(program: ControlProgramOne) -> Programme:
    """What a control program says. Raises NoLighting."""
    if program.dynamic_controls:
        raise NoLighting(f"{program.id}: follows sensors")
    return Programme(
        name=program.id,
        alight=tuple(
            Hours(each.start_time, each.end_time)
            if isinstance(each, AbsoluteActivePeriod)
            else Night(each.sunset_offset, each.sunrise_offset)
            for each in program.active_periods
        ),
        slots=tuple(
            Slot(each.start_time, level(each.command.state), each.command.ramp_to_level_time or 0.0)
            for each in program.fixed_time_controls
        ),
        sun_slots=tuple(
            SunSlot(
                Sun(each.solar_event_type),
                each.offset,
                level(each.command.state),
                How(each.operation),
                each.command.ramp_to_level_time or 0.0,
            )
            for each in program.astro_clock_time_controls
        ),
    )


def read_year(calendar: Calendar) -> Year:
    """What a calendar says. Raises NoLighting for a day that is none, such as 30 February."""
    try:
        return Year(
            calendar.id,
            tuple(
                Rule(rule.program, _on(rule.condition), _date(rule.start_date), _date(rule.end_date))
                for rule in calendar.rules
            ),
            calendar.default_program,
        )
    except ValueError as error:
        raise NoLighting(f"{calendar.id}: {error}") from error


def _on(condition: DateCondition | DayCondition | None) -> On:
    if condition is None:
        return None
    if isinstance(condition, DayCondition):
        spans = tuple((day.start, day.end or day.start) for day in condition.days)
        if any(last < first for first, last in spans):
            raise ValueError("a week that ends before it begins")
        return WeekDays(spans, condition.occurrences)
    return tuple(_dates(span.start, span.end or span.start) for span in condition.dates)


def _dates(start: str, end: str) -> MonthDays | YearDays:
    if start.startswith("---") != end.startswith("---"):
        raise ValueError(f"{start} and {end} are not of one form")
    if start.startswith("---"):
        return MonthDays(int(start[3:]), int(end[3:]))
    return YearDays(_month_day(start), _month_day(end))


def _date(bound: str | None) -> Bound:
    if bound is None:
        return None
    return _month_day(bound) if bound.startswith("--") else date.fromisoformat(bound)


def _month_day(text: str) -> tuple[int, int]:
    month, day = int(text[2:4]), int(text[5:7])
    date(2000, month, day)
    return month, day


# What it comes to at an instant.


def level_at(programme: Programme, now: time, sunrise: time, sunset: time) -> int | None:
    """The level that a programme wants at a local time of a day, the day being from midnight to midnight (dayOffset 0);
    None outside its active periods. sunrise, sunset: local, of that day."""
    at = _seconds(now)
    if programme.alight and not any(_alight(each, at, sunrise, sunset) for each in programme.alight):
        return None
    ruling = [slot for slot in programme.slots if _seconds(slot.start) <= at] or list(programme.slots)
    wanted = ruling[-1].level if ruling else None
    events = {Sun.RISE: _seconds(sunrise), Sun.SET: _seconds(sunset)}
    since = [((at - events[slot.event] - slot.offset_min * 60) % 86_400, slot) for slot in programme.sun_slots]
    if since:
        slot = min(since, key=lambda pair: pair[0])[1]
        wanted = _together(slot.how, wanted, slot.level)
    return wanted


def day_of(local: datetime, offset_h: int) -> date:
    """The day that a local time belongs to. offset_h: when a day begins (dayOffset), 0 or 12 h: from noon to noon a
    night is one day."""
    return (local - timedelta(hours=offset_h)).date()


def programme_on(year: Year, day: date) -> str:
    """The programme that a calendar gives to a day; empty for none."""
    return next((rule.programme for rule in year.rules if _holds(rule, day)), year.otherwise)


def _holds(rule: Rule, day: date) -> bool:
    # Without a year, the bounds are of each year; a first after the last spans its end.
    first, last = (1, 1), (12, 31)
    if isinstance(rule.first, date):
        if day < rule.first:
            return False
    elif rule.first is not None:
        first = rule.first
    if isinstance(rule.last, date):
        if day > rule.last:
            return False
    elif rule.last is not None:
        last = rule.last
    return _in_year(day, first, last) and _is_on(rule.on, day)


def _in_year(day: date, first: tuple[int, int], last: tuple[int, int]) -> bool:
    at = (day.month, day.day)
    return first <= at <= last if first <= last else at >= first or at <= last


def _is_on(on: On, day: date) -> bool:
    if on is None:
        return True
    if not isinstance(on, WeekDays):
        return any(
            each.first <= day.day <= each.last if isinstance(each, MonthDays) else _in_year(day, each.first, each.last)
            for each in on
        )
    if not any(first <= day.isoweekday() <= last for first, last in on.spans):
        return False
    return not on.which or str((day.day - 1) // 7 + 1) in on.which or ("L" in on.which and _is_last(day))


def _is_last(day: date) -> bool:
    return day.day + 7 > monthrange(day.year, day.month)[1]


def _alight(period: Hours | Night, at: int, sunrise: time, sunset: time) -> bool:
    if isinstance(period, Hours):
        start, end = _seconds(period.start), _seconds(period.end)
    else:
        start = (_seconds(sunset) + period.after_sunset_min * 60) % 86_400
        end = (_seconds(sunrise) + period.after_sunrise_min * 60) % 86_400
    return start == end or (start <= at < end if start < end else at >= start or at < end)


def _together(how: How, clock: int | None, sun: int) -> int:
    if clock is None:
        return sun
    made = {
        How.SET: sun,
        How.MAX: max(clock, sun),
        How.MIN: min(clock, sun),
        How.ADD: clock + sun,
        How.SUB: clock - sun,
        How.MUL: clock * sun,
    }[how]
    return max(0, min(100, made))


def _seconds(at: time) -> int:
    return at.hour * 3_600 + at.minute * 60 + at.second

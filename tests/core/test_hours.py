"""Working hours: one text, read by the clock on the town's walls, through the nights in which that is moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.hours import DAYS, HoursWrong, are_open, instant, read, worked_from
from vigie.core.times import MINUTE_US, from_us, to_us

PARIS = ZoneInfo("Europe/Paris")
WEEK = "mon-fri 06:00-20:00; sat 07:00-12:00 13:00-17:00"

MINUTES = st.integers(0, 24 * 60 - 1)
EDGES = st.lists(MINUTES, min_size=2, max_size=6, unique=True)
# One after the other; the last may go on past midnight, up to where the first begins.
SPANS = EDGES.map(sorted).flatmap(
    lambda edges: st.sampled_from([
        list(zip(edges[::2], edges[1::2], strict=False)),
        list(zip(edges[1::2], [*edges[2::2], edges[0]], strict=False)),
    ])
)  # fmt: skip
WEEKS = st.dictionaries(st.integers(0, 6), SPANS, min_size=1)
INSTANTS = st.integers(0, 730 * 24 * 60).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
# The nights in which the clock is moved, quarter by quarter.
MOVED = st.builds(
    lambda day, quarters: datetime(2026, *day, tzinfo=UTC) + timedelta(minutes=15 * quarters),
    st.sampled_from([(3, 28), (10, 24)]),
    st.integers(0, 2 * 24 * 4),
)


def written(week: dict[int, list[tuple[int, int]]]) -> str:
    def time(minute: int) -> str:
        return f"{minute // 60:02d}:{minute % 60:02d}"

    return "; ".join(
        f"{DAYS[day]} " + " ".join(f"{time(start)}-{time(end)}" for start, end in spans) for day, spans in week.items()
    )


@pytest.mark.parametrize(
    ("at", "works"),
    [
        ("2026-11-27T05:59:59+01:00", False),
        ("2026-11-27T06:00:00+01:00", True),
        ("2026-11-27T19:59:59+01:00", True),
        ("2026-11-27T20:00:00+01:00", False),
        ("2026-11-28T12:30:00+01:00", False),
        ("2026-11-28T13:00:00+01:00", True),
        ("2026-11-29T10:00:00+01:00", False),
        ("2026-07-01T04:00:00Z", True),
        ("2026-12-01T04:00:00Z", False),
    ],
)
def test_a_week_says_when_somebody_works(at: str, works: bool) -> None:
    assert are_open(read(WEEK), to_us(datetime.fromisoformat(at)), PARIS) is works


@pytest.mark.parametrize(
    ("at", "works"),
    [
        ("2026-11-27T21:59+01:00", False),
        ("2026-11-27T22:00+01:00", False),
        ("2026-11-29T22:00+01:00", True),
        ("2026-11-30T04:59+01:00", True),
        ("2026-11-30T05:00+01:00", False),
        # Thursday's night ends on Friday; Sunday's begins anew.
        ("2026-11-27T04:59+01:00", True),
        ("2026-11-28T04:59+01:00", False),
        # 02:30 comes twice in this night, and both are worked; in spring 02:00 does not come.
        ("2026-10-26T02:30+01:00", True),
        ("2026-10-25T02:30+02:00", False),
        ("2026-03-30T03:00+02:00", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(at: str, works: bool) -> None:
    assert are_open(read("sun-thu 22:00-05:00"), to_us(datetime.fromisoformat(at)), PARIS) is works


def test_the_hour_that_comes_twice_is_the_same_twice_and_the_one_that_is_skipped_is_nobodys() -> None:
    first, second = (to_us(datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=fold)) for fold in (0, 1))
    assert second - first == 3_600_000_000
    assert all(are_open(read("sun 02:00-03:00"), at, PARIS) for at in (first, second))
    midnight = datetime(2026, 3, 28, 23, tzinfo=UTC)
    night = [to_us(midnight + timedelta(minutes=minute)) for minute in range(24 * 60)]
    assert not any(are_open(read("sun 02:00-03:00"), at, PARIS) for at in night)


@settings(max_examples=60)
@given(WEEKS, INSTANTS | MOVED)
def test_what_counts_is_the_wall_clock_and_the_day_on_which_a_span_began(
    week: dict[int, list[tuple[int, int]]], at: datetime
) -> None:
    there = at.astimezone(PARIS)
    minute = there.hour * 60 + there.minute
    open_today = any(
        start <= minute < (end if end > start else 24 * 60) for start, end in week.get(there.weekday(), ())
    )
    from_yesterday = any(end < start and minute < end for start, end in week.get((there.weekday() - 1) % 7, ()))
    assert are_open(read(written(week)), to_us(at), PARIS) is (open_today or from_yesterday)


@given(MOVED)
def test_a_whole_week_has_no_gap_whatever_is_done_to_the_clock(at: datetime) -> None:
    assert are_open(read("mon-sun 00:00-24:00"), to_us(at), PARIS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not such as"),
        ("always", "is not such as"),
        ("mon-fri", "is not such as"),
        ("lun 06:00-20:00", "is not such as"),
        ("mon 6:00-20:00", "is not such as"),
        ("mon 06:00-20:00; mon 21:00-22:00", "said twice"),
        ("fri-mon 06:00-20:00; sat 07:00-08:00", "said twice"),
        ("mon 06:60-20:00", "no times"),
        ("mon 24:00-02:00", "no times"),
        ("mon 06:00-24:01", "no times"),
        ("mon 06:00-06:00", "00:00-24:00"),
        ("mon 06:00-20:00;" * 20, "longer"),
        ("mon 06:00-10:00 08:00-12:00", "08:00 lies in the span before it"),
        ("mon 08:00-12:00 06:00-10:00", "08:00 lies in"),
        ("mon 22:00-05:00 23:00-23:30", "23:00 lies in"),
    ],
)
def test_what_says_no_hours_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(HoursWrong, match=why):
        read(text)


@given(st.text("monfri0123456789:-; ", max_size=40))
def test_any_text_is_hours_or_is_refused(text: str) -> None:
    try:
        week = read(text)
    except HoursWrong:
        return
    assert len(week) == 7


SPLIT = read("mon-fri 08:00-12:00 13:30-17:00; sat 08:00-12:00; sun 22:00-02:00")
HOLIDAY = date(2026, 11, 11)
CALENDAR = Calendar(PARIS, {(HOLIDAY - EPOCH_DAY).days: "Armistice"})


def is_worked(at_us: int) -> bool:
    """Whether a minute is worked, said without the spans' arithmetic: by the clock, and by the day that it belongs
    to."""
    there = from_us(at_us).astimezone(PARIS)
    day = (there - timedelta(hours=3)).date() if there.hour < 3 else there.date()
    return day != HOLIDAY and are_open(SPLIT, at_us, PARIS)


@settings(max_examples=30)
@given(st.integers(0, 21 * 24 * 60), st.integers(1, 20 * 60))
def test_so_much_of_working_time_has_passed_by_then(from_min: int, work_min: int) -> None:
    """Over the night in which the clock goes back, a public holiday and nights past midnight."""
    start_us = to_us(datetime(2026, 10, 24, tzinfo=UTC)) + from_min * MINUTE_US
    end_us = worked_from(SPLIT, CALENDAR, start_us, work_min * MINUTE_US)
    worked = sum(is_worked(at_us) for at_us in range(start_us, end_us, MINUTE_US))
    assert worked == work_min
    assert is_worked(end_us - MINUTE_US)


def test_a_week_without_hours_is_the_clocks() -> None:
    assert worked_from(((),) * 7, CALENDAR, 5, 7) == 12


def test_what_lies_in_a_night_and_in_the_morning_after_it_is_worked_once() -> None:
    monday_us = to_us(datetime(2026, 11, 30, 22, tzinfo=PARIS))
    ends_us = worked_from(read("mon 22:00-06:00; tue 05:00-09:00"), CALENDAR, monday_us, 11 * 60 * MINUTE_US)
    assert from_us(ends_us).astimezone(PARIS) == datetime(2026, 12, 1, 9, tzinfo=PARIS)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 5), ((2026, 10, 25), 7), ((2026, 11, 27), 6)])
def test_six_in_the_morning_is_what_the_clock_shows(day: tuple[int, int, int], hours: int) -> None:
    midnight_us, six_us = (instant(date(*day), minute, PARIS) for minute in (0, 6 * 60))
    assert from_us(six_us).astimezone(PARIS).hour == 6
    assert six_us - midnight_us == hours * 60 * MINUTE_US

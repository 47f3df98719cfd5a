"""Which nights there are, and when they begin and end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR
from vigie.core.calendar import Calendar, day_number
from vigie.core.times import HOUR_US, MINUTE_US, to_us
from vigie.services.lighting.programmes.model import Clock, Dawn, Dusk, Season, Span, Switching, When
from vigie.services.lighting.programmes.nights import Edges, Nights, Place

PARIS = ZoneInfo("Europe/Paris")
DIJON = Place(5.04, 47.32)
YEAR = Nights.of_year(2026, CALENDAR)


def instant(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=PARIS))


def days(when: When) -> set[int]:
    return set(YEAR.days[YEAR.match(when)].tolist())


def test_a_year_has_a_night_for_each_day() -> None:
    assert len(YEAR) == 365
    assert YEAR.days[0] == day_number("2026-01-01")


@pytest.mark.parametrize(
    ("at", "night"),
    [("2026-11-26 03:00", "2026-11-25"), ("2026-11-26 11:59", "2026-11-25"), ("2026-11-26 12:00", "2026-11-26")],
)
def test_the_small_hours_belong_to_the_night_before(at: str, night: str) -> None:
    assert Nights.at(instant(at), CALENDAR).days.tolist() == [day_number(night)]


def test_rules_are_for_the_nights_that_they_say() -> None:
    fourteenth, christmas = day_number("2026-07-14"), day_number("2026-12-25")
    assert days(When()) == set(YEAR.days.tolist())
    assert days(When(public_holiday=True)) == {fourteenth, christmas}
    assert days(When(eve=True)) == {fourteenth - 1, christmas - 1}
    assert len(days(When(school_holiday=False))) == 365 - 59
    saturdays = days(When(weekdays=(5,)))
    assert len(saturdays) == 52
    assert day_number("2026-11-28") in saturdays
    assert days(When(weekdays=(1,), public_holiday=True)) == {fourteenth}
    winter = days(When(seasons=(Season("11-15", "02-28"),)))
    assert {day_number("2026-01-01"), day_number("2026-12-31")} <= winter
    assert day_number("2026-03-01") not in winter
    assert days(When(dates=(Span("2026-07-13", "2026-07-14"),))) == {fourteenth - 1, fourteenth}


def test_the_clock_of_the_town_is_meant() -> None:
    for night, minute, said in (
        ("2026-07-14", 23 * 60 + 40, "2026-07-14T21:40:00Z"),
        ("2026-07-14", 5 * 60, "2026-07-15T03:00:00Z"),
        # The clock goes from 2:00 to 3:00: half past two is as if it had not yet.
        ("2026-03-28", 2 * 60 + 30, "2026-03-29T01:30:00Z"),
        # It goes from 3:00 back to 2:00: the first half past two is meant.
        ("2026-10-24", 2 * 60 + 30, "2026-10-25T00:30:00Z"),
    ):
        at = Nights(np.array([day_number(night)]), CALENDAR).clock_us(minute)
        assert at.tolist() == [to_us(datetime.fromisoformat(said))], said


@given(st.integers(-180, 180), st.integers(-180, 180), st.floats(-18, 5))
def test_no_night_ends_before_it_begins_or_leaves_its_noons(evening: int, morning: int, sun_deg: float) -> None:
    edges = Edges.of(YEAR, DIJON, Switching(sun_deg, evening, morning))
    noon, next_noon = YEAR.bounds_us
    assert (noon <= edges.on_us).all()
    assert (edges.on_us <= edges.off_us).all()
    assert (edges.off_us <= next_noon).all()


def test_offsets_move_the_edges_and_the_moments() -> None:
    plain, moved = Edges.of(YEAR, DIJON, Switching()), Edges.of(YEAR, DIJON, Switching(-4.0, 10, -15))
    assert (moved.on_us - plain.on_us == 10 * MINUTE_US).all()
    assert (moved.off_us - plain.off_us == -15 * MINUTE_US).all()
    assert (plain.moment(Dusk(30), YEAR) - plain.on_us == 30 * MINUTE_US).all()
    assert (plain.moment(Dawn(-30), YEAR) - plain.off_us == -30 * MINUTE_US).all()
    assert (plain.moment(Clock(0), YEAR) == YEAR.clock_us(0)).all()


def test_a_tunnel_burns_by_day() -> None:
    edges = Edges.of(YEAR, DIJON, Switching(always=True))
    hours = (edges.off_us - edges.on_us) // HOUR_US
    assert sorted(set(hours.tolist())) == [23, 24, 25]  # The two changes of the clock.


def test_where_the_sun_does_not_set_there_is_no_night() -> None:
    oslo = Calendar(ZoneInfo("Europe/Oslo"))
    june, december = (Nights(np.array([day_number(day)]), oslo) for day in ("2026-06-21", "2026-12-21"))
    north = Place(25.0, 70.0)
    bright, long = (Edges.of(each, north, Switching()) for each in (june, december))
    assert (bright.on_us == bright.off_us).all()
    assert int((long.off_us - long.on_us)[0]) > 20 * HOUR_US

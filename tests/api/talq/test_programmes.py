"""Programmes as gateways are given them: what a gateway makes of them is what the programmes say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR, DIJON, SENNECEY, TOWN, dark, layers, p4, park, programme, window
from vigie.api.talq.programmes import PREFIX, Wanted, nights_ahead, wanted
from vigie.core import sun
from vigie.core.calendar import date_of, day_number
from vigie.core.times import MINUTE_US, to_us
from vigie.protocols.talq import level_at, read, read_year
from vigie.protocols.talq.limits import CONTROLS_MAX, RULES_MAX
from vigie.protocols.talq.schedules import Year, day_of, programme_on
from vigie.services.lighting.programmes.layers import Sunlit, groups, schedule
from vigie.services.lighting.programmes.model import Clock, Dawn, Dusk, Programme, Rank, Span, Switching, Target, When
from vigie.services.lighting.programmes.nights import Nights

PARK = park()
NOW_US = to_us(datetime(2026, 11, 26, 16, tzinfo=UTC))
NIGHTS = nights_ahead(CALENDAR, NOW_US)
ZONE = CALENDAR.zone
EVERY_MIN = 7


def given_to(*programmes: Programme, from_noon: bool, nights: Nights = NIGHTS) -> Wanted:
    return wanted(PARK, layers(*programmes), nights, from_noon=from_noon)


@cache
def sun_times(day: date) -> tuple[time, time]:
    """Sunrise and sunset of a local day in Dijon, as a gateway there reckons them."""
    days = np.array([day_number(day.isoformat())])
    rise, set_ = (int(each(days, 5.03, 47.32)[0][0]) for each in (sun.morning_us, sun.evening_us))
    return local(rise).time(), local(set_).time()


def local(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(ZONE)


def made_of(said: Wanted, lamp: str, *, from_noon: bool) -> Callable[[int], int]:
    """What a gateway makes at an instant of what it was given for a lamp; through the wire and back."""
    held = said.of({lamp: ["device/1"]}, "cms")
    year = read_year(held.calendars[held.assigned["device/1"]])
    programs = {name: read(program) for name, program in held.programs.items()}

    def level(at_us: int) -> int:
        here = local(at_us)
        program = programs[programme_on(year, day_of(here, 12 if from_noon else 0))]
        return level_at(program, here.time(), *sun_times(here.date())) or 0

    return level


def disagreements(said: Wanted, programmes: Sequence[Programme], first: str, *, from_noon: bool) -> list[str]:
    """Where gateway and programmes differ by more than a minute on either side, within two days from a noon on."""
    stack, found = layers(*programmes), []
    day = day_number(first)
    sunlit = Sunlit(Nights(np.arange(day - 1, day + 3), CALENDAR))
    start_us = to_us(datetime.fromisoformat(f"{first} 12:00").replace(tzinfo=ZONE))
    for group in groups(PARK, stack):
        if not group.layers:
            continue
        lamp, plan = PARK.ids[int(group.rows[0])], schedule(group, stack, sunlit)
        gateways = made_of(said, lamp, from_noon=from_noon)
        for at_us in range(start_us, start_us + 48 * 60 * MINUTE_US, EVERY_MIN * MINUTE_US):
            spans = [plan.at(at_us + off * MINUTE_US) for off in (-1, 0, 1)]
            should = {0 if span is None else int(plan.level[span]) for span in spans}
            if gateways(at_us) not in should:
                found.append(f"{lamp} {local(at_us)}: {gateways(at_us)}, {should}")
    return found


MOMENTS = st.one_of(
    st.builds(Clock, st.sampled_from([0, 1, 90, 300, 405, 1_080, 1_320, 1_439])),
    st.builds(Dusk, st.sampled_from([0, 30, 95])),
    st.builds(Dawn, st.sampled_from([0, -45])),
)
WHENS = st.one_of(
    st.just(When()),
    st.builds(When, weekdays=st.sampled_from([(4, 5), (6,), (0, 1, 2, 3)])),
    st.builds(When, public_holiday=st.booleans()),
    st.builds(When, dates=st.just((Span("2026-07-14", "2026-07-14"),))),
)
SWITCHINGS = st.one_of(
    st.none(),
    st.builds(Switching, sun_deg=st.sampled_from([-0.8, -4.0, -6.0]), evening_min=st.sampled_from([-20, 0, 15])),
)
PROGRAMMES = st.builds(
    lambda name, on, start, end, level, when, switching: programme(
        name, Rank.AREA, on, window(start, end, level), when=when, switching=switching
    ),
    st.sampled_from(["un", "deux"]), st.sampled_from([TOWN, DIJON, SENNECEY]), MOMENTS, MOMENTS,
    st.integers(0, 100), WHENS, SWITCHINGS,
)  # fmt: skip


@pytest.mark.parametrize("from_noon", [True, False])
@pytest.mark.parametrize("first", ["2026-03-28", "2026-07-13", "2026-10-24", "2026-12-30"])
def test_a_gateway_makes_of_it_what_the_programmes_say(first: str, from_noon: bool) -> None:
    """Clocks set forward and back, a holiday, the turn of the year."""
    both = (p4(), dark())
    said = given_to(*both, from_noon=from_noon)
    assert disagreements(said, both, first, from_noon=from_noon) == []


@settings(max_examples=25)
@given(programmes=st.lists(PROGRAMMES, min_size=1, max_size=3), day=st.integers(0, 500), from_noon=st.booleans())
def test_whatever_the_programmes_say(programmes: list[Programme], day: int, from_noon: bool) -> None:
    near = Nights(NIGHTS.days[day : day + 7], CALENDAR)
    said = given_to(*programmes, from_noon=from_noon, nights=near)
    first = date_of(int(near.days[2])).isoformat()
    assert disagreements(said, programmes, first, from_noon=from_noon) == []


@pytest.mark.parametrize("from_noon", [True, False])
def test_nights_that_differ_by_the_sun_alone_share_a_program(from_noon: bool) -> None:
    said = given_to(p4(), dark(), from_noon=from_noon)
    assert len(said.programs) < 120, "of 731 nights"
    for year in said.years.values():
        assert len(year.rules) < RULES_MAX
    assert all(len(program.slots) < CONTROLS_MAX for program in said.programs.values())
    assert all(name.startswith(PREFIX) for name in [*said.programs, *said.years])


def test_lamps_that_no_programme_speaks_for_are_left_alone() -> None:
    said = given_to(dark(), from_noon=True)
    assert sorted(said.calendars) == sorted(PARK.ids[6:])
    held = said.of({"lamp-0": ["a/1"], "lamp-7": ["b/1", "b/2"]}, "cms")
    assert sorted(held.assigned) == ["b/1", "b/2"]


def test_what_says_the_same_is_called_the_same_and_what_changes_is_not() -> None:
    one, again = (given_to(p4(), dark(), from_noon=True) for _ in range(2))
    assert one == again
    other = given_to(p4(), dark(), programme("plus", Rank.AREA, DIJON, window("1:00", "2:00", 10)), from_noon=True)
    assert {each: other.calendars[each] for each in PARK.ids[6:]} == {
        each: one.calendars[each] for each in PARK.ids[6:]
    }
    assert not {other.calendars[each] for each in PARK.ids[:6] if each in other.calendars} & set(one.years)


def test_a_gateway_holds_what_its_own_lamps_need_and_no_more() -> None:
    said = given_to(p4(), dark(), from_noon=True)
    held = said.of({"lamp-8": ["device/1"]}, "cms")
    (name,) = held.calendars
    used = {
        name for year in held.calendars.values() for name in (year.default_program, *(r.program for r in year.rules))
    }
    assert held.programs.keys() == used
    assert isinstance(read_year(held.calendars[name]), Year)


def test_a_tunnel_is_lit_by_day() -> None:
    tunnel = programme(
        "tunnel", Rank.STREET, Target(assets=("lamp-0",)), window("22:00", "5:00", 40), switching=Switching(always=True)
    )
    for from_noon in (True, False):
        said = given_to(tunnel, from_noon=from_noon)
        assert disagreements(said, [tunnel], "2026-06-20", from_noon=from_noon) == []
        noon_us = to_us(datetime(2026, 6, 21, 13, tzinfo=ZONE))
        assert made_of(said, "lamp-0", from_noon=from_noon)(noon_us) == 100


def test_the_north_has_nights_without_dusk() -> None:
    north = replace(PARK, lat=np.full(len(PARK), 69.6))
    for from_noon in (True, False):
        said = wanted(north, layers(dark()), NIGHTS, from_noon=from_noon)
        assert said.calendars

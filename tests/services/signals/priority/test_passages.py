"""Who comes to a junction with a right to go first, and who does not: a cross-roads at the middle of the world."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.services.signals.control.sites import SIDES, crossroads
from vigie.core.times import SECOND_US
from vigie.services.signals.control.claims import BUS_WEIGHS, EMERGENCY_WEIGHS, LATE_S, Sort
from vigie.services.signals.control.site import CallPoints, Plan, Site, Step
from vigie.services.signals.junction import Meeting, Stage, Users
from vigie.services.signals.priority.arms import STOP_M, Crossing, apart, crossing_of, groups_of, seen_from
from vigie.services.signals.priority.courses import Course
from vigie.services.signals.priority.passages import (
    GONE_S,
    GONE_TIMES,
    TOLD_AHEAD_S,
    TOLD_WITHIN_S,
    Passage,
    Passages,
    Vehicle,
)

LON, LAT, DEGREE_M = 5.04, 47.32, 111_195.0
BEARINGS = {"north": 0.0, "south": 180.0, "east": 90.0, "west": 270.0}
BEHIND = {"north": 180.0, "south": 0.0, "east": 270.0, "west": 90.0}
VALID_S = 60.0


def known(site: Site | None = None) -> Site:
    """The cross-roads, whose ways say from where they come."""
    found = site or crossroads()
    movements = tuple(
        replace(each, comes_deg=BEARINGS[each.approach], leaves_deg=BEHIND[each.approach])
        for each in found.junction.movements
    )
    return replace(found, junction=replace(found.junction, movements=movements))


def rebuilt() -> Site:
    """The same junction with one group for each street, where it had one for each side."""
    site = known()
    junction = site.junction
    apart_, conflicts, streets = Meeting.APART, Meeting.CONFLICTS, (frozenset({0}), frozenset({1}))
    movements = tuple(replace(each, group=each.group // 2) for each in junction.movements)
    approaches = tuple(
        replace(each, ways=tuple(replace(way, group=way.group // 2) for way in each.ways)) for each in site.approaches
    )
    junction = replace(
        junction,
        groups=(junction.groups[0], junction.groups[2]),
        movements=movements,
        meetings=((apart_, conflicts), (conflicts, apart_)),
        intergreens=((None, 5), (5, None)),
        stages=tuple(Stage(name, greens) for name, greens in zip(("1", "2"), streets, strict=True)),
    )
    plan = Plan(0, (Step(30, streets[0]), Step(5, frozenset(), True), Step(30, streets[1]), Step(5, frozenset(), True)))
    return replace(site, junction=junction, plan=plan, approaches=approaches, gives_way=(frozenset(),) * 2)


def place(bearing_deg: float, away_m: float, lon: float = LON, lat: float = LAT) -> tuple[float, float]:
    east_m, north_m = away_m * sin(radians(bearing_deg)), away_m * cos(radians(bearing_deg))
    return lon + east_m / (DEGREE_M * cos(radians(lat))), lat + north_m / DEGREE_M


CROSSING = crossing_of(known(), LON, LAT)


class Street:
    """Vehicles that drive straight on a bearing, told each two seconds."""

    def __init__(self, **crossings: Crossing) -> None:
        self.passages, self.now_us = Passages(), 10**12
        self.passages.keep(crossings or {"one": CROSSING})
        self.seen: dict[int, Vehicle] = {}

    def drive(self, number: int, sort: Sort, bearing_deg: float, away_m: float, **more: object) -> None:
        """Where one is now, seen from the middle."""
        lon, lat = place(bearing_deg, away_m)
        told = Vehicle(number, sort, lon, lat, self.now_us, self.now_us, VALID_S)
        self.seen[number] = told._replace(**more)

    def see(self) -> tuple[Passage, ...]:
        return self.passages.see(self.now_us, self.seen.values())

    def comes(
        self, bearing_deg: float, *away_m: float, number: int = 1, sort: Sort = Sort.EMERGENCY, **more: object
    ) -> Iterator[tuple[Passage, ...]]:
        """What is known each time that it was seen."""
        for each in away_m:
            self.now_us += 2 * SECOND_US
            self.drive(number, sort, bearing_deg, each, **more)
            yield self.see()


@pytest.mark.parametrize("side", SIDES)
def test_who_drives_up_an_arm_asks_for_its_group_until_past_the_line(side: str) -> None:
    street = Street()
    seen = list(street.comes(BEARINGS[side], 160, 140, 120, 40, 20, 5, -20, -60))
    assert [bool(each) for each in seen] == [False, True, True, True, True, False, False, False]
    first = seen[1][0]
    assert (first.groups, first.comes_deg, first.weight) == ((SIDES.index(side),), BEARINGS[side], EMERGENCY_WEIGHS)
    assert first.eta_s == pytest.approx((140 - STOP_M) / 10, abs=0.2)
    assert seen[3][0].since_us == first.since_us


def test_it_comes_nearer_between_two_positions() -> None:
    street = Street()
    (*_, (before,)) = street.comes(0.0, 160, 140)
    street.now_us += 5 * SECOND_US
    (after,) = street.see()
    assert after.eta_s == pytest.approx(before.eta_s - 5, abs=0.01)


def test_who_stopped_telling_asks_no_more() -> None:
    street = Street()
    assert list(street.comes(0.0, 160, 140))[-1]
    street.now_us += int((VALID_S + 1) * SECOND_US)
    assert street.see() == ()
    # And what begins anew begins as if it were new.
    street.drive(1, Sort.EMERGENCY, 0.0, 120)
    assert street.see() == ()


@pytest.mark.parametrize("every_s", [2, 10])
def test_who_says_nothing_more_is_through_some_time_after_they_were_to_be(every_s: int) -> None:
    street = Street()
    for away_m in (35 + 15 * every_s, 35):
        street.now_us += every_s * SECOND_US
        street.drive(1, Sort.EMERGENCY, 0.0, away_m)
        street.see()
    asks = [bool(street.passages.see(street.now_us + s * SECOND_US, street.seen.values())) for s in range(40)]
    through_s = 1 + int(max(GONE_S, GONE_TIMES * every_s))
    assert asks == [True] * (through_s + 1) + [False] * (39 - through_s)
    # And when it is heard of again where it was, it waits there.
    street.now_us += 40 * SECOND_US
    street.drive(1, Sort.EMERGENCY, 0.0, 35)
    assert street.see()


@pytest.mark.parametrize("ahead_s", [-TOLD_WITHIN_S - 1, TOLD_WITHIN_S + 1])
def test_who_has_a_wrong_clock_or_tells_late_asks_nothing(ahead_s: float) -> None:
    street = Street()
    for away_m in (160, 140, 120):
        street.now_us += 2 * SECOND_US
        street.drive(1, Sort.EMERGENCY, 0.0, away_m, at_us=street.now_us + int(ahead_s * SECOND_US))
        assert street.see() == ()


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (float("nan"), 47.0), (LON + 1, LAT), (180.0, -90.0)])
def test_nowhere_and_outside_the_town_nobody_asks(lon: float, lat: float) -> None:
    street = Street()
    for n in range(4):
        street.now_us += 2 * SECOND_US
        street.drive(1, Sort.EMERGENCY, 0.0, 0, lon=lon, lat=lat + n / 10_000)
        assert street.see() == ()


def test_a_bus_asks_while_it_is_late_and_no_longer() -> None:
    street = Street()
    assert list(street.comes(90.0, 160, 140, sort=Sort.BUS, late_s=-20))[-1] == ()
    (*_, (half,)) = street.comes(90.0, 120, sort=Sort.BUS, late_s=LATE_S / 2)
    assert (half.weight, half.late_s) == (BUS_WEIGHS / 2, LATE_S / 2)
    assert list(street.comes(90.0, 100, sort=Sort.BUS, late_s=0))[-1] == ()


def test_who_stands_at_a_stop_does_not_ask_and_who_stands_at_the_light_does() -> None:
    street = Street()
    assert list(street.comes(0.0, 160, 120, 120, sort=Sort.BUS, late_s=90))[-1] == ()
    (*_, (waits,)) = street.comes(0.0, 80, 30, 30, 30, sort=Sort.BUS, late_s=90)
    assert waits.eta_s == pytest.approx((30 - STOP_M) / 4, abs=0.1)


@pytest.mark.parametrize("sort", Sort)
def test_who_was_coming_when_a_junction_gets_another_document_asks_by_that_when_seen_again(sort: Sort) -> None:
    street = Street(one=CROSSING, other=crossing_of(known(), *place(90.0, 5_000.0)))
    assert list(street.comes(BEARINGS["west"], 160, 140, sort=sort, late_s=90.0))[-1]
    street.passages.keep({"one": crossing_of(rebuilt(), LON, LAT)})
    assert street.see() == ()
    (*_, (after,)) = street.comes(BEARINGS["west"], 120, sort=sort, late_s=90.0)
    assert after.groups == (1,)
    # Read anew and found as it was, nothing changes.
    street.passages.keep({"one": crossing_of(rebuilt(), LON, LAT)})
    assert [each.since_us for each in street.see()] == [after.since_us]


def test_of_two_emergencies_the_first_goes_and_the_second_waits() -> None:
    street = Street()
    list(street.comes(0.0, 160, 140, number=2))
    list(street.comes(90.0, 160, 140, number=1))
    assert [(each.vehicle, each.waits) for each in street.see()] == [(2, False), (1, True)]
    # From the other side of the same street both may go.
    list(street.comes(180.0, 160, 140, number=3))
    assert [(each.vehicle, each.waits) for each in street.see()] == [(2, False), (1, True), (3, False)]
    del street.seen[2], street.seen[3]
    assert [each.waits for each in street.see()] == [False]


def two_on_a_line() -> tuple[Street, Course]:
    """A line from the north that turns to the east at the first junction, and comes to the second 200 m on."""
    one = known()
    movements = (*one.junction.movements, replace(one.junction.movements[0], group=2, leaves_deg=90.0))
    turns = crossing_of(replace(one, junction=replace(one.junction, movements=movements)), LON, LAT)
    crossings = {"one": turns, "two": crossing_of(known(), *place(90.0, 200.0))}
    corners = [place(0.0, 400.0), (LON, LAT), place(90.0, 500.0)]
    course = Course([lon for lon, _ in corners], [lat for _, lat in corners])
    course.keep({**crossings, "elsewhere": crossing_of(known(), *place(270.0, 200.0))})
    return Street(**crossings), course


def test_who_follows_a_line_asks_for_its_turn_and_each_junction_in_time() -> None:
    street, course = two_on_a_line()
    (*_, seen) = street.comes(0.0, 140, 120, course=course)
    assert [(each.junction, each.groups) for each in seen] == [("one", (2,)), ("two", (3,))]
    assert [each.eta_s for each in seen] == pytest.approx([(120 - STOP_M) / 10, (320 - STOP_M) / 10], abs=0.3)
    list(street.comes(0.0, 60, 30, course=course))
    (*_, seen) = street.comes(90.0, 20, 60, course=course)
    assert [(each.junction, each.groups) for each in seen] == [("two", (3,))]
    street.seen.clear()
    # And back again: from the east it comes to the second, then turns to the north, by no way that is known.
    (*_, seen) = street.comes(90.0, 320, 300, number=2, course=course)
    assert [(each.junction, each.groups) for each in seen] == [("two", (2,)), ("one", (2,))]


def test_who_has_left_the_course_comes_to_what_is_next_as_it_heads() -> None:
    street, course = two_on_a_line()
    (*_, seen) = street.comes(180.0, 140, 120, course=course)
    assert [(each.junction, each.groups) for each in seen] == [("one", (1,))]


def test_arms_that_nobody_knows_and_lines_with_points_ask_nothing() -> None:
    assert crossing_of(crossroads(), LON, LAT).arms == ()
    pointed = replace(known(), calls=(CallPoints(0, None, None, 1, None, 10.0),))
    assert {way.group for arm in crossing_of(pointed, LON, LAT).arms for way in arm.ways} == {1, 2, 3}


def test_a_tram_goes_by_its_own_signal_where_the_arm_has_one() -> None:
    site = known()
    groups = (replace(site.junction.groups[0], users=Users.TRAM), *site.junction.groups[1:])
    movements = (*site.junction.movements, replace(site.junction.movements[1], comes_deg=4.0, group=1))
    crossing = crossing_of(replace(site, junction=replace(site.junction, groups=groups, movements=movements)), LON, LAT)
    arm = crossing.arm(0.0, 10.0)
    assert arm is not None
    assert (groups_of(arm, Sort.TRAM), groups_of(arm, Sort.BUS), groups_of(arm, Sort.EMERGENCY)) == ((0,), (1,), (1,))


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 360), st.floats(0, 600), st.integers(0, 90), st.integers(-20, 20), st.booleans()),
        min_size=2, max_size=12,
    ),
    sort=st.sampled_from(Sort),
    late_s=st.floats(-300, 300),
)  # fmt: skip
def test_whatever_is_told_who_asks_is_near_heads_there_and_weighs_something(
    steps: list[tuple[float, float, int, int, bool]], sort: Sort, late_s: float
) -> None:
    street = Street()
    for bearing_deg, away_m, later_s, ahead_s, tells in steps:
        street.now_us += later_s * SECOND_US
        if tells:
            street.drive(1, sort, bearing_deg, away_m, at_us=street.now_us + ahead_s * SECOND_US, late_s=late_s)
        for each in street.see():
            told = street.seen[1]
            assert 0 <= each.eta_s <= TOLD_AHEAD_S
            assert each.weight > 0
            assert street.now_us - told.at_us <= VALID_S * SECOND_US
            away_m, from_deg = seen_from(told.lon, told.lat, LON, LAT)
            assert away_m > STOP_M
            assert apart(from_deg, each.comes_deg) <= 35.0
            if sort is Sort.BUS:
                assert late_s > 0


def test_who_moves_away_asks_nothing() -> None:
    street = Street()
    assert not any(street.comes(0.0, 40, 60, 80, 100))
    assert not any(street.comes(90.0, 40, 60, 80, sort=Sort.TRAM, number=2, heading_deg=90.0))

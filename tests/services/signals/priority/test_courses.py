"""The course of a line: which junctions come next on it, from where, and where to."""

from __future__ import annotations

import pytest

from tests.services.signals.priority.test_passages import CROSSING, LAT, LON, known, place
from vigie.core.times import SECOND_US
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.priority.arms import Crossing, crossing_of
from vigie.services.signals.priority.courses import Course, Next
from vigie.services.signals.priority.passages import Passages, Vehicle

Place = tuple[float, float]
FAR = crossing_of(known(), *place(90.0, 5_000.0))


def course(*corners: Place, **crossings: Crossing) -> Course:
    made = Course([lon for lon, _ in corners], [lat for _, lat in corners])
    made.keep(crossings or {"one": CROSSING, "far": FAR})
    return made


def ahead(of: Course, at: Place, heads_deg: float) -> list[Next]:
    found = of.ahead(*at, heads_deg)
    assert found is not None
    return list(found)


@pytest.mark.parametrize("corners", [[], [(LON, LAT)], [(LON, LAT), (LON, LAT)]])
def test_what_has_no_length_is_no_course(corners: list[Place]) -> None:
    with pytest.raises(ValueError, match="a course has"):
        course(*corners)


def test_a_line_leads_through_both_ways() -> None:
    bends = course(place(0.0, 400.0), (LON, LAT), place(90.0, 400.0))
    (there,) = ahead(bends, place(0.0, 100.0), 180.0)
    assert there == ("one", pytest.approx(100, abs=0.1), pytest.approx(0, abs=1), pytest.approx(90, abs=1))
    (back,) = ahead(bends, place(90.0, 100.0), 270.0)
    assert back == ("one", pytest.approx(100, abs=0.1), pytest.approx(90, abs=1), pytest.approx(0, abs=1))
    assert ahead(bends, place(0.0, 100.0), 0.0) == []
    assert ahead(bends, place(0.0, 10.0), 180.0) == [], "it is past the stop line"
    assert bends.ahead(*place(0.0, 100.0), 90.0) is None, "it heads across"


@pytest.mark.parametrize("beyond_m", [0.0, 10.0])
def test_of_a_line_that_ends_at_a_junction_is_not_known_where_it_leaves(beyond_m: float) -> None:
    ends = course(place(270.0, 400.0), place(90.0, beyond_m))
    (there,) = ahead(ends, place(270.0, 100.0), 90.0)
    assert (there.name, there.leaves_deg) == ("one", None)
    begins = course(place(90.0, beyond_m), place(270.0, 400.0))
    (back,) = ahead(begins, place(270.0, 100.0), 90.0)
    assert (back.name, back.leaves_deg) == ("one", None)


@pytest.mark.parametrize("doubled", [0, 1, 2])
def test_a_corner_that_is_drawn_twice_changes_nothing(doubled: int) -> None:
    corners = [place(0.0, 400.0), (LON, LAT), place(180.0, 400.0)]
    twice = [*corners[: doubled + 1], *corners[doubled:]]
    for at, heads_deg in ((place(0.0, 420.0), 180.0), (place(180.0, 420.0), 0.0)):
        assert ahead(course(*twice), at, heads_deg) == ahead(course(*corners), at, heads_deg)
        assert len(ahead(course(*twice), at, heads_deg)) == 1


def test_a_junction_that_nobody_knows_the_arms_of_hides_none_behind_it() -> None:
    crossings = {"first": Crossing(*place(0.0, 150.0), (), CROSSING.conflicts), "one": CROSSING}
    straight = course(place(0.0, 600.0), place(180.0, 600.0), **crossings)
    passages, now_us = Passages(), 10**12
    passages.keep(crossings)
    for away_m in (330.0, 300.0):
        now_us += 2 * SECOND_US
        lon, lat = place(0.0, away_m)
        seen = passages.see(now_us, [Vehicle(1, Sort.TRAM, lon, lat, now_us, now_us, 60.0, course=straight)])
    assert [each.junction for each in seen] == ["one"]


def test_whoever_is_still_far_away_is_told_of_when_they_are_in_time_though_they_say_nothing_between() -> None:
    straight = course(place(0.0, 3_000.0), place(180.0, 600.0))
    passages, now_us = Passages(), 10**12
    passages.keep({"one": CROSSING})
    for away_m in (930.0, 900.0):
        now_us += 2 * SECOND_US
        told = Vehicle(1, Sort.TRAM, *place(0.0, away_m), now_us, now_us, 60.0, course=straight)
        assert passages.see(now_us, [told]) == ()
    assert len(passages.see(now_us + 25 * SECOND_US, [told])) == 1

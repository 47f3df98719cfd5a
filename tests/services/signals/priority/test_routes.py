"""Routes: where somebody is on one, read from where they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.signals.priority.test_passages import CROSSING, LAT, LON, Street, known, place
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.priority.arms import crossing_of
from vigie.services.signals.priority.passages import ROUTE_AHEAD_S, TOLD_AHEAD_S
from vigie.services.signals.priority.routes import Route

APART_M = 300.0
NAMES = ("one", "two", "three")
EASTWARD = {name: crossing_of(known(), *place(90.0, APART_M * at)) for at, name in enumerate(NAMES)}
"""Three along a street; the first is in the middle."""


def route(*names: str) -> Route:
    made = Route(names)
    made.keep(EASTWARD)
    return made


def test_all_that_is_left_is_ahead_with_the_turn_that_the_route_makes() -> None:
    corner = {**EASTWARD, "north": crossing_of(known(), *place(0.0, APART_M))}
    made = Route(["one", "north"])
    made.keep(corner)
    ahead = made.ahead(*place(270.0, 200.0), 90.0)
    assert ahead is not None
    first, second = ahead
    assert (first.name, round(first.away_m), round(first.comes_deg)) == ("one", 200, 270)
    assert first.leaves_deg == pytest.approx(0.0, abs=0.1)
    assert (second.name, round(second.away_m), round(second.comes_deg)) == ("north", 500, 180)
    assert second.leaves_deg is None


@given(st.lists(st.floats(-400.0, APART_M * 2 + 100.0), min_size=1, max_size=12).map(sorted))
def test_whoever_drives_along_it_passes_each_once_wherever_they_are_seen(seen_m: list[float]) -> None:
    made, before = route(*NAMES), 0
    for at_m in seen_m:
        made.ahead(*place(90.0, at_m), 90.0)
        behind = sum(at_m > APART_M * n + 15.0 for n in range(3))
        assert behind <= made.passed <= behind + 1
        assert made.passed >= before
        before = made.passed


def test_begun_anew_in_the_middle_it_goes_on_from_there() -> None:
    made = route(*NAMES)
    ahead = made.ahead(*place(90.0, 450.0), 90.0)
    assert ahead is not None
    assert ([each.name for each in ahead], made.passed) == (["three"], 2)


def test_whoever_heads_away_or_has_come_to_its_end_follows_none() -> None:
    assert route(*NAMES).ahead(*place(270.0, 200.0), 270.0) is None
    made = route("one")
    assert made.ahead(*place(90.0, 40.0), 90.0) is None
    assert made.passed == 1


def test_it_leads_past_a_junction_that_nobody_knows() -> None:
    made = Route(["one", "nowhere", "two"])
    made.keep(EASTWARD | {"nowhere": replace(CROSSING, arms=())})
    ahead = made.ahead(*place(90.0, 60.0), 90.0)
    assert ahead is not None
    assert ([each.name for each in ahead], made.passed) == (["two"], 1)
    made.keep(EASTWARD | {"nowhere": CROSSING})
    assert made.passed == 1
    with pytest.raises(ValueError, match="at least"):
        Route([])


def test_junctions_on_a_route_are_told_early_and_hold_nobody_until_it_is_near() -> None:
    street = Street(**EASTWARD)
    made = route(*NAMES)
    far: dict[str, object] = {"course": made, "ahead_s": ROUTE_AHEAD_S}
    *_, found = street.comes(270.0, 340, 320, 300, **far)
    assert {each.junction: each.eta_s > TOLD_AHEAD_S for each in found} == {"one": False, "two": True, "three": True}
    # Another emergency comes to the second from the north, whose street lies APART_M to the east.
    lon, _ = place(90.0, APART_M)
    for away_m in (120.0, 100.0):
        street.now_us += 2_000_000
        street.drive(1, Sort.EMERGENCY, 270.0, away_m + 160.0, **far)
        street.drive(2, Sort.EMERGENCY, 0.0, away_m, lon=lon)
        found = street.see()
    waits = {(each.vehicle, each.junction): each.waits for each in found}
    assert waits[2, "two"] is False
    assert waits[1, "two"] is True
    assert waits[1, "one"] is False


def test_who_may_tell_little_comes_by_where_they_are() -> None:
    """The first junction has none before it on the route."""
    made = route("two", "three")
    ahead = made.ahead(LON, LAT, 90.0)
    assert ahead is not None
    assert round(ahead[0].comes_deg) == 270

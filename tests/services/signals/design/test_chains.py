"""Streets out of what documents say of neighbours: straight on and no further, and how one drives along them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from msgspec.structs import replace

from tests.services.signals.control.sites import SIDES, crossroads
from vigie.services.signals.control.site import Feeder, Site, Way
from vigie.services.signals.design.chains import JUNCTIONS_MAX, chains, course, leg, pieces
from vigie.services.signals.junction import Lane, Movement

DEGREES = dict(zip(SIDES, (0.0, 180.0, 90.0, 270.0), strict=True))
NORTH, SOUTH, EAST, WEST = range(4)
AGAINST = {NORTH: SOUTH, SOUTH: NORTH, EAST: WEST, WEST: EAST}


def placed(site: Site) -> Site:
    """A cross-roads whose ways have their bearings."""
    movements = tuple(
        replace(each, comes_deg=DEGREES[each.approach], leaves_deg=DEGREES[each.exit.removeprefix("to ")])
        for each in site.junction.movements
    )
    return replace(site, junction=replace(site.junction, movements=movements))


def town(ways: Mapping[tuple[str, str], tuple[int, int]], *, bearings: bool = True) -> dict[str, Site]:
    """Cross-roads with ways between them: from one to another, on the side of the other where it is reached, in so many
    seconds. Everybody drives straight on: who comes from the west goes to the east."""
    found: dict[str, list[Feeder]] = {name: [] for way in ways for name in way}
    for (one, other), (side, travel_s) in ways.items():
        found[other].append(Feeder(one, SIDES[side], 1.0, (side,), travel_s))
    sites = {name: crossroads(name, tuple(feeders)) for name, feeders in found.items()}
    return {name: placed(site) if bearings else site for name, site in sites.items()}


def both(one: str, other: str, side: int = WEST, travel_s: int = 20) -> dict[tuple[str, str], tuple[int, int]]:
    return {(one, other): (side, travel_s), (other, one): (AGAINST[side], travel_s + 2)}


GRID = {**both("a", "b"), **both("b", "c"), **both("n", "b", NORTH), **both("b", "s", NORTH)}


@pytest.mark.parametrize("bearings", [True, False])
def test_streets_go_straight_on_where_they_cross(bearings: bool) -> None:
    found = chains(town(GRID, bearings=bearings))
    assert sorted(found) == [("a", "b", "c"), ("n", "b", "s")]


def test_a_street_ends_where_one_has_to_turn_off_and_where_nobody_is_next_door() -> None:
    # Who comes to b from a can go on to s alone, which is round the corner.
    corner = town({**both("a", "b"), ("b", "s"): (NORTH, 20)})
    b = corner["b"]
    turns = tuple(
        Movement(each.group, each.approach, "to south", each.comes_deg, DEGREES["south"])
        if each.approach == "west" else each
        for each in b.junction.movements
    )  # fmt: skip
    west = replace(b.approaches[WEST], ways=(Way(WEST, "to south"),))
    approaches = tuple(west if at == WEST else each for at, each in enumerate(b.approaches))
    corner["b"] = replace(b, junction=replace(b.junction, movements=turns), approaches=approaches)
    s = corner["s"]
    corner["s"] = replace(s, feeders=(Feeder("b", "west", 1.0, (NORTH,), 20),))
    assert sorted(chains(corner)) == [("a", "b"), ("b", "s")]
    assert chains({"alone": crossroads("alone")}) == []
    assert chains({"b": town(GRID)["b"]}) == [], "whoever has no document is no junction of a street"


def test_a_ring_is_cut_where_it_closes() -> None:
    ring = {**both("a", "b"), **both("b", "c"), **both("c", "a")}
    assert chains(town(ring, bearings=False)) == [("a", "b", "c"), ("a", "c")]


def test_a_long_street_comes_in_pieces_that_meet() -> None:
    names = [f"{n:02}" for n in range(18)]
    ways = {key: value for one, other in pairwise(names) for key, value in both(one, other).items()}
    (found,) = chains(town(ways))
    assert found == tuple(names)
    cut = pieces(found)
    assert all(2 <= len(each) <= JUNCTIONS_MAX for each in cut)
    assert [each[-1] for each in cut[:-1]] == [each[0] for each in cut[1:]]
    assert [name for at, each in enumerate(cut) for name in each[bool(at) :]] == names
    assert pieces(("a", "b")) == [("a", "b")]


def test_each_direction_has_its_groups_its_times_and_its_metres() -> None:
    sites = town(GRID)
    own = [sites[name] for name in "abc"]
    there, back = course(own), course(own[::-1])
    assert there.groups == (frozenset({WEST}),) * 3
    assert back.groups == (frozenset({EAST}),) * 3
    assert [each.seconds for each in there.legs if each] == [20, 20]
    assert [each.seconds for each in back.legs if each] == [22, 22]
    # Where no lane leads from one stop line to the next by itself, what is driven in that time at 13.9 m/s.
    assert [each.metres for each in there.legs if each] == [pytest.approx(278.0)] * 2


def test_a_lane_that_leads_from_one_stop_line_to_the_next_is_as_long_as_it_is() -> None:
    sites = town(both("a", "b"))
    a = sites["a"]
    shared = replace(a.approaches[WEST], ways=(Way(WEST, "west"),))
    sites["a"] = replace(a, approaches=tuple(shared if at == WEST else each for at, each in enumerate(a.approaches)))
    lanes = tuple(Lane("west", 231.5, 13.9) if each.name == "west" else each for each in sites["b"].junction.lanes)
    sites["b"] = replace(sites["b"], junction=replace(sites["b"].junction, lanes=lanes))
    found = leg(sites["a"], sites["b"])
    assert found is not None
    assert found.metres == 231.5


def test_one_way_nobody_drives_back() -> None:
    sites = town({("a", "b"): (WEST, 20), ("b", "c"): (WEST, 15)})
    assert chains(sites) == [("a", "b", "c")]
    back = course([sites[name] for name in "cba"])
    assert back.legs == (None, None)
    assert back.groups == (frozenset(),) * 3


def test_of_a_lane_with_two_signals_the_one_that_goes_straight_on_serves() -> None:
    sites = town(both("a", "b"))
    b = sites["b"]
    # The lane from the west lets some go straight on by its own group and some turn by the east's.
    more = Movement(EAST, "west", "to north", DEGREES["west"], DEGREES["north"])
    lane = replace(b.approaches[WEST], ways=(*b.approaches[WEST].ways, Way(EAST, "to north")))
    approaches = tuple(lane if at == WEST else each for at, each in enumerate(b.approaches))
    junction = replace(b.junction, movements=(*b.junction.movements, more))
    sites["b"] = replace(b, junction=junction, approaches=approaches)
    assert course([sites["a"], sites["b"]]).groups[1] == frozenset({WEST})
    # Where nobody knows the bearings, all that the lane needs.
    blind = tuple(replace(each, comes_deg=None, leaves_deg=None) for each in sites["b"].junction.movements)
    sites["b"] = replace(sites["b"], junction=replace(sites["b"].junction, movements=blind))
    assert course([sites["a"], sites["b"]]).groups[1] == frozenset({EAST, WEST})

"""Lines become arcs from node to node, with the shortest ways between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.matching.towns import grid, town
from vigie.core.arrays import ints
from vigie.services.roads.matching.loops import way_m
from vigie.services.roads.matching.network import REACH_M, TURN_BACK_M, Network, network_of


def test_a_line_is_cut_where_another_ends_on_a_corner_of_it_and_nowhere_else() -> None:
    network = town([[(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 80)], [(50, 0), (50, -90)]])
    assert len(network) == 4, "the third ends between two corners of the first"
    assert ints(network.line) == [0, 0, 1, 2]
    np.testing.assert_allclose(network.begin_m, [0, 100, 0, 0], atol=0.01)
    np.testing.assert_allclose(network.length_m, [100, 100, 80, 90], atol=0.01)
    middle = int(network.head[0])
    assert {int(each) // 2 for each in network.leaving(middle)} == {0, 1, 2}
    np.testing.assert_allclose(network.course(1)[0], network.course(0)[-1])


def test_corners_of_one_line_that_lie_close_together_do_not_cut_it() -> None:
    network = town([[(0, 0), (0.4, 0), (0.8, 0), (100, 0)]])
    assert len(network) == 1


def test_a_line_without_a_way_and_a_corner_that_is_no_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two corners"):
        network_of(np.array([5.0]), np.array([47.0]), np.array([0, 1]), np.array([False]))
    with pytest.raises(ValueError, match="no place"):
        network_of(np.array([5.0, np.nan]), np.array([47.0, 47.0]), np.array([0, 2]), np.array([False]))


def test_a_town_without_streets_has_a_network() -> None:
    assert len(network_of(np.empty(0), np.empty(0), np.array([0]), np.empty(0, np.bool_))) == 0


def test_to_turn_back_is_a_detour_but_for_where_a_street_ends() -> None:
    network = town([[(0, 0), (100, 0)], [(100, 0), (200, 0)]])
    on, back = 0, 1
    assert way_m(network.ways, on, back) == TURN_BACK_M
    assert way_m(network.ways, 2, 3) == 0, "the street ends"
    assert way_m(network.ways, back, on) == 0


def _by_hand(network: Network, source: int) -> dict[int, float]:
    """The shortest ways from an arc, each arc looked at until nothing changes."""
    best = {-1: 0.0}
    changed = True
    while changed:
        changed = False
        for at, gone in list(best.items()):
            node = int(network.head[source if at < 0 else at])
            here = gone if at < 0 else gone + float(network.length_m[at // 2])
            leaving = ints(network.leaving(node))
            for other in leaving:
                turned = other == (source if at < 0 else at) ^ 1 and len(leaving) > 1
                far = here + (TURN_BACK_M if turned else 0.0)
                if far <= REACH_M and far < best.get(other, np.inf) - 1e-9:
                    best[other], changed = far, True
    del best[-1]
    return best


@given(st.lists(st.integers(0, 23), max_size=18, unique=True), st.data())
@settings(max_examples=15)
def test_ways_are_the_shortest_and_lead_back_arc_by_arc(one_way: list[int], data: st.DataObject) -> None:
    network = town(grid(4, 90.0), set(one_way))
    source = data.draw(st.integers(0, 2 * len(network) - 1))
    rows = slice(int(network.ways.first[source]), int(network.ways.first[source + 1]))
    far = dict(zip(ints(network.ways.to[rows]), network.ways.far_m[rows].tolist(), strict=True))
    assert far == pytest.approx(_by_hand(network, source))
    assert all(network.allowed[each] for each in far)
    for to, before in zip(ints(network.ways.to[rows]), ints(network.ways.before[rows]), strict=True):
        came = source if before < 0 else before
        assert network.head[came] == network.tail[to]
        assert before < 0 or far[before] <= far[to]

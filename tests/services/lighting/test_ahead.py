"""Lamps ahead: along streets, over junctions, and none behind beyond what is said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.arrays import ints
from vigie.core.service import Lines
from vigie.services.lighting.ondemand.graph import Graph
from vigie.services.lighting.programmes.park import Park

LAT = 47.3
M = 1 / 111_195.0
EAST_M = M / np.cos(np.radians(LAT))
NORTH, EAST, SOUTH, WEST = 0.0, 90.0, 180.0, 270.0

Spot = tuple[float, float]
"""Metres east and north."""


def park_of(lamps: Sequence[Spot], streets: Sequence[int] | None = None) -> Park:
    count = len(lamps)
    xy = np.array(lamps, np.float64).reshape(-1, 2)
    street = np.array(streets if streets is not None else [1] * count, np.int64)
    zero = np.zeros(count, np.int64)
    return Park(
        np.arange(count) + 1, [str(n) for n in range(count)], zero, street, 5 + xy[:, 0] * EAST_M,
        LAT + xy[:, 1] * M, [""] * count, np.zeros(count), [""] * count, [""] * count, zero, [""], ["", "A", "B"],
    )  # fmt: skip


def lines_of(*drawn: tuple[int, Sequence[Spot]]) -> Lines:
    corners = np.array([each for _, line in drawn for each in line], np.float64).reshape(-1, 2)
    start = np.cumsum([0, *(len(line) for _, line in drawn)])
    street = np.array([street for street, _ in drawn], np.int64)
    return Lines(street, start, 5 + corners[:, 0] * EAST_M, LAT + corners[:, 1] * M)


def ahead(graph: Graph, at: Spot, heading: float, ahead_m: float, behind_m: float = 0.0) -> list[int]:
    return ints(graph.ahead(5 + at[0] * EAST_M, LAT + at[1] * M, heading, ahead_m, behind_m).rows)


ROW = [(float(x), 4.0) for x in range(0, 600, 30)]


@given(
    st.floats(1, 569), st.sampled_from([EAST, WEST, 75.0, 250.0]), st.floats(10, 300), st.floats(0, 200),
    st.lists(st.floats(1, 569), max_size=4), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_on_one_street_ahead_is_ahead_however_it_is_drawn(
    x: float, heading: float, ahead_m: float, behind_m: float, cuts: list[float], in_pieces: bool
) -> None:
    # Corners closer than that are one corner.
    corners = sorted({0.0, 570.0, *(5.0 * round(each / 5) for each in cuts)})
    pieces = [(1, [(a, 0.0), (b, 0.0)]) for a, b in pairwise(corners)]
    graph = Graph(park_of(ROW), lines_of(*pieces) if in_pieces else lines_of((1, [(each, 0.0) for each in corners])))
    sign = 1 if heading < 180 else -1
    on = [(lamp[0] - x) * sign for lamp in ROW]
    wanted = [row for row, far in enumerate(on) if (0 <= far <= ahead_m) or (0 <= -far <= behind_m)]
    found = ahead(graph, (x, 2.0), heading, ahead_m, behind_m)
    near = {row for row, far in enumerate(on) if min(abs(far - ahead_m), abs(far + behind_m), abs(far)) < 0.1}
    assert set(found) ^ set(wanted) <= near


def test_over_a_junction_it_goes_on_every_way_and_not_back() -> None:
    arms = [[(0.0, float(s * d)) for d in (20, 50, 80)] for s in (1, -1)]
    lamps = [(-50.0, 4.0), (-20.0, 4.0), (30.0, 4.0), (60.0, 4.0), *arms[0], *arms[1]]
    cross = lines_of(
        (1, [(-100.0, 0.0), (0.0, 0.0)]), (1, [(0.0, 0.0), (100.0, 0.0)]),
        (2, [(0.0, -100.0), (0.0, 0.0)]), (2, [(0.0, 0.0), (0.0, 100.0)]),
    )  # fmt: skip
    graph = Graph(park_of(lamps, [1] * 4 + [2] * 6), cross)
    assert ahead(graph, (-30.0, 2.0), EAST, 85.0) == [1, 2, 4, 5, 7, 8]
    assert ahead(graph, (-30.0, 2.0), WEST, 85.0) == [0]
    assert ahead(graph, (-30.0, 2.0), EAST, 85.0, 25.0) == [0, 1, 2, 4, 5, 7, 8]
    assert ahead(graph, (-30.0, 2.0), np.nan, 40.0) == [0, 1]
    # Beside a junction, whoever goes east is on the street that leads there.
    assert ahead(graph, (-1.0, 3.0), EAST, 35.0) == [2, 4, 7]


def test_a_street_that_ends_on_the_course_of_another_joins_it() -> None:
    lamps = [(-40.0, 0.0), (40.0, 0.0), (0.0, 40.0)]
    graph = Graph(
        park_of(lamps, [1, 1, 2]), lines_of((1, [(-100.0, 0.0), (100.0, 0.0)]), (2, [(0.0, 1.5), (0.0, 90.0)]))
    )
    assert ahead(graph, (-20.0, 0.0), EAST, 65.0) == [1, 2]
    assert ahead(graph, (0.0, 20.0), SOUTH, 65.0) == [0, 1]


def test_a_lamp_that_is_nearer_by_turning_back_is_behind() -> None:
    """A round of 400 m: what lies 50 m behind is 350 m ahead."""
    ring = lines_of((1, [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0)]))
    graph = Graph(park_of([(20.0, 0.0), (100.0, 30.0)]), ring)
    assert ahead(graph, (70.0, 0.0), EAST, 500.0) == [1]


def test_a_lamp_is_of_its_own_street_where_two_are_near() -> None:
    lines = lines_of((1, [(0.0, 0.0), (200.0, 0.0)]), (2, [(0.0, 12.0), (200.0, 12.0)]))
    graph = Graph(park_of([(50.0, 9.0), (50.0, 9.0)], [1, 2]), lines)
    assert ahead(graph, (20.0, 0.0), EAST, 100.0) == [0]
    assert ahead(graph, (20.0, 12.0), EAST, 100.0) == [1]


def test_without_lines_a_street_is_its_lamps_in_their_order_and_leads_over_no_junction() -> None:
    bend = [(0.0, 0.0), (30.0, 1.0), (61.0, 4.0), (90.0, 10.0), (300.0, 30.0), (330.0, 31.0)]
    graph = Graph(park_of([*bend, (95.0, 40.0), (500.0, 500.0)], [1] * 6 + [2, 0]), lines_of())
    assert ahead(graph, (15.0, 0.0), EAST, 80.0) == [1, 2, 3]
    # 200 m without a lamp: nobody knows that it is one way.
    assert ahead(graph, (15.0, 0.0), EAST, 500.0) == [1, 2, 3]
    assert ahead(graph, (80.0, 9.0), WEST, 500.0) == [0, 1, 2]
    assert graph.loose.tolist() == [False] * 6 + [True, True]


@pytest.mark.parametrize("at", [(3_000.0, 0.0), (0.0, -500.0)])
def test_who_is_on_no_street_calls_for_nothing(at: Spot) -> None:
    graph = Graph(park_of(ROW), lines_of((1, [(0.0, 0.0), (570.0, 0.0)])))
    assert ahead(graph, at, EAST, 500.0, 200.0) == []


def test_a_town_without_lamps_has_none_ahead() -> None:
    graph = Graph(park_of([]), lines_of())
    assert len(graph.ahead(5.0, LAT, NORTH, 100.0, 100.0).rows) == 0

"""Ways through streets: as short as a plain search says, one-way streets respected; what cannot be reached is
said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.matching.towns import degrees, grid, town
from vigie.core.observations import Floats
from vigie.services.roads.dispatch.model import NO_WAY, Travel
from vigie.services.roads.dispatch.streets import FLOW, SPEED_KMH, between, speeds, ways
from vigie.services.roads.matching.network import Network

SPEED_MS = SPEED_KMH * FLOW / 3.6


def driven(network: Network, *spots: tuple[float, float], limit_kmh: Floats | None = None) -> Travel:
    """Between places in metres."""
    return between(network, speeds(network, limit_kmh), *degrees(list(spots)))


def by_hand(network: Network) -> Floats:
    """Metres between all nodes (Floyd 1962)."""
    nodes = int(network.head.max()) + 1
    far = np.full((nodes, nodes), np.inf)
    np.fill_diagonal(far, 0)
    for each in np.flatnonzero(network.allowed).tolist():
        tail, head = network.tail[each], network.head[each]
        far[tail, head] = min(far[tail, head], network.length_m[each // 2])
    for k in range(nodes):
        far = np.minimum(far, far[:, k : k + 1] + far[k : k + 1])
    return far


@given(st.sets(st.integers(0, 23), max_size=14))
@settings(max_examples=20, deadline=None)
def test_ways_are_as_short_as_a_plain_search_says(one_way: set[int]) -> None:
    network = town(grid(4), one_way)
    far = by_hand(network)
    into_m = 30.0
    travel = ways(network, speeds(network), np.arange(len(network)), np.full(len(network), into_m))
    for one in range(len(network)):
        for two in range(len(network)):
            if one == two:
                continue
            out = [(network.head[2 * one], network.length_m[one] - into_m)]
            if network.allowed[2 * one + 1]:
                out.append((network.tail[2 * one], into_m))
            back = [(network.tail[2 * two], into_m)]
            if network.allowed[2 * two + 1]:
                back.append((network.head[2 * two], network.length_m[two] - into_m))
            want = min(a + far[node, other] + b for node, a in out for other, b in back)
            if np.isfinite(want):
                assert travel.distance_m[one, two] == pytest.approx(want, abs=0.6)
                assert travel.drive_s[one, two] == pytest.approx(want / SPEED_MS, abs=1.01)
            else:
                assert travel.distance_m[one, two] == travel.drive_s[one, two] == NO_WAY


def test_behind_in_a_one_way_street_is_once_round_the_block() -> None:
    ring = town([[(0, 0), (200, 0)], [(200, 0), (200, 100)], [(200, 100), (0, 100)], [(0, 100), (0, 0)]], {0})
    there = driven(ring, (50, 3), (150, -3)).distance_m
    assert there.tolist() == [[0, 100], [500, 0]]


def test_the_quickest_is_not_the_shortest() -> None:
    lines = [
        [(0.0, 0.0), (300.0, 0.0)],
        [(0.0, 0.0), (0.0, 90.0)],
        [(0.0, 90.0), (300.0, 90.0)],
        [(300.0, 90.0), (300.0, 0.0)],
    ]
    limits = np.array([10.0, 50.0, 50.0, np.nan])
    short = driven(town(lines), (10, 0), (290, 0), limit_kmh=np.full(4, 30.0))
    quick = driven(town(lines), (10, 0), (290, 0), limit_kmh=limits)
    assert short.distance_m[0, 1] == 280
    assert quick.distance_m[0, 1] == 10 + 90 + 300 + 90 + 10


def test_what_cannot_be_reached_is_said() -> None:
    network = town([[(0, 0), (100, 0)], [(5_000, 0), (5_100, 0)]])
    travel = driven(network, (50, 0), (5_050, 0), (2_500, 0))
    assert (travel.drive_s[~np.eye(3, dtype=bool)] == NO_WAY).all()
    assert (travel.drive_s.diagonal() == 0).all()


def test_speeds_are_kept_within_what_is_driven() -> None:
    network = town([[(0, 0), (100, 0)], [(100, 0), (200, 0)]])
    assert speeds(network, np.array([0.0, 900.0])).tolist() == pytest.approx([5 * FLOW / 3.6, 130 * FLOW / 3.6])


def test_a_street_that_data_cut_off_is_reached_from_the_next_one() -> None:
    lines = [[(0.0, 0.0), (200.0, 0.0)], [(200.0, 0.0), (200.0, 100.0)], [(200.0, 100.0), (350.0, 100.0)]]
    # The last is left, and never reached again.
    network = town(lines, {2})
    there = driven(network, (10, 0), (300, 100)).distance_m
    assert there.tolist() == [[0, 290], [290, 0]]
    away = town([*lines, [(1_000.0, 0.0), (1_001.0, 0.0)]], {2})
    assert (driven(away, (10, 0), (1_000, 0)).distance_m == [[0, NO_WAY], [NO_WAY, 0]]).all()

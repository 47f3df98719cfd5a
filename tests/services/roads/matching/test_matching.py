"""Positions find their arcs: without noise whole, with noise as a plain sum over all drives says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.matching.towns import degrees, grid, town
from vigie.core.ground import metres
from vigie.core.observations import Floats
from vigie.services.roads.matching import DETOUR_M, SIGMA_M, SPEED_MAX, match, match_ground
from vigie.services.roads.matching.loops import way_m
from vigie.services.roads.matching.network import Network
from vigie.sim.trails import trails

GRID = town(grid(6), {3, 4, 11, 37})


def ground(network: Network, spots: list[tuple[float, float]]) -> Floats:
    """Places in metres about the town's middle, on the network's ground."""
    return metres(*degrees(spots), middle_lat=network.middle_lat)


@pytest.mark.parametrize("rounds", [False, True])
def test_without_noise_every_position_is_on_its_arc(rounds: bool) -> None:
    against = list[bool]()
    for trail in trails(GRID, 11, 12, every_s=7.0, sigma_m=0.0, rounds=rounds):
        found = match_ground(GRID, trail.spots, trail.at_s)
        inside = (trail.gone_m > 1) & (trail.left_m > 1)
        assert (found.arc == trail.arc // 2)[inside].all()
        against += (found.against == (trail.arc % 2 == 1))[inside].tolist()
        along = np.where(trail.arc % 2 == 1, trail.left_m, trail.gone_m)
        np.testing.assert_allclose(found.along_m[inside], along[inside], atol=0.2)
    assert np.mean(against) > 0.97, "of a vehicle that waits, the way it faces is not always known"


def test_with_noise_nearly_every_position_is_and_what_is_not_sure_says_so() -> None:
    right, sure, nearest = list[bool](), list[float](), list[bool]()
    for trail in trails(GRID, 12, 60, every_s=15.0, sigma_m=10.0, rounds=False):
        found = match_ground(GRID, trail.spots, trail.at_s)
        alone = [match_ground(GRID, trail.spots[[n]], trail.at_s[[n]]).arc[0] for n in range(len(trail.at_s))]
        right += (found.arc == trail.arc // 2).tolist()
        nearest += (np.array(alone) == trail.arc // 2).tolist()
        sure += found.sure.tolist()
    assert np.mean(right) > np.mean(nearest) + 0.05
    told, came = np.array(sure), np.array(right)
    assert abs(told.mean() - came.mean()) < 0.05, "how sure it is, is how often it is right"
    assert np.mean(told > 0.95) > 0.4
    assert came[told > 0.95].mean() > 0.95
    assert came[told < 0.7].mean() < 0.75


def _by_hand(network: Network, spots: Floats, at_s: Floats) -> tuple[Floats, Floats]:
    """How likely each arc is at each place, summed over all sequences of directed arcs: of short trails alone."""
    states = [each for each in range(2 * len(network)) if network.allowed[each]]

    def nearest(arc: int, spot: Floats) -> tuple[float, float]:
        a, b = network.course(arc)
        share = float(np.clip((spot - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1))
        return float(np.hypot(*(spot - a - share * (b - a)))), share * float(network.length_m[arc])

    def gone(state: int, at_m: float) -> float:
        return float(network.length_m[state // 2]) - at_m if state % 2 else at_m

    mass = np.zeros((len(spots), len(network)))
    for drive in itertools.product(states, repeat=len(spots)):
        chance = 1.0
        for n, state in enumerate(drive):
            apart, at_m = nearest(state // 2, spots[n])
            chance *= float(np.exp(-apart * apart / (2 * SIGMA_M**2))) if apart <= 50 else 0.0
            if n and chance:
                one, before_m = drive[n - 1], nearest(drive[n - 1] // 2, spots[n - 1])[1]
                then_m, before_m = gone(state, at_m), gone(one, before_m)
                back = max(before_m - then_m, 0.0) if one == state else 0.0
                far = then_m - before_m if one == state else float(network.length_m[one // 2]) - before_m + then_m
                far = max(far, 0.0) if one == state else far + way_m(network.ways, one, state)
                straight = float(np.hypot(*(spots[n] - spots[n - 1])))
                if far > SPEED_MAX * (at_s[n] - at_s[n - 1]) + 4 * SIGMA_M:
                    chance = 0.0
                else:
                    chance *= float(np.exp(-max(far - straight, 0) / DETOUR_M - back * back / (4 * SIGMA_M**2)))
        for n, state in enumerate(drive):
            mass[n, state // 2] += chance
    share = mass / mass.sum(1, keepdims=True)
    return share.argmax(1), share.max(1)


BLOCK = town([[(0, 0), (40, 0)], [(40, 0), (40, 35)], [(0, 0), (0, 35)], [(0, 35), (40, 35)]], {3})


@given(st.lists(st.tuples(st.floats(-5, 45), st.floats(-5, 40)), min_size=3, max_size=3))
@settings(max_examples=12)
def test_it_says_what_a_sum_over_all_drives_says(places: list[tuple[float, float]]) -> None:
    spots, at_s = ground(BLOCK, places), np.array([0.0, 4.0, 9.0])
    arcs, sure = _by_hand(BLOCK, spots, at_s)
    found = match_ground(BLOCK, spots, at_s)
    # An arc whose distance alone makes it e^12 times less likely is left out: far below what is compared.
    np.testing.assert_allclose(found.sure, sure, atol=1e-3)
    certain = sure > 0.51
    assert (found.arc == arcs)[certain].all()


def test_the_numbers_that_lines_happen_to_have_change_nothing() -> None:
    lines = grid(5)
    one, other = town(lines), town(lines[::-1])
    for trail in trails(one, 5, 6, every_s=15.0, sigma_m=10.0, rounds=True):
        first, second = match_ground(one, trail.spots, trail.at_s), match_ground(other, trail.spots, trail.at_s)
        np.testing.assert_allclose(first.sure, second.sure, rtol=1e-6)
        certain = first.sure > 0.51
        assert (first.arc == len(lines) - 1 - second.arc)[certain].all()


def test_a_one_way_street_is_not_driven_against() -> None:
    street = town([[(0, 0), (300, 0)]], {0})
    found = match_ground(street, ground(street, [(200, 0), (150, 0), (100, 0)]), np.array([0.0, 10.0, 20.0]))
    assert not found.against.any()
    assert found.arc.tolist() == [0, 0, 0]


def test_where_no_street_is_there_is_no_arc_and_what_follows_is_matched_again() -> None:
    spots = [(30.0, 2.0), (5_000.0, 5_000.0), (60.0, -300.0), (90.0, 3.0)]
    lon, lat = degrees(spots)
    found = match(GRID, lon, lat, np.array([0.0, 15.0, 30.0, 45.0]))
    assert found.arc.tolist() == [0, -1, -1, 0]
    assert found.sure[1] == 0
    assert found.sure[3] > 0.9


def test_a_gap_that_no_way_fills_begins_the_trail_anew() -> None:
    islands = town([[(0, 0), (200, 0)], [(0, 900), (200, 900)]])
    found = match_ground(islands, ground(islands, [(50, 3), (60, 902), (90, 899)]), np.array([0.0, 15.0, 30.0]))
    assert found.arc.tolist() == [0, 1, 1]
    assert found.sure[2] == pytest.approx(1)


def test_what_is_no_trail_is_refused() -> None:
    with pytest.raises(ValueError, match="later than"):
        match_ground(GRID, np.zeros((2, 2)), np.array([5.0, 5.0]))
    with pytest.raises(ValueError, match="numbers"):
        match_ground(GRID, np.array([[0.0, np.nan]]), np.array([5.0]))
    with pytest.raises(ValueError, match="shape"):
        match_ground(GRID, np.zeros((3, 2)), np.array([5.0]))
    assert len(match_ground(GRID, np.empty((0, 2)), np.empty(0)).arc) == 0

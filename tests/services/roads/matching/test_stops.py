"""Where a vehicle stood, and how far it drove."""

from __future__ import annotations

import numpy as np
import pytest

from tests.services.roads.matching.towns import grid, town
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.roads.matching import match_ground
from vigie.services.roads.matching.stops import STAYED_M, Stop, driven_m, stops


def at(*seconds: float) -> np.ndarray:
    """Instants."""
    return (np.array(seconds) * SECOND_US).astype(np.int64)


def test_three_minutes_at_one_place_are_a_stop_and_two_are_none() -> None:
    dice = np.random.default_rng(1)
    spots = dice.normal(0, 8, (20, 2))
    every = at(*(15.0 * n for n in range(20)))
    assert stops(spots, every) == [Stop(0, 19)]
    assert stops(spots[:8], every[:8]) == []


def test_a_silence_is_no_stop() -> None:
    spots = np.zeros((4, 2))
    assert stops(spots, at(0, 15, 15 + 20 * 60, 30 + 20 * 60)) == []


def test_between_two_stops_it_drove() -> None:
    stand, drive = np.zeros(15), np.arange(0, 300, 60.0)
    x = np.concatenate([stand, drive, stand + 300])
    every = at(*(15.0 * n for n in range(len(x))))
    first, last = stops(np.column_stack([x, np.zeros(len(x))]), every)
    assert first.first == 0
    assert last.last == len(x) - 1
    assert first.last < last.first
    assert 15 * SECOND_US < every[last.first] - every[first.last] <= 2 * MINUTE_US


def test_it_drove_as_far_as_its_way_is_long_and_not_while_it_stood() -> None:
    network, dice = town(grid(4)), np.random.default_rng(2)
    x = np.concatenate([np.full(20, 5.0), np.arange(5.0, 350, 25)])
    spots = network.corners.min(0) + np.column_stack([x, np.zeros(len(x))]) + dice.normal(0, 3, (len(x), 2))
    at_us = at(*(15.0 * n for n in range(len(x))))
    matched, stood = match_ground(network, spots, at_us / SECOND_US), stops(spots, at_us)
    assert len(stood) == 1
    assert driven_m(network, matched, stood) == pytest.approx(325 - STAYED_M, abs=25)
    assert driven_m(network, matched, []) > driven_m(network, matched, stood)

"""Which arc of the street network a vehicle was on: its positions, matched with all that came before and after.

The model is a hidden Markov one, as in Newson and Krumm, "Hidden Markov map matching through noise and sparseness"
(2009). A vehicle is on a directed arc, at the place of it that is nearest to the position; how far that is has a normal
distribution of `SIGMA_M`. From place to place it goes the shortest way over the network, one-way streets respected; a
way that is longer than the straight line is less likely, by e for each `DETOUR_M`. No way is driven backwards, and none
faster than `SPEED_MAX`.

What is told differs from theirs: not the one likeliest drive (Viterbi), but for each position the arc that is likeliest
given the whole trail, summed over all drives (forward and backward). So it says how sure it is, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s, Mask
from vigie.services.roads.matching.loops import likeliest, likeliest_each
from vigie.services.roads.matching.network import NEAR_M, Network, network_of

__all__ = ["Matched", "Network", "match", "match_ground", "match_trails", "network_of", "prepare"]

SIGMA_M = 10.0
"""The noise of a receiver between houses, per axis."""

DETOUR_M = 20.0
"""Chosen on the streets of Cambridge, Massachusetts, with made drives; between 10 and 40 little changes."""

SPEED_MAX = 40.0
"""Metres a second; 144 km/h."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Of each position of a trail. arc: -1 where no arc is near. along_m: from where the arc begins on its line.
    against: whether the vehicle drove against the line. sure: how likely that arc is, 0 to 1."""

    arc: Int64s
    along_m: Floats
    against: Mask
    sure: Floats


def prepare() -> None:
    """Has all that is compiled ready, so that the first trail does not wait for it."""
    network = network_of(np.array([5.0, 5.001]), np.array([47.0, 47.0]), np.array([0, 2]), np.array([False]))
    match(network, np.array([5.0, 5.001]), np.array([47.0, 47.0]), np.array([0.0, 15.0]))


def match(network: Network, lon: Floats, lat: Floats, at_s: Floats, *, sigma_m: float = SIGMA_M) -> Matched:
    """The arcs of a vehicle's trail: positions in degrees, each later than the one before, in seconds.

    Raises ValueError for columns of different lengths, a value that is no number, or times that do not grow.
    """
    return match_ground(network, metres(lon, lat, middle_lat=network.middle_lat), at_s, sigma_m=sigma_m)


def match_ground(network: Network, spots: Floats, at_s: Floats, *, sigma_m: float = SIGMA_M) -> Matched:
    """The same for positions in metres on the network's ground, (n, 2)."""
    if spots.shape != (len(at_s), 2):
        raise ValueError(f"{len(at_s)} times for positions of shape {spots.shape}")
    if not (np.isfinite(spots).all() and np.isfinite(at_s).all() and (np.diff(at_s) > 0).all()):
        raise ValueError("positions of a trail are numbers, each later than the one before")
    best, along_m, sure = likeliest(
        network.ground, network.ways, network.length_m, network.allowed, np.ascontiguousarray(spots),
        np.ascontiguousarray(at_s, np.float64), sigma_m, DETOUR_M, NEAR_M, SPEED_MAX,
    )  # fmt: skip
    return Matched(np.where(best < 0, -1, best // 2), along_m, best % 2 == 1, sure)


def match_trails(network: Network, spots: Floats, at_s: Floats, first: Int64s) -> tuple[Int64s, Floats]:
    """The same of many trails at once, as directed arcs (-1 where none is near) and how far along their arcs they are.
    Trails stand one after the other; first: of each, its first position; one more at the end. Their times grow."""
    return likeliest_each(
        network.ground, network.ways, network.length_m, network.allowed, np.ascontiguousarray(spots),
        np.ascontiguousarray(at_s, np.float64), first, SIGMA_M, DETOUR_M, NEAR_M, SPEED_MAX,
    )  # fmt: skip

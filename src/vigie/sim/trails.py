"""Trails of vehicles over a street network, from a seed: where each truly was, and what its receiver said.

A vehicle drives from a junction to another on the way that is quickest for its driver, whose idea of each street's
speed is his own; or it goes its round, where it turns at each junction as the dice fall and back only where a street
ends. It waits at some junctions, and each street has its own speed on that day. Nothing here knows how positions are
matched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Floats, Int64s
from vigie.services.roads.matching.network import Network

_SPEED = (5.0, 14.0)
"""Of a street, m/s: 18 to 50 km/h."""
_WAITS, _WAIT_S = 0.25, (5.0, 40.0)
_LEAST_ARCS = 8


@dataclass(frozen=True)
class Trail:
    """A drive. at_s: when each position was taken. spots: what the receiver said, metres on the network's ground.
    arc: the true directed arc. left_m, gone_m: to the end of it and from its beginning. path: the directed arcs driven.
    step: which of them each position is on."""

    at_s: Floats
    spots: Floats
    true_spots: Floats
    arc: Int64s
    gone_m: Floats
    left_m: Floats
    path: Int64s
    step: Int64s


def trails(network: Network, seed: int, many: int, *, every_s: float, sigma_m: float, rounds: bool) -> Iterator[Trail]:
    """Drives one after the other. sigma_m: of the receiver's noise, per axis. rounds: whether vehicles go rounds."""
    dice = np.random.default_rng(seed)
    made = 0
    while made < many:
        path = _round(network, dice) if rounds else _trip(network, dice)
        if len(path) >= _LEAST_ARCS:
            made += 1
            yield _driven(network, path, dice, every_s, sigma_m)


def _after(network: Network, directed: int) -> list[int]:
    on = ints(network.leaving(int(network.head[directed])))
    return [each for each in on if each != directed ^ 1] or on


def _round(network: Network, dice: np.random.Generator) -> list[int]:
    path = [int(dice.choice(network.out))]
    for _ in range(int(dice.integers(20, 60))):
        on = _after(network, path[-1])
        if not on:
            break
        path.append(on[int(dice.integers(len(on)))])
    return path


def _trip(network: Network, dice: np.random.Generator) -> list[int]:
    """The quickest way, as this driver sees it, between two arcs."""
    source, target = (int(each) for each in dice.choice(network.out, 2))
    idea = network.length_m / dice.uniform(*_SPEED, len(network))
    best, prior = {source: 0.0}, {source: -1}
    heap = [(0.0, source)]
    while heap:
        gone, at = heappop(heap)
        if at == target:
            path = [at]
            while prior[path[-1]] >= 0:
                path.append(prior[path[-1]])
            return path[::-1]
        if gone > best[at]:
            continue
        for other in _after(network, at):
            later = gone + float(idea[other // 2])
            if later < best.get(other, np.inf):
                best[other], prior[other] = later, at
                heappush(heap, (later, other))
    return []


def _driven(network: Network, path: list[int], dice: np.random.Generator, every_s: float, sigma_m: float) -> Trail:
    arcs = np.array(path)
    length = network.length_m[arcs // 2]
    moving_s = length / dice.uniform(*_SPEED, len(arcs))
    wait_s = np.where(dice.random(len(arcs)) < _WAITS, dice.uniform(*_WAIT_S, len(arcs)), 0.0)
    ends_s = np.cumsum(moving_s + wait_s)
    at_s = np.arange(dice.uniform(0, every_s), ends_s[-1], every_s)
    step = np.searchsorted(ends_s, at_s, side="right")
    since_s = at_s - (ends_s - moving_s - wait_s)[step]
    gone = length[step] * np.minimum(since_s / moving_s[step], 1.0)
    true = np.array([_spot(network, int(each), float(m)) for each, m in zip(arcs[step], gone, strict=True)])
    spots = true.reshape(-1, 2) + dice.normal(0, sigma_m, (len(at_s), 2))
    return Trail(at_s, spots, true, arcs[step], gone, length[step] - gone, arcs, step)


def _spot(network: Network, directed: int, gone_m: float) -> Floats:
    """A place on an arc, so far from where the directed arc begins."""
    corners = network.course(directed // 2)[:: -1 if directed % 2 else 1]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    return np.array([np.interp(gone_m, along, corners[:, 0]), np.interp(gone_m, along, corners[:, 1])])

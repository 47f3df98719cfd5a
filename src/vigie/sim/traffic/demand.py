"""Who drives where: routes between the doors of the town, how many take each at its peak, and what turns they make.

How many drive from one door to another falls with the way between them (a gravity model), and grows with how many live
at both. Which way they take is found by incremental assignment with the BPR curve (Bureau of Public Roads, 1964): a
quarter of all is sent the quickest way, the roads slow down, the next quarter is sent. So traffic uses the town that
there is, and no street is asked for much more than it carries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.sim.city.frame import Floats, dice
from vigie.sim.traffic.roads import Road, Roads

PEAK_H = 20_000
"""Vehicles that set out in the hour of the greatest traffic."""

GOALS = 14
"""So many other doors vehicles of one door drive to: as many as make the town's traffic, and its routes can be held."""

REACH_M = 4_000.0
"""Over so much of the way, the number of those who drive it falls to a third."""

THROUGH = 4.0
"""How many times likelier than by their distance two gates are: who only passes through has come from further away."""

TIDE = 0.45
"""By what share more drive towards the centre than from it in the morning, and the other way round in the evening."""

ROUNDS = 4
LANE_H = 1_700.0
LIGHT_SHARE = 0.4
"""Of a lane's capacity, where a signal stands at its end; and where another road goes first: YIELD_SHARE."""

YIELD_SHARE = 0.35
BPR_ALPHA, BPR_POWER = 0.6, 4.0


@dataclass(frozen=True, slots=True)
class Route:
    """A way through the town. roads: by their number. peak_h: who drive it in the hour of the greatest traffic.
    inward: 1 where it leads from the edge to the centre, -1 the other way, else between."""

    roads: tuple[int, ...]
    peak_h: float
    inward: float


@dataclass(frozen=True, slots=True)
class Demand:
    """All that drive."""

    routes: Sequence[Route]

    def turns(self, tide: float) -> Mapping[tuple[int, int], float]:
        """Vehicles an hour from one road into another, at the peak of a tide: 1 in the morning, -1 in the evening."""
        found: dict[tuple[int, int], float] = defaultdict(float)
        for route in self.routes:
            flow_h = route.peak_h * (1 + tide * TIDE * route.inward)
            for pair in zip(route.roads, route.roads[1:], strict=False):
                found[pair] += flow_h
        return found


def demand_of(roads: Roads, seed: int, peak_h: float = PEAK_H) -> Demand:
    """The demand of a town; the same seed gives the same."""
    pairs = _pairs(roads, seed, peak_h)
    onward: dict[int, list[int]] = defaultdict(list)
    for number, road in enumerate(roads.roads):
        onward[road.start].append(number)
    free_s = np.array([road.length_m / road.speed_m_s + _WAIT_S[road.end in roads.lights] for road in roads.roads])
    carries_h = np.array([_carries_h(road, roads) for road in roads.roads])
    loads_h = np.zeros(len(roads.roads))
    sizes = {node: float(np.hypot(*place)) for node, place in roads.nodes.items()}
    most_m = max(sizes.values(), default=1.0) or 1.0
    routes: list[Route] = []
    order = ints(dice(seed, "assignment").permutation(len(roads.doors)))
    for turn in range(ROUNDS):
        felt_s = floats(free_s * (1 + BPR_ALPHA * (loads_h / carries_h * ROUNDS / max(turn, 1)) ** BPR_POWER))
        for start in order[turn::ROUNDS]:
            door = roads.doors[start]
            before = _quickest(door.node, felt_s, onward, roads.roads)
            for goal, flow_h in pairs[start]:
                way = _way(door.node, roads.doors[goal].node, before, roads.roads)
                if len(way) > 1:
                    nearer_m = sizes[door.node] - sizes[roads.doors[goal].node]
                    routes.append(Route(way, flow_h, max(-1.0, min(1.0, 3 * nearer_m / most_m))))
                    loads_h[list(way)] += flow_h
    return Demand(routes)


_WAIT_S = {True: 12.0, False: 2.0}
"""What a crossing costs a driver, with signals and without."""


def _carries_h(road: Road, roads: Roads) -> float:
    lanes = road.pieces[-1].lanes
    if road.end in roads.lights:
        return LANE_H * LIGHT_SHARE * lanes
    return LANE_H * (YIELD_SHARE if _gives_way(road, roads) else 1.0) * lanes


def _gives_way(road: Road, roads: Roads) -> bool:
    """Whether another road of a higher rank goes first at its end."""
    return any(other.end == road.end and other.rank < road.rank for other in roads.roads)


def _pairs(roads: Roads, seed: int, peak_h: float) -> list[list[tuple[int, float]]]:
    """For each door, the doors that its vehicles drive to, and how many an hour."""
    doors = roads.doors
    rng = dice(seed, "goals")
    places = np.array([roads.nodes[door.node] for door in doors])
    weight = np.array([door.weight for door in doors])
    gate = np.array([door.gate for door in doors])
    found: list[list[tuple[int, float]]] = []
    for start, door in enumerate(doors):
        far_m = np.hypot(*(places - places[start]).T)
        pull: Floats = weight * np.exp(-far_m / REACH_M)
        if door.gate:
            pull = np.where(gate, weight * THROUGH * np.exp(-far_m / (3 * REACH_M)), pull)
        pull[far_m < 2 * _NEAREST_M] = 0.0
        able = np.flatnonzero(pull)
        goals = rng.choice(able, min(GOALS, len(able)), replace=False, p=pull[able] / pull[able].sum())
        share = pull[goals] / pull[goals].sum() if len(goals) else pull[goals]
        found.append([(goal, door.weight * part) for goal, part in zip(ints(goals), floats(share), strict=True)])
    total = sum(flow for own in found for _, flow in own)
    return [[(goal, flow * peak_h / total) for goal, flow in own] for own in found]


_NEAREST_M = 200.0
"""Nobody drives to the next street."""


def _quickest(
    start: int, felt_s: Sequence[float], onward: Mapping[int, Sequence[int]], roads: Sequence[Road]
) -> dict[int, int]:
    """The road by which each node is reached soonest from a start (Dijkstra, 1959)."""
    best = {start: 0.0}
    before: dict[int, int] = {}
    heap = [(0.0, start)]
    while heap:
        after_s, node = heappop(heap)
        if after_s > best[node]:
            continue
        for number in onward.get(node, ()):
            other, there_s = roads[number].end, after_s + felt_s[number]
            if there_s < best.get(other, 1e18):
                best[other] = there_s
                before[other] = number
                heappush(heap, (there_s, other))
    return before


def _way(start: int, goal: int, before: Mapping[int, int], roads: Sequence[Road]) -> tuple[int, ...]:
    """The roads from a start to a goal; none where it is not reached."""
    way: list[int] = []
    while goal != start:
        if goal not in before:
            return ()
        way.append(before[goal])
        goal = roads[way[-1]].start
    return tuple(reversed(way))

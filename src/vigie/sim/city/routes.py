"""Ways through the streets: the fastest between places, as one line to drive along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.network import PATH, Network, main_component

_SLOWNESS = (0.8, 1.0, 1.15, 1.9, 9.0)
"""How a metre of each class feels to a driver."""


@dataclass(frozen=True, slots=True)
class Course:
    """A line to move along. at_m: running length at each corner. nodes, node_at_m: the crossings on the way."""

    xy: Floats
    at_m: Floats
    nodes: tuple[int, ...]
    node_at_m: Floats

    @property
    def length_m(self) -> float:
        """From one end to the other."""
        return float(self.at_m[-1])


class Router:
    """Finds ways on the streets that can be driven: those of all ranks but some."""

    def __init__(self, network: Network, but: Sequence[int] = (PATH,)) -> None:
        self._network = network
        drivable = np.flatnonzero(~np.isin(network.rank, but))
        tail, head = network.tail[drivable], network.head[drivable]
        self.nodes: Ints = main_component(tail, head, len(network.nodes))
        cost = (network.length_m * np.array(_SLOWNESS)[network.rank])[drivable]
        self._near: list[list[tuple[int, float, int]]] = [[] for _ in range(len(network.nodes))]
        rows = zip(ints(drivable), ints(tail), ints(head), floats(cost), strict=True)
        for arc, a, b, felt in rows:
            self._near[a].append((b, felt, arc))
            self._near[b].append((a, felt, arc))
        self._spots: list[list[float]] = network.nodes.tolist()

    def nearest(self, places: Floats) -> Ints:
        """The drivable node nearest to each place."""
        spots = self._network.nodes[self.nodes]
        return self.nodes[[int(((spots - place) ** 2).sum(1).argmin()) for place in places]]

    def way(self, origin: int, target: int) -> list[tuple[int, int]]:
        """(node, arc that leads to it) from origin to target by A*; empty if they are one."""
        spots = self._spots
        tx, ty = spots[target]
        done: dict[int, tuple[int, int]] = {}
        cost = {origin: 0.0}
        heap = [(0.0, origin, -1, -1)]
        while heap:
            _, node, before, arc = heappop(heap)
            if node in done:
                continue
            done[node] = (before, arc)
            if node == target:
                break
            here = cost[node]
            for other, felt, via in self._near[node]:
                reached = here + felt
                if other not in done and reached < cost.get(other, 1e18):
                    cost[other] = reached
                    x, y = spots[other]
                    ahead = 0.8 * ((x - tx) ** 2 + (y - ty) ** 2) ** 0.5
                    heappush(heap, (reached + ahead, other, node, via))
        steps: list[tuple[int, int]] = []
        node = target
        while node != origin:
            before, arc = done[node]
            steps.append((node, arc))
            node = before
        return steps[::-1]

    def course(self, stops: list[int]) -> Course:
        """One line through all these nodes, in their order."""
        steps: list[tuple[int, int]] = []
        for a, b in pairwise(stops):
            steps += self.way(a, b)
        return drawn(self._network, stops[0], steps)


def drawn(network: Network, origin: int, steps: Sequence[tuple[int, int]]) -> Course:
    """The line of a way."""
    nodes = (origin, *(node for node, _ in steps))
    arc = np.array([arc for _, arc in steps], np.int64)
    ahead = network.tail[arc] == np.array(nodes[:-1])
    first, last = network.start[arc], network.start[arc + 1] - 1
    # The last corner of each street is the first of the next.
    count = last - first
    street = np.repeat(np.arange(len(arc)), count)
    nth = np.arange(len(street)) - np.repeat(np.cumsum(count) - count, count)
    corner = np.where(ahead[street], first[street] + nth, last[street] - nth)
    xy = network.xy[np.append(corner, np.where(ahead, last, first)[-1:])]
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return Course(xy, at, nodes, np.concatenate([[0.0], np.cumsum(network.length_m[arc])]))

"""Sectors: the streets of a commune shared out among the vehicles of a task, and the way through each of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterable

import numpy as np

from vigie.core.arrays import ints
from vigie.sim.city.network import MOTORWAY, PATH, Network, main_component

Arm = tuple[int, int]
"""A node, and the arc that leads to it."""

UNSERVED = (PATH, MOTORWAY)
"""Ranks of streets that no service vehicle drives in."""

_SHARE_MAX = 0.95
"""Of a commune's streets so much is shared out at most: what is left are remnants far from each other."""


class Ground:
    """The streets that service vehicles work in."""

    def __init__(self, network: Network) -> None:
        driven = np.flatnonzero(~np.isin(network.rank, UNSERVED))
        tail, head = network.tail[driven], network.head[driven]
        nodes = main_component(tail, head, len(network.nodes))
        linked = np.isin(tail, nodes)
        self._arms: dict[int, list[Arm]] = {}
        for arc, a, b in zip(ints(driven[linked]), ints(tail[linked]), ints(head[linked]), strict=True):
            self._arms.setdefault(a, []).append((b, arc))
            self._arms.setdefault(b, []).append((a, arc))
        self._nodes, self._spots = nodes, network.nodes
        self._long_m: list[float] = network.length_m.tolist()
        self._commune: list[int] = network.commune.tolist()
        self._ends = list(zip(ints(network.tail), ints(network.head), strict=True))
        self.streets_m = np.bincount(network.commune[driven[linked]], network.length_m[driven[linked]])
        """How much there is in each commune."""

    def near(self, node: int) -> int:
        """The node nearest to another from which all streets are reached."""
        if node in self._arms:
            return node
        return int(self._nodes[((self._spots[self._nodes] - self._spots[node]) ** 2).sum(1).argmin()])

    def share(self, commune: int, homes: Iterable[int], long_m: float) -> list[set[int]]:
        """A sector for each home, of about this length, or of what there is for each; no street is in two."""
        asked = list(homes)
        each_m = min(long_m, _SHARE_MAX * float(self.streets_m[commune]) / max(len(asked), 1))
        taken = set[int]()
        sectors: list[set[int]] = []
        for home in asked:
            sector = self._grown(home, commune, each_m, taken)
            taken |= sector
            sectors.append(sector)
        return sectors

    def _grown(self, home: int, commune: int, long_m: float, taken: set[int]) -> set[int]:
        """The free streets of a commune nearest to a home, in one piece as long as there are."""
        sector, far_m, start = set[int](), 0.0, home
        while far_m < long_m:
            found = self._free(start, commune, taken, sector)
            if found is None:
                break
            start = found
            seen, queue = set[int]([found]), deque[int]([found])
            while queue and far_m < long_m:
                for other, arc in self._arms[queue.popleft()]:
                    if self._commune[arc] != commune or arc in taken or arc in sector or far_m >= long_m:
                        continue
                    sector.add(arc)
                    far_m += self._long_m[arc]
                    if other not in seen:
                        seen.add(other)
                        queue.append(other)
        return sector

    def _free(self, origin: int, commune: int, taken: set[int], sector: set[int]) -> int | None:
        """The node the fewest streets away that a free street of a commune begins at."""
        seen, queue = {origin}, deque([origin])
        while queue:
            node = queue.popleft()
            for other, arc in self._arms[node]:
                if self._commune[arc] == commune and arc not in taken and arc not in sector:
                    return node
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return None

    def through(self, home: int, sector: set[int]) -> list[Arm]:
        """From home through all streets of a sector and back. Where a way ends, on to the nearest street that is still
        to be driven."""
        left = set(sector)
        open_at = Counter(node for arc in sector for node in self._ends[arc])
        here, steps = home, list[Arm]()
        while left:
            arm = next((each for each in self._arms[here] if each[1] in left), None)
            way = self._way(here, open_at) if arm is None else [arm]
            for _, arc in way:
                if arc in left:
                    left.remove(arc)
                    for node in self._ends[arc]:
                        open_at[node] -= 1
                        if not open_at[node]:
                            del open_at[node]
            steps += way
            here = way[-1][0]
        return steps + self._way(here, {home})

    def _way(self, origin: int, to: Container[int]) -> list[Arm]:
        """The way by the fewest streets to the nearest of some nodes; empty where it begins at one."""
        before: dict[int, Arm] = {}
        queue, node = deque([origin]), origin
        while node not in to:
            node = queue.popleft()
            for other, arc in self._arms[node]:
                if other != origin and other not in before:
                    before[other] = (node, arc)
                    queue.append(other)
        steps: list[Arm] = []
        while node != origin:
            came, arc = before[node]
            steps.append((node, arc))
            node = came
        return steps[::-1]

"""Diversions: the ways round what works close, through streets that are open and wide enough to be led through."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats, Mask
from vigie.services.roads.matching.network import Network
from vigie.services.roads.works.clashes import AGAINST, ALONG, Part

WEIGHTS: Mapping[str, float] = {"motorway": 1.0, "primary": 1.0, "secondary": 1.1, "local": 1.6}
"""By how much a street's metres count: traffic that is led round goes a little farther to stay in wider streets. A
class that is not named is led through by nobody (paths). Ours, to be set to what a town holds to be right."""

UNKNOWN_WEIGHT = 1.6
"""Of a street of which no class is known."""

NO_WAY = float("inf")


@dataclass(frozen=True, slots=True)
class Detour:
    """A way round, for one way of travel. arcs: directed arcs of the network that are closed, in the order in which
    they would be driven; way: those by which one goes instead, none where no way leads round. length_m: of the way;
    closed_m: of what is closed."""

    closed: tuple[int, ...]
    way: tuple[int, ...]
    length_m: float
    closed_m: float


def weights_of(network: Network, classes: Sequence[str]) -> Floats:
    """By how much the metres of each arc count, infinite where nobody is led. classes: of each line that the network
    was made of; "" where it is not known."""
    known = np.array([WEIGHTS.get(each, NO_WAY) if each else UNKNOWN_WEIGHT for each in classes])
    return known[network.line]


def closed_arcs(network: Network, rows: Mapping[str, int], parts: Iterable[Part]) -> Mask:
    """Which directed arcs are closed by parts of streets. rows: of each street, the line that it is in the network."""
    closed = np.zeros(2 * len(network), np.bool_)
    lines = np.argsort(network.line, kind="stable")
    first = np.searchsorted(network.line[lines], np.arange(int(network.line.max(initial=-1)) + 2))
    for part in parts:
        row = rows.get(part.street)
        if row is None:
            continue
        own = lines[first[row] : first[row + 1]]
        begin, end = network.begin_m[own], network.begin_m[own] + network.length_m[own]
        own = own[(begin < part.to_m) & (part.from_m < end)]
        if part.ways & ALONG:
            closed[2 * own] = True
        if part.ways & AGAINST:
            closed[2 * own + 1] = True
    return closed & network.allowed


def detours(network: Network, weight: Floats, own: Mask, others: Mask) -> list[Detour]:
    """The ways round what works close, one for each way of travel through it. own, others: the directed arcs that they
    close, and that others close meanwhile."""
    open_ = network.allowed & ~own & ~others & np.repeat(np.isfinite(weight), 2)
    found = list[Detour]()
    for chain in _chains(network, own):
        start, end = int(network.tail[chain[0]]), int(network.head[chain[-1]])
        if start == end:
            continue
        way = _shortest(network, weight, open_, start, end)
        length_m, closed_m = (float(sum(network.length_m[arc // 2] for arc in arcs)) for arcs in (way, chain))
        found.append(Detour(tuple(chain), tuple(way), length_m, closed_m))
    return found


def _chains(network: Network, closed: Mask) -> list[list[int]]:
    """What is closed as ways of travel: from where one would come in to where one would get out."""
    arcs = np.flatnonzero(closed).tolist()
    leaving: dict[int, list[int]] = {}
    for arc in arcs:
        leaving.setdefault(int(network.tail[arc]), []).append(arc)
    entered = {int(network.head[arc]): arc for arc in arcs}
    chains, done = list[list[int]](), set[int]()

    def follows(arc: int) -> list[int]:
        return [each for each in leaving.get(int(network.head[arc]), ()) if each != arc ^ 1]

    firsts = [arc for arc in arcs if (before := entered.get(int(network.tail[arc]))) is None or before == arc ^ 1]
    # What is closed all round a block begins nowhere: then anywhere.
    for first in [*firsts, *arcs]:
        if first in done:
            continue
        chain, here = list[int](), first
        while here not in done:
            done.add(here)
            chain.append(here)
            onward = [each for each in follows(here) if each not in done]
            if not onward:
                break
            here = onward[0]
        chains.append(chain)
    return chains


def _shortest(network: Network, weight: Floats, open_: Mask, start: int, end: int) -> list[int]:
    """The directed arcs of the way that counts least from a node to another; none where no way leads there (Dijkstra
    1959)."""
    counts, came = {start: 0.0}, dict[int, int]()
    heap, done = [(0.0, start)], set[int]()
    while heap:
        count, node = heapq.heappop(heap)
        if node == end:
            break
        if node in done:
            continue
        done.add(node)
        for arc in network.leaving(node).tolist():
            if not open_[arc]:
                continue
            other, then = int(network.head[arc]), count + float(network.length_m[arc // 2] * weight[arc // 2])
            if then < counts.get(other, NO_WAY):
                counts[other], came[other] = then, arc
                heapq.heappush(heap, (then, other))
    way = list[int]()
    node = end
    while node != start:
        if node not in came:
            return []
        way.append(came[node])
        node = int(network.tail[came[node]])
    return way[::-1]

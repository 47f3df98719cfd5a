"""The city's streets as roads to simulate traffic on: main streets, the arms of signals, and where one sets out.

Left out is what only costs: paths, the motorway, which crosses all others on the level here, and all small streets but
those at signals and some along the main streets, at whose far ends vehicles come and go.

Two crossings that are next to each other are one. On the few metres between them nobody could change lanes, and whoever
came onto them by the wrong one would stand there for good, with the crossing full behind them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import shapely

from vigie.core.arrays import floats, ints
from vigie.services.roads import Bus
from vigie.sim.city.city import City
from vigie.sim.city.equipment import arms_of
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.network import LOCAL, PRIMARY, SECONDARY, SPEED_LIMIT_KM_H, Network
from vigie.sim.city.routes import Course

LANES = {PRIMARY: 2, SECONDARY: 1, LOCAL: 1}
"""Of a direction, where no signal is near."""

TURN_LANE_M = 70.0
"""Before a signal a main street has a lane more on so many metres; on all of it where it is hardly longer."""

STUB_M = 90.0
"""A small street is at least so long: who waits at its mouth must not stand where others set out."""

DOORS = 260
"""Small streets along the main ones from which vehicles come and to which they go, beside those at signals."""

DOORS_APART_M = 160.0
ONE_CROSSING_M = 40.0
"""Crossings that are nearer to each other, along a main street, are one. A wide crossing takes ten metres of a road at
either end: what is left then has not the room for three cars."""

ARMS_MAX = 6
"""Nor does one have more arms than so many by that: the seventh is as good as a street of its own. Counted are streets
that are driven on from end to end, main ones and those of buses; a small street of which the town has the first metres
alone comes on top of them."""

NEAR_M = 450.0
"""Of a part of the town, what is nearer than this to one of its junctions."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a road with the same lanes: a road of SUMO's, by its name there. line: its axis."""

    name: str
    line: Floats
    lanes: int


@dataclass(frozen=True, slots=True)
class Road:
    """The way from one crossing to the next, in one direction, in its pieces. rank: of its street."""

    start: int
    end: int
    rank: int
    length_m: float
    pieces: tuple[Piece, ...]

    @property
    def speed_m_s(self) -> float:
        """What is allowed on it."""
        return SPEED_LIMIT_KM_H[self.rank] / 3.6


@dataclass(frozen=True, slots=True)
class Door:
    """Where vehicles come from and go to: a node at the end of a road. weight: how many, beside others. gate: whether
    a main street ends there, and leads out of what is simulated."""

    node: int
    weight: float
    gate: bool


@dataclass(frozen=True, slots=True)
class Counter:
    """Where a detector of the city lies: a piece of a road, and how far before its end."""

    piece: str
    before_end_m: float


@dataclass(frozen=True, slots=True)
class Roads:
    """What traffic is simulated on. lights: the number in the city of the junction at each node with signals. counters:
    by the number of the detector. along: the road by which an arc of the city is driven, by the arc and the node that
    one comes from; within: the same of arcs that lie in the middle of a crossing, and are no road."""

    nodes: Mapping[int, tuple[float, float]]
    lights: Mapping[int, int]
    roads: Sequence[Road]
    doors: Sequence[Door]
    counters: Mapping[int, Counter]
    along: Mapping[tuple[int, int], int]
    within: Set[tuple[int, int]]


def roads_of(city: City, junctions: Iterable[int] | None = None) -> Roads:
    """The roads of a city. junctions: of a part of it alone, the numbers of those that it has."""
    network, signals = city.network, city.signals
    wanted = range(len(signals.node)) if junctions is None else sorted(junctions)
    lights = {int(signals.node[j]): j for j in wanted}
    near_m = inf if junctions is None else NEAR_M
    main = _near(network, np.flatnonzero(np.isin(network.rank, (PRIMARY, SECONDARY))), lights, near_m)
    at: dict[int, list[int]] = defaultdict(list)
    _meet(network, main, at)
    served = _served(city)
    stubs = _stubs(network, at, lights, served.arcs)
    doors = [
        Door(node, _GATE[int(network.rank[own[0]])], gate=True)
        for node, own in at.items()
        if len(own) == 1 and node not in lights
    ]
    _meet(network, _near(network, np.array(sorted(served.arcs), np.int64), lights, near_m), at)
    chains = _chains(network, at, {*lights, *(base for base, _ in stubs), *served.turns})
    made = _Made(network, _crossings(network, chains, lights))
    for nodes, chain in chains:
        line = np.concatenate([_line(network, arc, node)[:-1] for node, arc in zip(nodes, chain, strict=False)])
        line = np.concatenate([line, network.nodes[nodes[-1:]]])
        made.both_ways(nodes[0], nodes[-1], line, lights, chain, nodes)
    for number, (base, arc) in enumerate(stubs, len(network.nodes)):
        line = _long_enough(_line(network, arc, base))
        made.nodes[number] = (float(line[-1, 0]), float(line[-1, 1]))
        made.both_ways(base, number, line, lights, [arc])
        doors.append(Door(number, 0.3 + max(float(network.density[arc]), 0.0), gate=False))
    joined = _joined_with(lights, made.roads)
    kept = [number for number, road in enumerate(made.roads) if road.start in joined]
    place_of = {number: place for place, number in enumerate(kept)}
    return Roads(
        {node: place for node, place in made.nodes.items() if node in joined},
        lights,
        [made.roads[number] for number in kept],
        [door for door in doors if door.node in joined],
        _counters(city, made.into, lights, made.within),
        {way: place_of[number] for way, number in made.along.items() if number in place_of},
        made.within,
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """Where buses drive on lines that stay on streets. arcs: of small streets. turns: nodes at which they begin, end,
    or turn back."""

    arcs: frozenset[int]
    turns: frozenset[int]


def _served(city: City) -> _Served:
    network, between = city.network, arcs_between(city.network)
    arcs, turns = set[int](), set[int]()
    for line in city.lines:
        way = arcs_of(line.course, between)
        if line.mode != Bus.kind or not all(network.rank[arc] in LANES for arc, _ in way):
            continue
        arcs.update(arc for arc, _ in way if network.rank[arc] == LOCAL)
        nodes = line.course.nodes
        turns.update(here for before, here, after in zip(nodes, nodes[1:], nodes[2:], strict=False) if before == after)
        turns.update((nodes[0], nodes[-1]))
    return _Served(frozenset(arcs), frozenset(turns))


def arcs_between(network: Network) -> Mapping[tuple[int, int], int]:
    """The arc between two nodes, by both, the lower number first."""
    ends = zip(ints(network.tail), ints(network.head), strict=True)
    return {(min(a, b), max(a, b)): arc for arc, (a, b) in enumerate(ends)}


def arcs_of(course: Course, between: Mapping[tuple[int, int], int]) -> list[tuple[int, int]]:
    """The arcs of a course in their order, each with the node that one comes from. between: see `arcs_between`."""
    return [(between[min(a, b), max(a, b)], a) for a, b in pairwise(course.nodes)]


def _near(network: Network, arcs: Ints, lights: Mapping[int, int], near_m: float) -> Ints:
    """Of some arcs, those whose middle is nearer than so to one of the lights."""
    middles = network.xy[(network.start[arcs] + network.start[arcs + 1]) // 2]
    far = np.hypot(*(middles[:, None] - network.nodes[list(lights)][None]).transpose(2, 0, 1))
    return arcs[far.min(1) < near_m]


def _meet(network: Network, arcs: Ints, at: dict[int, list[int]]) -> None:
    """Puts arcs down at the nodes where they end."""
    for arc in ints(arcs):
        at[int(network.tail[arc])].append(arc)
        at[int(network.head[arc])].append(arc)


def _joined_with(lights: Iterable[int], roads: Sequence[Road]) -> set[int]:
    """All nodes to which a road leads from signals."""
    onward: dict[int, list[int]] = defaultdict(list)
    for road in roads:
        onward[road.start].append(road.end)
    found, edge = set(lights), list(lights)
    while edge:
        more = [node for node in onward[edge.pop()] if node not in found]
        found.update(more)
        edge += more
    return found


_NO_NAME = re.compile(r"[^-\w]+")
"""SUMO takes no blanks and no apostrophes in a name."""

_GATE = {PRIMARY: 3.0, SECONDARY: 1.0}
"""What a main street that leads out carries, beside a small street in a dense quarter."""


class _Made:
    """Roads as they are made. into: the last piece of what comes to a node by an arc."""

    def __init__(self, network: Network, crossings: Mapping[int, int]) -> None:
        """crossings: of each node that is a part of another's crossing, that other."""
        self.within: set[tuple[int, int]] = set()
        self._crossings = crossings
        self.nodes: dict[int, tuple[float, float]] = {}
        self.roads: list[Road] = []
        self.into: dict[tuple[int, int], Piece] = {}
        self.along: dict[tuple[int, int], int] = {}
        self._network = network

    def both_ways(
        self, a: int, b: int, line: Floats, lights: Mapping[int, int], arcs: Sequence[int], nodes: Sequence[int] = ()
    ) -> None:
        """A road from a to b and one back. arcs: of the line, in their order. nodes: where they begin, and the last
        ends; nothing of a small street of which these are the first metres alone."""
        network = self._network
        a, b = (self._crossings.get(node, node) for node in (a, b))
        if a == b:
            self.within.update(way for own in (nodes, nodes[1:]) for way in zip(arcs, own, strict=False))
            return
        line = np.concatenate([self._at(a, line[:1]), line[1:-1], self._at(b, line[-1:])])
        rank, street = int(network.rank[arcs[0]]), network.names[int(network.name_of[arcs[0]])]
        for number, ends in enumerate((nodes, nodes[1:]), len(self.roads)):
            self.along.update(((arc, node), number) for arc, node in zip(arcs, ends, strict=False))
        for node in (a, b):
            if node not in self.nodes:
                east, north = floats(network.nodes[node])
                self.nodes[node] = (east, north)
        for start, end, way, last in ((a, b, line, arcs[-1]), (b, a, line[::-1], arcs[0])):
            # A street has many roads.
            name = f"{_NO_NAME.sub('_', street)}.{len(self.roads) + 1}"
            pieces = _pieces(name, way, LANES[rank], turns=end in lights and rank != LOCAL)
            self.roads.append(Road(start, end, rank, _length_m(way), pieces))
            self.into[end, last] = pieces[-1]

    def _at(self, node: int, otherwise: Floats) -> Floats:
        """Where a node lies; otherwise for one that is none of the city's."""
        return self._network.nodes[node : node + 1] if node < len(self._network.nodes) else otherwise


def _pieces(name: str, line: Floats, lanes: int, *, turns: bool) -> tuple[Piece, ...]:
    """A road in its pieces. turns: whether it has a lane for those who turn before its end."""
    if not turns:
        return (Piece(name, line, lanes),)
    cut_m = _length_m(line) - TURN_LANE_M
    if cut_m < TURN_LANE_M / 2:
        return (Piece(name, line, lanes + 1),)
    before, after = _cut(line, cut_m)
    return Piece(name, before, lanes), Piece(f"{name}.turns", after, lanes + 1)


def _length_m(line: Floats) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _cut(line: Floats, at_m: float) -> tuple[Floats, Floats]:
    """What comes before a distance along a line, and what after."""
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    here = np.array([[np.interp(at_m, reach, line[:, 0]), np.interp(at_m, reach, line[:, 1])]])
    # No corner so near to the cut that the direction there would be chance.
    before, after = line[reach < at_m - 1.0], line[reach > at_m + 1.0]
    return np.concatenate([before, here]), np.concatenate([here, after])


def _long_enough(line: Floats) -> Floats:
    """The first metres of a small street; one that is too short is drawn on straight ahead."""
    missing_m = STUB_M - _length_m(line)
    if missing_m <= 0:
        return _cut(line, STUB_M)[0] if missing_m < -STUB_M else line
    way = line[-1] - line[-2]
    return np.concatenate([line[:-1], line[-1:] + way / np.hypot(*way) * missing_m])


def _line(network: Network, arc: int, start: int) -> Floats:
    """The course of an arc from one of its ends on."""
    line = network.line(arc)
    return line if int(network.tail[arc]) == start else line[::-1]


def _stubs(
    network: Network, at: Mapping[int, Sequence[int]], lights: Mapping[int, int], served: Set[int]
) -> list[tuple[int, int]]:
    """Small streets that belong to it, each with the node where it meets a main one: all at signals, and of others
    where most people live, at some distance of each other. served: those that are driven on from end to end."""
    small = {
        node: [arc for arc in own if network.rank[arc] == LOCAL and arc not in served]
        for node, own in arms_of(network).items()
        if node in at or node in lights
    }
    chosen = [(node, arc) for node in lights for arc in small.get(node, ())]
    others = sorted(
        ((node, own[0]) for node, own in small.items() if own and node not in lights),
        key=lambda each: (-float(network.density[each[1]]), each),
    )
    spots, most = network.nodes[list(lights)], len(chosen) + DOORS
    for node, arc in others:
        if len(chosen) >= most:
            break
        if np.hypot(*(spots - network.nodes[node]).T).min() >= DOORS_APART_M:
            chosen.append((node, arc))
            spots = np.concatenate([spots, network.nodes[[node]]])
    return chosen


def _chains(network: Network, at: Mapping[int, Sequence[int]], kept: set[int]) -> list[tuple[list[int], list[int]]]:
    """Arcs joined where nothing meets them: the nodes and the arcs of each. kept: nodes at which something does."""

    def through(node: int) -> bool:
        own = at[node]
        return node not in kept and len(own) == 2 and own[0] != own[1] and network.rank[own[0]] == network.rank[own[1]]

    used: set[int] = set()
    found: list[tuple[list[int], list[int]]] = []
    for node in sorted(at):
        if through(node):
            continue
        for first in at[node]:
            if first in used:
                continue
            nodes, arcs, arc = [node], list[int](), first
            while True:
                used.add(arc)
                arcs.append(arc)
                nodes.append(int(network.head[arc]) if int(network.tail[arc]) == nodes[-1] else int(network.tail[arc]))
                if not through(nodes[-1]):
                    break
                (arc,) = (each for each in at[nodes[-1]] if each != arc)
            # What ends where it began leads nowhere.
            if nodes[0] != nodes[-1]:
                found.append((nodes, arcs))
    return found


def _crossings(
    network: Network, chains: Iterable[tuple[list[int], list[int]]], lights: Mapping[int, int]
) -> dict[int, int]:
    """Of each node that is a part of another's crossing, that other: of two that are next to each other the one with
    signals, where only one has them. Not where there is another way from one to the other past no more than one
    crossing: those two ways would be one."""
    beside: dict[int, list[int]] = defaultdict(list)
    short: list[tuple[float, int, int]] = []
    for nodes, arcs in chains:
        a, b = nodes[0], nodes[-1]
        beside[a].append(b)
        beside[b].append(a)
        long_m = float(network.length_m[arcs].sum())
        if long_m < ONE_CROSSING_M and int(network.rank[arcs[0]]) != LOCAL:
            short.append((long_m, a, b))
    found: dict[int, int] = {}
    for _, one, other in sorted(short):
        a, b = (one, other) if one in lights else (other, one)
        arms = {node: [found.get(each, each) for each in beside[node]] for node in (a, b)}
        more = [each for each in arms[b] if each != a]
        # Each is a part of one crossing at the most, and neither is the end of a street.
        apart = not {a, b} & found.keys() and b not in found.values() and b not in lights and more and len(arms[a]) > 1
        one_way = len(more) == len(arms[b]) - 1 and not {*more} & {*arms[a]}
        if apart and one_way and len(arms[a]) - 1 + len(more) <= ARMS_MAX:
            found[b] = a
            beside[a] = [*(each for each in beside[a] if each != b), *more]
    return found


def _counters(
    city: City, into: Mapping[tuple[int, int], Piece], lights: Mapping[int, int], within: Set[tuple[int, int]]
) -> dict[int, Counter]:
    """Where the city's detectors lie: as far before the signals as they stand, along the road. One on an arc that lies
    within the crossing is put on the road that goes on from there: the one that passes nearest to it."""
    signals, nodes = city.signals, city.network.nodes
    found: dict[int, Counter] = {}
    for detector, (junction, arc) in enumerate(
        zip(ints(signals.detector_junction), ints(signals.detector_arc), strict=True)
    ):
        node = int(signals.node[junction])
        spot = signals.detector_xy[detector]
        piece = into.get((node, arc))
        if (arc, node) in within:
            own, here = (each for (end, _), each in into.items() if end == node), shapely.Point(spot)
            piece = min(own, key=lambda each: shapely.LineString(each.line).distance(here), default=None)
        if node in lights and piece is not None:
            far_m = float(np.hypot(*(spot - nodes[node])))
            found[detector] = Counter(piece.name, min(far_m, _length_m(piece.line) - 1.0))
    return found

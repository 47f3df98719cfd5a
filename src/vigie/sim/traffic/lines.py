"""Bus lines on the roads of the town: which roads each leg leads over, where it stops, and when it is due there.

A line is driven whole or not at all. Those that use the motorway, which is no road of the town, are not; nor is one of
which a turn is none in the network.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isclose

import msgspec
import numpy as np

from vigie.core.arrays import floats, ints
from vigie.services.roads import Bus
from vigie.sim.city.city import City
from vigie.sim.city.equipment import bearing
from vigie.sim.city.inventory import fleet_of
from vigie.sim.city.transit import TransitLine
from vigie.sim.life.timetable import LAYOVER_S, Timetable, timetable_of
from vigie.sim.traffic.netfile import Network
from vigie.sim.traffic.roads import Roads, arcs_between, arcs_of

AT_END_M = 1.0
"""No stop is nearer than this to the end of a lane."""

BUS_M = 12.0
"""How long a bus is: a stop is so far from the beginning of a lane at least, where the lane is long enough."""


class Halt(msgspec.Struct, frozen=True):
    """A stop of a leg: on which lane and how far from its beginning, and when a bus is to leave it, in seconds of the
    line's round."""

    lane: str
    at_m: float
    due_s: float


class Part(msgspec.Struct, frozen=True):
    """Roads that a bus drives in one go, by SUMO's names for them, and its stops there. Where a line turns back within
    a leg, or comes to a road for the second time, another part begins."""

    edges: tuple[str, ...]
    halts: tuple[Halt, ...]


class Leg(msgspec.Struct, frozen=True):
    """A line in one direction: when it begins in the line's round, when it ends there, and where it begins: east,
    north, heading."""

    begins_s: float
    ends_s: float
    parts: tuple[Part, ...]
    start: tuple[float, float, float]


class Line(msgspec.Struct, frozen=True):
    """A line: how long its round takes, and the legs of it."""

    round_s: float
    legs: tuple[Leg, Leg]


class OnLine(msgspec.Struct, frozen=True):
    """A bus: its number among the city's, its line by its place in `Service.lines`, and how far in its round it is
    when the service begins."""

    number: int
    line: int
    offset_s: float


class Service(msgspec.Struct, frozen=True):
    """All lines that are driven on the roads, and their buses."""

    lines: tuple[Line, ...] = ()
    buses: tuple[OnLine, ...] = ()


def service_of(city: City, roads: Roads, network: Network, walked: Collection[str]) -> Service:
    """The buses that can be driven in a town. network: that of the roads. walked: the roads whose first lane is a
    pavement."""
    fleet, drawn = fleet_of(city, Bus.kind), _Drawn(city, roads, network, walked)
    lines: list[Line] = []
    place_of: dict[int, int] = {}
    for number in sorted(set(ints(fleet.line))):
        line = drawn.line(city.lines[number])
        if line is not None:
            place_of[number] = len(lines)
            lines.append(line)
    buses = [
        OnLine(number, place_of[line], phase * lines[place_of[line]].round_s)
        for number, (line, phase) in enumerate(zip(ints(fleet.line), floats(fleet.phase), strict=True))
        if line in place_of
    ]
    return Service(tuple(lines), tuple(buses))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A road that a leg leads over, and how much of the line that is: what leads through the middle of a crossing to it
    or from it is a part of that."""

    road: int
    length_m: float


class _Drawn:
    """Draws lines on the roads."""

    def __init__(self, city: City, roads: Roads, network: Network, walked: Collection[str]) -> None:
        self._roads, self._network, self._walked = roads, network, walked
        self._between, self._lengths_m = arcs_between(city.network), city.network.length_m
        self._onward: dict[tuple[str, str], str] = {}
        for each in network.connections:
            if each.crossing is None and each.lane in network.lanes and each.to in network.lanes:
                pair = network.lanes[each.lane].edge, network.lanes[each.to].edge
                self._onward[pair] = min(self._onward.get(pair, each.lane), each.lane)

    def line(self, line: TransitLine) -> Line | None:
        """A line; None where it cannot be driven whole."""
        there = arcs_of(line.course, self._between)
        back = [(arc, node) for (arc, _), node in zip(there[::-1], line.course.nodes[:0:-1], strict=True)]
        table, legs = timetable_of(line), list[Leg]()
        for number, way in enumerate((there, back)):
            driven = self._driven(way)
            if driven is None:
                return None
            from_m = number * table.length_m
            at = np.flatnonzero((table.metres >= from_m) & (table.metres <= from_m + table.length_m))
            last = int(np.flatnonzero(table.metres[at] < from_m + table.length_m)[-1]) + 1
            begins_s = float(table.clock_s[at[0] if not number else at[table.metres[at] == from_m][-1]])
            parts = self._parts(driven, table, from_m)
            if parts is None:
                return None
            legs.append(Leg(begins_s, float(table.clock_s[at[last]]), parts, self._start(driven[0].road)))
        return Line(table.round_s, (legs[0], legs[1]))

    def _driven(self, way: Sequence[tuple[int, int]]) -> list[_Stretch] | None:
        """The roads of a leg; None where one is missing."""
        found: list[_Stretch] = []
        before_m = 0.0
        for arc, node in way:
            long_m = float(self._lengths_m[arc])
            road = self._roads.along.get((arc, node))
            if road is None and (arc, node) not in self._roads.within:
                return None
            if found and road in (None, found[-1].road):
                found[-1] = _Stretch(found[-1].road, found[-1].length_m + long_m)
            elif road is None:
                before_m += long_m
            else:
                found.append(_Stretch(road, before_m + long_m))
                before_m = 0.0
        return found or None

    def _parts(self, driven: Sequence[_Stretch], table: Timetable, from_m: float) -> tuple[Part, ...] | None:
        """A leg in its parts; None where somewhere in the network one cannot drive on."""
        parts: list[Part] = []
        for own, begins_m in self._cut(driven):
            edges = [piece.name for each in own for piece in self._roads.roads[each.road].pieces]
            if not all(pair in self._onward for pair in pairwise(edges)):
                return None
            parts.append(Part(tuple(edges), tuple(self._halts(own, edges, table, from_m, begins_m))))
        return tuple(parts)

    def _cut(self, driven: Sequence[_Stretch]) -> Iterator[tuple[list[_Stretch], float]]:
        """The roads of a leg, part by part; and how far along the leg each part begins."""
        own, begins_m, reached_m = list[_Stretch](), 0.0, 0.0
        for each in driven:
            has = self._roads.roads[each.road]
            known = any(other.road == each.road for other in own)
            if own and (known or has.end == self._roads.roads[own[-1].road].start):
                yield own, begins_m
                own, begins_m = [], reached_m
            own.append(each)
            reached_m += each.length_m
        yield own, begins_m

    def _halts(
        self, own: Sequence[_Stretch], edges: Sequence[str], table: Timetable, from_m: float, begins_m: float
    ) -> Iterator[Halt]:
        """The stops on the roads of a part: those at its end are its own, and those at its beginning are not."""
        lengths = [long_m for each in own for long_m in self._lengths_of(each)]
        ends_m = list(accumulate(lengths, initial=from_m + begins_m))[1:]
        due_s = dict(zip(table.metres.tolist(), table.clock_s.tolist(), strict=True))
        for at_m, leaves_s in sorted(due_s.items()):
            if not from_m + begins_m + AT_END_M < at_m <= ends_m[-1] + AT_END_M:
                continue
            at = min(bisect_left(ends_m, at_m), len(lengths) - 1)
            lane = self._lane(edges, at)
            long_m = self._network.lanes[lane].length_m
            share = 1 - max(0.0, ends_m[at] - at_m) / lengths[at]
            spot_m = min(max(share * long_m, min(BUS_M, long_m / 2)), max(long_m - AT_END_M, long_m / 2))
            if isclose(at_m - from_m, table.length_m):
                # Where the line ends a bus stands until it sets out again.
                leaves_s -= LAYOVER_S
            yield Halt(lane, round(spot_m, 1), leaves_s)

    def _lengths_of(self, own: _Stretch) -> list[float]:
        """How much of a line each piece of a road is."""
        pieces = self._roads.roads[own.road].pieces
        lengths = [float(np.hypot(*np.diff(piece.line, axis=0).T).sum()) for piece in pieces]
        return [each * own.length_m / sum(lengths) for each in lengths]

    def _lane(self, edges: Sequence[str], at: int) -> str:
        """The outermost lane of a road by which a bus comes to the next."""
        if at + 1 < len(edges):
            return self._onward[edges[at], edges[at + 1]]
        return f"{edges[at]}_{int(edges[at] in self._walked)}"

    def _start(self, road: int) -> tuple[float, float, float]:
        """Where a road begins, and which way it leads."""
        line = self._roads.roads[road].pieces[0].line
        east, north = floats(line[0])
        return east, north, float(bearing((line[1] - line[0])[None])[0])

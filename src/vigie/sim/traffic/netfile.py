"""SUMO's network file, as far as signals need it: lanes, connections, who is whose foe, programmes.

Pure reading: what is a signal group or a stage is decided in vigie.sim.traffic.network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import isfinite, nan
from pathlib import Path
from typing import Any

from vigie.sim.traffic.xml import XmlWrong, parsed

_TRAMS, _NO_TRACK = {"tram", "rail_urban"}, {"passenger", "bus", "pedestrian", "bicycle", "delivery"}
"""Whoever may use a tramway, and who else may not, in SUMO's words."""


class NetworkWrong(ValueError):
    """A file that is no network of SUMO's, or one without traffic lights. The text says which."""


Spot = tuple[float, float]
"""Metres east and north of the network's own zero."""


@dataclass(frozen=True, slots=True)
class NetLane:
    """A lane of a network. edge: the road that it is a lane of. shape: its middle, from its start to its end. track:
    whether trams drive on it and no cars, buses or walkers."""

    name: str
    edge: str
    length_m: float
    speed_m_s: float
    shape: tuple[Spot, ...] = ()
    track: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """A way from a lane to another through a node. light and link: who rules it, None where nobody does. request: its
    row in the node's matrix, None where the node has none. minor: no light rules it, and it gives way. inside: the
    lanes inside the node that it leads over, in their order. roads: over which a crossing leads."""

    lane: str
    to: str
    node: str
    request: int | None
    light: str | None
    link: int
    bend: str
    minor: bool
    crossing: str | None
    inside: tuple[str, ...] = ()
    roads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """A connection's row in its node's matrix: the rows that it meets, and those of them that it lets go first."""

    foes: frozenset[int]
    lets_go: frozenset[int]


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of a network's own programme: seconds, and a letter for each link."""

    seconds: int
    letters: str


@dataclass(frozen=True, slots=True)
class Programme:
    """A traffic light's own programme."""

    light: str
    offset_s: int
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """What a network file says. programmes: by the name of the traffic light, the first of each. nodes: where each
    lies. steps: from which lane one may walk on to which, pavements, crossings and what lies between them at a node."""

    lanes: Mapping[str, NetLane]
    connections: Sequence[Connection]
    rows: Mapping[tuple[str, int], Row]
    programmes: Mapping[str, Programme]
    nodes: Mapping[str, Spot]
    steps: Sequence[tuple[str, str]]


def read_network(path: Path) -> Network:
    """Reads a .net.xml, gzipped or not. Raises NetworkWrong where it is none, OSError where it cannot be read."""
    try:
        root = parsed(path)
        if root.tag != "net":
            raise NetworkWrong(f"its first word is {root.tag!r}, not 'net'")
        return _network(root)
    except (XmlWrong, NetworkWrong) as error:
        raise NetworkWrong(f"{path} is no network of SUMO's: {error}") from None


def _network(root: Any) -> Network:
    lanes: dict[str, NetLane] = {}
    ends: dict[str, str] = {}
    walked: set[str] = set()
    for edge in root.iterfind("edge"):
        ends[edge.get("id", "")] = edge.get("to", "")
        for lane in edge.iterfind("lane"):
            name = lane.get("id", "")
            # A lane that says nothing of who may use it is a road without a pavement.
            may = set(lane.get("allow", "").split())
            if "pedestrian" in may:
                walked.add(name)
            lanes[name] = NetLane(
                name, edge.get("id", ""), _number(lane, "length"), _number(lane, "speed"), _shape(lane),
                track=bool(may & _TRAMS) and not may & _NO_TRACK,
            )  # fmt: skip
    rows: dict[tuple[str, int], Row] = {}
    row_counts: dict[str, int] = {}
    nodes: dict[str, Spot] = {}
    for node in root.iterfind("junction"):
        nodes[node.get("id", "")] = _finite(node, "x"), _finite(node, "y")
        for row in node.iterfind("request"):
            index = _whole(row, "index")
            rows[node.get("id", ""), index] = Row(_bits(row.get("foes", "")), _bits(row.get("response", "")))
            row_counts[node.get("id", "")] = row_counts.get(node.get("id", ""), 0) + 1
    crossings = _crossings(root)
    roads = {
        edge.get("id", ""): frozenset(edge.get("crossingEdges", "").split())
        for edge in root.iterfind("edge[@function='crossing']")
    }
    onward = {
        f"{each.get('from', '')}_{each.get('fromLane', '0')}": each.get("via", "")
        for each in root.iterfind("connection")
        if each.get("from", "").startswith(":") and not each.get("tl")
    }
    connections = tuple(
        _connection(each, ends, rows, row_counts, crossings, _inside(each.get("via", ""), onward, lanes))
        for each in root.iterfind("connection")
        if not each.get("from", "").startswith(":") or each.get("tl")
    )
    connections = tuple(
        replace(each, roads=roads.get(each.crossing, frozenset())) if each.crossing else each for each in connections
    )
    for each in connections:
        _need_its_lanes(each, lanes)
    steps = tuple(_steps(root, walked & lanes.keys()))
    return Network(lanes, connections, rows, _programmes(root), nodes, steps)


def _steps(root: Any, walked: Set[str]) -> Iterator[tuple[str, str]]:
    """From which lane on one may walk to which. walked: lanes that walkers may use."""
    for each in root.iterfind("connection"):
        lane = f"{each.get('from', '')}_{each.get('fromLane', '0')}"
        to = f"{each.get('to', '')}_{each.get('toLane', '0')}"
        if lane in walked and to in walked:
            yield lane, to


def _need_its_lanes(each: Connection, lanes: Mapping[str, NetLane]) -> None:
    """Raises NetworkWrong where who is ruled by a light comes from a lane, or over a crossing, that there is not."""
    if each.light is not None:
        come_by = [each.lane] if each.crossing is None else [each.to, f"{each.crossing}_0"]
        for name in come_by:
            if name not in lanes:
                raise NetworkWrong(f"the light {each.light!r} rules a way on the lane {name!r}, which is missing")


def _number(each: Any, name: str, usual: str = "0") -> float:
    """A number that an element gives; it may be none that a lane can have, which its junction's document is refused
    for. Raises NetworkWrong."""
    text = each.get(name) or usual
    try:
        return float(text)
    except ValueError:
        raise NetworkWrong(_no_number(each, name, text)) from None


def _finite(each: Any, name: str, usual: str = "0") -> float:
    value = _number(each, name, usual)
    if not isfinite(value):
        raise NetworkWrong(_no_number(each, name, each.get(name)))
    return value


def _whole(each: Any, name: str, usual: str = "0") -> int:
    return round(_finite(each, name, usual))


def _no_number(each: Any, name: str, text: str) -> str:
    own = each.get("id")
    of = f"the {each.tag} {own!r}" if own else f"a {each.tag} of {each.getparent().get('id', '')!r}"
    return f"the {name} of {of} is {text!r}, which is no number"


def _shape(lane: Any) -> tuple[Spot, ...]:
    """Where a lane runs; what is said of heights is left out. Raises NetworkWrong."""
    text = lane.get("shape", "")
    try:
        east_north = [[float(each) for each in spot.split(",")[:2]] for spot in text.split()]
        shape = tuple((east_m, north_m) for east_m, north_m in east_north)
    except ValueError:
        shape = ((nan, nan),)
    if not all(isfinite(each) for spot in shape for each in spot):
        raise NetworkWrong(f"the shape of the lane {lane.get('id', '')!r} is {text[:80]!r}, which is no line")
    return shape


def _bits(text: str) -> frozenset[int]:
    """The rows that a matrix names: its last letter is row 0."""
    return frozenset(at for at, letter in enumerate(reversed(text)) if letter == "1")


def _crossings(root: Any) -> dict[str, int]:
    """Node -> how many crossings it has: they are the last rows of its matrix."""
    counts: dict[str, int] = {}
    for edge in root.iterfind("edge[@function='crossing']"):
        node = edge.get("id", "")[1:].rpartition("_c")[0]
        counts[node] = counts.get(node, 0) + 1
    return counts


def _connection(
    each: Any,
    ends: Mapping[str, str],
    rows: Mapping[tuple[str, int], Row],
    row_counts: Mapping[str, int],
    crossings: Mapping[str, int],
    inside: tuple[str, ...],
) -> Connection:
    start, to = each.get("from", ""), each.get("to", "")
    crossing: str | None = None
    request: int | None = None
    if start.startswith(":"):
        # Walkers cross: from a walking area ":node_w1" over ":node_c0".
        crossing = to
        node, _, number = to[1:].rpartition("_c")
        if number.isdecimal() and node in row_counts:
            request = row_counts[node] - crossings.get(node, 0) + int(number)
    else:
        node = ends.get(start, "")
        first, _, beside = each.get("via", "").removeprefix(f":{node}_").partition("_")
        if first.isdecimal() and beside.isdecimal():
            request = int(first) + int(beside)
    return Connection(
        lane=f"{start}_{each.get('fromLane', '0')}",
        to=f"{to}_{each.get('toLane', '0')}",
        node=node,
        request=request if request is not None and (node, request) in rows else None,
        light=each.get("tl"),
        link=_whole(each, "linkIndex", "-1"),
        bend=each.get("dir", "s"),
        minor=each.get("state") == "m",
        crossing=crossing,
        inside=inside,
    )


def _inside(first: str, onward: Mapping[str, str], lanes: Mapping[str, NetLane]) -> tuple[str, ...]:
    """The lanes inside a node from the first on; where those who turn wait there, another follows. What the network
    does not have, or comes again, ends them."""
    found: list[str] = []
    while first in lanes and first not in found:
        found.append(first)
        first = onward.get(first, "")
    return tuple(found)


def _programmes(root: Any) -> dict[str, Programme]:
    found: dict[str, Programme] = {}
    for logic in root.iterfind("tlLogic"):
        phases = tuple(
            Phase(max(1, _whole(each, "duration" if each.get("duration") else "minDur", "1")), each.get("state", ""))
            for each in logic.iterfind("phase")
        )
        light = logic.get("id", "")
        if phases and light not in found:
            found[light] = Programme(light, _whole(logic, "offset"), phases)
    return found

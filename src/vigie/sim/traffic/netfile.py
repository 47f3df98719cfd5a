"""SUMO's network file, as far as signals need it: lanes, connections, who is whose foe, programmes.

Pure reading: what is a signal group or a stage is decided in vigie.sim.traffic.network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigie.sim.traffic.xml import XmlWrong, parsed


class NetworkWrong(ValueError):
    """A file that is no network of SUMO's, or one without traffic lights. The text says which."""


Spot = tuple[float, float]
"""Metres east and north of the network's own zero."""


@dataclass(frozen=True, slots=True)
class NetLane:
    """A lane of a network. edge: the road that it is a lane of. shape: its middle, from its start to its end."""

    name: str
    edge: str
    length_m: float
    speed_m_s: float
    shape: tuple[Spot, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A way from a lane to another through a node. light and link: who rules it, None where nobody does. request: its
    row in the node's matrix, None where the node has none. minor: no light rules it, and it gives way."""

    lane: str
    to: str
    node: str
    request: int | None
    light: str | None
    link: int
    bend: str
    minor: bool
    crossing: str | None


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
    lies."""

    lanes: Mapping[str, NetLane]
    connections: Sequence[Connection]
    rows: Mapping[tuple[str, int], Row]
    programmes: Mapping[str, Programme]
    nodes: Mapping[str, Spot]


def read_network(path: Path) -> Network:
    """Reads a .net.xml, gzipped or not. Raises NetworkWrong where it is none, OSError where it cannot be read."""
    try:
        root = parsed(path)
    except XmlWrong as error:
        raise NetworkWrong(f"{path} is no network of SUMO's: {error}") from None
    if root.tag != "net":
        raise NetworkWrong(f"{path} is no network of SUMO's: its first word is {root.tag!r}, not 'net'")
    lanes: dict[str, NetLane] = {}
    ends: dict[str, str] = {}
    for edge in root.iterfind("edge"):
        ends[edge.get("id", "")] = edge.get("to", "")
        for lane in edge.iterfind("lane"):
            name = lane.get("id", "")
            lanes[name] = NetLane(
                name, edge.get("id", ""), float(lane.get("length", "0")), float(lane.get("speed", "0")),
                _shape(lane.get("shape", "")),
            )  # fmt: skip
    rows: dict[tuple[str, int], Row] = {}
    row_counts: dict[str, int] = {}
    nodes: dict[str, Spot] = {}
    for node in root.iterfind("junction"):
        nodes[node.get("id", "")] = float(node.get("x", "0")), float(node.get("y", "0"))
        for row in node.iterfind("request"):
            index = int(row.get("index", "0"))
            rows[node.get("id", ""), index] = Row(_bits(row.get("foes", "")), _bits(row.get("response", "")))
            row_counts[node.get("id", "")] = row_counts.get(node.get("id", ""), 0) + 1
    crossings = _crossings(root)
    connections = tuple(
        _connection(each, ends, row_counts, crossings)
        for each in root.iterfind("connection")
        if not each.get("from", "").startswith(":") or each.get("tl")
    )
    return Network(lanes, connections, rows, _programmes(root), nodes)


def _shape(text: str) -> tuple[Spot, ...]:
    """Where a lane runs; what is said of heights is left out."""
    spots = (spot.split(",") for spot in text.split())
    return tuple((float(spot[0]), float(spot[1])) for spot in spots)


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
    each: Any, ends: Mapping[str, str], row_counts: Mapping[str, int], crossings: Mapping[str, int]
) -> Connection:
    start, to = each.get("from", ""), each.get("to", "")
    crossing: str | None = None
    request: int | None = None
    if start.startswith(":"):
        # Walkers cross: from a walking area ":node_w1" over ":node_c0".
        crossing = to
        node, _, number = to[1:].rpartition("_c")
        if number.isdigit() and node in row_counts:
            request = row_counts[node] - crossings.get(node, 0) + int(number)
    else:
        node = ends.get(start, "")
        first, _, beside = each.get("via", "").removeprefix(f":{node}_").partition("_")
        if first.isdigit() and beside.isdigit():
            request = int(first) + int(beside)
    return Connection(
        lane=f"{start}_{each.get('fromLane', '0')}",
        to=f"{to}_{each.get('toLane', '0')}",
        node=node,
        request=request if request is not None and request < row_counts.get(node, 0) else None,
        light=each.get("tl"),
        link=int(each.get("linkIndex", "-1")),
        bend=each.get("dir", "s"),
        minor=each.get("state") == "m",
        crossing=crossing,
    )


def _programmes(root: Any) -> dict[str, Programme]:
    found: dict[str, Programme] = {}
    for logic in root.iterfind("tlLogic"):
        phases = tuple(
            Phase(max(1, round(float(each.get("duration") or each.get("minDur") or 1))), each.get("state", ""))
            for each in logic.iterfind("phase")
        )
        light = logic.get("id", "")
        if phases and light not in found:
            found[light] = Programme(light, round(float(logic.get("offset", "0"))), phases)
    return found

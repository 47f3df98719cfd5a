"""The street network that vehicles are matched to: its arcs, what is near a place, and the ways between arcs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.ground import merged, metres
from vigie.core.observations import Floats, Int64s, Mask
from vigie.services.roads.matching.loops import Ground, Ways, find_ways, spread

NEAR_M = 50.0
"""A vehicle is on no arc that is farther from its position: five times the noise of a good receiver in a street."""

REACH_M = 600.0
"""Ways between arcs are known up to this length: 15 s at 144 km/h, 43 s at 50 km/h. A trail with a longer gap begins
anew after it."""

TURN_BACK_M = 100.0
"""To turn back on the carriageway counts as a detour of so much, but for where a street ends."""

APART_M = 1.0
"""Corners of lines that are closer are one."""

_CELL_M, _CELLS_MAX = 50.0, 4_000_000


@dataclass(frozen=True)
class Network:
    """Arcs from node to node, on the ground in metres; `network_of` makes it.

    start: of each arc, its first row in `corners`; one more at the end. line, begin_m: the line that each arc is a
    piece of, and where on it the arc begins. length_m: of each arc. allowed, tail, head: of each directed arc (twice
    the arc's number, and one more for the way against the line), whether it may be driven and the nodes it joins.
    out_first, out: of each node, the directed arcs that may be driven from it.
    """

    middle_lat: float
    start: Int64s
    corners: Floats
    line: Int64s
    begin_m: Floats
    length_m: Floats
    allowed: Mask
    tail: Int64s
    head: Int64s
    out_first: Int64s
    out: Int64s
    ground: Ground
    ways: Ways

    def __len__(self) -> int:
        """How many arcs."""
        return len(self.length_m)

    def leaving(self, node: int) -> Int64s:
        """The directed arcs that may be driven from a node."""
        return self.out[self.out_first[node] : self.out_first[node + 1]]

    def course(self, arc: int) -> Floats:
        """The corners of an arc, (n, 2) metres."""
        return self.corners[self.start[arc] : self.start[arc + 1]]


def network_of(lon: Floats, lat: Floats, start: Int64s, one_way: Mask) -> Network:
    """The network of lines, which are cut where another line has a corner as well.

    lon, lat: of the lines' corners, in degrees. start: of each line, its first corner; one more at the end. one_way:
    whether it is driven only as it is drawn. Raises ValueError where a line has fewer than two corners or a corner that
    is no place.
    """
    if len(start) > 1 and int(np.diff(start).min()) < 2:
        raise ValueError("a line has two corners or more")
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise ValueError("a corner of a line is no place")
    middle = float(lat.mean()) if len(lat) else 0.0
    spots = metres(lon, lat, middle_lat=middle)
    node = merged(spots, APART_M)
    rows, first, line, begin_m = _cut(spots, node, start)
    corners, last = spots[rows], first[1:] - 1
    inner = np.flatnonzero(np.diff(np.repeat(np.arange(len(line)), np.diff(first))) == 0)
    arc = np.repeat(np.arange(len(line)), np.diff(first) - 1)
    a, b = corners[inner], corners[inner + 1]
    long = np.hypot(*(b - a).T)
    length: Floats = np.bincount(arc, long, len(line)).astype(np.float64)
    along = np.cumsum(long) - long
    along -= (np.cumsum(length) - length)[arc]
    ends = np.stack([node[rows[first[:-1]]], node[rows[last]]], 1)
    tail, head = ends.ravel(), ends[:, ::-1].ravel()
    allowed = np.stack([np.ones(len(line), np.bool_), ~one_way[line]], 1).ravel()
    driven = np.flatnonzero(allowed)
    out = driven[np.argsort(tail[driven], kind="stable")]
    out_first = np.searchsorted(tail[out], np.arange(int(node.max(initial=-1)) + 2))
    ways = find_ways(head, length, out_first, out, REACH_M, TURN_BACK_M)
    return Network(
        middle, first, corners, line, begin_m, length, allowed, tail, head, out_first, out,
        _ground(a, b, arc, along), ways,
    )  # fmt: skip


def _cut(spots: Floats, node: Int64s, start: Int64s) -> tuple[Int64s, Int64s, Int64s, Floats]:
    """Lines cut at the corners that they share: the rows of the arcs' corners (one where two arcs meet stands twice),
    each arc's first of these, its line, and where on the line it begins."""
    many = len(start) - 1
    line = np.repeat(np.arange(many), np.diff(start))
    is_end = np.zeros(len(spots), np.bool_)
    is_end[start[:-1]] = is_end[start[1:] - 1] = True
    # Corners of one line may lie so close together that they are one node as well.
    visits = np.unique(np.stack([node, line]), axis=1)[0]
    shared = np.bincount(visits)[node] > 1 if len(node) else is_end
    cut = np.flatnonzero(shared & ~is_end)
    rows = np.sort(np.concatenate([np.arange(len(spots)), cut]), kind="stable")
    # The second of two equal rows begins an arc, as the first corner of a line does.
    begins = np.concatenate([[True], (np.diff(rows) == 0) | (np.diff(line[rows]) != 0)]) if len(rows) else rows > 0
    first = np.append(np.flatnonzero(begins), len(rows))
    steps = np.append(0.0, np.hypot(*np.diff(spots, axis=0).T)) if len(spots) else np.empty(0)
    steps[start[:-1]] = 0.0
    gone = np.cumsum(steps)
    own = rows[first[:-1]]
    return rows, first, line[own], gone[own] - gone[start[line[own]]]


def _ground(a: Floats, b: Floats, arc: Int64s, along: Floats) -> Ground:
    ends = np.concatenate([a, b]) if len(a) else np.zeros((1, 2))
    corner, extent = ends.min(0) - NEAR_M, np.ptp(ends, axis=0) + 2 * NEAR_M
    cell_m = max(_CELL_M, float(np.sqrt(extent[0] * extent[1] / _CELLS_MAX)))
    columns, rows = (int(each // cell_m) + 1 for each in extent)
    return Ground(
        a, b, arc, along, corner, cell_m, columns, rows, *spread(a, b, corner, cell_m, columns, rows, NEAR_M)
    )  # fmt: skip

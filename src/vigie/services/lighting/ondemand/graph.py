"""The streets as a graph, with the lamps on it: which of them lie ahead of a place, along streets and over junctions.

Streets are the inventory's lines. Ends that lie together are one node, and a street that ends on the course of another
joins it there. A lamp belongs to the nearest stretch, its own street's before another's. Where the inventory has no
lines, the lamps of a street stand for them: in their order along its main axis, so that such a street is followed to
its end, and over no junction.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.ground import M_PER_DEGREE, merged
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import Lines
from vigie.services.lighting.programmes.park import Park

NEAR_M = 30.0
"""A lamp, a sensor or a bus is on a street that is no farther away."""

APART_M = 1.0
"""Ends of lines that are closer are one."""

JOIN_M = 3.0
"""A line that ends so near to the course of another ends on it."""

GAP_M = 120.0
"""Lamps of a street without lines that stand farther apart are not neighbours."""

_OWN_STREET_M = 15.0
"""By so much a street of another name may be nearer and still not be a lamp's own."""
_ASTRAY_M = 20.0
"""By so much a stretch at right angles to a heading has to be nearer than one along it."""
_CELL_M, _SAMPLE_M = 40.0, 20.0
_FAR = np.inf


@dataclass(frozen=True, slots=True)
class Reach:
    """Lamps by their rows in the park, sorted, none twice; and how far along the streets each is, in metres."""

    rows: Int64s
    distance_m: Floats


@dataclass(frozen=True)
class _Edges:
    """Straight stretches between two nodes."""

    tail: Int64s
    head: Int64s
    street: Int64s
    a: Floats
    b: Floats

    @property
    def length_m(self) -> Floats:
        return np.hypot(*(self.b - self.a).T)


class _Cells:
    """The stretches by cells of the ground, so that what is near a place is found without a look at the others."""

    def __init__(self, edges: _Edges) -> None:
        self._edges = edges
        length = edges.length_m
        count = np.ceil(length / _SAMPLE_M).astype(np.int64) + 1
        edge = np.repeat(np.arange(len(length)), count)
        nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        share = nth / np.maximum(np.repeat(count, count) - 1, 1)
        spots = edges.a[edge] + (edges.b - edges.a)[edge] * share[:, None]
        # A cell and an edge in one number: both stay far below 2^31 in any town.
        order = np.lexsort((edge, _cell(spots)))
        cell, edge = _cell(spots)[order], edge[order]
        first = np.concatenate([[True], (np.diff(cell) != 0) | (np.diff(edge) != 0)]) if len(cell) else cell > 0
        self._cell, self._edge = cell[first], edge[first]

    def near(self, spots: Floats) -> tuple[Int64s, Int64s, Floats, Floats]:
        """Pairs of a place (its row) and a stretch within `NEAR_M`: how far it is, and how far along the stretch the
        nearest place of it lies, in metres."""
        rows, edges = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for east in (-1, 0, 1):
            for north in (-1, 0, 1):
                cell = _cell(spots + np.array([east, north]) * _CELL_M)
                low, high = (np.searchsorted(self._cell, cell, side) for side in ("left", "right"))
                count = high - low
                rows.append(np.repeat(np.arange(len(spots)), count))
                nth = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
                edges.append(self._edge[np.repeat(low, count) + nth])
        row, edge = np.concatenate(rows), np.concatenate(edges)
        at, way = self._edges.a[edge], (self._edges.b - self._edges.a)[edge]
        length = np.hypot(*way.T)
        unit = way / np.maximum(length, 1e-9)[:, None]
        along = np.clip(((spots[row] - at) * unit).sum(1), 0, length)
        apart = np.hypot(*(spots[row] - at - unit * along[:, None]).T)
        found = apart <= NEAR_M
        return row[found], edge[found], apart[found], along[found]


def _cell(spots: Floats) -> Int64s:
    cell = np.floor(spots / _CELL_M).astype(np.int64)
    return (cell[:, 0] << 32) + cell[:, 1]


class Graph:
    """The lamps of a park on its streets. loose: which lamps are on no street that is known, and are never ahead."""

    def __init__(self, park: Park, lines: Lines) -> None:
        self._east_m = M_PER_DEGREE * float(np.cos(np.radians(park.lat.mean()))) if len(park) else M_PER_DEGREE
        lamps = self._ground(park.lon, park.lat)
        edges = _joined(_edges(self._ground(lines.lon, lines.lat), lines.street, lines.start))
        edge, along = _placed(_Cells(edges), edges, lamps, park.street)
        alone = np.flatnonzero(edge < 0)
        chains = _chains(lamps[alone], park.street[alone], park.area[alone])
        if chains:
            edges = _with_chains(edges, chains, lamps[alone], park.street[alone])
            edge, along = _placed(_Cells(edges), edges, lamps, park.street)
        self._edges, self._cells, self._length = edges, _Cells(edges), edges.length_m
        self.loose: Mask = edge < 0
        # The lamps of each stretch, one after the other.
        order = np.lexsort((along, edge))
        order = order[int(np.count_nonzero(self.loose)) :]
        self._lamp, self._along = order, along[order]
        self._first = np.searchsorted(edge[order], np.arange(len(self._length) + 1))
        # The stretches at each node, one after the other.
        ends = np.concatenate([edges.tail, edges.head])
        turn = np.argsort(ends, kind="stable")
        self._at_node = np.concatenate([np.arange(len(edges.tail))] * 2)[turn]
        nodes = int(ends.max(initial=-1)) + 1
        self._node = np.searchsorted(ends[turn], np.arange(nodes + 1))

    def ahead(self, lon: float, lat: float, heading_deg: float, ahead_m: float, behind_m: float) -> Reach:
        """The lamps at most so far ahead of a place (degrees), and at most so far behind it.

        heading_deg: clockwise from north; NaN where it is not known, and then all ways are ahead. A lamp that is
        nearer by turning back than by going on is behind.
        """
        spot = self._ground(np.array([lon]), np.array([lat]))
        _, edge, apart, along = self._cells.near(spot)
        if not len(edge):
            return Reach(np.empty(0, np.int64), np.empty(0))
        known = not np.isnan(heading_deg)
        way = (self._edges.b - self._edges.a)[edge] / np.maximum(self._length[edge], 1e-9)[:, None]
        aim = np.array([np.sin(np.radians(heading_deg)), np.cos(np.radians(heading_deg))]) if known else np.zeros(2)
        best = int(np.argmin(apart + (_ASTRAY_M * (1 - np.abs(way @ aim)) if known else 0.0)))
        start, at_m = int(edge[best]), float(along[best])
        limits = (ahead_m, max(ahead_m, behind_m)) if known else (ahead_m, ahead_m)
        on = self._search(start, at_m, limits[0], towards_head=not known or float(way[best] @ aim) >= 0)
        back = self._search(start, at_m, limits[1], towards_head=known and float(way[best] @ aim) < 0)
        rows = np.union1d(on.rows, back.rows)
        on_m, back_m = _spread(on, rows), _spread(back, rows)
        wanted = (on_m <= np.minimum(ahead_m, back_m)) | (back_m <= (behind_m if known else ahead_m))
        return Reach(rows[wanted], np.minimum(on_m, back_m)[wanted])

    def _ground(self, lon: Floats, lat: Floats) -> Floats:
        """Places in metres: a town is flat to its lamps."""
        return np.stack([lon * self._east_m, lat * M_PER_DEGREE], 1)

    def _search(self, start: int, at_m: float, most_m: float, *, towards_head: bool) -> Reach:
        """The lamps reached from a place on a stretch by leaving it one way: nearest nodes first (Dijkstra)."""
        own = slice(int(self._first[start]), int(self._first[start + 1]))
        far = (self._along[own] - at_m) * (1 if towards_head else -1)
        found = [(self._lamp[own][far >= 0], far[far >= 0])]
        edges, length = self._edges, self._length
        first = int((edges.head if towards_head else edges.tail)[start])
        left = float(length[start]) - at_m if towards_head else at_m
        heap, settled = [(left, first)], set[int]()
        while heap:
            gone_m, node = heappop(heap)
            if node in settled or gone_m > most_m:
                continue
            settled.add(node)
            here = self._at_node[self._node[node] : self._node[node + 1]]
            heads, tails = ints(edges.head[here]), ints(edges.tail[here])
            for edge, head, tail, long in zip(ints(here), heads, tails, floats(length[here]), strict=True):
                if edge == start:
                    continue
                lamps = slice(int(self._first[edge]), int(self._first[edge + 1]))
                if lamps.stop > lamps.start:
                    along = self._along[lamps]
                    found.append((self._lamp[lamps], gone_m + (along if tail == node else long - along)))
                other = head if tail == node else tail
                if other not in settled:
                    heappush(heap, (gone_m + long, other))
        rows, far = np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])
        order = np.lexsort((far, rows))
        order = order[far[order] <= most_m]
        nearest = np.concatenate([[True], np.diff(rows[order]) != 0]) if len(order) else np.empty(0, np.bool_)
        return Reach(rows[order][nearest], far[order][nearest])


def _spread(found: Reach, rows: Int64s) -> Floats:
    """How far each of some rows is; beyond all bounds where it was not found."""
    far = np.full(len(rows), _FAR)
    far[np.searchsorted(rows, found.rows)] = found.distance_m
    return far


def _edges(corners: Floats, street: Int64s, start: Int64s) -> _Edges:
    """The stretches of lines, whose corners are nodes: those that lie together are one."""
    node = merged(corners, APART_M)
    line = np.repeat(np.arange(len(street)), np.diff(start))
    at = np.flatnonzero((np.diff(line) == 0) & (np.diff(node) != 0))
    return _Edges(node[at], node[at + 1], street[line[at]], corners[at], corners[at + 1])


def _joined(edges: _Edges) -> _Edges:
    """The same with those stretches cut in two on which another line ends."""
    ends = np.concatenate([edges.tail, edges.head])
    spots = np.concatenate([edges.a, edges.b])
    degree = np.bincount(ends, minlength=int(ends.max(initial=-1)) + 1)
    loose = np.flatnonzero(degree[ends] == 1)
    row, edge, apart, along = _Cells(edges).near(spots[loose])
    node = ends[loose][row]
    fits = (apart <= JOIN_M) & (edges.tail[edge] != node) & (edges.head[edge] != node)
    cuts: dict[int, list[tuple[float, int]]] = {}
    taken = set[int]()
    for which in ints(np.flatnonzero(fits)[np.argsort(apart[fits], kind="stable")]):
        if int(node[which]) not in taken:
            taken.add(int(node[which]))
            cuts.setdefault(int(edge[which]), []).append((float(along[which]), int(node[which])))
    if not cuts:
        return edges
    kept = np.setdiff1d(np.arange(len(edges.tail)), list(cuts))
    place = {int(ends[each]): spots[each] for each in loose}
    tail, head, street = ([*ints(each[kept])] for each in (edges.tail, edges.head, edges.street))
    a, b = [*edges.a[kept]], [*edges.b[kept]]
    for whole, own in sorted(cuts.items()):
        nodes = [int(edges.tail[whole]), *(each for _, each in sorted(own)), int(edges.head[whole])]
        corners = [edges.a[whole], *(place[each] for _, each in sorted(own)), edges.b[whole]]
        tail += nodes[:-1]
        head += nodes[1:]
        street += [int(edges.street[whole])] * (len(nodes) - 1)
        a += corners[:-1]
        b += corners[1:]
    return _Edges(np.array(tail), np.array(head), np.array(street), np.array(a), np.array(b))


def _placed(cells: _Cells, edges: _Edges, lamps: Floats, street: Int64s) -> tuple[Int64s, Floats]:
    """The stretch of each lamp, -1 for none, and how far along it the lamp stands."""
    row, edge, apart, along = cells.near(lamps)
    other = (street[row] > 0) & (edges.street[edge] != street[row])
    order = np.lexsort((apart + np.where(other, _OWN_STREET_M, 0.0), row))
    first = order[np.concatenate([[True], np.diff(row[order]) != 0])] if len(order) else order
    found, at = np.full(len(lamps), -1, np.int64), np.zeros(len(lamps))
    found[row[first]], at[row[first]] = edge[first], along[first]
    return found, at


def _chains(lamps: Floats, street: Int64s, area: Int64s) -> list[Int64s]:
    """The lamps of each street of each area in their order along its main axis, cut where they stand far apart."""
    found: list[Int64s] = []
    order = np.lexsort((area, street))
    order = order[street[order] > 0]
    if not len(order):
        return []
    edges = np.flatnonzero((np.diff(street[order]) != 0) | (np.diff(area[order]) != 0)) + 1
    for own in np.split(order, edges):
        if len(own) < 2:
            continue
        apart = lamps[own] - lamps[own].mean(0)
        axis = np.linalg.eigh(apart.T @ apart)[1][:, 1]
        own = own[np.argsort(apart @ axis, kind="stable")]
        gaps = np.hypot(*np.diff(lamps[own], axis=0).T)
        found += [each for each in np.split(own, np.flatnonzero(gaps > GAP_M) + 1) if len(each) > 1]
    return found


def _with_chains(edges: _Edges, chains: list[Int64s], lamps: Floats, street: Int64s) -> _Edges:
    """The same with a stretch between each two neighbours of chains of lamps, which join nothing else."""
    node = int(max(edges.tail.max(initial=-1), edges.head.max(initial=-1))) + 1
    tail, head = (np.concatenate([each[part] for each in chains]) for part in (slice(None, -1), slice(1, None)))
    return _Edges(
        np.concatenate([edges.tail, node + tail]),
        np.concatenate([edges.head, node + head]),
        np.concatenate([edges.street, street[tail]]),
        np.concatenate([edges.a, lamps[tail]]),
        np.concatenate([edges.b, lamps[head]]),
    )

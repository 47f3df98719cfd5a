"""The town's fabric: the faces between main lines are divided again and again into blocks; the cuts are streets.

All is exact and combinatorial: a cut begins and ends at a node that lies on an older line and is known by it, so
the graph of streets needs no snapping afterwards. A street keeps its name where a cut carries on beyond a crossing.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin

import numpy as np
import shapely
from shapely.geometry import Polygon

from vigie.sim.city.facts import COMMUNES, GROUNDS
from vigie.sim.city.frame import Bend, Floats, Waves, to_metres
from vigie.sim.city.plan import MainLine, centres_in

_SNAP_M = 24.0
_RURAL_M2 = 340_000.0


class Density:
    """How built-up a place is: 1 in a commune's centre, 0 at the town's edge, negative outside."""

    _CELL_M = 50.0

    def __init__(self, bend: Bend, outline: Polygon, rng: np.random.Generator) -> None:
        centres = centres_in(bend)
        west, south, east, north = outline.bounds
        self._west, self._south = west, south
        xs, ys = np.arange(west, east, self._CELL_M), np.arange(south, north, self._CELL_M)
        grid = np.stack(np.meshgrid(xs, ys), -1)
        shape = grid.shape[:2]
        rough = Waves.drawn(rng, 1_500, 0.20).at(grid.reshape(-1, 2)).reshape(shape)
        rough += Waves.drawn(rng, 500, 0.07).at(grid.reshape(-1, 2)).reshape(shape)
        best = np.full(shape, -9.0)
        for commune, centre in zip(COMMUNES, centres, strict=True):
            radius = (commune.population / commune.built / pi) ** 0.5 * 1_000
            far = np.hypot(*(grid - centre).transpose(2, 0, 1))
            best = np.maximum(best, 1 - far / radius / (1 + rough * np.minimum(far / radius, 1)))
        self.core_far = np.hypot(*(grid - centres[0]).transpose(2, 0, 1)).tolist()
        sites = bend.plan(to_metres([ground.place for ground in GROUNDS]))
        # Zones of activity are lit streets outside the residents' discs too.
        for ground, site in zip(GROUNDS, sites, strict=True):
            if ground.sort in ("industry", "campus", "estate"):
                radius = (ground.hectares * 1e4 / pi) ** 0.5
                far = np.hypot(*(grid - site).transpose(2, 0, 1))
                best = np.where(far < radius, np.maximum(best, 0.25), best)
        self._grid = best.tolist()
        self._rows, self._columns = shape

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        row, column = int((y - self._south) / self._CELL_M), int((x - self._west) / self._CELL_M)
        return min(max(row, 0), self._rows - 1), min(max(column, 0), self._columns - 1)

    def at(self, x: float, y: float) -> float:
        """The density at a place of the plan."""
        row, column = self._cell(x, y)
        return self._grid[row][column]

    def centre_far(self, x: float, y: float) -> float:
        """Metres to Dijon's centre."""
        row, column = self._cell(x, y)
        return self.core_far[row][column]


@dataclass(slots=True)
class Line:
    """A straight piece between two nodes of the plan, with the nodes that came to lie on it (by distance from a)."""

    a: int
    b: int
    street: int
    rank: str
    on: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


@dataclass(frozen=True, slots=True)
class Block:
    """What is left between streets. use: "built", "field", a ground's sort, or "water"."""

    corners: tuple[int, ...]
    use: str
    name: str = ""


@dataclass(slots=True)
class Fabric:
    """Nodes and lines of the plan, and the blocks between them."""

    x: list[float] = field(default_factory=list[float])
    y: list[float] = field(default_factory=list[float])
    lines: list[Line] = field(default_factory=list[Line])
    blocks: list[Block] = field(default_factory=list[Block])
    streets: int = 0

    def node(self, x: float, y: float) -> int:
        """A new node."""
        self.x.append(x)
        self.y.append(y)
        return len(self.x) - 1


Side = tuple[int, int]
"""A corner of a face: its node, and the line from it to the next corner."""


def _faces(fabric: Fabric, mains: list[MainLine]) -> Iterator[list[Side]]:
    """Cuts the main lines where they cross, fills the fabric with them, and gives the faces between."""
    lines = [main.line for main in mains]
    parts = shapely.get_parts(shapely.union_all(lines, grid_size=0.5))
    outline = Polygon(mains[-1].line)
    inside = shapely.covers(outline.buffer(1.0), parts)
    parts = parts[inside]
    tree = shapely.STRtree(lines)
    ids: dict[tuple[float, float], int] = {}
    by_ends: dict[tuple[int, int], int] = {}
    fabric.streets = len(mains)
    for part in parts:
        corners = shapely.get_coordinates(part)
        for p, q in pairwise(corners):
            source = int(tree.nearest(shapely.Point((p + q) / 2)))
            ends: list[int] = []
            for x, y in (p.tolist(), q.tolist()):
                if (x, y) not in ids:
                    ids[x, y] = fabric.node(x, y)
                ends.append(ids[x, y])
            a, b = ends
            if a != b and (a, b) not in by_ends:
                by_ends[a, b] = by_ends[b, a] = len(fabric.lines)
                fabric.lines.append(Line(a, b, source, mains[source].rank))
    for face in shapely.get_parts(shapely.polygonize(parts)):
        ring = [ids[x, y] for x, y in shapely.get_coordinates(shapely.orient_polygons(face).exterior)[:-1].tolist()]
        yield [(a, by_ends[a, b]) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]


class _Cutter:
    """Divides faces into blocks."""

    def __init__(self, fabric: Fabric, density: Density, bend: Bend, rng: np.random.Generator) -> None:
        self.fabric, self.density = fabric, density
        self._arrivals: dict[int, list[tuple[float, int]]] = {}
        self._pool = iter(rng.random(400_000).tolist())
        self._grounds = [
            (ground, *place) for ground, place in
            zip(GROUNDS, bend.plan(to_metres([ground.place for ground in GROUNDS])).tolist(), strict=True)
        ]  # fmt: skip

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._pool)

    def divide(self, face: list[Side]) -> None:
        """Cuts one face down to blocks, and files them."""
        waiting = [face]
        while waiting:
            sides = waiting.pop()
            area, x, y, density = self._measure(sides)
            size, use, name = self._wish(sides, area, x, y, density)
            halves = self._cut(sides, x, y, area, use) if area > size else None
            if halves is None:
                self._file(sides, area, use, name)
            else:
                waiting += halves

    def _measure(self, sides: list[Side]) -> tuple[float, float, float, float]:
        """Area, centre of gravity, and the highest density in reach of a face."""
        xs, ys = self.fabric.x, self.fabric.y
        area = cx = cy = 0.0
        last_x, last_y = xs[sides[-1][0]], ys[sides[-1][0]]
        ox, oy = last_x, last_y
        best = -9.0
        for node, _ in sides:
            x, y = xs[node], ys[node]
            cross = (last_x - ox) * (y - oy) - (x - ox) * (last_y - oy)
            area += cross
            cx += (last_x + x - 2 * ox) * cross
            cy += (last_y + y - 2 * oy) * cross
            best = max(best, self.density.at(x, y))
            last_x, last_y = x, y
        if abs(area) < 1e-6:
            return 0.0, ox, oy, best
        x, y = ox + cx / (3 * area), oy + cy / (3 * area)
        here = self.density.at(x, y)
        best = here if abs(area) < 140_000 else max(best, here)  # A small face is what its middle is.
        if area > 600_000:  # Corners and centre alone would miss a village in a large face.
            r = (area / 2) ** 0.5 / 2
            for k in range(16):
                for part in (0.4, 0.8, 1.2):
                    best = max(best, self.density.at(x + r * part * cos(k * pi / 8), y + r * part * sin(k * pi / 8)))
        return area / 2, x, y, best

    def _wish(self, sides: list[Side], area: float, x: float, y: float, density: float) -> tuple[float, str, str]:
        """How large the blocks of this place are, and what they hold."""
        for ground, gx, gy in self._grounds:
            near = hypot(x - gx, y - gy)
            size = ground.hectares * 1e4
            if near > (size / pi) ** 0.5 + (area / pi) ** 0.5 and near > 60:
                continue
            if ground.sort in ("park", "field"):
                if self._holds(sides, gx, gy):
                    return size * 1.35, ground.sort, ground.name
            elif near < (size / pi) ** 0.5:
                return {"industry": 52_000.0, "campus": 34_000.0, "estate": 24_000.0}[ground.sort], ground.sort, ""
        if density < 0.0:
            return _RURAL_M2 * self.between(0.7, 1.6), "field", ""
        far = self.density.centre_far(x, y)
        if far < 580:
            return self.between(5_000, 9_500), "built", ""
        size = 12_000 + 11_000 * min(max(far - 600, 0) / 2_600, 1)
        return size * self.between(0.7, 1.45), "built", ""

    def _holds(self, sides: list[Side], x: float, y: float) -> bool:
        """Whether a point lies in a face (even-odd rule)."""
        xs, ys = self.fabric.x, self.fabric.y
        inside = False
        ax, ay = xs[sides[-1][0]], ys[sides[-1][0]]
        for node, _ in sides:
            bx, by = xs[node], ys[node]
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                inside = not inside
            ax, ay = bx, by
        return inside

    def _cut(self, sides: list[Side], x: float, y: float, area: float, use: str) -> list[list[Side]] | None:
        """Cuts a face in two by a street; None if no fair cut is found."""
        xs, ys, count = self.fabric.x, self.fabric.y, len(sides)
        longest, angle = 0.0, 0.0
        for i in range(count):
            a, b = sides[i][0], sides[(i + 1) % count][0]
            dx, dy = xs[b] - xs[a], ys[b] - ys[a]
            if dx * dx + dy * dy > longest:
                longest, angle = dx * dx + dy * dy, atan2(dy, dx)
        c, s = cos(angle), sin(angle)
        along = [xs[node] * c + ys[node] * s for node, _ in sides]
        across = [ys[node] * c - xs[node] * s for node, _ in sides]
        wide, deep = max(along) - min(along), max(across) - min(across)
        organic = self.density.centre_far(x, y) < 580
        for attempt in range(3):
            jitter = self.between(-1, 1) * (0.42 if organic else 0.09) * (1 + attempt)
            cut_angle = angle + (pi / 2 if (wide >= deep) == (attempt < 2) else 0.0) + jitter
            slack = 0.16 if organic else 0.10
            px = x + self.between(-slack, slack) * wide * c - self.between(-slack, slack) * deep * s
            py = y + self.between(-slack, slack) * wide * s + self.between(-slack, slack) * deep * c
            found = self._chord(sides, px, py, cos(cut_angle), sin(cut_angle))
            if found is None:
                continue
            halves = self._split(sides, found, area, use)
            if halves is not None:
                return halves
        return None

    def _chord(self, sides: list[Side], px: float, py: float, c: float, s: float) -> list[tuple[int, float]] | None:
        """Where the line through p in direction (c, s) leaves the face on either hand: side and share along it."""
        xs, ys, count = self.fabric.x, self.fabric.y, len(sides)
        back: tuple[float, int, float] | None = None
        ahead: tuple[float, int, float] | None = None
        node = sides[0][0]
        da = (ys[node] - py) * c - (xs[node] - px) * s
        for i in range(count):
            a, b = sides[i][0], sides[(i + 1) % count][0]
            db = (ys[b] - py) * c - (xs[b] - px) * s
            if (da > 0) != (db > 0):
                t = da / (da - db)
                reach = (xs[a] + (xs[b] - xs[a]) * t - px) * c + (ys[a] + (ys[b] - ys[a]) * t - py) * s
                if reach < 0 and (back is None or reach > back[0]):
                    back = (reach, i, t)
                elif reach >= 0 and (ahead is None or reach < ahead[0]):
                    ahead = (reach, i, t)
            da = db
        if back is None or ahead is None or back[1] == ahead[1]:
            return None
        return [(back[1], back[2]), (ahead[1], ahead[2])]

    def _end(self, sides: list[Side], i: int, t: float) -> tuple[float, float, int]:
        """A chord's end on side i: its place, and the node there if one is near enough to be met, else -1."""
        xs, ys = self.fabric.x, self.fabric.y
        a, b = sides[i][0], sides[(i + 1) % len(sides)][0]
        x, y = xs[a] + (xs[b] - xs[a]) * t, ys[a] + (ys[b] - ys[a]) * t
        line = self.fabric.lines[sides[i][1]]
        best, found = _SNAP_M, -1
        for node in (a, b):
            near = hypot(xs[node] - x, ys[node] - y)
            if near < best:
                best, found = near, node
        ox, oy = xs[line.a], ys[line.a]
        here, low, high = hypot(x - ox, y - oy), hypot(xs[a] - ox, ys[a] - oy), hypot(xs[b] - ox, ys[b] - oy)
        low, high = min(low, high), max(low, high)
        for reach, node in line.on:
            if low < reach < high and abs(reach - here) < best:
                best, found = abs(reach - here), node
        return (x, y, -1) if found < 0 else (xs[found], ys[found], found)

    def _split(
        self, sides: list[Side], chord: list[tuple[int, float]], area: float, use: str
    ) -> list[list[Side]] | None:
        """Carries out a cut if both halves are worth it; all changes to the fabric happen here."""
        fabric = self.fabric
        (i, ti), (j, tj) = chord
        ax, ay, a = self._end(sides, i, ti)
        bx, by, b = self._end(sides, j, tj)
        length = hypot(bx - ax, by - ay)
        count = len(sides)
        ring = [node for node, _ in sides]
        if length < 22 or (a >= 0 and a == b):
            return None
        # A corner that is met belongs to its own place in the ring.
        at_i = ring.index(a) if a in ring else -1
        at_j = ring.index(b) if b in ring else -1
        if at_i >= 0 and at_j >= 0 and (at_i - at_j) % count in (1, count - 1):
            return None
        if (at_i >= 0 and at_i in (j, (j + 1) % count)) or (at_j >= 0 and at_j in (i, (i + 1) % count)):
            return None
        first = self._walk(sides, i, at_i, j, at_j)
        second = self._walk(sides, j, at_j, i, at_i)
        xs, ys = fabric.x, fabric.y
        part = 0.0
        loop = [(ax, ay), *((xs[n], ys[n]) for n, _ in first), (bx, by)]
        for (x0, y0), (x1, y1) in zip(loop, loop[1:] + loop[:1], strict=True):
            part += x0 * y1 - x1 * y0
        share = part / 2 / area
        if not 0.22 < share < 0.78:
            return None
        if a < 0:
            a = self._insert(ax, ay, sides[i][1])
        if b < 0:
            b = self._insert(bx, by, sides[j][1])
        line_a = sides[at_i][1] if at_i >= 0 else sides[i][1]
        line_b = sides[at_j][1] if at_j >= 0 else sides[j][1]
        rank = "path" if use == "field" else "secondary" if area > 420_000 and length > 380 else "local"
        street = self._street_through(a, b, ax, ay, bx, by)
        new = len(fabric.lines)
        fabric.lines.append(Line(a, b, street, rank))
        return [[(a, line_a), *first, (b, new)], [(b, line_b), *second, (a, new)]]

    @staticmethod
    def _walk(sides: list[Side], i: int, at_i: int, j: int, at_j: int) -> list[Side]:
        """The corners strictly between a chord's ends, going round from the first to the second."""
        count = len(sides)
        start = ((at_i if at_i >= 0 else i) + 1) % count
        stop = at_j if at_j >= 0 else (j + 1) % count
        walked: list[Side] = []
        k = start
        while k != stop and len(walked) <= count:
            walked.append(sides[k])
            k = (k + 1) % count
        return walked

    def _insert(self, x: float, y: float, line: int) -> int:
        """A new node on a line."""
        fabric = self.fabric
        node = fabric.node(x, y)
        host = fabric.lines[line]
        insort(host.on, (hypot(x - fabric.x[host.a], y - fabric.y[host.a]), node))
        return node

    def _street_through(self, a: int, b: int, ax: float, ay: float, bx: float, by: float) -> int:
        """The street that this cut carries on, or a new one."""
        fabric = self.fabric
        found = -1
        for node, out in ((a, atan2(by - ay, bx - ax)), (b, atan2(ay - by, ax - bx))):
            for other, street in self._arrivals.get(node, ()):
                if abs((other - out) % (2 * pi) - pi) < 0.42:
                    found = street
        if found < 0:
            found, fabric.streets = fabric.streets, fabric.streets + 1
        self._arrivals.setdefault(a, []).append((atan2(by - ay, bx - ax), found))
        self._arrivals.setdefault(b, []).append((atan2(ay - by, ax - bx), found))
        return found

    def _file(self, sides: list[Side], area: float, use: str, name: str) -> None:
        if use == "built":
            lucky = next(self._pool)
            if area > 2_000 and lucky < 0.035:
                use = "garden"
        self.fabric.blocks.append(Block(tuple(node for node, _ in sides), use, name))


def weave(mains: list[MainLine], bend: Bend, outline: Polygon, rng: np.random.Generator) -> tuple[Fabric, Density]:
    """The whole fabric of the plan."""
    fabric = Fabric()
    density = Density(bend, outline, rng)
    cutter = _Cutter(fabric, density, bend, rng)
    for face in _faces(fabric, mains):
        cutter.divide(face)
    return fabric, density


def corners(fabric: Fabric) -> Floats:
    """All nodes of the plan."""
    return np.stack([np.array(fabric.x), np.array(fabric.y)], -1)

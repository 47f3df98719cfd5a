"""Tiles of the town itself: its areas, waters, parks, buildings, streets and lines, as the inventory has them.

Only kinds that anybody may see are in them, so that one tile serves every Scope. A layer is a kind, all parts of the
town being one (`areas`); a feature has `name`, and `class`, its kind's first choice (a street's class). Stretches of
one street are one line, so that its name is written along it; neighbouring areas keep one border at every zoom.
"""

# shapely's functions take scalars and arrays alike and say so nowhere; what leaves this file is typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.kinds import AssetKind, Catalogue, Shape, Sort
from vigie.core.observations import Floats, Int64s, Mask
from vigie.engine.tiles.grid import unit_square
from vigie.engine.tiles.mvt import EXTENT, Paths, paths_layer

ZOOM_MIN, ZOOM_MAX = 8, 15
BUFFER = 64
"""Units around a tile that belong to it too, so that the ends of wide lines are drawn beyond the border."""

TILE_PX = 512
SIMPLE_PX = 0.5
"""How far a line may be from where it is."""

Geometries = NDArray[np.object_]

# Of shapely's numbers for types, those above this one are of what has parts.
_POLYGON = int(shapely.GeometryType.POLYGON)

# The map's names for kinds that it draws in a way of its own, and the zoom from which it does.
_LAYERS = {"building": ("buildings", 14), "street": ("streets", ZOOM_MIN), "transit_line": ("transit", ZOOM_MIN)}


@dataclass(frozen=True, slots=True)
class Outline:
    """The shape of one asset. grade: its kind's first choice. geometry: shapely's, in degrees, WGS84; None: gone."""

    no: int
    kind: str
    name: str
    grade: str
    geometry: shapely.Geometry | None


def grade_of(kind: type[AssetKind]) -> tuple[str, tuple[str, ...]]:
    """The attribute that says a kind's class on the map, its first public choice, and its values; "" for none."""
    for name, declared in kind.attributes.items():
        if declared.sort is Sort.CHOICE and declared.public:
            return name, declared.choices
    return "", ()


def drawn(catalogue: Catalogue) -> tuple[type[AssetKind], ...]:
    """The kinds that the town's tiles are made of: lines and surfaces that anybody may see."""
    return tuple(kind for kind in catalogue.assets.values() if kind.public and kind.shape is not Shape.POINT)


class Ground:
    """The town, ready to be drawn. `tile` is called by one thread at a time; `take` by any."""

    def __init__(self, catalogue: Catalogue, outlines: Sequence[Outline]) -> None:
        self.edition = 0
        self._kinds = {kind.kind: kind for kind in drawn(catalogue)}
        self._outlines: dict[str, dict[int, Outline]] = {}
        self._layers: Mapping[str, _Layer] = {}
        self.take(outlines)

    def take(self, outlines: Sequence[Outline]) -> None:
        """Takes in outlines that are new or changed, and lets go of those that are gone."""
        changed: set[str] = set()
        for outline in outlines:
            kind = self._kinds.get(outline.kind)
            if kind is None:
                continue
            name = _layer_of(kind)[0]
            changed.add(name)
            held = self._outlines.setdefault(name, {})
            if outline.geometry is None:
                held.pop(outline.no, None)
            else:
                held[outline.no] = outline
        fresh = {name: _Layer(name, list(self._outlines[name].values()), self._kinds) for name in sorted(changed)}
        self._layers = {**self._layers, **fresh}
        self.edition += 1

    def tile(self, z: int, x: int, y: int) -> bytes:
        """The tile; nothing where there is nothing. z: 8 to 15, x and y: those of a tile of it."""
        return b"".join(layer.tile(z, x, y) for layer in self._layers.values())


def _layer_of(kind: type[AssetKind]) -> tuple[str, int]:
    return ("areas", ZOOM_MIN) if kind.area else _LAYERS.get(kind.kind, (kind.kind, ZOOM_MIN))


@dataclass(frozen=True, slots=True)
class _Level:
    """A layer as one zoom draws it: simple parts, the row of properties of each, growing, and their index."""

    parts: Geometries
    row: Int64s
    bounds: Floats
    tree: shapely.STRtree


class _Layer:
    """One layer of the town. What a zoom needs is made when a tile of it is first asked for."""

    def __init__(self, name: str, outlines: Sequence[Outline], kinds: Mapping[str, type[AssetKind]]) -> None:
        self._name = name
        self._outlines = outlines
        self._kinds = kinds
        first = kinds[outlines[0].kind] if outlines else None
        self._surfaces = first is not None and first.shape is Shape.SURFACE
        self._zoom_from = _layer_of(first)[1] if first else ZOOM_MIN
        self._properties: list[dict[str, str]] = []
        self._whole: tuple[Geometries, Int64s] | None = None
        self._levels: dict[int, _Level] = {}

    def tile(self, z: int, x: int, y: int) -> bytes:
        """The layer in a tile."""
        if z < self._zoom_from or not self._outlines:
            return b""
        level = self._levels.get(z)
        if level is None:
            level = self._levels[z] = self._level(z)
        size = 0.5**z
        margin = size * BUFFER / EXTENT
        box = np.array([x * size - margin, y * size - margin, (x + 1) * size + margin, (y + 1) * size + margin])
        hits = np.sort(level.tree.query(shapely.box(*box)))
        parts, bounds = level.parts[hits], level.bounds[hits]
        across = ~((bounds[:, :2] >= box[:2]).all(axis=1) & (bounds[:, 2:] <= box[2:]).all(axis=1))
        parts[across] = shapely.clip_by_rect(parts[across], *box)
        parts, row = _simple_parts(parts, level.row[hits], surfaces=self._surfaces)
        paths = _paths(parts, row, np.array([x, y]) * size, EXTENT / size, surfaces=self._surfaces)
        return paths_layer(self._name, paths, self._properties, surfaces=self._surfaces)

    def _level(self, z: int) -> _Level:
        if self._whole is None:
            self._whole = self._surfaces_whole() if self._surfaces else self._lines_whole()
        parts, row = self._whole
        if z < ZOOM_MAX:
            # The finest tile is drawn at all nearer zooms too, so it keeps everything.
            pixel = 0.5**z / TILE_PX
            if self._surfaces:
                parts, row = self._simplified(parts, row, SIMPLE_PX * pixel)
                large = shapely.area(parts) >= pixel * pixel
            else:
                parts = shapely.simplify(parts, SIMPLE_PX * pixel)
                large = shapely.length(parts) >= pixel
            parts, row = parts[large], row[large]
        return _Level(parts, row, shapely.bounds(parts), shapely.STRtree(parts))

    def _simplified(self, parts: Geometries, row: Int64s, tolerance: float) -> tuple[Geometries, Int64s]:
        kinds = np.array([self._outlines[each].kind for each in row.tolist()])
        simple = np.empty(len(parts), np.object_)
        for kind in np.unique(kinds).tolist():
            own = kinds == kind
            simplify = shapely.coverage_simplify if self._kinds[kind].area else shapely.simplify
            simple[own] = simplify(parts[own], tolerance)
        return _simple_parts(simple, row, surfaces=True)

    def _surfaces_whole(self) -> tuple[Geometries, Int64s]:
        shapes = _projected(self._outlines)
        broken = ~shapely.is_valid(shapes)
        shapes[broken] = shapely.make_valid(shapes[broken])
        self._properties = [_properties(each.name, each.grade) for each in self._outlines]
        return _simple_parts(shapes, np.arange(len(shapes)), surfaces=True)

    def _lines_whole(self) -> tuple[Geometries, Int64s]:
        """Lines of one name and grade joined; the greatest last, since what comes last is drawn above."""
        ranks = {kind: {grade: n for n, grade in enumerate(grade_of(declared)[1])}
                 for kind, declared in self._kinds.items()}  # fmt: skip
        ordered: dict[tuple[int, str, str], int] = {}
        for each in self._outlines:
            own = ranks[each.kind]
            ordered.setdefault((-own.get(each.grade, len(own)), each.grade, each.name), 0)
        for number, key in enumerate(sorted(ordered)):
            ordered[key] = number
        group = np.array([
            ordered[-ranks[each.kind].get(each.grade, len(ranks[each.kind])), each.grade, each.name]
            for each in self._outlines
        ])  # fmt: skip
        self._properties = [_properties(name, grade) for _, grade, name in sorted(ordered)]
        order = np.argsort(group, kind="stable")
        parts, row = _simple_parts(_projected(self._outlines)[order], group[order], surfaces=False)
        merged = np.empty(len(ordered), np.object_)
        shapely.multilinestrings(parts, indices=row, out=merged)
        return _simple_parts(shapely.line_merge(merged), np.arange(len(merged)), surfaces=False)


def _properties(name: str, grade: str) -> dict[str, str]:
    return {key: said for key, said in (("name", name), ("class", grade)) if said}


def _projected(outlines: Sequence[Outline]) -> Geometries:
    """The outlines in the unit square; what has a coordinate that is no number is empty."""
    shapes = np.empty(len(outlines), np.object_)
    shapes[:] = [each.geometry for each in outlines]
    shapes = shapely.force_2d(shapes)
    xy, index = shapely.get_coordinates(shapes, return_index=True)
    shapes[index[~np.isfinite(xy).all(axis=1)]] = shapely.GeometryCollection()

    def project(lon_lat: Floats) -> Floats:
        return np.column_stack(unit_square(lon_lat[:, 0], lon_lat[:, 1]))

    return shapely.transform(shapes, project)


def _simple_parts(shapes: Geometries, row: Int64s, *, surfaces: bool) -> tuple[Geometries, Int64s]:
    """The lines, or the polygons, that shapes are made of, with the row that each comes from."""
    parts, index = shapely.get_parts(shapes, return_index=True)
    row = row[index]
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        row = row[index]
    fits: Mask = (shapely.get_dimensions(parts) == (2 if surfaces else 1)) & ~shapely.is_empty(parts)
    return parts[fits], row[fits]


def _paths(parts: Geometries, row: Int64s, corner: Floats, scale: float, *, surfaces: bool) -> Paths:
    """Parts in the units of a tile. Places that fall together are one, and what has no length or area left goes."""
    owner, outside = row, np.ones(len(parts), np.bool_)
    if surfaces:
        parts, polygon = shapely.get_rings(parts, return_index=True)
        owner, outside = row[polygon], np.diff(polygon, prepend=-1) != 0
    else:
        polygon = np.arange(len(parts))
    places, path = shapely.get_coordinates(parts, return_index=True)
    xy = np.rint((places - corner) * scale).astype(np.int64)
    fresh = np.ones(len(xy), np.bool_)
    fresh[1:] = (xy[1:] != xy[:-1]).any(axis=1) | (path[1:] != path[:-1])
    xy, path = xy[fresh], path[fresh]
    if surfaces:
        # A ring says its first place again at its end.
        last = np.append(path[1:] != path[:-1], np.ones(min(1, len(path)), np.bool_))
        xy, path = xy[~last], path[~last]
    sizes = np.bincount(path, minlength=len(parts))
    start = np.concatenate([[0], np.cumsum(sizes)])
    keep = sizes >= (3 if surfaces else 2)
    if surfaces:
        area = _areas(xy, path, start)
        # An exterior ring turns clockwise as one sees it, a hole the other way; without its exterior a hole is none.
        wrong = (area > 0) != outside
        within = np.arange(len(xy)) - start[path]
        xy = xy[np.where(wrong[path], start[path + 1] - 1 - within, np.arange(len(xy)))]
        keep &= area != 0
        keep &= keep[np.flatnonzero(outside)[np.cumsum(outside) - 1]] if len(outside) else keep
    kept = np.repeat(keep, sizes)
    return Paths(xy[kept], np.concatenate([[0], np.cumsum(sizes[keep])]), owner[keep])


def _areas(xy: Int64s, path: Int64s, start: Int64s) -> Int64s:
    """Twice the area of each ring, greater than 0 where it turns clockwise with y to the south."""
    following = np.arange(1, len(xy) + 1)
    ends = start[1:][np.diff(start) > 0] - 1
    following[ends] = start[:-1][np.diff(start) > 0]
    cross = xy[:, 0] * xy[following, 1] - xy[following, 0] * xy[:, 1]
    return np.bincount(path, weights=cross, minlength=len(start) - 1).astype(np.int64)

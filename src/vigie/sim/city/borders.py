"""Communes' territories: a power diagram of their places, weighted until each has its real area.

A power diagram (Aurenhammer 1987) gives every point to the site with the least squared distance less the site's
weight. All sites of one commune share one weight; it grows while the commune is smaller than it should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from vigie.core.arrays import shapes
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import Bend, Floats, Ints, to_metres

_CELL_M = 200.0
_ROUNDS = 240


@dataclass(frozen=True, slots=True)
class Borders:
    """The territories, in the order of the communes.

    outline_plan: the whole metropole in the plan. ground: each commune's polygon on the ground, in metres; together
    they cover the metropole without gap or overlap.
    """

    outline_plan: Polygon
    ground: tuple[Polygon, ...]

    def commune_of(self, points: Floats) -> Ints:
        """The index of the commune each point on the ground lies in, -1 outside of all."""
        found = np.full(len(points), -1, np.int64)
        # The territories ask, since GEOS prepares who asks.
        communes, rows = shapely.STRtree(shapes(shapely.points(points))).query(list(self.ground), "contains")
        found[rows] = communes
        return found


def _sites(bend: Bend) -> tuple[Floats, Ints]:
    """All places that give communes their shape, in the plan, and whose each is."""
    places = [place for commune in COMMUNES for place in (commune.centre, *commune.land)]
    owner = [i for i, commune in enumerate(COMMUNES) for _ in range(1 + len(commune.land))]
    return bend.plan(to_metres(places)), np.array(owner)


def _outline(sites: Floats, owner: Ints) -> Polygon:
    """A smooth hull: discs about the sites, as large as the communes' areas ask for."""
    total = sum(commune.area_km2 for commune in COMMUNES) * 1e6
    count = np.bincount(owner)
    radius = np.sqrt(np.array([commune.area_km2 * 1e6 for commune in COMMUNES]) / count / np.pi)[owner]
    centres = shapely.points(sites)
    low, high = 0.6, 2.5
    outline: BaseGeometry = Polygon()
    for _ in range(14):
        scale = (low + high) / 2
        outline = shapely.union_all(shapely.buffer(centres, radius * scale, quad_segs=6))
        outline = outline.buffer(1_500, quad_segs=6).buffer(-2_200, quad_segs=6).buffer(700, quad_segs=6)
        low, high = (scale, high) if outline.area < total else (low, scale)
    part = max(outline.geoms, key=lambda g: g.area) if isinstance(outline, MultiPolygon) else outline
    assert isinstance(part, Polygon)
    return Polygon(part.exterior)


def _weights(sites: Floats, owner: Ints, outline: Polygon) -> Floats:
    """The weight of each commune that gives it its real share of the outline, on a raster."""
    west, south, east, north = outline.bounds
    grid = np.stack(np.meshgrid(np.arange(west, east, _CELL_M), np.arange(south, north, _CELL_M)), -1).reshape(-1, 2)
    grid = grid[shapely.contains_xy(outline, grid)]
    squared = ((grid[:, None, :] - sites[None]) ** 2).sum(2)
    starts = np.flatnonzero(np.r_[True, np.diff(owner) > 0])
    nearest = np.minimum.reduceat(squared, starts, axis=1)
    share = np.array([commune.area_km2 for commune in COMMUNES])
    share = share / share.sum() * len(grid)
    weights = np.zeros(len(COMMUNES))
    for turn in range(_ROUNDS):
        got = np.bincount(np.argmin(nearest - weights, 1), minlength=len(COMMUNES))
        step = 0.6 * (1 - turn / _ROUNDS) + 0.05
        weights += step * (share - got) / np.maximum(share, 200) * 1.2e6
    return weights - weights.mean()


def _cells(sites: Floats, weight: Floats, outline: Polygon) -> list[Polygon]:
    """The power cell of each site, cut to the outline's box: half-planes taken off one by one."""
    west, south, east, north = outline.buffer(10).bounds
    cells: list[Polygon] = []
    for i, site in enumerate(sites):
        cell = np.array([[west, south], [east, south], [east, north], [west, north]])
        for j in np.argsort(((sites - site) ** 2).sum(1))[1:]:
            normal = sites[j] - site
            limit = (sites[j] @ sites[j] - site @ site + weight[i] - weight[j]) / 2
            side = cell @ normal - limit
            if (side <= 0).all():
                continue
            if (side > 0).all():
                cell = cell[:0]
                break
            after, side_after = np.roll(cell, -1, 0), np.roll(side, -1)
            corners: list[Floats] = []
            for a, b, sa, sb in zip(cell, after, side, side_after, strict=True):
                if sa <= 0:
                    corners.append(a)
                if (sa <= 0) != (sb <= 0):
                    corners.append(a + (b - a) * sa / (sa - sb))
            cell = np.array(corners)
        cells.append(Polygon(cell) if len(cell) > 2 else Polygon())
    return cells


def draw_borders(bend: Bend) -> Borders:
    """The communes of the real areas about their real places."""
    sites, owner = _sites(bend)
    outline = _outline(sites, owner)
    weights = _weights(sites, owner, outline)
    cells = _cells(sites, weights[owner], outline)
    territories = [
        shapely.union_all([cell for cell, whose in zip(cells, owner, strict=True) if whose == i]).intersection(outline)
        for i in range(len(COMMUNES))
    ]
    # One set of lines for all, so that a border is the same line seen from both sides.
    lines = shapely.union_all(shapely.boundary(territories), grid_size=0.01)
    bent = shapely.transform(shapely.segmentize(lines, 45.0), bend.ground)
    ground: list[list[BaseGeometry]] = [[] for _ in COMMUNES]
    tree = shapely.STRtree(territories)
    faces = shapes(shapely.get_parts(shapely.polygonize(shapely.get_parts(bent))))
    inner = bend.plan(shapely.get_coordinates(shapely.point_on_surface(faces)))
    for face, place in zip(faces, inner, strict=True):
        owners = tree.query(Point(float(place[0]), float(place[1])), "intersects")
        if len(owners):
            ground[int(owners[0])].append(face)
    merged: list[Polygon] = []
    for parts in ground:
        whole = shapely.union_all(parts)
        part = max(whole.geoms, key=lambda g: g.area) if isinstance(whole, MultiPolygon) else whole
        assert isinstance(part, Polygon)
        merged.append(part)
    return Borders(outline, tuple(merged))

"""Surfaces: water, parks, woods, and the buildings along the streets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from vigie.core.arrays import Shapes, ints, shapes
from vigie.sim.city.borders import Borders
from vigie.sim.city.fabric import Fabric
from vigie.sim.city.facts import BUILDINGS_MAX
from vigie.sim.city.frame import Bend, Floats, Ints, Waves
from vigie.sim.city.network import HALF_WIDTH_M, PATH, Network
from vigie.sim.city.plan import CANAL_HALF_WIDTH_M, OUCHE_HALF_WIDTH_M, Waters

_FINE_M = 30.0


@dataclass(frozen=True, slots=True)
class Surface:
    """A named surface on the ground, in metres."""

    name: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Buildings:
    """Footprints on the ground, their heights, and the arc each stands on."""

    shapes: Shapes
    height_m: Floats
    arc: Ints


NO_BUILDINGS = Buildings(np.empty(0, np.object_), np.empty(0), np.empty(0, np.int64))


def _down(plan: object, bend: Bend) -> Shapes:
    """Surfaces of the plan on the ground. A narrow turn may fold over itself in the bend; that is mended."""
    return shapes(shapely.make_valid(shapely.transform(shapely.segmentize(shapes(plan), _FINE_M), bend.ground)))


def waters_on_ground(waters: Waters, bend: Bend, borders: Borders) -> tuple[Surface, ...]:
    """Lake, river and canal, cut at the metropole's edge."""
    metropole = shapely.union_all(list(borders.ground))
    lake = _down(np.array([waters.lake]), bend)[0]
    surfaces = [Surface("Lac Kir", lake)]
    for name, course, half in (
        ("Ouche", waters.ouche, OUCHE_HALF_WIDTH_M), ("Canal de Bourgogne", waters.canal, CANAL_HALF_WIDTH_M),
    ):  # fmt: skip
        bed = _down(np.array([course.buffer(half, quad_segs=3)]), bend)[0]
        for part in shapely.get_parts(bed.intersection(metropole).difference(lake)):
            if part.geom_type == "Polygon" and part.area > 100:
                surfaces.append(Surface(name, part))
    return tuple(surfaces)


def greens_on_ground(fabric: Fabric, bend: Bend, borders: Borders, rng: np.random.Generator) -> tuple[Surface, ...]:
    """Parks and gardens between streets, and the woods on the western heights and along the eastern plain."""
    xs, ys = np.array(fabric.x), np.array(fabric.y)
    plan = [Polygon(np.stack([xs[list(b.corners)], ys[list(b.corners)]], -1)) for b in fabric.blocks]
    uses = np.array([block.use for block in fabric.blocks])
    polygons = np.array(plan)
    fields = np.flatnonzero(uses == "field")
    middle = shapely.get_coordinates(shapely.centroid(polygons[fields]))
    western = -middle[:, 0] / 5_000 - 0.55
    wooded = fields[western + Waves.drawn(rng, 3_000, 0.45).at(middle) > 0.35]
    metropole = shapely.union_all(list(borders.ground))
    green: list[Surface] = []
    # A cut that met a node aside of its way may cross a side of its block.
    whole = shapely.make_valid(polygons[wooded])
    woods = shapely.union_all(whole).buffer(60, quad_segs=3).buffer(-105, quad_segs=3)
    for k, part in enumerate(shapely.get_parts(_down(np.array([woods]), bend)[0].intersection(metropole))):
        if part.geom_type == "Polygon" and part.area > 60_000:
            green.append(Surface(f"Bois {k + 1}", part))
    parks = np.flatnonzero((uses == "park") | (uses == "garden"))
    inner = _down(shapely.buffer(polygons[parks], -7.0, quad_segs=2), bend)
    for block, shape in zip(parks.tolist(), inner, strict=True):
        if shape.geom_type == "Polygon" and shape.area > 900 and metropole.contains(shape):
            green.append(Surface(fabric.blocks[block].name or "Jardin", shape))
    return tuple(green)


def _along_streets(network: Network, rng: np.random.Generator) -> tuple[Floats, Ints, Floats]:
    """Corners of candidate footprints on both hands of all streets of the town, their arc and height."""
    arcs = np.flatnonzero(
        (network.rank != PATH) & (network.rank > 0) & (network.density > 0.0) & (network.length_m > 34)
    )
    centre = network.centre_m[arcs]
    arcs = arcs[np.argsort(centre - 2_500 * network.density[arcs], kind="stable")]
    core = network.centre_m[arcs] < 620
    town = (network.centre_m[arcs] < 2_600) & ~core
    pitch = np.where(core, 15.0, np.where(town, 17.5, 23.0))
    margin = np.where(core, 8.0, 13.0)
    count = np.maximum(((network.length_m[arcs] - 2 * margin) / pitch).astype(np.int64), 0)
    total = np.cumsum(count) * 2
    cut = int(np.searchsorted(total, BUILDINGS_MAX * 2.1)) + 1
    arcs, core, town, pitch, margin, count = (v[:cut] for v in (arcs, core, town, pitch, margin, count))
    arc: Ints = np.repeat(arcs, count).astype(np.int64)
    k = np.arange(len(arc)) - np.repeat(np.cumsum(count) - count, count)
    spread = np.repeat((network.length_m[arcs] - 2 * margin) / np.maximum(count, 1), count)
    place, way = network.along(arc, np.repeat(margin, count) + (k + 0.5) * spread)
    core, town = np.repeat(core, count), np.repeat(town, count)
    outlines: list[Floats] = []
    heights: list[Floats] = []
    for hand in (1.0, -1.0):
        size = len(arc)
        front = spread * np.where(core, 1.0, np.where(town, rng.uniform(0.72, 1.0, size), rng.uniform(0.42, 0.7, size)))
        depth = np.where(core, rng.uniform(10, 14, size), rng.uniform(8.5, 13, size))
        setback = np.where(core, 0.8, np.where(town, rng.choice((1.0, 3.5), size), rng.uniform(4.0, 8.0, size)))
        normal = np.stack([-way[:, 1], way[:, 0]], -1) * hand
        base = place + normal * (np.array(HALF_WIDTH_M)[network.rank[arc]] + 1.2 + setback)[:, None]
        half, back = way * (front / 2)[:, None], normal * depth[:, None]
        outlines.append(np.stack([base - half, base + half, base + half + back, base - half + back], 1))
        heights.append(np.where(core, rng.uniform(11, 19, size), np.where(town, rng.uniform(7, 22, size),
                                                                         rng.uniform(4, 9, size))))  # fmt: skip
    order = np.argsort(np.concatenate([np.arange(len(arc))] * 2), kind="stable")
    return np.concatenate(outlines)[order], np.concatenate([arc, arc])[order], np.concatenate(heights)[order]


def build(network: Network, keep_clear: tuple[Surface, ...], rng: np.random.Generator) -> Buildings:
    """Footprints that stand on no street, in no water or park, and not in each other; those nearest to a centre."""
    corners, arc, height = _along_streets(network, rng)
    houses = shapes(shapely.polygons(corners))
    rows = np.repeat(np.arange(len(network)), np.diff(network.start))
    streets = shapes(shapely.linestrings(network.xy, indices=rows))
    # Half of the widest street would clear too much; the axis and a pavement is what must stay free.
    hit = shapely.STRtree(streets).query(houses, "dwithin", distance=3.2)[0]
    clear = np.ones(len(houses), np.bool_)
    clear[hit] = False
    # The large shapes ask, since GEOS prepares who asks: a wood would be walked around for each house.
    blocked = shapely.STRtree(houses).query([surface.shape for surface in keep_clear], "intersects")[1]
    clear[blocked] = False
    left = np.flatnonzero(clear)
    inner: Floats = corners[left] * 0.94 + np.repeat(corners[left].mean(1)[:, None, :], 4, 1) * 0.06
    small = shapes(shapely.polygons(inner))
    first, second = shapely.STRtree(small).query(small, "intersects")
    gone = np.zeros(len(left), np.bool_)
    for a, b in zip(ints(first[first < second]), ints(second[first < second]), strict=True):
        if not gone[a]:
            gone[b] = True
    kept = left[~gone][:BUILDINGS_MAX]
    return Buildings(houses[kept], np.round(height[kept], 1), arc[kept])

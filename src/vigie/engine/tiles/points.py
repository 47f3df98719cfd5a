"""Tiles of assets: where the fixed things stand that a Scope shows.

The layer is `assets`; a feature's id is the asset's number and `k` its kind's code, as the API's kinds say it. From
zoom 11 every visible asset is in exactly the tile that it lies in, so that a reader of all tiles of such a zoom knows
all places. Wider tiles have one point a pixel and kind, with `n`, the number of assets that it stands for.

What moves is not here: it comes over the socket. Retired assets are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.kinds import AssetKind, Shape, Sort
from vigie.core.observations import Int64s, Mask
from vigie.core.scope import Scope
from vigie.engine.registry import Registry
from vigie.engine.tiles.grid import GRID_BITS, UNIT_BITS, UNITS, morton, on_grid, tile_span, unit_square
from vigie.engine.tiles.mvt import points_layer

ZOOM_MIN, ZOOM_MAX = 8, 16
ALL_FROM_ZOOM = 11
PIXEL_BITS = 4
"""A tile is drawn 512 pixels wide: 16 of its 8,192 units are one."""


def stands(kind: type[AssetKind]) -> bool:
    """Whether assets of a kind are points that stay where they are."""
    return kind.shape is Shape.POINT and not any(point.sort is Sort.PLACE for point in kind.points.values())


@dataclass(frozen=True, slots=True)
class AssetIndex:
    """The fixed assets of one edition of the registry, in the order of the quadtree. Columns of one length.

    key: Morton's order. x, y: on the grid of 29 bits. no, kind, area: number, kind's code, area's code. areas, kinds:
    what a Scope is asked about the codes.
    """

    edition: int
    key: Int64s
    x: Int64s
    y: Int64s
    no: Int64s
    kind: Int64s
    area: Int64s
    areas: tuple[str, ...]
    kinds: tuple[tuple[str, str, bool], ...]

    @staticmethod
    def of(registry: Registry) -> AssetIndex:
        """The index of what the registry holds now."""
        # In this order: what is added meanwhile belongs to the next edition, and every area's code has its path.
        edition, count = registry.version, registry.count
        fixed = np.array([stands(kind) for kind in registry.kinds], np.bool_)
        kind = registry.kind[:count].astype(np.int64)
        here = np.zeros(count, np.bool_)
        here[1:] = fixed[kind[1:]] & ~registry.gone[1:count]
        no = np.flatnonzero(here)
        area = registry.area[no].astype(np.int64)
        x, y = (on_grid(unit) for unit in unit_square(registry.lon[no], registry.lat[no]))
        key = morton(x, y)
        row = np.argsort(key, kind="stable")
        kinds = tuple((each.service, each.verb, each.public) for each in registry.kinds)
        areas = tuple(registry.areas)
        return AssetIndex(edition, key[row], x[row], y[row], no[row], kind[no][row], area[row], areas, kinds)

    def visible(self, scope: Scope) -> Mask:
        """[area, kind] -> whether the Scope shows such assets."""
        return scope.table(self.areas, self.kinds)

    def tile(self, z: int, x: int, y: int, visible: Mask) -> bytes:
        """The tile of what is visible; nothing where there is none. z: 8 to 16, x and y: those of a tile of it."""
        low, high = np.searchsorted(self.key, tile_span(z, x, y))
        rows = slice(int(low), int(high))
        seen = visible[self.area[rows], self.kind[rows]]
        no, kind = self.no[rows][seen], self.kind[rows][seen]
        at_x, at_y = (
            (column[rows][seen] - (corner << (GRID_BITS - z))) >> (GRID_BITS - z - UNIT_BITS)
            for column, corner in ((self.x, x), (self.y, y))
        )
        if z >= ALL_FROM_ZOOM:
            return points_layer("assets", no, at_x, at_y, {"k": kind}, extent=UNITS)
        pixel = ((kind * UNITS + at_y) >> PIXEL_BITS) * UNITS + (at_x >> PIXEL_BITS)
        _, first, count = np.unique(pixel, return_index=True, return_counts=True)
        thin = (no[first], at_x[first], at_y[first])
        return points_layer("assets", *thin, {"k": kind[first], "n": count.astype(np.int64)}, extent=UNITS)

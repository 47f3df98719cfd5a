"""Vector tiles: how long the map waits for the post when nothing is kept yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import numpy as np
import shapely

from bench.harness import RUNS, Measured, measurement
from vigie.api.tiles import Tile
from vigie.app import services
from vigie.core.assets import AssetRecord
from vigie.core.scope import Scope
from vigie.engine.loop import catalogue_of
from vigie.engine.registry import Registry
from vigie.engine.tiles.grid import GRID_BITS, unit_square
from vigie.engine.tiles.ground import Ground, Outline, drawn, grade_of
from vigie.engine.tiles.points import AssetIndex
from vigie.sim.city import generate
from vigie.sim.city.inventory import drafts

ASSETS = 100_000
CENTRE = (5.04, 47.32)
ACROSS_DEG = (0.3, 0.2)
"""A metropolis of some twenty kilometres."""

OVERVIEW_ZOOM = 11
NEAR_ZOOM = 15


def _registry() -> Registry:
    """So many lamps, spread over a metropolis at random."""
    catalogue = catalogue_of(services())
    points = [(kind.kind, point) for kind in catalogue.assets.values() for point in kind.points]
    registry = Registry(catalogue, {key: number for number, key in enumerate(points, 1)})
    dice = Random(1)

    def spread(axis: int) -> float:
        return CENTRE[axis] + (dice.random() - 0.5) * ACROSS_DEG[axis]

    registry.add(
        AssetRecord(
            no=no, id=f"luminaire-{no:06d}", kind="luminaire", name="", area=f"metropole/{no % 23}", street="",
            parent=0, reporter=0, lon=spread(0), lat=spread(1), attributes={}, made_us=0,
        )
        for no in range(1, ASSETS + 1)
    )  # fmt: skip
    return registry


def _town() -> Ground:
    """The simulated metropolis, with its buildings."""
    catalogue = catalogue_of(services())
    grades = {kind.kind: grade_of(kind)[0] for kind in drawn(catalogue)}
    whole = [draft for draft in drafts(generate(1)) if draft.kind in grades]
    shapes = shapely.from_wkb([draft.geometry for draft in whole]).tolist()
    return Ground(
        catalogue,
        [
            Outline(no, draft.kind, draft.name, str(draft.attributes.get(grades[draft.kind], "")), shape)
            for no, (draft, shape) in enumerate(zip(whole, shapes, strict=True), 1)
        ],
    )


def _timed(work: Callable[[], int]) -> tuple[list[float], int]:
    """Milliseconds of each run, and what the work says of its size."""
    runs: list[float] = []
    size = 0
    for _ in range(RUNS):
        start = time.perf_counter()
        size = work()
        runs.append((time.perf_counter() - start) * 1_000)
    return runs, size


@measurement("tiles.assets_z11")
def assets_z11() -> Measured:
    """All places of a city from an empty cache: index, Scope, every tile of zoom 11, compressed."""
    registry = _registry()
    scope = Scope.everything()

    def work() -> int:
        index = AssetIndex.of(registry)
        visible = index.visible(scope)
        shift = GRID_BITS - OVERVIEW_ZOOM
        tiles = sorted(set(zip((index.x >> shift).tolist(), (index.y >> shift).tolist(), strict=True)))
        return sum(len(Tile.of(index.tile(OVERVIEW_ZOOM, x, y, visible)).packed) for x, y in tiles)

    runs, size = _timed(work)
    return Measured(
        "tiles.assets_z11", "ms", runs, 500, False, f"{ASSETS:,} assets, {size:,} bytes compressed", "1 process"
    )


@measurement("tiles.base")
def base() -> Measured:
    """The nine tiles of zoom 15 around the middle of the simulated metropolis, as a first look at it asks for them."""
    town = _town()
    side = 1 << NEAR_ZOOM
    x, y = (int(value * side) for value in unit_square(*map(np.array, CENTRE)))
    town.tile(NEAR_ZOOM, x, y)

    def work() -> int:
        around = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        return sum(len(Tile.of(town.tile(NEAR_ZOOM, *each)).packed) for each in around)

    runs, size = _timed(work)
    return Measured(
        "tiles.base", "ms", runs, 300, False, f"9 tiles of zoom {NEAR_ZOOM}, {size:,} bytes compressed", "1 process"
    )

"""The grid of tiles: places in the unit square of Web Mercator, and in the order of a quadtree.

A place is two whole numbers of 29 bits: the tile of zoom 16 it lies in, and 8,192 units within it. Their bits in turn
(Morton's order) make one number in which every tile, of any zoom down to 16, is one slice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s

UInt64s = NDArray[np.uint64]

ZOOM_MAX = 16
UNIT_BITS = 13
UNITS = 1 << UNIT_BITS
"""Units on the side of a tile of points: what MapLibre reckons with itself, so that nothing is rounded twice."""

GRID_BITS = ZOOM_MAX + UNIT_BITS
LATITUDE_MAX = 85.0511287798066

_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def unit_square(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Degrees to the unit square of Web Mercator: x to the east, y to the south. Beyond 85.05 degrees y is 0 or 1."""
    sine = np.sin(np.radians(np.clip(lat, -LATITUDE_MAX, LATITUDE_MAX)))
    return lon / 360 + 0.5, np.clip(0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi), 0, 1)


def on_grid(unit: Floats) -> Int64s:
    """Coordinates of the unit square as whole numbers of 29 bits."""
    side = 1 << GRID_BITS
    return np.clip(np.floor(unit * side), 0, side - 1).astype(np.int64)


def morton(x: Int64s, y: Int64s) -> Int64s:
    """The place in the order of the quadtree: the bits of both in turn."""
    return (_spread(x) | _spread(y) << np.uint64(1)).astype(np.int64)


def tile_span(z: int, x: int, y: int) -> tuple[int, int]:
    """The slice of that order which a tile is: its first number, and the first that is no more of it."""
    bits = 2 * (GRID_BITS - z)
    here = int(morton(np.array([x]), np.array([y]))[0])
    return here << bits, (here + 1) << bits


def _spread(values: Int64s) -> UInt64s:
    spread = values.astype(np.uint64)
    for shift, mask in _SPREAD:
        spread = (spread | spread << np.uint64(shift)) & np.uint64(mask)
    return spread

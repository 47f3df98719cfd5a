"""Geometries by the array: the only place that calls shapely."""

# shapely's functions take scalars and arrays alike and say so nowhere; their results are typed here, once.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from vigie.core.kinds import Shape

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Move = Callable[[Floats, Floats], tuple[Floats, Floats]]

DIGITS = 7
"""Decimals of a degree that are kept: a centimetre, and far above what reprojecting twice can differ by."""

_SHAPES = {
    0: Shape.POINT,
    1: Shape.LINE,
    2: Shape.LINE,
    3: Shape.SURFACE,
    4: Shape.POINT,
    5: Shape.LINE,
    6: Shape.SURFACE,
}


def shape_of(geometry: BaseGeometry) -> Shape | None:
    """Point, line or surface; None for an empty geometry or a mixed collection."""
    return None if geometry.is_empty else _SHAPES.get(int(shapely.get_type_id(geometry)))


def points(x: Sequence[float], y: Sequence[float]) -> list[BaseGeometry]:
    """One point for each pair."""
    made = cast(NDArray[np.object_], shapely.points(np.asarray(x, np.float64), np.asarray(y, np.float64)))
    return list(made)


def line(coordinates: Sequence[Sequence[float]]) -> BaseGeometry:
    """A line through the coordinates. Raises ValueError where they make none."""
    return cast(BaseGeometry, shapely.linestrings(np.asarray(coordinates, np.float64)[:, :2]))


def from_interface(interface: Any) -> BaseGeometry:
    """A geometry from its GeoJSON-like dictionary. Raises ValueError and the like for a malformed one."""
    return shapely.force_2d(shapely.geometry.shape(interface))


def from_geojson(texts: Sequence[str]) -> list[BaseGeometry | None]:
    """Geometries from GeoJSON texts, None for each that is null or malformed."""
    read = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    return cast("list[BaseGeometry | None]", list(shapely.force_2d(read)))


def from_wkb(wkb: bytes) -> BaseGeometry:
    """A geometry from well-known binary."""
    return shapely.force_2d(shapely.from_wkb(wkb))


def to_wkb(geometry: BaseGeometry) -> bytes:
    """Well-known binary, little-endian and flat, so that the same geometry always gives the same bytes."""
    return shapely.to_wkb(geometry, output_dimension=2, byte_order=1)


def coordinates(geometries: Sequence[BaseGeometry]) -> tuple[Floats, Floats]:
    """The x and the y of every vertex."""
    found = shapely.get_coordinates(np.array(geometries, dtype=object))
    return found[:, 0], found[:, 1]


def moved(geometries: Sequence[BaseGeometry], move: Move) -> list[BaseGeometry]:
    """The geometries with their vertices moved, rounded to `DIGITS`; one call of `move` for all of them."""

    def rounded(vertices: Floats) -> Floats:
        x, y = move(vertices[:, 0], vertices[:, 1])
        return np.column_stack((x, y)).round(DIGITS) + 0.0  # + 0.0: there is one zero, not two

    return cast(list[BaseGeometry], list(shapely.transform(np.array(geometries, dtype=object), rounded)))


def within(geometries: Sequence[BaseGeometry], west: float, south: float, east: float, north: float) -> Flags:
    """Whether each geometry is finite and lies in the box."""
    box = shapely.bounds(np.array(geometries, dtype=object))
    return (box[:, 0] >= west) & (box[:, 1] >= south) & (box[:, 2] <= east) & (box[:, 3] <= north)


def mended(geometries: Sequence[BaseGeometry]) -> tuple[list[BaseGeometry], int]:
    """Surfaces whose rings cross themselves made whole, and how many there were."""
    array = np.array(geometries, dtype=object)
    bad = np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_valid(array)
    for i in np.flatnonzero(bad):
        whole = shapely.make_valid(array[i], method="structure", keep_collapsed=False)
        array[i] = shapely.transform(whole, lambda vertices: vertices.round(DIGITS) + 0.0)
    return cast(list[BaseGeometry], list(array)), int(bad.sum())


def places(geometries: Sequence[BaseGeometry]) -> tuple[Floats, Floats]:
    """A point on each geometry: itself, the middle of a line, a point inside a surface."""
    array = np.array(geometries, dtype=object)
    kind = shapely.get_type_id(array)
    spots = array.copy()
    lines, surfaces, clouds = np.isin(kind, (1, 2, 5)), np.isin(kind, (3, 6)), kind == 4
    if lines.any():
        spots[lines] = shapely.line_interpolate_point(array[lines], 0.5, normalized=True)
    if surfaces.any():
        spots[surfaces] = shapely.point_on_surface(array[surfaces])
    if clouds.any():
        spots[clouds] = shapely.centroid(array[clouds])
    x, y = shapely.get_x(spots), shapely.get_y(spots)
    return x.round(DIGITS) + 0.0, y.round(DIGITS) + 0.0


def surface(corners: Sequence[tuple[float, float]], margin: float) -> BaseGeometry:
    """The surface inside the corners, given in their order, and a margin around it."""
    return cast(BaseGeometry, shapely.buffer(shapely.polygons(np.array(corners)), margin))


def holds(surface: BaseGeometry, x: Floats, y: Floats) -> Flags:
    """Whether the surface holds each point."""
    return shapely.contains_xy(surface, x, y)

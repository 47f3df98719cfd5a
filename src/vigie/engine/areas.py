"""Areas: the parts of the town as paths, and which of them each place lies in. Pure.

An area's own path is that of the area it lies in and its name as addresses are written, "montpellier/mosson". Of the
areas that hold a place the narrowest counts: a district before its commune, and of two of one kind the smaller. A
place on a border belongs to one side, always the same.
"""

# shapely's functions take scalars and arrays alike and say so nowhere; what leaves this file is typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s


@dataclass(frozen=True, slots=True)
class Area:
    """One part of the town.

    rank: of its kind, from the widest to the narrowest. name: what its path ends with, before it is made one.
    within: the path it is said to lie in; empty: found by the place lon, lat (degrees). surface: WKB in WGS84.
    """

    rank: int
    name: str
    within: str
    lon: float
    lat: float
    surface: bytes


def segment(name: str) -> str:
    """A name as one step of a path: "Marsannay-la-Côte" is "marsannay-la-cote"."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", "-", plain.lower()).strip("-")


class Areas:
    """The town's parts, ready to be asked. Areas without a readable surface hold nothing."""

    def __init__(self, areas: Sequence[Area]) -> None:
        surfaces = np.empty(len(areas), np.object_)
        surfaces[:] = readable([area.surface for area in areas])
        size = np.nan_to_num(shapely.area(surfaces))
        # From the widest to the narrowest, so that of those that hold a place the last is the one.
        self._order = sorted(range(len(areas)), key=lambda i: (areas[i].rank, -float(size[i]), i))
        self._surfaces = surfaces[self._order]
        shapely.prepare(self._surfaces)
        self.paths = [""] * len(areas)
        """The own path of each area, in the order in which they were given."""
        self._name(areas)

    def find(self, lon: Sequence[float], lat: Sequence[float]) -> list[str]:
        """The path of the narrowest area that holds each place (degrees); empty for none."""
        return [self.paths[i] if i >= 0 else "" for i in self.index(lon, lat).tolist()]

    def index(self, lon: Sequence[float] | Floats, lat: Sequence[float] | Floats) -> Int64s:
        """The same as the area's place among those that were given; -1 for none."""
        return np.array([*self._order, -1], np.int64)[self._held(lon, lat)]

    def _held(self, lon: Sequence[float] | Floats, lat: Sequence[float] | Floats) -> Int64s:
        """For each place the last of the surfaces that hold it, -1 for none."""
        held = np.full(len(lon), -1, np.int64)
        if len(lon) and len(self._surfaces):
            places = cast(NDArray[Any], shapely.points(np.asarray(lon, np.float64), np.asarray(lat, np.float64)))
            surface, place = shapely.STRtree(places).query(self._surfaces, predicate="intersects")
            np.maximum.at(held, place, surface)
        return held

    def _name(self, areas: Sequence[Area]) -> None:
        spots = shapely.points([areas[i].lon for i in self._order], [areas[i].lat for i in self._order])
        tree = shapely.STRtree(spots)
        around: list[list[int]] = [[] for _ in areas]
        for surface, inner in zip(*tree.query(self._surfaces, predicate="intersects"), strict=True):
            around[int(inner)].append(int(surface))
        for position, i in enumerate(self._order):
            outer = max((each for each in around[position] if each < position), default=-1)
            within = areas[i].within or (self.paths[self._order[outer]] if outer >= 0 else "")
            self.paths[i] = f"{within}/{segment(areas[i].name)}".strip("/")


def readable(blobs: Sequence[bytes | None]) -> list[Any]:
    """The geometries of well-known binaries; None for each that is missing or is none."""
    array = np.empty(len(blobs), np.object_)
    array[:] = blobs
    return list(shapely.from_wkb(array, on_invalid="ignore"))


def shapes_of(blobs: Sequence[bytes | None]) -> list[str | None]:
    """Of each well-known binary what it draws, "point", "line" or "surface"; None for what is none, or not in degrees
    on Earth; empty where there is no binary."""
    geometries = np.empty(len(blobs), np.object_)
    geometries[:] = readable(blobs)
    box = shapely.bounds(geometries)
    on_earth = (box[:, 0] >= -180) & (box[:, 1] >= -90) & (box[:, 2] <= 180) & (box[:, 3] <= 90)
    sorts = shapely.get_type_id(geometries)
    return [
        "" if blob is None else _DRAWN.get(int(sort)) if good else None
        for blob, sort, good in zip(blobs, sorts, on_earth, strict=True)
    ]


_DRAWN = {0: "point", 1: "line", 2: "line", 3: "surface", 4: "point", 5: "line", 6: "surface"}

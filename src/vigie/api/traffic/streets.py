"""Where detectors count: each on its stretch of a street, drawn in the direction in which it is driven."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import cos, radians
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s
from vigie.engine.loop import Engine
from vigie.services.places import Street
from vigie.services.signals import Detector

NEAR_M = 60.0
"""No detector counts on a stretch that is further away."""

M_PER_DEGREE = 111_320.0
URBAN_KM_H = 50.0
"""The free speed of a stretch of which no limit is known (Code de la route, R413-3)."""

WINDS = ("N", "NE", "E", "SE", "S", "SO", "O", "NO")
_WINDS_EN = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
"""Directions as inventories say them, in either language, from the north clockwise."""


@dataclass(frozen=True)
class Counting:
    """A detector on its stretch. line: corners (longitude, latitude), from where one comes to where one goes, as they
    are told. both: whether its direction is unknown, so that the line may be driven either way."""

    detector: int
    street: int
    line: list[tuple[float, float]]
    both: bool
    lanes: float
    limit_km_h: float


class Stretches:
    """The detectors of a town on their stretches, found once for each change of the inventory, however many ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: tuple[int, asyncio.Future[tuple[Counting, ...]]] | None = None

    async def ask(self) -> tuple[Counting, ...]:
        """Them, as the inventory is now."""
        version = self._engine.registry.version
        if self._found is None or self._found[0] != version:
            self._found = version, asyncio.ensure_future(asyncio.to_thread(counting, self._engine))
        finding = self._found[1]
        try:
            return await asyncio.shield(finding)
        except Exception:
            if self._found[1] is finding:
                self._found = None
            raise


def counting(engine: Engine) -> tuple[Counting, ...]:
    """The detectors of a town that lie on a street. May be called from any thread; what is gone meanwhile is left out
    by whoever tells."""
    assets, _, start, lon, lat = engine.facts.lines()
    if not len(assets):
        return ()
    registry, said = engine.registry, engine.attributes
    limits_of, limits = said.of(Street, ("speed_limit",))
    limit = dict(zip(limits_of.tolist(), limits["speed_limit"].tolist(), strict=True))
    numbers, own = said.of(Detector, ("direction", "lanes"))
    east_m = M_PER_DEGREE * cos(radians(float(lat.mean())))
    corners = np.stack([lon * east_m, lat * M_PER_DEGREE], 1)
    drawn: Any = shapely.linestrings(corners, indices=np.repeat(np.arange(len(assets)), np.diff(start)))
    places = np.stack([registry.lon[numbers] * east_m, registry.lat[numbers] * M_PER_DEGREE], 1)
    row, line, apart = _nearest(drawn, places)
    degrees = np.stack([lon, lat], 1).round(6)
    found: list[Counting] = []
    for at, nth, _ in sorted(zip(row.tolist(), line.tolist(), apart.tolist(), strict=True)):
        course = degrees[start[nth] : start[nth + 1]]
        heading = _heading(str(own["direction"][at]))
        if heading is not None and _against(corners[start[nth] : start[nth + 1]], heading):
            course = course[::-1]
        lanes, of = float(own["lanes"][at]), float(limit.get(int(assets[nth]), np.nan))
        lanes, of = lanes if lanes > 0 else 1.0, of if of > 0 else URBAN_KM_H
        told = [(float(each[0]), float(each[1])) for each in course]
        found.append(Counting(int(numbers[at]), int(assets[nth]), told, heading is None, lanes, of))
    return tuple(found)


def _nearest(lines: NDArray[np.object_], places: Floats) -> tuple[Int64s, Int64s, Floats]:
    tree = shapely.STRtree(lines)
    pairs, apart = tree.query_nearest(
        shapely.points(places), max_distance=NEAR_M, return_distance=True, all_matches=False
    )
    return pairs[0].astype(np.int64), pairs[1].astype(np.int64), apart.astype(float)


def _heading(direction: str) -> float | None:
    """Degrees from north of a direction as the inventory says it; None for what is no wind."""
    word = direction.strip().upper()
    for winds in (WINDS, _WINDS_EN):
        if word in winds:
            return winds.index(word) * 45.0
    return None


def _against(course: Floats, heading: float) -> bool:
    """Whether a course, in metres, runs against a heading."""
    way = course[-1] - course[0]
    return bool(way[0] * np.sin(np.radians(heading)) + way[1] * np.cos(np.radians(heading)) < 0)

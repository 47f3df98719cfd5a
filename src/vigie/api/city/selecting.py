"""Which assets a question or an order means: all of what is said must fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from vigie.api.problems import Problem
from vigie.core.observations import Floats, Mask
from vigie.core.scope import lies_in
from vigie.engine.registry import Registry

CORNERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Selected:
    """What is said of assets; what is empty says nothing.

    area: a path, with all below it. street: a name to the letter. bbox: west, south, east, north. polygon: corners
    (longitude, latitude), closed by itself.
    """

    kind: str = ""
    street: str = ""
    area: str = ""
    bbox: tuple[float, float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] = ()

    def mask(self, registry: Registry, lon: Floats, lat: Floats) -> Mask:
        """Which assets in service fit; for each asset number. lon, lat: where each is, in degrees. Raises Problem 400
        for a kind that there is not."""
        span = slice(0, registry.count)
        fits = ~registry.gone[span]
        fits[0] = False
        if self.kind:
            code = registry.kind_codes.get(self.kind)
            if code is None:
                raise Problem(400, "Unknown kind", f"There is no kind {self.kind!r}.", mend="GET /api/v1/kinds.")
            fits &= registry.kind[span] == code
        if self.street:
            fits &= registry.street[span] == registry.street_codes.get(self.street, -1)
        if self.area:
            within = np.array([lies_in(path, self.area) for path in registry.areas], np.bool_)
            fits &= within[registry.area[span]]
        if self.bbox is not None:
            west, south, east, north = self.bbox
            fits &= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        if self.polygon:
            near = np.flatnonzero(fits)
            # A loop drawn by hand crosses itself; what it goes around an odd number of times is inside.
            shape = shapely.make_valid(shapely.Polygon(self.polygon))
            inside = shapely.contains_xy(shape, lon[near], lat[near])
            fits[near[~inside]] = False
        return fits


def numbers_of(said: str, what: str) -> tuple[float, ...]:
    """The numbers of "a,b,c". Raises Problem 400."""
    try:
        numbers = tuple(float(part) for part in said.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(map(np.isfinite, numbers)):
        raise Problem(400, "Impossible parameter", f"{what} is made of numbers, with commas between them.")
    return numbers


def bbox_of(said: str) -> tuple[float, float, float, float] | None:
    """The box of "west,south,east,north"; None for "". Raises Problem 400."""
    if not said:
        return None
    numbers = numbers_of(said, "bbox")
    if len(numbers) != 4:
        raise Problem(400, "Impossible parameter", "bbox has four numbers: west,south,east,north.")
    return numbers


def polygon_of(said: str) -> tuple[tuple[float, float], ...]:
    """The corners of "lon,lat;lon,lat;..."; none for "". Raises Problem 400."""
    if not said:
        return ()
    parts = said.split(";")
    if len(parts) > CORNERS_MAX:
        raise Problem(400, "Too many corners", f"A polygon may have {CORNERS_MAX} corners.")
    corners = [numbers_of(part, "polygon") for part in parts]
    if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
        raise Problem(400, "Impossible parameter", "polygon has three corners or more: lon,lat;lon,lat;lon,lat.")
    return tuple((corner[0], corner[1]) for corner in corners)

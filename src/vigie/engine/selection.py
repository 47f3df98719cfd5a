"""Selections: how a person names the assets that a list shows or an order is meant for. Frozen to numbers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from vigie.core.ground import M_PER_DEGREE
from vigie.core.observations import Floats, Mask
from vigie.core.scope import lies_in
from vigie.core.service import Numbers
from vigie.engine.registry import Registry

CORNERS_MAX = 2_000

PATH_M_MAX = 5_000.0
"""A way that is longer is no walk home."""


@dataclass(frozen=True, slots=True)
class Path:
    """A way: its places (longitude, latitude) in their order, and how far from it an asset may stand, in metres."""

    places: Sequence[tuple[float, float]]
    within_m: float


class SelectionWrong(Exception):
    """What was said selects nothing that can be understood; says why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The conditions that an asset must fulfil, all of them; None or "" asks for nothing.

    assets: ids. kinds, street, area: names; an area holds what lies below it. box: west, south, east, north, degrees.
    polygon: its corners (longitude, latitude), without the first again at the end. path: a way. order: the id of the
    order whose targets `assets` are: how they were named, for the journal. reporter: the number of the device that
    speaks for them, None for any.
    """

    assets: Sequence[str] | None = None
    kinds: Sequence[str] = ()
    street: str = ""
    area: str = ""
    box: tuple[float, float, float, float] | None = None
    polygon: Sequence[tuple[float, float]] | None = None
    path: Path | None = None
    order: str = ""
    reporter: int | None = None

    @property
    def words(self) -> dict[str, str]:
        """What the journal says of it: nothing that a list of thousands of ids would drown."""
        said = {"kind": ",".join(self.kinds), "street": self.street, "area": self.area, "order": self.order}
        if self.assets is not None:
            said["assets"] = ",".join(self.assets) if len(self.assets) <= 5 else str(len(self.assets))
        if self.polygon is not None:
            said["polygon"] = ";".join(f"{lon:.5f},{lat:.5f}" for lon, lat in self.polygon[:20])
        if self.path is not None:
            # It may be somebody's way home: the journal says how long it is, and not where.
            said["path"] = f"{_length_m(self.path):.0f} m"
        return {name: value for name, value in said.items() if value}


def mask_of(registry: Registry, selection: Selection, places: tuple[Floats, Floats] | None = None) -> Mask:
    """For each asset of the city, whether it is selected; retired ones are not. Raises SelectionWrong.

    places: where each asset is (longitude, latitude), for whoever asks for what moves where it is now; without them,
    each is where the inventory has it.
    """
    count = registry.count
    lon, lat = places or (registry.lon[:count], registry.lat[:count])
    mask = ~registry.gone[:count]
    mask[0] = False
    if selection.assets is not None:
        mask &= _among(registry, selection.assets)
    if selection.kinds:
        codes = [registry.kind_codes[kind] for kind in selection.kinds if kind in registry.kind_codes]
        mask &= np.isin(registry.kind[:count], codes)
    if selection.street:
        mask &= registry.street[:count] == registry.street_codes.get(selection.street, -1)
    if selection.area:
        inside = [code for path, code in registry.area_codes.items() if lies_in(path, selection.area)]
        mask &= np.isin(registry.area[:count], inside)
    if selection.reporter is not None:
        mask &= registry.reporter[:count] == selection.reporter
    if selection.box is not None:
        west, south, east, north = selection.box
        mask &= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if selection.polygon is not None:
        mask &= _inside(selection.polygon, mask, lon, lat)
    if selection.path is not None:
        mask &= _along(selection.path, mask, lon, lat)
    return mask


def numbers_of(registry: Registry, selection: Selection, allowed: Mask) -> Numbers:
    """The selected assets among the allowed, by number. Raises SelectionWrong."""
    return np.flatnonzero(mask_of(registry, selection) & allowed[: registry.count])


def _among(registry: Registry, ids: Sequence[str]) -> Mask:
    mask = np.zeros(registry.count, np.bool_)
    numbers = [registry.numbers[asset] for asset in ids if asset in registry.numbers]
    mask[numbers] = True
    return mask


def _inside(polygon: Sequence[tuple[float, float]], among: Mask, lon: Floats, lat: Floats) -> Mask:
    if not 3 <= len(polygon) <= CORNERS_MAX:
        raise SelectionWrong(f"a polygon has 3 to {CORNERS_MAX} corners, and this one {len(polygon)}")
    shape = shapely.Polygon(polygon)
    if not shape.is_valid:  # A lasso that crosses itself still means what it goes around.
        shape = shapely.make_valid(shape)
    shapely.prepare(shape)
    inside = np.zeros(len(among), np.bool_)
    rows = np.flatnonzero(among)
    inside[rows] = shapely.contains_xy(shape, lon[rows], lat[rows])
    return inside


def _along(path: Path, among: Mask, lon: Floats, lat: Floats) -> Mask:
    if len(path.places) < 2 or _length_m(path) > PATH_M_MAX:
        raise SelectionWrong(f"a way has two places at least, and is {PATH_M_MAX:.0f} m long at most")
    line = shapely.LineString(np.array(path.places) * _metres(path))
    shapely.prepare(line)
    found = np.zeros(len(among), np.bool_)
    rows = np.flatnonzero(among)
    spots = np.asarray(shapely.points(np.stack([lon[rows], lat[rows]], 1) * _metres(path)))
    found[rows] = shapely.dwithin(line, spots, path.within_m)
    return found


def _metres(path: Path) -> Floats:
    """Metres in a degree of longitude and of latitude where the way is."""
    return np.array([np.cos(np.radians(path.places[0][1])), 1.0]) * M_PER_DEGREE


def _length_m(path: Path) -> float:
    return float(np.hypot(*np.diff(np.array(path.places) * _metres(path), axis=0).T).sum())

"""The park as the detector sees it: lamps and cabinets in rows, which feeds which, and what stands near what.

Made anew with each change of the inventory; nothing in it moves while a lamp burns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.arrays import ints
from vigie.core.ground import M_PER_DEGREE
from vigie.core.kinds import AssetKind, Attribute
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import City, Numbers
from vigie.services.lighting.kinds import Cabinet, Luminaire

NEAR_M = 40.0
"""Lamps of one crossing, or of one stretch of a school route, stand so close to the next at most."""

STREET_LAMPS_MIN = 4
"""A street of fewer lamps is not a street that went dark."""

KIND_LAMPS_MIN = 12
"""So many lamps of one kind tell what is usual for it; of a rarer one nothing is learnt from its like."""

ATTRIBUTES: Mapping[type[AssetKind], tuple[Attribute, ...]] = {
    Luminaire: (Luminaire.lamp, Luminaire.lights, Luminaire.rated_power, Luminaire.circuit),
    Cabinet: (Cabinet.switching,),
}
"""What is asked of the inventory."""


@dataclass(frozen=True)
class Spot:
    """Lamps that are one thing to people: a crossing, a stretch of a school route, a street. rows: of lamps."""

    what: str
    street: int
    rows: Int64s


@dataclass(frozen=True)
class Park:
    """Lamps and cabinets in rows, by number.

    lamp, cabinet: their asset numbers. fed_by: the row of each lamp's cabinet, -1 for none. circuit: NaN where unknown.
    group: of each lamp, lamps of one cabinet and circuit being one, -1 for none. groups: the row of the cabinet and the
    circuit of each group. kind: which lamps are alike: one lamp text and one rated power. speaker: the device that
    speaks for each lamp, and of each cabinet. permanent, switched: of each cabinet; neither where nothing is said.
    """

    lamp: Numbers
    cabinet: Numbers
    fed_by: Int64s
    group: Int64s
    group_cabinet: Int64s
    group_circuit: Floats
    group_size: Int64s
    kind: Int64s
    kinds: int
    kind_size: Int64s
    rated_w: Floats
    tunnel: Mask
    lon: Floats
    lat: Floats
    area: Int64s
    speaker: Int64s
    cabinet_speaker: Int64s
    cabinet_area: Int64s
    permanent: Mask
    switched: Mask
    lamps_of_cabinet: Int64s
    spots: Sequence[Spot]

    @cached_property
    def spots_of(self) -> Mapping[int, Sequence[int]]:
        """Row of a lamp -> the numbers of the spots that it is of."""
        found: dict[int, list[int]] = {}
        for number, spot in enumerate(self.spots):
            for row in spot.rows.tolist():
                found.setdefault(row, []).append(number)
        return found

    def __len__(self) -> int:
        return len(self.lamp)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the lamps, where the sun is looked at for all that needs no more: a town is small to it."""
        return (float(self.lon.mean()), float(self.lat.mean())) if len(self) else (0.0, 0.0)

    def of_cabinet(self, column: NDArray[Any], nothing: Any) -> NDArray[Any]:
        """What a column of cabinets says of each lamp's; `nothing` for a lamp without one."""
        return np.append(column, np.array([nothing], column.dtype))[self.fed_by]

    def rows_of(self, numbers: Sequence[int]) -> Int64s:
        """The rows of lamps by their asset numbers; those that are no more are left out."""
        return _rows(self.lamp, np.array(numbers, np.int64))

    def cabinet_row(self, number: int) -> int:
        """The row of a cabinet, -1 where it is no more."""
        found = _rows(self.cabinet, np.array([number], np.int64))
        return int(found[0]) if len(found) else -1


def park_of(city: City) -> Park:
    """The park as the inventory has it now."""
    lamp, cabinet = city.assets(Luminaire), city.assets(Cabinet)
    feeder = city.feeders(Cabinet, lamp)
    known = np.isin(feeder, cabinet)
    fed_by = np.where(known, np.searchsorted(cabinet, feeder), -1)
    circuit = city.attribute(Luminaire, Luminaire.circuit, lamp).astype(np.float64)
    group, group_cabinet, group_circuit = _groups(fed_by, circuit)
    rated_w = city.attribute(Luminaire, Luminaire.rated_power, lamp).astype(np.float64)
    kind = _kinds(city.attribute(Luminaire, Luminaire.lamp, lamp), rated_w)
    kinds = int(kind.max()) + 1 if len(kind) else 0
    lights = city.attribute(Luminaire, Luminaire.lights, lamp)
    switching = city.attribute(Cabinet, Cabinet.switching, cabinet)
    lon, lat = city.places(lamp)
    street, area = city.streets(lamp), city.areas(lamp)
    return Park(
        lamp=lamp,
        cabinet=cabinet,
        fed_by=fed_by,
        group=group,
        group_cabinet=group_cabinet,
        group_circuit=group_circuit,
        group_size=np.bincount(group[group >= 0], minlength=len(group_cabinet)),
        kind=kind,
        kinds=kinds,
        kind_size=np.bincount(kind, minlength=kinds),
        rated_w=np.where(rated_w > 0, rated_w, np.nan),
        tunnel=lights == "tunnel",
        lon=lon,
        lat=lat,
        area=area,
        speaker=city.reporters(lamp),
        cabinet_speaker=city.reporters(cabinet),
        cabinet_area=city.areas(cabinet),
        permanent=switching == "permanent",
        switched=switching == "switched",
        lamps_of_cabinet=np.bincount(fed_by[fed_by >= 0], minlength=len(cabinet)),
        spots=_spots(lights, street, area, lon, lat),
    )


def _rows(known: Numbers, wanted: Numbers) -> Int64s:
    rows = np.searchsorted(known, wanted)
    there = rows < len(known)
    there[there] = known[rows[there]] == wanted[there]
    return rows[there].astype(np.int64)


def _groups(fed_by: Int64s, circuit: Floats) -> tuple[Int64s, Int64s, Floats]:
    """The group of each lamp, and of each group its cabinet's row and its circuit."""
    fed = np.flatnonzero(fed_by >= 0)
    pairs = np.stack([fed_by[fed].astype(np.float64), np.nan_to_num(circuit[fed], nan=-1.0)], 1)
    found, which = np.unique(pairs, axis=0, return_inverse=True)
    group = np.full(len(fed_by), -1, np.int64)
    group[fed] = which.ravel()
    return group, found[:, 0].astype(np.int64), np.where(found[:, 1] < 0, np.nan, found[:, 1])


def _kinds(lamp: NDArray[Any], rated_w: Floats) -> Int64s:
    names = np.array([str(each) for each in lamp], np.str_)
    _, name = np.unique(names, return_inverse=True)
    _, rated = np.unique(np.nan_to_num(rated_w, nan=-1.0), return_inverse=True)
    _, kind = np.unique(name.ravel() * (int(rated.max(initial=0)) + 1) + rated.ravel(), return_inverse=True)
    return kind.ravel().astype(np.int64)


def _spots(lights: NDArray[Any], street: Int64s, area: Int64s, lon: Floats, lat: Floats) -> list[Spot]:
    spots: list[Spot] = []
    for what in ("crossing", "school_route"):
        rows = np.flatnonzero(lights == what)
        for same in _alike(street[rows], area[rows]):
            own = rows[same]
            code = int(street[own[0]])
            spots += [Spot(what, code, own[near]) for near in _near(lon[own], lat[own])]
    named = np.flatnonzero(street > 0)
    for same in _alike(street[named], area[named]):
        if len(same) >= STREET_LAMPS_MIN:
            spots.append(Spot("street", int(street[named[same[0]]]), named[same]))
    return spots


def _alike(street: Int64s, area: Int64s) -> list[Int64s]:
    """The rows of each street of each area."""
    if not len(street):
        return []
    order = np.lexsort((area, street))
    edges = np.flatnonzero((np.diff(street[order]) != 0) | (np.diff(area[order]) != 0)) + 1
    return np.split(order, edges)


def _near(lon: Floats, lat: Floats) -> list[Int64s]:
    """Lamps in clusters in which each stands near another, by the order of their rows."""
    x = lon * M_PER_DEGREE * float(np.cos(np.radians(lat.mean())))
    y = lat * M_PER_DEGREE
    left = ints(np.arange(len(lon)))
    found: list[Int64s] = []
    while left:
        cluster, reached = [left.pop(0)], 0
        while reached < len(cluster) and left:
            rest = np.array(left)
            one = cluster[reached]
            near = rest[np.hypot(x[rest] - x[one], y[rest] - y[one]) <= NEAR_M]
            cluster += ints(near)
            left = ints(rest[~np.isin(rest, near)])
            reached += 1
        found.append(np.array(sorted(cluster), np.int64))
    return found

"""Where the arms of a junction lie, and which of its groups let go whoever comes by one: read from its document.

Of a document that does not say from where its ways come, nothing is known, and nobody is let go first by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians

from vigie.core.ground import M_PER_DEGREE
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import Users, conflict_masks

STOP_M = 15.0
"""So far from the middle of a junction its stop lines are, more or less: who is nearer is past them."""

ONE_ARM_DEG = 25.0
"""Lanes that come from no further apart than this are of one arm."""

LEAVES_DEG = 45.0
"""A way that leaves further from where somebody is to go than this does not lead there."""

_DRIVES: Mapping[Sort, tuple[frozenset[Users], ...]] = {
    Sort.TRAM: (frozenset({Users.TRAM}), frozenset({Users.VEHICLES})),
    Sort.BUS: (frozenset({Users.BUS, Users.VEHICLES}),),
    Sort.EMERGENCY: (frozenset({Users.VEHICLES}), frozenset({Users.BUS, Users.TRAM})),
}
"""By whose signals each goes; the first of these that an arm has."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of an arm. leaves_deg: where it leads, seen from the middle; None where that is not known."""

    group: int
    users: Users
    leaves_deg: float | None


@dataclass(frozen=True, slots=True)
class Arm:
    """Where vehicles come from. comes_deg: seen from the middle of the junction, clockwise from north."""

    comes_deg: float
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A junction where it lies. conflicts: of each group, those that it conflicts with, as a mask."""

    lon: float
    lat: float
    arms: tuple[Arm, ...]
    conflicts: tuple[int, ...]

    def arm(self, bearing_deg: float, within_deg: float) -> Arm | None:
        """The arm that lies on a bearing; None where none does."""
        found = min(self.arms, key=lambda arm: apart(arm.comes_deg, bearing_deg), default=None)
        return found if found is not None and apart(found.comes_deg, bearing_deg) <= within_deg else None


def crossing_of(site: Site, lon: float, lat: float) -> Crossing:
    """A junction by its document, and where the inventory has it. Groups whose lines have points in the road are left
    out: who comes by them is known already (`control.calls`)."""
    pointed = {points.group for points in site.calls}
    junction = site.junction
    drives = {Users.VEHICLES, Users.BUS, Users.TRAM}
    ways = [
        (each.comes_deg, Way(each.group, junction.groups[each.group].users, each.leaves_deg))
        for each in junction.movements
        if each.comes_deg is not None and each.group not in pointed and junction.groups[each.group].users in drives
    ]
    arms: list[Arm] = []
    for comes_deg, way in sorted(ways, key=lambda each: each[0]):
        at = next((n for n, arm in enumerate(arms) if apart(arm.comes_deg, comes_deg) <= ONE_ARM_DEG), None)
        if at is None:
            arms.append(Arm(comes_deg, (way,)))
        else:
            arms[at] = Arm(arms[at].comes_deg, (*arms[at].ways, way))
    return Crossing(lon, lat, tuple(arms), conflict_masks(junction))


def groups_of(arm: Arm, sort: Sort, leaves_deg: float | None = None) -> tuple[int, ...]:
    """The groups that let somebody go who comes by an arm: of the ways that lead where they are to go; of all where
    that is not known, or none does."""
    own: list[Way] = []
    for users in _DRIVES[sort]:
        own = own or [way for way in arm.ways if way.users in users]
    if leaves_deg is not None:
        known = [(apart(way.leaves_deg, leaves_deg), way) for way in own if way.leaves_deg is not None]
        nearest_deg = min((each for each, _ in known), default=180.0)
        if nearest_deg <= LEAVES_DEG:
            # Lanes of one road lie a little apart.
            own = [way for each_deg, way in known if each_deg <= nearest_deg + ONE_ARM_DEG / 2]
    return tuple(sorted({way.group for way in own}))


def apart(one_deg: float, other_deg: float) -> float:
    """How far two directions are apart, from 0 to 180 degrees."""
    return abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)


def offset_m(lon: float, lat: float, from_lon: float, from_lat: float) -> tuple[float, float]:
    """How far east and north one place is of another that is not far."""
    return (lon - from_lon) * M_PER_DEGREE * cos(radians(from_lat)), (lat - from_lat) * M_PER_DEGREE


def seen_from(lon: float, lat: float, from_lon: float, from_lat: float) -> tuple[float, float]:
    """How far a place is from another, and on which bearing it lies: metres, and degrees clockwise from north."""
    east_m, north_m = offset_m(lon, lat, from_lon, from_lat)
    return hypot(east_m, north_m), lies_deg(east_m, north_m)


def lies_deg(east_m: float, north_m: float) -> float:
    """The bearing of what lies so far east and north."""
    return degrees(atan2(east_m, north_m)) % 360.0

"""Passages: vehicles that come to junctions and have a right to go first, from where they say that they are.

Its laws:

1. A vehicle that stands apart from a junction, moves away from it, is past its stop line, or was seen but once, comes
   to none. Nor does one whose position is old, was told too late to be of now, or is nowhere.
2. It comes to one junction, the next on its way; where its route is known, to those of it that it reaches in time.
3. A bus in time, or early, does not ask. When its lateness is over, so is what it asked.
4. Of two emergencies whose ways conflict at a junction, who came first goes first: the other is known, and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import NamedTuple

import numpy as np

from vigie.core.times import SECOND_US
from vigie.services.signals.control.claims import Claim, Sort, weight_of
from vigie.services.signals.junction import mask
from vigie.services.signals.priority.arms import Crossing, apart, groups_of, lengths_m, seen_from

TOLD_AHEAD_S = 40.0
"""Who would be at the stop line later than this does not ask yet."""

STOP_M = 15.0
"""So far from the middle of a junction its stop lines are, more or less: who is nearer is past them."""

STANDS_M = 40.0
"""Who stands nearer to the stop line than this stands for the light or for who waits before it; further away, at a
stop."""

STANDS_M_S = 1.0
"""Slower is standing."""

FASTEST_M_S = 45.0
"""Nobody drives faster through a town: two positions further apart are not of one way."""

SLOWEST_M_S = 4.0
"""Whoever moves is reckoned to come as fast at least: else a bus that leaves its stop would come in an hour."""

TOLD_WITHIN_S = 10.0
"""A position that took longer to be told says nothing of now; or the clock of whoever told it is wrong."""

LOST_S = 60.0
"""Two positions of a vehicle that are further apart in time say nothing of how it moves."""

ON_ARM_DEG = 35.0
"""So far from the bearing of an arm somebody may be who comes by it: roads bend, and places are a little off."""

TOWARDS_DEG = 60.0
"""So far from a junction's direction somebody may head who comes to it; and who follows a route may lie from an arm."""

AWAY_M = 10.0
"""Who is so much further away than before moves away; a place is no more exact than that."""

LOOKED_AT = 8
"""Of the junctions around a vehicle so many of the nearest are looked at: the next on its way is among them."""

NEAR_M = 150.0
"""A junction of a route is behind a vehicle that moves away from it after it was as near as this."""


class Vehicle(NamedTuple):
    """A vehicle as it was told last. number: of its asset. at_us: when it was there, by its own clock; told_us: when
    that came. valid_s: for how long that stays true. heading_deg: None where it is not told. late_s: behind its
    timetable. ahead: the junctions on its way, in their order, where its route is known."""

    number: int
    sort: Sort
    lon: float
    lat: float
    at_us: int
    told_us: int
    valid_s: float
    heading_deg: float | None = None
    late_s: float = 0.0
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A vehicle that comes to a junction. groups: that let it go, several where it is not known which way it takes.
    comes_deg: from which side. eta_s: until it is at the stop line, were nobody in its way. weight: in vehicles that
    wait. since_us: since when it asks. waits: another emergency goes first."""

    vehicle: int
    sort: Sort
    junction: str
    groups: tuple[int, ...]
    comes_deg: float
    eta_s: float
    weight: float
    since_us: int
    late_s: float = 0.0
    waits: bool = False


class _Coming(NamedTuple):
    """How a vehicle came to a junction when it was last seen. away_m: from the stop line."""

    groups: tuple[int, ...]
    comes_deg: float
    away_m: float
    since_us: int


@dataclass(slots=True)
class _Track:
    """What is known of a vehicle's way. speed_m_s, course_deg: None before it was seen twice. passed: the junctions of
    its route that are behind it."""

    lon: float
    lat: float
    at_us: int
    speed_m_s: float | None = None
    course_deg: float | None = None
    coming: dict[str, _Coming] = field(default_factory=dict[str, _Coming])
    passed: set[str] = field(default_factory=set[str])


class Passages:
    """All vehicles that ask, at some junctions. It is told what there is each second, and keeps how vehicles moved."""

    def __init__(self) -> None:
        self._crossings: Mapping[str, Crossing] = {}
        self._names: list[str] = []
        self._lons = self._lats = np.empty(0)
        self._tracks: dict[int, _Track] = {}

    def keep(self, crossings: Mapping[str, Crossing]) -> None:
        """The junctions that there are, by their ids; those that nobody knows the arms of are none."""
        self._crossings = {name: each for name, each in crossings.items() if each.arms}
        self._names = list(self._crossings)
        self._lons = np.array([each.lon for each in self._crossings.values()])
        self._lats = np.array([each.lat for each in self._crossings.values()])
        for track in self._tracks.values():
            track.coming = {name: each for name, each in track.coming.items() if name in self._crossings}

    def passed(self, vehicle: int) -> frozenset[str]:
        """The junctions of its route that are behind a vehicle."""
        track = self._tracks.get(vehicle)
        return frozenset(track.passed) if track is not None else frozenset()

    def see(self, now_us: int, vehicles: Iterable[Vehicle]) -> tuple[Passage, ...]:
        """Who asks now, whoever has asked for longest first. vehicles: all that there are; of one that is not among
        them nothing is known any more."""
        found: list[Passage] = []
        tracks: dict[int, _Track] = {}
        for vehicle in vehicles:
            track = self._followed(vehicle, now_us)
            if track is None:
                continue
            tracks[vehicle.number] = track
            weight = weight_of(vehicle.sort, vehicle.late_s)
            speed_m_s = track.speed_m_s
            if weight <= 0 or speed_m_s is None:
                track.coming = {}
                continue
            age_s = max((now_us - vehicle.at_us) / SECOND_US, 0.0)
            for name, coming in track.coming.items():
                eta_s = max(coming.away_m / max(speed_m_s, SLOWEST_M_S) - age_s, 0.0)
                if eta_s <= TOLD_AHEAD_S:
                    who = vehicle.number, vehicle.sort, name
                    how = coming.groups, coming.comes_deg, eta_s, weight, coming.since_us, vehicle.late_s
                    found.append(Passage(*who, *how))
        self._tracks = tracks
        return self._in_turn(sorted(found, key=lambda each: (each.since_us, each.vehicle, each.eta_s)))

    def _followed(self, vehicle: Vehicle, now_us: int) -> _Track | None:
        """The way of a vehicle, with where it is now; None where that is not known."""
        age_us = now_us - vehicle.at_us
        if not (isfinite(vehicle.lon) and isfinite(vehicle.lat)) or age_us > vehicle.valid_s * SECOND_US:
            return None
        if abs(vehicle.told_us - vehicle.at_us) > TOLD_WITHIN_S * SECOND_US:
            return None
        track = self._tracks.get(vehicle.number)
        if track is None or vehicle.at_us < track.at_us:
            return _Track(vehicle.lon, vehicle.lat, vehicle.at_us)
        if vehicle.at_us == track.at_us:
            return track
        took_s = (vehicle.at_us - track.at_us) / SECOND_US
        moved_m, course_deg = seen_from(vehicle.lon, vehicle.lat, track.lon, track.lat)
        if took_s > LOST_S or moved_m > FASTEST_M_S * took_s + AWAY_M:
            return _Track(vehicle.lon, vehicle.lat, vehicle.at_us, passed=track.passed)
        speed_m_s = moved_m / took_s
        if speed_m_s < STANDS_M_S:
            # What a receiver that stands says of where it heads is nothing.
            course = track.course_deg
        else:
            course = vehicle.heading_deg if vehicle.heading_deg is not None else course_deg
        after = _Track(vehicle.lon, vehicle.lat, vehicle.at_us, speed_m_s, course, track.coming, track.passed)
        after.coming = self._comes_to(vehicle, after, track, now_us)
        return after

    def _comes_to(self, vehicle: Vehicle, track: _Track, before: _Track, now_us: int) -> dict[str, _Coming]:
        if track.course_deg is None:
            return {}
        stands = track.speed_m_s is not None and track.speed_m_s < STANDS_M_S
        names = self._next(track, before, vehicle.ahead) if vehicle.ahead else self._nearest(track)
        places = [(track.lon, track.lat), *((self._crossings[name].lon, self._crossings[name].lat) for name in names)]
        found: dict[str, _Coming] = {}
        for at, (name, way_m) in enumerate(zip(names, lengths_m(places)[1:], strict=True)):
            crossing, away_m = self._crossings[name], way_m - STOP_M
            if stands and away_m > STANDS_M:
                break
            _, bearing_deg = seen_from(*places[at], crossing.lon, crossing.lat)
            arm = crossing.arm(bearing_deg, TOWARDS_DEG if vehicle.ahead else ON_ARM_DEG)
            if arm is None:
                break
            leaves_deg = seen_from(*places[at + 2], crossing.lon, crossing.lat)[1] if at + 2 < len(places) else None
            groups = groups_of(arm, vehicle.sort, leaves_deg)
            if groups:
                known = before.coming.get(name)
                since_us = known.since_us if known is not None else now_us
                found[name] = _Coming(groups, arm.comes_deg, away_m, since_us)
        return found

    def _next(self, track: _Track, before: _Track, ahead: Sequence[str]) -> list[str]:
        """The junctions of a route that are not behind a vehicle: whoever is near the middle of one is past its stop
        line, and past all before it; so is who moves away from one that was near."""
        there = [name for name in ahead if name in self._crossings]
        for at, name in enumerate(there):
            if name in track.passed:
                continue
            crossing = self._crossings[name]
            away_m, _ = seen_from(track.lon, track.lat, crossing.lon, crossing.lat)
            was_m, _ = seen_from(before.lon, before.lat, crossing.lon, crossing.lat)
            leaves = was_m < NEAR_M and away_m > was_m + AWAY_M
            if away_m <= STOP_M or leaves or self._crossed(track, before, crossing):
                track.passed.update(there[: at + 1])
        return [name for name in there if name not in track.passed]

    def _nearest(self, track: _Track) -> list[str]:
        """The junction that a vehicle comes to next, as it heads; none where it comes to none. Whoever is within its
        stop lines is past it, and comes to the next."""
        if not self._names:
            return []
        scale = np.cos(np.radians(track.lat))
        off = np.hypot((self._lons - track.lon) * scale, self._lats - track.lat)
        for at in np.argsort(off)[:LOOKED_AT].tolist():
            crossing = self._crossings[self._names[at]]
            away_m, bearing_deg = seen_from(track.lon, track.lat, crossing.lon, crossing.lat)
            if away_m <= STOP_M or apart(bearing_deg + 180.0, track.course_deg or 0.0) > TOWARDS_DEG:
                continue
            if crossing.arm(bearing_deg, ON_ARM_DEG) is not None:
                return [self._names[at]]
        return []

    @staticmethod
    def _crossed(track: _Track, before: _Track, crossing: Crossing) -> bool:
        """Whether the middle of a junction lies between two places of a vehicle."""
        to_m, _ = seen_from(crossing.lon, crossing.lat, before.lon, before.lat)
        on_m, _ = seen_from(track.lon, track.lat, crossing.lon, crossing.lat)
        moved_m, _ = seen_from(track.lon, track.lat, before.lon, before.lat)
        return moved_m > STOP_M and to_m + on_m < moved_m + STOP_M

    def _in_turn(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """The same, and who of the emergencies waits for another."""
        going: dict[str, int] = {}
        found: list[Passage] = []
        for each in passages:
            if each.sort is Sort.EMERGENCY:
                conflicts = self._crossings[each.junction].conflicts
                held = going.get(each.junction, 0)
                waits = any(conflicts[group] & held for group in each.groups)
                going[each.junction] = held if waits else held | mask(each.groups)
                found.append(replace(each, waits=waits))
            else:
                found.append(each)
        return tuple(found)


def claims_of(passages: Iterable[Passage], numbers: Mapping[str, int]) -> list[Claim]:
    """What passages are to a controller. numbers: the place of each of its junctions among them, by id. Who may go by
    several groups weighs as much by all of them together: which it is nobody knows."""
    return [
        Claim(numbers[each.junction], group, each.eta_s, each.weight / len(each.groups))
        for each in passages
        if each.junction in numbers and not each.waits
        for group in each.groups
    ]

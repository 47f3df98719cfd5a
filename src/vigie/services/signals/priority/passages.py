"""Passages: vehicles that come to junctions and have a right to go first, from where they say that they are.

Its laws:

1. A vehicle that stands apart from a junction, moves away from it, is past its stop line, or was seen but once, comes
   to none. Nor does one whose position is old, was told too late to be of now, or is nowhere; nor one that has said
   nothing since it must be through.
2. It comes to one junction, the next on its way; who follows the course of a line, to those on it that it reaches in
   time.
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
from vigie.services.signals.priority.arms import STOP_M, Crossing, apart, groups_of, seen_from
from vigie.services.signals.priority.courses import Course, Next
from vigie.services.signals.priority.routes import Route

TOLD_AHEAD_S = 40.0
"""Who would be at the stop line later than this does not ask yet."""

ROUTE_AHEAD_S = 90.0
"""The same of whose route is known: so long does a queue of 45 vehicles take to leave before it. A junction opens no
sooner than its queue needs, and nobody waits for whoever is further away than TOLD_AHEAD_S."""

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

GONE_S = 10.0
GONE_TIMES = 2.0
"""Who has told nothing for so long since they were to be at the stop line is through, as far as anybody knows: at least
as many seconds, or as many times what lay between the last two positions."""

LOST_S = 60.0
"""Two positions of a vehicle that are further apart in time say nothing of how it moves."""

ON_ARM_DEG = 35.0
"""So far from the bearing of an arm somebody may be who comes by it: roads bend, and places are a little off."""

TOWARDS_DEG = 60.0
"""So far from a junction's direction somebody may head who comes to it."""

INEXACT_M = 10.0
"""A place is no more exact than that."""

LOOKED_AT = 8
"""Of the junctions around a vehicle so many of the nearest are looked at: the next on its way is among them."""


class Vehicle(NamedTuple):
    """A vehicle as it was told last. number: of its asset. at_us: when it was there, by its own clock; told_us: when
    that came. valid_s: for how long that stays true. heading_deg: None where it is not told. late_s: behind its
    timetable. course: of the line or the route that it drives on, where that is known. ahead_s: who would be at the
    stop line later than this does not ask yet."""

    number: int
    sort: Sort
    lon: float
    lat: float
    at_us: int
    told_us: int
    valid_s: float
    heading_deg: float | None = None
    late_s: float = 0.0
    course: Course | Route | None = None
    ahead_s: float = TOLD_AHEAD_S


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
    """What is known of a vehicle's way. speed_m_s, heads_deg: None before it was seen twice. every_s: between its last
    two positions."""

    lon: float
    lat: float
    at_us: int
    speed_m_s: float | None = None
    heads_deg: float | None = None
    coming: dict[str, _Coming] = field(default_factory=dict[str, _Coming])
    every_s: float = 0.0


class Passages:
    """All vehicles that ask, at some junctions. It is told what there is each second, and keeps how vehicles moved."""

    def __init__(self) -> None:
        self._crossings: Mapping[str, Crossing] = {}
        self._names: list[str] = []
        self._lons = self._lats = np.empty(0)
        self._tracks: dict[int, _Track] = {}

    def keep(self, crossings: Mapping[str, Crossing]) -> None:
        """The junctions that there are, by their ids; those that nobody knows the arms of are none. Who comes to one
        that has changed comes by groups which are none any more, until it is seen again."""
        before = self._crossings
        self._crossings = {name: each for name, each in crossings.items() if each.arms}
        self._names = list(self._crossings)
        self._lons = np.array([each.lon for each in self._crossings.values()])
        self._lats = np.array([each.lat for each in self._crossings.values()])
        for track in self._tracks.values():
            track.coming = {
                name: each for name, each in track.coming.items() if self._crossings.get(name) == before[name]
            }

    def see(self, now_us: int, vehicles: Iterable[Vehicle]) -> tuple[Passage, ...]:
        """Who asks now, whoever has asked for longest first, and then who is told of early. vehicles: all that there
        are; of one that is not among them nothing is known any more."""
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
                eta_s = coming.away_m / max(speed_m_s, SLOWEST_M_S) - age_s
                if eta_s > TOLD_AHEAD_S:
                    # Who is told of early has not come first.
                    track.coming[name] = coming = coming._replace(since_us=now_us)
                if -max(GONE_S, GONE_TIMES * track.every_s) <= eta_s <= vehicle.ahead_s:
                    who = vehicle.number, vehicle.sort, name
                    how = coming.groups, coming.comes_deg, max(eta_s, 0.0), weight, coming.since_us, vehicle.late_s
                    found.append(Passage(*who, *how))
        self._tracks = tracks
        return self._in_turn(sorted(found, key=_turn))

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
        moved_m, heads_deg = seen_from(vehicle.lon, vehicle.lat, track.lon, track.lat)
        if took_s > LOST_S or moved_m > FASTEST_M_S * took_s + INEXACT_M:
            return _Track(vehicle.lon, vehicle.lat, vehicle.at_us)
        speed_m_s = moved_m / took_s
        if speed_m_s < STANDS_M_S:
            # What a receiver that stands says of where it heads is nothing.
            heads_deg = track.heads_deg
        elif vehicle.heading_deg is not None:
            heads_deg = vehicle.heading_deg
        after = _Track(vehicle.lon, vehicle.lat, vehicle.at_us, speed_m_s, heads_deg, track.coming, took_s)
        after.coming = self._comes_to(vehicle, after, track, now_us)
        return after

    def _comes_to(self, vehicle: Vehicle, track: _Track, before: _Track, now_us: int) -> dict[str, _Coming]:
        if track.heads_deg is None:
            return {}
        speed_m_s = track.speed_m_s or 0.0
        stands = speed_m_s < STANDS_M_S
        # Further than anybody comes who is in time as long as this position holds.
        within_m = (TOLD_AHEAD_S + vehicle.valid_s) * max(speed_m_s, SLOWEST_M_S)
        course = vehicle.course.ahead(track.lon, track.lat, track.heads_deg) if vehicle.course is not None else None
        found: dict[str, _Coming] = {}
        for each in course if course is not None else self._nearest(track, track.heads_deg):
            crossing, away_m = self._crossings.get(each.name), each.away_m - STOP_M
            if (stands and away_m > STANDS_M) or away_m > within_m:
                break
            if crossing is None:
                continue
            arm = crossing.arm(each.comes_deg, ON_ARM_DEG)
            groups = groups_of(arm, vehicle.sort, each.leaves_deg) if arm is not None else ()
            if arm is not None and groups:
                known = before.coming.get(each.name)
                since_us = known.since_us if known is not None else now_us
                found[each.name] = _Coming(groups, arm.comes_deg, away_m, since_us)
        return found

    def _nearest(self, track: _Track, heads_deg: float) -> list[Next]:
        """The junction that a vehicle comes to next, as it heads; none where it comes to none. Whoever is within its
        stop lines is past it, and comes to the next."""
        if not self._names:
            return []
        scale = np.cos(np.radians(track.lat))
        off = np.hypot((self._lons - track.lon) * scale, self._lats - track.lat)
        for at in np.argsort(off)[:LOOKED_AT].tolist():
            crossing = self._crossings[self._names[at]]
            away_m, bearing_deg = seen_from(track.lon, track.lat, crossing.lon, crossing.lat)
            if away_m <= STOP_M or apart(bearing_deg + 180.0, heads_deg) > TOWARDS_DEG:
                continue
            if crossing.arm(bearing_deg, ON_ARM_DEG) is not None:
                return [Next(self._names[at], away_m, bearing_deg, None)]
        return []

    def _in_turn(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """The same, and who of the emergencies waits for another."""
        going: dict[str, int] = {}
        found: list[Passage] = []
        for each in passages:
            if each.sort is Sort.EMERGENCY:
                conflicts = self._crossings[each.junction].conflicts
                held = going.get(each.junction, 0)
                waits = any(conflicts[group] & held for group in each.groups)
                if not waits and each.eta_s <= TOLD_AHEAD_S:
                    going[each.junction] = held | mask(each.groups)
                found.append(replace(each, waits=waits))
            else:
                found.append(each)
        return tuple(found)


def _turn(passage: Passage) -> tuple[bool, int, int, float]:
    """Whose turn it is: who came first, and before whoever is told of early."""
    return passage.eta_s > TOLD_AHEAD_S, passage.since_us, passage.vehicle, passage.eta_s


def claims_of(passages: Iterable[Passage], numbers: Mapping[str, int]) -> list[Claim]:
    """What passages are to a controller. numbers: the place of each of its junctions among them, by id. Who may go by
    several groups weighs as much by all of them together: which it is nobody knows."""
    return [
        Claim(numbers[each.junction], group, each.eta_s, each.weight / len(each.groups))
        for each in passages
        if each.junction in numbers and not each.waits
        for group in each.groups
    ]

"""The level of service at junctions, from what the detectors before them say: whoever lists junctions sees where it is
worst, how it is on the whole, from how many of the approaches that are counted that is known, and how old it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any

import numpy as np
import shapely
from shapely.ops import substring

from vigie.api.city.forms import Form, Instant
from vigie.api.traffic.forms import Level
from vigie.api.traffic.state import letter_of, measured
from vigie.api.traffic.streets import M_PER_DEGREE, Counting, Stretches
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.times import from_us
from vigie.engine.loop import Engine
from vigie.services.signals import Junction
from vigie.services.signals.flow.level import levels

BEFORE_M = 120.0
"""A detector of no junction counts for the nearest that is driven to, if that is no further: where queues stand."""

WITHIN = cos(radians(30))
"""The cosine of how far off the way that is driven at a detector a junction may lie that is driven to."""

ASIDE_M = 15.0
"""A junction so near a street lies on it: its place is where the streets' middles meet, or a little off."""

_NEAR_M = 5.0
"""The way that is driven at a place is that from so far behind it to so far on."""


class JunctionLevel(Form, frozen=True, kw_only=True):
    """The level of service at a junction. worst: of its approaches that are counted; worst_at: that one's detector, by
    what its street is called. mean: that of the mean share of the free speed. measured, counted: how many detectors
    before it say anything, and how many there are. at: when the oldest of what was said was said. What is unknown is
    null."""

    worst: Level | None
    worst_at: str | None
    mean: Level | None
    measured: int
    counted: int
    at: Instant | None


@dataclass(frozen=True)
class Before:
    """Detectors on the approaches of junctions. junction: whose approach each is on, by its number."""

    counted: tuple[Counting, ...]
    junction: Int64s


def before(engine: Engine, counted: Sequence[Counting]) -> Before:
    """The detectors that count who comes to a junction: those that the inventory says are the junction's, and those
    that lie close before one. Of a direction that is not known none is taken that the inventory does not say of."""
    numbers = np.array([each.detector for each in counted], np.int64)
    own = engine.feeders(Junction, numbers)
    junctions = engine.assets(Junction)
    if len(junctions) and len(numbers):
        lon, lat = engine.places(junctions)
        east_m = M_PER_DEGREE * np.cos(np.radians(float(lat.mean())))
        spots = np.stack([lon * east_m, lat * M_PER_DEGREE], 1)
        for row in np.flatnonzero(own == 0).tolist():
            if not counted[row].both:
                own[row] = _ahead(engine, counted[row], junctions, spots, east_m)
    kept = np.flatnonzero(own)
    return Before(tuple(counted[row] for row in kept.tolist()), own[kept])


def _ahead(engine: Engine, each: Counting, junctions: Int64s, spots: Floats, east_m: float) -> int:
    """The nearest junction that is driven to from a detector, 0 for none."""
    line = np.array(each.line) * (east_m, M_PER_DEGREE)
    lon, lat = engine.places(np.array([each.detector]))
    row = ahead(line, np.array([lon[0] * east_m, lat[0] * M_PER_DEGREE]), spots)
    return 0 if row is None else int(junctions[row])


def ahead(line: Floats, place: Floats, spots: Floats) -> int | None:
    """Which of some spots is the nearest that is driven to from a place at a line, by its row: straight ahead, or on
    along the line; None where none is near. All in metres, the line from where one comes to where one goes."""
    apart = np.hypot(*(spots - place).T)
    rows = np.flatnonzero(apart <= BEFORE_M)
    course: Any = shapely.LineString(line)
    at_m = float(course.project(shapely.Point(place)))
    here, behind, onward = (
        np.array(course.interpolate(max(0.0, metres)).coords[0]) for metres in (at_m, at_m - _NEAR_M, at_m + _NEAR_M)
    )
    heading = (onward - behind) / max(float(np.hypot(*(onward - behind))), 1e-9)
    away = spots[rows] - here
    along = away @ heading
    straight = (along > 0) & (along >= WITHIN * np.hypot(*away.T))
    rest: Any = substring(course, at_m, course.length)
    points = [shapely.Point(spot) for spot in spots[rows]]
    on_it = [course.project(point) > at_m and rest.distance(point) <= ASIDE_M for point in points]
    found = rows[straight | np.array(on_it, bool)]
    return int(found[apart[found].argmin()]) if len(found) else None


class Approaches:
    """The detectors before the junctions of a town, found once for each change of the inventory."""

    def __init__(self, engine: Engine, stretches: Stretches) -> None:
        self._engine, self._stretches = engine, stretches
        self._before: tuple[int, Before] | None = None

    async def ask(self) -> Before:
        """Them, as the inventory is now."""
        # The one before the wait: what the inventory becomes meanwhile is not in what is told then.
        version = self._engine.registry.version
        counted = await self._stretches.ask()
        if self._before is None or self._before[0] != version:
            self._before = version, await asyncio.to_thread(before, self._engine, counted)
        return self._before[1]


def levels_at(engine: Engine, known: Before, seen: Mask, now_us: int) -> Mapping[int, JunctionLevel]:
    """The level of service at each junction before which a detector counts, by its number. seen: the detectors that may
    be seen, by number; the others count for nobody."""
    rows = [
        row for row, each in enumerate(known.counted) if seen[each.detector] and not engine.registry.gone[each.detector]
    ]
    if not rows:
        return {}
    counted, junction = [known.counted[row] for row in rows], known.junction[rows]
    now = measured(engine, counted, now_us)
    share = now.speed / now.free_speed
    found: dict[int, JunctionLevel] = {}
    for no in np.unique(junction).tolist():
        own = np.flatnonzero(junction == no)
        told = own[now.level[own] >= 0]
        mean, at_us, worst = -1, None, None
        if len(told):
            mean = int(levels(share[told].mean(keepdims=True), np.ones(1))[0])
            at_us = int(now.observed_us[told].min())
            worst = int(told[now.level[told].argmax()])
        found[no] = JunctionLevel(
            worst=None if worst is None else letter_of(int(now.level[worst])),
            worst_at=None if worst is None else _named(engine, counted[worst]),
            mean=letter_of(mean),
            measured=len(told),
            counted=len(own),
            at=None if at_us is None else from_us(at_us),
        )
    return found


def _named(engine: Engine, each: Counting) -> str:
    return (
        engine.registry.names[each.street] or engine.registry.names[each.detector] or engine.registry.ids[each.detector]
    )

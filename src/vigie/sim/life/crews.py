"""The vehicles of crews: to the work along the streets, from one order to the next, and home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.roads import Vehicle
from vigie.sim.city.city import City
from vigie.sim.city.frame import to_metres
from vigie.sim.city.routes import Router, drawn
from vigie.sim.city.sectors import UNSERVED
from vigie.sim.life.columns import Floats, Habits, Ints, Mask, Reports, due, key_of, phases
from vigie.sim.life.rounds import DRIVING, PARKED, WORKING
from vigie.sim.life.tracks import Tracks

SPEED_M_S = 9.0
"""Through the town, stops at signals in it."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Drive:
    """A way that is driven, or was driven and at whose end a vehicle stands.

    to: longitude and latitude of a place, none for home. steps: (node, street that leads to it), from origin on.
    from_m, until_m: where on it the drive begins and ends.
    """

    to: Place | None
    origin: int
    steps: Sequence[tuple[int, int]]
    node_at_m: Floats
    tracks: Tracks | None
    from_us: int
    from_m: float
    until_m: float

    def at_m(self, at: Ints) -> Floats:
        """How far it is along the way."""
        return np.minimum(self.from_m + (at - self.from_us) / SECOND_US * SPEED_M_S, self.until_m)


class CrewLife:
    """The vehicles of crews, numbered as these. Where nobody has sent them they are parked where they are kept, and not
    tracked; so they are again when they are back there."""

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        self._network, self._habits, self.now_us = city.network, habits, start_us
        self.vehicles = city.rounds.of_crew
        self._home = ints(city.rounds.home[self.vehicles])
        self._drives = [self._drive(None, home, [], 0.0, None) for home in self._home]
        self._phase = phases(key_of(city.seed, "crew"), len(self.vehicles), habits.mover_s)
        self._hello = start_us
        self._router: Router | None = None
        self._reached: Mask | None = None

    def send(self, crew: int, lon: float, lat: float) -> bool:
        """Has the vehicle of a crew drive to a place from now on, unless it is there or on its way there. Returns
        whether it is there."""
        if self._drives[crew].to != (lon, lat):
            arc, at_m = self._street_at(lon, lat)
            ends = int(self._network.tail[arc]), int(self._network.head[arc])
            long_m = float(self._network.length_m[arc])
            # Up to the nearer end of the street, and into it.
            near, other, on_m = (*ends, at_m) if at_m < long_m / 2 else (*ends[::-1], long_m - at_m)
            self._go(crew, (lon, lat), near, (other, arc), on_m)
        drive = self._drives[crew]
        return bool(drive.at_m(np.array([self.now_us]))[0] >= drive.until_m)

    def home(self, crew: int) -> None:
        """Has the vehicle of a crew drive home, unless it does or is there."""
        if self._drives[crew].to is not None:
            self._go(crew, None, self._home[crew], None, 0.0)

    def advance(self, until_us: int) -> list[Reports]:
        """Positions and headings of those that are out, and what all are doing."""
        who, at = due(self.now_us, until_us, self._habits.mover_s, self._phase)
        self.now_us = until_us
        return [report for crew in ints(np.unique(who)) for report in self._of(crew, at[who == crew])]

    def _of(self, crew: int, at: Ints) -> list[Reports]:
        drive, vehicle = self._drives[crew], self.vehicles[crew]
        driven_m = drive.at_m(at)
        there = driven_m >= drive.until_m
        shown = np.where(there, PARKED if drive.to is None else WORKING, DRIVING).astype(np.float64)
        period_us = int(self._habits.mover_s * SECOND_US)
        slow = (at <= self._hello + period_us) | (at // MINUTE_US != (at - period_us) // MINUTE_US)
        told = [Reports(Vehicle, Vehicle.activity, np.full(int(slow.sum()), vehicle), at[slow], shown[slow])]
        out = np.flatnonzero(shown != PARKED)
        if drive.tracks is None or not len(out):
            return told
        places, heading = drive.tracks.place(np.zeros(len(out), np.int64), driven_m[out])
        who = np.full(len(out), vehicle)
        return [
            *told,
            Reports(Vehicle, Vehicle.position, who, at[out], places[:, 0], places[:, 1]),
            Reports(Vehicle, Vehicle.heading, who, at[out], heading),
        ]

    def _go(self, crew: int, to: Place | None, node: int, last: tuple[int, int] | None, on_m: float) -> None:
        """Begins a drive to a node, and from there so far into a last street."""
        before = self._drives[crew]
        steps, origin, from_m = list[tuple[int, int]](), before.origin, 0.0
        if before.steps:
            # It drives to the end of the street that it is in, and on from there.
            done_m = float(before.at_m(np.array([self.now_us]))[0])
            row = min(int(np.searchsorted(before.node_at_m, done_m, "right")), len(before.steps))
            origin = before.origin if row == 1 else before.steps[row - 2][0]
            steps, from_m = [before.steps[row - 1]], done_m - float(before.node_at_m[row - 1])
        steps += self._ways().way(steps[-1][0] if steps else origin, node)
        until_m = float(self._network.length_m[[arc for _, arc in steps]].sum()) + on_m
        self._drives[crew] = self._drive(to, origin, [*steps, last] if last else steps, from_m, until_m)

    def _drive(
        self, to: Place | None, origin: int, steps: Sequence[tuple[int, int]], from_m: float, until_m: float | None
    ) -> _Drive:
        if not steps:
            return _Drive(to, origin, steps, np.zeros(1), None, self.now_us, 0.0, 0.0)
        course = drawn(self._network, origin, steps)
        until_m = course.length_m if until_m is None else until_m
        return _Drive(to, origin, steps, course.node_at_m, Tracks((course,)), self.now_us, from_m, until_m)

    def _street_at(self, lon: float, lat: float) -> tuple[int, float]:
        """The street, of those driven in, that is nearest to a place, and how far along it that is."""
        network, corner = self._network, self._network.xy
        if self._reached is None:
            reached = ~np.isin(network.rank, UNSERVED) & np.isin(network.tail, self._ways().nodes)
            self._reached = np.repeat(reached, np.diff(network.start))
        off_m2 = ((corner - to_metres([(lon, lat)])[0]) ** 2).sum(1)
        nearest = int(np.where(self._reached, off_m2, np.inf).argmin())
        arc = int(np.searchsorted(network.start, nearest, "right")) - 1
        return arc, float(network.reach_m[nearest] - network.reach_m[network.start[arc]])

    def _ways(self) -> Router:
        """Made when a crew is sent for the first time: most lives have no crews."""
        self._router = self._router or Router(self._network, UNSERVED)
        return self._router

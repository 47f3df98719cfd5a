"""Service vehicles, buses and trams on their ways."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.core.kinds import AssetKind
from vigie.core.times import DAY_US, HOUR_US, SECOND_US
from vigie.services.roads import Bus, Tram
from vigie.sim.city.city import City
from vigie.sim.city.frame import to_degrees
from vigie.sim.city.inventory import fleet_of
from vigie.sim.life.columns import Floats, Habits, Ints, Reports, drift, due, key_of, phases
from vigie.sim.life.crews import CrewLife
from vigie.sim.life.rounds import RoundLife
from vigie.sim.life.sky import Sky, local_us
from vigie.sim.life.timetable import served_s, timetable_of
from vigie.sim.life.tracks import Tracks
from vigie.sim.traffic.shown import Driven, Frame


class VehicleLife:
    """Service vehicles: those with a round, and those of crews. Parked and untracked outside working hours (CNIL)."""

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int) -> None:
        self._rounds = RoundLife(city, sky, habits, start_us)
        self.crews = CrewLife(city, habits, start_us)

    def advance(self, until_us: int) -> list[Reports]:
        """Positions and headings of those at work, what all are doing, and what the tools do of those on a circuit."""
        return [*self._rounds.advance(until_us), *self.crews.advance(until_us)]


class TransitLife:
    """Buses or trams: to and fro on their line from the first service to the last, stopping at each stop."""

    def __init__(self, city: City, kind: type[Bus] | type[Tram], habits: Habits, start_us: int) -> None:
        self._kind, self._habits, self.now_us = kind, habits, start_us
        fleet = fleet_of(city, kind.kind)
        own, self._line = np.unique(fleet.line, return_inverse=True)
        lines = [city.lines[i] for i in ints(own)]
        self._tracks = Tracks(tuple(line.course for line in lines))
        self._tables = [timetable_of(line) for line in lines]
        self._round_s = np.array([table.round_s for table in self._tables])
        self._offset_s = fleet.phase * self._round_s[self._line]
        self._key = key_of(city.seed, kind.kind)
        self._phase = phases(self._key, len(self._line), habits.mover_s)
        self._followed = np.zeros(len(self._line), np.bool_)
        self._told: list[tuple[int, Driven]] = []

    def follow(self, frame: Frame) -> None:
        """Takes what streets that are driven tell of vehicles: those speak for themselves from then on."""
        for driven in frame.buses:
            self._followed[driven.bus] = True
            self._told.append((frame.second * SECOND_US, driven))

    def unfollow(self) -> None:
        """The streets have gone: all go on by their timetable, as late as they happen to be."""
        self._followed[:] = False
        self._told.clear()

    def delay_s(self, who: Ints, at: Ints) -> Floats:
        """How late each is: a slow drift, worse at the peaks; never so fast that a vehicle would run backwards."""
        hour = (at + (local_us(self.now_us) - self.now_us)) % DAY_US / HOUR_US
        peak = np.exp(-(((hour - 8.2) / 1.4) ** 2)) + np.exp(-(((hour - 17.6) / 1.8) ** 2))
        wander = drift(self._key, who, at, 1_500.0)
        scale = 1.0 if self._kind is Bus else 0.45
        return scale * (35 + 75 * peak + (60 + 90 * peak) * wander)

    def advance(self, until_us: int) -> list[Reports]:
        """Positions, headings and delays."""
        who, at = due(self.now_us, until_us, self._habits.mover_s, self._phase)
        own = ~self._followed[who]
        who, at = who[own], at[own]
        driven = self._driven()
        if not len(who):
            self.now_us = until_us
            return driven
        delay = self.delay_s(who, at)
        local = at + (local_us(until_us) - until_us)
        clock = (served_s(local) - delay + self._offset_s[who]) % self._round_s[self._line[who]]
        progress = np.zeros(len(who))
        line = self._line[who]
        for own, table in enumerate(self._tables):
            rows = np.flatnonzero(line == own)
            progress[rows] = np.interp(clock[rows], table.clock_s, table.metres)
        places, heading = self._tracks.place(line, progress)
        self.now_us = until_us
        return [*driven, *self._reports(who, at, places, heading, delay)]

    def _driven(self) -> list[Reports]:
        """What those told that are driven, since it was asked last."""
        told, self._told = self._told, []
        if not told:
            return []
        who, at = np.array([each.bus for _, each in told]), np.array([at_us for at_us, _ in told])
        rows = np.array([(each.east_m, each.north_m, each.heading_deg, each.late_s) for _, each in told])
        return self._reports(who, at, to_degrees(rows[:, :2]), np.mod(np.round(rows[:, 2]), 360.0), rows[:, 3])

    def _reports(self, who: Ints, at: Ints, places: Floats, heading: Floats, delay: Floats) -> list[Reports]:
        slow = (at // (30 * SECOND_US)) != (at - int(self._habits.mover_s * SECOND_US)) // (30 * SECOND_US)
        kind: type[AssetKind] = self._kind
        return [
            Reports(kind, self._kind.position, who, at, places[:, 0], places[:, 1]),
            Reports(kind, self._kind.heading, who, at, heading),
            Reports(kind, self._kind.delay, who[slow], at[slow], np.round(delay[slow])),
        ]

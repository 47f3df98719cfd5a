"""All devices of the city together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from vigie.core.times import to_us
from vigie.services.lighting.kinds import UNTIL
from vigie.services.roads import Bus, Tram
from vigie.sim.city.city import City
from vigie.sim.life.columns import Habits, Reports
from vigie.sim.life.crossings import CrossingLife
from vigie.sim.life.faults import Breakdowns, Fault, Wear
from vigie.sim.life.lamps import LampLife
from vigie.sim.life.movers import TransitLife, VehicleLife
from vigie.sim.life.others import BikeLife, BollardLife, CameraLife, StationLife
from vigie.sim.life.passers import PasserLife
from vigie.sim.life.sky import Sky
from vigie.sim.traffic.shown import Frame


class Life:
    """The devices of a city from an instant on. step() moves time; order() asks something of a device.

    The same city, start, habits, steps and orders give the same reports. Steps of any length up to a day are allowed;
    what changes within a step is seen to the minute.
    """

    def __init__(
        self,
        city: City,
        start_us: int,
        habits: Habits | None = None,
        *,
        breakdowns: Breakdowns | None = None,
        lighting_alone: bool = False,
    ) -> None:
        """breakdowns: of lamps and cabinets; without, what wear makes of a town that is looked after. lighting_alone:
        whether nothing lives but lamps, cabinets, and the stations that know the weather."""
        habits = habits or Habits()
        sky = Sky(city.seed)
        self._breakdowns = breakdowns or Wear(city, sky)
        self.lamps = LampLife(city, sky, habits, start_us, self._breakdowns)
        self.crossings = CrossingLife(city, habits, start_us)
        self.bollards = BollardLife(city, habits, start_us)
        self.buses = TransitLife(city, Bus, habits, start_us)
        vehicles = VehicleLife(city, sky, habits, start_us)
        self.crews = vehicles.crews
        self._parts = (
            self.lamps, self.crossings, self.bollards,
            vehicles, self.buses,
            TransitLife(city, Tram, habits, start_us), CameraLife(city, habits, start_us),
            BikeLife(city, habits, start_us), PasserLife(city, habits, start_us),
            StationLife(city, sky, habits, start_us),
        )  # fmt: skip
        if lighting_alone:
            self._parts = (self.lamps, self._parts[-1])
        self.now_us = start_us

    def step(self, until_us: int) -> list[Reports]:
        """All that devices say in (now, until], in a fixed order; nothing if time does not move on."""
        if until_us <= self.now_us:
            return []
        self.now_us = until_us
        return [reports for part in self._parts for reports in part.advance(until_us) if len(reports)]

    def follow(self, frame: Frame) -> None:
        """Takes a second of streets that are driven: junctions, detectors and buses tell what is there."""
        self.crossings.follow(frame)
        self.buses.follow(frame)

    def unfollow(self) -> None:
        """The streets have gone: all that followed them live by themselves again."""
        self.crossings.unfollow()
        self.buses.unfollow()

    def labels(self, from_us: int, until_us: int) -> list[Fault]:
        """What is broken in lighting at any instant in [from, until), the earliest first."""
        return self._breakdowns.during(from_us, until_us).labels()

    def order(self, kind: str, index: int, action: str, params: Mapping[str, Any]) -> str:
        """Gives an order to the nth asset of a kind now. Returns why the device cannot take it; empty if it can."""
        match kind, action:
            case "luminaire", "dim":
                self.dim([index], params)
            case "luminaire", "release":
                self.release([index])
            case "cabinet", "set_full_light":
                self.lamps.order_cabinet(index, params, self.now_us)
            case "junction", "run_plan":
                self.crossings.order_plan(index, int(params["plan"]), self.now_us)
            case "junction", "set_mode":
                self.crossings.order_mode(index, str(params["mode"]), self.now_us)
            case "bollard", "move":
                self.bollards.order(index, str(params["to"]), self.now_us)
            case _:
                return f"a {kind} knows no action {action!r}"
        return ""

    def dim(self, luminaires: Sequence[int], params: Mapping[str, Any], at_us: int | None = None) -> None:
        """Dims many luminaires at once. at_us: when they hear it, now where nothing is said."""
        until = params.get(UNTIL.name)
        until_us = None if until is None else to_us(datetime.fromisoformat(until))
        self.lamps.order_lamps(np.asarray(luminaires, np.int64), float(params["level"]), at_us or self.now_us, until_us)

    def release(self, luminaires: Sequence[int], at_us: int | None = None) -> None:
        """Gives many luminaires back to their programmes at once. at_us: as for `dim`."""
        self.lamps.release_lamps(np.asarray(luminaires, np.int64), at_us or self.now_us)

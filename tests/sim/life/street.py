"""A few cabinets of the city with what they feed, so that an evening of them takes a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from vigie.core.times import MINUTE_US, to_us
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city import City
from vigie.sim.life import Reports
from vigie.sim.life.columns import DAY
from vigie.sim.life.faults import Fault, Told
from vigie.sim.life.lamps import LampLife
from vigie.sim.life.sky import Sky

NOON_US = to_us(datetime.fromisoformat("2026-11-24T12:00:00+01:00"))
EVENING_US = to_us(datetime.fromisoformat("2026-11-24T19:00:00+01:00"))


def some_cabinets(city: City) -> list[int]:
    """Twelve of Dijon with two circuits or more: even places are switched, odd ones permanent."""
    lighting = city.lighting
    most = np.zeros(len(lighting.cabinet_xy), np.int64)
    np.maximum.at(most, lighting.cabinet, lighting.circuit)
    good = (most >= 2) & (lighting.cabinet_commune == 0)
    switched, permanent = (np.flatnonzero(good & (lighting.switched == each))[:6].tolist() for each in (True, False))
    return [each for pair in zip(switched, permanent, strict=True) for each in pair]


Said = dict[tuple[str, int], list[tuple[int, float]]]


@dataclass
class Street:
    """The life of a few cabinets with what is told to break. said: (point, device) -> instants and values, in order."""

    city: City
    life: LampLife
    lamps: Said = field(default_factory=lambda: defaultdict(list))
    cabinets: Said = field(default_factory=lambda: defaultdict(list))

    @staticmethod
    def of(city: City, start_us: int, *faults: Fault) -> Street:
        """Begins to live."""
        return Street(city, LampLife(city, Sky(city.seed), DAY, start_us, Told(faults)))

    def until(self, at_us: int, step_us: int = MINUTE_US) -> Street:
        """Lives on."""
        for then_us in range(self.life.now_us + step_us, at_us + 1, step_us):
            self._hear(self.life.advance(then_us))
        return self

    def _hear(self, reports: Iterable[Reports]) -> None:
        for each in reports:
            into = self.lamps if each.kind is Luminaire else self.cabinets
            rows = zip(each.index.tolist(), each.observed_us.tolist(), each.value.tolist(), strict=True)
            for device, at_us, value in rows:
                into[each.point.name, device].append((at_us, value))

    def lamp(self, point: str, lamp: int, since_us: int = 0) -> list[float]:
        """What a lamp said of a point."""
        return [value for at_us, value in self.lamps[point, lamp] if at_us >= since_us]

    def cabinet(self, point: str, cabinet: int, since_us: int = 0) -> list[str | float]:
        """What a cabinet said of a point, by the names of choices."""
        names = Cabinet.points[point].choices
        said = [value for at_us, value in self.cabinets[point, cabinet] if at_us >= since_us]
        return [names[int(value)] if names else value for value in said]

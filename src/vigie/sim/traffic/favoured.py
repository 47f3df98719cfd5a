"""Who of a run's vehicles goes first: its buses and trams, and those that are on their way to save somebody.

Where a scenario has none, some of its own vehicles become such: they take the same ways at the same times, so that
nothing else of the demand is another. What they tell junctions is what a vehicle's own radio tells: which junction it
comes to, by which signal group, and when it will be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from vigie.services.signals.control.claims import Claim, Sort, weight_of
from vigie.sim.traffic.network import Light
from vigie.sim.traffic.world import Ahead, World

STOPS_M = 60.0
"""Who stands as near before a light, and at no stop, stands for that light: behind another tram as well."""

TOLD_AHEAD_S = 40.0
"""Who would be at the stop line later than this has not told of itself yet."""


@dataclass(slots=True)
class Trams:
    """How often trams came to a light, and how often they had to stop there."""

    passages: int = 0
    stopped: int = 0
    _ahead: dict[str, str] = field(default_factory=dict[str, str])
    _stood: set[str] = field(default_factory=set[str])

    def see(self, name: str, light: Ahead | None) -> None:
        """What is ahead of a tram now; None where it comes to no light any more."""
        before = self._ahead.get(name)
        if before is not None and (light is None or light.light != before):
            self.passages += 1
            self.stopped += name in self._stood
            self._stood.discard(name)
            del self._ahead[name]
        if light is not None:
            self._ahead[name] = light.light
            if light.stands and light.away_m < STOPS_M:
                self._stood.add(name)

    def end(self) -> Trams:
        """The same at the end of a run: who stands before a light then has stopped there."""
        self.passages += len(self._stood)
        self.stopped += len(self._stood)
        self._stood.clear()
        return self


class Favoured:
    """Those of one run. many_h: of each sort, so many of the run's vehicles an hour become one."""

    def __init__(
        self, world: World, lights: Sequence[Light], many_h: Mapping[Sort, float], begin_s: int, seed: int
    ) -> None:
        self._world = world
        self._number = {light.name: at for at, light in enumerate(lights)}
        self._group = [[signal.group for signal in light.signals] for light in lights]
        dice = Random(f"favoured {seed}")
        self._every_s = {sort: 3600 / number for sort, number in many_h.items() if number > 0}
        self._next_s = {sort: begin_s + dice.random() * every_s for sort, every_s in self._every_s.items()}
        self._there: dict[str, Sort] = {}
        self.trams = Trams()
        self._points = {(at, points.group) for at, light in enumerate(lights) for points in light.site.calls}

    def look(self, now_s: int) -> None:
        """Sees who was loaded, set out or arrived in the last second; some of the first become others."""
        came = iter(self._world.loaded())
        for sort, due_s in self._next_s.items():
            if due_s <= now_s and any(self._world.turn_into(name, sort) for name in came):
                self._next_s[sort] += self._every_s[sort]
        for name, sort in self._world.set_out():
            self._there[name] = sort
        for name in self._world.arrived():
            if self._there.pop(name, None) is Sort.TRAM:
                self.trams.see(name, None)
        for name, sort in self._there.items():
            if sort is Sort.TRAM:
                self.trams.see(name, self._world.next_light(name))

    def claims(self) -> list[Claim]:
        """What they tell now; who has points in the road tells nothing else."""
        found: list[Claim] = []
        for name, sort in self._there.items():
            weight = weight_of(sort, self._world.lost_s(name))
            if weight <= 0:
                continue
            for light, link, eta_s in self._world.comes_to(name):
                at = self._number.get(light)
                group = self._group[at][link] if at is not None else None
                if at is None or group is None or (at, group) in self._points:
                    continue
                if eta_s <= TOLD_AHEAD_S:
                    found.append(Claim(at, group, eta_s, weight))
        return found

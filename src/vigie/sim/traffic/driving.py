"""The town as it drives: each second who sets out, what the junctions show by their roadside controllers, what counts.

It is told what second it is, and keeps no clock.
"""

from __future__ import annotations

from collections.abc import Set
from random import Random

import numpy as np

from vigie.core.arrays import ints
from vigie.core.times import SECOND_US
from vigie.services.signals.junction import LETTERS, Second
from vigie.sim.life.crossings import planned
from vigie.sim.life.sky import local_hour, traffic
from vigie.sim.traffic.buses import Buses
from vigie.sim.traffic.demand import TIDE
from vigie.sim.traffic.letters import letters_of
from vigie.sim.traffic.network import Light
from vigie.sim.traffic.roadside import Roadside
from vigie.sim.traffic.shown import Asked, Counted, Frame, Shown
from vigie.sim.traffic.town import CAR, COUNT_S, WALKER, WALKERS_H, Town
from vigie.sim.traffic.walks import Walk
from vigie.sim.traffic.world import World, dead_detectors

FLASH = "F"
NOON_H = 12.5
"""Until then more drive towards the centre than from it, and after it the other way round."""

VEHICLE_M = 4.5


class Driving:
    """A town in a world that was made of it (`World(..., endless=True)`), second by second."""

    def __init__(self, town: Town, world: World, seed: int, now_s: int, dead: float = 0.0) -> None:
        """dead: the share of loops that count nothing."""
        self._town, self._world = town, world
        self._plan = planned(local_hour(now_s * SECOND_US))
        dice = Random(seed)
        self._posts = [
            _Post(
                light,
                world,
                at,
                Roadside(light.site, {self._plan: plans[self._plan], **plans}),
                dead_detectors(light, dead, dice),
            )
            for at, (light, plans) in enumerate(zip(town.lights, town.plans, strict=True))
        ]
        self._of = dict(zip(town.junctions, self._posts, strict=True))
        self._drawn = Drawn(town, seed, now_s)
        self._buses = Buses(town.service, world, seed, now_s)
        self._sent = 0
        self._driven_s = 0

    def ask(self, asked: Asked, now_s: int) -> None:
        """Asks something of a junction's controller; one that is not in the town hears nothing."""
        post = self._of.get(asked.junction)
        if post is None:
            return
        if asked.inputs is not None:
            post.roadside.inputs(frozenset(asked.inputs), now_s)
        if asked.plan is not None:
            post.roadside.order_plan(asked.plan)
        if asked.mode is not None:
            post.roadside.order_mode(asked.mode)

    def second(self, now_s: int) -> Frame:
        """One second on. Raises SumoFailed."""
        for post in self._posts:
            post.show(now_s)
        for route in self._drawn.set_out(now_s):
            self._sent += 1
            self._world.send(str(self._sent), str(route), CAR)
        for walk in self._drawn.on_foot(now_s):
            self._sent += 1
            self._world.walk(str(self._sent), walk, WALKER)
        self._buses.step(now_s)
        self._world.step()
        self._driven_s += 1
        shown = {junction: post.shown(now_s) for junction, post in self._of.items()}
        counted = self._counted() if self._driven_s % COUNT_S == 0 else ()
        return Frame(now_s, shown, counted, self._world.under_way, tuple(self._buses.told(now_s)))

    def _counted(self) -> tuple[Counted, ...]:
        """What the city's detectors saw in the minute that has ended."""
        found: list[Counted] = []
        for detector, loops in self._town.counters.items():
            seen = [self._world.counted(loop) for loop in loops]
            count = sum(number for number, _, _ in seen)
            speed_m_s = sum(number * speed for number, speed, _ in seen) / count if count else 0.0
            occupancy = sum(share for _, _, share in seen) / len(seen)
            found.append(Counted(detector, count * 3600 // COUNT_S, round(speed_m_s * 3.6, 1), round(occupancy, 1)))
        return tuple(found)


class Drawn:
    """Who sets out in a town, second by second, as the seed has it."""

    def __init__(self, town: Town, seed: int, now_s: int) -> None:
        self._walks = town.walks
        self._rates_s = np.array(town.rates_h) / 3600
        self._inward = np.array(town.inward)
        self._rng, self._afoot = (np.random.default_rng((seed, now_s, who)) for who in range(2))

    def set_out(self, now_s: int) -> list[int]:
        """The routes on which somebody sets out in a second."""
        share = traffic(now_s * SECOND_US)
        tide = TIDE if local_hour(now_s * SECOND_US) < NOON_H else -TIDE
        return ints(
            np.flatnonzero(self._rng.random(len(self._rates_s)) < self._rates_s * share * (1 + tide * self._inward))
        )

    def on_foot(self, now_s: int) -> list[Walk]:
        """The ways of those who set out on foot in a second: the more, the more drive."""
        count = self._afoot.poisson(WALKERS_H / 3600 * traffic(now_s * SECOND_US)) if self._walks else 0
        return [self._walks[at] for at in ints(self._afoot.integers(len(self._walks), size=count))] if count else []


class _Post:
    """One junction: its controller, and the light of SUMO's that shows what that decides."""

    def __init__(self, light: Light, world: World, number: int, roadside: Roadside, dead: Set[int]) -> None:
        """dead: the places of those of its detectors that count nothing."""
        self.roadside = roadside
        self._light, self._world, self._number = light, world, number
        self._read, self._asked = world.loops(number, dead), world.buttons(number)
        self._letters: dict[Second, str] = {(): _flashing(light)}
        self._groups: dict[Second, str] = {(): FLASH * len(light.site.junction.groups)}

    def show(self, now_s: int) -> None:
        """Has SUMO show the controller's next second."""
        second = self.roadside.step(now_s)
        if second not in self._letters:
            self._letters[second] = letters_of(self._light, second)
            self._groups[second] = "".join(LETTERS[colour] for colour in second)
        self._world.show(self._number, self._letters[second])

    def shown(self, now_s: int) -> Shown:
        """What it shows and counts."""
        own = self.roadside
        vehicles, occupancies = self._read()
        return Shown(
            now_s, self._groups[own.second], own.stage, own.plan, own.mode, own.decides, tuple(vehicles),
            tuple(occupancies), own.cycles_s, tuple(self._asked()),
        )  # fmt: skip


def _flashing(light: Light) -> str:
    """What SUMO shows where a junction flashes: priority as the signs say."""
    return "".join(signal.letter if signal.group is None else "o" for signal in light.signals)

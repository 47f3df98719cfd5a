"""Escorts: vehicles whose way somebody has ordered to be cleared, and how far each has come.

What is ordered is read from the orders themselves, which are on disk: so a way is cleared after a restart as it was
before, until its time is over or somebody ends it. The post carries these orders out itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog

from vigie.api.orders import OrderDoor
from vigie.core.arrays import ints
from vigie.core.observations import Mask
from vigie.core.readings import Readings
from vigie.core.service import City, Clear, Effect, Numbers, Raise, Refusal
from vigie.core.times import SECOND_US
from vigie.engine.admission import ANY_REPORTER
from vigie.engine.command import Command
from vigie.engine.loop import Engine
from vigie.engine.orders import listed
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Busy, Pump, Stopping
from vigie.services.roads import ESCORT_LOST, TOLD_WITHIN_S, Vehicle
from vigie.services.signals import NOBODY_TO_ASK
from vigie.services.signals.priority.arms import Crossing
from vigie.services.signals.priority.passages import ROUTE_AHEAD_S, Passage
from vigie.services.signals.priority.passages import Vehicle as Seen
from vigie.services.signals.priority.routes import Route

TURN_S = 1.0

BEHIND_MAX = 50
"""So many junctions are told that a vehicle has passed, the last ones."""

_log = structlog.get_logger("vigie.rsmp.escorts")


@dataclass(slots=True)
class Escort:
    """A vehicle whose way is cleared. command: the order. route: where it is to come, None where nobody said. lost: it
    does not say where it is. ahead: the junctions that it comes to now; behind: those that it came to before."""

    vehicle: int
    command: Command
    until_us: int
    route: Route | None
    lost: bool = False
    ahead: dict[str, Passage] = field(default_factory=dict[str, Passage])
    behind: list[str] = field(default_factory=list[str])


class Escorts:
    """All of them, by the numbers of their vehicles."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._all: dict[int, Escort] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    def __contains__(self, vehicle: int) -> bool:
        return vehicle in self._all

    def told(self) -> Sequence[Escort]:
        """Those that there are, the oldest order first; what was ended since the last look is none any more."""
        holding = {(vehicle, command.id) for vehicle, command, _ in self._in_force(self._clock.now_us())}
        return [each for each in self._all.values() if (each.vehicle, each.command.id) in holding]

    def look(self, crossings: Mapping[str, Crossing]) -> None:
        """Looks for whom a way is to be cleared now, and tells of those that do not say where they are. crossings: the
        junctions that there are."""
        now_us, before = self._clock.now_us(), self._all
        self._all = {}
        for vehicle, command, until_us in self._in_force(now_us):
            known = before.get(vehicle)
            if known is None or known.command is not command:
                names = listed(command.order.params.get("route"))
                known = Escort(vehicle, command, until_us, Route(names) if names else None)
            self._all[vehicle] = known
            if known.route is not None:
                known.route.keep(crossings)
        self._tell_lost(now_us)

    def followed(self, seen: Seen) -> Seen:
        """A vehicle as it is seen, on its route where that is known."""
        escort = self._all.get(seen.number)
        if escort is None:
            return seen
        told = seen._replace(valid_s=TOLD_WITHIN_S)
        return told if escort.route is None else told._replace(course=escort.route, ahead_s=ROUTE_AHEAD_S)

    def note(self, passages: Sequence[Passage]) -> None:
        """Who comes to which junction now."""
        for escort in self._all.values():
            ahead = {each.junction: each for each in passages if each.vehicle == escort.vehicle}
            left = [name for name in escort.ahead if name not in ahead]
            escort.behind = [name for name in escort.behind if name not in ahead and name not in left]
            escort.behind = [*escort.behind, *left][-BEHIND_MAX:]
            escort.ahead = ahead

    def _in_force(self, now_us: int) -> Iterator[tuple[int, Command, int]]:
        """The vehicles that an order holds for now, with the order and its end, the oldest order first."""
        for command in sorted(self._engine.commands, key=lambda each: each.proposed_us):
            until_us = command.order.until_us
            if command.order.action is Vehicle.escort and until_us is not None and until_us > now_us:
                for vehicle in ints(command.order.assets[command.holding]):
                    yield vehicle, command, until_us

    def _tell_lost(self, now_us: int) -> None:
        numbers = self._engine.assets(Vehicle)
        told = self._engine.newest(Vehicle, Vehicle.position, numbers)
        at_us = dict(zip(ints(numbers), ints(told.observed_us), strict=True))
        for escort in self._all.values():
            escort.lost = now_us - at_us.get(escort.vehicle, 0) > TOLD_WITHIN_S * SECOND_US
        lost = {each.vehicle for each in self._all.values() if each.lost}
        known = {each.asset for each in self._engine.present(ESCORT_LOST)}
        effects: list[Effect] = [Raise(ESCORT_LOST, vehicle, now_us, {}) for vehicle in sorted(lost - known)]
        effects += [Clear(ESCORT_LOST, vehicle, now_us) for vehicle in sorted(known - lost)]
        if effects:
            self._engine.apply(effects, self._engine.next_ingest, f"rsmp.escorts.{now_us}", now_us)


def no_escorts() -> Sequence[Escort]:
    """Whose way is cleared where the post speaks to no junction."""
    return ()


def nobody_to_ask(
    params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
) -> Sequence[tuple[Mask, Refusal]]:
    """The same: whoever orders it is told so."""
    return [(np.ones(len(assets), np.bool_), NOBODY_TO_ASK)]


class EscortOrders:
    """Carries out what is ordered: says of a vehicle that its way is cleared, or is not any more, which proves the
    order. Lives on one event loop."""

    def __init__(self, door: OrderDoor, engine: Engine, pump: Pump, clock: Clock) -> None:
        self._door, self._engine, self._pump, self._clock = door, engine, pump, clock
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Does what waits to be done."""
        if self._task is None and ANY_REPORTER in self._engine.commands.waits_for(self._clock.now_us()):
            self._task = asyncio.get_running_loop().create_task(self._carry_out())
            self._task.add_done_callback(self._done)

    async def run(self) -> None:
        """Does what is due again, until it is cancelled."""
        try:
            while True:
                await asyncio.sleep(TURN_S)
                self.wake()
        finally:
            if self._task is not None:
                self._task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None

    async def _carry_out(self) -> None:
        ids = self._engine.registry.ids
        try:
            for offer in await self._door.offers(ANY_REPORTER):
                cleared = offer.command.order.action is Vehicle.escort
                names = [ids[number] for number in ints(offer.command.order.assets[offer.rows])]
                count, now_us = len(names), self._clock.now_us()
                said = Readings(
                    names, [Vehicle.escorted.name] * count, [cleared] * count, [now_us] * count, list(range(count))
                )
                await self._pump.submit(said, ANY_REPORTER)
        except (StorageFull, OSError, Busy, Stopping) as error:
            # What is on disk as sent is due again in half a minute.
            _log.error("a way cannot be cleared", reason=str(error))

"""Orders to what TALQ gateways speak for: overrides, what the gateways say of them, and a look where no proof comes.

An order is on disk as sent before it leaves, as at every door. A gateway gets no further orders before it has answered
for those it was given, so what waits for one that is gone stays unsent, and expires so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import structlog

from vigie.api.orders import OrderDoor
from vigie.api.talq.door import TalqDoor
from vigie.api.talq.link import Link
from vigie.core import sun
from vigie.core.observations import Int64s
from vigie.core.times import DAY_US, HOUR_US, SECOND_US, from_us
from vigie.engine.acts import Acts
from vigie.engine.command import CODES, Command
from vigie.engine.commands import Offer
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Pump
from vigie.protocols.talq import Request, actuators
from vigie.protocols.talq.devices import split
from vigie.protocols.talq.events import Accepted, CmsEvent, Declined, Done, Followed, Found, Ready
from vigie.protocols.talq.limits import ITEMS_MAX
from vigie.protocols.talq.messages import ResourceReference
from vigie.protocols.talq.orders import ORDERS

TURN_S = 1.0
LOOK_AGAIN_US = 20 * SECOND_US
LOOKS_MAX = 100
"""Devices of one gateway that are looked at in one go."""

OVERRIDE_US_MIN = 5 * 60 * SECOND_US
"""An override lasts at least so long: one that ended with the sunset a moment later could not even be proved."""

OVERRIDE_US_MAX = 12 * HOUR_US
_OPEN = (CODES["sent"], CODES["accepted"])
_UNATTACHED = 403

_log = structlog.get_logger("vigie.talq")


@dataclass(slots=True)
class _Part:
    """What one request is to bring about: rows of a command, by the addresses of their devices."""

    link: Link
    command: Command
    rows_of: dict[str, int]
    targets: list[ResourceReference] = field(default_factory=list[ResourceReference])

    @property
    def rows(self) -> Int64s:
        """The rows, sorted, none twice."""
        return np.unique(np.fromiter(self.rows_of.values(), np.int64, len(self.rows_of)))


@dataclass(slots=True)
class _Watch:
    """Targets that a gateway took, and when they are looked at."""

    link: Link
    command: Command
    rows: Int64s
    due_us: int


class TalqOrders:
    """Hands orders over to TALQ gateways. Lives on one event loop."""

    def __init__(
        self, talq: TalqDoor, door: OrderDoor, engine: Engine, acts: Acts, pump: Pump, clock: Clock, look_us: int
    ) -> None:
        """look_us: so long after a gateway took an order its lamps are looked at, where their own reports have proved
        nothing. A gateway that repeats what a lamp did not answer has its time for that; looking sooner keeps a busy
        one from its reports."""
        self._look_us = look_us
        self._talq, self._door, self._engine = talq, door, engine
        self._acts, self._pump, self._clock = acts, pump, clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._watches: list[_Watch] = []
        talq.on_events = self._on_events

    def wake(self) -> None:
        """Has those gateways handed something over that have something to be handed over, and no other."""
        now_us = self._clock.now_us()
        waits = self._engine.commands.waits_for(now_us)
        if not waits:
            return
        for link in self._talq.links.values():
            if link.number not in waits or link.number in self._tasks:
                continue
            # One that attaches for the first time is ready before it has told of a single device.
            if link.peer.devices and link.takes_orders(now_us):
                task = asyncio.get_running_loop().create_task(self._hand_over(link))
                self._tasks[link.number] = task
                task.add_done_callback(lambda _, number=link.number: self._tasks.pop(number, None))

    async def run(self) -> None:
        """Does what time brings, until it is cancelled: hands over what is due again, looks for proofs, and asks
        whether a gateway that did not answer is there again."""
        self._watch_kept()
        try:
            while True:
                await asyncio.sleep(TURN_S)
                self._forget_gone()
                self._probe()
                self.wake()
                self._look()
        finally:
            for task in list(self._tasks.values()):
                task.cancel()

    async def _hand_over(self, link: Link) -> None:
        """Whatever waits for a gateway, batch after batch."""
        try:
            while link.takes_orders(self._clock.now_us()):
                offers = await self._door.offers(link.number)
                if not offers:
                    now_us = self._clock.now_us()
                    again_us = self._engine.commands.again_us(link.number, now_us)
                    if not again_us:
                        return
                    # What its pace keeps back leaves in its turn.
                    await asyncio.sleep((again_us - now_us) / SECOND_US)
                    continue
                parts = [part for offer in offers for part in self._parts(link, offer)]
                answered = [self._ask(part) for part in parts]
                await asyncio.gather(*answered)
                self._acts.note_orders()
                await self._pump.settled()
        except StorageFull as error:
            # What is on disk as sent is due again in half a minute.
            _log.error("orders cannot be written down", gateway=link.name, reason=str(error))

    def _parts(self, link: Link, offer: Offer) -> list[_Part]:
        """An offer in requests; targets whose devices the gateway never spoke of have failed."""
        command, registry = offer.command, self._engine.registry
        kind = command.order.kind.kind
        rows = {registry.ids[int(command.order.assets[row])]: int(row) for row in offer.rows.tolist()}
        parts: list[_Part] = []
        found: set[int] = set()
        for device in link.peer.devices.values():
            row = rows.get(device.asset)
            references = actuators(device) if row is not None and device.kind == kind else ()
            if row is None or not references:
                continue
            found.add(row)
            if not parts or len(parts[-1].targets) + len(references) > ITEMS_MAX:
                parts.append(_Part(link, command, {}))
            parts[-1].targets += references
            parts[-1].rows_of[device.address] = row
        if command.order.name not in ORDERS:
            self._failed(link, command, rows.values(), "overrideCommandNotValid")
            return []
        self._failed(link, command, set(rows.values()) - found, "overrideAddressNotValid")
        return parts

    def _ask(self, part: _Part) -> asyncio.Future[None]:
        """Sends a request, and is done when it is known what became of it, or that this will not be known."""
        command, link = part.command, part.link
        now_us = self._clock.now_us()
        until = self._until(command, int(command.order.assets[part.rows[0]]), now_us)
        request = ORDERS[command.order.name](link.peer, command.order.params, part.targets, until, command.id)
        known = asyncio.get_running_loop().create_future()

        def then(events: Sequence[CmsEvent] | None) -> None:
            again = self._meant(part, events or ())
            if again is None:
                known.set_result(None)
            else:
                self._ask(again).add_done_callback(lambda _: known.set_result(None))

        within_s = (command.expires_us - now_us) / SECOND_US
        if not link.ask([request], within_s=within_s, then=then, may=self._may(part)):
            known.set_result(None)
        return known

    def _may(self, part: _Part) -> Callable[[], bool]:
        """Whether a request may be sent still, or again: none of its targets has been locked out, taken out of service
        or ordered otherwise since. If one was, the others are handed over anew."""

        def may() -> bool:
            command, rows, registry = part.command, part.rows, self._engine.registry
            assets = command.order.assets[rows]
            stopped = registry.gone[assets] | self._engine.consignations.held[assets]
            stopped |= command.state_of[rows] != CODES["sent"]
            stopped |= registry.reporter[assets] != part.link.number
            return not stopped.any()

        return may

    def _meant(self, part: _Part, events: Sequence[CmsEvent]) -> _Part | None:
        """What an answer means for the targets; returns those that are to be asked for again without the others."""
        now_us = self._clock.now_us()
        for event in events:
            if isinstance(event, Done | Accepted):
                self._engine.commands.accepted(part.command, part.rows, now_us)
                self._watches.append(_Watch(part.link, part.command, part.rows, now_us + self._look_us))
            elif isinstance(event, Declined) and event.status != _UNATTACHED:
                return self._declined(part, event)
        # Nothing is known, or the gateway is about to attach anew: the order is due again in half a minute.
        return None

    def _declined(self, part: _Part, event: Declined) -> _Part | None:
        """A gateway does all of a request or nothing. What it names as wrong has failed, and the rest is asked for
        again; where it names nothing of ours, all has failed."""
        named = {split(each.address.address)[0] for error in event.errors for each in error.references}
        wrong = named & part.rows_of.keys()
        left = {address: row for address, row in part.rows_of.items() if address not in wrong}
        if not wrong or not left:
            self._failed(part.link, part.command, part.rows_of.values(), event.reason)
            return None
        self._failed(part.link, part.command, (part.rows_of[address] for address in wrong), event.reason)
        targets = [each for each in part.targets if split(each.address)[0] in left]
        return _Part(part.link, part.command, left, targets)

    def _failed(self, link: Link, command: Command, rows: Iterable[int], detail: str) -> None:
        now_us = self._clock.now_us()
        for row in set(rows):
            asset = int(command.order.assets[row])
            self._engine.commands.receipt(command, asset, link.number, "failed", detail, now_us)

    def _until(self, command: Command, asset: int, now_us: int) -> datetime:
        """When an override ends by itself: as the order says; where it says nothing, with the next dusk or dawn, as a
        level that is set by hand always has."""
        if command.order.until_us is not None:
            return from_us(command.order.until_us)
        registry = self._engine.registry
        days = now_us // DAY_US + np.arange(-1, 2)
        passages: list[int] = []
        for passage in (sun.evening_us, sun.morning_us):
            at_us, how = passage(days, float(registry.lon[asset]), float(registry.lat[asset]))
            passages += at_us[(how == sun.Passage.PASSES) & (at_us >= now_us + OVERRIDE_US_MIN)].tolist()
        end_us = min([*passages, now_us + OVERRIDE_US_MAX])
        return from_us(end_us // SECOND_US * SECOND_US)

    # Where no proof comes.

    def _on_events(self, link: Link, events: Sequence[CmsEvent]) -> None:
        if any(isinstance(event, Found | Ready) for event in events):
            # What waited for its devices does not wait for the next turn too.
            self.wake()
        if any(isinstance(event, Followed) for event in events):
            # What was accepted to be done later has been done: now there is something to see.
            for watch in self._watches:
                if watch.link is link:
                    watch.due_us = 0

    def _watch_kept(self) -> None:
        """What gateways took before the post started again is looked at as well."""
        due_us = self._clock.now_us() + self._look_us
        reporter = self._engine.registry.reporter
        for command in self._engine.commands:
            rows = command.rows_in("accepted")
            for link in self._talq.links.values():
                own = rows[reporter[command.order.assets[rows]] == link.number]
                if len(own):
                    self._watches.append(_Watch(link, command, own, due_us))

    def _forget_gone(self) -> None:
        """Waits no more for the answers of gateways that were expelled."""
        there = {link.number for link in self._talq.links.values()}
        for number in self._tasks.keys() - there:
            self._tasks[number].cancel()

    def _look(self) -> None:
        """Looks at the devices of targets that are not proved yet."""
        now_us = self._clock.now_us()
        left: list[_Watch] = []
        for watch in self._watches:
            watch.rows = watch.rows[np.isin(watch.command.state_of[watch.rows], _OPEN)]
            if not len(watch.rows) or self._talq.links.get(watch.link.name) is not watch.link:
                continue
            left.append(watch)
            if watch.due_us <= now_us and not len(watch.link.courier):
                watch.link.ask(self._looks(watch))
                watch.due_us = now_us + LOOK_AGAIN_US
                watch.rows = np.roll(watch.rows, -LOOKS_MAX)
        self._watches = left

    def _looks(self, watch: _Watch) -> list[Request]:
        ids = self._engine.registry.ids
        numbers: list[int] = watch.command.order.assets[watch.rows[:LOOKS_MAX]].tolist()
        wanted = {ids[asset] for asset in numbers}
        kind, peer = watch.command.order.kind.kind, watch.link.peer
        return [peer.look(each.address) for each in peer.devices.values() if each.asset in wanted and each.kind == kind]

    def _probe(self) -> None:
        """Asks those who did not answer something small, so that it is known when they do."""
        for link in self._talq.links.values():
            if link.is_ready and link.courier.reached is False and not len(link.courier):
                link.ask([link.peer.probe()])

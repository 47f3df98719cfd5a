"""Orders to sites of traffic signals: a plan, yellow flash, back to colours; and who decides on their stages.

An order is on disk as sent before it leaves, as at every door. The site's acknowledgement says that it took it, its
refusal that it did not, with its words; that it was done the statuses prove that are subscribed to. Where the
connection broke before either came, the order is due again: it sets an absolute state.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import structlog

from vigie.api.orders import OrderDoor
from vigie.api.rsmp.door import RsmpDoor, Site
from vigie.core.service import Refusal
from vigie.core.times import SECOND_US
from vigie.engine.acts import Acts
from vigie.engine.command import Command
from vigie.engine.commands import Offer
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Pump
from vigie.protocols.rsmp import CannotAsk
from vigie.protocols.rsmp.events import Accepted, Attached, Fate, Settled, Step
from vigie.protocols.rsmp.timetables import tables_of
from vigie.services.signals import Junction
from vigie.services.signals.dayplans import read

TURN_S = 1.0
SENT_MAX = 10_000
"""So many orders are remembered whose last word has not come."""

_MODES = {"colours": "NormalControl", "flashing": "YellowFlash"}
_CODE_2_MISSING = "the post does not have this site's security code 2"

_log = structlog.get_logger("vigie.rsmp")

Commands = Mapping[str, Mapping[str, str]]


def _run_plan(params: Mapping[str, Any]) -> Commands:
    return {"M0002": {"status": "True", "timeplan": str(int(params["plan"]))}}


def _set_mode(params: Mapping[str, Any]) -> Commands:
    # For all intersections of the controller, and until it is ordered otherwise.
    return {"M0001": {"status": _MODES[params["mode"]], "timeout": "0", "intersection": "0"}}


def _run_day_plans(params: Mapping[str, Any]) -> Commands:
    # In one message, so that no loss falls between them: what begins when first, then which day has it; last of all,
    # back from a plan that was ordered to the one by the clock.
    week, tables = tables_of(read(params["days"]))
    return {
        "M0017": {"status": tables},
        "M0016": {"status": week},
        "M0002": {"status": "False", "timeplan": "1"},
    }


ORDERS: Mapping[str, Callable[[Mapping[str, Any]], Commands]] = {
    "run_plan": _run_plan,
    "set_mode": _set_mode,
    "run_day_plans": _run_day_plans,
}
"""By action, the commands of the list. Each wants security code 2."""


class Steers(Protocol):
    """Who may take a junction's stages in hand. Both return when that is on disk, and raise StorageFull and OSError."""

    async def take(self, site: Site, asset: int, ordered_us: int) -> Refusal | None:
        """Takes them in hand; why not, if it cannot."""
        ...

    async def let_go(self, asset: int, ordered_us: int) -> None:
        """Leaves them to the junction, unless they were taken in hand by a later order."""
        ...


@dataclass(frozen=True, slots=True)
class _Sent:
    command: Command
    asset: int


class RsmpOrders:
    """Hands orders over to sites. Lives on one event loop."""

    def __init__(
        self,
        rsmp: RsmpDoor,
        door: OrderDoor,
        engine: Engine,
        acts: Acts,
        pump: Pump,
        clock: Clock,
        steers: Steers,
    ) -> None:
        self._rsmp, self._door, self._engine, self._steers = rsmp, door, engine, steers
        self._acts, self._pump, self._clock = acts, pump, clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sent: OrderedDict[tuple[str, str], _Sent] = OrderedDict()
        rsmp.on_events = self._on_events

    def wake(self) -> None:
        """Has those sites handed something over that have something to be handed over, and no other."""
        waits = self._engine.commands.waits_for(self._clock.now_us())
        if not waits:
            return
        for site in self._rsmp.sites.values():
            if site.attached and site.number in waits and site.number not in self._tasks:
                task = asyncio.get_running_loop().create_task(self._hand_over(site))
                self._tasks[site.number] = task
                task.add_done_callback(lambda _, number=site.number: self._tasks.pop(number, None))

    async def run(self) -> None:
        """Does what time brings, until it is cancelled: hands over what is due again."""
        try:
            while True:
                await asyncio.sleep(TURN_S)
                self.wake()
        finally:
            for task in list(self._tasks.values()):
                task.cancel()

    async def _hand_over(self, site: Site) -> None:
        """Whatever waits for a site, batch after batch."""
        try:
            while site.attached:
                offers = await self._door.offers(site.number)
                if not offers:
                    now_us = self._clock.now_us()
                    again_us = self._engine.commands.again_us(site.number, now_us)
                    if not again_us:
                        return
                    await asyncio.sleep((again_us - now_us) / SECOND_US)
                    continue
                for offer in offers:
                    await self._decide(site, offer)
                    if offer.command.order.action is not Junction.set_control:
                        self._send(site, offer)
                self._acts.note_orders()
                await self._pump.settled()
        except (StorageFull, OSError) as error:
            # What is on disk as sent is due again in half a minute.
            _log.error("orders cannot be written down", site=site.name, reason=str(error))

    async def _decide(self, site: Site, offer: Offer) -> None:
        """Has a junction steered by the post, or not any more: whatever else a person orders of one ends that first."""
        order, at_us = offer.command.order, offer.command.proposed_us
        for asset in order.assets[offer.rows].tolist():
            refusal = None
            if order.params.get("control") == "adaptive":
                refusal = await self._steers.take(site, asset, at_us) if site.enrolment.codes[1] else _CODE_2_MISSING
            elif order.action is Junction.set_control or site.enrolment.codes[1]:
                # What cannot be sent at all ends nothing.
                await self._steers.let_go(asset, at_us)
            if refusal is not None:
                self._failed(site, offer.command, asset, refusal)
            elif order.action is Junction.set_control:
                self._accepted(_Sent(offer.command, asset))

    def _send(self, site: Site, offer: Offer) -> None:
        command = offer.command
        make = ORDERS.get(command.order.action.name)
        for asset in command.order.assets[offer.rows].tolist():
            if make is None:
                self._failed(site, command, asset, f"sites know no {command.order.action.name}")
                continue
            if not site.enrolment.codes[1]:
                self._failed(site, command, asset, _CODE_2_MISSING)
                continue
            commands = make(command.order.params)
            try:
                number = self._rsmp.ask(site, lambda link, at: link.order(site.component, commands, at))  # noqa: B023
            except CannotAsk as error:
                # Of one that has just gone nothing is known: the order is due again when it is back.
                if site.attached:
                    self._failed(site, command, asset, str(error))
                continue
            self._sent[site.name, number] = _Sent(command, asset)
            while len(self._sent) > SENT_MAX:
                self._sent.popitem(last=False)

    def _failed(self, site: Site, command: Command, asset: int, why: str | Refusal) -> None:
        """It came to nothing: in whoever's words, or by a rule that the post itself keeps."""
        words = why if isinstance(why, str) else why.rule
        taken = self._engine.commands.receipt(command, asset, site.number, "failed", words, self._clock.now_us())
        if taken and isinstance(why, Refusal):
            command.refusals[int(np.searchsorted(command.order.assets, asset))] = why

    def _on_events(self, site: Site, events: Sequence[Step]) -> None:
        if any(isinstance(event, Attached) for event in events):
            # What waited for it does not wait for the next turn too.
            self.wake()
        heard = False
        for event in events:
            if not isinstance(event, Accepted | Settled):
                continue
            sent = self._sent.get((site.name, event.number))
            if sent is None:
                continue
            heard = True
            if isinstance(event, Accepted) or event.fate is Fate.DONE:
                self._accepted(sent)
            elif event.fate is Fate.REFUSED:
                self._failed(site, sent.command, sent.asset, event.why)
            if isinstance(event, Settled) and event.fate is not Fate.UNKNOWN:
                del self._sent[site.name, event.number]
        if heard:
            self._acts.note_orders()

    def _accepted(self, sent: _Sent) -> None:
        row = np.searchsorted(sent.command.order.assets, sent.asset)
        self._engine.commands.accepted(sent.command, np.array([row], np.int64), self._clock.now_us())

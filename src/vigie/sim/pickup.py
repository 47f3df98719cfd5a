"""The device end of orders over simulated links: gateways pick them up, carry each out once and send receipts.

What is asked of the engine is what the device door asks (`vigie.api.orders`), in the same order: what is handed out is
on disk as sent before it leaves. An answer that is lost is handed over again by the post's own rules.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Int64s, Mask
from vigie.engine.acts import Acts
from vigie.engine.command import Command
from vigie.engine.commands import Offer
from vigie.engine.loop import Engine
from vigie.sim.life import Life
from vigie.sim.links import Links
from vigie.sim.roll import Roll

HANDED_KEPT = 100_000
ORDERS_REMEMBERED_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Handed:
    """An order that left the post for a gateway at an instant, to so many targets; whether it arrived."""

    command: str
    at_us: int
    expires_us: int
    targets: int
    arrived: bool


class Pickup:
    """What all gateways do with orders."""

    def __init__(self, life: Life, links: Links, roll: Roll) -> None:
        self._life, self._links, self._roll = life, links, roll
        self._done: dict[str, Mask] = {}
        self.handed: deque[Handed] = deque(maxlen=HANDED_KEPT)
        """What was handed out, the newest last."""
        self.counts: Counter[str] = Counter()
        """Targets, by what became of an order at the device end: carried_out, again, failed, silent."""

    def pick_up(self, engine: Engine, acts: Acts, now_us: int, within_us: int) -> None:
        """Every gateway that reaches the post is handed what waits for it, and answers. Raises StorageFull.

        within_us: until the next time that gateways are asked. What goes out a few at a time is picked up in between,
        as a gateway does that asks again at once: each time at its own instant.
        """
        if not any(command.state == "running" for command in engine.commands):
            return
        reached = np.flatnonzero(self._links.open(now_us))
        offers: list[tuple[int, int, list[Offer]]] = []
        for gateway in ints(reached[reached > 0]):
            at_us = now_us
            while 0 < at_us < now_us + within_us:
                found = engine.commands.offers(gateway, at_us)
                if found:
                    offers.append((gateway, at_us, found))
                at_us = engine.commands.again_us(gateway, at_us)
        acts.note_orders()
        engine.settle()
        heard = self._links.answered(now_us)
        for gateway, at_us, found in offers:
            for offer in found:
                self._take(engine, gateway, offer, bool(heard[gateway]), at_us)
        acts.note_orders()
        engine.settle()

    def _take(self, engine: Engine, gateway: int, offer: Offer, arrived: bool, now_us: int) -> None:
        command = offer.command
        self.handed.append(Handed(command.id, now_us, command.expires_us, len(offer.rows), arrived))
        if not arrived:
            return
        refusal = self._carry_out(engine, command, offer.rows, now_us)
        # The receipt is a request of its own: what arrives once may be lost once.
        if not self._links.open(now_us + 1)[gateway]:
            return
        result = "failed" if refusal else "accepted"
        for asset in ints(command.order.assets[offer.rows]):
            engine.commands.receipt(command, asset, gateway, result, refusal, now_us)

    def _carry_out(self, engine: Engine, command: Command, rows: Int64s, now_us: int) -> str:
        """Gives an order to its devices, once however often it comes; returns why it cannot be, or nothing."""
        done = self._done.setdefault(command.id, np.zeros(len(command.order.assets), np.bool_))
        fresh = rows[~done[rows]]
        self.counts["again"] += len(rows) - len(fresh)
        assets = command.order.assets[fresh]
        if len(fresh) and now_us >= command.expires_us:
            self.counts["failed"] += len(fresh)
            return "expired"
        done[fresh] = True
        if len(self._done) > ORDERS_REMEMBERED_MAX:
            del self._done[next(iter(self._done))]
        silent = self._links.silent(assets, now_us)
        self.counts["silent"] += int(silent.sum())
        self.counts["carried_out"] += int((~silent).sum())
        hears = ~silent
        index, kind, action = self._roll.index[assets], command.order.kind.kind, command.order.action.name
        if command.order.name == "luminaire.release":
            self._life.release(ints(index[hears]), now_us)
            return ""
        refusals: list[str] = []
        knows_end = engine.examiner.knows_end(command.order)[fresh]
        for knows in (True, False):
            params, some = command.order.told(knows_end=knows), ints(index[hears & (knows_end == knows)])
            if command.order.name == "luminaire.dim":
                self._life.dim(some, params, now_us)
            else:
                refusals += [self._life.order(kind, each, action, params) for each in some]
        return next((each for each in refusals if each), "")

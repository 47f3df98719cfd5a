"""Holds: what orders set ends in time, or the post sees to it.

Most devices end by themselves what they were told to hold until an instant. One that still obeys after its end and the
time in which it should have reported is late: that is a condition, and the post gives the order that ends it, a few
times and no more. What a device does not end by itself (`Keeper.POST`), the post ends when its time has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.kinds import AssetKind, ConditionKind, Hold, Keeper
from vigie.core.observations import Int64s, Mask
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.command import Command
from vigie.engine.commands import Commands
from vigie.engine.conditions import Conditions
from vigie.engine.orders import Order, shown_as
from vigie.engine.picture import Picture
from vigie.engine.registry import Registry

TRIES_MAX = 3
"""So often the post gives the order that ends what an order set, and then leaves it to the maintenance."""

RETRY_US = 10 * MINUTE_US

RULE = "engine.hold_over"
"""How the journal names the selection of such an order."""


@dataclass(frozen=True, slots=True)
class Due:
    """What the post has to do now: effects on conditions, and orders to give."""

    effects: Sequence[Effect]
    orders: Sequence[Order]


class Holds:
    """Looks after the ends of what orders set. Its counts of tries are of this process: a restart begins anew."""

    def __init__(self, registry: Registry, picture: Picture, commands: Commands, conditions: Conditions) -> None:
        self._registry, self._picture = registry, picture
        self._commands, self._conditions = commands, conditions
        self._tries: Counter[str] = Counter()
        self._next_us: dict[str, int] = {}

    def due(self, now_us: int) -> Due:
        """What has to be done now; what is asked for counts as tried."""
        effects: list[Effect] = self._over()
        orders: list[Order] = []
        following = {command.id: command for command in self._commands if command.hold_slots is not None}
        for known in set(self._next_us) - set(following):
            del self._next_us[known], self._tries[known]
        for command in following.values():
            hold, until_us = command.order.action.holds, command.order.until_us
            assert hold is not None
            assert until_us is not None
            if now_us < until_us + int(hold.grace_s * SECOND_US):
                continue
            rows = self._late(command, hold, until_us, now_us)
            if hold.overdue:
                effects += self._raised(command, hold, rows, now_us)
            if len(rows) and self._tries[command.id] < TRIES_MAX and now_us >= self._next_us.get(command.id, 0):
                self._tries[command.id] += 1
                self._next_us[command.id] = now_us + RETRY_US
                orders.append(_ending(command, hold, rows))
        return Due(effects, orders)

    def _late(self, command: Command, hold: Hold, until_us: int, now_us: int) -> Int64s:
        """The targets that still obey. Of what its device ends, only one that has said so after its time is late: of
        one that is silent nothing is known."""
        rows = command.holding
        rows = rows[self._commands.pending[command.order.assets[rows]] == 0]
        rows = rows[~self._commands.ruled_by_newer(command, rows, now_us)]
        if not len(rows) or hold.keeper is Keeper.POST:
            return rows
        assert command.hold_slots is not None
        slots = command.hold_slots[rows]
        still = self._picture.value[slots] == shown_as(command.order.kind, hold, hold.held)
        return rows[still & (self._picture.observed_us[slots] > until_us + int(hold.grace_s * SECOND_US))]

    def _raised(self, command: Command, hold: Hold, rows: Int64s, now_us: int) -> list[Effect]:
        kind = self._registry.catalogue.conditions[hold.overdue]
        assets = command.order.assets[rows]
        evidence = {hold.point: hold.held if isinstance(hold.held, str) else float(hold.held)}
        new = assets[~self._conditions.is_open(kind, assets)].tolist()
        return [Raise(kind, asset, now_us, evidence) for asset in new]

    def _over(self) -> list[Effect]:
        """Who was late and has said since that it is no more."""
        effects: list[Effect] = []
        for kind, hold, overdue in self._overdue():
            code = shown_as(kind, hold, hold.held)
            assets = np.flatnonzero(self._is_open(overdue))
            slots = self._registry.slots_of(kind, kind.points[hold.point], assets)
            back = self._picture.value[slots] != code
            observed = self._picture.observed_us[slots[back]].tolist()
            effects += [Clear(overdue, no, at) for no, at in zip(assets[back].tolist(), observed, strict=True)]
        return effects

    def _overdue(self) -> Iterator[tuple[type[AssetKind], Hold, ConditionKind]]:
        conditions = self._registry.catalogue.conditions
        for kind in self._registry.kinds:
            for action in kind.actions.values():
                if action.holds is not None and action.holds.overdue:
                    yield kind, action.holds, conditions[action.holds.overdue]

    def _is_open(self, condition: ConditionKind) -> Mask:
        return self._conditions.is_open(condition, np.arange(self._registry.count))


def _ending(command: Command, hold: Hold, rows: Int64s) -> Order:
    kind = command.order.kind
    selection = {"rule": RULE, "order": command.id}
    return Order(kind, kind.actions[hold.ends], dict(hold.end_params), command.order.assets[rows], selection)

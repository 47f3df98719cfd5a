"""One command: what is held of it while it is under way, and how it is said as facts and kept as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import numpy as np

from vigie.core.facts import POST, About, CommandProposed, Entry, TargetsMoved, because, digest
from vigie.core.kinds import Hazard
from vigie.core.lives import TARGET
from vigie.core.observations import Bytes, Int64s, Mask
from vigie.core.service import Refusal
from vigie.core.times import MINUTE_US
from vigie.engine.orders import Order

AUTOMATIC_US = 50 * MINUTE_US
"""What an automation ordered is followed no longer: it orders much, and by then who does not let go is found
(`Hold.grace_s`)."""

CODES: Mapping[str, int] = {state: code for code, state in enumerate(TARGET.states)}


@cache
def _among(states: tuple[str, ...]) -> Mask:
    """By the code of a state, whether it is one of these."""
    return np.array([state in states for state in TARGET.states])


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One asset that an order is meant for, as it is kept. state: its place among the states of the life "target"."""

    asset: int
    state: int
    sent_us: int | None
    ended_us: int | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ProposedRows:
    """What travels beside the fact of a proposed order. key: its idempotency key, "" for none; asked: see `Order`."""

    key: str
    asked: str
    area: str
    service: str
    targets: Sequence[TargetRow]


@dataclass(slots=True)
class Command:
    """An order that was given. The columns have one row a target, in the order of `order.assets`.

    state_of: codes of the life "target"; sent_us, ended_us, offered_us: 0 for never; offered_us is the last hand-over.
    slots: those that prove it; hold_slots: those that show whether it still holds, of one that has an end. Each is None
    where nothing is to be seen there any more.
    release_after: how many facts must be on disk before anything is sent. changed: the version of `Commands` at its
    last change.
    """

    id: str
    order: Order
    actor: str
    reason: str
    key: str
    state: str
    proposed_us: int
    expires_us: int
    area: str
    state_of: Bytes
    sent_us: Int64s
    ended_us: Int64s
    offered_us: Int64s
    refusals: dict[int, Refusal] = field(default_factory=dict[int, Refusal])
    slots: Int64s | None = None
    hold_slots: Int64s | None = None
    release_after: int = 0
    closed_us: int = 0
    changed: int = 0

    @property
    def hazard(self) -> Hazard:
        """What a person must do before it leaves."""
        return self.order.action.hazard

    @property
    def is_automatic(self) -> bool:
        """Whether an automation gave it, and nobody."""
        return self.order.is_automatic

    def followed_us(self, most_us: int) -> int:
        """How long after its end it is followed, where an order of a person is for so long."""
        return AUTOMATIC_US if self.is_automatic else most_us

    @property
    def counts(self) -> dict[str, int]:
        """How many targets are in each state; states without any are left out."""
        codes, counts = np.unique(self.state_of, return_counts=True)
        return {TARGET.states[code]: int(count) for code, count in zip(codes.tolist(), counts.tolist(), strict=True)}

    @property
    def holding(self) -> Int64s:
        """The rows of the targets that do what it says, as far as is known."""
        return self.rows_in("done", "done_late")

    @property
    def about(self) -> About:
        """Whom its facts are about."""
        return About(self.id, self.area, self.order.kind.service, self.order.kind.verb)

    def rows_in(self, *states: str) -> Int64s:
        """The rows of the targets in one of the states."""
        return np.flatnonzero(_among(states)[self.state_of])


def target_rows(command: Command, rows: Int64s) -> list[TargetRow]:
    """Targets as they are kept."""
    return [
        TargetRow(asset, state, sent_us or None, ended_us or None, refusal_text(command.refusals.get(row)))
        for row, asset, state, sent_us, ended_us in zip(
            rows.tolist(),
            command.order.assets[rows].tolist(),
            command.state_of[rows].tolist(),
            command.sent_us[rows].tolist(),
            command.ended_us[rows].tolist(),
            strict=True,
        )
    ]


def refusal_text(refusal: Refusal | None) -> str:
    """A refusal as it is kept: JSON, "" for none."""
    if refusal is None:
        return ""
    return msgspec.json.encode({"rule": refusal.rule, "detail": refusal.detail}, order="sorted").decode()


def refusal_of(text: str | None) -> Refusal | None:
    """The refusal that `refusal_text` wrote."""
    if not text:
        return None
    said: dict[str, Any] = msgspec.json.decode(text)
    return Refusal(said["rule"], said["detail"])


def proposed(command: Command) -> Entry:
    """The fact that it was given, its targets as they were found then."""
    order, rows = command.order, np.arange(len(command.order.assets))
    fact = CommandProposed(
        id=command.id,
        at=command.proposed_us,
        actor=command.actor,
        command=command.id,
        action=order.name,
        params=dict(order.params),
        selection=dict(order.selection),
        targets=len(order.assets),
        refused=len(command.refusals),
        hazard=command.hazard.value,
        expires=command.expires_us,
        items=digest(order.assets.astype(">i8").tobytes()),
        state=command.state,
    )
    personal = because(command.reason, command.proposed_us)
    targets = target_rows(command, rows)
    payload = ProposedRows(command.key, order.asked, command.area, order.kind.service, targets)
    return Entry(fact, personal, payload, command.about)


def targets_moved(command: Command, rows: Int64s, fact_id: str, now_us: int) -> Entry:
    """The fact that these of its targets have moved, whatever each of them did."""
    codes, counts = np.unique(command.state_of[rows], return_counts=True)
    columns = (command.order.assets, command.state_of, command.sent_us, command.ended_us)
    fact = TargetsMoved(
        id=fact_id,
        at=now_us,
        actor=POST,
        command=command.id,
        counts={TARGET.states[code]: n for code, n in zip(codes.tolist(), counts.tolist(), strict=True)},
        items=digest(*(column[rows].astype(">i8").tobytes() for column in columns)),
    )
    return Entry(fact, payload=target_rows(command, rows), about=command.about)

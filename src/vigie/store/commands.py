"""Orders and lock-outs as they are read: those that are kept in memory at start, and those of the past."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, and_, delete, func, or_, select, text
from sqlalchemy.engine import Engine

from vigie.core.ids import uuid7
from vigie.core.kinds import Catalogue, Sort
from vigie.core.lives import COMMAND as COMMAND_LIFE
from vigie.core.lives import TARGET as TARGET_LIFE
from vigie.core.observations import Mask
from vigie.core.plans import Given
from vigie.core.scope import Scope
from vigie.core.times import SECOND_US
from vigie.engine.command import Command, refusal_of
from vigie.engine.commands import HELD_US, LATE_US, held_until_us
from vigie.engine.consignations import CONSIGNATION_ID, Consignation
from vigie.engine.orders import Order, OrderWrong, action_named
from vigie.store.tables import COMMAND, CONSIGNATION, PERSONAL, TARGET
from vigie.store.transactions import reading, writing

FORGOTTEN_AT_ONCE = 5_000
"""Orders whose targets are forgotten in one transaction: others wait to write meanwhile."""
_UNPROVED = TARGET_LIFE.states.index("unproved")
_FOLLOWED = [TARGET_LIFE.states.index(each) for each in ("done", "done_late", "unproved", "returned", "released")]
_HELD = [TARGET_LIFE.states.index(state) for state in ("done", "done_late")]


@dataclass(frozen=True, slots=True)
class PastCommand:
    """An order as it is kept, without its targets. asked: see `Order`. counts: targets by state. ended_us: None while
    it is under way."""

    id: str
    action: str
    params: Mapping[str, Any]
    actor: str
    reason: str
    state: str
    hazard: str
    area: str
    service: str
    asked: str
    proposed_us: int
    expires_us: int
    ended_us: int | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """An order that an asset has followed, or may have. area: that it was given in. state: what became of it there.
    sent_us: when it went out."""

    command: str
    action: str
    params: Mapping[str, Any]
    actor: str
    area: str
    state: str
    sent_us: int


@dataclass(frozen=True, slots=True)
class PastTarget:
    """One target as it is kept."""

    asset: int
    state: str
    sent_us: int | None
    ended_us: int | None
    refusal: str


class StoredCommands:
    """Reads of orders and lock-outs; what writes them are facts."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine, self._catalogue = engine, catalogue

    def kept(self, now_us: int) -> list[Command]:
        """The orders under way, those that ended so lately that a late proof still counts, and those whose end is
        still to be seen."""
        open_now = COMMAND.c.ended_us.is_(None)
        provable = and_(
            COMMAND.c.ended_us > now_us - LATE_US,
            COMMAND.c.id.in_(select(TARGET.c.command).where(TARGET.c.state == _UNPROVED)),
        )
        held = and_(
            COMMAND.c.proposed_us > now_us - self._held_us(),
            COMMAND.c.id.in_(select(TARGET.c.command).where(TARGET.c.state.in_(_HELD))),
        )
        with reading(self._engine) as read:
            wanted = or_(open_now, provable, held)
            rows = read.execute(select(COMMAND).where(wanted).order_by(COMMAND.c.proposed_us)).all()
            found = [command for row in rows if (command := self._command(read, row)) is not None]
        return [
            each
            for each in found
            if not each.closed_us
            or held_until_us(each) > now_us
            or (each.closed_us > now_us - each.followed_us(LATE_US) and len(each.rows_in("unproved")))
        ]

    def _held_us(self) -> int:
        """So long after it was given an order may still be followed for its end: what the kinds allow at most."""
        actions = [action for kind in self._catalogue.assets.values() for action in kind.actions.values()]
        ahead_s = [each.ahead_s for action in actions for each in action.params if each.sort is Sort.INSTANT]
        return int(max(ahead_s, default=0.0) * SECOND_US) + HELD_US

    def holding(self) -> list[Consignation]:
        """The lock-outs that hold."""
        with reading(self._engine) as read:
            rows = read.execute(select(CONSIGNATION).where(CONSIGNATION.c.ended_us.is_(None))).all()
            words = {row.id: _words(read, row.id) for row in rows}
        return [
            Consignation(
                row.id,
                row.asset,
                row.state,
                row.actor,
                row.asked_by,
                row.set_us,
                words[row.id].get("crew", ""),
                words[row.id].get("reason", ""),
            )
            for row in rows
        ]

    def given(self, automation: str, since_us: int) -> list[Given]:
        """The orders that an automation has given since an instant, the oldest first."""
        c, first = COMMAND.c, str(uuid7(since_us, bytes(10)))
        # Ids begin with the instant: what is older is not looked at.
        mine = and_(c.automation == automation, c.id >= first, c.proposed_us >= since_us)
        with reading(self._engine) as read:
            rows = read.execute(select(c.id, c.proposed_us, c.params, c.selection).where(mine).order_by(c.id)).all()
            query = select(TARGET.c.command, TARGET.c.asset).join(COMMAND, TARGET.c.command == c.id).where(mine)
            targets: dict[str, list[int]] = {row.id: [] for row in rows}
            for command, asset in read.execute(query.order_by(TARGET.c.command, TARGET.c.asset)):
                targets[command].append(asset)
        assets = (np.array(targets[row.id], np.int64) for row in rows)
        return [
            Given(own, row.proposed_us, json.loads(row.params), json.loads(row.selection))
            for own, row in zip(assets, rows, strict=True)
        ]

    def forget_passages(self, since_us: int, before_us: int) -> tuple[int, int]:
        """Forgets to which assets automations gave orders, of those given since an instant that ended before another:
        which lamps were raised, and when, tells where somebody passed. That they were given, and to how many, stays in
        the journal. Synced when it returns; at most `FORGOTTEN_AT_ONCE` at a time.

        Returns how many, and the instant since which there may be others to forget: an order that a post which was away
        has ended long after it was given is forgotten in its time too. Raises StorageFull, OSError.
        """
        c, first, last = COMMAND.c, *(str(uuid7(max(each, 0), bytes(10))) for each in (since_us, before_us))
        told = select(TARGET.c.command).where(TARGET.c.command == c.id).exists()
        traces = select(c.id, c.proposed_us).where(c.automation != "", c.id >= first, c.id < last, told)
        with writing(self._engine) as write:
            over = traces.where(c.ended_us < before_us).limit(FORGOTTEN_AT_ONCE)
            found = [row.id for row in write.execute(over)]
            write.execute(delete(TARGET).where(TARGET.c.command.in_(found)))
            oldest = write.execute(traces.order_by(c.id).limit(1)).first()
        return len(found), before_us if oldest is None else oldest.proposed_us

    def find(self, command_id: str) -> PastCommand | None:
        """The order of this id."""
        return self._one(COMMAND.c.id == command_id)

    def by_key(self, actor: str, key: str) -> PastCommand | None:
        """The order that somebody gave under an idempotency key."""
        return self._one((COMMAND.c.actor == actor) & (COMMAND.c.key == key))

    def page(
        self, scope: Scope, *, open_only: bool | None, before: str | None, limit: int, automatic: bool = False
    ) -> list[PastCommand]:
        """The orders that a scope covers, the newest first. before: only those older than the order of this id.
        automatic: whether those that automations gave are listed among them."""
        clause = scope.clause("placed", public=False)
        placed = select(COMMAND, COMMAND.c.service.label("of"), text("'see' AS verb"), text("0 AS public")).subquery(
            "placed"
        )
        query = select(placed.c.id).where(text(clause.text)).params(**clause.params)
        if open_only is not None:
            ended = placed.c.ended_us.is_(None)
            query = query.where(ended if open_only else ~ended)
        if before is not None:
            query = query.where(placed.c.id < before)
        if not automatic:
            query = query.where(placed.c.automation == "")
        # Ids begin with the instant: the newest first is the largest first.
        with self._engine.connect() as read:
            ids = list(read.execute(query.order_by(placed.c.id.desc()).limit(limit)).scalars())
        found = [self.find(each) for each in ids]
        return [each for each in found if each is not None]

    def of_asset(self, asset: int, limit: int) -> list[tuple[PastCommand, str]]:
        """The newest orders to an asset, each with what became of it there."""
        query = select(TARGET.c.command, TARGET.c.state).where(TARGET.c.asset == asset)
        with self._engine.connect() as read:
            rows = read.execute(query.order_by(TARGET.c.command.desc()).limit(limit)).all()
        found = [(self.find(row.command), _named(row.state)) for row in rows]
        return [(command, state) for command, state in found if command is not None]

    def effects(self, asset: int, actions: Collection[str], limit: int) -> list[Effect]:
        """The orders of these actions that an asset has followed, or of which nobody knows whether it has; the newest
        first."""
        c, t = COMMAND.c, TARGET.c
        query = select(c.id, c.action, c.params, c.actor, c.area, t.state, t.sent_us).join(TARGET, t.command == c.id)
        query = query.where(t.asset == asset, c.action.in_(actions), t.state.in_(_FOLLOWED), t.sent_us.is_not(None))
        with self._engine.connect() as read:
            rows = read.execute(query.order_by(t.sent_us.desc(), c.id.desc()).limit(limit))
            return [
                Effect(row.id, row.action, json.loads(row.params), row.actor, row.area, _named(row.state), row.sent_us)
                for row in rows
            ]

    def targets(self, command_id: str, shown: Mask, *, state: str, after: int, limit: int) -> list[PastTarget]:
        """The targets of an order, by asset number. shown: which assets may be told; state: only those in it, "" for
        all; after: only assets with larger numbers."""
        query = select(TARGET).where(TARGET.c.command == command_id, TARGET.c.asset > after)
        if state:
            query = query.where(TARGET.c.state == TARGET_LIFE.states.index(state))
        found: list[PastTarget] = []
        with self._engine.connect() as read:
            for row in read.execute(query.order_by(TARGET.c.asset)):
                if not shown[row.asset]:
                    continue
                found.append(PastTarget(row.asset, _named(row.state), row.sent_us, row.ended_us, row.refusal or ""))
                if len(found) == limit:
                    break
        return found

    def crews_of(self, targets: Iterable[PastTarget]) -> Mapping[str, str]:
        """Lock-out -> its crew's name, of the lock-outs that refused any of these targets; without those erased."""
        refusals = [refusal for target in targets if (refusal := refusal_of(target.refusal))]
        ids = {str(said) for refusal in refusals if (said := refusal.detail.get(CONSIGNATION_ID))}
        with self._engine.connect() as read:
            return {each: crew for each in sorted(ids) if (crew := _words(read, each).get("crew"))}

    def _one(self, where: Any) -> PastCommand | None:
        with reading(self._engine) as read:
            row = read.execute(select(COMMAND).where(where).limit(1)).one_or_none()
            if row is None:
                return None
            counted = select(TARGET.c.state, func.count()).where(TARGET.c.command == row.id).group_by(TARGET.c.state)
            pairs: list[tuple[int, int]] = [(int(row[0]), int(row[1])) for row in read.execute(counted)]
            counts = {_named(state): count for state, count in pairs}
            reason = _words(read, row.id).get("reason", "")
        return PastCommand(
            row.id,
            row.action,
            json.loads(row.params),
            row.actor,
            reason,
            row.state,
            row.hazard,
            row.area,
            row.service,
            row.asked,
            row.proposed_us,
            row.expires_us,
            row.ended_us,
            counts,
        )

    def _command(self, read: Connection, row: Row[Any]) -> Command | None:
        try:
            kind, action = action_named(self._catalogue, row.action)
        except OrderWrong:  # An action that this program no longer declares: its orders are history.
            return None
        targets = read.execute(select(TARGET).where(TARGET.c.command == row.id).order_by(TARGET.c.asset)).all()
        sent_us = np.array([target.sent_us or 0 for target in targets], np.int64)
        refusals = {place: refusal_of(target.refusal) for place, target in enumerate(targets) if target.refusal}
        return Command(
            id=row.id,
            order=Order(
                kind,
                action,
                json.loads(row.params),
                np.array([target.asset for target in targets], np.int64),
                json.loads(row.selection),
                row.asked,
            ),
            actor=row.actor,
            reason=_words(read, row.id).get("reason", ""),
            key=row.key if row.key != row.id else "",
            state=row.state,
            proposed_us=row.proposed_us,
            expires_us=row.expires_us,
            area=row.area,
            state_of=np.array([target.state for target in targets], np.uint8),
            sent_us=sent_us,
            ended_us=np.array([target.ended_us or 0 for target in targets], np.int64),
            offered_us=sent_us.copy(),
            refusals={place: refusal for place, refusal in refusals.items() if refusal is not None},
            closed_us=row.ended_us or 0 if row.state in COMMAND_LIFE.last else 0,
        )


def _named(state: int) -> str:
    return TARGET_LIFE.states[state]


def _words(read: Connection, leaf_id: str) -> dict[str, str]:
    """The personal fields of a leaf that were not erased."""
    query = select(PERSONAL.c.field, PERSONAL.c.value).where(PERSONAL.c.leaf_id == leaf_id)
    return {row.field: row.value for row in read.execute(query) if row.value is not None}

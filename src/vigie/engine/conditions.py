"""Conditions: which asset is in which abnormal state now, and the facts that effects lead to."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vigie.core.cases import Trouble
from vigie.core.facts import POST, ConditionMoved, ConditionRaised, Entry, because
from vigie.core.ids import effect_id
from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.lives import ALARM, MAINTENANCE, RECORD, Life
from vigie.core.observations import Bytes, Mask
from vigie.core.service import Effect, Numbers, Present, Raise
from vigie.engine.registry import Registry

LIFE_OF: Mapping[Outlet, Life] = {Outlet.ALARM: ALARM, Outlet.MAINTENANCE: MAINTENANCE, Outlet.RECORD: RECORD}

_ABSENT = frozenset({"normal", "returned_unacknowledged"})
"""The states in which the abnormality itself is over."""

MOVES_KEPT = 20_000
"""So many of the newest moves are remembered, for those who follow them."""

MAINTENANCE_ONLY = 4
"""`Conditions.worst` of an asset that has maintenance to be done and no alarm."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One abnormal state of one asset, from its raising to the end of its life."""

    id: str
    asset: int
    kind: ConditionKind
    state: str
    raised_us: int
    evidence: Mapping[str, float | str]
    acknowledged_by: str | None = None


class Conditions:
    """The open conditions of the city. At most one for an asset and a kind of condition."""

    def __init__(self, registry: Registry, open_now: Iterable[Condition] = ()) -> None:
        self._registry = registry
        self._open: dict[tuple[int, str], Condition] = {}
        self._present: dict[str, Mask] = {}
        self._of: dict[int, dict[str, Condition]] = {}
        self._moves: deque[Condition] = deque(maxlen=MOVES_KEPT)
        self.moves = 0
        """How many moves there have been in this process: what `moved_since` counts from."""
        self.worst: Bytes = np.zeros(1024, np.uint8)
        """By asset number: the priority of its worst alarm that is neither normal nor shelved, 1 to 3; 4 where there
        is maintenance alone; 0 for nothing. No shorter than the registry once `fit` was called."""
        self._again: dict[tuple[int, str], Present] = {}
        """What came back before anybody saw it: since when it is so now, and what was seen then. Of this process."""
        for condition in open_now:
            self._keep(condition)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Condition]:
        return iter(tuple(self._open.values()))

    def of(self, asset: int) -> list[Condition]:
        """The open conditions of an asset."""
        return list(self._of.get(asset, {}).values())

    def moved_since(self, moves: int) -> list[Condition] | None:
        """The conditions that moved since there had been so many moves, the last state of each; None where that is
        too long ago to be told."""
        back = self.moves - moves
        if not 0 <= back <= len(self._moves):
            return None
        newest = itertools.islice(reversed(self._moves), back)
        last: dict[str, Condition] = {}
        for condition in newest:
            last.setdefault(condition.id, condition)
        return list(last.values())

    def fit(self) -> None:
        """Makes room in `worst` for the assets that the registry has by now."""
        if len(self.worst) < self._registry.count:
            wider = np.zeros(2 * self._registry.count, np.uint8)
            wider[: len(self.worst)] = self.worst
            self.worst = wider

    def find(self, condition_id: str) -> Condition | None:
        """The condition of this id, while it is open."""
        return next((each for each in self._open.values() if each.id == condition_id), None)

    def move(self, known: Condition, event: str, actor: str, *, fact_id: str, at_us: int, reason: str = "") -> Entry:
        """What a person does to a condition: acknowledges, shelves, unshelves or withdraws it. Raises MoveRefused."""
        state = LIFE_OF[known.kind.outlet].move(known.state, event)
        by = actor if event == "acknowledge" else known.acknowledged_by
        self._keep(replace(known, state=state, acknowledged_by=by))
        fact = ConditionMoved(id=fact_id, at=at_us, actor=actor, condition=known.id, event=event, state=state)
        return Entry(fact, because(reason, at_us), about=self._registry.about(known.asset))

    def withdraw(self, asset: int, actor: str, *, new_id: Callable[[], str], at_us: int) -> list[Entry]:
        """Ends all that is open of an asset that was decommissioned."""
        return [self.move(each, "withdraw", actor, fact_id=new_id(), at_us=at_us) for each in self.of(asset)]

    def is_open(self, condition: ConditionKind, assets: Numbers) -> Mask:
        """Whether each asset is in this abnormal state now."""
        return self._mask(condition.name)[assets]

    def present(self, condition: ConditionKind) -> list[Present]:
        """Where this abnormal state is now, in the order in which it was raised."""
        if not self._mask(condition.name).any():
            return []
        found = (each for each in self._open.values() if each.kind is condition and each.state not in _ABSENT)
        return [
            self._again.get((each.asset, each.kind.name)) or Present(each.asset, each.raised_us, each.evidence)
            for each in found
        ]

    def apply(
        self, effects: Sequence[Effect], *, shard: str, ingest: int, rule: str, first: int, now_us: int
    ) -> list[Entry]:
        """Moves the lives and returns the facts that say so.

        Ids come from (shard, ingest, rule, place of the effect), so that the same step gives the same facts. What
        asks for no move (raising what is open, clearing what is not) gives no fact.
        """
        entries: list[Entry] = []
        for place, effect in enumerate(effects, first):
            fact_id = str(effect_id(now_us, shard, ingest, rule, place))
            entry = self._apply(effect, fact_id, now_us)
            if entry is not None:
                entries.append(entry)
        return entries

    def _apply(self, effect: Effect, fact_id: str, now_us: int) -> Entry | None:
        known = self._open.get((effect.asset, effect.condition.name))
        life = LIFE_OF[effect.condition.outlet]
        if known is None:
            if not isinstance(effect, Raise):
                return None
            made = Condition(fact_id, effect.asset, effect.condition, life.first, effect.at_us, effect.evidence)
            self._keep(made)
            fact = ConditionRaised(
                id=fact_id,
                at=effect.at_us,
                actor=POST,
                condition=fact_id,
                kind=effect.condition.name,
                asset=self._registry.ids[effect.asset],
                evidence=dict(effect.evidence),
                state=made.state,
                received=now_us,
            )
            return Entry(fact, payload=effect.asset, about=self._registry.about(effect.asset))
        event = "raise" if isinstance(effect, Raise) else "clear"
        if not life.allows(known.state, event):
            return None
        state = life.move(known.state, event)
        if isinstance(effect, Raise):
            self._again[effect.asset, effect.condition.name] = Present(effect.asset, effect.at_us, effect.evidence)
        self._keep(replace(known, state=state, acknowledged_by=None if event == "raise" else known.acknowledged_by))
        fact = ConditionMoved(id=fact_id, at=effect.at_us, actor=POST, condition=known.id, event=event, state=state)
        return Entry(fact, about=self._registry.about(known.asset))

    def _keep(self, condition: Condition) -> None:
        key = (condition.asset, condition.kind.name)
        own = self._of.setdefault(condition.asset, {})
        if condition.state in _ABSENT:
            self._again.pop(key, None)
        if condition.state == "normal":
            self._open.pop(key, None)
            own.pop(condition.kind.name, None)
        else:
            self._open[key] = own[condition.kind.name] = condition
        self.fit()
        self.worst[condition.asset] = min(map(_level, own.values()), default=0) % _NO_LEVEL
        if not own:
            del self._of[condition.asset]
        self._moves.append(condition)
        self.moves += 1
        self._mask(condition.kind.name)[condition.asset] = condition.state not in _ABSENT

    def _mask(self, name: str) -> Mask:
        mask = self._present.get(name)
        if mask is None or len(mask) < self._registry.count:
            wider = np.zeros(max(2 * self._registry.count, 1024), np.bool_)
            if mask is not None:
                wider[: len(mask)] = mask
            mask = self._present[name] = wider
        return mask


_NO_LEVEL = MAINTENANCE_ONLY + 1


def _level(condition: Condition) -> int:
    """How bad a condition makes its asset look, the least being the worst."""
    if condition.kind.outlet is Outlet.ALARM and condition.state != "shelved":
        return condition.kind.priority
    return MAINTENANCE_ONLY if condition.kind.outlet is Outlet.MAINTENANCE else _NO_LEVEL


def troubles(conditions: Conditions, registry: Registry) -> list[Trouble]:
    """What asks for maintenance now."""
    return [
        Trouble(each.kind, each.asset, each.raised_us, int(registry.parent[each.asset]))
        for each in conditions
        if each.kind.outlet is Outlet.MAINTENANCE
    ]

"""Conditions: which asset is in which abnormal state now, and the facts that effects lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vigie.core.facts import POST, ConditionMoved, ConditionRaised, Entry
from vigie.core.ids import effect_id
from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.lives import ALARM, MAINTENANCE, RECORD, Life
from vigie.core.observations import Mask
from vigie.core.service import Effect, Numbers, Raise
from vigie.engine.registry import Registry

LIFE_OF: Mapping[Outlet, Life] = {Outlet.ALARM: ALARM, Outlet.MAINTENANCE: MAINTENANCE, Outlet.RECORD: RECORD}

_ABSENT = frozenset({"normal", "returned_unacknowledged"})
"""The states in which the abnormality itself is over."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One abnormal state of one asset, from its raising to the end of its life."""

    id: str
    asset: int
    kind: ConditionKind
    state: str
    raised_us: int
    evidence: Mapping[str, float | str]


class Conditions:
    """The open conditions of the city. At most one for an asset and a kind of condition."""

    def __init__(self, registry: Registry, open_now: Iterable[Condition] = ()) -> None:
        self._registry = registry
        self._open: dict[tuple[int, str], Condition] = {}
        self._present: dict[str, Mask] = {}
        for condition in open_now:
            self._keep(condition)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterable[Condition]:
        return iter(tuple(self._open.values()))

    def is_open(self, condition: ConditionKind, assets: Numbers) -> Mask:
        """Whether each asset is in this abnormal state now."""
        return self._mask(condition.name)[assets]

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
            return Entry(fact, payload=effect.asset)
        event = "raise" if isinstance(effect, Raise) else "clear"
        if not life.allows(known.state, event):
            return None
        state = life.move(known.state, event)
        self._keep(replace(known, state=state))
        return Entry(
            ConditionMoved(id=fact_id, at=effect.at_us, actor=POST, condition=known.id, event=event, state=state)
        )

    def _keep(self, condition: Condition) -> None:
        key = (condition.asset, condition.kind.name)
        if condition.state == "normal":
            self._open.pop(key, None)
        else:
            self._open[key] = condition
        self._mask(condition.kind.name)[condition.asset] = condition.state not in _ABSENT

    def _mask(self, name: str) -> Mask:
        mask = self._present.get(name)
        if mask is None or len(mask) < self._registry.count:
            wider = np.zeros(max(2 * self._registry.count, 1024), np.bool_)
            if mask is not None:
                wider[: len(mask)] = mask
            mask = self._present[name] = wider
        return mask

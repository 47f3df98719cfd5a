"""Consignations: a crew locks out an asset and all that it feeds. A lock-out beats every order, an emergency's too.

It never replaces the physical lock-out (NF C 18-510); it keeps the post from working against it. Who set it lifts it,
or a colleague of the same crew; whoever else needs it lifted asks, and a second person carries the override out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vigie.core.facts import REASON_KEPT_US, About, ConsignationMoved, ConsignationSet, Entry, Personal, because
from vigie.core.lives import CONSIGNATION, MoveRefused
from vigie.core.observations import Mask
from vigie.core.service import Numbers, Refusal
from vigie.engine.registry import Registry

CONSIGNATION_ID = "consignation"
"""What a refusal says of the lock-out that it comes from: a refusal is kept for ever, its crew's name is not."""


class ConsignationRefused(Exception):
    """Somebody may not move a lock-out: the rule that keeps them from it."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Consignation:
    """One lock-out. actor: who set it. asked_by: who asked for its override. crew, reason: words, erased one day."""

    id: str
    asset: int
    state: str
    actor: str
    asked_by: str | None
    set_us: int
    crew: str
    reason: str


class Consignations:
    """The lock-outs that hold now."""

    def __init__(self, registry: Registry, holding: Iterable[Consignation] = ()) -> None:
        self._registry = registry
        self._all: dict[str, Consignation] = {each.id: each for each in holding}
        self._held: Mask | None = None
        self._held_as_of = -1
        # Whether two persons are of one crew at an asset; whoever knows the accounts says so.
        self.of_one_crew: Callable[[str, str, int], bool] = lambda one, other, asset: False
        # Called after each change of what is held.
        self.on_changed: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Consignation]:
        return iter(tuple(self._all.values()))

    def find(self, consignation_id: str) -> Consignation | None:
        """The lock-out of this id, while it holds."""
        return self._all.get(consignation_id)

    @property
    def held(self) -> Mask:
        """For each asset of the city, whether a lock-out holds it: its own, or one of what feeds it."""
        if self._held is None or self._held_as_of != self._registry.version:
            self._held_as_of = self._registry.version
            roots = np.array([each.asset for each in self._all.values()], np.int64)
            self._held = self._registry.fed_by(roots) if len(roots) else np.zeros(self._registry.count, np.bool_)
        return self._held

    def holder(self, asset: int) -> Consignation | None:
        """The lock-out that holds an asset: its own before that of what feeds it."""
        own = {each.asset: each for each in self._all.values()}
        seen: set[int] = set()
        while asset and asset not in seen:
            if asset in own:
                return own[asset]
            seen.add(asset)
            asset = int(self._registry.parent[asset])
        return None

    def refusals(self, assets: Numbers) -> Sequence[tuple[Mask, Refusal]]:
        """Which of the assets are locked out, by which lock-out and where."""
        if not self._all or not self.held[assets].any():
            return []
        left = self.held[assets].copy()
        said: list[tuple[Mask, Refusal]] = []
        for each in self._all.values():
            mine = left & self._registry.fed_by(np.array([each.asset], np.int64))[assets]
            if mine.any():
                detail: dict[str, str | float] = {CONSIGNATION_ID: each.id, "asset": self._registry.ids[each.asset]}
                said.append((mine, Refusal("engine.consigned", detail)))
                left &= ~mine
        return said

    def set(self, made: Consignation, *, at_us: int) -> Entry:
        """Locks an asset out. Raises ConsignationRefused where a lock-out of its own holds it already."""
        if any(each.asset == made.asset for each in self._all.values()):
            raise ConsignationRefused("engine.consigned_already")
        self._all[made.id] = made
        self._changed()
        fact = ConsignationSet(
            id=made.id, at=at_us, actor=made.actor, consignation=made.id, asset=self._registry.ids[made.asset]
        )
        crew = Personal(made.crew, "who works there", at_us + REASON_KEPT_US)
        return Entry(fact, {"crew": crew} | because(made.reason, at_us), made.asset, self.about(made))

    def move(
        self, consignation_id: str, event: str, actor: str, *, fact_id: str, at_us: int, reason: str = ""
    ) -> Entry:
        """Lifts it, or asks for, withdraws or carries out its override.

        Raises ConsignationRefused, MoveRefused, or KeyError where no lock-out of this id holds.

        Only who set it lifts it, or who is of their crew; only who asked for the override withdraws it; only somebody
        else carries it out.
        """
        known = self._all[consignation_id]
        if event == "lift" and actor != known.actor and not self.of_one_crew(known.actor, actor, known.asset):
            raise ConsignationRefused("engine.consigned_by_others")
        if event == "withdraw" and actor != known.asked_by:
            raise ConsignationRefused("engine.override_of_others")
        if event == "override" and actor == known.asked_by:
            raise ConsignationRefused("engine.second_person")
        if not CONSIGNATION.allows(known.state, event):
            raise MoveRefused(CONSIGNATION.name, known.state, event)
        state = CONSIGNATION.move(known.state, event)
        asked_by = {"ask_override": actor, "withdraw": None}.get(event, known.asked_by)
        if state in CONSIGNATION.last:
            del self._all[consignation_id]
        else:
            self._all[consignation_id] = replace(known, state=state, asked_by=asked_by)
        self._changed()
        fact = ConsignationMoved(
            id=fact_id, at=at_us, actor=actor, consignation=consignation_id, event=event, state=state
        )
        return Entry(fact, because(reason, at_us), about=self.about(known))

    def fed_anew(self) -> None:
        """The inventory says of some asset that another one feeds it: what is held is found again."""
        self._changed()

    def about(self, consignation: Consignation) -> About:
        """Whom a fact of it is about: its asset."""
        return self._registry.about(consignation.asset)

    def _changed(self) -> None:
        self._held = None
        self.on_changed()

"""What a service may know of the city while it answers a question: frozen, and no more than who asks may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vigie.core.calendar import Calendar
from vigie.core.kinds import AssetKind, ConditionKind
from vigie.core.observations import Int64s, Mask
from vigie.core.plans import Columns, Drawn, Given, PlanKind, Standing, Troubles
from vigie.core.scope import Scope
from vigie.engine.attributes import Attributes
from vigie.engine.loop import Engine
from vigie.engine.plans import Plan
from vigie.engine.ports import FactStore

ONE_WAY = "one_way"
"""The attribute by which a stretch of a street says that it is driven only as it is drawn."""


@dataclass(frozen=True)
class Frozen:
    """See `vigie.core.plans.Known`. Made on the engine's thread, read in another. shown: what is seen, and what is seen
    only because anybody may."""

    calendar: Calendar
    now_us: int
    seen: Mask
    shown: Mask
    attributes: Attributes
    facts: FactStore
    kinds: Sequence[type[AssetKind]]
    registry: Mapping[str, Any]
    standing: Mapping[str, Sequence[Standing]]
    _made: dict[tuple[str, tuple[str, ...]], Columns] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], Columns]
    )

    @staticmethod
    def of(
        engine: Engine, calendar: Calendar, scope: Scope, now_us: int, told: Callable[[Plan], bool] | None = None
    ) -> Frozen:
        """The city as somebody sees it now. told: of which plans they are to learn; None: of all."""
        registry, count = engine.registry, engine.registry.count
        standing: dict[str, list[Standing]] = {}
        for plan in engine.plans if told is None else filter(told, engine.plans):
            bodies = (each.body if each else None for each in (plan.in_force, plan.draft))
            standing.setdefault(plan.kind.key, []).append(Standing(plan.id, *bodies))
        columns = {
            name: getattr(registry, name)[:count].copy() for name in ("kind", "area", "street", "parent", "lon", "lat")
        }
        texts = {name: list(getattr(registry, name)) for name in ("areas", "streets")}
        codes = {"kind_codes": registry.kind_codes, "ids": registry.ids}
        masks = (engine.visibility.covered(scope), engine.visibility.mask(scope))
        seen, shown = (each[:count] & ~registry.gone[:count] for each in masks)
        own = columns | texts | codes
        return Frozen(calendar, now_us, seen, shown, engine.attributes, engine.facts, registry.kinds, own, standing)

    def columns(self, kind: type[AssetKind], *attributes: str) -> Columns:
        """The assets of a kind that who asks may see."""
        key = (kind.kind, attributes)
        if key not in self._made:
            self._made[key] = self._columns(kind, attributes)
        return self._made[key]

    def ids(self, kind: type[AssetKind]) -> Sequence[str]:
        """Those of a kind, of which anybody may see that they are there."""
        return [self.registry["ids"][each] for each in self._shown(kind).tolist()]

    def areas(self, kind: type[AssetKind]) -> Set[str]:
        """Where there are some of a kind, of which anybody may see that they are there."""
        own = self.registry
        return {own["areas"][each] for each in np.unique(own["area"][self._shown(kind)]).tolist()}

    def drawn(self) -> Drawn:
        """The stretches of streets that who asks may see. What was added since the city was frozen is not told."""
        no, _, start, lon, lat = self.facts.lines()
        rows = np.flatnonzero(_is_in(no, self.shown))
        corners = np.diff(start)[rows]
        firsts = np.append(0, np.cumsum(corners)).astype(np.int64)
        at: Int64s = np.repeat(start[:-1][rows] - firsts[:-1], corners) + np.arange(int(firsts[-1]))
        own = no[rows]
        one_way = np.zeros(len(own), np.bool_)
        for kind in self.kinds:
            if kind.street and ONE_WAY in kind.attributes:
                known, said = self.attributes.of(kind, (ONE_WAY,))
                one_way |= np.isin(own, known[said[ONE_WAY] == 1])
        area = self.registry["area"][own].astype(np.int64)
        ids = [self.registry["ids"][each] for each in own.tolist()]
        return Drawn(ids, area, self.registry["areas"], one_way, firsts, lon[at], lat[at])

    def plans(self, kind: PlanKind) -> Sequence[Standing]:
        """The plans of a kind, without those of which who asks is not to learn."""
        return self.standing.get(kind.key, ())

    def troubles(self, kinds: Sequence[ConditionKind], since_us: int) -> Troubles:
        """The conditions of the assets that who asks may see, as the tables have them."""
        found = self.facts.troubles([each.name for each in kinds], since_us)
        # What was added since the city was frozen is not told.
        mine = _is_in(found.asset, self.seen)
        return Troubles(
            found.asset[mine],
            [kind for kind, own in zip(found.kind, mine.tolist(), strict=True) if own],
            found.raised_us[mine],
            found.cleared_us[mine],
        )

    def given(self, automation: str, since_us: int) -> Sequence[Given]:
        """The orders that an automation has given, as the tables have them."""
        found = (replace(each, assets=self._covered(each.assets)) for each in self.facts.given(automation, since_us))
        return [each for each in found if len(each.assets)]

    def _shown(self, kind: type[AssetKind]) -> Int64s:
        own = self.registry
        return np.flatnonzero(self.shown & (own["kind"] == own["kind_codes"][kind.kind]))

    def _covered(self, assets: Int64s) -> Int64s:
        """Those of some assets that who asks may see, in time that grows with them and not with the town. What was
        added since the city was frozen is not told."""
        return assets[_is_in(assets, self.seen)]

    def _columns(self, kind: type[AssetKind], attributes: tuple[str, ...]) -> Columns:
        own = self.registry
        no = np.flatnonzero(self.seen & (own["kind"] == own["kind_codes"][kind.kind]))
        known, said = self.attributes.of(kind, attributes)
        # What was read may be a moment newer or older than the registry: only what both know is told.
        no = no[np.isin(no, known)]
        rows = np.searchsorted(known, no)
        return Columns(
            no=no,
            ids=[own["ids"][each] for each in no.tolist()],
            area=own["area"][no].astype(np.int64),
            street=own["street"][no].astype(np.int64),
            parent=own["parent"][no],
            lon=own["lon"][no],
            lat=own["lat"][no],
            areas=own["areas"],
            streets=own["streets"],
            attributes={name: column[rows] for name, column in said.items()},
        )


def _is_in(assets: Int64s, mask: Mask) -> Mask:
    """Which of some assets are in a mask by number. What was added since that was made is in none."""
    found = assets < len(mask)
    found[found] = mask[assets[found]]
    return found

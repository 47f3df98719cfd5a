"""What stands behind an order that changes plan or control: the newest comparison of that very change at that very
junction, and whether it counts.

An order that takes a junction back to its plan, or to yellow flash, needs none: nobody who must act at once is asked
for a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import City, Guard, Numbers, Refusal
from vigie.core.times import DAY_US, nameable_us, rfc3339
from vigie.services.signals.dayplans import DayPlansWrong, read
from vigie.services.signals.kinds import Junction
from vigie.services.signals.whatif.sealed import ADAPTIVE, change_to


class Needed(StrEnum):
    """What a town asks of who changes plan or control: nothing; to be told what stands behind it; or a comparison that
    passes."""

    NEVER = "never"
    WARN = "warn"
    DEMAND = "demand"


class Stands(StrEnum):
    """What stands behind a change. other: a comparison of another network than the junction's document in force. old:
    one of too long ago."""

    PASSES = "passes"
    FAILS = "fails"
    OTHER = "other"
    OLD = "old"
    NONE = "none"


_RULES = {
    Stands.PASSES: Refusal("signals.comparison_passes"),
    Stands.FAILS: Refusal("signals.comparison_fails"),
    Stands.OTHER: Refusal("signals.comparison_other"),
    Stands.OLD: Refusal("signals.comparison_old"),
    Stands.NONE: Refusal("signals.comparison_none"),
}
"""How it is said, whether it refuses or not."""

_RULES_OF_PLAN = {
    Stands.PASSES: Refusal("signals.plan_comparison_passes"),
    Stands.FAILS: Refusal("signals.plan_comparison_fails"),
    Stands.OTHER: Refusal("signals.plan_comparison_other"),
    Stands.OLD: Refusal("signals.plan_comparison_old"),
    Stands.NONE: Refusal("signals.plan_comparison_none"),
}
"""The same of one of the plans that an order names."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A comparison as it concerns a junction. shape: of the junction, as it was tried (`sealed.shape_of`). at_us: when
    it was run. holds: whether it kept all that was set for it."""

    comparison: str
    shape: str
    at_us: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a change, and the comparison that says so; None for none."""

    stands: Stands
    trial: Trial | None = None


Known = Callable[[str, Sequence[int]], Mapping[int, Sequence[Trial]]]
"""known(to, assets) -> of each junction, by its number, the comparisons of this change, the newest run first."""

Shape = Callable[[int], str | None]
"""The shape of a junction's document in force; None where none is."""


def behind(trials: Sequence[Trial], shape: str | None, now_us: int, days: int) -> Behind:
    """What stands behind a change. trials: of it, the newest run first. The newest of the junction as it is counts,
    whatever others of it say: it is not the best that is looked for. days: so old it may be."""
    if not trials:
        return Behind(Stands.NONE)
    own = next((each for each in trials if each.shape == shape), None)
    if own is None:
        return Behind(Stands.OTHER, trials[0])
    if own.at_us < now_us - days * DAY_US:
        return Behind(Stands.OLD, own)
    return Behind(Stands.PASSES if own.holds else Stands.FAILS, own)


def asked_for(params: Mapping[str, Any]) -> str:
    """The change that an order to a junction is, in the word of `change_to`; empty for one that needs nothing."""
    if params.get("control") == ADAPTIVE:
        return ADAPTIVE
    return change_to("", int(params["plan"])) if "plan" in params else ""


def _changes(params: Mapping[str, Any], assets: Numbers, city: City) -> list[tuple[str, int | None, Mask]]:
    """Each change that an order to junctions is, the plan where it is one of several, and at which of them it is one:
    whoever orders the plan that a junction runs, or the tables that it has, takes it back there."""
    if "days" not in params:
        to = asked_for(params)
        is_change = np.ones(len(assets), np.bool_)
        if "plan" in params:
            is_change = city.value(Junction, Junction.plan, assets) != float(params["plan"])
        return [(to, None, is_change)] if to else []
    days = str(params["days"])
    try:
        plans = sorted({plan for day in read(days) for _, plan in day})
    except DayPlansWrong:
        # No junction takes it: see `dayplans.fits_a_table`.
        return []
    runs = city.value(Junction, Junction.plan, assets)
    is_other = city.value(Junction, Junction.day_table, assets) != Junction.day_table.code(days)
    return [(change_to("", plan), plan, is_other & (runs != plan)) for plan in plans]


_Found = list[tuple[Mask, Stands, Refusal]]


class Rule:
    """What a town asks, and by what it is judged."""

    def __init__(self, needed: Needed, days: int, known: Known, shape: Shape) -> None:
        self.needed, self.days, self.known, self.shape = needed, days, known, shape
        # The guard and the adviser are asked the same, one after the other.
        self._last: tuple[Mapping[str, Any], Numbers, int, _Found] | None = None

    def guard(self) -> Guard:
        """Refuses where a comparison is demanded and none that passes stands behind the order."""

        def refuse(
            params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
        ) -> Sequence[tuple[Mask, Refusal]]:
            if self.needed is not Needed.DEMAND:
                return []
            found = self._found(params, assets, city, now_us)
            return [(mask, said) for mask, stands, said in found if stands is not Stands.PASSES]

        return refuse

    def advice(self) -> Guard:
        """Says what stands behind an order, and refuses nothing."""

        def advise(
            params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
        ) -> Sequence[tuple[Mask, Refusal]]:
            if self.needed is Needed.NEVER:
                return []
            return [(mask, said) for mask, _, said in self._found(params, assets, city, now_us)]

        return advise

    def _found(self, params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> _Found:
        last = self._last
        if last is not None and last[0] is params and last[1] is assets and last[2] == now_us:
            return last[3]
        found: _Found = []
        for to, plan, is_change in _changes(params, assets, city):
            found += self._of_change(to, plan, assets, is_change, now_us)
        self._last = params, assets, now_us, found
        return found

    def _of_change(self, to: str, plan: int | None, assets: Numbers, is_change: Mask, now_us: int) -> _Found:
        numbers = assets[is_change].tolist()
        known = self.known(to, numbers)
        rows: dict[tuple[Stands, int], list[int]] = {}
        for row, asset in zip(np.flatnonzero(is_change).tolist(), numbers, strict=True):
            own = behind(known.get(asset, ()), self.shape(asset), now_us, self.days)
            rows.setdefault((own.stands, own.trial.at_us if own.trial else 0), []).append(row)
        rules = _RULES if plan is None else _RULES_OF_PLAN
        found: _Found = []
        for (stands, at_us), own in sorted(rows.items()):
            mask = np.zeros(len(assets), np.bool_)
            mask[own] = True
            found.append((mask, stands, replace(rules[stands], detail=self._detail(stands, at_us, plan))))
        return found

    def _detail(self, stands: Stands, at_us: int, plan: int | None) -> dict[str, str | float]:
        detail: dict[str, str | float] = {} if plan is None else {"plan": plan}
        if stands is not Stands.NONE:
            detail["at"] = rfc3339(nameable_us(at_us))
        if stands is Stands.OLD:
            detail["days"] = self.days
        return detail

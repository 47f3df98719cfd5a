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


@dataclass(frozen=True, slots=True)
class Rule:
    """What a town asks, and by what it is judged."""

    needed: Needed
    days: int
    known: Known
    shape: Shape

    def guard(self) -> Guard:
        """Refuses where a comparison is demanded and none that passes stands behind the order."""

        def refuse(
            params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
        ) -> Sequence[tuple[Mask, Refusal]]:
            if self.needed is not Needed.DEMAND:
                return []
            return self._said(params, assets, city, now_us, lambda stands: stands is not Stands.PASSES)

        return refuse

    def advice(self) -> Guard:
        """Says what stands behind an order, and refuses nothing."""

        def advise(
            params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
        ) -> Sequence[tuple[Mask, Refusal]]:
            if self.needed is Needed.NEVER:
                return []
            return self._said(params, assets, city, now_us, lambda stands: True)

        return advise

    def _said(
        self, params: Mapping[str, Any], assets: Numbers, city: City, now_us: int, tells: Callable[[Stands], bool]
    ) -> list[tuple[Mask, Refusal]]:
        to = asked_for(params)
        if not to:
            return []
        changes = np.ones(len(assets), np.bool_)
        if "plan" in params:
            # Whoever orders the plan that a junction runs takes it back to its plan.
            changes = city.value(Junction, Junction.plan, assets) != float(params["plan"])
        numbers = assets[changes].tolist()
        known = self.known(to, numbers)
        found: dict[tuple[Stands, int], list[int]] = {}
        for row, asset in zip(np.flatnonzero(changes).tolist(), numbers, strict=True):
            own = behind(known.get(asset, ()), self.shape(asset), now_us, self.days)
            if tells(own.stands):
                found.setdefault((own.stands, own.trial.at_us if own.trial else 0), []).append(row)
        said: list[tuple[Mask, Refusal]] = []
        for (stands, at_us), rows in sorted(found.items()):
            mask = np.zeros(len(assets), np.bool_)
            mask[rows] = True
            said.append((mask, replace(_RULES[stands], detail=self._detail(stands, at_us))))
        return said

    def _detail(self, stands: Stands, at_us: int) -> dict[str, str | float]:
        if stands is Stands.NONE:
            return {}
        days: dict[str, str | float] = {"days": self.days} if stands is Stands.OLD else {}
        return {"at": rfc3339(nameable_us(at_us)), **days}

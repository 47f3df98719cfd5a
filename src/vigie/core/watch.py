"""Watches: conditions that one point alone decides, declared as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vigie.core.kinds import AssetKind, ConditionKind, Point, Sort
from vigie.core.service import Change, City, Clear, Effect, Raise, Step


@dataclass(frozen=True)
class Watch:
    """An asset whose `point` is one of `when` has the condition; as soon as it is anything else, it has not.

    A value the device itself does not vouch for moves nothing (the engine leaves such values out of a change).
    """

    kind: type[AssetKind]
    point: Point[Any]
    condition: ConditionKind
    when: tuple[str | bool, ...]
    codes: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        codes = tuple(float(v) if isinstance(v, bool) else float(self.point.code(v)) for v in self.when)
        object.__setattr__(self, "codes", codes)

    def evidence(self, value: float) -> Mapping[str, float | str]:
        """What was seen, as the device said it."""
        shown = self.point.choices[int(value)] if self.point.sort is Sort.CHOICE else value
        return {self.point.name: shown}


def watching(*watches: Watch) -> Step:
    """A step made of watches."""

    def step(changes: Sequence[Change], city: City, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        for change in changes:
            for watch in watches:
                if watch.point is change.point and watch.kind is change.kind:
                    effects += _effects(watch, change, city)
        return effects

    return step


def points_of(*watches: Watch) -> tuple[tuple[type[AssetKind], Point[Any]], ...]:
    """What a service made of these watches reacts to."""
    return tuple(dict.fromkeys((watch.kind, watch.point) for watch in watches))


def _effects(watch: Watch, change: Change, city: City) -> list[Effect]:
    abnormal = np.isin(change.value, watch.codes)
    is_open = city.is_open(watch.condition, change.asset)
    effects: list[Effect] = []
    for row in np.flatnonzero(abnormal != is_open).tolist():
        asset, at_us = int(change.asset[row]), int(change.observed_us[row])
        if abnormal[row]:
            effects.append(Raise(watch.condition, asset, at_us, watch.evidence(float(change.value[row]))))
        else:
            effects.append(Clear(watch.condition, asset, at_us))
    return effects

"""Levels over time as steps, and how long two of them are apart: the arithmetic of `lighting.right_level`, in whole
microseconds and without a grid of minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Int64s
from vigie.services.lighting.programmes.layers import Schedule

UNKNOWN = -1
"""A level that nobody can say: it is never the right one."""
_EVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Steps:
    """A level in per cent over time: each holds from its instant until the next one's, and before the first is 0."""

    at_us: Int64s
    level: Int64s

    @staticmethod
    def always(level: int) -> Steps:
        """One level, at any time."""
        return Steps(np.array([_EVER]), np.array([level]))

    @staticmethod
    def of(plan: Schedule) -> Steps:
        """What a schedule says: outside its spans lamps are off."""
        at_us = np.concatenate([plan.end_us, plan.start_us])
        level = np.concatenate([np.zeros(len(plan), np.int64), plan.level])
        # Where one span ends and the next begins, the next counts: it comes last among its equals.
        order = np.argsort(at_us, kind="stable")
        at_us, level = at_us[order], level[order]
        last = np.append(np.diff(at_us) > 0, True) if len(at_us) else np.empty(0, np.bool_)
        return Steps(at_us[last], level[last])

    def moved(self, by_us: int) -> Steps:
        """The same, so much later."""
        return Steps(self.at_us + by_us, self.level) if by_us else self

    def at(self, instants_us: Int64s) -> Int64s:
        """The level at some instants."""
        row = np.searchsorted(self.at_us, instants_us, side="right") - 1
        return np.where(row >= 0, self.level[np.maximum(row, 0)], 0) if len(self.level) else np.zeros_like(instants_us)


def apart_us(one: Steps, other: Steps, from_us: int, until_us: int, bounds_us: Int64s) -> Int64s:
    """How long two levels are not the same between two instants: of each stretch between two bounds (noons), which are
    in order and reach beyond both instants."""
    inner = np.concatenate([one.at_us, other.at_us, bounds_us])
    at_us = np.unique(np.append(inner[(from_us < inner) & (inner < until_us)], from_us))
    length_us = np.diff(np.append(at_us, until_us))
    wrong = one.at(at_us) != other.at(at_us)
    which = np.searchsorted(bounds_us, at_us[wrong], side="right") - 1
    return np.bincount(which, length_us[wrong], len(bounds_us) - 1).astype(np.int64)

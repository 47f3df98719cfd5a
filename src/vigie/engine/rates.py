"""How often somebody may ask: a bucket that fills at a steady rate, for each caller. Bounded in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from vigie.core.times import SECOND_US


@dataclass(frozen=True, slots=True)
class Allowance:
    """per_s: requests a second that may go on for ever. burst: so many at once after a rest. held_max: how many
    callers are remembered; the least recent is forgotten, and has a full bucket again."""

    per_s: float
    burst: float
    held_max: int = 10_000


class Rates:
    """The buckets of all callers."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        # key -> (what is left, as of when)
        self._held: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._held)

    def wait_s(self, key: Hashable, now_us: int) -> float:
        """After how many seconds a request may be tried, 0 for now; nothing is counted."""
        left = self._left(key, now_us)
        return 0.0 if left >= 1 else (1 - left) / self._allowance.per_s

    def left(self, key: Hashable, now_us: int) -> float:
        """How many requests may go on at once; nothing is counted."""
        return self._left(key, now_us)

    def take(self, key: Hashable, now_us: int) -> float:
        """Counts a request; returns 0 if it may go on, else after how many seconds it may be tried again. What is
        refused takes nothing out of the bucket."""
        left = self._left(key, now_us)
        allowed = left >= 1
        self._held[key] = (left - 1 if allowed else left, now_us)
        self._held.move_to_end(key)
        if len(self._held) > self._allowance.held_max:
            self._held.popitem(last=False)
        if allowed:
            return 0.0
        self.refused += 1
        return (1 - left) / self._allowance.per_s

    def _left(self, key: Hashable, now_us: int) -> float:
        left, at_us = self._held.get(key, (self._allowance.burst, now_us))
        # A clock that was set back fills nothing and empties nothing.
        return min(self._allowance.burst, left + max(0, now_us - at_us) / SECOND_US * self._allowance.per_s)

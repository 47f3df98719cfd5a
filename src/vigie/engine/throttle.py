"""Throttling of attempts: whoever fails too often waits, twice as long each time.

Its laws, each tested: an attempt counts before its outcome is known, so that many at once gain nothing; one refused by
the throttle itself does not count, so that a wait ends; no wait is longer than the longest, whatever becomes of the
clock; what is held in memory is bounded, the least recent forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from vigie.core.times import DAY_US, MINUTE_US, SECOND_US

DOUBLINGS_MAX = 40


@dataclass(frozen=True, slots=True)
class Patience:
    """free: attempts that may fail without a wait. first_us: the wait after the last of them; it doubles with each
    failure up to longest_us. forget_us: after so long without an attempt all is forgotten. held_max: how many keys
    are remembered."""

    free: int
    first_us: int = 2 * SECOND_US
    longest_us: int = 5 * MINUTE_US
    forget_us: int = DAY_US
    held_max: int = 10_000


class Throttle:
    """Attempts by key: a login's digest, an address."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        # key -> (attempts that count, end of the wait)
        self._held: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def wait_us(self, key: Hashable, now_us: int) -> int:
        """How long this key must wait; 0 if it may try."""
        return max(0, self._known(key, now_us)[1] - now_us)

    def attempt(self, key: Hashable, now_us: int) -> None:
        """Counts an attempt, before its outcome is known."""
        count = self._known(key, now_us)[0] + 1
        over = min(count - self._patience.free, DOUBLINGS_MAX)
        wait_us = min(self._patience.first_us << over, self._patience.longest_us) if over >= 0 else 0
        self._held[key] = (count, now_us + wait_us)
        self._held.move_to_end(key)
        if len(self._held) > self._patience.held_max:
            self._held.popitem(last=False)

    def take_back(self, key: Hashable, now_us: int) -> None:
        """The last attempt was none, or succeeded: it counts no more. Earlier failures do."""
        count, _ = self._held.get(key, (0, 0))
        if count <= 1:
            self._held.pop(key, None)
        else:
            self._held[key] = (count - 1, now_us)

    def clear(self, key: Hashable) -> None:
        """All is well with this key."""
        self._held.pop(key, None)

    def _known(self, key: Hashable, now_us: int) -> tuple[int, int]:
        count, until_us = self._held.get(key, (0, 0))
        if until_us > now_us + self._patience.longest_us:
            # The clock was set back since: the longest wait there is begins now, and ends.
            until_us = now_us + self._patience.longest_us
            self._held[key] = (count, until_us)
        return (count, until_us) if now_us - until_us < self._patience.forget_us else (0, 0)

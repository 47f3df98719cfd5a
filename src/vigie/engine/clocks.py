"""What time devices believe it is, estimated from what they send.

A report takes some time to arrive, so (observed - received) is at most what the device's clock is ahead of the post's;
the largest of many is the estimate. It is taken over the current and the last window, so that a clock that was set is
believed again after two windows at the latest. Until then a proof may be missed (the order is `unproved`, and says so),
never invented.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Int64s
from vigie.core.times import MINUTE_US

WINDOW_US = 10 * MINUTE_US
_NEVER = np.iinfo(np.int64).min // 4


class DeviceClocks:
    """The clocks of all reporters, by their numbers."""

    def __init__(self) -> None:
        self._now = np.full(16, _NEVER, np.int64)
        self._before = np.full(16, _NEVER, np.int64)
        self._window = 0

    def note(self, reporter: Int64s, observed_us: Int64s, received_us: int) -> None:
        """Learns from the rows of a batch. reporter: who sent each row."""
        if not len(reporter):
            return
        self._fit(int(reporter.max()) + 1)
        window = received_us // WINDOW_US
        if window != self._window:
            near = window == self._window + 1
            self._before = self._now if near else np.full(len(self._now), _NEVER, np.int64)
            self._now = np.full(len(self._before), _NEVER, np.int64)
            self._window = window
        np.maximum.at(self._now, reporter, observed_us - received_us)

    def ahead_us(self, reporter: Int64s) -> Int64s:
        """How far each reporter's clock is ahead of the post's, less the fastest report's way; 0 if unknown."""
        if not len(reporter):
            return np.empty(0, np.int64)
        self._fit(int(reporter.max()) + 1)
        known = np.maximum(self._now[reporter], self._before[reporter])
        return np.where(known == _NEVER, 0, known)

    def _fit(self, size: int) -> None:
        if size <= len(self._now):
            return
        more = max(size, 2 * len(self._now)) - len(self._now)
        self._now = np.concatenate([self._now, np.full(more, _NEVER, np.int64)])
        self._before = np.concatenate([self._before, np.full(more, _NEVER, np.int64)])

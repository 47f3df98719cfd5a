"""What time devices believe it is, estimated from what they send.

A report takes some time to arrive, so (observed - received) is at most what the device's clock is ahead of the post's;
the largest of many is the estimate. It is taken over the current and the last window, so that a clock that was set is
believed again after two windows at the latest.

A clock that is behind and a buffer that is emptied look alike at first: both send what is old. So a clock is held to
be behind only once its device has been heard for a whole window and the newest of each of its reports was behind by the
same; a buffer catches up. Until then a proof may be missed (the order is `unproved`, and says so), never invented.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Int64s
from vigie.core.times import MINUTE_US, SECOND_US

WINDOW_US = 10 * MINUTE_US
STEADY_US = 30 * SECOND_US
"""By so much may reports of a clock that is behind differ: on their way, and in what they were gathered for."""

_NEVER = np.iinfo(np.int64).min // 4
_CURRENT, _LAST = 0, 1


class DeviceClocks:
    """The clocks of all reporters, by their numbers.

    ahead, least: the largest and the least of what the newest row of each report was ahead of the post's clock, in the
    current window and in the last. since_us: when a reporter was first heard after a silence of two windows.
    """

    def __init__(self) -> None:
        self._ahead = np.full((2, 16), _NEVER, np.int64)
        self._least = np.full((2, 16), -_NEVER, np.int64)
        self._since_us = np.zeros(16, np.int64)
        self._window = 0

    def note(self, reporter: Int64s, observed_us: Int64s, received_us: int) -> None:
        """Learns from the rows of a batch. reporter: who sent each row."""
        if not len(reporter):
            return
        self._fit(int(reporter.max()) + 1)
        self._turn(received_us // WINDOW_US)
        heard, row_of = np.unique(reporter, return_inverse=True)
        newest = np.full(len(heard), _NEVER, np.int64)
        np.maximum.at(newest, row_of, observed_us - received_us)
        silent = self._ahead[:, heard].max(axis=0) == _NEVER
        self._since_us[heard[silent]] = received_us
        self._ahead[_CURRENT, heard] = np.maximum(self._ahead[_CURRENT, heard], newest)
        self._least[_CURRENT, heard] = np.minimum(self._least[_CURRENT, heard], newest)

    def ahead_us(self, reporter: Int64s, now_us: int) -> Int64s:
        """How far each reporter's clock is ahead of the post's, less the fastest report's way; 0 if unknown."""
        if not len(reporter):
            return np.empty(0, np.int64)
        self._fit(int(reporter.max()) + 1)
        ahead = self._ahead[:, reporter].max(axis=0)
        steady = ahead - self._least[:, reporter].min(axis=0) <= STEADY_US
        believed = (ahead > 0) | steady & (self._since_us[reporter] <= now_us - WINDOW_US)
        return np.where((ahead != _NEVER) & believed, ahead, 0)

    def _turn(self, window: int) -> None:
        """What was the current window is the last one; what lies further back counts no more."""
        if window == self._window:
            return
        near = window == self._window + 1
        for columns, nothing in ((self._ahead, _NEVER), (self._least, -_NEVER)):
            columns[_LAST] = columns[_CURRENT] if near else nothing
            columns[_CURRENT] = nothing
        self._window = window

    def _fit(self, size: int) -> None:
        known = len(self._since_us)
        if size <= known:
            return
        more = max(size, 2 * known) - known
        self._ahead = np.concatenate([self._ahead, np.full((2, more), _NEVER, np.int64)], axis=1)
        self._least = np.concatenate([self._least, np.full((2, more), -_NEVER, np.int64)], axis=1)
        self._since_us = np.concatenate([self._since_us, np.zeros(more, np.int64)])

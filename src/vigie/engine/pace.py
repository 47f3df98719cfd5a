"""Pace: how many of an order's targets may leave now.

Two limits, over all orders together: of the targets that one asset feeds, as many as the action's own pace says (the
lamps of a cabinet are not all lit at one instant); and of all targets, as many a second as a gateway takes in.

Law (tests/engine/test_pace.py): a window is open until nothing has left for its whole length, so that no span of that
length ever sees more than one window's fill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.kinds import Pace
from vigie.core.observations import Int64s, Mask
from vigie.core.service import Numbers
from vigie.core.times import SECOND_US

GATEWAY_AT_ONCE, GATEWAY_EVERY_US = 100, SECOND_US
"""What one gateway is handed at most: more than a radio network passes on in a second."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Which of some rows may leave (indexes into them), and when it is worth while to look again; 0: all left."""

    which: Int64s
    again_us: int


class _Windows:
    """By number: when the last one left, and how many have left in the window that it is in."""

    def __init__(self) -> None:
        self._last_us = np.zeros(1_024, np.int64)
        self._count = np.zeros(1_024, np.int64)

    def room(self, of: Numbers, at_once: int, every_us: int, now_us: int) -> Int64s:
        """How many more may leave now, for each of `of`. A last one that lies ahead is a clock that was set back."""
        self._fit(of)
        since_us = now_us - self._last_us[of]
        return np.where((since_us >= 0) & (since_us < every_us), np.maximum(at_once - self._count[of], 0), at_once)

    def take(self, of: Numbers, every_us: int, now_us: int) -> None:
        """So many of each leave: as often as it is named."""
        self._fit(of)
        some, counts = np.unique(of, return_counts=True)
        since_us = now_us - self._last_us[some]
        same = (since_us >= 0) & (since_us < every_us)
        self._count[some] = np.where(same, self._count[some], 0) + counts
        self._last_us[some] = now_us

    def open_until_us(self, of: Numbers, every_us: int, now_us: int) -> list[int]:
        """When the first of these windows that are open now has passed; nothing where none is."""
        passed_us = self._last_us[of] + every_us
        return [int(passed_us[passed_us > now_us].min())] if (passed_us > now_us).any() else []

    def _fit(self, of: Numbers) -> None:
        need = int(of.max(initial=0)) + 1
        if need > len(self._last_us):
            more = max(need, 2 * len(self._last_us)) - len(self._last_us)
            self._last_us = np.concatenate([self._last_us, np.zeros(more, np.int64)])
            self._count = np.concatenate([self._count, np.zeros(more, np.int64)])


class Gate:
    """What has left lately, and so what may leave now."""

    def __init__(self) -> None:
        self._feeders, self._gateways = _Windows(), _Windows()

    def leave(self, pace: Pace | None, feeder: Numbers, dark: Mask, reporter: int, now_us: int) -> Leave:
        """Lets rows leave through one gateway, in their order. feeder: what feeds each, 0 for nothing; dark: which of
        them the pace counts."""
        free = np.ones(len(feeder), np.bool_)
        again: list[int] = []
        counted = np.flatnonzero(dark & (feeder > 0)) if pace is not None else np.empty(0, np.int64)
        every_us = int(pace.every_s * SECOND_US) if pace is not None else 0
        if pace is not None and len(counted):
            room = self._feeders.room(feeder[counted], pace.at_once, every_us, now_us)
            free[counted] = _rank(feeder[counted]) < room
        gateway = np.array([reporter], np.int64)
        most = int(self._gateways.room(gateway, GATEWAY_AT_ONCE, GATEWAY_EVERY_US, now_us)[0])
        which = np.flatnonzero(free)
        kept = which[most:]
        which = which[:most]
        if len(which):
            self._gateways.take(np.full(len(which), reporter, np.int64), GATEWAY_EVERY_US, now_us)
        if len(leaving := which[np.isin(which, counted)]):
            self._feeders.take(feeder[leaving], every_us, now_us)
        if len(kept):
            again += self._gateways.open_until_us(gateway, GATEWAY_EVERY_US, now_us)
        if not free.all():
            again += self._feeders.open_until_us(feeder[~free], every_us, now_us)
        return Leave(which, min(again, default=0))

    def note(self, pace: Pace, feeder: Numbers, sent_us: Int64s) -> None:
        """What left before this process began counts as a full window."""
        for at_us in np.unique(sent_us).tolist():
            some = np.repeat(np.unique(feeder[sent_us == at_us]), pace.at_once)
            self._feeders.take(some, 0, at_us)


def lasts_s(pace: Pace | None, feeder: Numbers, dark: Mask, reporter: Numbers) -> float:
    """How long it takes at least until the last of these targets has left, in seconds."""
    s = (_most(reporter) - 1) // GATEWAY_AT_ONCE * GATEWAY_EVERY_US / SECOND_US if len(reporter) else 0.0
    counted = feeder[dark & (feeder > 0)] if pace is not None else feeder[:0]
    if pace is not None and len(counted):
        s = max(s, (_most(counted) - 1) // pace.at_once * pace.every_s)
    return float(s)


def _most(of: Numbers) -> int:
    """How often the commonest is named."""
    return int(np.bincount(of).max())


def _rank(of: Numbers) -> Int64s:
    """For each, how many of the same stand before it."""
    order = np.argsort(of, kind="stable")
    grouped = of[order]
    first = np.concatenate([[0], np.flatnonzero(np.diff(grouped)) + 1]) if len(of) else np.empty(0, np.int64)
    rank = np.empty(len(of), np.int64)
    rank[order] = np.arange(len(of)) - np.repeat(first, np.diff(np.append(first, len(of))))
    return rank

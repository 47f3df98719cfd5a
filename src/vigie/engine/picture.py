"""The live picture: the newest value of every point of every asset, in columns indexed by slot.

Newest wins, by the instant of observation: a late value goes to history and never moves the picture back. Each slot
keeps the version of its last change, so that a browser that comes back asks for what changed since.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import FUTURE_US_MAX, Batch, Int64s, Mask
from vigie.engine.registry import Registry

NEVER_US = np.iinfo(np.int64).min
"""The instant of observation of a slot that has no value yet."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """A batch set against the picture: for each row, exactly one of the three is true."""

    fresh: Mask
    late: Mask
    duplicate: Mask


@dataclass(frozen=True, slots=True)
class Moved:
    """What a batch changed: slots without repetition, what they held before, and what they hold now."""

    slot: Int64s
    before: np.ndarray[tuple[int], np.dtype[np.float64]]
    value: np.ndarray[tuple[int], np.dtype[np.float64]]
    observed_us: Int64s
    quality: np.ndarray[tuple[int], np.dtype[np.uint8]]


class Picture:
    """The newest of everything. One writer (the engine); readers take what they need between two folds."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.version = 0
        size = max(4096, registry.slots)
        self.value = np.full(size, np.nan)
        self.value2 = np.full(size, np.nan)
        self.observed_us = np.full(size, NEVER_US, np.int64)
        self.received_us = np.zeros(size, np.int64)
        self.quality = np.zeros(size, np.uint8)
        self.changed = np.zeros(size, np.int64)
        self.texts: dict[int, str] = {}

    def sort(self, batch: Batch, now_us: int) -> Sorting:
        """Tells for each row whether it is fresh, late or a duplicate of what the picture or the batch holds.

        A duplicate has the very instant and value of the newest known; a row of the newest instant with another
        value is late: the first one said stands. Of the rows of one slot within a batch, those that are older than
        another of them are fresh all the same (they are news to the history), and only the newest is folded.
        """
        self.fit()
        slot, observed = batch.slot, batch.observed_us
        known = self._held_us(slot, now_us)
        same_value = (self.value[slot] == batch.value) | (np.isnan(self.value[slot]) & np.isnan(batch.value))
        same_value &= (self.value2[slot] == batch.value2) | (np.isnan(self.value2[slot]) & np.isnan(batch.value2))
        if batch.texts:
            for row, text in batch.texts.items():
                same_value[row] &= self.texts.get(int(slot[row])) == text
        duplicate = (observed == known) & same_value
        late = (observed <= known) & ~duplicate
        duplicate |= self._repeated(batch)
        late &= ~duplicate
        return Sorting(~late & ~duplicate, late, duplicate)

    def fold(self, batch: Batch, received_us: int) -> Moved:
        """Moves the picture by the newest row of each slot that is newer than what it holds."""
        self.fit()
        newest = _newest_rows(batch)
        slot = batch.slot[newest]
        newer = batch.observed_us[newest] > self._held_us(slot, received_us)
        newest, slot = newest[newer], slot[newer]
        before = self.value[slot]
        if len(newest):
            self.version += 1
            self.value[slot] = batch.value[newest]
            self.value2[slot] = batch.value2[newest]
            self.observed_us[slot] = batch.observed_us[newest]
            self.received_us[slot] = received_us
            self.quality[slot] = batch.quality[newest]
            self.changed[slot] = self.version
            if batch.texts:
                for row, at in zip(newest.tolist(), slot.tolist(), strict=True):
                    if row in batch.texts:
                        self.texts[at] = batch.texts[row]
        return Moved(slot, before, batch.value[newest], batch.observed_us[newest], batch.quality[newest])

    def fit(self) -> None:
        """Makes room for the slots that the registry has by now."""
        size, need = len(self.value), self.registry.slots
        if need <= size:
            return
        extra = max(need, 2 * size) - size
        self.value = np.concatenate([self.value, np.full(extra, np.nan)])
        self.value2 = np.concatenate([self.value2, np.full(extra, np.nan)])
        self.observed_us = np.concatenate([self.observed_us, np.full(extra, NEVER_US, np.int64)])
        self.received_us = np.concatenate([self.received_us, np.zeros(extra, np.int64)])
        self.quality = np.concatenate([self.quality, np.zeros(extra, np.uint8)])
        self.changed = np.concatenate([self.changed, np.zeros(extra, np.int64)])

    def _held_us(self, slot: Int64s, now_us: int) -> Int64s:
        """When what is held was observed. What is held from further ahead than is ever taken was received before the
        server's clock was set back; it counts for nothing, or it would hold the picture still until then."""
        held_us = self.observed_us[slot]
        return np.where(held_us > now_us + FUTURE_US_MAX, NEVER_US, held_us)

    def _repeated(self, batch: Batch) -> Mask:
        """Rows that say again what an earlier row of the same batch said."""
        repeated = np.zeros(len(batch), np.bool_)
        if len(batch) < 2:
            return repeated
        order = np.lexsort((batch.observed_us, batch.slot))
        first, second = order[:-1], order[1:]
        alike = (batch.slot[first] == batch.slot[second]) & (batch.observed_us[first] == batch.observed_us[second])
        if not alike.any():
            return repeated
        seen: set[tuple[int, int, float, float, str | None]] = set()
        suspects = np.unique(np.concatenate([first[alike], second[alike]]))
        for row in suspects.tolist():
            value, value2 = float(batch.value[row]), float(batch.value2[row])
            said = (
                int(batch.slot[row]),
                int(batch.observed_us[row]),
                value if value == value else 0.0,
                value2 if value2 == value2 else 0.0,
                batch.texts.get(row),
            )
            repeated[row] = said in seen
            seen.add(said)
        return repeated


def _newest_rows(batch: Batch) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """For each slot of the batch, the row observed last; of two at one instant, the first said."""
    count = len(batch)
    if count < 2:
        return np.arange(count)
    order = np.lexsort((np.arange(count)[::-1], batch.observed_us, batch.slot))
    slot = batch.slot[order]
    last = np.empty(count, np.bool_)
    last[-1] = True
    np.not_equal(slot[1:], slot[:-1], out=last[:-1])
    return order[last]

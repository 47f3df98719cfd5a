"""Observations: what assets reported, in columns.

A batch travels from the door to the disk as columns, so that a point that nobody reacts to costs no Python call
per row. Row i of a batch says: the point `slot[i]` of an asset had `value[i]` at `observed_us[i]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vigie.core.times import MINUTE_US

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Slots = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FUTURE_US_MAX = 5 * MINUTE_US
"""A value from further ahead than this is refused: the device's clock is wrong."""


class Outcome(StrEnum):
    """What became of one reading. Every reading has exactly one, and each is counted."""

    ACCEPTED = "accepted"
    LATE = "late"
    DUPLICATE = "duplicate"
    MALFORMED = "malformed"
    UNKNOWN_ASSET = "unknown_asset"
    UNKNOWN_POINT = "unknown_point"
    NOT_YOURS = "not_yours"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    FUTURE = "future"
    TOO_OLD = "too_old"
    OFF_HOURS = "off_hours"
    PRIVATE = "private"


KEPT = (Outcome.ACCEPTED, Outcome.LATE, Outcome.DUPLICATE)
"""The outcomes of a reading that the post holds for good once it has said so."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations in columns, all of one length.

    slot: the live picture's number of (asset, point).
    observed_us: microseconds since the epoch, UTC, by the device's clock.
    value: the number; a flag as 0 or 1; a choice as its code; a place's longitude; NaN for a text.
    value2: a place's latitude, NaN for anything else.
    quality: a `Quality` code.
    texts: row -> text, for points of sort text only.
    """

    slot: Slots
    observed_us: Int64s
    value: Floats
    value2: Floats
    quality: Bytes
    texts: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, rows: NDArray[np.intp] | Mask) -> Batch:
        """The rows chosen, in their order here or the order of the indices given."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        texts = {}
        if self.texts:
            texts = {new: self.texts[old] for new, old in enumerate(index.tolist()) if old in self.texts}
        return Batch(
            self.slot[index], self.observed_us[index], self.value[index], self.value2[index], self.quality[index], texts
        )

    @staticmethod
    def empty() -> Batch:
        """A batch without rows."""
        return Batch(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.uint8))

    @staticmethod
    def joined(batches: list[Batch]) -> Batch:
        """The rows of all, one after the other."""
        if len(batches) == 1:
            return batches[0]
        texts: dict[int, str] = {}
        start = 0
        for batch in batches:
            for row, value in batch.texts.items():
                texts[start + row] = value
            start += len(batch)
        return Batch(
            np.concatenate([b.slot for b in batches]),
            np.concatenate([b.observed_us for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.value2 for b in batches]),
            np.concatenate([b.quality for b in batches]),
            texts,
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """One reading that was refused: its place in what was sent, and why."""

    row: int
    outcome: Outcome
    detail: str

"""Reports in columns, and chance as a function of who and when.

Nothing here keeps dice: noise and breakdowns are hashes of (seed, name, device, instant). So a device's life does not
depend on how often it is asked, and a jump over an hour shows the same city as 3,600 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import AssetKind, Point
from vigie.core.times import SECOND_US

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reports:
    """What devices of one kind said of one point, in columns of one length.

    index: the nth asset of its kind, from 0. value2: latitude where value is a longitude, else None.
    """

    kind: type[AssetKind]
    point: Point[Any]
    index: Ints
    observed_us: Ints
    value: Floats
    value2: Floats | None = None

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True)
class Habits:
    """How often devices report, in seconds.

    junction_s, detector_s: 0 for a junction: each change of stage when it happens; else a sample each so many seconds.
    hello_s: within this time of the start every device reports once.
    ramp_s: how long a luminaire takes from one level to another. skew_s: standard deviation of the luminaires' clocks.
    """

    lamp_s: float = 900.0
    mover_s: float = 10.0
    junction_s: float = 0.0
    detector_s: float = 60.0
    sky_s: float = 600.0
    idle_s: float = 300.0
    hello_s: float = 6.0
    ramp_s: float = 1.0
    skew_s: float = 0.0


DEMO = Habits(hello_s=20.0)
"""Stages on change: what a good installation sends. Who has just got to know a post has other things to hear at first
than a whole city at once."""
FULL_RATE = Habits(junction_s=1.0, detector_s=1.0)
"""Junctions and detectors sampled at 1 Hz: about 2,600 observations a second in all."""
DAY = Habits(junction_s=60.0)
"""For a simulated day: stages once a minute."""


def key_of(seed: int, name: str) -> np.uint64:
    """The part of a hash that stays the same for one use."""
    return np.uint64((seed * 0x9E3779B97F4A7C15 + crc32(name.encode()) * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF)


def uniform(key: np.uint64, index: Ints, turn: Ints | int) -> Floats:
    """A number in [0, 1) for each device and turn (the finaliser of splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        x = index.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9) + key
        x = x + np.asarray(turn, np.int64).astype(np.uint64) * np.uint64(0x94D049BB133111EB)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(key: np.uint64, index: Ints, turn: Ints | int) -> Floats:
    """A number about 0 with deviation 1 for each device and turn (sum of uniforms; never beyond 3.5)."""
    total = uniform(key, index, np.asarray(turn) * 3) + uniform(key, index, np.asarray(turn) * 3 + 1)
    return (total + uniform(key, index, np.asarray(turn) * 3 + 2) - 1.5) * 2.0


def drift(key: np.uint64, index: Ints, at_us: Ints | int, period_s: float) -> Floats:
    """A value in [-1, 1] that wanders smoothly over about `period_s` (value noise, cosine between turns)."""
    turn = np.asarray(at_us, np.int64) / (period_s * SECOND_US)
    low = np.floor(turn)
    share = (1 - np.cos((turn - low) * np.pi)) / 2
    low = low.astype(np.int64)
    return (uniform(key, index, low) * (1 - share) + uniform(key, index, low + 1) * share) * 2 - 1


@lru_cache(maxsize=4096)
def struck(
    key: np.uint64, count: int, turn: int, block_s: float, chance: float, least_s: float, most_s: float
) -> tuple[Ints, Floats, Floats]:
    """Who breaks down in a stretch of time, from when and until when: kept, for few do and it is asked each minute."""
    block, index = int(block_s * SECOND_US), np.arange(count)
    who = np.flatnonzero(uniform(key, index, turn * 3) < chance)
    begin = turn * block + uniform(key, who, turn * 3 + 1) * block
    return who, begin, begin + (least_s + uniform(key, who, turn * 3 + 2) * (most_s - least_s)) * SECOND_US


def broken(
    key: np.uint64, count: int, at_us: int, *, block_s: float, chance: float, least_s: float, most_s: float
) -> Mask:
    """Which devices, numbered from 0 up to count, have a breakdown at an instant.

    In each stretch of `block_s` a device breaks down with this chance, at some moment of it, for `least_s` to `most_s`.
    """
    here = at_us // int(block_s * SECOND_US)
    down = np.zeros(count, np.bool_)
    for back in range(int(-(-most_s // block_s)) + 1):
        who, begin, end = struck(key, count, here - back, block_s, chance, least_s, most_s)
        down[who] |= (begin <= at_us) & (at_us < end)
    return down


def due(after_us: int, until_us: int, period_s: float, phase_us: Ints) -> tuple[Ints, Ints]:
    """Who reports in (after, until], and when: each at its phase, once a period. Sorted by device, then time."""
    period = int(period_s * SECOND_US)
    first = (after_us - phase_us) // period + 1
    number = (until_us - phase_us) // period - first + 1
    who = np.repeat(np.arange(len(phase_us)), number)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(number) - number, number)
    return who, phase_us[who] + (first[who] + nth) * period


def phases(key: np.uint64, count: int, period_s: float) -> Ints:
    """A phase within the period for each device, so that they do not all speak at once."""
    return (uniform(key, np.arange(count), 0) * period_s * SECOND_US).astype(np.int64)

"""What lamps have said since the last sweep, and what is remembered of each lamp between sweeps.

Lamps report each quarter of an hour, and when something changes; each reading of a report may be lost on its way. So a
level and a power belong together only where they are of one instant, and a power counts only where the level was the
same in the report before: while a lamp fades, a meter says something in between (`Reports.steady`). A device's clock
may be wrong by hours. No rule of power asks for the hour at all; where the hour matters, both clocks are asked, the
device's and the post's, and nothing is decided where they disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Quality
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import City, Newest, Numbers
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.kinds import Luminaire

REPORT_US = 15 * MINUTE_US
"""How often a lamp reports, whatever happens (docs/explanation/talq.md)."""

TOGETHER_US = 2 * SECOND_US
"""Readings of one report are of one instant, or of two that a logger rounds differently."""

STEADY_US = 5 * MINUTE_US
"""So long after a change of level a lamp has faded, an order has come to all, and a discharge lamp has run up."""

SAME_LEVEL = 1.0
"""Levels that differ by less, in %, are one: what an order's proof allows as well."""

BANDS = 10
"""What is usual for a lamp is learnt for each tenth of its level apart: makers' curves differ in form."""

NONE, LAMP, DRIVER, SUPPLY, UNKNOWN = (
    float(Luminaire.fault.code(each)) for each in ("none", "lamp", "driver", "supply", "unknown")
)
PROGRAMME = float(Luminaire.control.code("programme"))
OWN_WORDS = (LAMP, DRIVER, UNKNOWN)
"""What a lamp says of itself when it is out."""


class Memory:
    """What is remembered of each lamp, in rows of the park. Empty after a start.

    level, level_since_us: the level last said, and the instant of the report that said it first. ratio: the newest
    power over the plain curve, in each band of levels. mean, learnt: what is usual for this lamp itself, against its
    kind, and from how many reports. noise: how much a report differs from the one before. off: by how much the newest
    that was well parted from what is usual. Counts are of reports in a row.
    """

    def __init__(self, count: int) -> None:
        def times() -> Int64s:
            return np.zeros(count, np.int64)

        def counts() -> NDArray[np.int16]:
            return np.zeros(count, np.int16)

        self.level = np.full(count, np.nan)
        self.level_us, self.level_since_us, self.power_us = times(), times(), times()
        self.dead, self.live, self.by_day, self.dark_by_day = counts(), counts(), counts(), counts()
        self.low, self.high, self.usual = counts(), counts(), counts()
        self.hot, self.cool = counts(), counts()
        self.ratio = np.full((count, BANDS), np.nan, np.float32)
        self.mean = np.ones((count, BANDS), np.float32)
        self.learnt = np.zeros((count, BANDS), np.int32)
        self.noise, self.off = np.full(count, 0.02, np.float32), np.full(count, np.nan, np.float32)
        self.heat = np.full(count, np.nan, np.float32)
        self.heat_us, self.heat_band = times(), np.zeros(count, np.int64)
        self.heat_mean, self.heat_learnt = np.zeros(count, np.float32), counts()
        self.switch_ons, self.switched_us = np.full(count, np.nan), times()
        self.restless_us, self.heard_us, self.back_us = times(), times(), times()

    def moved(self, before: Numbers, after: Numbers) -> Memory:
        """The same for a park that has changed. before, after: the lamps' numbers, sorted."""
        made = Memory(len(after))
        kept = np.isin(after, before)
        rows = np.searchsorted(before, after[kept])
        for name, column in vars(self).items():
            target: NDArray[Any] = getattr(made, name)
            target[kept] = column[rows]
        return made


@dataclass(frozen=True)
class Reports:
    """The newest report of each lamp that has said its power since the last sweep, in columns of one length.

    level, switch_ons and temperature are of the same report, NaN where that is not so. steady: power was measured at
    a level that had lasted. since_us: since when.
    """

    rows: Int64s
    observed_us: Int64s
    received_us: Int64s
    level: Floats
    power: Floats
    temperature: Floats
    switch_ons: Floats
    control: Floats
    fault: Floats
    since_us: Int64s
    steady: Mask

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Words:
    """What every lamp of the park has said last, in rows: its level, power and fault, and when it was heard at all."""

    level: Newest
    power: Newest
    fault: Newest
    heard_us: Int64s

    @staticmethod
    def of(city: City, park: Park) -> Words:
        """What the picture has."""
        level, power, fault = (
            city.newest(Luminaire, point, park.lamp) for point in (Luminaire.level, Luminaire.power, Luminaire.fault)
        )
        heard_us = np.maximum(np.maximum(level.received_us, power.received_us), fault.received_us)
        return Words(level, power, fault, heard_us)


def take(city: City, park: Park, words: Words, memory: Memory) -> Reports:
    """What is new since the last sweep; the memory has it afterwards."""
    level, power = words.level, words.power
    moved = np.flatnonzero(level.observed_us != memory.level_us)
    other = moved[~(np.abs(level.value[moved] - memory.level[moved]) <= SAME_LEVEL)]
    memory.level[other] = level.value[other]
    memory.level_since_us[other] = level.observed_us[other]
    memory.level_us[moved] = level.observed_us[moved]

    rows = np.flatnonzero((power.observed_us != memory.power_us) & (power.quality == Quality.GOOD))
    memory.power_us[rows] = power.observed_us[rows]
    observed_us = power.observed_us[rows]
    lamps = park.lamp[rows]

    def beside(newest: Newest) -> Floats:
        together = np.abs(newest.observed_us - observed_us) <= TOGETHER_US
        return np.where(together & (newest.quality == Quality.GOOD), newest.value, np.nan)

    of_report = Newest(level.value[rows], level.observed_us[rows], level.received_us[rows], level.quality[rows])
    said = beside(of_report)
    since_us = memory.level_since_us[rows]
    return Reports(
        rows=rows,
        observed_us=observed_us,
        received_us=power.received_us[rows],
        level=said,
        power=power.value[rows],
        temperature=beside(city.newest(Luminaire, Luminaire.driver_temperature, lamps)),
        switch_ons=beside(city.newest(Luminaire, Luminaire.switch_ons, lamps)),
        control=city.newest(Luminaire, Luminaire.control, lamps).value,
        fault=words.fault.value[rows],
        since_us=since_us,
        steady=~np.isnan(said) & (observed_us - since_us >= STEADY_US),
    )

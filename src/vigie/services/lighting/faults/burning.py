"""What the power and the warmth of a lamp say of it: out, burning by day, drawing too little or too much, too hot.

Sources: what a driver measures and says of itself are the data of IEC 62386-252 and -253 (DALI-2 energy reporting,
diagnostics and maintenance). That LEDs in strings fail open or short, so that a head goes on with less power, and that
drivers age by their electrolytic capacitors with heat, are the failure modes of IEC 62861 and of LM-80 and TM-21
practice. EN IEC 62722-2-1 lets a luminaire draw 10 % more than its rated power. Each figure below says why it is so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.kinds import ConditionKind
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import Clear, Effect, Raise
from vigie.core.sun import elevation_deg
from vigie.core.times import MINUTE_US
from vigie.services.lighting.conditions import DRIVER_HOT, LAMP_BY_DAY, LAMP_OUT, POWER_HIGH, POWER_LOW
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import BANDS, OWN_WORDS, PROGRAMME, Memory, Reports
from vigie.services.lighting.faults.usual import Usual
from vigie.services.lighting.power import expected_w

LEVEL_MIN = 5.0
"""Below that a driver draws about what it draws for itself, and its power says nothing."""

DEAD_SHARE, STANDBY_W, STANDBY_SHARE = 0.10, 4.0, 0.25
"""A lamp is dark that draws no more than a tenth of what is usual, or no more than a driver and a controller that light
nothing (half a watt each by Regulation (EU) 2019/2020; several times that for older ones) where that is at most a
quarter of what is usual for the lamp."""

DEAD_REPORTS = 2
"""One report may be of the moment in which it restarted."""

DAY_DEG, PROGRAMME_DAY_DEG = 4.0, 10.0
"""By day a lamp is off: it is lit at four degrees below the horizon at the latest. Where the lamp itself says that its
programme wants it lit, there may be a programme that lets it burn on for some time after dawn."""

DAY_SHARE, DAY_W = 0.15, 4.0
DAY_REPORTS = 2

LEARNT = 12
"""What is usual for a lamp itself is known after so many reports: three hours of a night."""

ANCHOR = 60
"""After so many reports the mean hardly moves any more, or it would follow a driver that ages: see `STEP_MIN`."""

STEP_MIN = 1 / 2_000
"""The least weight of a new report in a lamp's own mean: one of forty nights."""

PART_MIN = 0.10
"""So much less or more than usual is a fault. The least string that fails alone is one of eight."""

NOISES = 4.0
"""But never less than so many times what its reports differ anyway."""

ELSEWHERE_MIN, KIND_MIN, PLAIN_MIN = 0.16, 0.25, 0.40
"""And at a level at which only other levels of this lamp are known; only its kind; only the plain curve."""

PART_REPORTS = 3
NOISE_STEP = 0.05
NOISE_MAX = 0.06

HOT_LEARNT_K, HOT_KIND_K, HOT_CEL = 15.0, 22.0, 95.0
"""So much above its own and its kind's driver temperature at that level and hour. A driver's life halves with each
10 K (Arrhenius, as makers' life curves over tc show); at 95 degrees Celsius all are beyond what their makers allow."""

HOT_REPORTS = 3
WARM_SHARE = 0.5
WARM_US = 45 * MINUTE_US
"""After so long at a level a head is as warm as it will be, but for a few degrees that its kind shares."""


@dataclass(frozen=True)
class Around:
    """What stands around the lamps in this sweep. covered: lamps whose circuit or cabinet is out, whose own word does
    not count; exempt: lamps that may burn by day; restless: lamps that go on and off by themselves. now_us: the
    instant."""

    covered: Mask
    exempt: Mask
    restless: Mask
    now_us: int


@dataclass(frozen=True)
class Lamps:
    """Lamps that burn steadily, as far as their newest report tells: of each its place in the report, its row, its band
    of levels, the power that is expected of it, how far that which it draws is off, and by how much it may be."""

    at: Int64s
    rows: Int64s
    band: Int64s
    expected_w: Floats
    deviation: Floats
    tolerance: Floats


class Burning:
    """The rules that each report is held against."""

    def __init__(self, park: Park) -> None:
        self._park = park
        self.usual = Usual(park)

    def judge(self, reports: Reports, memory: Memory, around: Around, is_open: dict[str, Mask]) -> list[Effect]:
        """What new reports say. is_open: of each condition's name, for each lamp of the park."""
        lamps = self._lamps(reports, memory)
        effects = self._out(reports, lamps, memory, around, is_open[LAMP_OUT.name])
        effects += self._part(reports, lamps, memory, around, is_open)
        effects += self._hot(reports, memory, around, is_open)
        effects += self._by_day(reports, memory, around, is_open[LAMP_BY_DAY.name])
        self.usual.look(self._park, memory, around.now_us)
        return effects

    def remember(self, row: int, ratio: float, memory: Memory) -> None:
        """What was usual for a lamp when its power was found to be off: known again after a start."""
        memory.mean[row], memory.learnt[row] = ratio, LEARNT

    def _lamps(self, reports: Reports, memory: Memory) -> Lamps:
        park = self._park
        at = np.flatnonzero(reports.steady & (reports.level >= LEVEL_MIN) & ~np.isnan(park.rated_w[reports.rows]))
        rows, level = reports.rows[at], reports.level[at]
        band = np.clip(np.ceil(level / (100 / BANDS)).astype(np.int64) - 1, 0, BANDS - 1)
        curve_w = expected_w(park.rated_w[rows], level)
        memory.ratio[rows, band] = reports.power[at] / curve_w
        self.usual.note(band)
        kin = self.usual.ratio[park.kind[rows], band]
        learnt, heard = memory.learnt[rows, band], memory.learnt[rows]
        whole = heard.sum(1)
        elsewhere = (memory.mean[rows] * heard).sum(1) / np.maximum(whole, 1)
        own = np.where(learnt >= LEARNT, memory.mean[rows, band], np.where(whole >= LEARNT, elsewhere, 1.0))
        expected = curve_w * np.nan_to_num(kin, nan=1.0) * own
        tolerance = np.select(
            [np.isnan(kin), learnt >= LEARNT, whole >= LEARNT, park.kind_size[park.kind[rows]] >= 2],
            [PLAIN_MIN, np.maximum(PART_MIN, NOISES * memory.noise[rows]), ELSEWHERE_MIN, KIND_MIN],
            PLAIN_MIN,
        )
        return Lamps(at, rows, band, expected, reports.power[at] / expected - 1, tolerance)

    def _out(self, reports: Reports, lamps: Lamps, memory: Memory, around: Around, is_open: Mask) -> list[Effect]:
        """Dark, although the lamp says that it burns. A lamp that has said so itself is out by its word
        (`words.step`), and is well again when its word and its power say so."""
        power = reports.power[lamps.at]
        least = np.maximum(DEAD_SHARE * lamps.expected_w, np.minimum(STANDBY_W, STANDBY_SHARE * lamps.expected_w))
        dark = (power <= least) & ~around.restless[lamps.rows]
        rows = lamps.rows
        memory.dead[rows] = np.where(dark, memory.dead[rows] + 1, 0)
        memory.live[rows] = np.where(power >= lamps.expected_w / 2, memory.live[rows] + 1, 0)
        effects: list[Effect] = []
        new = (memory.dead[rows] >= DEAD_REPORTS) & ~is_open[rows] & ~around.covered[rows]
        for each in np.flatnonzero(new).tolist():
            effects.append(self._told(LAMP_OUT, reports, lamps, each, int(memory.dead[rows[each]]), 97))
        told_off = np.isin(reports.fault[lamps.at], OWN_WORDS)
        for row in rows[is_open[rows] & (memory.live[rows] >= DEAD_REPORTS) & ~told_off].tolist():
            effects.append(Clear(LAMP_OUT, int(self._park.lamp[row]), around.now_us))
        return effects

    def _part(
        self, reports: Reports, lamps: Lamps, memory: Memory, around: Around, is_open: dict[str, Mask]
    ) -> list[Effect]:
        """Less power or more than is usual at this level; and what is usual is learnt from lamps that are well."""
        rows, off = lamps.rows, lamps.deviation
        counts = ~around.restless[rows] & ~around.covered[rows] & (memory.dead[rows] == 0)
        low, high = counts & (off < -lamps.tolerance), counts & (off > lamps.tolerance)
        usual = counts & (np.abs(off) < lamps.tolerance / 2)
        memory.low[rows] = np.where(low, memory.low[rows] + 1, 0)
        memory.high[rows] = np.where(high, memory.high[rows] + 1, 0)
        memory.usual[rows] = np.where(usual, memory.usual[rows] + 1, 0)
        effects: list[Effect] = []
        out = is_open[LAMP_OUT.name][rows]
        for condition, count in ((POWER_LOW, memory.low), (POWER_HIGH, memory.high)):
            is_so = is_open[condition.name][rows]
            for each in np.flatnonzero((count[rows] >= PART_REPORTS) & ~is_so & ~out).tolist():
                sure = 99 if abs(off[each]) > 2 * lamps.tolerance[each] else 93
                effects.append(self._told(condition, reports, lamps, each, int(count[rows[each]]), sure))
            for row in rows[is_so & (memory.usual[rows] >= PART_REPORTS)].tolist():
                effects.append(Clear(condition, int(self._park.lamp[row]), around.now_us))
        abnormal = is_open[POWER_LOW.name][rows] | is_open[POWER_HIGH.name][rows] | out
        well = np.flatnonzero(counts & ~low & ~high & ~abnormal & (np.abs(off) < KIND_MIN))
        self._learn(lamps, well, memory)
        return effects

    def _learn(self, lamps: Lamps, well: Int64s, memory: Memory) -> None:
        rows, band = lamps.rows[well], lamps.band[well]
        kin = self.usual.ratio[self._park.kind[rows], band]
        known = ~np.isnan(kin)
        rows, band, off = rows[known], band[known], lamps.deviation[well][known]
        found = memory.ratio[rows, band] / kin[known]
        learnt = memory.learnt[rows, band]
        step = np.where(learnt < ANCHOR, 1.0 / (learnt + 1), STEP_MIN)
        memory.mean[rows, band] += step * (found - memory.mean[rows, band])
        memory.learnt[rows, band] = learnt + 1
        # From one report to the next, or a slow drift would be held for noise, and hide in it. The mean absolute
        # difference of two reports is 1.13 standard deviations of one.
        jump = np.minimum(np.abs(off - memory.off[rows]) / 1.13, NOISE_MAX)
        sure = (learnt >= LEARNT) & ~np.isnan(jump)
        memory.noise[rows[sure]] += NOISE_STEP * (jump[sure] - memory.noise[rows[sure]])
        memory.off[rows] = off

    def _hot(self, reports: Reports, memory: Memory, around: Around, every: dict[str, Mask]) -> list[Effect]:
        """Warmer than is usual. Gear that draws more than is usual is warmer for that: it has one condition, by its
        power, until it is beyond what any may be."""
        is_open, out = every[DRIVER_HOT.name], every[LAMP_OUT.name]
        at = np.flatnonzero(
            reports.steady
            & (reports.level >= LEVEL_MIN)
            & ~np.isnan(reports.temperature)
            & (reports.observed_us - reports.since_us >= WARM_US)
        )
        # A lamp that is dark is cold, and no measure of anything.
        plain_w = np.nan_to_num(expected_w(self._park.rated_w[reports.rows[at]], reports.level[at]))
        at = at[(reports.power[at] >= WARM_SHARE * plain_w) & ~out[reports.rows[at]]]
        rows, found = reports.rows[at], reports.temperature[at]
        band = np.clip(np.ceil(reports.level[at] / (100 / BANDS)).astype(np.int64) - 1, 0, BANDS - 1)
        memory.heat[rows], memory.heat_us[rows], memory.heat_band[rows] = found, around.now_us, band
        learnt = memory.heat_learnt[rows] >= LEARNT
        usual = self.usual.heat[self._park.kind[rows], band] + np.where(learnt, memory.heat_mean[rows], 0.0)
        above = found - usual
        most = np.where(learnt, HOT_LEARNT_K, HOT_KIND_K)
        hot = (above > most) | (found >= HOT_CEL)
        memory.hot[rows] = np.where(hot, memory.hot[rows] + 1, 0)
        cool = ~hot & ~(above > most / 2)
        memory.cool[rows] = np.where(cool, memory.cool[rows] + 1, 0)
        learning = cool & ~np.isnan(above) & ~is_open[rows]
        own, past = rows[learning], memory.heat_learnt[rows[learning]]
        step = np.where(past < ANCHOR, 1.0 / (past + 1), STEP_MIN)
        gone = found[learning] - self.usual.heat[self._park.kind[own], band[learning]]
        memory.heat_mean[own] += step * (gone - memory.heat_mean[own])
        memory.heat_learnt[own] = np.minimum(past + 1, 10_000)
        effects: list[Effect] = []
        by_power = (every[POWER_HIGH.name][rows] | (memory.high[rows] > 0)) & (found < HOT_CEL)
        new = (memory.hot[rows] >= HOT_REPORTS) & ~is_open[rows] & ~around.covered[rows] & ~by_power
        for each in np.flatnonzero(new).tolist():
            evidence: dict[str, float | str] = {
                "driver_temperature": round(float(found[each]), 1),
                "level": round(float(reports.level[at[each]]), 1),
                "reports": int(memory.hot[rows[each]]),
                "confidence": 96 if above[each] > 1.5 * most[each] or found[each] >= HOT_CEL else 90,
            }
            if not np.isnan(usual[each]):
                evidence["expected_driver_temperature"] = round(float(usual[each]), 1)
            lamp = int(self._park.lamp[rows[each]])
            effects.append(Raise(DRIVER_HOT, lamp, int(reports.received_us[at[each]]), evidence))
        for row in rows[is_open[rows] & (memory.cool[rows] >= HOT_REPORTS)].tolist():
            effects.append(Clear(DRIVER_HOT, int(self._park.lamp[row]), around.now_us))
        return effects

    def _by_day(self, reports: Reports, memory: Memory, around: Around, is_open: Mask) -> list[Effect]:
        """Lit while the sun is up, by its own clock and by the post's, and no order or key says so."""
        if elevation_deg(around.now_us, *self._park.centre) < DAY_DEG / 2:
            return []
        park, rows = self._park, reports.rows
        sun_deg = np.minimum(
            elevation_deg(reports.observed_us, park.lon[rows], park.lat[rows]),
            elevation_deg(reports.received_us, park.lon[rows], park.lat[rows]),
        )
        told_off = reports.level == 0
        wanted = (reports.level > 0) & (reports.control == PROGRAMME)
        by_itself = np.isnan(reports.control) | (reports.control == PROGRAMME)
        least = np.maximum(DAY_W, DAY_SHARE * np.nan_to_num(park.rated_w[rows]))
        lit = (reports.power > least) & ~around.exempt[rows] & ~around.covered[rows]
        lit &= (told_off & by_itself & (sun_deg > DAY_DEG)) | (wanted & (sun_deg > PROGRAMME_DAY_DEG))
        off = (reports.power <= least / 2) & (sun_deg > DAY_DEG)
        memory.by_day[rows] = np.where(lit, memory.by_day[rows] + 1, 0)
        memory.dark_by_day[rows] = np.where(off, memory.dark_by_day[rows] + 1, 0)
        effects: list[Effect] = []
        for each in np.flatnonzero((memory.by_day[rows] >= DAY_REPORTS) & ~is_open[rows]).tolist():
            evidence = {
                "level": float(reports.level[each]),
                "power": round(float(reports.power[each]), 1),
                "expected_power": 0.0,
                "sun_deg": round(float(sun_deg[each]), 1),
                "reports": int(memory.by_day[rows[each]]),
                "confidence": 98 if told_off[each] else 90,
            }
            effects.append(Raise(LAMP_BY_DAY, int(park.lamp[rows[each]]), int(reports.received_us[each]), evidence))
        for row in rows[is_open[rows] & (memory.dark_by_day[rows] >= DAY_REPORTS)].tolist():
            effects.append(Clear(LAMP_BY_DAY, int(park.lamp[row]), around.now_us))
        return effects

    def _told(
        self, condition: ConditionKind, reports: Reports, lamps: Lamps, each: int, count: int, sure: int
    ) -> Raise:
        at = int(lamps.at[each])
        evidence = {
            "level": round(float(reports.level[at]), 1),
            "power": round(float(reports.power[at]), 1),
            "expected_power": round(float(lamps.expected_w[each]), 1),
            "reports": count,
            "confidence": sure,
        }
        return Raise(condition, int(self._park.lamp[lamps.rows[each]]), int(reports.received_us[at]), evidence)

"""Lamps that go on and off by themselves, from their counters of switch-ons.

Flicker is seen by nobody who gets a report each quarter of an hour; a counter misses nothing. A lamp is switched on
once or twice a night by its programme, and so are its neighbours, by the same programme, order or mains; what it counts
beyond the median of its cabinet is its own doing. A whole cabinet that goes on and off is no fault of its lamps.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import Clear, Effect, Numbers, Raise
from vigie.core.times import HOUR_US, SECOND_US
from vigie.services.lighting.conditions import LAMP_CYCLING
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import PROGRAMME, Memory, Reports
from vigie.services.lighting.faults.usual import medians

MARK_US = 2 * HOUR_US
MARKS = 24
"""Counters are noted each two hours, for two days."""

DAY_MARKS = 12

AWAY_US = DAY_MARKS * MARK_US
"""What a counter has moved since it was last heard, longer ago, is of more days than what it is held against: it is
counted anew. By day a switched lamp is away for less."""

EXCESS_A_DAY, EXCESS = 4, 6
"""So many switch-ons in a day, or in two, that nothing explains. One or two may be a mains that blinked at one pole."""

SETTLED = 1
"""A day with no more than that is a day without fault."""

RESTLESS_US = HOUR_US
"""After a switch-on that nothing explains, the power of a lamp says nothing for so long."""

FASTEST_US = 5 * SECOND_US
"""No lamp starts more often; a counter that has moved more is that of another controller."""


class Cycling:
    """Counters as they were at each mark, and where a day's and two days' count begins.

    What an order explains is added to where the count begins: an order lights a lamp once.
    """

    def __init__(self, park: Park) -> None:
        self._park = park
        self._marks = np.full((MARKS, len(park)), np.nan, np.float32)
        self._next, self._turn = 0, 0
        self._day, self._days = np.full(len(park), np.nan), np.full(len(park), np.nan)

    def moved(self, park: Park, before: Numbers) -> Cycling:
        """The same for a park that has changed."""
        made = Cycling(park)
        kept = np.isin(park.lamp, before)
        rows = np.searchsorted(before, park.lamp[kept])
        made._marks[:, kept] = self._marks[:, rows]
        made._day[kept], made._days[kept] = self._day[rows], self._days[rows]
        made._next, made._turn = self._next, self._turn
        return made

    def judge(self, reports: Reports, memory: Memory, covered: Mask, is_open: Mask, now_us: int) -> list[Effect]:
        """What new reports say; the memory knows afterwards when a lamp was switched on last without being told."""
        self._count(reports, memory)
        if now_us // MARK_US != self._turn:
            self._turn = now_us // MARK_US
            self._mark(memory)
        day, days = (np.nan_to_num(memory.switch_ons - base) for base in (self._day, self._days))
        suspects = (days >= EXCESS_A_DAY) & ~covered
        if not suspects.any() and not is_open.any():
            return []
        excess, excess_2 = self._excess(day), self._excess(days)
        cycling = suspects & ((excess >= EXCESS_A_DAY) | (excess_2 >= EXCESS))
        effects: list[Effect] = []
        for row in np.flatnonzero(cycling & ~is_open).tolist():
            counted, beyond = (day, excess) if excess[row] >= EXCESS_A_DAY else (days, excess_2)
            evidence = {
                "switch_ons": float(memory.switch_ons[row]),
                "switch_ons_more": float(counted[row]),
                "expected_switch_ons_more": float(counted[row] - beyond[row]),
                "confidence": 98.0 if beyond[row] >= 2 * EXCESS_A_DAY else 93.0,
            }
            effects.append(Raise(LAMP_CYCLING, int(self._park.lamp[row]), now_us, evidence))
        whole = ~np.isnan(self._marks[self._next - DAY_MARKS])
        for row in np.flatnonzero(is_open & (excess <= SETTLED) & whole).tolist():
            effects.append(Clear(LAMP_CYCLING, int(self._park.lamp[row]), now_us))
            # What it was told for counts no more.
            self._marks[:, row] = self._day[row] = self._days[row] = memory.switch_ons[row]
        return effects

    def _mark(self, memory: Memory) -> None:
        self._marks[self._next] = memory.switch_ons
        self._next = (self._next + 1) % MARKS
        self._day, self._days = self._oldest(DAY_MARKS), self._oldest(MARKS)

    def _oldest(self, marks: int) -> Floats:
        """The oldest of so many marks that each lamp has."""
        found = np.full(self._marks.shape[1], np.nan)
        for back in range(1, marks + 1):
            mark = self._marks[self._next - back]
            found = np.where(np.isnan(mark), found, mark)
        return found

    def _count(self, reports: Reports, memory: Memory) -> None:
        at = np.flatnonzero(~np.isnan(reports.switch_ons))
        rows, now, level = reports.rows[at], reports.switch_ons[at], reports.level[at]
        more = now - memory.switch_ons[rows]
        since_us = np.maximum(reports.observed_us[at] - memory.switched_us[rows], 0)
        another = (more < 0) | (more > 2 + since_us / FASTEST_US)
        away = since_us > AWAY_US
        fresh = np.isnan(more) | another | away
        self._marks[:, rows[another | away]] = np.nan
        self._day[rows[fresh]] = self._days[rows[fresh]] = now[fresh]
        ordered = rows[~fresh & (more >= 1) & ~np.isnan(reports.control[at]) & (reports.control[at] != PROGRAMME)]
        self._marks[:, ordered] += 1
        self._day[ordered] += 1
        self._days[ordered] += 1
        memory.switched_us[rows], memory.switch_ons[rows] = reports.observed_us[at], now
        # A lamp that burns at the level at which it burnt and was switched on meanwhile has been off in between.
        restless = ~fresh & (more >= 1) & reports.steady[at] & (level > 0)
        memory.restless_us[rows[restless]] = reports.received_us[at][restless]

    def _excess(self, more: Floats) -> Floats:
        """Beyond the median of the lamps of the same cabinet; of a cabinet with few, of the same area."""
        park = self._park
        ones: Int64s = np.where(park.fed_by >= 0, park.fed_by, len(park.cabinet))
        of_cabinet = medians(more, ones, len(park.cabinet) + 1, 5)[ones]
        areas = int(park.area.max()) + 1 if len(park) else 0
        of_area = medians(more, park.area, areas, 1)[park.area]
        return more - np.where(np.isnan(of_cabinet), of_area, of_cabinet)

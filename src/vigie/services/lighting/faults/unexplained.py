"""Load that no lamp accounts for: what a cabinet's meter shows, beside what its lamps say they draw.

Somebody who taps a cable, a market stall, lamps that nobody has listed. What is held against each other is of one
moment, and of one at which nothing moved: no lamp of the cabinet has changed its level for a while before, nor until a
while after, so that every lamp has reported what it draws now.
"""

from __future__ import annotations

import numpy as np

from vigie.core.kinds import Quality
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import City, Clear, Effect, Raise
from vigie.core.times import HOUR_US, MINUTE_US
from vigie.services.lighting.conditions import UNEXPLAINED_LOAD
from vigie.services.lighting.energy.saving import CABINET_W, CABLES
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import REPORT_US, Memory, Words
from vigie.services.lighting.faults.supply import Cabinets
from vigie.services.lighting.kinds import Cabinet

STILL_US = 20 * MINUTE_US
"""So long before, every lamp was as it is now: each has reported since."""

WAIT_US = 3 * MINUTE_US
"""So long after, a change of then would have been heard."""

FRESH_US = REPORT_US + 5 * MINUTE_US

HEARD_MIN = 0.8
"""Of a cabinet with fewer of its lamps heard nothing is said; of those not heard, all that they could draw is
allowed."""

RATED_MOST = 1.1
"""What makers grant over the rated power (IEC 62722-2-1)."""

TOLERANCE, LEAST_W = 0.06, 100.0
"""A meter of class 2, lamps that measure themselves to 2 or 3 %, cables that lose up to 2.5 %; and what a cabinet may
need itself with its heater on."""

OVER_REPORTS, UNDER_REPORTS = 8, 4
"""It stands when it was so in so many reports of the cabinet in a row, two hours; it is over when less than half of
what is tolerated is left in so many."""

BREAK_US = 3 * HOUR_US
"""Reports that are further apart are not in a row."""

_NEITHER, _FED, _CUT = 0, 1, 2


class Unexplained:
    """What was seen at each cabinet since it was last explained. Of this process; what is open stays open."""

    def __init__(self, park: Park, now_us: int) -> None:
        count = len(park.cabinet)
        self._state, self._state_us = np.full(count, _NEITHER), np.full(count, now_us)
        self._told_us, self._judged_us = np.zeros((2, count), np.int64)
        self._over, self._under, self._since_us = np.zeros((3, count), np.int64)
        self._seen_wh, self._expected_wh, self._hours = np.zeros((3, count))

    def moved(self, park: Park, before: Park, now_us: int) -> Unexplained:
        """The same for a park that has changed."""
        made = Unexplained(park, now_us)
        kept = np.isin(park.cabinet, before.cabinet)
        rows = np.searchsorted(before.cabinet, park.cabinet[kept])
        for name, column in vars(self).items():
            getattr(made, name)[kept] = column[rows]
        return made

    def judge(
        self, city: City, park: Park, words: Words, cabinets: Cabinets, memory: Memory, restless: Mask, now_us: int
    ) -> list[Effect]:
        """Raises and clears. restless: lamps whose power of a moment says nothing of the next."""
        power = city.newest(Cabinet, Cabinet.power, park.cabinet)
        state = np.select([cabinets.sure, cabinets.off], [_FED, _CUT], _NEITHER)
        moved = state != self._state
        self._state[moved], self._state_us[moved] = state[moved], now_us
        changed_us = np.zeros(len(park.cabinet), np.int64)
        fed = park.fed_by >= 0
        np.maximum.at(changed_us, park.fed_by[fed], memory.level_since_us[fed])
        still = (power.received_us >= np.maximum(changed_us, self._state_us) + STILL_US) & (state != _NEITHER)
        new = (power.observed_us != self._judged_us) & (power.quality == Quality.GOOD)
        ready = new & still & (now_us >= power.received_us + WAIT_US) & (now_us < power.received_us + FRESH_US)
        rows = np.flatnonzero(ready)
        if not len(rows):
            return []
        self._judged_us[rows] = power.observed_us[rows]
        lamps_w, slack_w, heard = self._lamps(park, words, restless, state, now_us)
        rows = rows[(heard[rows] >= HEARD_MIN) & np.isfinite(slack_w[rows])]
        expected_w = lamps_w * (1 + CABLES) + CABINET_W
        beyond_w = power.value - expected_w
        tolerance_w = TOLERANCE * lamps_w + LEAST_W
        self._count(rows, power.value, expected_w, power.observed_us)
        over = beyond_w > tolerance_w + slack_w
        # With its contactor open a cabinet shows nothing of what is drawn from its circuits by night.
        under = (beyond_w < tolerance_w / 2) & (state == _FED)
        self._over[rows] = np.where(over[rows], self._over[rows] + 1, 0)
        self._under[rows] = np.where(under[rows], self._under[rows] + 1, 0)
        is_open = city.is_open(UNEXPLAINED_LOAD, park.cabinet)
        effects: list[Effect] = []
        for row in rows[(self._over[rows] >= OVER_REPORTS) & ~is_open[rows]].tolist():
            sure = float(beyond_w[row] / (tolerance_w[row] + slack_w[row]))
            effects.append(
                Raise(UNEXPLAINED_LOAD, int(park.cabinet[row]), int(self._since_us[row]), self._said(row, sure))
            )
        over_now = rows[(self._under[rows] >= UNDER_REPORTS) & is_open[rows]]
        return effects + [Clear(UNEXPLAINED_LOAD, int(no), now_us) for no in park.cabinet[over_now].tolist()]

    def _lamps(
        self, park: Park, words: Words, restless: Mask, state: Int64s, now_us: int
    ) -> tuple[Floats, Floats, Floats]:
        """Of each cabinet: what its lamps say they draw, what those that say nothing could draw, and the share of lamps
        that are heard. Where the contactor is open no lamp draws anything."""
        cut = park.of_cabinet(state == _CUT, False)
        heard = (words.power.received_us >= now_us - FRESH_US) & ~np.isnan(words.power.value)
        sure = (heard & ~restless) | cut
        fed, count = park.fed_by >= 0, len(park.cabinet)

        def summed(column: Floats) -> Floats:
            return np.bincount(park.fed_by[fed], column[fed], count).astype(np.float64)

        drawn_w = summed(np.where(heard & ~cut, words.power.value, 0.0))
        most_w = np.where(np.isnan(park.rated_w), np.inf, RATED_MOST * park.rated_w)
        slack_w = summed(np.where(sure, 0.0, most_w))
        return drawn_w, slack_w, summed(sure.astype(np.float64)) / np.maximum(park.lamps_of_cabinet, 1)

    def _count(self, rows: Int64s, power_w: Floats, expected_w: Floats, at_us: Int64s) -> None:
        """Adds up what is seen and what is expected, from the first report in a row."""
        fresh = (self._over[rows] == 0) | (at_us[rows] - self._told_us[rows] > BREAK_US)
        begun = rows[fresh]
        self._over[begun] = 0
        self._since_us[begun] = at_us[begun]
        for column in (self._seen_wh, self._expected_wh, self._hours):
            column[begun] = 0.0
        hours = np.where(fresh, 0.0, (at_us[rows] - self._told_us[rows]) / HOUR_US)
        self._seen_wh[rows] += power_w[rows] * hours
        self._expected_wh[rows] += expected_w[rows] * hours
        self._hours[rows] += hours
        self._told_us[rows] = at_us[rows]

    def _said(self, row: int, sure: float) -> dict[str, float | str]:
        hours = max(float(self._hours[row]), 1e-9)
        return {
            "power": round(float(self._seen_wh[row]) / hours),
            "expected_power": round(float(self._expected_wh[row]) / hours),
            "metered_kWh": round(float(self._seen_wh[row]) / 1_000, 2),
            "expected_metered_kWh": round(float(self._expected_wh[row]) / 1_000, 2),
            "lasted_h": round(float(self._hours[row]), 1),
            "confidence": min(99.0, round(80 + 15 * (sure - 1))),
        }

"""Cabinets that are lit by day or dark by night as a whole: a photocell, a clock or a contactor that is stuck.

Whether a dark cabinet is meant to be dark is a commune's choice (an hour after midnight, a street of its own), which
the cabinet itself does not tell. So it is held against its neighbours: the lamps and cabinets of the same part of the
town. Where those are dark as well, it is policy; where there are none, nothing is said of the dark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Int64s, Mask
from vigie.core.service import City, Clear, Effect, Raise
from vigie.core.sun import elevation_deg
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us
from vigie.services.lighting.conditions import LAMP_BY_DAY, PHOTOCELL_STUCK
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import Words
from vigie.services.lighting.faults.supply import ON, WORD_US, Breaths, Cabinets

DAY_DEG, ALONE_DAY_DEG, NIGHT_DEG = 3.0, 10.0, -6.0
"""Lit while the sun stands so high, or so much higher where no neighbour says that this is not meant; dark while it
stands so low. Lights switch at about -4 degrees; a photocell or a switching programme may be half an hour away."""

LASTS_US = 30 * MINUTE_US
"""Two reports: a word of a neighbour may be lost."""

EVENING_US = 4 * HOUR_US
"""So long after dusk no commune has darkened its streets yet. Later, which lamps burn is a programme's business."""

ALONE_US, OPENED_US = 20 * SECOND_US, 10 * MINUTE_US
"""A contactor that opens in the night while its neighbours stay lit is told after 20 seconds if no other of its part of
the town has opened within ten minutes: those that open by one programme do so together, and what they or their lamps
say has come by then. Where another has, it is told after ten minutes, if the cabinet says it once more: the word of one
that has closed again may be lost."""

NIGHTS_US, QUARTER_MIN, QUARTERS = 4 * 24 * HOUR_US, 15, 96
"""That a cabinet is in use, and was still lit a quarter of an hour later, is known from one of the nights before: one
that opens at the same hour each night was not."""

NEIGHBOURS_MIN, AGREE = 4, 0.7
LAMPS_MIN, LIT_SHARE = 4, 0.8
DARK_SHARE = 0.05


@dataclass(frozen=True)
class Found:
    """What is to be said of cabinets; which lamps would burn by day with theirs; and which switched cabinets have gone
    off in a night in which they should be on, which is a lost circuit."""

    effects: list[Effect]
    with_cabinet: Mask
    opened: Mask


class Photocells:
    """Since when each cabinet is as it should not be. Its memory is of this process."""

    def __init__(self, park: Park) -> None:
        self._lit_us, self._dark_us, self._right_us, self._open_us, self._went_us = (
            np.zeros(len(park.cabinet), np.int64) for _ in range(5)
        )
        self._was_lit, self._was_on, self._lit_tonight = (np.zeros(len(park.cabinet), np.bool_) for _ in range(3))
        # When each cabinet was seen on in each quarter of the day, in the nights before and in this one; by the town's
        # clock, which programmes go by: in UTC they move by an hour twice a year.
        self._on_us, self._on_tonight_us = (np.zeros((len(park.cabinet), QUARTERS), np.int64) for _ in range(2))
        self._dusk_us = 0

    def moved(self, park: Park, before: Park) -> Photocells:
        """The same for a park that has changed."""
        made = Photocells(park)
        kept = np.isin(park.cabinet, before.cabinet)
        rows = np.searchsorted(before.cabinet, park.cabinet[kept])
        for name in (
            "_lit_us",
            "_dark_us",
            "_right_us",
            "_open_us",
            "_went_us",
            "_was_lit",
            "_was_on",
            "_lit_tonight",
            "_on_us",
            "_on_tonight_us",
        ):
            getattr(made, name)[kept] = getattr(self, name)[rows]
        made._dusk_us = self._dusk_us
        return made

    def judge(
        self, city: City, park: Park, words: Words, cabinets: Cabinets, breaths: Breaths, covered: Mask, now_us: int
    ) -> Found:
        """What is to be said of cabinets now."""
        sun_deg = float(elevation_deg(now_us, *park.centre))
        is_open = city.is_open(PHOTOCELL_STUCK, park.cabinet)
        day = sun_deg > DAY_DEG
        if sun_deg > NIGHT_DEG:
            # It will be dark after that: of a night that has begun already nobody knows when.
            self._dusk_us = now_us
            self._lit_tonight[:] = self._was_on[:] = False
            self._on_us = np.maximum(self._on_us, self._on_tonight_us)
        if not day and sun_deg > NIGHT_DEG:
            self._lit_us[:] = self._dark_us[:] = self._right_us[:] = 0
            return Found([], np.zeros(len(park), np.bool_), np.zeros(len(is_open), np.bool_))
        heard, lit = _lamps(park, words, covered, now_us)
        enough = heard >= LAMPS_MIN
        whole_lit = enough & (lit >= LIT_SHARE * heard)
        whole_dark = enough & (lit <= DARK_SHARE * heard)
        fresh = cabinets.supply.received_us > now_us - WORD_US
        on = park.switched & (cabinets.supply.value == ON) & fresh
        off = park.switched & cabinets.off & fresh
        by_hand = (cabinets.full_light.value == 1) | (cabinets.door.value == 1) | cabinets.lost
        if day:
            wrong, agree = (
                (on | (whole_lit & ~park.switched)) & ~by_hand,
                _others(park, off | whole_dark, on | whole_lit),
            )
            wrong &= agree | ((sun_deg > ALONE_DAY_DEG) & ~np.isnan(cabinets.supply.value))
            effects = self._told(park, wrong, self._lit_us, heard, lit, sun_deg, is_open, now_us, "lit_by_day")
            with_it = park.of_cabinet(on | whole_lit, False)
            opened = np.zeros(len(on), np.bool_)
        else:
            agree = _others(park, on | whole_lit, off | whole_dark)
            evening = now_us - self._dusk_us < EVENING_US
            never = off & ~self._lit_tonight & (self._on_us.max(1, initial=0) > now_us - NIGHTS_US)
            wrong = (never | (self._was_lit & whole_dark & ~park.switched)) & evening & agree
            wrong &= ~by_hand & ~cabinets.tripped
            self._was_lit |= whole_lit
            effects = self._told(park, wrong, self._dark_us, heard, lit, sun_deg, is_open, now_us, "dark_by_night")
            with_it = np.zeros(len(park), np.bool_)
            quarter = _quarter(city, now_us)
            opened = self._opened(park, cabinets, on, off, breaths, agree & ~by_hand, evening, quarter, now_us)
        effects += self._over(park, day, (on | off | enough) & ~wrong, is_open, city, now_us)
        if with_it.any():
            effects += _absorbed(city, park, with_it, now_us)
        return Found(effects, with_it, opened)

    def _opened(
        self, park: Park, cabinets: Cabinets, on: Mask, off: Mask, breaths: Breaths, alight: Mask, evening: bool,
        quarter: int, now_us: int,
    ) -> Mask:  # fmt: skip
        """Cabinets that were lit tonight, are not, and should be: most of their neighbours are (alight), and they were
        at this hour of another night, or it is evening. They say so, or their lamps do with their last breath."""
        breathed = park.switched & (breaths.first_us > 0) & ~off
        gone, on = off | breathed, on & ~breathed
        since_us = np.minimum(np.where(breathed, breaths.first_us, cabinets.supply.received_us), now_us)
        went = gone & self._was_on
        self._went_us[went] = since_us[went]
        self._was_on = on | (self._was_on & ~gone)
        self._lit_tonight |= on
        self._on_tonight_us[on, quarter] = now_us
        known = self._on_us[:, (quarter + 1) % QUARTERS] > now_us - NIGHTS_US
        of_late = gone & (now_us - self._went_us < OPENED_US)
        alone = of_late & (np.bincount(park.cabinet_area, of_late)[park.cabinet_area] == 1)
        alone &= self._lit_tonight & alight & (known | evening) & (now_us - self._went_us >= ALONE_US)
        opened = off & self._lit_tonight & alight & known
        self._open_us[~opened] = 0
        self._open_us[opened & (self._open_us == 0)] = now_us
        again = cabinets.supply.received_us > self._open_us
        return alone | (opened & again & (now_us - self._open_us >= OPENED_US))

    def _told(
        self, park: Park, wrong: Mask, since_us: Int64s, heard: Int64s, lit: Int64s, sun_deg: float, is_open: Mask,
        now_us: int, how: str,
    ) -> list[Effect]:  # fmt: skip
        since_us[~wrong] = 0
        since_us[wrong & (since_us == 0)] = now_us
        effects: list[Effect] = []
        for row in np.flatnonzero(wrong & (now_us - since_us >= LASTS_US) & ~is_open).tolist():
            evidence: dict[str, float | str] = {
                "state": how,
                "sun_deg": round(sun_deg, 1),
                "lamps_heard": int(heard[row]),
                "lamps_lit": int(lit[row]),
                "confidence": 95.0 if heard[row] >= LAMPS_MIN else 88.0,
            }
            effects.append(Raise(PHOTOCELL_STUCK, int(park.cabinet[row]), int(since_us[row]), evidence))
        return effects

    def _over(self, park: Park, day: bool, right: Mask, is_open: Mask, city: City, now_us: int) -> list[Effect]:
        """Over when the cabinet was right for as long, in the part of the day in which it was wrong."""
        self._right_us[~right] = 0
        self._right_us[right & (self._right_us == 0)] = now_us
        if not is_open.any():
            return []
        effects: list[Effect] = []
        for each in city.present(PHOTOCELL_STUCK):
            row = park.cabinet_row(each.asset)
            same = (each.evidence.get("state") == "lit_by_day") is day
            if row >= 0 and same and right[row] and now_us - self._right_us[row] >= LASTS_US:
                effects.append(Clear(PHOTOCELL_STUCK, each.asset, now_us))
        return effects


def _quarter(city: City, now_us: int) -> int:
    """Which quarter of an hour of its day it is in the town."""
    here = from_us(now_us).astimezone(city.zone)
    return (here.hour * 60 + here.minute) // QUARTER_MIN


def _lamps(park: Park, words: Words, covered: Mask, now_us: int) -> tuple[Int64s, Int64s]:
    """Of each cabinet, how many lamps were heard of late and how many of them burn."""
    # By both clocks: what a gateway has kept for hours is not of now.
    newest_us = np.minimum(words.power.received_us, words.power.observed_us)
    fresh = (newest_us > now_us - WORD_US) & ~covered & (park.fed_by >= 0) & ~park.tunnel
    burning = fresh & (words.power.value > np.maximum(4.0, 0.05 * np.nan_to_num(park.rated_w)))
    cabinets = len(park.cabinet)
    heard = np.bincount(park.fed_by[fresh], minlength=cabinets)
    return heard, np.bincount(park.fed_by[burning], minlength=cabinets)


def _others(park: Park, agree: Mask, differ: Mask) -> Mask:
    """Of each cabinet, whether most of the others of its part of the town are so."""
    areas = int(park.cabinet_area.max(initial=0)) + 1
    yes = np.bincount(park.cabinet_area, agree, areas)[park.cabinet_area] - agree
    no = np.bincount(park.cabinet_area, differ, areas)[park.cabinet_area] - differ
    return (yes >= NEIGHBOURS_MIN) & (yes >= AGREE * (yes + no))


def _absorbed(city: City, park: Park, with_it: Mask, now_us: int) -> list[Effect]:
    rows = np.flatnonzero(with_it)
    is_open = city.is_open(LAMP_BY_DAY, park.lamp[rows])
    return [Clear(LAMP_BY_DAY, int(no), now_us) for no in park.lamp[rows[is_open]].tolist()]

"""Lamps that are not heard any more, each for itself: its controller, its radio, its own fuse.

A silent controller may well leave its lamp lit (most fall back to full light), so silence is no darkness: it is a
matter for maintenance and makes no street dark.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US
from vigie.services.lighting.conditions import LAMP_SILENT
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import REPORT_US, Memory, Words
from vigie.services.lighting.faults.supply import SILENT_US, UNKNOWN_SILENT_US, Cabinets, Supply
from vigie.services.lighting.kinds import Luminaire

BACK_US = 10 * MINUTE_US
"""It is back when it was heard twice, so far apart."""


def judge(
    park: Park,
    words: Words,
    cabinets: Cabinets,
    supply: Supply,
    memory: Memory,
    covered: Mask,
    is_open: Mask,
    now_us: int,
) -> list[Effect]:
    """Raises and clears silence. covered: lamps of outages, and those whose clock alone keeps them from being heard,
    which are not silent each."""
    quiet_us = now_us - supply.quiet_since_us(park, words)
    sure = park.of_cabinet(cabinets.sure, False)
    known = park.of_cabinet(park.permanent | park.switched | ~np.isnan(cabinets.supply.value), False)
    silent = ((quiet_us >= SILENT_US) & sure) | ((quiet_us >= UNKNOWN_SILENT_US) & ~known)
    silent &= (words.heard_us > 0) & ~covered & ~is_open
    silent &= supply.spoken_for(now_us)
    effects: list[Effect] = []
    for row in np.flatnonzero(silent).tolist():
        evidence: dict[str, float | str] = {
            "silent_min": round(float(quiet_us[row]) / MINUTE_US),
            "reports_missed": float(quiet_us[row] // REPORT_US),
            "confidence": 97.0 if sure[row] else 80.0,
        }
        fault = words.fault.value[row]
        if fault > 0:
            evidence["last_word"] = Luminaire.fault.choices[int(fault)]
        effects.append(Raise(LAMP_SILENT, int(park.lamp[row]), int(words.heard_us[row]), evidence))
    effects += _back(park, words, memory, is_open, now_us)
    memory.heard_us[:] = words.heard_us
    return effects


def _back(park: Park, words: Words, memory: Memory, is_open: Mask, now_us: int) -> list[Effect]:
    again = np.flatnonzero(is_open & (words.heard_us > memory.heard_us) & (memory.heard_us > 0))
    heard_us, first_us = words.heard_us[again], memory.back_us[again]
    anew = (first_us == 0) | (heard_us - memory.heard_us[again] > 3 * REPORT_US)
    memory.back_us[again[anew]] = heard_us[anew]
    over = again[~anew & (heard_us - first_us >= BACK_US)]
    memory.back_us[over] = 0
    return [Clear(LAMP_SILENT, int(no), now_us) for no in park.lamp[over].tolist()]

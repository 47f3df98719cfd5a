"""Lamps whose clock is too far ahead: what they say is of the future, and the post takes none of it.

Such a lamp is not silent, though nothing is known of it; it says so for as long as it speaks.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import City, Clear, Effect, Raise
from vigie.core.times import SECOND_US
from vigie.services.lighting.conditions import LAMP_CLOCK
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import REPORT_US, Words

AHEAD_US = 9 * REPORT_US
"""So long after it was last refused it is still held to speak; then it may be silent, or be set right."""


def ahead(city: City, park: Park, now_us: int) -> Mask:
    """The lamps that have spoken of late, of the future."""
    refused_us, _ = city.refused_ahead(park.lamp)
    return (refused_us > 0) & (now_us - refused_us < AHEAD_US)


def judge(city: City, park: Park, words: Words, ahead_now: Mask, is_open: Mask, now_us: int) -> list[Effect]:
    """Raises at the first word of the future, for a clock does not err by chance; clears once one was taken that came
    after it, and none was refused since."""
    refused_us, by_us = city.refused_ahead(park.lamp)
    effects: list[Effect] = []
    for row in np.flatnonzero(ahead_now & (words.heard_us <= refused_us) & ~is_open).tolist():
        evidence: dict[str, float | str] = {"clock_ahead": round(int(by_us[row]) / SECOND_US), "confidence": 99.0}
        effects.append(Raise(LAMP_CLOCK, int(park.lamp[row]), int(refused_us[row]), evidence))
    right = is_open & ~ahead_now & (words.heard_us > refused_us) & (now_us - words.heard_us < AHEAD_US)
    return effects + [Clear(LAMP_CLOCK, int(no), now_us) for no in park.lamp[right].tolist()]

"""Positions that cannot be true, set aside before any is matched, and counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import floats
from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s
from vigie.core.times import SECOND_US

JUMP_SPEED = 300 / 3.6
"""Metres a second that no vehicle of a town drives."""

AHEAD_US = 60 * SECOND_US
"""A tracker's clock may be so far ahead of the post's."""

AGREED = 3
"""After a jump, so many positions that agree with each other are believed: then those before were wrong, or the vehicle
was carried."""

_JITTER_M = 100.0
"""What noise may add to the way between two positions, however little time lies between them."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """kept: the rows that may be true, in their order. The others, by why they are not: no place on Earth or 0, 0; a
    time that is yet to come; no later than the one before; too far from it."""

    kept: Int64s
    nowhere: int
    future: int
    stale: int
    jumps: int


def sift(lon: Floats, lat: Floats, at_us: Int64s, *, now_us: int) -> Sifted:
    """What of a trail may be true. Positions in degrees, in the order in which they were observed."""
    with np.errstate(invalid="ignore"):
        place = (np.abs(lon) <= 180) & (np.abs(lat) <= 90) & ((lon != 0) | (lat != 0))
    known = place & (at_us <= now_us + AHEAD_US)
    rows = np.flatnonzero(known)
    # A time counts once, and never goes back.
    newest = np.maximum.accumulate(at_us[rows]) if len(rows) else rows
    later = np.append(True, at_us[rows][1:] > newest[:-1]) if len(rows) else known[:0]
    stale = int(np.count_nonzero(~later))
    rows = rows[later]
    kept = _reached(lon[rows], lat[rows], at_us[rows])
    return Sifted(
        rows[kept], int(np.count_nonzero(~place)), int(np.count_nonzero(place & ~known)), stale, len(rows) - len(kept)
    )


def _reached(lon: Floats, lat: Floats, at_us: Int64s) -> list[int]:
    """The rows that the one kept before leads to at a speed that is possible."""
    if not len(lon):
        return []
    spots = metres(lon, lat, middle_lat=float(np.median(lat)))
    east, north, at_s = floats(spots[:, 0]), floats(spots[:, 1]), floats((at_us - at_us[0]) / SECOND_US)

    def leads(one: int, other: int) -> bool:
        far = float(np.hypot(east[other] - east[one], north[other] - north[one]))
        return far <= JUMP_SPEED * (at_s[other] - at_s[one]) + _JITTER_M

    kept, aside = [0], list[int]()
    for row in range(1, len(east)):
        if leads(kept[-1], row):
            kept.append(row)
            aside.clear()
            continue
        if aside and not leads(aside[-1], row):
            aside.clear()
        aside.append(row)
        if len(aside) == AGREED:
            kept += aside
            aside.clear()
    return kept

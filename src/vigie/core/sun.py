"""The sun over a place: its height, and when it passes a height in the evening and in the morning.

Positions after Meeus, "Astronomical Algorithms" (2nd edition), chapter 25 (low accuracy, 0.01 degrees), with the mean
sidereal time of chapter 12: some seconds of time at these latitudes (docs/performance.md, lighting.sun_error).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s
from vigie.core.times import DAY_US

RISE_AND_SET_DEG = -0.8333
"""The height of the sun's centre when its upper edge is seen on the horizon: half its width and mean refraction."""

_J2000_DAYS = 10_957.5
_TURN_DEG_PER_DAY = 360.985647366
_ROUNDS = 4


class Passage(IntEnum):
    """Whether the sun passes a height at all: far north it may stay above or below it for weeks."""

    PASSES = 0
    STAYS_ABOVE = 1
    STAYS_BELOW = 2


def elevation_deg(at_us: Int64s | int, lon: Floats | float, lat: Floats | float) -> Floats:
    """The height of the sun's centre above the horizon, without refraction. lon, lat: degrees, WGS84."""
    declination, hour_angle = _place(np.asarray(at_us, np.float64) / DAY_US - _J2000_DAYS, lon)
    latitude = np.radians(lat)
    height = np.sin(latitude) * np.sin(declination)
    return np.degrees(np.arcsin(height + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)))


def evening_us(
    days: Int64s, lon: float, lat: float, height_deg: float = RISE_AND_SET_DEG
) -> tuple[Int64s, NDArray[np.uint8]]:
    """When the sun sinks through a height on the evening of each day (a number of days since the epoch), and whether
    it does (`Passage`). Where it does not, the instant is the one of its lowest or highest place."""
    return _passage(days, lon, lat, height_deg, 1.0)


def morning_us(
    days: Int64s, lon: float, lat: float, height_deg: float = RISE_AND_SET_DEG
) -> tuple[Int64s, NDArray[np.uint8]]:
    """When the sun climbs through a height on the morning of each day, as `evening_us`."""
    return _passage(days, lon, lat, height_deg, -1.0)


def next_dawn_us(now_us: int, lon: float, lat: float) -> int:
    """The next sunrise at a place (degrees), a day from now where the sun does not rise that day or the next."""
    today = now_us // DAY_US
    at, how = morning_us(np.arange(today - 1, today + 3, dtype=np.int64), lon, lat)
    ahead = at[(how == Passage.PASSES) & (at > now_us)]
    return int(ahead[0]) if len(ahead) else now_us + DAY_US


def _place(days: Floats, lon: Floats | float) -> tuple[Floats, Floats]:
    """Declination and hour angle (within half a turn) in radians, so many days after J2000.0."""
    century = days / 36_525
    mean_longitude = 280.46646 + century * (36_000.76983 + century * 0.0003032)
    anomaly = np.radians(357.52911 + century * (35_999.05029 - 0.0001537 * century))
    centre = (
        np.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + np.sin(2 * anomaly) * (0.019993 - 0.000101 * century)
        + np.sin(3 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1_934.136 * century)
    longitude = np.radians(mean_longitude + centre - 0.00569 - 0.00478 * np.sin(node))
    tilt = np.radians(23.439291 - 0.0130042 * century + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    sidereal = np.radians((280.46061837 + 360.98564736629 * days + 0.000387933 * century**2) % 360 + lon)
    return declination, (sidereal - ascension + np.pi) % (2 * np.pi) - np.pi


def _passage(days: Int64s, lon: float, lat: float, height_deg: float, side: float) -> tuple[Int64s, NDArray[np.uint8]]:
    noon = np.asarray(days, np.float64) + 0.5 - lon / 360 - _J2000_DAYS
    latitude, height = np.radians(lat), np.sin(np.radians(height_deg))
    at = noon + side * 0.25
    how = np.zeros(len(noon), np.uint8)
    for _ in range(_ROUNDS):
        declination, hour_angle = _place(at, lon)
        cosine = (height - np.sin(latitude) * np.sin(declination)) / (np.cos(latitude) * np.cos(declination))
        how = np.select([cosine > 1, cosine < -1], [Passage.STAYS_BELOW, Passage.STAYS_ABOVE], Passage.PASSES)
        wanted = side * np.arccos(np.clip(cosine, -1, 1))
        # The hour angle is known within a turn; the passage looked for is the one of this day.
        turn = (wanted - hour_angle + np.pi) % (2 * np.pi) - np.pi
        at = at + np.degrees(turn) / (_TURN_DEG_PER_DAY - 0.985647)
    return np.rint((at + _J2000_DAYS) * DAY_US).astype(np.int64), how.astype(np.uint8)

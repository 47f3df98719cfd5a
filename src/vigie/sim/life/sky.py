"""The sun over Dijon, the hour of its people, and the weather."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from vigie.core.arrays import ints
from vigie.core.sun import elevation_deg, evening_us, morning_us
from vigie.core.times import DAY_US, HOUR_US, SECOND_US, from_us
from vigie.sim.city.facts import CENTRE, ZONE
from vigie.sim.life.columns import Floats, Ints, drift, key_of

LIGHTS_ELEVATION_DEG = -4.0
"""Street lamps switch when the sun's centre passes four degrees below the horizon."""


def sun_elevation_deg(at_us: Ints | int) -> Floats:
    """Elevation of the sun's centre over Dijon, without refraction."""
    return elevation_deg(at_us, *CENTRE)


@lru_cache(maxsize=8)
def sun_times(day: date) -> tuple[time, time]:
    """When the sun rises and sets over Dijon on a day, by the city's clocks."""
    number = np.array([(day - date(1970, 1, 1)).days], np.int64)
    rise, sets = (when(number, *CENTRE)[0] for when in (morning_us, evening_us))
    rise_us, set_us = (ints(each)[0] for each in (rise, sets))
    there = ZoneInfo(ZONE)
    return from_us(rise_us).astimezone(there).time(), from_us(set_us).astimezone(there).time()


def dark(at_us: int) -> bool:
    """Whether street lamps are due to be on."""
    return bool(sun_elevation_deg(at_us) < LIGHTS_ELEVATION_DEG)


@lru_cache(maxsize=64)
def _offset_us(hour: int) -> int:
    """How far the city's clocks are ahead of UTC in an hour since the epoch."""
    ahead = datetime.fromtimestamp(hour * 3_600, UTC).astimezone(ZoneInfo(ZONE)).utcoffset()
    assert ahead is not None
    return ahead // timedelta(microseconds=1)


def local_us(at_us: int) -> int:
    """The instant as the city's wall clock counts it. Changes of the clock fall on whole hours of UTC."""
    return at_us + _offset_us(at_us // HOUR_US)


def local_hour(at_us: int) -> float:
    """The hour of the city's wall clock, 0 to 24."""
    return local_us(at_us) % DAY_US / HOUR_US


def is_weekend(at_us: int) -> bool:
    """Whether it is Saturday or Sunday in the city."""
    return from_us(local_us(at_us)).weekday() >= 5


class Sky:
    """The weather of one seed: the same air over the whole town, a little different at each place."""

    def __init__(self, seed: int) -> None:
        self._keys = {name: key_of(seed, name) for name in ("front", "cloud", "rain", "wind", "from", "place", "smog")}

    def _front(self, name: str, at_us: Ints | int, period_h: float) -> Floats:
        at = np.atleast_1d(np.asarray(at_us, np.int64))
        return drift(self._keys[name], np.zeros(len(at), np.int64), at, period_h * 3_600)

    def temperature_c(self, at_us: Ints | int) -> Floats:
        """Air at two metres: the season, the hour, and the fronts that pass."""
        at = np.atleast_1d(np.asarray(at_us, np.float64))
        year = (at / DAY_US / 365.2425) % 1
        season = 11.3 - 9.2 * np.cos(2 * np.pi * (year - 0.055))
        swing = 3.2 + 2.2 * np.sin(np.pi * np.clip(year, 0, 1)) ** 2
        hour = at % DAY_US / HOUR_US
        return season + swing * np.cos(2 * np.pi * (hour - 13.8) / 24) + 4.5 * self._front("front", at_us, 60)

    def rain_mm_h(self, at_us: Ints | int) -> Floats:
        """Rain falls when the sky is closed enough: about one hour in ten."""
        wet = self._front("cloud", at_us, 14) * 0.6 + self._front("rain", at_us, 1.5) * 0.5 - 0.5
        return np.clip(wet, 0, None) * 9.0

    def cloud(self, at_us: Ints | int) -> Floats:
        """Share of the sky that is covered, 0 to 1."""
        return np.clip(0.55 + 0.7 * self._front("cloud", at_us, 14), 0, 1)

    def wind_m_s(self, at_us: Ints | int) -> Floats:
        """Wind at ten metres."""
        return np.clip(3.4 + 3.2 * self._front("wind", at_us, 9), 0.1, None)

    def wind_from_deg(self, at_us: Ints | int) -> Floats:
        """Where the wind comes from; in this valley mostly north or south-west."""
        return (200 + 150 * self._front("from", at_us, 30)) % 360

    def illuminance_lx(self, at_us: Ints | int) -> Floats:
        """Daylight on the ground, after the sun's height and the clouds."""
        height = np.atleast_1d(sun_elevation_deg(at_us))
        day = 105_000 * np.clip(np.sin(np.radians(height)), 0, None) ** 1.2
        twilight = 400 * np.exp(np.clip(height, -18, 0) * 0.9)
        return np.where(height > 0, day + 400, twilight) * (1 - 0.72 * self.cloud(at_us)) + 0.05

    def smog(self, at_us: Ints | int) -> Floats:
        """How still and stale the air is, 0 to 1."""
        return np.clip(0.5 + 0.5 * self._front("smog", at_us, 40) - 0.05 * (self.wind_m_s(at_us) - 3), 0, 1)


def traffic(at_us: int) -> float:
    """Share of the day's greatest traffic at an instant: two peaks on working days, one broad one at weekends."""
    hour = local_hour(at_us)

    def hump(middle: float, width: float) -> float:
        return float(np.exp(-(((hour - middle) / width) ** 2)))

    night = 0.04 + 0.05 * hump(23.0, 2.5)
    if is_weekend(at_us):
        return night + 0.45 * hump(12.0, 3.2) + 0.42 * hump(17.5, 2.8)
    return min(night + 0.78 * hump(8.1, 1.1) + 0.36 * hump(12.3, 2.4) + 0.86 * hump(17.6, 1.6) + 0.2 * hump(15, 2), 1.0)


def seconds(us: int) -> float:
    """Microseconds as seconds."""
    return us / SECOND_US

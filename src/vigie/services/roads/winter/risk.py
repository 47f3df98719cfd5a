"""How likely ice is on a road, by what a station says.

What makes roads slippery, and from when on:

- *Hoar frost*: the surface is at or below freezing, and at or below the frost point of the air above it (M. Karlsson,
  "Prediction of hoar-frost by use of a Road Weather Information System", Meteorol. Appl. 8, 2001, 95-105: it forms
  while the surface is below the dew point, and that was missed where the instruments were not exact enough: hence the
  margin of `FROST_NEAR_C`).
- *Black ice*: the surface is at or below freezing, and wet. Ice was seen on no road whose surface was above freezing,
  and often on none below it (Climate 12(5), 2024, 63, three years of Montana's stations): cold alone is no ice.
- *Snow*: something falls, and the air is not warmer than 1 degree, at which half of what falls is snow (K. Jennings et
  al., Nature Communications 9, 2018, 1148).

The margins in degrees are ours, for sensors that are off by some tenths and roads that are not where the station is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, log
from typing import Literal

NAN = float("nan")

Level = Literal["not_known", "none", "watch", "likely", "ice"]
LEVELS: Sequence[Level] = ("not_known", "none", "watch", "likely", "ice")
"""From what says nothing to what says most."""
Cause = Literal["", "hoar_frost", "black_ice", "snow", "cold"]

FREEZING_C = 0.0
NEAR_C = 1.0
"""A surface so little above freezing freezes soon, or does so round the corner."""
FROST_NEAR_C = 0.5
"""The same of a frozen surface above the frost point."""
WATCH_C = 3.0
SNOW_C = 1.0
DAMP = 90.0
"""Relative humidity in % at which air that is near freezing leaves frost on what is a little colder than itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a station says now: degrees, %, mm/h; NaN for what is not known or too old. wet: whether its sensor in the
    road says that it is moist or wet, or it rained in the last hours; None: nobody knows. icy: its sensor says so.
    surface_us: when its surface was observed."""

    surface_c: float = NAN
    air_c: float = NAN
    humidity: float = NAN
    dew_point_c: float = NAN
    rain_mm_h: float = NAN
    wet: bool | None = None
    icy: bool = False
    surface_us: int = 0

    @property
    def dew_c(self) -> float:
        """The dew point, as the station says it or else as its air and humidity have it; NaN where neither is."""
        return dew_point_c(self.air_c, self.humidity) if isnan(self.dew_point_c) else self.dew_point_c


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely ice is, and of what sort. cause: "" where there is none to speak of."""

    level: Level
    cause: Cause = ""

    @property
    def calls(self) -> bool:
        """Whether somebody is to go out."""
        return self.level in ("likely", "ice")


def dew_point_c(air_c: float, humidity: float) -> float:
    """The dew point by Magnus' formula over water, with the constants of the Guide to Instruments and Methods of
    Observation (WMO-No. 8, annex 4.B); NaN where either is."""
    if isnan(air_c) or isnan(humidity) or humidity <= 0:
        return NAN
    part = log(humidity / 100) + 17.62 * air_c / (243.12 + air_c)
    return 243.12 * part / (17.62 - part)


def frost_point_c(dew_c: float) -> float:
    """The frost point of air with this dew point: where frost forms on what is colder, by the same guide's formulas
    over water and over ice. Below freezing it lies above the dew point."""
    part = 17.62 * dew_c / (243.12 + dew_c)
    return 272.62 * part / (22.46 - part)


def judge(reading: Reading) -> Risk:
    """How likely ice is by what is said now. What is missing or old is never taken for the absence of ice."""
    if reading.icy and not reading.surface_c > NEAR_C:
        return Risk("ice", "black_ice")
    if not isnan(reading.surface_c):
        return _by_surface(reading)
    return Risk("not_known") if isnan(reading.air_c) else _by_air(reading)


def _by_surface(reading: Reading) -> Risk:
    surface_c, dew_c = reading.surface_c, reading.dew_c
    if surface_c > WATCH_C:
        return Risk("none")
    frost_c = frost_point_c(dew_c) if not isnan(dew_c) else NAN
    falls = reading.rain_mm_h > 0
    frozen = surface_c <= FREEZING_C
    if surface_c > NEAR_C:
        return Risk("watch", "cold")
    if falls and reading.air_c <= SNOW_C:
        return Risk("ice" if frozen else "likely", "snow")
    if falls or reading.wet:
        return Risk("ice" if frozen else "likely", "black_ice")
    if frozen and surface_c <= frost_c:
        return Risk("ice", "hoar_frost")
    if surface_c <= frost_c + (FROST_NEAR_C if frozen else 0):
        return Risk("likely", "hoar_frost")
    # Frozen, and nobody knows whether it is wet: that it is dry is not to be hoped for.
    unknown = isnan(frost_c) and reading.wet is None
    return Risk("likely" if frozen and unknown else "watch", "cold")


def _by_air(reading: Reading) -> Risk:
    """Where nothing measures the road, what lies on it is guessed, with a wider margin, and never said to be ice."""
    falls = reading.rain_mm_h > 0
    if reading.air_c > WATCH_C + NEAR_C:
        return Risk("none")
    if reading.air_c <= NEAR_C and (falls or reading.wet):
        return Risk("likely", "snow" if falls else "black_ice")
    if reading.air_c <= FREEZING_C and (isnan(reading.humidity) or reading.humidity >= DAMP):
        return Risk("likely", "hoar_frost")
    return Risk("watch", "cold")


def slope_c_h(samples: Sequence[tuple[int, float]]) -> float:
    """By how many degrees an hour samples (microseconds, degrees) rise, by least squares; NaN for fewer than three, or
    for less than `SPAN_MIN` minutes of them."""
    if len(samples) < 3 or samples[-1][0] - samples[0][0] < SPAN_MIN * 60_000_000:
        return NAN
    hours = [(at_us - samples[0][0]) / 3.6e9 for at_us, _ in samples]
    middle, mean = sum(hours) / len(hours), sum(value for _, value in samples) / len(samples)
    spread = sum((hour - middle) ** 2 for hour in hours)
    together = sum((hour - middle) * (value - mean) for hour, (_, value) in zip(hours, samples, strict=True))
    return together / spread


SPAN_MIN = 20
"""Of less than so many minutes no trend is made."""
AHEAD_MIN = 120
"""So far ahead a surface is thought to go on cooling as it did in the last hour. Nothing is known of clouds to come."""
FROST_AHEAD_MIN = 45
"""No further for frost: the air dries as it cools, so a straight line finds more frost than there will be."""
_STEP_MIN = 15


def expected_min(reading: Reading, slope: float) -> int | None:
    """In how many minutes the road ices up if its surface goes on cooling as it does: 0 for now, None for not within
    `AHEAD_MIN`. A straight line, and no forecast."""
    if isnan(reading.surface_c):
        return 0 if judge(reading).level == "ice" else None
    for minutes in range(0, AHEAD_MIN + 1, _STEP_MIN):
        if minutes and not slope < 0:
            return None
        found = judge(replace(reading, surface_c=reading.surface_c + (slope * minutes / 60 if minutes else 0)))
        if found.level == "ice" and (found.cause != "hoar_frost" or minutes <= FROST_AHEAD_MIN):
            return minutes
    return None


def outlook(reading: Reading, slope: float) -> tuple[Risk, int | None]:
    """How likely ice is, what is to come within two hours counted, and in how many minutes it is expected."""
    now, minutes = judge(reading), expected_min(reading, slope)
    if minutes and not now.calls:
        return Risk(
            "likely", judge(replace(reading, surface_c=reading.surface_c + slope * minutes / 60)).cause
        ), minutes
    return now, minutes

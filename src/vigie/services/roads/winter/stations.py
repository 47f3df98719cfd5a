"""The stations that tell of the roads: what each says, as it is taken for ice, and where ice is found.

A station that measures the road's surface is believed. One that measures the air alone speaks for the roads only where
none with a surface is within `REACH_M`: the night is the same, and one alarm for it is enough.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isnan

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.ground import metres
from vigie.core.kinds import AssetKind, ConditionKind, Outlet, Sort
from vigie.core.service import City, Clear, Effect, Numbers, Raise, Recall, Sweep
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.roads.rounds.circuits import STATION
from vigie.services.roads.winter.risk import NEAR_C, Reading, Risk, outlook, slope_c_h

REACH_M = 5_000.0
WET_US = 3 * HOUR_US
"""A road is wet for so long after it rained."""
SAMPLES_US = HOUR_US
SAMPLES_MAX = 120
LASTS_US = 10 * MINUTE_US
"""What is over sooner wakes nobody."""
OVER_US = HOUR_US
"""Ice is over when for so long nothing has called anybody out, by a degree."""

ICE_RISK = ConditionKind(name="ice_risk", service="roads", outlet=Outlet.ALARM, priority=2)
"""At a station: ice is on the roads around it, or to be expected within two hours."""


@dataclass
class Memory:
    """What is remembered of a station: when it rained last; its surface in the last hour; since when something calls
    (0 for nothing), and nothing does."""

    rained_us: int = 0
    surface: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=SAMPLES_MAX))
    calls_us: int = 0
    quiet_us: int = 0


def station_kind(city: City) -> type[AssetKind] | None:
    """The kind of the stations, whichever service owns it, where this installation has one. Of its points are asked by
    their names `surface`, `temperature`, `humidity`, `dew_point`, `rain` and `surface_state`."""
    return city.kind_named(STATION)


def readings(city: City, kind: type[AssetKind], stations: Numbers, now_us: int) -> list[Reading]:
    """What each station says now; what is older than it holds is not known."""

    def newest(name: str) -> list[float]:
        point = kind.points.get(name)
        if point is None:
            return [float("nan")] * len(stations)
        told = city.newest(kind, point, stations)
        return floats(np.where(now_us - told.observed_us > point.valid_s * SECOND_US, np.nan, told.value))

    state = kind.points.get("surface_state")
    words = state.choices if state is not None and state.sort is Sort.CHOICE else ()
    said = (newest(name) for name in ("surface", "temperature", "humidity", "dew_point", "rain", "surface_state"))
    surface = kind.points.get("surface")
    at_us = [0] * len(stations) if surface is None else ints(city.newest(kind, surface, stations).observed_us)
    made: list[Reading] = []
    for surface_c, air_c, humidity, dew_c, rain, code, surface_us in zip(*said, at_us, strict=True):
        word = "" if isnan(code) else words[int(code)]
        wet = word in ("moist", "wet") if word else None if isnan(rain) else rain > 0
        made.append(Reading(surface_c, air_c, humidity, dew_c, rain, wet, word == "ice", surface_us))
    return made


def speaking(city: City, kind: type[AssetKind], stations: Numbers, said: list[Reading]) -> list[bool]:
    """Which stations speak for the roads: those that know the surface, and of the others those that know the air and
    have none of the first within reach."""
    knows = np.array([not isnan(each.surface_c) or each.icy for each in said], np.bool_)
    airy = np.array([not isnan(each.air_c) for each in said], np.bool_)
    if not len(stations) or knows.all() or not knows.any():
        return [bool(each) for each in (knows | airy).tolist()]
    lon, lat = city.places(stations)
    spots = metres(lon, lat, middle_lat=float(np.nanmean(lat)))
    far_m = np.hypot(*(spots[:, None] - spots[None, knows]).transpose(2, 0, 1)).min(1)
    return [bool(each) for each in (knows | (airy & (far_m > REACH_M))).tolist()]


class Sweeper:
    """Looks at the stations again and again. One an engine. What it remembers (rain, the last hour's surface) is
    recalled after a start, but not since when something calls."""

    def __init__(self, city: City, now_us: int) -> None:
        self._memory: dict[int, Memory] = defaultdict(Memory)
        for station, at_us, mm_h in _recalled(city, "rain"):
            if mm_h > 0:
                memory = self._memory[station]
                memory.rained_us = max(memory.rained_us, at_us)
        for station, at_us, surface_c in _recalled(city, "surface"):
            if now_us - at_us <= SAMPLES_US:
                self._memory[station].surface.append((at_us, surface_c))

    def __call__(self, city: City, now_us: int) -> list[Effect]:
        """Where ice is found, and where it is over."""
        kind = station_kind(city)
        stations = city.assets(kind) if kind is not None else np.empty(0, np.int64)
        if kind is None or not len(stations):
            return []
        said = readings(city, kind, stations, now_us)
        is_open = city.is_open(ICE_RISK, stations).tolist()
        speaks = speaking(city, kind, stations, said)
        effects: list[Effect] = []
        for n, station in enumerate(ints(stations)):
            effects += self._of(station, self._memory[station], said[n], now_us, is_open=is_open[n], speaks=speaks[n])
        return effects

    @staticmethod
    def _of(
        station: int, memory: Memory, reading: Reading, now_us: int, *, is_open: bool, speaks: bool
    ) -> list[Effect]:
        reading = remembered(memory, reading, now_us)
        risk, minutes = outlook(reading, slope_c_h(memory.surface))
        if risk.level == "not_known":
            # Silence ends nothing, and begins nothing: what was well before it is looked at anew after it.
            memory.quiet_us = 0
            return []
        if risk.calls and speaks:
            memory.quiet_us = 0
            memory.calls_us = memory.calls_us or now_us
            if is_open or now_us - memory.calls_us < LASTS_US:
                return []
            return [Raise(ICE_RISK, station, now_us, evidence(reading, risk, minutes))]
        memory.calls_us = 0
        # It must be well by a degree, so that what lies at the edge is not told again and again.
        warmer = outlook(cooler(reading), float("nan"))[0]
        if not is_open or (warmer.calls and speaks):
            memory.quiet_us = 0
            return []
        memory.quiet_us = memory.quiet_us or now_us
        return [Clear(ICE_RISK, station, now_us)] if now_us - memory.quiet_us >= OVER_US else []


def _recalled(city: City, name: str) -> list[tuple[int, int, float]]:
    """What stations said of a point before the start: which, when and what, each one's own in their order."""
    kind = station_kind(city)
    point = None if kind is None else kind.points.get(name)
    if kind is None or point is None:
        return []
    told = city.recalled(kind, point)
    return list(zip(ints(told.asset), ints(told.observed_us), floats(told.value), strict=True))


def remembered(memory: Memory, reading: Reading, now_us: int) -> Reading:
    """A reading with what is remembered of its station, which takes note of it."""
    if reading.rain_mm_h > 0:
        memory.rained_us = now_us
    if not isnan(reading.surface_c) and (not memory.surface or memory.surface[-1][0] < reading.surface_us):
        memory.surface.append((reading.surface_us, reading.surface_c))
    while memory.surface and now_us - memory.surface[0][0] > SAMPLES_US:
        memory.surface.popleft()
    recent = memory.rained_us > 0 and now_us - memory.rained_us < WET_US
    return replace(reading, wet=True) if recent and reading.wet is not True else reading


def cooler(reading: Reading) -> Reading:
    """The same, a degree colder."""
    return replace(reading, surface_c=reading.surface_c - NEAR_C, air_c=reading.air_c - NEAR_C)


def evidence(reading: Reading, risk: Risk, minutes: int | None) -> Mapping[str, float | str]:
    """What was seen."""
    seen = {
        "surface": reading.surface_c,
        "temperature": reading.air_c,
        "dew_point": reading.dew_c,
        "humidity": reading.humidity,
        "rain": reading.rain_mm_h,
    }
    told: dict[str, float | str] = {"ice": risk.level, "ice_cause": risk.cause}
    told |= {name: round(value, 1) for name, value in seen.items() if not isnan(value)}
    return told | ({} if minutes is None else {"ice_in_min": float(minutes)})


SWEEP = Sweep(make=Sweeper, attributes={}, recalls=(Recall(STATION, ("rain", "surface"), WET_US),))
"""What road services look for."""

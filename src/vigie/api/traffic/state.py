"""How traffic flows where it is counted, from what the detectors said last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from vigie.api.traffic.forms import Level, StreetTraffic
from vigie.api.traffic.streets import Counting
from vigie.core.kinds import Point, Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.times import MINUTE_US
from vigie.engine.loop import Engine
from vigie.services.signals import Detector
from vigie.services.signals.flow.level import LEVELS, densities, levels, speeds

NOW_US = 15 * MINUTE_US
"""What was said longer ago is no picture of now, however long it may be shown as true."""


@dataclass(frozen=True)
class Measured:
    """What is so now at some detectors, NaN where it is unknown. free_speed: the street's limit. level: by its place
    among LEVELS, -1 where it is unknown. observed_us: when the newest was said of all that is known of it."""

    flow: Floats
    speed: Floats
    free_speed: Floats
    occupancy: Floats
    density: Floats
    level: Int64s
    observed_us: Int64s


def measured(engine: Engine, counted: Sequence[Counting], now_us: int) -> Measured:
    """What is so now at each of these detectors."""
    numbers: Int64s = np.array([each.detector for each in counted], np.int64)
    # That it does not work holds until it says that it does.
    broken = engine.newest(Detector, Detector.working, numbers).value == 0
    observed_us = np.zeros(len(numbers), np.int64)
    known: list[Floats] = []
    for point in (Detector.flow, Detector.speed, Detector.occupancy):
        value, at_us = _known(engine, point, numbers, now_us)
        known.append(np.where(broken, np.nan, value))
        observed_us = np.maximum(observed_us, np.where(np.isnan(known[-1]), 0, at_us))
    flow, speed, occupancy = known
    lanes = np.array([each.lanes for each in counted], float)
    free = np.array([each.limit_km_h for each in counted], float)
    driven = speeds(speed, flow, occupancy, lanes, free)
    return Measured(flow, driven, free, occupancy, densities(flow, driven, lanes), levels(driven, free), observed_us)


def state_of(engine: Engine, counted: Sequence[Counting], now_us: int) -> list[StreetTraffic]:
    """What is so now at each of these detectors, as it is told."""
    now = measured(engine, counted, now_us)
    registry = engine.registry
    return [
        StreetTraffic(
            detector=registry.ids[each.detector],
            street=registry.ids[each.street],
            name=registry.names[each.street],
            line=each.line,
            both=each.both,
            flow=_told(now.flow[row]),
            speed=_told(now.speed[row]),
            free_speed=each.limit_km_h,
            occupancy=_told(now.occupancy[row]),
            density=_told(now.density[row]),
            level=letter_of(int(now.level[row])),
        )
        for row, each in enumerate(counted)
    ]


def letter_of(level: int) -> Level | None:
    """A level by its place as it is told; None for -1."""
    return cast("Level", LEVELS[level]) if level >= 0 else None


def _known(engine: Engine, point: Point[Any], detectors: Int64s, now_us: int) -> tuple[Floats, Int64s]:
    """The newest of a point, NaN where none is known, it is old, or the device does not vouch for it; and when it was
    said."""
    newest = engine.newest(Detector, point, detectors)
    old = now_us - newest.observed_us > NOW_US
    known: Floats = np.where(old | (newest.quality == Quality.BAD), np.nan, newest.value)
    return known, newest.observed_us


def _told(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 1)

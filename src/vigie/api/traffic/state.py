"""How traffic flows where it is counted, from what the detectors said last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from vigie.api.traffic.forms import StreetTraffic
from vigie.api.traffic.streets import Counting
from vigie.core.kinds import Point, Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.times import MINUTE_US
from vigie.engine.loop import Engine
from vigie.services.signals import Detector
from vigie.services.signals.flow.level import LEVELS, densities, levels, speeds

NOW_US = 15 * MINUTE_US
"""What was said longer ago is no picture of now, however long it may be shown as true."""


def state_of(engine: Engine, counted: Sequence[Counting], now_us: int) -> list[StreetTraffic]:
    """What is so now at each of these detectors."""
    numbers: Int64s = np.array([each.detector for each in counted], np.int64)
    # That it does not work holds until it says that it does.
    broken = engine.newest(Detector, Detector.working, numbers).value == 0
    flow, speed, occupancy = (
        np.where(broken, np.nan, _known(engine, point, numbers, now_us))
        for point in (Detector.flow, Detector.speed, Detector.occupancy)
    )
    lanes = np.array([each.lanes for each in counted])
    free = np.array([each.limit_km_h for each in counted])
    driven = speeds(speed, flow, occupancy, lanes, free)
    dense = densities(flow, driven, lanes)
    level = levels(driven, free)
    registry = engine.registry
    return [
        StreetTraffic(
            detector=registry.ids[each.detector],
            street=registry.ids[each.street],
            name=registry.names[each.street],
            line=each.line,
            both=each.both,
            flow=_told(flow[row]),
            speed=_told(driven[row]),
            free_speed=each.limit_km_h,
            occupancy=_told(occupancy[row]),
            density=_told(dense[row]),
            level=cast("Any", LEVELS[level[row]]) if level[row] >= 0 else None,
        )
        for row, each in enumerate(counted)
    ]


def _known(engine: Engine, point: Point[Any], detectors: Int64s, now_us: int) -> Floats:
    """The newest of a point, NaN where none is known, it is old, or the device does not vouch for it."""
    newest = engine.newest(Detector, point, detectors)
    old = now_us - newest.observed_us > NOW_US
    known: Floats = np.where(old | (newest.quality == Quality.BAD), np.nan, newest.value)
    return known


def _told(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 1)

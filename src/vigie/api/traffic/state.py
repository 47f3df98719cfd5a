"""How traffic flows where it is counted, from what the detectors said last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from vigie.api.traffic.forms import StreetTraffic
from vigie.api.traffic.streets import Counting
from vigie.core.kinds import Point, Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.times import SECOND_US
from vigie.engine.loop import Engine
from vigie.services.signals import Detector
from vigie.services.signals.flow.level import LEVELS, densities, levels, speeds


def state_of(engine: Engine, counted: Sequence[Counting], now_us: int) -> list[StreetTraffic]:
    """What is so now at each of these detectors."""
    numbers: Int64s = np.array([each.detector for each in counted], np.int64)
    works = _known(engine, Detector.working, numbers, now_us)
    flow, speed, occupancy = (
        np.where(works == 0, np.nan, _known(engine, point, numbers, now_us))
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
            line=[(round(lon, 6), round(lat, 6)) for lon, lat in each.line.tolist()],
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
    """The newest of a point, NaN where none is known, it is past its time, or the device does not vouch for it."""
    newest = engine.newest(Detector, point, detectors)
    old = now_us - newest.observed_us > point.valid_s * SECOND_US
    known: Floats = np.where(old | (newest.quality == Quality.BAD), np.nan, newest.value)
    return known


def _told(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 1)

"""How well traffic flows: the level of service of a street, from what its detectors say now.

Levels go by the share of the free speed that is driven (Highway Capacity Manual, 6th edition, exhibit 18-1, urban
street segments): A above 80 %, B above 67, C above 50, D above 40, E above 30, F below. Where a detector tells no
speed, it is reckoned from flow and occupancy: a lane's density is the share of time that its loop is occupied over the
length that occupies it. What nobody measures has no level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats

LEVELS = "ABCDEF"
SHARES = (0.80, 0.67, 0.50, 0.40, 0.30)
"""The least share of the free speed for each level but the last."""

OCCUPIES_M = 6.5
"""A vehicle and the loop it occupies: 4.5 m and 2 m (the mean effective length of urban traffic)."""

FEW_PERCENT = 3.0
"""Below this occupancy a speed that is reckoned says nothing: a vehicle more or less doubles it."""

STANDS_PERCENT = 60.0
"""Above this, traffic stands on the loop."""


def levels(speed: Floats, free_speed: Floats) -> NDArray[np.int64]:
    """The level of each street, 0 for A to 5 for F; -1 where it is unknown. Both speeds are in one unit."""
    share = speed / free_speed
    level = np.searchsorted(-np.array(SHARES), -share, side="right")
    return np.where(np.isnan(share), -1, level).astype(np.int64)


def speeds(speed: Floats, flow: Floats, occupancy: Floats, lanes: Floats, free_speed: Floats) -> Floats:
    """The speed at each detector in km/h: as it says itself, or else as flow (vehicles an hour, all lanes) and
    occupancy (percent of time) say together; NaN where neither is known. free_speed: what is driven where hardly
    anybody is, and at the most."""
    density_km = occupancy / 100 / OCCUPIES_M * 1_000
    reckoned = np.minimum(flow / lanes / np.maximum(density_km, 1e-9), free_speed)
    reckoned = np.where(occupancy < FEW_PERCENT, free_speed, reckoned)
    reckoned = np.where((occupancy >= STANDS_PERCENT) & np.isnan(flow), 0.0, reckoned)
    return np.where(np.isnan(speed), reckoned, speed)


def densities(flow: Floats, speed: Floats, lanes: Floats) -> Floats:
    """Vehicles on a kilometre of one lane; NaN where flow or speed is unknown or nobody moves."""
    moves = speed > 0
    return np.where(moves, flow / lanes / np.where(moves, speed, 1.0), np.nan)

"""The ground of a town, which is flat to what stands and moves on it: metres in place of degrees."""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Floats, Int64s

M_PER_DEGREE = 111_195.0
"""A degree of latitude, in metres: of a sphere of 6,371 km."""


def metres(lon: Floats, lat: Floats, *, middle_lat: float) -> Floats:
    """Places in degrees as (n, 2) metres east and north of 0, 0. middle_lat: of the town, in degrees, at which a degree
    of longitude is as long as it is taken to be; 30 km from there it is 0.5 % off in France."""
    return np.stack([lon * M_PER_DEGREE * float(np.cos(np.radians(middle_lat))), lat * M_PER_DEGREE], 1)


def merged(corners: Floats, apart_m: float) -> Int64s:
    """A number from 0 for each of (n, 2) places, the same for places closer than `apart_m`: such two share a cell of
    one of four grids that lie half a cell apart."""
    label = np.arange(len(corners))
    for _ in range(2):
        for east in (0.0, 0.5):
            for north in (0.0, 0.5):
                cell = np.floor(corners / (2 * apart_m) + np.array([east, north])).astype(np.int64)
                _, which = np.unique((cell[:, 0] << 32) + cell[:, 1], return_inverse=True)
                least = np.full(int(which.max(initial=-1)) + 1, len(corners))
                np.minimum.at(least, which, label)
                label = least[which]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)

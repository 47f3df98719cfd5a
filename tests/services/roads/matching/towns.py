"""Street networks for tests: a grid of blocks, drawn in degrees about a place."""

from __future__ import annotations

import numpy as np

from vigie.core.ground import M_PER_DEGREE
from vigie.core.observations import Floats
from vigie.services.roads.matching import Network, network_of

LON, LAT = 5.04, 47.32
EAST_M = M_PER_DEGREE * float(np.cos(np.radians(LAT)))

Line = list[tuple[float, float]]


def degrees(spots: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Places in metres about the middle of the town, in degrees."""
    columns = np.array(spots, np.float64).reshape(-1, 2)
    return LON + columns[:, 0] / EAST_M, LAT + columns[:, 1] / M_PER_DEGREE


def town(lines: list[Line], one_way: set[int] = frozenset()) -> Network:  # type: ignore[assignment]
    """The network of lines in metres; one_way: the numbers of those that are driven only as they are drawn."""
    lon, lat = degrees([spot for line in lines for spot in line])
    start = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    return network_of(lon, lat, start, np.isin(np.arange(len(lines)), list(one_way)))


def grid(streets: int, block_m: float = 120.0) -> list[Line]:
    """Streets of a block each, from junction to junction."""
    at = [block_m * n for n in range(streets)]
    along = [[(x, y), (x + block_m, y)] for y in at for x in at[:-1]]
    return along + [[(x, y), (x, y + block_m)] for x in at for y in at[:-1]]

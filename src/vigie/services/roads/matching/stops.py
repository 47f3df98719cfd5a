"""Where a vehicle stood, and how far it drove, on a trail of positions that may be true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.observations import Floats, Int64s
from vigie.core.times import MINUTE_US
from vigie.services.roads.matching import Matched, Network
from vigie.services.roads.matching.loops import driven

STOOD_US = 3 * MINUTE_US
SILENT_US = 15 * MINUTE_US
"""After a longer silence nobody knows that it stood: it may have been off duty, of which nothing is kept."""

STAYED_M = 40.0
"""Four times the noise of a receiver: who keeps within it has not driven on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A time at one place: the rows of its first and its last position."""

    first: int
    last: int


def stops(spots: Floats, at_us: Int64s) -> list[Stop]:
    """The times of three minutes and more at one place. spots: (n, 2), in metres."""
    found, first = list[Stop](), 0
    east, north, at = floats(spots[:, 0]), floats(spots[:, 1]), ints(at_us)
    for n in range(1, len(at) + 1):
        goes_on = (
            n < len(at)
            and at[n] - at[n - 1] <= SILENT_US
            and np.hypot(east[n] - east[first], north[n] - north[first]) <= STAYED_M
        )
        if goes_on:
            continue
        if at[n - 1] - at[first] >= STOOD_US:
            found.append(Stop(first, n - 1))
            first = n
        elif n < len(at) and at[n] - at[n - 1] > SILENT_US:
            first = n
        else:
            # Somebody who creeps through a jam begins to stand at each of their positions.
            first += 1
            while first < n < len(at) and np.hypot(east[n] - east[first], north[n] - north[first]) > STAYED_M:
                first += 1
    return found


def driven_m(network: Network, matched: Matched, stood: list[Stop]) -> float:
    """How far it drove by the streets, in metres. Nothing while it stood, when noise drives to and fro, by which up to
    STAYED_M a stop are lost. Nothing where no way of 600 m leads from a position to the next."""
    directed = np.where(matched.arc < 0, -1, 2 * matched.arc + matched.against)
    wanted = np.ones(len(directed), np.bool_)
    for each in stood:
        wanted[each.first + 1 : each.last + 1] = False
    _, _, from_m, to_m = driven(network.ways, network.length_m, directed, matched.along_m, wanted)
    return float((to_m - from_m).sum())

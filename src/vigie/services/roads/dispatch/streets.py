"""How long it takes from place to place through the streets of the inventory, one-way streets respected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s, Mask
from vigie.services.roads.dispatch.model import NO_WAY, Crew, Place, Task, Travel
from vigie.services.roads.dispatch.ways import nearest, quickest, reached
from vigie.services.roads.matching.network import Network, network_of

SNAP_M = 300.0
"""A place that is farther from each street is in none: a lamp in a park stands some hundred metres off."""

SPEED_KMH = 30.0
"""Where nothing is said of a street: the limit of most of a town's streets."""

FLOW = 0.7
"""Of the limit, what is driven in the mean, junctions and traffic counted in: an assumption, to be replaced by what a
town measures."""

SPEED_MIN_KMH, SPEED_MAX_KMH = 5.0, 130.0

_HUBS_MAX = 1_000


def speeds(network: Network, limit_kmh: Floats | None = None) -> Floats:
    """Metres a second on each arc. limit_kmh: of each line that the network was made of; NaN where it is not known."""
    if limit_kmh is None:
        limit_kmh = np.full(int(network.line.max(initial=-1)) + 1, np.nan)
    known = np.clip(np.where(np.isfinite(limit_kmh), limit_kmh, SPEED_KMH), SPEED_MIN_KMH, SPEED_MAX_KMH)
    return (known * FLOW / 3.6)[network.line]


def travel_of(network: Network, speed: Floats, tasks: Sequence[Task], crews: Sequence[Crew]) -> Travel:
    """The ways of a problem. speed: as `speeds` gives it. A place is at the nearest spot of the nearest street; from
    there to it nothing is counted."""
    places: list[Place] = [each.place for each in tasks]
    for crew in crews:
        places += (crew.start, crew.end)
    lon, lat = np.array([each.lon for each in places]), np.array([each.lat for each in places])
    return between(network, speed, lon, lat)


def between(network: Network, speed: Floats, lon: Floats, lat: Floats) -> Travel:
    """The ways between places in degrees."""
    return ways(network, speed, *spots_of(network, lon, lat))


def spots_of(network: Network, lon: Floats, lat: Floats) -> tuple[Int64s, Floats]:
    """Of each place its arc, and how far along; -1 where no street is near. The nearest street out of which one can
    drive to most of the town, and into which: data end at the town's border, and with them streets that do not. Where
    there is none such, the nearest of all."""
    spots, ground = metres(lon, lat, middle_lat=network.middle_lat), network.ground
    heart = _heart(network)
    usable = heart[network.tail] & heart[network.head] & network.allowed
    inside = usable[0::2] | usable[1::2]
    arc, at_m, apart_m = nearest(ground.a, ground.b, ground.arc, ground.along, inside, spots)
    far = apart_m > SNAP_M
    every = nearest(ground.a, ground.b, ground.arc, ground.along, np.ones_like(inside), spots[far])
    arc[far], at_m[far], apart_m[far] = every
    return np.where(apart_m > SNAP_M, -1, arc), at_m


def ways(network: Network, speed: Floats, arc: Int64s, at_m: Floats) -> Travel:
    """The ways between places on arcs, rounded up to whole seconds and to the nearest metre."""
    drive_s, far_m = quickest(
        network.tail, network.head, network.allowed, network.length_m, speed, network.out_first, network.out, arc, at_m
    )
    return Travel(_whole(np.ceil(drive_s - 1e-6)), _whole(np.round(far_m)))


def prepare() -> None:
    """Has all that is compiled ready, so that the first plan does not wait for it."""
    lon, lat = np.array([5.0, 5.001]), np.array([47.0, 47.0])
    network = network_of(lon, lat, np.array([0, 2]), np.array([False]))
    between(network, speeds(network), lon, lat)


def _heart(network: Network) -> Mask:
    """The nodes of the greatest part of the network in which each is reached from each."""
    nodes = len(network.out_first) - 1
    into = network.out[np.argsort(network.head[network.out], kind="stable")]
    into_first = np.searchsorted(network.head[into], np.arange(nodes + 1))
    best, left = np.zeros(nodes, np.bool_), np.ones(nodes, np.bool_)
    for _ in range(_HUBS_MAX):
        if left.sum() <= best.sum():
            break
        hub = int(np.argmax(left))
        own = reached(network.out_first, network.out, network.head, hub)
        own &= reached(into_first, into, network.tail, hub)
        best = own if own.sum() > best.sum() else best
        left &= ~own
    return best


def _whole(values: Floats) -> Int64s:
    values = values.copy()
    # To be where one is takes no street.
    np.fill_diagonal(values, 0.0)
    return np.where(np.isfinite(values), values, NO_WAY).astype(np.int64)

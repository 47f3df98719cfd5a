"""What stands at crossings and in places: signals, detectors, cameras, bollards, stations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from vigie.sim.city.borders import Borders
from vigie.sim.city.facts import AIR_STATIONS, BIKE_STATIONS, BOLLARDS, CAMERAS, JUNCTIONS, WEATHER_STATIONS
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.network import HALF_WIDTH_M, LOCAL, PATH, PRIMARY, SECONDARY, Network

_ARM_WORTH = (1.0, 4.0, 2.2, 0.35, 0.0)
_DETECTORS_MAX = 6


@dataclass(frozen=True, slots=True)
class Signals:
    """Junctions by node, and their detectors in columns. arms: how many approaches each junction has."""

    node: Ints
    arms: Ints
    detector_xy: Floats
    detector_junction: Ints
    detector_arc: Ints
    detector_lanes: Ints
    detector_bearing_deg: Floats


@dataclass(frozen=True, slots=True)
class Spots:
    """Equipment of one sort: where it stands, on which arc, and where it looks (degrees from north, or NaN)."""

    xy: Floats
    arc: Ints
    bearing_deg: Floats


def arms_of(network: Network) -> dict[int, list[int]]:
    """The arcs that meet at each node, but for paths."""
    arms: dict[int, list[int]] = defaultdict(list)
    for arc in np.flatnonzero(network.rank != PATH).tolist():
        arms[int(network.tail[arc])].append(arc)
        arms[int(network.head[arc])].append(arc)
    return arms


def _apart(xy: Floats, order: Ints, count: int, apart_m: float) -> list[int]:
    """The first `count` in this order that keep their distance; the distance gives way if there are too few."""
    while True:
        chosen: list[int] = []
        spots = np.full((count, 2), np.inf)
        for i in order.tolist():
            if ((spots[: len(chosen)] - xy[i]) ** 2).sum(1).min(initial=np.inf) >= apart_m**2:
                spots[len(chosen)] = xy[i]
                chosen.append(i)
                if len(chosen) == count:
                    return chosen
        apart_m *= 0.7


def bearing(way: Floats) -> Floats:
    """Degrees clockwise from north of a direction (east, north)."""
    return np.degrees(np.arctan2(way[..., 0], way[..., 1])) % 360.0


def _off_node(network: Network, arc: int, node: int, far_m: float) -> tuple[Floats, Floats]:
    """A place on an arc some metres from one of its ends, and the direction towards that end."""
    length = float(network.length_m[arc])
    far = min(far_m, length / 2)
    at_tail = int(network.tail[arc]) == node
    place, way = network.along(np.array([arc]), np.array([far if at_tail else length - far]))
    return place[0], way[0] * (-1.0 if at_tail else 1.0)


def signalise(network: Network, rng: np.random.Generator) -> Signals:
    """Junctions where the main streets of the town cross, with detectors before their stop lines."""
    arms = arms_of(network)
    nodes = np.array([node for node, own in arms.items() if len(own) >= 3])
    worth = np.array([sum(_ARM_WORTH[int(network.rank[a])] * max(float(network.density[a]), 0) for a in arms[node])
                      for node in nodes.tolist()])  # fmt: skip
    chosen = _apart(network.nodes[nodes], np.argsort(-worth, kind="stable"), JUNCTIONS, 260.0)
    picked = np.sort(nodes[chosen])
    rows: list[tuple[Floats, int, int, float]] = []
    for junction, node in enumerate(picked.tolist()):
        own = sorted(arms[node], key=lambda a: (int(network.rank[a]), a))[:_DETECTORS_MAX]
        busy = [a for a in own if network.rank[a] <= SECONDARY]
        for arc in busy if len(busy) >= 2 else own[: max(2, len(busy))]:
            place, way = _off_node(network, arc, node, rng.uniform(25, 55))
            # In France traffic keeps right, so the lane that comes in is to the right of the axis.
            right = np.array([way[1], -way[0]]) * HALF_WIDTH_M[int(network.rank[arc])] / 2
            rows.append((place + right, junction, arc, float(bearing(way))))
    lanes = [2 if network.rank[arc] == PRIMARY else 1 for _, _, arc, _ in rows]
    return Signals(
        picked, np.array([min(len(arms[node]), 8) for node in picked.tolist()]), np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]), np.array([row[2] for row in rows]), np.array(lanes),
        np.array([row[3] for row in rows]),
    )  # fmt: skip


def watch_over(network: Network, signals: Signals, rng: np.random.Generator) -> Spots:
    """Cameras: most in the old town and at the signals, some in each commune's centre."""
    arms = arms_of(network)
    nodes = np.array([node for node, own in arms.items() if len(own) >= 3])
    density = np.array([max(float(network.density[a]) for a in arms[node]) for node in nodes.tolist()])
    far = np.array([float(network.centre_m[arms[node][0]]) for node in nodes.tolist()])
    worth = density + 0.8 * (far < 650) + 0.35 * np.isin(nodes, signals.node) + rng.uniform(0, 0.55, len(nodes))
    chosen = nodes[_apart(network.nodes[nodes], np.argsort(-worth, kind="stable"), CAMERAS, 95.0)]
    rows: list[tuple[Floats, int, float]] = []
    for node in chosen.tolist():
        arc = arms[node][int(rng.integers(len(arms[node])))]
        place, way = _off_node(network, arc, node, 9.0)
        side = np.array([-way[1], way[0]]) * (HALF_WIDTH_M[int(network.rank[arc])] + 1.5)
        rows.append((place + side, arc, float(bearing(-way))))
    return Spots(np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))


def _on_arcs(network: Network, arcs: Ints, at_share: float, off_m: float) -> Spots:
    place, way = network.along(arcs, network.length_m[arcs] * at_share)
    side = np.stack([-way[:, 1], way[:, 0]], -1) * off_m
    return Spots(place + side, arcs, bearing(way))


def close_streets(network: Network, rng: np.random.Generator) -> Spots:
    """Bollards at the entries of the old town's small streets."""
    arcs = np.flatnonzero((network.rank == LOCAL) & (network.centre_m > 180) & (network.centre_m < 560))
    arcs = arcs[rng.permutation(len(arcs))]
    middles = network.xy[(network.start[arcs] + network.start[arcs + 1]) // 2]
    return _on_arcs(network, arcs[_apart(middles, np.arange(len(arcs)), BOLLARDS, 130.0)], 0.15, 0.0)


def _scattered(network: Network, count: int, apart_m: float, least: float, rng: np.random.Generator) -> Spots:
    arcs = np.flatnonzero((network.rank != PATH) & (network.density > least))
    arcs = arcs[rng.permutation(len(arcs))]
    middles = network.xy[(network.start[arcs] + network.start[arcs + 1]) // 2]
    return _on_arcs(network, arcs[_apart(middles, np.arange(len(arcs)), count, apart_m)], 0.5, 8.0)


def measure(network: Network, rng: np.random.Generator) -> tuple[Spots, Spots, Spots]:
    """Air stations, weather stations and bike stations."""
    return (
        _scattered(network, AIR_STATIONS, 1_500.0, 0.15, rng),
        _scattered(network, WEATHER_STATIONS, 1_900.0, -0.2, rng),
        _scattered(network, BIKE_STATIONS, 420.0, 0.55, rng),
    )


def communes_of(borders: Borders, xy: Floats) -> Ints:
    """The commune of each place; what lies just outside belongs to Dijon."""
    return np.maximum(borders.commune_of(xy), 0)

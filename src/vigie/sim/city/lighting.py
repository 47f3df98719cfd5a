"""Luminaires along the lit streets, and the cabinets that feed them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
import shapely

from vigie.core.arrays import shapes
from vigie.sim.city.borders import Borders
from vigie.sim.city.facts import CABINETS, COMMUNES, LUMINAIRES
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.network import HALF_WIDTH_M, LOCAL, PATH, PRIMARY, SECONDARY, Network

SPACING_M = {PRIMARY: 29.0, SECONDARY: 30.0, LOCAL: 31.0}
LAMPS = ("LED", "SHP", "IM")
"""Light-emitting diodes; high-pressure sodium; metal halide."""
LAMPS_A_CIRCUIT = 24
"""So many lamps an outgoing circuit feeds at most."""
_WATTS = np.array([[96.0, 62.0, 36.0], [150.0, 100.0, 70.0], [150.0, 100.0, 70.0]])
"""By lamp, then by class: primary, secondary, local."""
_LUMEN_PER_W = np.array([132.0, 98.0, 88.0])


@dataclass(frozen=True, slots=True)
class Lighting:
    """Luminaires and cabinets in columns. cabinet: index of what feeds each luminaire. lamp: index into LAMPS. circuit:
    of its cabinet, from 1."""

    xy: Floats
    arc: Ints
    commune: Ints
    cabinet: Ints
    lamp: Ints
    power_w: Floats
    flux_lm: Floats
    colour_k: Floats
    upward: Floats
    flux_code_3: Floats
    installed: tuple[str, ...]
    cabinet_xy: Floats
    cabinet_arc: Ints
    cabinet_commune: Ints
    switched: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    circuit: Ints


def _lit(network: Network, borders: Borders) -> Ints:
    """Arcs with lamps: streets of the town that stay clear of the metropole's edge."""
    middle = network.xy[(network.start[:-1] + network.start[1:]) // 2]
    edge = shapely.boundary(shapely.union_all(list(borders.ground))).simplify(1.0)
    shapely.prepare(edge)
    least = np.where(network.rank == PRIMARY, -0.4, -0.05)
    town = (network.rank != PATH) & (network.rank > 0) & (network.density > least) & (network.length_m > 9)
    lit = np.flatnonzero(town)
    far = shapely.distance(shapes(shapely.points(middle[lit])), edge)  # pyright: ignore[reportUnknownMemberType]
    return lit[np.asarray(far) > network.length_m[lit] / 2 + 16.0]


def _count(network: Network, lit: Ints, rng: np.random.Generator) -> Ints:
    """How many lamps each lit arc gets: all in all exactly as many as the city has.

    Every arc has a phase of its own, so that the total grows one by one as the spacing shrinks.
    """
    rank, core = network.rank[lit], network.centre_m[lit] < 600
    spacing = np.array([SPACING_M.get(int(r), 30.0) for r in rank]) * np.where(core, 0.8, 1.0)
    sides = np.where((rank == PRIMARY) & (network.density[lit] > 0.05), 2.0, 1.0)
    want = network.length_m[lit] * sides / spacing
    phase = rng.uniform(0.05, 0.75, len(lit))
    low, high = 0.05, 6.0
    count = np.zeros(len(lit), np.int64)
    for _ in range(100):
        scale = (low + high) / 2
        count = np.floor(want * scale + phase).astype(np.int64)
        if count.sum() == LUMINAIRES:
            break
        low, high = (scale, high) if count.sum() < LUMINAIRES else (low, scale)
    assert count.sum() == LUMINAIRES
    return count


def _places(network: Network, lit: Ints, count: Ints, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Where the lamps stand: beside the axis, staggered on both hands of boulevards."""
    arc = np.repeat(lit, count)
    k = np.arange(len(arc)) - np.repeat(np.cumsum(count) - count, count)
    at = (k + 0.5) / np.repeat(count, count) * network.length_m[arc]
    at = at + rng.normal(0, 0.8, len(arc))
    place, way = network.along(arc, at)
    rank = network.rank[arc]
    both = (rank <= SECONDARY) | (network.centre_m[arc] < 600)
    hand = np.where(both & (k % 2 == 1), -1.0, 1.0) * np.where(np.repeat(rng.random(len(lit)), count) < 0.5, 1.0, -1.0)
    off = (np.array(HALF_WIDTH_M)[rank] + 0.8) * hand
    return place + np.stack([-way[:, 1], way[:, 0]], -1) * off[:, None], arc


def _morton(xy: Floats) -> Ints:
    """A number by which neighbours in the plane mostly follow each other (bits of east and north interleaved)."""
    cell = ((xy - xy.min(0)) / 12.0).astype(np.int64)
    code = np.zeros(len(xy), np.int64)
    for bit in range(13):
        code |= ((cell[:, 0] >> bit) & 1) << (2 * bit) | ((cell[:, 1] >> bit) & 1) << (2 * bit + 1)
    return code


def _seeds(xy: Floats, commune: Ints) -> Ints:
    """One lamp beside which each cabinet stands: spread evenly over the lamps of each commune."""
    own = np.bincount(commune, minlength=len(COMMUNES))
    share = own / own.sum() * CABINETS
    number = np.maximum(np.floor(share), 1).astype(np.int64)
    for i in np.argsort(-(share - number), kind="stable")[: CABINETS - number.sum()]:
        number[i] += 1
    code = _morton(xy)
    chosen: list[Ints] = []
    for i, wanted in enumerate(number.tolist()):
        rows = np.flatnonzero(commune == i)
        rows = rows[np.argsort(code[rows], kind="stable")]
        chosen.append(rows[((np.arange(float(wanted)) + 0.5) / wanted * len(rows)).astype(np.int64)])
    return np.concatenate(chosen)


def _circuits(network: Network, arc: Ints, seeds: Ints, commune: Ints) -> dict[tuple[int, int], tuple[float, int]]:
    """For each (commune, node): the nearest cabinet along the streets of that commune (Dijkstra from all at once)."""
    near: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
    columns = (network.tail, network.head, network.length_m, network.commune)
    for a, b, length, owner in zip(*(column.tolist() for column in columns), strict=True):
        near[a].append((b, length, owner))
        near[b].append((a, length, owner))
    best: dict[tuple[int, int], tuple[float, int]] = {}
    heap: list[tuple[float, int, int, int]] = []
    for cabinet, lamp in enumerate(seeds.tolist()):
        owner, on = int(commune[lamp]), int(arc[lamp])
        for node in (int(network.tail[on]), int(network.head[on])):
            heappush(heap, (float(network.length_m[on]) / 2, cabinet, owner, node))
    while heap:
        far, cabinet, owner, node = heappop(heap)
        if (owner, node) in best:
            continue
        best[owner, node] = (far, cabinet)
        for other, length, whose in near[node]:
            if whose == owner and (owner, other) not in best:
                heappush(heap, (far + length, cabinet, owner, other))
    return best


def _feeds(network: Network, xy: Floats, arc: Ints, commune: Ints, seeds: Ints) -> Ints:
    """The cabinet of each lamp: the nearest along the streets; by the crow where no street of the commune leads."""
    best = _circuits(network, arc, seeds, commune)
    fed = np.full(len(xy), -1, np.int64)
    tails, heads, owners = network.tail[arc].tolist(), network.head[arc].tolist(), commune.tolist()
    start = network.xy[network.start[arc]]
    from_tail = np.hypot(*(xy - start).T).tolist()
    from_head = (network.length_m[arc] - np.hypot(*(xy - start).T)).tolist()
    nothing = (float("inf"), -1)
    for i, owner in enumerate(owners):
        by_tail, by_head = best.get((owner, tails[i]), nothing), best.get((owner, heads[i]), nothing)
        fed[i] = (by_tail if by_tail[0] + from_tail[i] <= by_head[0] + from_head[i] else by_head)[1]
    seed_arcs = {int(arc[lamp]): cabinet for cabinet, lamp in enumerate(seeds.tolist())}
    for i in np.flatnonzero(np.isin(arc, list(seed_arcs))).tolist():
        cabinet = seed_arcs[int(arc[i])]
        if commune[seeds[cabinet]] == commune[i]:
            fed[i] = cabinet
    for i in np.flatnonzero(fed < 0).tolist():
        same = np.flatnonzero(commune[seeds] == commune[i])
        fed[i] = same[np.argmin(((xy[seeds[same]] - xy[i]) ** 2).sum(1))]
    fed[seeds] = np.arange(len(seeds))
    return fed


def circuits_of(fed: Ints) -> Ints:
    """How many outgoing circuits cabinets have that feed so many lamps each."""
    return np.maximum(-(-fed // LAMPS_A_CIRCUIT), 1)


def _shared_out(xy: Floats, arc: Ints, cabinet: Ints, cabinets: int) -> Ints:
    """The circuit of each lamp: its cabinet's lamps, street after street, cut into pieces of about one size."""
    order = np.lexsort((arc, cabinet))
    near = np.full(int(arc.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(near, arc, _morton(xy))
    order = order[np.lexsort((near[arc[order]], cabinet[order]))]
    fed = np.bincount(cabinet, minlength=cabinets)
    own = cabinet[order]
    place = np.arange(len(own)) - (np.cumsum(fed) - fed)[own]
    circuit = np.empty(len(own), np.int64)
    circuit[order] = 1 + place * circuits_of(fed)[own] // fed[own]
    return circuit


def light(network: Network, borders: Borders, rng: np.random.Generator) -> Lighting:
    """All luminaires and cabinets of the metropole."""
    lit = _lit(network, borders)
    xy, arc = _places(network, lit, _count(network, lit, rng), rng)
    commune = borders.commune_of(xy)
    assert (commune >= 0).all()
    seeds = _seeds(xy, commune)
    cabinet = _feeds(network, xy, arc, commune, seeds)
    # A whole street is renewed at once: the lamp, its year and its colour are the street's.
    streets = len(network.names)
    lamp_of = rng.choice(3, streets, p=(0.66, 0.27, 0.07))
    year_of = np.where(lamp_of == 0, rng.integers(2014, 2026, streets), rng.integers(1988, 2013, streets))
    month_of = rng.integers(1, 13, streets)
    street = network.name_of[arc]
    lamp = lamp_of[street]
    step = np.clip(network.rank[arc] - PRIMARY, 0, 2)
    power = _WATTS[lamp, step]
    colour = np.where(lamp == 0, np.where(rng.random(streets) < 0.45, 2_700.0, 3_000.0)[street],
                      np.where(lamp == 1, 2_000.0, 4_200.0))  # fmt: skip
    installed = tuple(f"{year:04d}-{month:02d}" for year, month in
                      zip(year_of[street].tolist(), month_of[street].tolist(), strict=True))  # fmt: skip
    _, way = network.along(arc[seeds], network.length_m[arc[seeds]] / 2)
    beside = np.stack([way[:, 0], way[:, 1]], -1) * 3.0
    return Lighting(
        xy, arc, commune, cabinet, lamp, power, np.round(power * _LUMEN_PER_W[lamp] / 10) * 10, colour,
        np.where(lamp == 0, 0.5, 4.0), np.where(lamp == 0, 98.0, 92.0), installed,
        xy[seeds] + beside, arc[seeds], commune[seeds], rng.permutation(len(seeds)) % 2 == 0,
        _shared_out(xy, arc, cabinet, len(seeds)),
    )  # fmt: skip

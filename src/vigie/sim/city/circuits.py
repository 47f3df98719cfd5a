"""Circuits: the streets that some service vehicles sweep, salt or collect in, and the way on which they do."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.services.roads.rounds.circuits import Task
from vigie.sim.city.city import City
from vigie.sim.city.frame import Ints
from vigie.sim.city.network import MOTORWAY, PATH, Network
from vigie.sim.city.routes import Course, drawn
from vigie.sim.city.transit import TASKS


@dataclass(frozen=True, slots=True)
class Trade:
    """How a task is done. of: the vehicles' own word for it (TASKS). long_m: the streets of a circuit together. hours:
    from when to when each circuit is driven, in hours of the day; none: when it is cold."""

    task: Task
    of: str
    long_m: float
    speed_m_s: float
    hours: tuple[tuple[int, int] | None, ...]


TRADES = (
    Trade("sweeping", "propreté", 5_000.0, 2.2, ((5, 12), (5, 12), (12, 19), (18, 23))),
    Trade("collection", "collecte", 7_000.0, 3.0, ((5, 12), (12, 19), (12, 19), (18, 23))),
    Trade("salting", "viabilité", 14_000.0, 7.0, (None, None, None)),
)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit with the vehicle that drives it, again and again.

    vehicle: the nth. streets: its arcs, in the order in which they are first driven. course: from the vehicle's home
    through all of them and back. arc: that of each leg of the course, between two nodes.
    """

    trade: Trade
    hours: tuple[int, int] | None
    vehicle: int
    commune: int
    streets: Ints
    course: Course
    arc: Ints


Arms = Mapping[int, list[tuple[int, int]]]
"""Of each node, the nodes beside it and the arcs that lead there."""


def circuits(city: City) -> list[Circuit]:
    """The circuits of a city: each in one commune, about its vehicle's home; no street is in two of one task."""
    network, rounds = city.network, city.rounds
    arms = _arms(network)
    made: list[Circuit] = []
    for trade in TRADES:
        taken: set[int] = set()
        waiting = deque(trade.hours)
        for vehicle in ints(np.flatnonzero(rounds.task == TASKS.index(trade.of))):
            if not waiting:
                break
            home, commune = rounds.courses[vehicle].nodes[0], int(rounds.commune[vehicle])
            sector = _sector(network, arms, home, commune, trade.long_m)
            if sum(float(network.length_m[arc]) for arc in sector) < trade.long_m or taken & sector:
                continue
            taken |= sector
            steps = _through(network, arms, home, sector)
            arc = np.array([arc for _, arc in steps], np.int64)
            streets = np.array(list(dict.fromkeys(ints(arc))), np.int64)
            course = drawn(network, home, steps)
            made.append(Circuit(trade, waiting.popleft(), vehicle, commune, streets, course, arc))
    return made


def _arms(network: Network) -> Arms:
    arms: dict[int, list[tuple[int, int]]] = {}
    driven = np.flatnonzero((network.rank != PATH) & (network.rank != MOTORWAY))
    for arc, a, b in zip(ints(driven), ints(network.tail[driven]), ints(network.head[driven]), strict=True):
        arms.setdefault(a, []).append((b, arc))
        arms.setdefault(b, []).append((a, arc))
    return arms


def _sector(network: Network, arms: Arms, home: int, commune: int, long_m: float) -> set[int]:
    """The streets of a commune next to a place, the fewest crossings away first."""
    sector: set[int] = set()
    far_m, seen, queue = 0.0, {home}, deque([home])
    while queue and far_m < long_m:
        for other, arc in arms.get(queue.popleft(), ()):
            if arc in sector or network.commune[arc] != commune or far_m >= long_m:
                continue
            sector.add(arc)
            far_m += float(network.length_m[arc])
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return sector


def _through(network: Network, arms: Arms, home: int, sector: set[int]) -> list[tuple[int, int]]:
    """(node, arc that leads to it): through all streets of a sector, and home. Where a way ends, on to the nearest
    street that is still to be driven."""
    left, here, steps = set(sector), home, list[tuple[int, int]]()
    while left:
        arm = next((each for each in arms[here] if each[1] in left), None)
        if arm is None:
            open_arcs = list(left)
            ends = {*ints(network.tail[open_arcs]), *ints(network.head[open_arcs])}
            way = _way(arms, here, sector, ends)
        else:
            way = [arm]
        steps += way
        here = way[-1][0]
        left.difference_update(arc for _, arc in way)
    return steps + _way(arms, here, sector, {home})


def _way(arms: Arms, origin: int, sector: set[int], to: set[int]) -> list[tuple[int, int]]:
    """The way by the fewest streets of a sector to the nearest of some nodes; empty where it begins at one."""
    before: dict[int, tuple[int, int]] = {}
    queue, node = deque([origin]), origin
    while node not in to:
        node = queue.popleft()
        for other, arc in arms[node]:
            if arc in sector and other != origin and other not in before:
                before[other] = (node, arc)
                queue.append(other)
    steps: list[tuple[int, int]] = []
    while node != origin:
        came, arc = before[node]
        steps.append((node, arc))
        node = came
    return steps[::-1]

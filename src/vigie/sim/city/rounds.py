"""Service vehicles: what each does, where it is kept, and the round that it drives.

Those that sweep, collect and salt have circuits: sectors of their commune, whose streets they drive through with their
tool at work. Each crew has the nearest vehicle of its trade, and no round: it goes where there is work. All others look
after the streets of a sector for their service, and stop here and there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from vigie.core.arrays import ints
from vigie.services.roads.rounds.circuits import Task
from vigie.sim.city.borders import Borders
from vigie.sim.city.crews import CREWS, depots
from vigie.sim.city.facts import VEHICLES
from vigie.sim.city.frame import Floats, Ints, Mask
from vigie.sim.city.markets import held
from vigie.sim.city.network import Network
from vigie.sim.city.routes import Course, Router, drawn
from vigie.sim.city.sectors import Ground

VEHICLE_TASKS = (
    "voirie", "propreté", "espaces verts", "éclairage", "collecte", "police municipale", "eau", "viabilité",
)  # fmt: skip
"""As the vehicles themselves name what they are for."""
_TASK_SHARE = (0.18, 0.20, 0.15, 0.08, 0.16, 0.12, 0.06, 0.05)

LATE_S_MAX = 1_500.0
"""A turn of a circuit begins so late at most."""
_SPARE_S = 1_200.0
"""And its end is so much later than it takes at least."""
_STEP_MIN = 30

_WEEK, _WORKDAYS, _BUT_SUNDAY = tuple(range(7)), tuple(range(5)), tuple(range(6))
_AFTER_MARKET_MIN = 14 * 60 + 30


@dataclass(frozen=True, slots=True)
class Trade:
    """How a task is done. of: the vehicles' own word for it (VEHICLE_TASKS). long_m: the streets of a circuit together.
    days: of each circuit of a vehicle, the weekdays from Monday on. begins_min: minutes after midnight, of which each
    vehicle has one; none: when it is cold."""

    task: Task
    of: str
    long_m: float
    speed_m_s: float
    days: tuple[tuple[int, ...], ...]
    begins_min: tuple[int, ...] = ()


TRADES = (
    Trade("sweeping", "propreté", 15_000.0, 2.2, (_BUT_SUNDAY,), (300, 300, 330, 360, 750, 780, 810, 1_080)),
    Trade("collection", "collecte", 10_000.0, 2.0, ((0, 2, 4), (1, 3, 5)), (300, 300, 330, 360, 780, 810, 1_110)),
    Trade("salting", "viabilité", 14_000.0, 7.0, (_WEEK,)),
)
TRANSFER_M_S = 8.0
"""To the first street of a circuit, between those that do not touch, and home."""

_PATROL_M = 20_000.0
_SHIFT_S = 7.5 * 3_600
_SHIFTS_MIN = {
    "police municipale": (300, 330, 750, 780, 1_230),
    "espaces verts": (450, 480),
    "éclairage": (450, 480, 990),
}
"""When those begin who look after their sectors; all others in the morning."""
_OTHER_SHIFTS_MIN = (450, 480, 510)
_ON_DUTY_SHARE = 0.2
"""Of those who do not work all week, some do at weekends."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a vehicle drives: from where it is kept through streets and back.

    vehicle: the nth. trade: of a circuit; none of a round that looks after a sector. streets: those of the sector, in
    the order in which they are first driven. days: weekdays from Monday on. begins_min: minutes after midnight; none:
    when it is cold. ends_min: when a turn of a circuit is due. laps: how often it is driven, one after the other.
    clock_s, driven_m: how far it is along its course by when. arc, works: of each span between two of these, the
    street, and whether something is done there.
    """

    vehicle: int
    commune: int
    trade: Trade | None
    streets: Ints
    days: tuple[int, ...]
    begins_min: int | None
    ends_min: int
    laps: int
    course: Course
    clock_s: Floats
    driven_m: Floats
    arc: Ints
    works: Mask


@dataclass(frozen=True, slots=True)
class Rounds:
    """Service vehicles: task of each (index into VEHICLE_TASKS), the commune it belongs to, and the node where it is
    kept. of_crew: the vehicle of each crew. driven: the rounds of the others."""

    task: Ints
    commune: Ints
    home: Ints
    of_crew: Ints
    driven: tuple[Round, ...]

    @property
    def circuits(self) -> list[Round]:
        """Those rounds on which something is swept, collected or salted."""
        return [each for each in self.driven if each.trade is not None]


def send_out(network: Network, borders: Borders, router: Router, rng: np.random.Generator) -> Rounds:
    """Service vehicles, mostly about the town where most people live, each with a round of its own or a crew."""
    weight = np.maximum(network.density, 0.02)
    of_node = np.zeros(len(network.nodes))
    np.maximum.at(of_node, network.tail, weight)
    chance = of_node[router.nodes] / of_node[router.nodes].sum()
    home = router.nodes[np.searchsorted(np.cumsum(chance), rng.random(VEHICLES)).clip(0, len(router.nodes) - 1)]
    ground = Ground(network)
    home = np.array([ground.near(each) for each in ints(home)], np.int64)
    share = np.array(_TASK_SHARE)
    task = rng.choice(len(VEHICLE_TASKS), VEHICLES, p=share / share.sum())
    commune = np.maximum(borders.commune_of(network.nodes[home]), 0)
    of_crew = _of_crews(borders, task, network.nodes[home])
    free = ~np.isin(np.arange(VEHICLES), of_crew)
    planner = Planner(network, ground, home, rng)
    driven: list[Round] = []
    trades = {each.of: each for each in TRADES}
    for code, name in enumerate(VEHICLE_TASKS):
        for place in ints(np.unique(commune)):
            own = ints(np.flatnonzero(free & (task == code) & (commune == place)))
            trade = trades.get(name)
            driven += planner.circuits(trade, place, own) if trade else planner.patrols(name, place, own)
    return Rounds(task, commune, home, of_crew, tuple(driven))


def _of_crews(borders: Borders, task: Ints, spots: Floats) -> Ints:
    """The vehicle of each crew: of those of its trade, the one that is kept nearest to where the crew starts."""
    chosen: list[int] = []
    for crew, depot in zip(CREWS, depots(borders), strict=True):
        own = np.flatnonzero((task == VEHICLE_TASKS.index(crew.of)) & ~np.isin(np.arange(len(task)), chosen))
        chosen.append(int(own[((spots[own] - depot) ** 2).sum(1).argmin()]))
    return np.array(chosen, np.int64)


class Planner:
    """Whoever says which vehicle drives where, and when."""

    def __init__(self, network: Network, ground: Ground, home: Ints, rng: np.random.Generator) -> None:
        self._network, self._ground, self._home, self._rng = network, ground, home, rng
        self._markets = held(network)

    def circuits(self, trade: Trade, commune: int, vehicles: Sequence[int]) -> Iterable[Round]:
        """The circuits of the vehicles of a trade in a commune; no street is in two of them."""
        own = [(vehicle, days) for vehicle in vehicles for days in trade.days]
        sectors = self._ground.share(commune, [int(self._home[vehicle]) for vehicle, _ in own], trade.long_m)
        begins = {each: int(self._rng.choice(trade.begins_min)) if trade.begins_min else None for each in vehicles}
        for (vehicle, days), sector in zip(own, sectors, strict=True):
            if sector:
                yield self._circuit(trade, commune, vehicle, sector, days, begins[vehicle])

    def _circuit(
        self, trade: Trade, commune: int, vehicle: int, sector: set[int], days: tuple[int, ...], begins_min: int | None
    ) -> Round:
        market = {day for arc in sector & self._markets.keys() for day in self._markets[arc]}
        if trade.task == "sweeping" and market:
            # After the market, when the street is free again, on its days too.
            days, begins_min = tuple(sorted({*days, *market})), _AFTER_MARKET_MIN
        course, arc = self._through(vehicle, sector)
        own = np.isin(arc, list(sector))
        clock_s = _running(self._network.length_m[arc] / np.where(own, trade.speed_m_s, TRANSFER_M_S))
        takes_min = (float(clock_s[-1]) + LATE_S_MAX + _SPARE_S) / 60
        ends_min = 0 if begins_min is None else begins_min + ceil(takes_min / _STEP_MIN) * _STEP_MIN
        streets = np.array(list(dict.fromkeys(ints(arc[own]))), np.int64)
        return Round(
            vehicle, commune, trade, streets, days, begins_min, ends_min, 1, course, clock_s, course.node_at_m, arc, own
        )

    def patrols(self, name: str, commune: int, vehicles: Sequence[int]) -> Iterable[Round]:
        """The rounds of the vehicles of a service that look after the streets of a commune, a sector each, as often as
        their shift has room."""
        sectors = self._ground.share(commune, [int(self._home[vehicle]) for vehicle in vehicles], _PATROL_M)
        for vehicle, sector in zip(vehicles, sectors, strict=True):
            if sector:
                yield self._patrol(name, commune, vehicle, sector)

    def _patrol(self, name: str, commune: int, vehicle: int, sector: set[int]) -> Round:
        luck = self._rng.random(5)
        course, arc = self._through(vehicle, sector)
        drive_s, stand_s = self._network.length_m[arc] / (6.0 + 4.0 * luck[0]), 60 + 600 * luck[1]
        turn = np.floor(np.cumsum(drive_s) / (180 + 420 * luck[2]))
        # It stands at the end of each street in which it has driven for long enough.
        stops = np.flatnonzero(np.diff(turn, prepend=0.0) > 0) + 1
        stops = stops[stops < len(arc)]
        clock_s = _running(np.insert(drive_s, stops, stand_s))
        driven_m = _running(np.insert(self._network.length_m[arc], stops, 0.0))
        works = np.insert(np.zeros(len(arc), np.bool_), stops, True)
        arc = np.insert(arc, stops, arc[stops - 1])
        begins = _SHIFTS_MIN.get(name, _OTHER_SHIFTS_MIN)
        begins_min = begins[int(luck[3] * len(begins))]
        all_week = name == "police municipale" or luck[4] < _ON_DUTY_SHARE
        laps = max(1, round(_SHIFT_S / float(clock_s[-1])))
        streets = np.array(list(dict.fromkeys(each for each in ints(arc) if each in sector)), np.int64)
        return Round(
            vehicle, commune, None, streets, _WEEK if all_week else _WORKDAYS, begins_min, 0, laps, course, clock_s,
            driven_m, arc, works,
        )  # fmt: skip

    def _through(self, vehicle: int, sector: set[int]) -> tuple[Course, Ints]:
        home = int(self._home[vehicle])
        steps = self._ground.through(home, sector)
        return drawn(self._network, home, steps), np.array([arc for _, arc in steps], np.int64)


def _running(each: Floats) -> Floats:
    """The sum of all before, from 0 on."""
    return np.concatenate([[0.0], np.cumsum(each)])

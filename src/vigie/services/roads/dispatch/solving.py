"""Rounds by PyVRP, an iterated local search for vehicle routing (Wouda, Lan and Kool, INFORMS Journal on Computing 36,
2024).

What is made small is the driving, in seconds, less what the tasks done are worth. A task with several windows is
several clients of which one is visited. What a crew may not do lies too far away for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyvrp
import pyvrp.search

from vigie.core.observations import Int64s
from vigie.services.roads.dispatch.model import HORIZON_S, NO_WAY, Kept, Problem, Proposal, Task, Why
from vigie.services.roads.dispatch.timing import alone, timed

WORTH_S = {1: 4 * 3_600, 2: 2 * 3_600, 3: 3_600, 4: 1_800}
"""Of each priority, how much driving more a task is worth: what is less far out of the way than that is done, if there
is room for it."""

MUST_S = 500_000
"""More than any driving of a day."""

FAR_S = 10 * HORIZON_S
"""No shift is so long."""

_ANYTHING = 2**40

_SEARCH = pyvrp.SolveParams(
    neighbourhood=pyvrp.search.NeighbourhoodParams(num_neighbours=25),
    perturbation=pyvrp.search.PerturbationParams(1, 10),
)
"""Smaller steps than the solver's own (50 and 25): on a thousand tasks four are made in the time of one of those.
Smaller still (5) are worse where rounds are long."""


class Enough(Protocol):
    """Says when a search has lasted long enough, asked at each of its steps."""

    def __call__(self, best_cost: int) -> bool:
        """best_cost: of what it has found so far."""
        ...


IDLE_STEPS = 20_000
"""The search ends when it has found nothing better for so long; a few tasks take less than a second then."""

LEAST_STEPS = 500
"""Less is no search, however late it began."""


@dataclass
class Patience:
    """Enough is when the time is over, or nothing was found for long. over: says that the time is."""

    over: Callable[[], bool]
    steps: int = 0
    idle: int = 0
    best: float = float("inf")

    def __call__(self, best_cost: int) -> bool:
        """Counts the step."""
        self.steps += 1
        self.idle = 0 if best_cost < self.best else self.idle + 1
        self.best = min(best_cost, self.best)
        return self.idle > IDLE_STEPS or (self.steps > LEAST_STEPS and self.over())


_Matrix = np.ndarray[Any, Any]


def solve(problem: Problem, seed: int, stop: Enough, kept: Kept | None = None) -> Proposal:
    """The best rounds found until `stop` says so. The same seed and the same number of steps give the same rounds."""
    kept = kept or Kept()
    fit = np.array([[alone(problem, task, k) is None for k in range(len(problem.crews))] for task in problem.tasks])
    if not fit.any():
        return timed(problem, {}, Why.NO_ROOM)
    model = _Model(problem, fit, kept)
    found = search(model.data, seed, stop, model.first())
    if not found.is_feasible():
        raise AssertionError("a search that began with rounds that can be driven ended without any")
    return timed(problem, model.orders(found), Why.NO_ROOM)


def search(data: pyvrp.ProblemData, seed: int, stop: Enough, first: pyvrp.Solution | None = None) -> pyvrp.Solution:
    """The best found until `stop` says so, in the solver's own terms; at least as good as the first, where one is
    said."""
    return pyvrp.solve(data, stop, seed=seed, collect_stats=False, params=_SEARCH, initial_solution=first).best


class _Model:
    """A problem in the solver's terms."""

    def __init__(self, problem: Problem, fit: Int64s, kept: Kept) -> None:
        self._problem, self._kept = problem, kept
        self._client: list[int] = []
        clients = list[pyvrp.Client]()
        groups = list[pyvrp.ClientGroup]()
        for row in np.flatnonzero(fit.any(axis=1)).tolist():
            own = _clients(problem.tasks[row], row, kept, len(groups))
            if len(own) > 1:
                numbers = list(range(len(clients), len(clients) + len(own)))
                groups.append(pyvrp.ClientGroup(numbers, required=False))
            clients += own
            self._client += [row] * len(own)
        crews = range(len(problem.crews))
        depots = [pyvrp.Depot(row) for k in crews for row in (problem.start_row(k), problem.end_row(k))]
        profiles = dict[bytes, int]()
        costs, times, types = list[_Matrix](), list[_Matrix](), list[pyvrp.VehicleType]()
        for k, crew in enumerate(problem.crews):
            cost, time = self._ways(fit[:, k], crew.id)
            key = cost.tobytes()
            if key not in profiles:
                profiles[key] = len(costs)
                costs.append(cost)
                times.append(time)
            types.append(
                pyvrp.VehicleType(
                    capacity=[_ANYTHING if crew.capacity is None else crew.capacity],
                    start_depot=2 * k,
                    end_depot=2 * k + 1,
                    tw_early=crew.shift[0],
                    tw_late=crew.shift[1],
                    profile=profiles[key],
                )
            )
        places = [pyvrp.Location(0, 0) for _ in range(len(problem.travel.drive_s))]
        self.data = pyvrp.ProblemData(places, clients, depots, types, costs, times, groups)

    def _ways(self, fits: Int64s, crew: str) -> tuple[Int64s, Int64s]:
        """What it costs and how long it takes a crew from place to place."""
        drive_s = self._problem.travel.drive_s
        time = np.where(drive_s == NO_WAY, FAR_S, drive_s)
        foreign = np.flatnonzero(~fits)
        time[:, foreign] = FAR_S
        cost = time.copy()
        for task, own in self._kept.crew_of.items():
            if own != crew:
                cost[:, self._problem.row[task]] += self._kept.move_s
        for each in (time, cost):
            np.fill_diagonal(each, 0)
        return cost, time

    def first(self) -> pyvrp.Solution:
        """What is kept, as far as it can be driven; the search is never left with less."""
        routes = list[pyvrp.Route]()
        for k, crew in enumerate(self._problem.crews):
            visits = list[int]()
            for name in self._kept.orders.get(crew.id, ()):
                row = self._problem.row[name]
                for client in (n for n, own in enumerate(self._client) if own == row):
                    longer = pyvrp.Route(self.data, [*visits, client], k)
                    if longer.is_feasible():
                        visits.append(client)
                        break
            if visits:
                routes.append(pyvrp.Route(self.data, visits, k))
        return pyvrp.Solution(self.data, routes)

    def orders(self, found: pyvrp.Solution) -> dict[str, list[str]]:
        """The tasks of each crew, in their order."""
        tasks, crews = self._problem.tasks, self._problem.crews
        return {
            crews[route.vehicle_type()].id: [
                tasks[self._client[each.idx]].id for each in route.schedule() if each.is_client()
            ]
            for route in found.routes()
        }


def _clients(task: Task, row: int, kept: Kept, group: int) -> list[pyvrp.Client]:
    worth_s = MUST_S if task.must else WORTH_S[task.priority]
    # Nobody is told a time and then none to save a little driving.
    worth_s += kept.move_s if task.id in kept.crew_of else 0
    return [
        pyvrp.Client(
            row,
            delivery=[task.load],
            service_duration=task.service_s,
            tw_early=first,
            tw_late=last,
            prize=worth_s,
            required=False,
            group=group if len(task.begins) > 1 else None,
        )
        for first, last in task.begins
    ]

"""Rounds made anew in the middle of the day, with as little moved as possible.

What is begun stays where it is: it is no part of what is planned. What a crew was told to do stays with it, unless that
breaks a rule or costs too much; and in the order in which it was told, unless that costs too much.

    tasks, crews = remaining(tasks, crews, standings, now_s)
    problem = Problem(day, tasks, crews, travel_of(network, speed, tasks, crews))
    found = solve(problem, seed, stop, keeping(problem, running))
    replanned = settled(problem, running, standings, found)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vigie.services.roads.dispatch.judging import check
from vigie.services.roads.dispatch.model import Crew, Kept, Place, Problem, Proposal, Round, Stop, Task
from vigie.services.roads.dispatch.timing import alone, driven

MOVE_S = 900
"""A task changes its crew where that saves so much driving: what is moved has to be told to two crews, and read."""

ORDER_S = 180
"""The order of a round that keeps its tasks changes where that saves so much driving."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a crew stands. place, free_s: where and when it will be free to go on. begun: what it has done and begun,
    in order; planned times where that is not over. away: it does no more today."""

    crew: str
    place: Place
    free_s: int
    begun: tuple[Stop, ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A task that another crew does now, or nobody. forced: its crew is away, or could not do it any more."""

    task: str
    was: str
    now: str | None
    forced: bool


@dataclass(frozen=True, slots=True)
class Replanned:
    """begun: of each crew, what stays as it is. rest: what comes after it. moved: what was told otherwise before."""

    begun: Mapping[str, tuple[Stop, ...]]
    rest: Proposal
    moved: tuple[Move, ...]

    @property
    def orders(self) -> dict[str, tuple[str, ...]]:
        """Of each crew, the tasks of its whole day in their order."""
        rest = self.rest.orders
        crews = dict.fromkeys([*self.begun, *rest])
        return {crew: tuple(stop.task for stop in self.begun.get(crew, ())) + rest.get(crew, ()) for crew in crews}


def remaining(
    tasks: Sequence[Task], crews: Sequence[Crew], standings: Sequence[Standing], now_s: int
) -> tuple[tuple[Task, ...], tuple[Crew, ...]]:
    """What is still to be planned, and by whom. A crew of which nothing is said has not left yet."""
    known = {each.crew: each for each in standings}
    load = {each.id: each.load for each in tasks}
    begun = {stop.task for each in standings for stop in each.begun}
    there = list[Crew]()
    for crew in crews:
        standing = known.get(crew.id)
        if standing is None:
            from_s, place, room = max(crew.shift[0], now_s), crew.start, crew.capacity
        elif standing.away:
            continue
        else:
            # Free before its shift begins: what it has begun it did in another one.
            from_s, place, room = max(standing.free_s, now_s, crew.shift[0]), standing.place, crew.capacity
            if room is not None:
                room = max(room - sum(load.get(stop.task, 0) for stop in standing.begun), 0)
        # Who is late beyond the end has no time left, and does not go back in it.
        there.append(replace(crew, start=place, shift=(from_s, max(crew.shift[1], from_s)), capacity=room))
    return tuple(each for each in tasks if each.id not in begun), tuple(there)


def keeping(problem: Problem, running: Proposal, move_s: int = MOVE_S) -> Kept:
    """What of the running proposal the rest of the day should keep: all that its crew can still do."""
    crews = {each.id: number for number, each in enumerate(problem.crews)}
    crew_of = {
        task: crew
        for task, crew in running.crew_of.items()
        if task in problem.row
        and crew in crews
        and alone(problem, problem.tasks[problem.row[task]], crews[crew]) is None
    }
    orders = {crew: [task for task in order if task in crew_of] for crew, order in running.orders.items()}
    return Kept(crew_of, orders, move_s)


def settled(
    problem: Problem, running: Proposal, standings: Sequence[Standing], found: Proposal, order_s: int = ORDER_S
) -> Replanned:
    """What the search found, with each round that kept its tasks in the order in which it was told, where that costs
    little; and what has moved."""
    told = keeping(problem, running)
    numbers = {each.id: number for number, each in enumerate(problem.crews)}
    rounds = list(found.rounds)
    for n, each in enumerate(rounds):
        order, own = told.orders.get(each.crew, ()), {stop.task for stop in each.stops}
        if own == set(order):
            before = driven(problem, numbers[each.crew], order)
            if before.drive_s <= each.drive_s + order_s and not _broken(problem, before):
                rounds[n] = before
    rest = Proposal(tuple(rounds), found.left)
    now = rest.crew_of
    moved = [
        Move(task, crew, now.get(task), task not in told.crew_of)
        for task, crew in running.crew_of.items()
        if task in problem.row and now.get(task) != crew
    ]
    return Replanned({each.crew: each.begun for each in standings}, rest, tuple(moved))


def _broken(problem: Problem, instead: Round) -> bool:
    """Whether a round breaks a rule of its own."""
    return any(each.crew == instead.crew for each in check(problem, Proposal((instead,), ())))

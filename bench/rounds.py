"""Rounds for crews: how long a plan of a day takes on Montpellier's streets, and how far the search is from the best
known on public instances."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyvrp

from bench.harness import ASKED, Measured, measurement
from bench.roads import streets
from vigie.api.roads.planning import Planned, propose
from vigie.core.ground import M_PER_DEGREE
from vigie.engine.jobs import Jobs
from vigie.services.roads.dispatch.judging import Rule
from vigie.services.roads.dispatch.model import Crew, Place, Problem, Proposal, Task, Why
from vigie.services.roads.dispatch.replanning import Standing, keeping, remaining, settled
from vigie.services.roads.dispatch.solving import search
from vigie.services.roads.dispatch.streets import speeds, travel_of

INSTANCES = Path(__file__).resolve().parents[2] / "shared" / "routing"
TASKS, CREWS, HOUR_S = 200, 20, 3_600
DAY = date(2026, 11, 27)
SEARCHED_S = 60.0
RUNS = 3


def _day(seed: int) -> tuple[list[Task], list[Crew]]:
    """Orders at places that dice choose along the streets: of four in ten an electrical skill is asked, of two a
    network one; half have a window of three hours, three in twenty one of two half days; a tenth must be done. Every
    second crew is electrical, every third a network one; one skill ended the day before."""
    network, dice = streets(), np.random.default_rng(seed)
    rows = dice.choice(len(network.ground.a), TASKS + CREWS, replace=False)
    east_m = M_PER_DEGREE * float(np.cos(np.radians(network.middle_lat)))
    places = [Place(float(x) / east_m, float(y) / M_PER_DEGREE) for x, y in network.ground.a[rows]]

    def windows() -> tuple[tuple[int, int], ...]:
        kind, hour = dice.random(), int(dice.integers(7, 13))
        if kind < 0.15:
            return ((8 * HOUR_S, 12 * HOUR_S), (13 * HOUR_S, 15 * HOUR_S))
        return ((hour * HOUR_S, (hour + 3) * HOUR_S),) if kind < 0.65 else ()

    tasks = [
        Task(
            f"t{n}", places[n], 60 * int(dice.integers(10, 50)), windows(),
            frozenset(skill for skill, share in (("electrical", 0.4), ("network", 0.2)) if dice.random() < share),
            int(dice.integers(0, 4)), int(dice.integers(1, 5)), bool(dice.random() < 0.1),
        )
        for n in range(TASKS)
    ]  # fmt: skip
    crews = list[Crew]()
    for n in range(CREWS):
        skills: dict[str, date | None] = {"electrical": date(2027, 6, 30)} if n % 2 else {}
        if n % 3 == 0:
            skills["network"] = date(2026, 11, 26) if n == 0 else None
        start = 7 * HOUR_S + 1_800 * (n % 3)
        home = places[TASKS + n % 4]
        crews.append(Crew(f"c{n}", skills, home, home, (start, start + 7 * HOUR_S), 40))
    return tasks, crews


@measurement("roads.plan_s")
def plan_s() -> Measured:
    """Seconds from orders and crews to judged rounds: ways through the streets, a process started, the search. The
    network of streets itself is there already, as it is in a post. Raises OSError where the streets are missing."""
    network, runs, told = streets(), list[float](), list[str]()
    speed = speeds(network)
    for seed in [each + n for each in ASKED.seeds for n in range(RUNS)]:
        tasks, crews = _day(seed)
        began = time.perf_counter()
        problem = Problem(DAY, tuple(tasks), tuple(crews), travel_of(network, speed, tasks, crews))
        ways_s = time.perf_counter() - began
        planned = asyncio.run(propose(Jobs(), problem, who="bench", seed=1))
        runs.append(time.perf_counter() - began)
        told.append(f"day {seed}: ways {ways_s:.2f} s of {runs[-1]:.2f} s; {_told(problem, planned)}")
        told.append(_anew(problem, planned.proposal, seed))
    size = f"{TASKS} orders, {CREWS} crews, skills and windows, Montpellier's 8,011 arcs"
    return Measured("roads.plan_s", "s", runs, 10, False, size, "2", told=told)


def _told(problem: Problem, planned: Planned) -> str:
    broken = [each.rule for each in planned.findings if each.rule is not Rule.MUST_LEFT]
    if broken:
        raise AssertionError(f"the judge finds {broken}")
    rounds, left = planned.proposal.rounds, planned.proposal.left
    why = ", ".join(
        f"{sum(each.why is why for each in left)} {why.value}" for why in Why if why in {e.why for e in left}
    )
    must = sum(problem.tasks[problem.row[each.task]].must for each in left)
    hours = sum(each.drive_s for each in rounds) / HOUR_S
    done = f"{len(planned.proposal.crew_of)} done by {len(rounds)} crews in {hours:.1f} h of driving"
    return f"{done}; left {why or 'none'}, {must} of them must"


def _anew(problem: Problem, running: Proposal, seed: int) -> str:
    """The same day at ten: one crew will be free an hour later than it was planned, and an order comes that must be
    begun within the hour. What moves, and what would if all were planned afresh."""
    now_s, dice, network = 10 * HOUR_S, np.random.default_rng(seed), streets()
    there = list[Standing]()
    for n, each in enumerate(running.rounds):
        begun = tuple(stop for stop in each.stops if stop.start_s <= now_s)
        if begun:
            place = problem.tasks[problem.row[begun[-1].task]].place
            there.append(Standing(each.crew, place, max(begun[-1].leave_s, now_s) + (HOUR_S if n == 3 else 0), begun))
    where = problem.tasks[int(dice.integers(TASKS))].place
    urgent = Task("urgent", where, 2_700, ((now_s, now_s + HOUR_S),), priority=1, must=True)
    tasks, crews = remaining([*problem.tasks, urgent], problem.crews, there, now_s)
    rest = Problem(DAY, tasks, crews, travel_of(network, speeds(network), tasks, crews))
    moved = list[str]()
    for name, kept in (("keeping", keeping(rest, running)), ("afresh", None)):
        planned = asyncio.run(propose(Jobs(), rest, who="bench", seed=1, kept=kept))
        found = settled(rest, running, there, planned.proposal)
        others = sum(each.now is not None for each in found.moved)
        done = "done" if "urgent" in found.rest.crew_of else "not done"
        hours = sum(each.drive_s for each in found.rest.rounds) / HOUR_S
        moved.append(
            f"{name}: the urgent one {done}, {others} to another crew, {len(found.moved) - others} given up, "
            f"{len(found.rest.left)} left, {hours:.1f} h of driving"
        )
    return f"  at ten, of {len(running.crew_of.keys() & rest.row.keys())} still to do: {'; '.join(moved)}"


@measurement("roads.plan_gap")
def plan_gap() -> Measured:
    """Per cent by which the routes found in 60 s of one core's time are longer than the best known, the mean of public
    instances. Raises OSError where the instances are missing."""
    found = [gap_of(path, ASKED.seeds[0]) for path in sorted(INSTANCES.glob("*.vrp"))]
    if not found:
        raise FileNotFoundError(INSTANCES)
    gaps = [gap for gap, _ in found]
    told = [*(line for _, line in found), f"greatest {max(gaps):.2f} % (5 %)"]
    size = f"{len(gaps)} public instances, {SEARCHED_S:.0f} s of one core each"
    return Measured("roads.plan_gap", "%", [float(np.mean(gaps))], 3, False, size, "1", told=told)


def gap_of(path: Path, seed: int) -> tuple[float, str]:
    """Of one instance, and what is to be told of it. Distances and times are truncated to one decimal. The best known
    routes are measured by the same ways, and must be routes that can be driven by them."""
    data = pyvrp.read(path, "dimacs")
    best = pyvrp.read_solution(path.with_suffix(".sol"), data)
    if not best.is_feasible():
        raise AssertionError(f"the best known routes of {path.stem} cannot be driven")
    ends, wall = time.process_time() + SEARCHED_S, time.perf_counter()

    def enough(best_cost: int) -> bool:
        return time.process_time() > ends

    found = search(data, seed, enough)
    if not found.is_feasible():
        raise AssertionError(f"no routes of {path.stem} were found that can be driven")
    gap = 100 * (found.distance() / best.distance() - 1)
    return gap, (
        f"{path.stem}, {data.num_clients} customers: {found.distance() / 10:.1f}, best known "
        f"{best.distance() / 10:.1f}, gap {gap:.2f} %, in {time.perf_counter() - wall:.0f} s by the clock"
    )

"""Rounds that can be driven, as good as all of them tried out, and the reason of what is in none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.services.roads.dispatch.days import HOUR_S, crew, day, days, place, seconds, steps, task
from vigie.services.roads.dispatch.judging import Rule, check
from vigie.services.roads.dispatch.model import Problem, Proposal, Task, Why
from vigie.services.roads.dispatch.solving import MUST_S, WORTH_S, solve
from vigie.services.roads.dispatch.timing import alone, timed


def cost(problem: Problem, proposal: Proposal) -> int:
    """What the search makes small."""
    left = (problem.tasks[problem.row[each.task]] for each in proposal.left)
    return seconds(proposal) + sum(MUST_S if each.must else WORTH_S[each.priority] for each in left)


@given(days())
@settings(max_examples=40, deadline=None)
def test_what_is_proposed_breaks_no_rule(problem: Problem) -> None:
    found = solve(problem, 1, steps(60))
    assert {each.rule for each in check(problem, found)} <= {Rule.MUST_LEFT}
    for each in found.left:
        own = problem.tasks[problem.row[each.task]]
        can = [k for k in range(len(problem.crews)) if alone(problem, own, k) is None]
        assert bool(can) == (each.why is Why.NO_ROOM)


@given(days(most=4, crews_most=2))
@settings(max_examples=12, deadline=None)
def test_a_small_day_is_as_good_as_all_of_its_days_tried_out(problem: Problem) -> None:
    found = solve(problem, 1, steps(150))
    names, crews = [each.id for each in problem.tasks], [each.id for each in problem.crews]
    every = (
        timed(problem, dict(zip(crews, (order[:cut], order[cut:end]), strict=False)), Why.NO_ROOM)
        for order in permutations(names)
        for cut in range(len(order) + 1)
        for end in range(cut, len(order) + 1)
    )
    fair = [each for each in every if {found.rule for found in check(problem, each)} <= {Rule.MUST_LEFT}]
    best = min(cost(problem, each) for each in fair)
    assert cost(problem, found) == best


def test_the_same_seed_gives_the_same_rounds() -> None:
    tasks = [task(f"t{n}", n % 5, n // 5) for n in range(14)]
    problem = day(tasks, [crew("one"), crew("two", 4, 4)])
    assert solve(problem, 5, steps(50)) == solve(problem, 5, steps(50))


def test_why_a_task_is_left_out_is_said() -> None:
    tasks = [
        task("any", 1, 1),
        task("diving", 1, 1, skills=frozenset({"diving"})),
        task("network", 1, 1, skills=frozenset({"network"})),
        task("boulder", 1, 1, load=9),
        task("dawn", 1, 1, windows=((0, 6 * HOUR_S),)),
        task("week", 1, 1, service_s=20 * HOUR_S),
        replace(task("abroad", 1, 1), place=place(99, 99)),
    ]
    full = [task(f"long{n}", 2, 2, service_s=6 * HOUR_S, priority=4) for n in range(2)]
    one = crew("one", skills={"network": date(2026, 11, 26)}, capacity=5)
    problem = day(tasks + full, [one])
    found = solve(problem, 1, steps(100))
    said = {each.task: each.why for each in found.left}
    room = said.pop("long0", None) or said.pop("long1")
    assert room is Why.NO_ROOM
    assert said == {
        "diving": Why.NO_SKILL,
        "network": Why.SKILL_EXPIRED,
        "boulder": Why.TOO_HEAVY,
        "dawn": Why.NO_WINDOW,
        "week": Why.NO_WINDOW,
        "abroad": Why.NO_WAY,
    }


def test_what_must_be_done_goes_before_what_is_worth_more() -> None:
    tasks = [
        task("must", 4, 4, service_s=5 * HOUR_S, must=True, priority=4),
        task("dear", 0, 1, service_s=5 * HOUR_S, priority=1),
    ]
    found = solve(day(tasks, [crew("one")]), 1, steps(50))
    assert [each.task for each in found.left] == ["dear"]


def test_a_task_far_out_of_the_way_is_worth_its_priority() -> None:
    """Half an hour and more of driving is worth the second priority, and not the last."""
    far, near = task("far", 4, 4, priority=4), task("far", 4, 4, priority=2)
    slow = {each: day([each], [crew("one")]) for each in (far, near)}
    for each, problem in slow.items():
        problem = replace(problem, travel=replace(problem.travel, drive_s=np.where(problem.travel.drive_s, 1_000, 0)))
        assert bool(solve(problem, 1, steps(20)).left) == (each is far)


def test_no_crew_and_no_task_are_days_too() -> None:
    assert solve(day([], [crew("one")]), 1, steps(5)) == Proposal((), ())
    assert [each.why for each in solve(day([task("any", 1, 1)], []), 1, steps(5)).left] == [Why.NO_SKILL]


@pytest.mark.parametrize(
    "said",
    [{"windows": ((5, 1),)}, {"windows": ((0, 1),) * 9}, {"priority": 5}, {"load": -1}, {"service_s": -1}],
)
def test_a_day_that_cannot_be_is_refused(said: dict[str, object]) -> None:
    wrong: Task = replace(task("any", 1, 1), **said)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="any"):
        day([wrong], [crew("one")])
    with pytest.raises(ValueError, match="one name"):
        day([task("any", 1, 1), task("any", 2, 1)], [])

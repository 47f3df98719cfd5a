"""In the middle of the day: what is begun never moves, and what was told is kept as far as it can be."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.dispatch.days import HOUR_S, crew, day, days, seconds, steps, task
from vigie.services.roads.dispatch.judging import Rule, check
from vigie.services.roads.dispatch.model import Problem, Proposal, Task
from vigie.services.roads.dispatch.replanning import MOVE_S, Replanned, Standing, keeping, remaining, settled
from vigie.services.roads.dispatch.solving import solve

NOON_S = 11 * HOUR_S


def standings(problem: Problem, running: Proposal, now_s: int, late_s: int = 0, away: str = "") -> list[Standing]:
    """Where crews stand at an instant, if all goes as it was planned, but for one late and one away."""
    found = list[Standing]()
    for n, each in enumerate(running.rounds):
        begun = tuple(stop for stop in each.stops if stop.start_s <= now_s)
        home = next(own.start for own in problem.crews if own.id == each.crew)
        at = problem.tasks[problem.row[begun[-1].task]].place if begun else home
        free_s = max(begun[-1].leave_s if begun else now_s, now_s) + (late_s if n == 0 else 0)
        found.append(Standing(each.crew, at, free_s, begun, away=each.crew == away))
    return found


def anew(
    problem: Problem, running: Proposal, there: list[Standing], now_s: int, *more: Task
) -> tuple[Problem, Replanned]:
    """The rest of the day, and what is made of it."""
    tasks, crews = remaining([*problem.tasks, *more], problem.crews, there, now_s)
    rest = day(list(tasks), list(crews))
    found = solve(rest, 1, steps(60), keeping(rest, running))
    return rest, settled(rest, running, there, found)


@given(
    days(),
    st.integers(7, 15),
    st.sampled_from([0, HOUR_S, 9 * HOUR_S]),
    st.sampled_from(["", "c0", "c1"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_what_is_begun_never_moves(problem: Problem, hour: int, late_s: int, away: str, urgent: bool) -> None:
    running = solve(problem, 1, steps(30))
    there = standings(problem, running, hour * HOUR_S, late_s, away)
    more = [task("urgent", 3, 3, priority=1, must=True)] if urgent else []
    rest, done = anew(problem, running, there, hour * HOUR_S, *more)
    assert {each.rule for each in check(rest, done.rest)} <= {Rule.MUST_LEFT}
    begun = {stop.task for each in there for stop in each.begun}
    assert begun.isdisjoint(done.rest.crew_of)
    assert begun.isdisjoint(each.task for each in done.rest.left)
    for each in there:
        own = tuple(stop.task for stop in each.begun)
        assert done.orders[each.crew][: len(own)] == own
        if each.away:
            assert done.orders[each.crew] == own
    assert {each.id for each in problem.tasks} | {each.id for each in more} == begun | set(done.rest.crew_of) | {
        each.task for each in done.rest.left
    }
    free = {each.crew: max(each.free_s, hour * HOUR_S) for each in there}
    assert all(each.leave_s >= free.get(each.crew, hour * HOUR_S) for each in done.rest.rounds)


@given(days(), st.sampled_from([0, HOUR_S]))
@settings(max_examples=25, deadline=None)
def test_who_could_go_on_is_given_to_another_only_where_that_pays(problem: Problem, late_s: int) -> None:
    """Against what is kept as it was: each move saves as much driving as is said, or makes room for something more."""
    running = solve(problem, 1, steps(30))
    there = standings(problem, running, NOON_S, late_s)
    rest, done = anew(problem, running, there, NOON_S)
    kept = solve(rest, 1, steps(0), keeping(rest, running))
    free = [each for each in done.moved if not each.forced and each.now is not None]
    gained = {each.task for each in kept.left} - {each.task for each in done.rest.left}
    assert gained or not free or seconds(kept) - seconds(done.rest) >= MOVE_S * len(free)


TASKS = [task(f"t{n}", n % 5, n // 5 % 5, service_s=2_700) for n in range(20)]
CREWS = [crew("one"), crew("two", 4, 4), crew("three", 0, 4)]


def test_an_emergency_moves_less_than_to_plan_afresh() -> None:
    problem = day(TASKS, CREWS)
    running = solve(problem, 1, steps(200))
    there = standings(problem, running, NOON_S)
    urgent = task("urgent", 2, 2, priority=1, must=True, windows=((NOON_S, NOON_S + 2_700),))
    rest, done = anew(problem, running, there, NOON_S, urgent)
    afresh = settled(rest, running, there, solve(rest, 2, steps(60)))
    assert "urgent" in done.rest.crew_of
    assert len(done.moved) <= len(afresh.moved)
    assert len([each for each in done.moved if each.now is not None]) <= 1


def test_nothing_moves_where_all_goes_as_planned() -> None:
    problem = day(TASKS, CREWS)
    running = solve(problem, 1, steps(200))
    there = standings(problem, running, NOON_S)
    _, done = anew(problem, running, there, NOON_S)
    assert done.moved == ()
    assert done.orders == running.orders


def test_the_tasks_of_who_is_away_go_to_others_and_theirs_stay() -> None:
    problem = day(TASKS[:12], CREWS)
    running = solve(problem, 1, steps(200))
    gone = max(running.rounds, key=lambda each: len(each.stops)).crew
    there = standings(problem, running, 8 * HOUR_S, away=gone)
    _, done = anew(problem, running, there, 8 * HOUR_S)
    assert done.moved
    assert {each.was for each in done.moved} == {gone}
    assert all(each.forced and each.now not in (None, gone) for each in done.moved)


def test_what_is_loaded_stays_loaded() -> None:
    one = crew("one", capacity=5)
    heavy = [task("first", 1, 0, load=3), task("second", 2, 0, load=3)]
    there = [Standing("one", one.start, 9 * HOUR_S, begun=solve(day(heavy[:1], [one]), 1, steps(5)).rounds[0].stops)]
    tasks, crews = remaining(heavy, [one], there, 9 * HOUR_S)
    assert [each.id for each in tasks] == ["second"]
    assert crews == (replace(one, shift=(9 * HOUR_S, 15 * HOUR_S), capacity=2),)


def test_who_is_free_before_the_shift_begins_waits_for_it() -> None:
    night = crew("c0", shift=(8 * HOUR_S, 12 * HOUR_S))
    _, (there,) = remaining([], [night], [Standing("c0", night.start, HOUR_S)], 0)
    assert there.shift == (8 * HOUR_S, 12 * HOUR_S)

"""The judge names each broken rule, and what a person may decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from tests.services.roads.dispatch.days import HOUR_S, crew, day, steps, task
from vigie.services.roads.dispatch.judging import FOR_PEOPLE, Finding, Rule, check
from vigie.services.roads.dispatch.model import Left, Proposal, Round, Stop, Why
from vigie.services.roads.dispatch.solving import solve
from vigie.services.roads.dispatch.timing import among, timed

TASKS = [
    task("lamp", 1, 0, skills=frozenset({"low"}), load=2),
    task("cabinet", 2, 0, skills=frozenset({"low", "network"}), must=True),
    task("bench", 1, 1, load=3, windows=((9 * HOUR_S, 10 * HOUR_S),)),
]
CREWS = [
    crew("one", 0, 0, "low", "network", capacity=5),
    crew("two", 4, 4, skills={"low": date(2026, 11, 26), "network": None}),
]
DAY = day(TASKS, CREWS)
GOOD = timed(DAY, {"one": ["lamp", "cabinet", "bench"]}, Why.BY_HAND)


def by_hand(one: list[str], two: list[str] | None = None) -> list[Finding]:
    """What the judge finds in rounds made by a person."""
    return check(DAY, timed(DAY, {"one": one, "two": two or []}, Why.BY_HAND))


def test_a_good_day_has_no_finding() -> None:
    assert check(DAY, GOOD) == []


def test_skills_are_looked_at_on_the_day() -> None:
    assert by_hand(["cabinet", "bench"], ["lamp"]) == [Finding(Rule.EXPIRED, "two", "lamp", skill="low")]
    bare = replace(DAY, crews=(replace(CREWS[0], skills={"low": date(2026, 11, 27)}), CREWS[1]))
    assert check(bare, GOOD) == [Finding(Rule.SKILL, "one", "cabinet", skill="network")]


def test_what_a_person_makes_gets_findings_and_no_refusal() -> None:
    assert by_hand(["lamp", "bench"]) == [Finding(Rule.MUST_LEFT, task="cabinet")]
    late = replace(DAY, tasks=(TASKS[0], TASKS[1], replace(TASKS[2], windows=((0, 7 * HOUR_S),))))
    found = check(late, timed(late, {"one": ["lamp", "cabinet", "bench"]}, Why.BY_HAND))
    assert [(each.rule, each.task, each.for_people) for each in found] == [(Rule.WINDOW, "bench", True)]
    assert found[0].over > HOUR_S
    short = replace(DAY, crews=(replace(CREWS[0], shift=(7 * HOUR_S, 8 * HOUR_S)), CREWS[1]))
    assert [each.rule for each in check(short, GOOD)] == [Rule.SHIFT]


def test_nobody_decides_that_a_vehicle_is_overladen() -> None:
    small = replace(DAY, crews=(replace(CREWS[0], capacity=4), CREWS[1]))
    assert check(small, GOOD) == [Finding(Rule.CAPACITY, "one", over=1)]
    assert not FOR_PEOPLE & {Rule.CAPACITY, Rule.SKILL, Rule.EXPIRED, Rule.NO_WAY}


def _round(change: Callable[[Round], Round]) -> Proposal:
    return replace(GOOD, rounds=(change(GOOD.rounds[0]),))


def _stop(n: int, **said: int) -> Proposal:
    stops = list(GOOD.rounds[0].stops)
    stops[n] = replace(stops[n], **said)
    return _round(lambda each: replace(each, stops=tuple(stops)))


@pytest.mark.parametrize(
    ("proposal", "rules"),
    [
        (Proposal((), ()), {Rule.MISSING}),
        (replace(GOOD, rounds=GOOD.rounds * 2), {Rule.DOUBLE}),
        (replace(GOOD, left=(Left("lamp", Why.NO_ROOM),)), {Rule.DOUBLE}),
        (replace(GOOD, left=(Left("moon", Why.NO_ROOM),)), {Rule.UNKNOWN}),
        (_round(lambda each: replace(each, crew="nobody")), {Rule.UNKNOWN}),
        (_round(lambda each: replace(each, stops=(*each.stops, Stop("moon", 0, 0, 0)))), {Rule.UNKNOWN}),
        (_round(lambda each: replace(each, leave_s=each.leave_s + 900)), {Rule.TOO_SOON}),
        (_round(lambda each: replace(each, leave_s=6 * HOUR_S)), {Rule.SHIFT}),
        (_round(lambda each: replace(each, back_s=each.stops[-1].leave_s)), {Rule.TOO_SOON}),
        (_round(lambda each: replace(each, distance_m=each.distance_m - 1)), {Rule.WRONG_SUM}),
        (_round(lambda each: replace(each, drive_s=each.drive_s + 1)), {Rule.WRONG_SUM}),
        (_stop(0, start_s=0), {Rule.TOO_SOON}),
        (_stop(0, leave_s=GOOD.rounds[0].stops[0].start_s), {Rule.TOO_SOON}),
        (_stop(1, arrival_s=0), {Rule.TOO_SOON}),
    ],
)
def test_what_cannot_be_so_is_found(proposal: Proposal, rules: set[Rule]) -> None:
    found = check(DAY, proposal)
    assert {each.rule for each in found} == rules
    assert not any(each.for_people for each in found if each.rule is not Rule.SHIFT)


def test_a_way_that_does_not_lead_is_found() -> None:
    travel = DAY.travel.drive_s.copy()
    travel[0, 1] = -1
    broken = replace(DAY, travel=replace(DAY.travel, drive_s=travel))
    assert Finding(Rule.NO_WAY, "one", "cabinet") in check(broken, GOOD)


def test_what_a_crew_keeps_is_done_by_no_other_and_put_where_its_time_is() -> None:
    kept = task("kept", 2, 0, windows=((10 * HOUR_S, 10 * HOUR_S + 1_800),), must=True, crew="one")
    own = [task(f"t{n}", n, 1, service_s=HOUR_S) for n in range(3)]
    town = day([kept, *own], [crew("one"), crew("two", 4, 4)])
    wrong = timed(town, {"two": ["kept"]}, Why.BY_HAND)
    assert Rule.GIVEN in {each.rule for each in check(town, wrong)}
    order = among(town, 0, ["t0", "t1", "t2"], ["kept"])
    assert [each for each in order if each != "kept"] == ["t0", "t1", "t2"]
    assert check(town, timed(town, {"one": order}, Why.BY_HAND)) == []
    found = solve(town, 1, steps(50))
    assert found.crew_of["kept"] == "one"
    alone = replace(town, tasks=(replace(kept, crew="three"), *town.tasks[1:]))
    assert {each.task: each.why for each in solve(alone, 1, steps(50)).left} == {"kept": Why.GIVEN}

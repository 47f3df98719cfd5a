"""The judge of rounds, whoever made them: a solver, or a dispatcher by hand. It believes nothing that a proposal says,
and shares nothing with what makes one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vigie.services.roads.crews import ended
from vigie.services.roads.dispatch.model import NO_WAY, Crew, Problem, Proposal, Round, Task


class Rule(StrEnum):
    """What a proposal may break. Each has its words, `rounds.rule.*`."""

    UNKNOWN = "unknown"
    """A crew or a task that there is not."""
    DOUBLE = "double"
    """A task in two places, or a crew with two rounds."""
    MISSING = "missing"
    """A task that is neither in a round nor told to be left out."""
    GIVEN = "given"
    """A task of another crew, which keeps it."""
    SKILL = "skill"
    EXPIRED = "expired"
    CAPACITY = "capacity"
    NO_WAY = "no_way"
    TOO_SOON = "too_soon"
    """Sooner there, or sooner gone, than ways and work allow."""
    WRONG_SUM = "wrong_sum"
    """Metres or seconds of driving that are not those of the ways."""
    WINDOW = "window"
    SHIFT = "shift"
    MUST_LEFT = "must_left"
    """A task that must be done is left out."""


FOR_PEOPLE = frozenset({Rule.WINDOW, Rule.SHIFT, Rule.MUST_LEFT})
"""What a person may decide all the same: somebody is told that they come later, a crew stays longer. Nobody may decide
that a crew works at a cabinet without its habilitation, that a vehicle is overladen, or that there is a street."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule. over: by how much, in the rule's own unit: seconds, metres or load. skill: which."""

    rule: Rule
    crew: str | None = None
    task: str | None = None
    over: int = 0
    skill: str | None = None

    @property
    def for_people(self) -> bool:
        """Whether a person may decide that it be so."""
        return self.rule in FOR_PEOPLE


def check(problem: Problem, proposal: Proposal) -> list[Finding]:
    """All that a proposal breaks; nothing where it may be driven as it is."""
    known = {each.id: number for number, each in enumerate(problem.crews)}
    found = [Finding(Rule.UNKNOWN, crew=each.crew) for each in proposal.rounds if each.crew not in known]
    crews = Counter(each.crew for each in proposal.rounds)
    found += [Finding(Rule.DOUBLE, crew=each) for each, times in crews.items() if times > 1]
    placed = Counter(stop.task for each in proposal.rounds for stop in each.stops)
    left = Counter(each.task for each in proposal.left)
    every = placed + left
    found += [Finding(Rule.UNKNOWN, task=each) for each in every if each not in problem.row]
    found += [Finding(Rule.DOUBLE, task=each) for each, times in every.items() if times > 1]
    found += [Finding(Rule.MISSING, task=each.id) for each in problem.tasks if each.id not in every]
    found += [Finding(Rule.MUST_LEFT, task=each.id) for each in problem.tasks if each.must and each.id in left]
    for each in proposal.rounds:
        if each.crew in known:
            found += _skills(problem, each, problem.crews[known[each.crew]])
            found += _driven(problem, each, known[each.crew])
    return found


def _tasks(problem: Problem, driven: Round) -> list[Task]:
    return [problem.tasks[problem.row[stop.task]] for stop in driven.stops if stop.task in problem.row]


def _skills(problem: Problem, driven: Round, crew: Crew) -> Iterator[Finding]:
    for task in _tasks(problem, driven):
        if task.crew not in ("", crew.id):
            yield Finding(Rule.GIVEN, crew.id, task.id)
        for skill in sorted(task.skills):
            if skill not in crew.skills:
                yield Finding(Rule.SKILL, crew.id, task.id, skill=skill)
            elif ended(crew.skills[skill], problem.day):
                yield Finding(Rule.EXPIRED, crew.id, task.id, skill=skill)
    load = sum(task.load for task in _tasks(problem, driven))
    if crew.capacity is not None and load > crew.capacity:
        yield Finding(Rule.CAPACITY, crew.id, over=load - crew.capacity)


def _driven(problem: Problem, driven: Round, number: int) -> Iterator[Finding]:
    crew = problem.crews[number]
    if driven.leave_s < crew.shift[0]:
        yield Finding(Rule.SHIFT, crew.id, over=crew.shift[0] - driven.leave_s)
    here, gone_s, metres, seconds = problem.start_row(number), driven.leave_s, 0, 0
    # The way back is a leg like another, to no task.
    legs = [(problem.row[stop.task], stop.arrival_s) for stop in driven.stops if stop.task in problem.row]
    stops = [stop for stop in driven.stops if stop.task in problem.row]
    for n, (row, arrival_s) in enumerate([*legs, (problem.end_row(number), driven.back_s)]):
        task = problem.tasks[row] if n < len(stops) else None
        name = None if task is None else task.id
        drive_s = int(problem.travel.drive_s[here, row])
        if drive_s == NO_WAY:
            yield Finding(Rule.NO_WAY, crew.id, name)
        else:
            seconds, metres = seconds + drive_s, metres + int(problem.travel.distance_m[here, row])
        if arrival_s < gone_s + max(drive_s, 0):
            yield Finding(Rule.TOO_SOON, crew.id, name, over=gone_s + max(drive_s, 0) - arrival_s)
        here = row
        if task is not None:
            stop = stops[n]
            soon_s = max(stop.arrival_s - stop.start_s, stop.start_s + task.service_s - stop.leave_s)
            if soon_s > 0:
                yield Finding(Rule.TOO_SOON, crew.id, name, over=soon_s)
            apart_s = min((max(a - stop.start_s, stop.start_s - b, 0) for a, b in task.windows), default=0)
            if apart_s:
                yield Finding(Rule.WINDOW, crew.id, name, over=apart_s)
            gone_s = stop.leave_s
    if driven.back_s > crew.shift[1]:
        yield Finding(Rule.SHIFT, crew.id, over=driven.back_s - crew.shift[1])
    if (driven.distance_m, driven.drive_s) != (metres, seconds):
        yield Finding(Rule.WRONG_SUM, crew.id, over=abs(driven.drive_s - seconds) or abs(driven.distance_m - metres))

"""From the order of tasks to the instants of a round; and why a task can be in none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vigie.services.roads.dispatch.model import NO_WAY, Left, Problem, Proposal, Round, Stop, Task, Why


def timed(problem: Problem, orders: Mapping[str, Sequence[str]], otherwise: Why) -> Proposal:
    """The proposal that does tasks in these orders, by crews, also where that breaks rules: the judge says which. Of
    all other tasks it tells why they are left out; otherwise: where they could be done.

    Raises KeyError for a crew or a task that there is not.
    """
    crews = {each.id: number for number, each in enumerate(problem.crews)}
    unknown = orders.keys() - crews.keys()
    if unknown:
        raise KeyError(min(unknown))
    rounds = [driven(problem, number, orders[name]) for name, number in crews.items() if orders.get(name)]
    done = {stop.task for each in rounds for stop in each.stops}
    left = [Left(each.id, impossible(problem, each) or otherwise) for each in problem.tasks if each.id not in done]
    return Proposal(tuple(rounds), tuple(left))


def driven(problem: Problem, number: int, order: Sequence[str]) -> Round:
    """A crew's round, each task as early as it can be; it leaves so late that it does not wait at the first. Where no
    window is left, work begins at once; where no street leads, the crew is there at once: both are findings."""
    crew, travel = problem.crews[number], problem.travel
    now_s, leave_s, here = crew.shift[0], crew.shift[0], problem.start_row(number)
    metres = seconds = 0
    stops = list[Stop]()
    for name in order:
        row = problem.row[name]
        drive_s = max(int(travel.drive_s[here, row]), 0)
        seconds, metres = seconds + drive_s, metres + max(int(travel.distance_m[here, row]), 0)
        arrival_s = now_s + drive_s
        begin_s = begins(problem.tasks[row], arrival_s)
        start_s = arrival_s if begin_s is None else begin_s
        if not stops:
            leave_s, arrival_s = leave_s + start_s - arrival_s, start_s
        now_s, here = start_s + problem.tasks[row].service_s, row
        stops.append(Stop(name, arrival_s, start_s, now_s))
    row = problem.end_row(number)
    back_s, back_m = max(int(travel.drive_s[here, row]), 0), max(int(travel.distance_m[here, row]), 0)
    return Round(crew.id, leave_s, tuple(stops), now_s + back_s, metres + back_m, seconds + back_s)


def among(problem: Problem, number: int, order: Sequence[str], kept: Iterable[str]) -> list[str]:
    """The order of a crew's tasks, with those that it keeps put between them: each where all begin in time and the crew
    is back soonest."""

    def cost(names: Sequence[str]) -> tuple[int, int]:
        found = driven(problem, number, names)
        late_s = 0
        for stop in found.stops:
            task = problem.tasks[problem.row[stop.task]]
            if begins(task, stop.arrival_s) is None:
                late_s += stop.arrival_s - task.begins[-1][1]
        return late_s, found.back_s

    whole = list(order)
    for name in sorted(kept, key=lambda each: problem.tasks[problem.row[each]].begins):
        whole = min(([*whole[:at], name, *whole[at:]] for at in range(len(whole) + 1)), key=cost)
    return whole


def begins(task: Task, arrival_s: int) -> int | None:
    """When work begins for who is there at an instant; None where that is too late for each window."""
    return next((max(arrival_s, first) for first, last in task.begins if arrival_s <= last), None)


def alone(problem: Problem, task: Task, number: int) -> Why | None:
    """Why a crew cannot do a task, were it its only one; None where it can."""
    crew, row = problem.crews[number], problem.row[task.id]
    if task.crew not in ("", crew.id):
        return Why.GIVEN
    lacking = crew.lacks(task, problem.day)
    if lacking:
        return Why.SKILL_EXPIRED if lacking <= crew.skills.keys() else Why.NO_SKILL
    there_s = int(problem.travel.drive_s[problem.start_row(number), row])
    back_s = int(problem.travel.drive_s[row, problem.end_row(number)])
    if NO_WAY in (there_s, back_s):
        return Why.NO_WAY
    if crew.capacity is not None and task.load > crew.capacity:
        return Why.TOO_HEAVY
    begin_s = begins(task, crew.shift[0] + there_s)
    if begin_s is None or begin_s + task.service_s + back_s > crew.shift[1]:
        return Why.NO_WINDOW
    return None


_NEARLY = (Why.NO_WINDOW, Why.TOO_HEAVY, Why.NO_WAY, Why.SKILL_EXPIRED)


def impossible(problem: Problem, task: Task) -> Why | None:
    """Why no crew at all can do a task: of the crew that comes nearest to it. None where one can."""
    whys = {alone(problem, task, number) for number in range(len(problem.crews))}
    if None in whys:
        return None
    return next((why for why in _NEARLY if why in whys), Why.GIVEN if whys == {Why.GIVEN} else Why.NO_SKILL)

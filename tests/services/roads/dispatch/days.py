"""Days to plan, for tests: a small town of blocks, some of its streets one-way, and tasks and crews in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from tests.services.roads.matching.towns import degrees, grid, town
from vigie.services.roads.dispatch.model import Crew, Place, Problem, Proposal, Task
from vigie.services.roads.dispatch.streets import speeds, travel_of

TODAY = date(2026, 11, 27)
HOUR_S = 3_600
BLOCK_M = 400.0
TOWN = town(grid(5, BLOCK_M), {3, 4, 11, 27})
SPEED = speeds(TOWN)


def place(x: float, y: float) -> Place:
    """In blocks east and north of the town's corner."""
    lon, lat = degrees([(BLOCK_M * x, BLOCK_M * y)])
    return Place(float(lon[0]), float(lat[0]))


def task(name: str, x: float, y: float, **said: Any) -> Task:
    """Half an hour's work, unless said."""
    return Task(name, place(x, y), **{"service_s": 1_800, **said})


def crew(name: str, x: float = 0, y: float = 0, *skills: str, **said: Any) -> Crew:
    """Back where it started by three, unless said."""
    own: dict[str, date | None] = dict.fromkeys(skills)
    return Crew(
        name, said.pop("skills", own), place(x, y), place(x, y), said.pop("shift", (7 * HOUR_S, 15 * HOUR_S)), **said
    )


def day(tasks: list[Task], crews: list[Crew]) -> Problem:
    """With the ways through the town."""
    return Problem(TODAY, tuple(tasks), tuple(crews), travel_of(TOWN, SPEED, tasks, crews))


def steps(most: int) -> Any:
    """A search of so many steps."""
    left = iter(range(most))
    return lambda best_cost: next(left, None) is None


def seconds(proposal: Proposal) -> int:
    """Of driving, in all rounds."""
    return sum(each.drive_s for each in proposal.rounds)


_spots = st.tuples(st.integers(0, 16), st.integers(0, 16)).map(lambda at: (at[0] / 4, at[1] / 4))
_skills = st.sampled_from([frozenset(), frozenset({"low"}), frozenset({"low", "network"})])
_windows = st.lists(st.integers(6, 16).map(lambda hour: (hour * HOUR_S, (hour + 2) * HOUR_S)), max_size=2).map(tuple)
_lasts = st.sampled_from([None, date(2026, 11, 26), TODAY])


@st.composite
def days(draw: st.DrawFn, most: int = 10, crews_most: int = 3) -> Problem:
    """A day with anything in it."""
    tasks = [
        task(
            f"t{n}", *draw(_spots), windows=draw(_windows), skills=draw(_skills), load=draw(st.integers(0, 4)),
            priority=draw(st.integers(1, 4)), must=draw(st.booleans()), service_s=draw(st.integers(1, 8)) * 900,
            crew=draw(st.sampled_from(["", "", "", "c0"])),
        )
        for n in range(draw(st.integers(1, most)))
    ]  # fmt: skip
    crews = [
        crew(
            f"c{n}", *draw(_spots), skills={each: draw(_lasts) for each in draw(_skills)},
            capacity=draw(st.sampled_from([None, 5, 12])), shift=(draw(st.integers(6, 9)) * HOUR_S, 15 * HOUR_S),
        )
        for n in range(draw(st.integers(1, crews_most)))
    ]  # fmt: skip
    return day(tasks, crews)

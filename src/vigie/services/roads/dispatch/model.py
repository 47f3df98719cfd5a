"""What rounds are planned of, and what a plan says. Instants are seconds of the town's day, from its midnight; what
goes on past the next midnight has more than a day's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from vigie.core.observations import Int64s
from vigie.services.roads.crews import lacking

TASKS_MAX, CREWS_MAX, WINDOWS_MAX = 2_000, 200, 8
HORIZON_S = 2 * 86_400
"""No instant is later: a night shift ends on the next day."""
PRIORITIES = (1, 2, 3, 4)
"""The most urgent first."""
NO_WAY = -1
"""In place of a time or a distance, where no street leads."""


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Task:
    """A work order, as far as its round goes. windows: work begins in one of them, both ends belong to it; none: at any
    time. skills: all that are asked of the crew. load: what it puts on the vehicle, in the crews' unit. must: it is
    left out only where it is impossible, whatever its priority. crew: that has it and keeps it; "" where any may do
    it."""

    id: str
    place: Place
    service_s: int
    windows: tuple[tuple[int, int], ...] = ()
    skills: frozenset[str] = frozenset()
    load: int = 0
    priority: int = 3
    must: bool = False
    crew: str = ""

    @property
    def begins(self) -> tuple[tuple[int, int], ...]:
        """When work may begin, earliest first."""
        return tuple(sorted(self.windows)) or ((0, HORIZON_S),)


@dataclass(frozen=True, slots=True)
class Crew:
    """A crew with its vehicle. skills: each with the last day on which it holds; None: it does not end. shift: from
    leaving `start` to being at `end`. capacity: None where nothing limits what is loaded."""

    id: str
    skills: Mapping[str, date | None]
    start: Place
    end: Place
    shift: tuple[int, int]
    capacity: int | None = None

    def lacks(self, task: Task, day: date) -> frozenset[str]:
        """The skills that a task asks for and the crew does not have on that day."""
        return lacking(task.skills, self.skills, day)


@dataclass(frozen=True, slots=True)
class Travel:
    """Between any two places: whole seconds and whole metres of the quickest way; `NO_WAY` where none leads. Rows and
    columns: the tasks, and then of each crew where it starts and where it ends."""

    drive_s: Int64s
    distance_m: Int64s


@dataclass(frozen=True)
class Problem:
    """A day's tasks and crews. Raises ValueError for what cannot be so."""

    day: date
    tasks: tuple[Task, ...]
    crews: tuple[Crew, ...]
    travel: Travel
    row: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """Of each task's id, its row."""

    def __post_init__(self) -> None:
        """Looks at all of it."""
        if len(self.tasks) > TASKS_MAX or len(self.crews) > CREWS_MAX:
            raise ValueError(f"more than {TASKS_MAX} tasks or {CREWS_MAX} crews")
        size = len(self.tasks) + 2 * len(self.crews)
        if self.travel.drive_s.shape != (size, size) or self.travel.distance_m.shape != (size, size):
            raise ValueError(f"ways between {self.travel.drive_s.shape} places for {size} of them")
        object.__setattr__(self, "row", {each.id: row for row, each in enumerate(self.tasks)})
        if len(self.row) < len(self.tasks) or len({each.id for each in self.crews}) < len(self.crews):
            raise ValueError("two tasks or two crews of one name")
        for task in self.tasks:
            spans = all(0 <= first <= last <= HORIZON_S for first, last in task.windows)
            if not spans or len(task.windows) > WINDOWS_MAX:
                raise ValueError(f"task {task.id[:80]!r} has windows that are none, or more than {WINDOWS_MAX}")
            if not 0 <= task.service_s <= HORIZON_S or task.load < 0 or task.priority not in PRIORITIES:
                raise ValueError(f"task {task.id[:80]!r} has an impossible time, load or priority")
        for crew in self.crews:
            if not 0 <= crew.shift[0] <= crew.shift[1] <= HORIZON_S or (crew.capacity or 0) < 0:
                raise ValueError(f"crew {crew.id[:80]!r} has an impossible shift or capacity")

    def start_row(self, crew: int) -> int:
        """Where a crew, by its number, starts."""
        return len(self.tasks) + 2 * crew

    def end_row(self, crew: int) -> int:
        """Where it ends."""
        return len(self.tasks) + 2 * crew + 1


@dataclass(frozen=True, slots=True)
class Stop:
    """A task in a round: when the crew is there, begins, and goes on."""

    task: str
    arrival_s: int
    start_s: int
    leave_s: int


@dataclass(frozen=True, slots=True)
class Round:
    """A crew's day. leave_s: from where it starts. back_s: at where it ends."""

    crew: str
    leave_s: int
    stops: tuple[Stop, ...]
    back_s: int
    distance_m: int
    drive_s: int


class Why(StrEnum):
    """Why a task is in no round, the first that is so. Each has its words, `rounds.left.*`."""

    NO_PLACE = "no_place"
    """Nothing says where it is."""
    GIVEN = "given"
    """Its crew keeps it, and is not among these."""
    NO_SKILL = "no_skill"
    """No crew has ever had all that it asks."""
    SKILL_EXPIRED = "skill_expired"
    """A crew had it, and on that day it does not hold any more."""
    NO_WAY = "no_way"
    """No street leads there and back for a crew that could do it."""
    TOO_HEAVY = "too_heavy"
    """It is more than any vehicle of theirs takes."""
    NO_WINDOW = "no_window"
    """None of them could be there in time and back within the shift, were it their only task."""
    NO_ROOM = "no_room"
    """It could be done, and then others that weigh more, or are nearer, could not."""
    BY_HAND = "by_hand"
    """Whoever made the rounds left it out."""


@dataclass(frozen=True, slots=True)
class Left:
    """A task in no round."""

    task: str
    why: Why


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rounds, one at most for a crew, and what is in none of them."""

    rounds: tuple[Round, ...]
    left: tuple[Left, ...]

    @property
    def crew_of(self) -> dict[str, str]:
        """Of each task in a round, its crew."""
        return {stop.task: each.crew for each in self.rounds for stop in each.stops}

    @property
    def orders(self) -> dict[str, tuple[str, ...]]:
        """Of each crew with a round, its tasks in their order."""
        return {each.crew: tuple(stop.task for stop in each.stops) for each in self.rounds}


@dataclass(frozen=True)
class Kept:
    """What a plan should keep. crew_of: of tasks, the crew that has them. orders: of crews, their tasks in order, from
    which the search begins. move_s: a task changes its crew only where that saves so much driving, or a rule asks
    it."""

    crew_of: Mapping[str, str] = field(default_factory=dict[str, str])
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    move_s: int = 0

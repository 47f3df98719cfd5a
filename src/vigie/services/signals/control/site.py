"""A junction as its controller sees it: lanes at stop lines, what counts on them, where they lead, who is next door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vigie.services.signals.junction import Junction, Second

UNKNOWN = -1
"""The count of a detector that says nothing."""

OCCUPIED = -2
"""The count of a loop that nobody left in the last second, and that somebody is on."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area detector of an approach. detector: its place among the junction's. feeds: how many of the junction's
    lanes those may go on to whom it counts, 1 where it lies on the lane itself."""

    detector: int
    feeds: int


@dataclass(frozen=True, slots=True)
class Way:
    """What a lane may do: the group that lets it, and the lane that it leads into."""

    group: int
    exit: str


@dataclass(frozen=True, slots=True)
class Approach:
    """A lane at the stop line. stop, upstream (where actuation looks for gaps) and entry (the furthest): places of its
    loops among the junction's detectors, None without one. seen_m: how far upstream its areas reach. entry_m: how far
    the entry's loop is from the stop line."""

    lane: str
    ways: tuple[Way, ...]
    areas: tuple[Area, ...]
    stop: int | None
    upstream: int | None
    entry: int | None
    seen_m: float
    entry_m: float
    speed_m_s: float

    @property
    def groups(self) -> frozenset[int]:
        """The groups that all must be green for everybody on the lane to go."""
        return frozenset(way.group for way in self.ways)


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a plan. clears: it only takes greens away, on the way from a stage to the next."""

    seconds: int
    greens: frozenset[int]
    clears: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A fixed cycle: one step after the other. offset_s: when its first step begins, on the clock."""

    offset_s: int
    steps: tuple[Step, ...]

    @property
    def cycle_s(self) -> int:
        """How long it takes."""
        return sum(step.seconds for step in self.steps)

    @property
    def stages(self) -> tuple[frozenset[int], ...]:
        """The greens of its steps that are more than a clearing, in their order."""
        return tuple(step.greens for step in self.steps if step.greens and not step.clears)

    def greens(self, now_s: int) -> frozenset[int]:
        """What the plan wishes green now."""
        into = (now_s - self.offset_s) % self.cycle_s
        for step in self.steps:
            into -= step.seconds
            if into < 0:
                return step.greens
        raise AssertionError("a cycle has a step for each of its seconds")


@dataclass(frozen=True, slots=True)
class Feeder:
    """Who comes from next door: of the vehicles that leave a neighbour's lane this share comes to these approaches of
    ours, after travel_s. The share is that of the lane's ways: how many turn where, nobody has counted."""

    neighbour: str
    lane: str
    share: float
    approaches: tuple[int, ...]
    travel_s: int


@dataclass(frozen=True, slots=True)
class Site:
    """A junction with all that its controller knows before the first count. exits: detectors on exit lanes by lane.
    gives_way: for each group, those that it lets go first when both are green."""

    junction: Junction
    plan: Plan
    approaches: tuple[Approach, ...]
    exits: Mapping[str, int] = field(default_factory=dict[str, int])
    feeders: tuple[Feeder, ...] = ()
    gives_way: tuple[frozenset[int], ...] = ()


class Controller(Protocol):
    """Decides each second what should be green at its junctions; what comes of it is the sequencers'."""

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> Sequence[frozenset[int]]:
        """The greens wished for the next second, of each junction in the order in which it was given them.

        counts: of each junction, by detector: how many are on an area, how many left a loop in the last second,
        OCCUPIED where somebody is on it; UNKNOWN where one says nothing. shown: the colours of that second.
        """
        ...

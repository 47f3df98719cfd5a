"""What the process that moves the town's traffic says each second, and what may be asked of it: the words of a pipe.

SUMO has a process of its own, since it is one for a process and a second of it takes a good part of a second. Nothing
here needs SUMO, so that whoever only listens does not load it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Protocol

import msgspec


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """One junction in one second.

    second: which, on the clock. groups: what each of its groups shows, in the letters of `Junction.groups`: R red,
    Y yellow, G green, F all that flashes. stage: which of the stages of its document, from 1; 0 between two. plan,
    mode, decides, cycles_s: as of `Roadside`. vehicles, occupancies: of each loop among its detectors (`loops_of`),
    in their order: those that left it in this second, and in how much of it somebody was on it, in percent; less than 0
    of one that is dead. buttons: of each of its push-buttons (`buttons_of`), in their order: 1 where somebody waits to
    walk.
    """

    second: int
    groups: str
    stage: int
    plan: int
    mode: str
    decides: str
    vehicles: tuple[int, ...]
    occupancies: tuple[int, ...]
    cycles_s: tuple[tuple[int, int], ...] = ()
    buttons: tuple[int, ...] = ()

    @property
    def cycle_s(self) -> int:
        """How long the cycle of its plan is, 0 where that was not told."""
        return next((cycle_s for number, cycle_s in self.cycles_s if number == self.plan), 0)


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """What a detector of the city saw in a minute. detector: which of them, from 0. speed_km_h: 0 where nobody came."""

    detector: int
    flow_h: int
    speed_km_h: float
    occupancy_pct: float


class Driven(msgspec.Struct, frozen=True, array_like=True):
    """A bus of the city on the roads. bus: which of them, from 0. east_m, north_m: where it is; heading_deg: clockwise
    from north. late_s: against its timetable."""

    bus: int
    east_m: float
    north_m: float
    heading_deg: float
    late_s: int


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One second of the town. junctions: by their number in the city. counted: where a minute has ended, all detectors
    that lie on its roads. vehicles: under way. buses: those that tell now where they are; each does every few
    seconds."""

    second: int
    junctions: dict[int, Shown]
    counted: tuple[Counted, ...] = ()
    vehicles: int = 0
    buses: tuple[Driven, ...] = ()


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """What is asked of one junction's controller at the roadside: exactly one of the three. inputs: all that are active
    now."""

    junction: int
    inputs: tuple[int, ...] | None = None
    plan: int | None = None
    mode: str | None = None


class Streets(Protocol):
    """Junctions whose traffic is simulated, as their sites see them."""

    def seconds(self) -> Mapping[int, Shown]:
        """The last second of each junction, by its number in the city; none while no traffic is simulated."""
        ...

    def set_inputs(self, junction: int, on: Set[int]) -> None:
        """All inputs that are active at a junction; to be said again within `roadside.INPUTS_FRESH_S`."""
        ...

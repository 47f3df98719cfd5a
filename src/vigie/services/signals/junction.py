"""A signalised junction as data: its signal groups, who meets whom, the times between them, its stages.

A junction is a document: it is stored and edited as it is here, and decoded strictly (`of_json`). What its numbers mean
together, and whether it may be controlled at all, `completeness.problems` says. Groups are known by their index in
`Junction.groups`, lanes by their name. All times are whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta

GROUPS_MAX = 64
"""Signal groups of one junction: twice what large roadside controllers carry."""
LANES_MAX = 400
MOVEMENTS_MAX = 800
DETECTORS_MAX = 400
STAGES_MAX = 64
TIME_S_MAX = 600

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Seconds = Annotated[int, Meta(ge=0, le=TIME_S_MAX)]
Group = Annotated[int, Meta(ge=0, lt=GROUPS_MAX)]
Metres = Annotated[float, Meta(ge=0, le=100_000)]
Degrees = Annotated[float, Meta(ge=0, lt=360)]


class Users(StrEnum):
    """Whom a signal group speaks to."""

    VEHICLES = "vehicles"
    BUS = "bus"
    TRAM = "tram"
    CYCLES = "cycles"
    PEDESTRIANS = "pedestrians"


PUBLIC_TRANSPORT = frozenset({Users.BUS, Users.TRAM})
"""Users whose lines have signals of their own: R17 and R18 (IISR part 6)."""


class Colour(StrEnum):
    """What a signal group shows for one second."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


LETTERS = {Colour.RED: "R", Colour.YELLOW: "Y", Colour.GREEN: "G"}
"""Colours as the point `groups` tells them."""

Second = tuple[Colour, ...]
"""What a junction shows for one second: a colour for each of its groups, in their order."""


class Meeting(Enum):
    """How the ways of two groups meet.

    apart: they never do. yields: they do, may be green together, and one gives way (a turn across pedestrians): the
    network or an engineer says so. conflicts: they may never be green together.
    """

    APART = "apart"
    YIELDS = "yields"
    CONFLICTS = "conflicts"


class SignalGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signals that always show the same: a *ligne de feux*.

    green_min_s: shortest green. yellow_s: length of the yellow, neither shorter nor longer; 0 for pedestrians, whose
    clearance is in the intergreens. red_max_s: longest red. red_max_served_s: longest red if, during that red, a tram
    or bus that was announced has had its own green at this junction; it counts nowhere else.
    """

    name: Name
    users: Users = Users.VEHICLES
    green_min_s: Seconds = 6
    yellow_s: Seconds = 3
    red_max_s: Seconds = 120
    red_max_served_s: Seconds = 240


class Lane(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lane that leads to the junction or away from it, or a crossing: what its walkers walk is its length.

    speed_m_s: what is allowed on it.
    """

    name: Name
    length_m: Metres
    speed_m_s: Annotated[float, Meta(ge=0, le=100)]


class Movement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way through the junction that a group releases. approach, exit: lanes by name; of pedestrians both are their
    crossing. comes_deg, leaves_deg: where they lie, seen from the middle of the junction, clockwise from north; None
    where that is not known. Nothing but drawings goes by them."""

    group: Group
    approach: Name
    exit: Name
    comes_deg: Degrees | None = None
    leaves_deg: Degrees | None = None


class Detector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts on a lane, that at the stop line or one further upstream. from_stop_m: from the stop line along the
    way to its near end. length_m: 0 for a loop."""

    name: Name
    lane: Name
    from_stop_m: Metres
    length_m: Metres = 0.0


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups that are green together, by index; every other group of the junction is red."""

    name: Name
    greens: Annotated[frozenset[Group], Meta(max_length=GROUPS_MAX)]


Meetings = Annotated[
    tuple[Annotated[tuple[Meeting, ...], Meta(max_length=GROUPS_MAX)], ...], Meta(max_length=GROUPS_MAX)
]
Intergreens = Annotated[
    tuple[Annotated[tuple[Seconds | None, ...], Meta(max_length=GROUPS_MAX)], ...], Meta(max_length=GROUPS_MAX)
]


class Junction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signalised junction.

    meetings[i][j]: how groups i and j meet, the same both ways. intergreens[i][j]: seconds from the end of green of i
    to the start of green of j, the yellow of i included; None where they do not conflict.
    """

    name: Name
    groups: Annotated[tuple[SignalGroup, ...], Meta(max_length=GROUPS_MAX)]
    movements: Annotated[tuple[Movement, ...], Meta(max_length=MOVEMENTS_MAX)]
    lanes: Annotated[tuple[Lane, ...], Meta(max_length=LANES_MAX)]
    detectors: Annotated[tuple[Detector, ...], Meta(max_length=DETECTORS_MAX)]
    meetings: Meetings
    intergreens: Intergreens
    stages: Annotated[tuple[Stage, ...], Meta(max_length=STAGES_MAX)]


_DECODER = msgspec.json.Decoder(Junction, strict=True)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def of_json(document: bytes | str) -> Junction:
    """The junction that a document says. Raises msgspec.ValidationError for anything that is no junction: an unknown
    field, a wrong type, a number out of its range. One that decodes may still have `completeness.problems`."""
    return _DECODER.decode(document)


def to_json(junction: Junction) -> bytes:
    """The junction as a document: the same bytes for the same junction."""
    return _ENCODER.encode(junction)


def mask(groups: Iterable[int]) -> int:
    """A set of groups as bits: bit g for group g."""
    bits = 0
    for group in groups:
        bits |= 1 << group
    return bits


@lru_cache(4_096)
def members(bits: int) -> tuple[int, ...]:
    """The groups of a mask, in their order."""
    found: list[int] = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return tuple(found)


def conflict_masks(junction: Junction) -> tuple[int, ...]:
    """For each group, those that it conflicts with."""
    return tuple(mask(j for j, meeting in enumerate(row) if meeting is Meeting.CONFLICTS) for row in junction.meetings)


def clash(conflicts: tuple[int, ...], greens: int) -> int:
    """The groups of a set of greens that conflict with another of it; 0 where the set is compatible."""
    return mask(group for group in members(greens) if conflicts[group] & greens)

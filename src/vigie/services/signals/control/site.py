"""A junction as its controller sees it: lanes at stop lines, what counts on them, where they lead, who is next door.

It is a document, as the junction in it is: stored as it is here, and decoded strictly (`site_of_json`). What its
numbers mean together, `sitecheck.site_problems` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from vigie.services.signals.junction import (
    DETECTORS_MAX,
    GROUPS_MAX,
    LANES_MAX,
    Group,
    Junction,
    Metres,
    Name,
    Second,
    Seconds,
)

UNKNOWN = -1
"""The count of a detector that says nothing."""

OCCUPIED = -2
"""The count of a loop that nobody left in the last second, and that somebody is on."""

WAYS_MAX = 40
AREAS_MAX = 100
STEPS_MAX = 200
FEEDERS_MAX = 2_000
OFFSET_S_MAX = 86_400
TRAVEL_S_MAX = 3_600

Place = Annotated[int, Meta(ge=0, lt=DETECTORS_MAX)]
"""A detector by its place among the junction's."""

Greens = Annotated[frozenset[Group], Meta(max_length=GROUPS_MAX)]


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area detector of an approach. detector: its place among the junction's. feeds: how many of the junction's
    lanes those may go on to whom it counts, 1 where it lies on the lane itself."""

    detector: Place
    feeds: Annotated[int, Meta(ge=1, le=LANES_MAX)]


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lane may do: the group that lets it, and the lane that it leads into. over: groups of
    walkers over whose crossing it leads when it is inside the junction; inside: areas that count on the way there."""

    group: Group
    exit: Name
    over: Greens = frozenset()
    inside: Annotated[tuple[Place, ...], Meta(max_length=AREAS_MAX)] = ()


class Approach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lane at the stop line. stop, upstream (where actuation looks for gaps) and entry (the furthest): places of its
    loops among the junction's detectors, None without one. seen_m: how far upstream its areas reach. entry_m: how far
    the entry's loop is from the stop line."""

    lane: Name
    ways: Annotated[tuple[Way, ...], Meta(max_length=WAYS_MAX)]
    areas: Annotated[tuple[Area, ...], Meta(max_length=AREAS_MAX)]
    stop: Place | None
    upstream: Place | None
    entry: Place | None
    seen_m: Metres
    entry_m: Metres
    speed_m_s: Annotated[float, Meta(ge=0, le=100)]

    @property
    def groups(self) -> frozenset[int]:
        """The groups that all must be green for everybody on the lane to go."""
        return frozenset(way.group for way in self.ways)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a plan. clears: it only takes greens away, on the way from a stage to the next."""

    seconds: Seconds
    greens: Greens
    clears: bool = False


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed cycle: one step after the other. offset_s: when its first step begins, on the clock."""

    offset_s: Annotated[int, Meta(ge=-OFFSET_S_MAX, le=OFFSET_S_MAX)]
    steps: Annotated[tuple[Step, ...], Meta(max_length=STEPS_MAX)]

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


class Feeder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes from next door: of the vehicles that leave a neighbour's lane this share comes to these approaches of
    ours, after travel_s. The share is that of the lane's ways: how many turn where, nobody has counted."""

    neighbour: Name
    lane: Name
    share: Annotated[float, Meta(ge=0, le=1.000_001)]
    approaches: Annotated[tuple[Annotated[int, Meta(ge=0, lt=LANES_MAX)], ...], Meta(max_length=LANES_MAX)]
    travel_s: Annotated[int, Meta(ge=0, le=TRAVEL_S_MAX)]


class CallPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where those tell of themselves who come by a way of trams or buses that has signals of its own. group: that lets
    them go. approach (far up the road), request (where the green is asked for in earnest), line (at the stop line) and
    clear (behind the junction): loops by their place among the junction's detectors, None without one. speed_m_s: as
    they come where nobody is in their way."""

    group: Group
    approach: Place | None
    request: Place | None
    line: Place | None
    clear: Place | None
    speed_m_s: Annotated[float, Meta(ge=0, le=100)]

    @property
    def places(self) -> tuple[int, ...]:
        """Those that there are."""
        every = (self.approach, self.request, self.line, self.clear)
        return tuple(place for place in every if place is not None)


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A junction with all that its controller knows before the first count. exits: detectors on exit lanes by lane.
    gives_way: for each group, those that it lets go first when both are green. buttons: for each group that walks, the
    detectors that tell that somebody waits to, as many as there are persons where one has a length, else 1 for some.
    calls: ways of trams and buses with signals of their own."""

    junction: Junction
    plan: Plan
    approaches: Annotated[tuple[Approach, ...], Meta(max_length=LANES_MAX)]
    exits: Annotated[Mapping[Name, Place], Meta(max_length=LANES_MAX)] = {}
    feeders: Annotated[tuple[Feeder, ...], Meta(max_length=FEEDERS_MAX)] = ()
    gives_way: Annotated[tuple[Greens, ...], Meta(max_length=GROUPS_MAX)] = ()
    buttons: Annotated[
        tuple[Annotated[tuple[Place, ...], Meta(max_length=AREAS_MAX)], ...], Meta(max_length=GROUPS_MAX)
    ] = ()
    calls: Annotated[tuple[CallPoints, ...], Meta(max_length=GROUPS_MAX)] = ()


_DECODER = msgspec.json.Decoder(Site, strict=True)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def site_of_json(document: bytes | str) -> Site:
    """The site that a document says. Raises msgspec.ValidationError for anything that is none: an unknown field, a
    wrong type, a number out of its range. One that decodes may still have `sitecheck.site_problems`."""
    return _DECODER.decode(document)


def site_to_json(site: Site) -> bytes:
    """The site as a document: the same bytes for the same site."""
    return _ENCODER.encode(site)


class Controller(Protocol):
    """Decides each second what should be green at its junctions; what comes of it is the sequencers'."""

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> Sequence[frozenset[int]]:
        """The greens wished for the next second, of each junction in the order in which it was given them.

        counts: of each junction, by detector: how many are on an area, how many left a loop in the last second,
        OCCUPIED where somebody is on it; of a button, 1 where somebody asks; UNKNOWN where one says nothing. shown: the
        colours of that second.
        """
        ...

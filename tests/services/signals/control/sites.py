"""A cross-roads with a lane from each side, for controllers to be tried on without a network."""

from __future__ import annotations

from vigie.services.signals.control.site import Approach, Area, Feeder, Plan, Site, Step, Way
from vigie.services.signals.junction import (
    Colour,
    Detector,
    Junction,
    Lane,
    Meeting,
    Movement,
    Second,
    SignalGroup,
    Stage,
)

SIDES = ("north", "south", "east", "west")
AXES = (frozenset({0, 1}), frozenset({2, 3}))


def crossroads(name: str = "one", feeders: tuple[Feeder, ...] = ()) -> Site:
    """North and south are green together, east and west are. A lane's detectors: its area, its two loops; then the
    exits' areas."""
    # Sides 0 and 1 make one axis, 2 and 3 the other.
    meetings = tuple(
        tuple(Meeting.CONFLICTS if a // 2 != b // 2 else Meeting.APART for b in range(4)) for a in range(4)
    )
    detectors = [
        each
        for side in SIDES
        for each in (
            Detector(f"{side} area", side, 0.0, 50.0),
            Detector(f"{side} stop", side, 2.5),
            Detector(f"{side} upstream", side, 28.0),
        )
    ]
    detectors += [Detector(f"{side} exit", f"to {side}", 0.0, 30.0) for side in SIDES]
    junction = Junction(
        name=name,
        groups=tuple(SignalGroup(side) for side in SIDES),
        movements=tuple(Movement(at, side, f"to {SIDES[at ^ 1]}") for at, side in enumerate(SIDES)),
        lanes=tuple(Lane(f"{way}{side}", 200.0, 13.9) for way in ("", "to ") for side in SIDES),
        detectors=tuple(detectors),
        meetings=meetings,
        intergreens=tuple(tuple(5 if each is Meeting.CONFLICTS else None for each in row) for row in meetings),
        stages=tuple(Stage(str(at), greens) for at, greens in enumerate(AXES)),
    )
    approaches = tuple(
        Approach(
            side,
            (Way(at, f"to {SIDES[at ^ 1]}"),),
            (Area(3 * at, 1),),
            3 * at + 1,
            3 * at + 2,
            3 * at + 2,
            50.0,
            28.0,
            13.9,
        )
        for at, side in enumerate(SIDES)
    )
    plan = Plan(0, (Step(30, AXES[0]), Step(5, frozenset(), True), Step(30, AXES[1]), Step(5, frozenset(), True)))
    exits = {f"to {side}": 12 + at for at, side in enumerate(SIDES)}
    return Site(junction, plan, approaches, exits, feeders, (frozenset(),) * 4)


def counts(**areas: int) -> list[int]:
    """Counts of all detectors: these on areas (north=3), loops (stop_north=1, entry_north=1) or exits (exit_north=4),
    nobody elsewhere."""
    found = [0] * 16
    for name, count in areas.items():
        what, _, side = name.rpartition("_")
        at = SIDES.index(side)
        found[{"": 3 * at, "stop": 3 * at + 1, "entry": 3 * at + 2, "exit": 12 + at}[what]] = count
    return found


def shown(stage: frozenset[int]) -> Second:
    """Green for a stage, red for the rest."""
    return tuple(Colour.GREEN if at in stage else Colour.RED for at in range(4))

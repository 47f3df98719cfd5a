"""Junctions to try laws on, and a judge of seconds that shares nothing with the kernel: it reads a whole history again
and again, as the rules are written."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from msgspec.structs import replace

from vigie.services.signals.completeness import Rules
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
    Users,
)
from vigie.services.signals.rounds import Rounds
from vigie.services.signals.safety import Rule

QUICK = Rules(green_min_s=1, yellow_s=1, red_max_s=600, red_max_served_s=600)
"""Rules that let a junction be so quick that all its sequences can be tried."""

RED, YELLOW, GREEN = Colour.RED, Colour.YELLOW, Colour.GREEN


def junction_of(
    groups: Sequence[SignalGroup],
    times: dict[tuple[int, int], int],
    stages: Sequence[set[int]],
    yields: Sequence[tuple[int, int]] = (),
) -> Junction:
    """A junction whose groups conflict where a time is given between them. A crossing is as long as its shortest
    intergreen lets it be walked."""
    count = len(groups)

    def meeting(i: int, j: int) -> Meeting:
        if (i, j) in times or (j, i) in times:
            return Meeting.CONFLICTS
        return Meeting.YIELDS if (i, j) in yields or (j, i) in yields else Meeting.APART

    walks = {i: min((s for (a, _), s in times.items() if a == i), default=9) for i in range(count)}
    ways = [(f"in {g}", f"in {g}" if walked(group) else f"out {g}") for g, group in enumerate(groups)]
    return Junction(
        name="Place de la Vigie",
        groups=tuple(groups),
        movements=tuple(Movement(g, *way) for g, way in enumerate(ways)),
        lanes=tuple(
            Lane(name, float(walks[g]), 1.0) if walked(groups[g]) else Lane(name, 90.0, 13.89)
            for g, way in enumerate(ways)
            for name in dict.fromkeys(way)
        ),
        detectors=tuple(Detector(f"loop {g}", f"in {g}", 1.0) for g, group in enumerate(groups) if not walked(group)),
        meetings=tuple(tuple(meeting(i, j) for j in range(count)) for i in range(count)),
        intergreens=tuple(tuple(times.get((i, j)) for j in range(count)) for i in range(count)),
        stages=tuple(Stage(f"stage {n}", frozenset(stage)) for n, stage in enumerate(stages)),
    )


def walked(group: SignalGroup) -> bool:
    """Whether pedestrians go by it."""
    return group.users is Users.PEDESTRIANS


def cross_roads() -> Junction:
    """Two roads that cross, a crossing over each, turns that yield to walkers, and a tram, with the times of a town.

    Groups: 0 main road, 1 side road, 2 walkers over the side road, 3 walkers over the main road, 4 tram.
    """
    groups = (
        SignalGroup("F1"),
        SignalGroup("F2"),
        SignalGroup("P3", Users.PEDESTRIANS, yellow_s=0),
        SignalGroup("P4", Users.PEDESTRIANS, yellow_s=0),
        SignalGroup("T5", Users.TRAM),
    )
    times = {(0, 1): 5, (1, 0): 6, (0, 3): 7, (3, 0): 14, (1, 2): 6, (2, 1): 9, (0, 4): 6, (4, 0): 8}
    times |= {(1, 4): 5, (4, 1): 8, (2, 4): 10, (4, 2): 9, (3, 4): 14, (4, 3): 10}
    return junction_of(groups, times, ({0, 2}, {1, 3}, {4}), yields=((0, 2), (1, 3)))


@st.composite
def junctions(draw: st.DrawFn, groups_max: int = 6) -> Junction:
    """Junctions that may be controlled by the rules QUICK, of every shape: stages that overlap, uneven times."""
    users = draw(st.lists(st.sampled_from(list(Users)), min_size=1, max_size=groups_max))
    stages = [
        set(stage) for stage in draw(st.lists(st.sets(st.sampled_from(range(len(users)))), min_size=1, max_size=4))
    ]
    stages += [{g} for g in range(len(users)) if not any(g in stage for stage in stages)]
    pairs = [(i, j) for i in range(len(users)) for j in range(i) if not any({i, j} <= stage for stage in stages)]
    small = st.integers(1, 5)
    quick = [
        SignalGroup(f"L{n}", who, draw(small), 0 if who is Users.PEDESTRIANS else draw(st.integers(1, 3)))
        for n, who in enumerate(users)
    ]
    fight = [pair for pair in pairs if draw(st.integers(0, 3))]
    times = {way: quick[way[0]].yellow_s + draw(small) for pair in fight for way in (pair, pair[::-1])}
    made = junction_of(quick, times, stages)
    return with_longest_red(made, draw(st.integers(0, 6)), draw(st.integers(0, 20)))


def with_longest_red(junction: Junction, spare_s: int, served_s: int = 0) -> Junction:
    """The same with the shortest longest red that may be promised, and something on it."""
    least_s = Rounds(junction).round_s + spare_s
    groups = tuple(
        replace(group, red_max_s=least_s + g % 2, red_max_served_s=least_s + 1 + served_s)
        for g, group in enumerate(junction.groups)
    )
    return replace(junction, groups=groups)


def broken(
    junction: Junction, history: Sequence[Second], called: Sequence[frozenset[int]], known: bool = False
) -> set[tuple[Rule, tuple[int, ...]]]:
    """What the last second of a history breaks, and whose. known: that nothing was in colours before it."""
    now, before = history[-1], history[-2] if len(history) > 1 else None
    found: set[tuple[Rule, tuple[int, ...]]] = set()
    for g, group in enumerate(junction.groups):
        shown_s, seen = _lasted(history, g, known)
        if now[g] is YELLOW and shown_s > group.yellow_s:
            found.add((Rule.YELLOW_LONG, (g,)))
        if now[g] is RED and shown_s > group.red_max_s:
            served = any(
                history[-1 - n][line] is GREEN and line in called[-1 - n]
                for n in range(_since_green(history, g))
                for line, other in enumerate(junction.groups)
                if other.users in (Users.TRAM, Users.BUS)
            )
            if not served or shown_s > group.red_max_served_s:
                found.add((Rule.RED_MAX, (g,)))
        if before is None or before[g] is now[g]:
            continue
        was_s, seen = _lasted(history[:-1], g, known)
        match before[g], now[g]:
            case Colour.GREEN, after:
                if seen and was_s < group.green_min_s:
                    found.add((Rule.GREEN_MIN, (g,)))
                if after is RED and group.yellow_s:
                    found.add((Rule.YELLOW_SKIPPED, (g,)))
            case Colour.YELLOW, after:
                if seen and was_s < group.yellow_s:
                    found.add((Rule.YELLOW_SHORT, (g,)))
                if after is GREEN:
                    found.add((Rule.RED_SKIPPED, (g,)))
            case Colour.RED, Colour.YELLOW:
                found.add((Rule.YELLOW_UNASKED, (g,)))
            case _:
                pass
    return found | _between(junction, history)


def _between(junction: Junction, history: Sequence[Second]) -> set[tuple[Rule, tuple[int, ...]]]:
    """What the last second breaks between groups."""
    now = history[-1]
    found: set[tuple[Rule, tuple[int, ...]]] = set()
    for i, first in enumerate(junction.groups):
        for j in range(len(junction.groups)):
            if junction.meetings[i][j] is not Meeting.CONFLICTS or now[j] is not GREEN:
                continue
            if now[i] is GREEN:
                found.add((Rule.CONFLICT, (min(i, j), max(i, j))))
                continue
            since_s = _since_green(history, i)
            was_green = since_s < len(history)
            if now[i] is YELLOW or (was_green and since_s - 1 < (junction.intergreens[i][j] or 0)):
                found.add((Rule.PEDESTRIAN_CLEARANCE if walked(first) else Rule.INTERGREEN, (i, j)))
    return found


def _lasted(history: Sequence[Second], g: int, known: bool) -> tuple[int, bool]:
    """For how long a group shows what it shows, and whether it was seen to begin."""
    lasted_s = 0
    while lasted_s < len(history) and history[-1 - lasted_s][g] is history[-1][g]:
        lasted_s += 1
    return lasted_s, known or lasted_s < len(history)


def _since_green(history: Sequence[Second], g: int) -> int:
    """How many of the last seconds a group was not green."""
    since_s = 0
    while since_s < len(history) and history[-1 - since_s][g] is not GREEN:
        since_s += 1
    return since_s

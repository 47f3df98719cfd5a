"""Whether a junction is complete: all that is missing or contradictory in it, and what may not be so by the rules.

A junction with a problem that refuses is not controlled by anybody: the safety kernel does not take it. The others must
be answered by an engineer. The rules are data (`FRANCE`): another country has other numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import ceil

import msgspec

from vigie.services.signals.junction import (
    Junction,
    Meeting,
    SignalGroup,
    Users,
    clash,
    conflict_masks,
    members,
)
from vigie.services.signals.rounds import Rounds

IISR = "IISR, part 6"
IISR_LONGEST = "IISR, part 6, art. 110 C 3"
EN_12675 = "NF EN 12675"


class Rules(msgspec.Struct, frozen=True):
    """What no junction of a country may fall short of.

    fast_m_s: over it the yellow is yellow_fast_s. walk_m_s: how fast pedestrians are taken to clear a crossing.
    """

    green_min_s: int = 6
    yellow_s: int = 3
    yellow_fast_s: int = 5
    fast_m_s: float = 50 / 3.6
    walk_m_s: float = 1.0
    red_max_s: int = 120
    red_max_served_s: int = 240


FRANCE = Rules()
"""IISR part 6 and practice: green of 6 s; yellow of 3 s at 50 km/h, 5 s above; crossings cleared at 1.0 m/s; red of
120 s, and of 240 s in cycles in which a tram or bus is served."""

_SPEED_ROUNDED_M_S = 0.2
"""Networks round 50 km/h to 13.9 m/s, or to 14: neither is above it."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a junction. refuses: it is not controlled so; else an engineer answers for it.

    code: its text is `finding.signals.<code>`, which says what mends it. groups: whom it is about. article: the rule it
    comes from, "" where it is a plain contradiction. detail: what goes into the text.
    """

    code: str
    refuses: bool
    groups: tuple[int, ...] = ()
    article: str = ""
    detail: dict[str, str | int] = {}


def problems(junction: Junction, rules: Rules = FRANCE) -> tuple[Problem, ...]:
    """All that is wrong with a junction; of one whose parts do not fit together, no more than that."""
    found = list(_shape(junction))
    if found:
        return tuple(found)
    for group in range(len(junction.groups)):
        found += _group(junction, group, rules)
    found += _pairs(junction, rules)
    found += _stages(junction)
    found += _lanes(junction)
    if not any(problem.refuses for problem in found):
        found += _longest_red(junction)
    return tuple(found)


def _shape(junction: Junction) -> Iterator[Problem]:
    """What would make an index or a name mean nothing."""
    count = len(junction.groups)
    if not count:
        yield Problem("no_groups", True)
    named = (junction.groups, junction.lanes, junction.detectors, junction.stages)
    for name in sorted({name for things in named for name in _twice(thing.name for thing in things)}):
        yield Problem("name_twice", True, detail={"name": name})
    for rows in (junction.meetings, junction.intergreens):
        if len(rows) != count or any(len(row) != count for row in rows):
            yield Problem("matrix_shape", True, detail={"count": count})
    for what, greens in (
        *((stage.name, stage.greens) for stage in junction.stages),
        *((movement.approach, {movement.group}) for movement in junction.movements),
    ):
        lost = [group for group in greens if not 0 <= group < count]
        if lost:
            yield Problem("unknown_group", True, detail={"where": what, "group": min(lost) + 1})


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _group(junction: Junction, index: int, rules: Rules) -> Iterator[Problem]:
    """What is wrong with one group by itself."""
    group = junction.groups[index]
    if group.green_min_s < max(1, rules.green_min_s):
        yield _short("green_min_short", index, group.green_min_s, max(1, rules.green_min_s))
    movements = [movement for movement in junction.movements if movement.group == index]
    if group.users is Users.PEDESTRIANS:
        if group.yellow_s:
            yield Problem("yellow_of_pedestrians", True, (index,), IISR)
    else:
        if group.yellow_s < rules.yellow_s:
            yield _short("yellow_short", index, group.yellow_s, rules.yellow_s)
        speeds = {lane.name: lane.speed_m_s for lane in junction.lanes}
        fastest = max((speeds.get(movement.approach, 0.0) for movement in movements), default=0.0)
        if fastest > rules.fast_m_s + _SPEED_ROUNDED_M_S and rules.yellow_s <= group.yellow_s < rules.yellow_fast_s:
            yield Problem("yellow_short_for_speed", False, (index,), IISR, {"least_s": rules.yellow_fast_s})
    if group.red_max_s > rules.red_max_s:
        yield Problem("red_max_long", True, (index,), IISR_LONGEST, {"most_s": rules.red_max_s})
    if not group.red_max_s <= group.red_max_served_s <= rules.red_max_served_s:
        yield Problem("red_max_served", True, (index,), IISR_LONGEST, {"most_s": rules.red_max_served_s})
    if not movements:
        yield Problem("no_movement", True, (index,))


def _short(code: str, group: int, is_s: int, least_s: int) -> Problem:
    return Problem(code, True, (group,), IISR, {"is_s": is_s, "least_s": least_s})


def _pairs(junction: Junction, rules: Rules) -> Iterator[Problem]:
    """What is wrong between groups: each pair both ways."""
    meetings, times = junction.meetings, junction.intergreens
    for i, group in enumerate(junction.groups):
        if meetings[i][i] is not Meeting.APART or times[i][i] is not None:
            yield Problem("meets_itself", True, (i,))
        for j in range(len(junction.groups)):
            if i < j and meetings[i][j] is not meetings[j][i]:
                yield Problem("unsymmetrical", True, (i, j))
            if i == j:
                continue
            between_s = times[i][j]
            if meetings[i][j] is not Meeting.CONFLICTS:
                if between_s is not None:
                    yield Problem("intergreen_without_conflict", True, (i, j), detail={"is_s": between_s})
            elif between_s is None:
                yield Problem("no_intergreen", True, (i, j), EN_12675)
            else:
                yield from _intergreen(junction, (i, j), between_s, _least_s(junction, i, group, rules))


def _least_s(junction: Junction, index: int, group: SignalGroup, rules: Rules) -> int:
    """What every intergreen after a group lasts at least: the yellow, or the walk over the longest of its crossings."""
    if group.users is not Users.PEDESTRIANS:
        return max(1, group.yellow_s)
    lengths = {lane.name: lane.length_m for lane in junction.lanes}
    crossings = [movement.approach for movement in junction.movements if movement.group == index]
    return max([1, *(ceil(lengths.get(name, 0.0) / rules.walk_m_s) for name in crossings)])


def _intergreen(junction: Junction, pair: tuple[int, int], is_s: int, least_s: int) -> Iterator[Problem]:
    if is_s < least_s:
        walked = junction.groups[pair[0]].users is Users.PEDESTRIANS
        code = "pedestrian_clearance" if walked else "intergreen_under_yellow"
        yield Problem(code, True, pair, IISR, {"is_s": is_s, "least_s": least_s})


def _stages(junction: Junction) -> Iterator[Problem]:
    """Stages that would be unsafe, and groups that none serves."""
    conflicts = conflict_masks(junction)
    served: set[int] = set()
    for stage in junction.stages:
        served |= stage.greens
        greens = sum(1 << group for group in stage.greens)
        fighting = clash(conflicts, greens)
        if fighting:
            yield Problem("stage_conflict", True, members(fighting), EN_12675, {"stage": stage.name})
    for group in range(len(junction.groups)):
        if group not in served:
            yield Problem("group_in_no_stage", True, (group,))


def _lanes(junction: Junction) -> Iterator[Problem]:
    """Names of lanes that there are not, and what does not fit on its lane."""
    lengths = {lane.name: lane.length_m for lane in junction.lanes}
    for movement in junction.movements:
        for name in sorted({movement.approach, movement.exit} - lengths.keys()):
            yield Problem("unknown_lane", True, (movement.group,), detail={"lane": name})
    for movement in junction.movements:
        if junction.groups[movement.group].users is not Users.PEDESTRIANS:
            continue
        if movement.approach != movement.exit:
            # Whichever of the two were taken for the crossing, the other might be the longer one.
            named: dict[str, str | int] = {"lane": movement.approach, "exit": movement.exit}
            yield Problem("crossing_of_two_lanes", True, (movement.group,), IISR, named)
        if lengths.get(movement.approach) == 0:
            yield Problem("crossing_without_length", True, (movement.group,), IISR, {"lane": movement.approach})
    for detector in junction.detectors:
        if detector.lane not in lengths:
            yield Problem("detector_unknown_lane", True, detail={"detector": detector.name, "lane": detector.lane})
        elif detector.length_m > lengths[detector.lane]:
            yield Problem("detector_too_long", False, detail={"detector": detector.name, "lane": detector.lane})
    leaves: dict[str, set[int]] = {}
    for movement in junction.movements:
        leaves.setdefault(movement.exit, set()).add(movement.group)
    for i, j in sorted({(i, j) for groups in leaves.values() for i in groups for j in groups if i < j}):
        if junction.meetings[i][j] is Meeting.APART and _drives(junction, i) and _drives(junction, j):
            yield Problem("same_exit_apart", False, (i, j))


def _drives(junction: Junction, group: int) -> bool:
    return junction.groups[group].users is not Users.PEDESTRIANS


def _longest_red(junction: Junction) -> Iterator[Problem]:
    """Groups that may have to wait longer than they may, however well the junction is controlled: see `Rounds`."""
    round_s = Rounds(junction).round_s
    short = tuple(g for g, group in enumerate(junction.groups) if group.red_max_s < round_s)
    if short:
        yield Problem("red_max_unreachable", True, short, IISR_LONGEST, {"round_s": round_s})

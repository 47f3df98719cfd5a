"""Stages beyond the network's own: the largest sets of groups that may be green together, with and without yielding."""

from __future__ import annotations

from collections.abc import Sequence

from vigie.services.signals.junction import Meeting, Stage

STAGES_MAX = 40
"""A junction has no more stages than this; its programme's own come first."""

SETS_MAX = 4_000
"""So many sets are looked at before no more are sought."""


def stages_of(
    programme: Sequence[frozenset[int]],
    meetings: Sequence[Sequence[Meeting]],
    lanes: Sequence[frozenset[int]],
    walkers: frozenset[int] = frozenset(),
) -> tuple[Stage, ...]:
    """The programme's stages, then those that let most lanes go whole. lanes: the groups that each lane needs. walkers:
    the groups of those who walk.

    A set without yielding lets a lane go that is shared by those who go straight and those who turn across: there, one
    who waits for a gap stops all behind.
    """
    drive = frozenset(range(len(meetings))) - walkers
    own = [greens for greens in dict.fromkeys(programme) if greens and _compatible(greens, meetings)]
    free = largest_sets(meetings, frozenset({Meeting.APART}), drive)
    shared = largest_sets(meetings, frozenset({Meeting.APART, Meeting.YIELDS}), drive)
    sets = {*free, *shared, *(greens & drive for greens in own)} if walkers else {*free, *shared}
    sets |= {_with(greens, walkers, meetings) for greens in sets | {frozenset[int]()}} if walkers else set()
    more = sorted(sets - {*own, frozenset[int]()}, key=lambda greens: (-_whole(greens, lanes), sorted(greens)))
    kept = own + more[: max(0, STAGES_MAX - len(own))]
    missing = [group for group in range(len(meetings)) if not any(group in greens for greens in kept)]
    kept += [frozenset({group}) for group in missing]
    return tuple(Stage(str(at + 1), greens) for at, greens in enumerate(kept))


def _compatible(greens: frozenset[int], meetings: Sequence[Sequence[Meeting]]) -> bool:
    return not any(meetings[a][b] is Meeting.CONFLICTS for a in greens for b in greens if a < b)


def _whole(greens: frozenset[int], lanes: Sequence[frozenset[int]]) -> int:
    return sum(lane <= greens for lane in lanes)


def _with(greens: frozenset[int], walkers: frozenset[int], meetings: Sequence[Sequence[Meeting]]) -> frozenset[int]:
    """A set and all who may walk meanwhile; the first of those who may not both."""
    for walker in sorted(walkers - greens):
        if _compatible(greens | {walker}, meetings):
            greens |= {walker}
    return greens


def largest_sets(
    meetings: Sequence[Sequence[Meeting]], allowed: frozenset[Meeting], among: frozenset[int] | None = None
) -> list[frozenset[int]]:
    """All sets of groups that meet each other in no other way than allowed, and to which none can be added (Bron and
    Kerbosch, 1973, with a pivot); at most SETS_MAX of them. among: of these groups alone."""
    there = frozenset(range(len(meetings))) if among is None else among
    near = [frozenset(b for b in there if a != b and meetings[a][b] in allowed) for a in range(len(meetings))]
    found: list[frozenset[int]] = []
    stack: list[tuple[frozenset[int], frozenset[int], frozenset[int]]] = [(frozenset(), there, frozenset())]
    while stack and len(found) < SETS_MAX:
        chosen, open_, closed = stack.pop()
        if not open_ and not closed:
            found.append(chosen)
            continue
        pivot = max(open_ | closed, key=lambda at: len(near[at] & open_))
        for at in sorted(open_ - near[pivot]):
            stack.append((chosen | {at}, open_ & near[at], closed & near[at]))
            open_ -= {at}
            closed |= {at}
    return found

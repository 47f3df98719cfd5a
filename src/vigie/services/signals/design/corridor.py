"""A corridor of junctions from what each knows of its neighbours: which lanes lead along it, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vigie.services.signals.control.site import Approach, Plan, Site
from vigie.services.signals.design.waves import Crossing


@dataclass(frozen=True, slots=True)
class _Link:
    """From one junction to the next. leaves: lanes of the first that lead to it. reaches: approaches of the next, by
    their place. travel_s: from stop line to stop line; None where no lane leads there."""

    leaves: frozenset[str]
    reaches: frozenset[int]
    travel_s: int | None


def corridor_of(sites: Sequence[Site], plans: Sequence[Plan]) -> list[Crossing]:
    """The junctions of a corridor, in their order, under these plans.

    Raises ValueError where there are fewer than two, one comes twice, or no lane leads from one to the next, in neither
    direction.
    """
    names = [site.junction.name for site in sites]
    if len(sites) < 2 or len(set(names)) < len(names):
        raise ValueError("a corridor has two junctions at least, and none of them twice")
    there = [_link(one, other) for one, other in pairwise(sites)]
    back = [_link(other, one) for one, other in pairwise(sites)]
    for at, (out, home) in enumerate(zip(there, back, strict=True)):
        if out.travel_s is None and home.travel_s is None:
            raise ValueError(f"no lane leads from {names[at]!r} to {names[at + 1]!r}, nor back")
    found: list[Crossing] = []
    there_s = back_s = 0
    last = len(sites) - 1
    for at, (site, plan) in enumerate(zip(sites, plans, strict=True)):
        if at:
            there_s += there[at - 1].travel_s or 0
            back_s += back[at - 1].travel_s or 0
        out = _groups(site, there[at - 1] if at else None, there[at] if at < last else None)
        home = _groups(site, back[at] if at < last else None, back[at - 1] if at else None)
        found.append(Crossing(plan, out, home, there_s, back_s))
    return found


def _link(one: Site, other: Site) -> _Link:
    own = [each for each in other.feeders if each.neighbour == one.junction.name]
    if not own:
        return _Link(frozenset(), frozenset(), None)
    return _Link(
        frozenset(each.lane for each in own),
        frozenset(at for each in own for at in each.approaches),
        min(each.travel_s for each in own),
    )


def _groups(site: Site, before: _Link | None, after: _Link | None) -> frozenset[int]:
    """The groups that let who drives along the corridor pass: those of the lane that has fewest of all that come from
    before it and lead to what is after it. Empty where no lane does."""
    lanes: list[Approach] = [
        approach
        for at, approach in enumerate(site.approaches)
        if (before is None or at in before.reaches) and (after is None or approach.lane in after.leaves)
    ]
    choices = [each.groups for each in lanes]
    return min(choices, key=lambda groups: (len(groups), sorted(groups)), default=frozenset[int]())

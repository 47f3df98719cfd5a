"""A change beside today as it is told: what was run, figure by figure, junction by junction, and what is kept."""

from __future__ import annotations

import msgspec

from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import Paired
from vigie.services.signals.whatif.thresholds import BOUNDS, Held, Judged, Limit, Thresholds, judge


class Side(msgspec.Struct, frozen=True):
    """What was run: before, or after."""

    scenario: str
    controller: str


class Compared(msgspec.Struct, frozen=True):
    """A figure of both sides. seeds: those that have it. by_seed: of each of them the value before and after."""

    figure: str
    unit: str
    all_seeds: Paired
    seeds: tuple[int, ...]
    by_seed: tuple[tuple[float, float], ...]


class AtJunction(msgspec.Struct, frozen=True):
    """Vehicles that stand at a junction, on all its approaches together, on the mean of the window."""

    junction: str
    queue: Paired


class Comparison(msgspec.Struct, frozen=True):
    """A change beside today. junctions: who loses most comes first. only_before, only_after: junctions that one side
    alone has, of which nothing can be compared. holds: whether all that is set is proved."""

    before: Side
    after: Side
    figures: tuple[Compared, ...]
    junctions: tuple[AtJunction, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    thresholds: tuple[Judged, ...]
    holds: bool


def proved(said: Comparison, thresholds: Thresholds, *, usual: bool) -> bool:
    """Whether what a comparison tells proves that all thresholds are kept: figure by figure from what came of each
    seed, and of each junction, of which the seeds are not told, from the interval that it was judged by."""
    by_seed = {each.figure: each.by_seed for each in said.figures}
    for name, limit in thresholds.items():
        if name not in FIGURES or all(getattr(limit, bound) is None for bound in BOUNDS):
            return False
        if name == JUNCTION_QUEUE:
            if not _proved_at_junctions(said, limit, usual=usual):
                return False
            continue
        pairs = by_seed.get(name, ())
        judged = judge(name, limit, [old for old, _ in pairs], [new for _, new in pairs])
        # Whoever set nothing asked for nothing of those who are not there.
        if not all(each.held is Held.PROVED or (usual and each.held is Held.NOBODY) for each in judged):
            return False
    return True


def _proved_at_junctions(said: Comparison, limit: Limit, *, usual: bool) -> bool:
    if said.only_before or said.only_after:
        return False
    kept = {
        (each.junction, each.bound)
        for each in said.thresholds
        if each.figure == JUNCTION_QUEUE and each.held is Held.PROVED and each.high is not None and each.high <= 0
        if each.limit == getattr(limit, each.bound, None)
    }
    bounds = [bound for bound in BOUNDS if getattr(limit, bound) is not None]
    wanted = {(each.junction, bound) for each in said.junctions for bound in bounds}
    return wanted <= kept and (usual or bool(wanted))

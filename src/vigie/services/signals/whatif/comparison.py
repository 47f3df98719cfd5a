"""A change beside today as it is told: what was run, figure by figure, junction by junction, and what is kept."""

from __future__ import annotations

import msgspec

from vigie.services.signals.whatif.paired import Paired
from vigie.services.signals.whatif.thresholds import Judged


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

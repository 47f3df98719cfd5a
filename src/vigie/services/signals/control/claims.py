"""Claims: who comes with a right to go first, and how much that weighs against all others who wait.

A bus weighs the more the later it is, a tram more than any bus, and a vehicle on its way to save somebody more than any
queue. A claim is a wish like any other: what comes of it passes the sequencer
and its kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from vigie.services.signals.control.layout import Records

BUS_WEIGHS, TRAM_WEIGHS, EMERGENCY_WEIGHS = 8.0, 60.0, 1_000.0
"""In vehicles that wait. A bus: that of ten persons. Twice as much, chosen on development seeds, made buses no quicker
and all others 4 % slower: what a queue that is held back costs beyond the horizon nobody weighs. A tram: with half as
much it was stopped 5 of 384 times in place of 1 where streets are full, and all others were as slow."""

LATE_S = 60.0
"""A bus that is so late weighs as said, one less late in proportion; one in time claims nothing."""


class Sort(StrEnum):
    """Who claims."""

    BUS = "bus"
    TRAM = "tram"
    EMERGENCY = "emergency"


class Claim(NamedTuple):
    """Somebody comes to a junction. junction: its place among the controller's. group: that lets them go. eta_s: until
    they are at the stop line, were nobody in their way. weight: in vehicles that wait."""

    junction: int
    group: int
    eta_s: float
    weight: float


CLAIM = np.dtype([("junction", np.int64), ("group", np.int64), ("eta_s", np.float64), ("weight", np.float64)])
"""The same, for what is compiled."""

NO_CLAIMS: Records = np.zeros(0, CLAIM)


def weight_of(sort: Sort, late_s: float = 0.0) -> float:
    """What a claim weighs; 0 where there is none, as of a bus in time. late_s: behind its timetable."""
    match sort:
        case Sort.BUS:
            return BUS_WEIGHS * min(max(late_s / LATE_S, 0.0), 1.0)
        case Sort.TRAM:
            return TRAM_WEIGHS
        case Sort.EMERGENCY:
            return EMERGENCY_WEIGHS


def fits(claim: Claim, groups: Sequence[int]) -> bool:
    """Whether a claim is one. groups: how many each of the controller's junctions has."""
    is_there = 0 <= claim.junction < len(groups) and 0 <= claim.group < groups[claim.junction]
    return is_there and isfinite(claim.eta_s) and 0 <= claim.weight < inf


def as_records(claims: Sequence[Claim]) -> Records:
    """Claims for what is compiled."""
    return np.array(claims, CLAIM) if claims else NO_CLAIMS

"""What the detector logics of a controller count, as readings of those detectors of the inventory that they are.

A controller tells each minute what was counted since it told last (S0205 to S0207); of a junction that is steered the
post hears every second, and puts the minute together itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vigie.api.rsmp.counting import Counted
from vigie.api.rsmp.hearing import counted, start_of
from vigie.core.kinds import Point
from vigie.core.readings import Readings, Value
from vigie.core.times import HOUR_US, SECOND_US
from vigie.protocols.rsmp import Rate
from vigie.services.signals import Detector

EVERY_S, HOUR_S = 60, 3_600

FLOWS: Mapping[tuple[str, str], Rate] = {
    (code, name): Rate(EVERY_S, on_change=False)
    for code, counts in (("S0205", "vehicles"), ("S0206", "speed"), ("S0207", "occupancy"))
    for name in ("start", counts)
}
"""What is subscribed to at a controller some of whose detector logics are detectors of the inventory."""

_SHORTEST_US, _LONGEST_US = EVERY_S * SECOND_US // 3, 15 * EVERY_S * SECOND_US
"""What was measured for less is what a subscription begins with; for more, nobody knows when they passed."""

HEARD_S_MIN = 50
"""Of a minute of which the post has heard less, it tells nothing."""

Row = tuple[str, Point[Any], Value, int]
"""The id of a detector, and one of its points, what it is and when."""

Detectors = Mapping[str, int]
"""Those of the inventory that are logics of a controller, by their ids, and its numbers for them, from 1."""


def flows_told(
    said: Mapping[tuple[str, str], str], at_us: int, detectors: Detectors, faulty: frozenset[int]
) -> Iterator[Row]:
    """What a controller tells of a minute. said: by code and name. faulty: the logics whose fault it has found: what
    they count is no traffic."""
    for code, name, point in (
        ("S0205", "vehicles", Detector.flow),
        ("S0206", "speed", Detector.speed),
        ("S0207", "occupancy", Detector.occupancy),
    ):
        values, start_us = counted(said.get((code, name), "")), start_of(said.get((code, "start")))
        if not values or start_us is None or not _SHORTEST_US <= at_us - start_us <= _LONGEST_US:
            continue
        for asset, logic in detectors.items():
            if not 0 < logic <= len(values):
                continue
            value = values[logic - 1]
            works = value >= 0 and logic not in faulty
            if point is Detector.flow:
                yield asset, Detector.working, works, at_us
                value = round(value * HOUR_US / (at_us - start_us))
            # Where nobody came there is no speed.
            if works and (point is not Detector.speed or value > 0):
                yield asset, point, float(value), at_us


def flows_counted(of_logics: Sequence[Counted], heard_s: int, at_us: int, detectors: Detectors) -> Iterator[Row]:
    """The same of a minute that the post has heard second by second. of_logics: in the order of their numbers.
    heard_s: of how many seconds they are."""
    for asset, logic in detectors.items():
        if not 0 < logic <= len(of_logics):
            continue
        told = of_logics[logic - 1]
        works = not told.silent and not told.faulty
        yield asset, Detector.working, works, at_us
        if works and told.vehicles is not None:
            yield asset, Detector.flow, float(round(told.vehicles * HOUR_S / heard_s)), at_us
        if works and told.occupancy_pct is not None:
            yield asset, Detector.occupancy, told.occupancy_pct, at_us


def readings_of(rows: Sequence[Row]) -> Readings:
    """The rows, as a door takes readings."""
    return Readings(
        [row[0] for row in rows], [row[1].name for row in rows], [row[2] for row in rows], [row[3] for row in rows],
        list(range(len(rows))),
    )  # fmt: skip

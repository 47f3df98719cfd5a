"""What came of a run, by SUMO's own record of every trip: the same formula for every controller.

Delay is timeLoss + departDelay of every vehicle that was to set out in the window, whether it arrived or not: time lost
against driving freely, and time waited for room to set out. A wait is time at a standstill, that for room included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vigie.services.signals.control.layout import CAR_PERSONS
from vigie.sim.traffic.xml import elements

if TYPE_CHECKING:
    from vigie.sim.traffic.run import Asked

BUS_PERSONS = 20.0
"""Persons in a bus, for the delay of a person: a round figure, for comparing. In any other vehicle: CAR_PERSONS."""


class Outcome(msgspec.Struct, frozen=True):
    """One seed's figures. Delays and waits in seconds; None where there is nobody to have one.

    walkers: all walks that began in the window, walkers_left those that never ended. ped_wait: time at a standstill on
    a whole walk; ped_max_wait_s: the longest at once before a crossing with signals. ped_delay_s: time lost against
    walking freely. person_delay_s: of those in vehicles and of walkers alike.
    """

    scenario: str
    controller: str
    seed: int
    vehicles: int
    mean_delay_s: float
    p95_wait_s: float
    max_wait_s: float
    stops: float
    arrived: int
    unfinished: int
    violations: int
    bus_delay_s: float | None
    ped_mean_wait_s: float | None
    ped_p95_wait_s: float | None
    person_delay_s: float | None
    wall_s: float
    walkers: int
    walkers_left: int
    ped_max_wait_s: float | None
    ped_delay_s: float | None


def outcome_of(
    asked: Asked,
    seed: int,
    trips: Path,
    strangers: set[str],
    buses: frozenset[str],
    *,
    stood_s_max: float,
    violations: int,
    wall_s: float,
) -> Outcome:
    """Reads SUMO's record of the trips. strangers: vehicles that are not counted, since they were to set out after the
    window. buses: the types of vehicle that are buses. stood_s_max: the longest that a walker stood before a crossing.
    """
    delays: list[float] = []
    waits: list[float] = []
    of_buses: list[float] = []
    stops = arrived = 0
    for trip in elements(trips, "tripinfo"):
        if trip["id"] in strangers:
            continue
        late_s = max(0.0, float(trip["departDelay"]))
        delay_s = max(0.0, float(trip.get("timeLoss", 0))) + late_s
        delays.append(delay_s)
        waits.append(max(0.0, float(trip.get("waitingTime", 0))) + late_s)
        stops += max(0, int(trip.get("waitingCount", 0)))
        arrived += float(trip["arrival"]) >= 0
        if trip.get("vType", "") in buses:
            of_buses.append(delay_s)
    walks = [each for each in elements(trips, "walk") if 0 <= float(each["depart"]) < asked.scenario.end_s]
    stood = [max(0.0, float(each.get("waitingTime", 0))) for each in walks]
    lost = [max(0.0, float(each.get("timeLoss", 0))) for each in walks]
    persons = (len(delays) - len(of_buses)) * CAR_PERSONS + len(of_buses) * BUS_PERSONS + len(walks)
    person_s = (sum(delays) - sum(of_buses)) * CAR_PERSONS + sum(of_buses) * BUS_PERSONS + sum(lost)
    return Outcome(
        scenario=asked.scenario.name,
        controller=asked.controller,
        seed=seed,
        vehicles=len(delays),
        mean_delay_s=round(mean(delays), 2),
        p95_wait_s=round(percentile(waits, 0.95), 2),
        max_wait_s=round(max(waits, default=0.0), 2),
        stops=round(stops / max(1, len(delays)), 3),
        arrived=arrived,
        unfinished=len(delays) - arrived,
        violations=violations,
        bus_delay_s=round(mean(of_buses), 2) if of_buses else None,
        ped_mean_wait_s=round(mean(stood), 2) if walks else None,
        ped_p95_wait_s=round(percentile(stood, 0.95), 2) if walks else None,
        person_delay_s=round(person_s / persons, 2) if persons else None,
        wall_s=round(wall_s, 2),
        walkers=len(walks),
        walkers_left=sum(float(each["arrival"]) < 0 for each in walks),
        ped_max_wait_s=round(stood_s_max, 2) if walks else None,
        ped_delay_s=round(mean(lost), 2) if walks else None,
    )


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of all do not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of none."""
    return sum(values) / len(values) if values else 0.0

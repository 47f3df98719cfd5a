"""What came of a run, by SUMO's own record of every trip: the same formula for every controller.

Delay is timeLoss + departDelay of every vehicle that was to set out in the window, whether it arrived or not: time lost
against driving freely, and time waited for room to set out. A wait is time at a standstill, that for room included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.layout import CAR_PERSONS
from vigie.sim.traffic.xml import elements

if TYPE_CHECKING:
    from vigie.sim.traffic.favoured import Trams
    from vigie.sim.traffic.run import Asked

BUS_PERSONS, TRAM_PERSONS = 20.0, 60.0
"""Persons in a bus and in a tram, for the delay of a person: round figures, for comparing. In any other vehicle:
CAR_PERSONS."""

_PERSONS: Mapping[Sort | None, float] = {Sort.BUS: BUS_PERSONS, Sort.TRAM: TRAM_PERSONS}

MG_OF_KG = 1_000_000


class Outcome(msgspec.Struct, frozen=True):
    """One seed's figures. Delays and waits in seconds; None where there is nobody to have one.

    walkers: all walks that began in the window, walkers_left those that never ended. ped_wait: time at a standstill on
    a whole walk; ped_max_wait_s: the longest at once before a crossing with signals. ped_delay_s: time lost against
    walking freely; of a walk that never ended, at least the time at a standstill. person_delay_s: of those in vehicles
    and of walkers alike. others_delay_s: of all vehicles but buses, trams and those on the way to save somebody;
    emergency_travel_s: of the last, from when they were to set out. tram_stopped: of all times that a tram came to a
    light, the share in which it stood there. actuation: as asked, of adaptive control.
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
    others_delay_s: float | None
    emergency_travel_s: float | None
    tram_delay_s: float | None
    tram_stopped: float | None
    actuation: str = "direct"


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's. due_s: when it was to set out; arrived_s: less than 0 where it never did. travel_s: from when it
    was to set out. wait_s: at a standstill, waiting for room included. sort: None of most."""

    due_s: float
    arrived_s: float
    travel_s: float
    delay_s: float
    wait_s: float
    stops: int
    sort: Sort | None


def trips_of(path: Path, strangers: set[str], sorts: Mapping[str, Sort]) -> list[Trip]:
    """SUMO's record of the trips. strangers: vehicles that are not counted, since they were to set out after the
    window. sorts: of the types of vehicle that go first."""
    found: list[Trip] = []
    for trip in elements(path, "tripinfo"):
        if trip["id"] not in strangers:
            late_s = max(0.0, float(trip["departDelay"]))
            found.append(
                Trip(
                    float(trip["depart"]) - late_s if float(trip["depart"]) >= 0 else -1.0,
                    float(trip["arrival"]),
                    max(0.0, float(trip.get("duration", 0))) + late_s,
                    max(0.0, float(trip.get("timeLoss", 0))) + late_s,
                    max(0.0, float(trip.get("waitingTime", 0))) + late_s,
                    max(0, int(trip.get("waitingCount", 0))),
                    sorts.get(trip.get("vType", "")),
                )
            )
    return found


def co2_kg_of(path: Path) -> float:
    """What all vehicles emitted from when they set out, arrived or not: SUMO's record has it in mg of each trip."""
    return sum(float(each["CO2_abs"]) for each in elements(path, "emissions")) / MG_OF_KG


def outcome_of(
    asked: Asked,
    seed: int,
    made: Sequence[Trip],
    trips: Path,
    *,
    stood_s_max: float,
    trams: Trams,
    violations: int,
    wall_s: float,
) -> Outcome:
    """The figures of a seed. made: by vehicles. trips: SUMO's record, which has the walks as well. stood_s_max: the
    longest that a walker of the window stood before a crossing."""
    delays, waits = [each.delay_s for each in made], [each.wait_s for each in made]
    arrived = sum(each.arrived_s >= 0 for each in made)
    of_sort = {sort: [each for each in made if each.sort is sort] for sort in (None, *Sort)}
    of_buses, of_trams, of_others = ([each.delay_s for each in of_sort[sort]] for sort in (Sort.BUS, Sort.TRAM, None))
    emergencies = [each.travel_s for each in of_sort[Sort.EMERGENCY]]
    walks = [each for each in elements(trips, "walk") if 0 <= float(each["depart"]) < asked.scenario.end_s]
    stood = [max(0.0, float(each.get("waitingTime", 0))) for each in walks]
    # Of a walk that never ended SUMO says that it lost nothing: it lost what it stood, at least.
    lost = [
        max(0.0, float(each.get("timeLoss", 0)), stood_s if float(each["arrival"]) < 0 else 0.0)
        for each, stood_s in zip(walks, stood, strict=True)
    ]
    aboard = [_PERSONS.get(each.sort, CAR_PERSONS) for each in made]
    persons = sum(aboard) + len(walks)
    person_s = sum(many * lost_s for many, lost_s in zip(aboard, delays, strict=True)) + sum(lost)
    return Outcome(
        scenario=asked.scenario.name,
        controller=asked.controller,
        seed=seed,
        vehicles=len(delays),
        mean_delay_s=round(mean(delays), 2),
        p95_wait_s=round(percentile(waits, 0.95), 2),
        max_wait_s=round(max(waits, default=0.0), 2),
        stops=round(sum(each.stops for each in made) / max(1, len(made)), 3),
        arrived=arrived,
        unfinished=len(delays) - arrived,
        violations=violations,
        bus_delay_s=round(mean(of_buses), 2) if of_buses else None,
        ped_mean_wait_s=round(mean(stood), 2) if walks else None,
        ped_p95_wait_s=round(percentile(stood, 0.95), 2) if walks else None,
        person_delay_s=round(person_s / persons, 2) if persons else None,
        others_delay_s=round(mean(of_others), 2) if of_others else None,
        emergency_travel_s=round(mean(emergencies), 2) if emergencies else None,
        tram_delay_s=round(mean(of_trams), 2) if of_trams else None,
        tram_stopped=round(trams.stopped / trams.passages, 4) if trams.passages else None,
        wall_s=round(wall_s, 2),
        walkers=len(walks),
        walkers_left=sum(float(each["arrival"]) < 0 for each in walks),
        ped_max_wait_s=round(stood_s_max, 2) if walks else None,
        ped_delay_s=round(mean(lost), 2) if walks else None,
        actuation=asked.actuation,
    )


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of all do not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of none."""
    return sum(values) / len(values) if values else 0.0

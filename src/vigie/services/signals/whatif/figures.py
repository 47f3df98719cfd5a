"""The figures by which a change is judged. Of each of them less is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Sort(StrEnum):
    """What a seed's value is. mean: of many, so that seeds scatter around what it would be in the long run. longest:
    the greatest that was seen. count: of what should not be at all."""

    MEAN = "mean"
    LONGEST = "longest"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure. unit: empty for a number of things. title: what people read."""

    title: str
    unit: str
    sort: Sort = Sort.MEAN


JUNCTION_QUEUE = "junction_queue"
"""The figure of each junction by itself: how many vehicles stand at it."""

FIGURES: Mapping[str, Figure] = {
    "mean_delay_s": Figure("mean delay", "s"),
    "p95_wait_s": Figure("p95 wait", "s"),
    "max_wait_s": Figure("longest wait", "s", Sort.LONGEST),
    "stops": Figure("stops of a vehicle", ""),
    "queue_mean": Figure("standing at an approach", "vehicles"),
    "queue_max": Figure("longest queue", "vehicles", Sort.LONGEST),
    "bus_delay_s": Figure("delay of buses", "s"),
    "tram_delay_s": Figure("delay of trams", "s"),
    "tram_stopped": Figure("share of trams that stop", ""),
    "others_delay_s": Figure("delay of others", "s"),
    "emergency_travel_s": Figure("travel of emergencies", "s"),
    "ped_mean_wait_s": Figure("walkers' wait", "s"),
    "ped_p95_wait_s": Figure("walkers' p95 wait", "s"),
    "ped_max_wait_s": Figure("walkers' longest wait", "s", Sort.LONGEST),
    "person_delay_s": Figure("delay of a person", "s"),
    "co2_kg": Figure("CO2", "kg"),
    "unfinished": Figure("never arrived", "vehicles", Sort.COUNT),
    "walkers_left": Figure("never arrived on foot", "walkers", Sort.COUNT),
    "violations": Figure("violations", "", Sort.COUNT),
    JUNCTION_QUEUE: Figure("standing at each junction", "vehicles"),
}
"""All of them, in the order in which they are told."""

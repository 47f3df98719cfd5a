"""How many vehicles stand at each approach with signals, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.sim.traffic.network import Light
from vigie.sim.traffic.world import World


@dataclass(frozen=True, slots=True)
class Queue:
    """What stood at an approach: on the road, with all its lanes, that ends at the junction's stop line.

    mean: all that stood until the run ended, by the seconds of the window: a queue that lasts after the window is not
    thinned by the time that it takes. longest: the greatest number at once.
    """

    junction: str
    road: str
    mean: float
    longest: int


class Queues:
    """Those of a run."""

    def __init__(self, lights: Sequence[Light], world: World) -> None:
        self._world = world
        self._roads = [
            (light.name, road)
            for light in lights
            for road in dict.fromkeys(each.lane.rpartition("_")[0] for each in light.site.approaches)
        ]
        self._stood_s = [0] * len(self._roads)
        self._longest = [0] * len(self._roads)

    def look(self) -> None:
        """Sees who stands in this second."""
        for at, (_, road) in enumerate(self._roads):
            number = self._world.standing(road)
            if number:
                self._stood_s[at] += number
                self._longest[at] = max(self._longest[at], number)

    def told(self, window_s: int) -> tuple[Queue, ...]:
        """What was seen, approach by approach, junctions in their order."""
        return tuple(
            Queue(junction, road, stood_s / window_s, longest)
            for (junction, road), stood_s, longest in zip(self._roads, self._stood_s, self._longest, strict=True)
        )

"""Controllers to compare with: the plan, gap-based actuation, max-pressure and greedy. None is tuned to anything.

All of them choose among the stages of the network's own plan, and all go through the same sequencer as any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, Approach, Site
from vigie.services.signals.junction import Colour, Second, Users

EVERY_S = 10
"""Max-pressure and greedy choose anew after so many seconds, as their published measurements do, or when a stage that
they went for has had its minimum green."""

GREEN_MIN_S = 6
GREEN_MAX_S = 50
GAP_MAX_S = 3
"""Actuation as SUMO's defaults have it: a green is extended while no gap at its loops is longer, up to the maximum."""


class Alone(Protocol):
    """A controller of one junction that knows of no other."""

    def decide(self, now_s: int, counts: Sequence[int], shown: Second) -> frozenset[int]:
        """As `Controller.decide`, of its one junction."""
        ...


class Each:
    """A controller of its own for each junction."""

    def __init__(self, made: Callable[[Site], Alone], sites: Sequence[Site]) -> None:
        self._controllers = [made(site) for site in sites]

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        """What each wishes."""
        return [
            each.decide(now_s, own, second) for each, own, second in zip(self._controllers, counts, shown, strict=True)
        ]


class FixedPlan:
    """The network's own programme."""

    def __init__(self, site: Site) -> None:
        self._plan = site.plan

    def decide(self, now_s: int, counts: Sequence[int], shown: Second) -> frozenset[int]:
        """What the plan says for this second."""
        return self._plan.greens(now_s)


class Actuated:
    """The plan's stages in its order, each extended while vehicles follow each other.

    Our own, after SUMO's: the loop two seconds up the road, no gap of more than 3 s, greens of 6 to 50 s. A stage that
    nobody waits for is not left out. Where walkers lose their green before those who drive beside them, the green of
    both is extended, and what is left to those who drive lasts as long as in the plan.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stages = site.plan.stages
        self._clears_s = walkers_clear_s(site)
        self._at = 0
        self._green_s = 0
        self._gap_s = [GAP_MAX_S + 1] * len(site.approaches)

    def decide(self, now_s: int, counts: Sequence[int], shown: Second) -> frozenset[int]:
        """Stays or goes on to the next stage."""
        for at, approach in enumerate(self._site.approaches):
            on_loop = counts[approach.upstream] if approach.upstream is not None else 0
            self._gap_s[at] = 0 if on_loop > 0 or on_loop == OCCUPIED else self._gap_s[at] + 1
        if all(shown[group] is Colour.GREEN for group in self._stages[self._at]):
            self._green_s += 1
        if self._over():
            self._at = (self._at + 1) % len(self._stages)
            self._green_s = 0
        return self._stages[self._at]

    def _over(self) -> bool:
        """Whether the stage has been green for as long as it is to be."""
        clears_s = self._clears_s[self._at]
        if clears_s:
            return self._green_s >= clears_s
        return self._green_s >= GREEN_MIN_S and (self._green_s >= GREEN_MAX_S or not self._extended())

    def _extended(self) -> bool:
        """Whether somebody follows on a lane that would be stopped next, walkers' clearing left aside."""
        after = (self._at + 1) % len(self._stages)
        while self._clears_s[after]:
            after = (after + 1) % len(self._stages)
        stopped = self._stages[self._at] - self._stages[after]
        return any(
            gap_s <= GAP_MAX_S and approach.groups & stopped
            for approach, gap_s in zip(self._site.approaches, self._gap_s, strict=True)
        )


def walkers_clear_s(site: Site) -> tuple[int, ...]:
    """Of each stage of the plan, how long it lasts there if all that it does is let walkers clear: those who drive go
    on as in the stage before, for no longer than the walkers take to be gone. 0 of all others."""
    junction, steps = site.junction, [step for step in site.plan.steps if step.greens and not step.clears]
    found: list[int] = []
    for before, step in zip((*steps[-1:], *steps[:-1]), steps, strict=True):
        ended = before.greens - step.greens
        only = step.greens < before.greens and all(junction.groups[g].users is Users.PEDESTRIANS for g in ended)
        gone_s = max((gap for g in ended for gap in junction.intergreens[g] if gap is not None), default=0)
        found.append(step.seconds if only and step.seconds <= gone_s else 0)
    return tuple(found)


class _Every(ABC):
    """Chooses the stage of the greatest weight every ten seconds."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stages = tuple(dict.fromkeys(site.plan.stages))
        self._chosen = self._stages[0]
        self._next_s = 0
        self._green_s = 0

    def decide(self, now_s: int, counts: Sequence[int], shown: Second) -> frozenset[int]:
        """The stage chosen last, or a new choice when it has been green for long enough."""
        green = all(shown[group] is Colour.GREEN for group in self._chosen)
        self._green_s = self._green_s + 1 if green else 0
        if now_s >= self._next_s and self._green_s >= GREEN_MIN_S:
            self._next_s = now_s + EVERY_S
            weights = [self._weight(stage, counts) for stage in self._stages]
            best = max(weights)
            # What is green stays so where nothing is heavier: a change costs five seconds.
            if weights[self._stages.index(self._chosen)] < best:
                self._chosen = self._stages[weights.index(best)]
        return self._chosen

    @abstractmethod
    def _weight(self, stage: frozenset[int], counts: Sequence[int]) -> float: ...


class Greedy(_Every):
    """The stage whose ways have most vehicles before them: a lane counts once for each of its ways."""

    def _weight(self, stage: frozenset[int], counts: Sequence[int]) -> float:
        return sum(present(each, counts) for each in self._site.approaches for way in each.ways if way.group in stage)


class MaxPressure(_Every):
    """The stage whose ways have most vehicles before them and fewest behind (Varaiya 2013), by what detectors see."""

    def _weight(self, stage: frozenset[int], counts: Sequence[int]) -> float:
        pressure = 0.0
        for approach in self._site.approaches:
            ways = [way for way in approach.ways if way.group in stage]
            for way in ways:
                beyond = self._site.exits.get(way.exit)
                left = max(0, counts[beyond]) if beyond is not None else 0
                pressure += present(approach, counts) - left
        return pressure


def present(approach: Approach, counts: Sequence[int]) -> float:
    """Vehicles on an approach as far as its areas see; who may go on to several lanes counts for each in part."""
    return sum(counts[area.detector] / area.feeds for area in approach.areas if counts[area.detector] != UNKNOWN)

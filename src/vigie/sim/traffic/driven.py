"""What is counted where the city counts, when a scenario is driven: the proof of a calibration."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path

import msgspec

from vigie.services.signals.whatif.geh import OK_BELOW, geh
from vigie.sim.traffic.counts import Spot, Target
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.xml import elements, made, write


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of a run. vehicles: counted of each target."""

    vehicles: tuple[int, ...]
    outcome: Outcome


class Met(msgspec.Struct, frozen=True):
    """A count beside what was made of it, in vehicles. places: whose counts it is the sum of. routed: who has a route
    over it; driven: who was counted there in a run. geh_routed, geh_driven: of vehicles an hour."""

    name: str
    places: tuple[str, ...]
    begin_s: int
    end_s: int
    asked: float
    routed: int
    driven: int
    geh_routed: float
    geh_driven: float

    @property
    def met(self) -> bool:
        """Whether what was driven is near enough to what was counted."""
        return self.geh_driven < OK_BELOW


def beside(targets: Sequence[Target], routed: Sequence[int], found: Driven) -> tuple[Met, ...]:
    """Each target with what was made of it."""
    return tuple(
        Met(
            each.name, each.places, each.begin_s, each.end_s, round(each.vehicles, 1), ways, passed,
            *(round(geh(number / each.hours, each.vehicles / each.hours), 2) for number in (ways, passed)),
        )
        for each, ways, passed in zip(targets, routed, found.vehicles, strict=True)
    )  # fmt: skip


def driven(scenario: Scenario, targets: Sequence[Target], seed: int) -> Driven:
    """Drives a scenario under the plans that its network has, with a loop at each place that is counted.

    Raises what `run` raises.
    """
    spots = list(dict.fromkeys(spot for each in targets for spot in each.spots))
    ends_s = {each.begin_s for each in targets} | {each.end_s for each in targets}
    period_s = gcd(*(end_s - scenario.begin_s for end_s in ends_s)) or scenario.end_s - scenario.begin_s
    with tempfile.TemporaryDirectory(prefix="vigie-driven-") as name:
        loops, counts = Path(name) / "loops.add.xml", Path(name) / "counts.xml"
        write(loops, made("additional", {}, [_loop(at, spot, period_s, counts) for at, spot in enumerate(spots)]))
        watched = replace(scenario, additional=(*scenario.additional, loops))
        outcome = run(Asked(watched, "plan"), seed).outcome
        passed: dict[Spot, list[tuple[float, int]]] = {spot: [] for spot in spots}
        for each in elements(counts, "interval"):
            passed[spots[int(each["id"].removeprefix(_NAMED))]].append((float(each["begin"]), int(each["nVehEntered"])))
    vehicles = tuple(
        sum(
            number
            for spot in each.spots
            for begin_s, number in passed[spot]
            if each.begin_s <= begin_s < each.end_s
        )
        for each in targets
    )  # fmt: skip
    return Driven(vehicles, outcome)


_NAMED = "vigie.counted."


def _loop(at: int, spot: Spot, period_s: int, counts: Path) -> object:
    return made("inductionLoop", {
        "id": f"{_NAMED}{at}", "lane": spot.lane, "pos": f"{spot.at_m:.2f}", "period": str(period_s),
        "file": str(counts), "friendlyPos": "true",
    })  # fmt: skip

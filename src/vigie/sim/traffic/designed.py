"""Plans designed for a scenario: who comes by each lane is counted in a run under the network's own plans, and the
junctions get plans for that."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec.structs import replace as changed

from vigie.services.signals.control.site import Plan, Site
from vigie.services.signals.design.corridor import corridor_of
from vigie.services.signals.design.fixed import best_plan, delay_s, plan_of
from vigie.services.signals.design.waves import Wave, wave
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.traffic.letters import letters_of
from vigie.sim.traffic.network import Light
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.world import World

THE_DAY_BEFORE = 1_000_000
"""Counts are of another day than the one that a plan is judged on: of this seed more."""

HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Designed:
    """A junction's plan as it was and as it is designed. comes_h: vehicles an hour by each approach, as counted.
    before_s, after_s: what a vehicle waits under each by Webster's formula."""

    site: Site
    comes_h: tuple[float, ...]
    plan: Plan
    before_s: float
    after_s: float


def counted(scenario: Scenario, lights: Sequence[Light], seed: int, scale: float = 1.0) -> list[tuple[float, ...]]:
    """Vehicles an hour that leave each approach of each light in the scenario's window, under the network's own plans.

    Raises SumoFailed, OSError, and Unfit for a junction that may not be controlled.
    """
    passed = [[0] * len(light.site.approaches) for light in lights]
    with (
        tempfile.TemporaryDirectory(prefix="vigie-counts-") as name,
        World(scenario, lights, Path(name), seed=seed, scale=scale) as world,
    ):
        sequencers = [Sequencer(light.site.junction) for light in lights]
        reads = [world.counters(at, _at_stop_lines, frozenset()) for at in range(len(lights))]
        for now_s in range(scenario.begin_s, scenario.end_s):
            for at, (light, sequencer) in enumerate(zip(lights, sequencers, strict=True)):
                own = reads[at]()
                for n, approach in enumerate(light.site.approaches):
                    if approach.stop is not None:
                        passed[at][n] += max(0, own[approach.stop])
                world.show(at, letters_of(light, sequencer.step(light.site.plan.greens(now_s))))
            world.step()
    hours = (scenario.end_s - scenario.begin_s) / HOUR_S
    return [tuple(each / hours for each in own) for own in passed]


def _at_stop_lines(name: str) -> bool:
    return name.endswith(" stop")


def designs(lights: Sequence[Light], comes_h: Sequence[tuple[float, ...]]) -> list[Designed]:
    """A plan for each junction by itself, with the cycle that costs least; it begins when the network's own does."""
    found: list[Designed] = []
    for light, own in zip(lights, comes_h, strict=True):
        site = light.site
        plan = changed(best_plan(site, own), offset_s=site.plan.offset_s)
        found.append(Designed(site, own, plan, delay_s(site, site.plan, own), delay_s(site, plan, own)))
    return found


def with_plans(lights: Sequence[Light], comes_h: Sequence[tuple[float, ...]]) -> tuple[Light, ...]:
    """The same lights, with plans designed for who comes."""
    return under(lights, {each.site.junction.name: each.plan for each in designs(lights, comes_h)})


def under(lights: Sequence[Light], plans: Mapping[str, Plan]) -> tuple[Light, ...]:
    """The same lights, with these plans in place of their own."""
    return tuple(
        replace(light, site=changed(light.site, plan=plans.get(light.name, light.site.plan))) for light in lights
    )


def on_corridor(designed: Sequence[Designed], corridor: Sequence[str]) -> list[Designed]:
    """The junctions of a corridor, in its order. Raises ValueError for one that there is not."""
    by_name = {each.site.junction.name: each for each in designed}
    missing = [name for name in corridor if name not in by_name]
    if missing:
        raise ValueError(f"there is no junction {missing[0]!r}: there are {', '.join(sorted(by_name))[:400]}")
    return [by_name[name] for name in corridor]


def in_a_wave(
    designed: Sequence[Designed], corridor: Sequence[str], cycle_s: int | None = None
) -> tuple[list[Designed], Wave]:
    """The junctions of a corridor, in its order, with one cycle and the offsets of the widest bands; and the bands.

    cycle_s: the cycle that is sought, or else the longest that any of them wants by itself; or what all of them have
    room in. A second of each band is worth as much as comes by it at its busiest. Raises ValueError for what is no
    corridor, or has no such cycle.
    """
    own = on_corridor(designed, corridor)
    plans = _of_one_cycle(own, cycle_s or max(each.plan.cycle_s for each in own))
    crossings = corridor_of([each.site for each in own], plans)
    busy = [max(_comes(each, groups) for each, groups in zip(own, way, strict=True)) for way in
            ([each.there for each in crossings], [each.back for each in crossings])]  # fmt: skip
    made = wave(crossings, *busy)
    return [
        Designed(
            each.site, each.comes_h, changed(plan, offset_s=offset_s), each.before_s,
            delay_s(each.site, plan, each.comes_h),
        )
        for each, plan, offset_s in zip(own, plans, made.offsets_s, strict=True)
    ], made  # fmt: skip


def _of_one_cycle(own: Sequence[Designed], cycle_s: int) -> list[Plan]:
    """Plans of one cycle, which is sought from this one on. Raises ValueError."""
    tried: set[int] = set()
    while True:
        plans = [plan_of(each.site, cycle_s, each.comes_h) for each in own]
        cycles = sorted((plan.cycle_s, each.site.junction.name) for plan, each in zip(plans, own, strict=True))
        (short_s, short), (long_s, long) = cycles[0], cycles[-1]
        if short_s == long_s:
            return plans
        tried.add(cycle_s)
        if short_s in tried:
            raise ValueError(
                f"{short!r} and {long!r} have no cycle in common: near {cycle_s} s the one has room in {short_s} s "
                f"and the other in {long_s} s"
            )
        cycle_s = short_s


def _comes(designed: Designed, groups: frozenset[int]) -> float:
    """Vehicles an hour by the lanes that these groups let pass."""
    approaches = designed.site.approaches
    return sum(comes for each, comes in zip(approaches, designed.comes_h, strict=True) if each.groups & groups)

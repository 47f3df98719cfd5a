"""Signals: how long 1,000 junctions take to be decided, and what control adds to a simulation's own time."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec

from bench.harness import Measured, measurement
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.site import Site
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import read_scenario

JUNCTIONS = 1_000
SECONDS = 30
SCENARIO = Path(__file__).resolve().parents[2] / "shared" / "signals" / "grid4x4" / "grid4x4.sumocfg"


def _copy(site: Site, at: int) -> Site:
    """A junction of another town that is the same."""
    feeders = tuple(msgspec.structs.replace(each, neighbour=f"{each.neighbour}/{at}") for each in site.feeders)
    junction = msgspec.structs.replace(site.junction, name=f"{site.junction.name}/{at}")
    return msgspec.structs.replace(site, junction=junction, feeders=feeders)


@measurement("signals.decide_1000")
def decide_1000() -> Measured:
    """The longest of some seconds in which 1,000 junctions of 12 lanes and 10 stages are decided and sequenced by one
    thread, with vehicles on every lane. Raises OSError where the scenario is missing."""
    lights = lights_of(read_network(read_scenario(SCENARIO).network))
    sites = [_copy(light.site, at) for at in range(-(-JUNCTIONS // len(lights))) for light in lights][:JUNCTIONS]
    runs: list[float] = []
    for seed in range(5):
        dice = Random(seed)
        controller = Adaptive(sites)
        sequencers = [Sequencer(site.junction) for site in sites]
        shown = [each.step(None) for each in sequencers]
        longest_s = 0.0
        for now_s in range(SECONDS):
            on = [[dice.randrange(4) for _ in site.junction.detectors] for site in sites]
            began = time.perf_counter()
            wishes = controller.decide(now_s, on, shown)
            shown = [each.step(wish) for each, wish in zip(sequencers, wishes, strict=True)]
            longest_s = max(longest_s, time.perf_counter() - began)
        runs.append(longest_s)
    size = f"{JUNCTIONS:,} junctions of 12 lanes and 10 stages, the longest of {SECONDS} seconds"
    return Measured("signals.decide_1000", "s", runs, 1.0, False, size, "1")


@measurement("signals.overhead")
def overhead() -> Measured:
    """What control and sequencers take for each second of SUMO's own. Raises OSError where the scenario is missing."""
    scenario = read_scenario(SCENARIO)
    runs: list[float] = []
    for seed in range(1, 4):
        found = run(Asked(replace(scenario, end_s=scenario.begin_s + 1_800), "adaptive"), seed)
        runs.append(100 * found.control_s / found.sumo_s)
    size = "grid4x4, half an hour of 16 junctions and 200 vehicles"
    return Measured("signals.overhead", "%", runs, 30, False, size, "1, SUMO in it")

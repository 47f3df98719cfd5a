"""Signals: how long 1,000 junctions take to be decided, and what control adds to a simulation's own time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import msgspec

from bench.harness import ASKED, Measured, measurement
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import Site
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.outcome import Trip, mean
from vigie.sim.traffic.run import Asked, Run, run
from vigie.sim.traffic.scenario import read_scenario

JUNCTIONS = 1_000
SECONDS = 30
BUSES_H, EMERGENCIES_H = 60.0, 6.0
AFTER_S = 300
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


@cache
def _with_and_without(buses_h: float, emergencies_h: float) -> list[tuple[Run, Run]]:
    """grid4x4 whole, each seed with priority and without, the same vehicles in both."""
    asked = Asked(read_scenario(SCENARIO), "adaptive", buses_h=buses_h, emergencies_h=emergencies_h)
    return [(run(replace(asked, priority=True), seed), run(asked, seed)) for seed in ASKED.seeds]


def _change(name: str, pairs: Sequence[tuple[float, float]], must: float, size: str) -> Measured:
    """By how many percent the first of each pair is more than the second."""
    runs = [100 * (first / second - 1) for first, second in pairs]
    seeds = ", ".join(map(str, ASKED.seeds))
    told = [f"{first:.1f} s for {second:.1f} s" for first, second in pairs]
    return Measured(name, "%", runs, must, False, f"grid4x4, {size}; seeds {seeds}", "1, SUMO in it", told=told)


@measurement("signals.bus_delay")
def bus_delay() -> Measured:
    """What priority changes of the delay of buses. Raises OSError where the scenario is missing."""
    found = _with_and_without(BUSES_H, 0.0)
    pairs = [(first.outcome.bus_delay_s or 0.0, second.outcome.bus_delay_s or 0.0) for first, second in found]
    return _change("signals.bus_delay", pairs, -35, "60 buses an hour")


@measurement("signals.bus_others")
def bus_others() -> Measured:
    """What priority for buses changes of the delay of all others. Raises OSError where the scenario is missing."""
    found = _with_and_without(BUSES_H, 0.0)
    pairs = [(first.outcome.others_delay_s or 0.0, second.outcome.others_delay_s or 0.0) for first, second in found]
    return _change("signals.bus_others", pairs, 3, "60 buses an hour")


@measurement("signals.emergency_travel")
def emergency_travel() -> Measured:
    """What a corridor changes of the travel time of who is on the way to save somebody. Raises OSError where the
    scenario is missing."""
    found = _with_and_without(0.0, EMERGENCIES_H)
    pairs = [
        (first.outcome.emergency_travel_s or 0.0, second.outcome.emergency_travel_s or 0.0) for first, second in found
    ]
    measured = _change("signals.emergency_travel", pairs, -30, "6 of the hour's vehicles")
    return replace(measured, told=[*measured.told, *_beside([first for first, _ in pairs])])


def _beside(corridor_s: Sequence[float]) -> list[str]:
    """What the same emergencies take in a town whose signals do not adapt and know no corridor."""
    told: list[str] = []
    for controller in ("plan", "actuated"):
        asked = Asked(read_scenario(SCENARIO), controller, emergencies_h=EMERGENCIES_H)
        without_s = [run(asked, seed).outcome.emergency_travel_s or 0.0 for seed in ASKED.seeds]
        changes = sorted(100 * (own / other - 1) for own, other in zip(corridor_s, without_s, strict=True))
        each = ", ".join(f"{value:.1f}" for value in without_s)
        told.append(f"{controller}, no corridor: {each} s; with ours {changes[0]:.1f} to {changes[-1]:.1f} %")
    return told


@measurement("signals.emergency_after")
def emergency_after() -> Measured:
    """What a corridor changes of the delay of those who are to set out from five minutes after it on. Raises OSError
    where the scenario is missing."""
    pairs: list[tuple[float, float]] = []
    for first, second in _with_and_without(0.0, 1.0):
        over_s = max(each.arrived_s for each in first.trips if each.sort is Sort.EMERGENCY) + AFTER_S
        pairs.append((_later(first.trips, over_s), _later(second.trips, over_s)))
    return _change("signals.emergency_after", pairs, 3, "those who set out from five minutes after one emergency on")


def _later(trips: Sequence[Trip], from_s: float) -> float:
    return mean([each.delay_s for each in trips if each.due_s >= from_s])

"""Plans for the periods of a day, from counts of its hours: what was counted on roads and lanes is brought to the lanes
before each light, the day is cut, and each period has plans designed for what comes in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from vigie.services.signals.control.site import Plan, Site
from vigie.services.signals.design.day import DAY_S, Cut, Period, Slot, critical_h, cut, mean_h
from vigie.services.signals.design.fixed import SATURATION_H
from vigie.services.signals.design.waves import Wave
from vigie.services.signals.whatif.paired import Paired, paired
from vigie.sim.traffic.counts import HOUR_S, Count, CountsWrong, Places
from vigie.sim.traffic.designed import Designed, designs, in_a_wave
from vigie.sim.traffic.netfile import Network
from vigie.sim.traffic.network import Light
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import Scenario

Time = tuple[int, int]
"""From when to when, in seconds from midnight."""

USUAL_H_MIN = 50.0
"""Of fewer vehicles an hour in a run nobody can tell by how much more or fewer came: it is chance that counts them."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What comes by each approach of each light, in vehicles an hour: (time, light, approach), in the order of times.
    guessed: lanes that nobody counts, which have their share of what was counted. unused: places that count no lane
    before one of the lights."""

    times: tuple[Time, ...]
    comes_h: tuple[tuple[tuple[float, ...], ...], ...]
    guessed: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeriodPlans:
    """A period and its plans. wave: of a corridor."""

    period: Period
    designed: tuple[Designed, ...]
    wave: Wave | None


@dataclass(frozen=True, slots=True)
class Driven:
    """A day's plans in traffic. begin_s, end_s: of the scenario's time, the part that is of the period whose plans were
    driven, in seconds from midnight. delay: the mean of all vehicles of the network in all of its time, under its own
    plans before and under these after."""

    begin_s: int
    end_s: int
    delay: Paired


@dataclass(frozen=True, slots=True)
class DayPlans:
    """Junctions that change their plans at the same times, and a day's plans of theirs."""

    junctions: tuple[str, ...]
    cut: Cut
    periods: tuple[PeriodPlans, ...]


def flows_of(
    network: Network,
    places: Places,
    lights: Sequence[Light],
    counts: Sequence[Count],
    usual_h: Sequence[Sequence[float]],
) -> Flows:
    """Brings counts to the lanes before lights. A lane that is counted has its own; the count of a road is shared out
    among its lanes as in usual_h, vehicles an hour by each approach of each light; a lane that nobody counts has its
    part of usual_h, as much more or less as there is at the light's others, or else, where less than USUAL_H_MIN comes
    there usually, at those of all lights. A time in which nothing but unused places count is none.

    Raises CountsWrong where no lane before a light is counted, and for more vehicles than can pass.
    """
    lanes = {each.lane for light in lights for each in light.site.approaches}
    roads = {network.lanes[lane].edge for lane in lanes}
    counted: dict[Time, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    unused: dict[str, None] = {}
    for each in counts:
        spot = places.spot_of(each.place)
        name = each.place if spot is None else spot.lane
        if name in (roads if spot is None else lanes):
            places.need_room(each)
            flow_h = each.vehicles * HOUR_S / (each.end_s - each.begin_s)
            counted[each.begin_s, each.end_s][name].append(flow_h)
        else:
            unused[each.place] = None
    if not counted:
        raise CountsWrong("no place that is counted is a lane before one of these lights, or its road")
    rows: list[tuple[tuple[float, ...], ...]] = []
    guessed: dict[str, None] = {}
    times = sorted(counted)
    for time in times:
        own = {name: fmean(values) for name, values in counted[time].items()}
        known = [_known(light.site, network, usual, own) for light, usual in zip(lights, usual_h, strict=True)]
        rows.append(_filled(known, usual_h))
        guessed |= {
            each.lane: None
            for light, values in zip(lights, known, strict=True)
            for each, value in zip(light.site.approaches, values, strict=True)
            if value is None
        }
    return Flows(tuple(times), tuple(rows), tuple(guessed), tuple(unused))


def _known(site: Site, network: Network, usual_h: Sequence[float], counted: Mapping[str, float]) -> list[float | None]:
    """What is counted of each approach of a light, or of its road."""
    edges = [network.lanes[each.lane].edge for each in site.approaches]
    found: list[float | None] = []
    for each, edge, usual in zip(site.approaches, edges, usual_h, strict=True):
        beside = [own for own, other in zip(usual_h, edges, strict=True) if other == edge]
        share = usual / sum(beside) if sum(beside) else 1 / len(beside)
        of_road = counted.get(edge)
        found.append(counted.get(each.lane, None if of_road is None else of_road * share))
    return found


def _filled(
    known: Sequence[Sequence[float | None]], usual_h: Sequence[Sequence[float]]
) -> tuple[tuple[float, ...], ...]:
    """What nobody counts is as usual, times what there is of the others, and no more than a lane discharges."""
    pairs = [[*zip(own, usual, strict=True)] for own, usual in zip(known, usual_h, strict=True)]
    everywhere = _times([each for own in pairs for each in own], 1.0)
    return tuple(
        tuple(min(usual * here, max(usual, SATURATION_H)) if value is None else value for value, usual in own)
        for own in pairs
        for here in [_times(own, everywhere)]
    )


def _times(pairs: Sequence[tuple[float | None, float]], otherwise: float) -> float:
    """How many times what is usual was counted; otherwise where too little is usual to tell."""
    both = [(value, usual) for value, usual in pairs if value is not None]
    usually = sum(usual for _, usual in both)
    return sum(value for value, _ in both) / usually if usually >= USUAL_H_MIN else otherwise


def day_plans(
    lights: Sequence[Light], flows: Flows, corridor: Sequence[str], most: int, change_h: float
) -> list[DayPlans]:
    """The day of each light by itself; or of a corridor, which changes its plans at the same times.

    most: so many periods at most. change_h: of `cut`, at each of the junctions. Raises ValueError for what is no
    corridor, or no day.
    """
    by_name = {light.name: at for at, light in enumerate(lights)}
    missing = [name for name in corridor if name not in by_name]
    if missing:
        raise ValueError(f"there is no junction {missing[0]!r}: there are {', '.join(sorted(by_name))[:400]}")
    together = [[by_name[name] for name in corridor]] if corridor else [[at] for at in range(len(lights))]
    return [_day_of([lights[at] for at in own], own, flows, corridor, most, change_h) for own in together]


def driven(
    scenario: Scenario, days: Sequence[DayPlans], seeds: Sequence[int], say: Callable[[str, int, int], None]
) -> Driven:
    """Drives a scenario under the network's own plans, and under those that a day's junctions have at its time: of
    each junction those of the period in which most of that time is. say: what is being done, how much of it is, and how
    much there is.

    Raises ValueError where the scenario's time is of none of these periods, and what `run` raises.
    """
    plans: dict[str, Plan] = {}
    begin_s, end_s = scenario.begin_s, scenario.end_s
    for day in days:
        shares = [_share(scenario, each.period) for each in day.periods]
        best = max(range(len(shares)), key=lambda at: shares[at][1] - shares[at][0])
        if shares[best][1] <= shares[best][0]:
            raise ValueError(
                f"at the time of the scenario, {begin_s} s to {end_s} s from midnight, nothing was counted at "
                f"{day.junctions[0]}"
            )
        begin_s, end_s = max(begin_s, shares[best][0]), min(end_s, shares[best][1])
        if begin_s >= end_s:
            raise ValueError(
                f"from {scenario.begin_s} s to {scenario.end_s} s from midnight, the scenario's time, these junctions "
                "change their plans at different times: give a shorter one with --begin and --end"
            )
        plans |= {each.site.junction.name: each.plan for each in day.periods[best].designed}
    sides: list[list[float]] = []
    for side, own in enumerate(({}, plans)):
        costs = list[float]()
        for at, seed in enumerate(seeds):
            say("driving", side * len(seeds) + at, 2 * len(seeds))
            costs.append(run(Asked(scenario, "plan", plans=own), seed).outcome.mean_delay_s)
        sides.append(costs)
    return Driven(begin_s, end_s, paired(seeds, *sides))


def _share(scenario: Scenario, period: Period) -> Time:
    """From when to when a scenario's time is of a period; of the periods of two days the longer, where it goes over
    midnight."""
    length_s = (period.end_s - period.begin_s) % DAY_S or DAY_S
    begins = [period.begin_s % DAY_S + day * DAY_S for day in (-1, 0, 1)]
    shares = [(max(begin, scenario.begin_s), min(begin + length_s, scenario.end_s)) for begin in begins]
    return max(shares, key=lambda each: each[1] - each[0])


def _day_of(
    lights: Sequence[Light], places: Sequence[int], flows: Flows, corridor: Sequence[str], most: int, change_h: float
) -> DayPlans:
    """The day of some lights, by their places among all."""
    rows = [[own[at] for at in places] for own in flows.comes_h]
    slots = [
        Slot(*time, tuple(
            flow for light, comes_h in zip(lights, own, strict=True) for flow in critical_h(light.site, comes_h)
        ))
        for time, own in zip(flows.times, rows, strict=True)
    ]  # fmt: skip
    # Each of the junctions loses what a change costs.
    found = cut(slots, most=most, change_h=change_h * sqrt(len(lights)))
    periods: list[PeriodPlans] = []
    for period in found.periods:
        means = [mean_h(slots, period, [own[at] for own in rows]) for at in range(len(lights))]
        made, wave = designs(lights, means), None
        if corridor:
            made, wave = in_a_wave(made, corridor)
        periods.append(PeriodPlans(period, tuple(made), wave))
    return DayPlans(tuple(light.name for light in lights), found, tuple(periods))

"""Lighting: how often the 95 % interval of a saving holds the truth.

Towns are drawn whose truth is known: sodium and mercury lamps of which some are on record, their gear, their
photocells, what was out of order, cables, meters within their class, drifting, replaced, unheard. A town then states
what a town can find out (a survey, a wattmeter at some lamps, one count by night, the logs of some photocells, old
bills), and the report is asked. Nothing here is read from the estimator, and nothing of what is drawn is known to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from bench.harness import ASKED, Measured, measurement
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.past import Told
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.lighting.energy.lamps import Lamps
from vigie.services.lighting.energy.meters import Span, metered
from vigie.services.lighting.energy.model import Baseline, Interval
from vigie.services.lighting.energy.report import Case, report
from vigie.services.lighting.energy.saving import Former
from vigie.services.lighting.programmes.model import Switching
from vigie.services.lighting.programmes.nights import Edges, Nights, Place
from vigie.services.lighting.programmes.park import Park

YEARS = 200
YEAR, YEAR_BEFORE = 2026, 2023
PLACE = Place(5.04, 47.32)
CALENDAR = Calendar(ZoneInfo("Europe/Paris"))
MUST, MOST = 93.0, 97.0

SODIUM = ((70.0, 1.19), (100.0, 1.15), (150.0, 1.13), (250.0, 1.10))
MERCURY = ((80.0, 1.12), (125.0, 1.10), (250.0, 1.07))
"""Watts printed on the lamp, and watts at the terminals for each of them, with magnetic ballasts as makers state their
losses (about 13, 15, 20, 25 and 10, 12, 18 W)."""


@dataclass(frozen=True)
class Truth:
    """A town as it is. cabinet: of each lamp. printed_w, drawn_w: of each old lamp; out: for which share of the year it
    was out of order. evening_min, morning_min: how much later than the sun alone would have it the photocell of each
    cabinet switches under a clear sky. cloud_min: by how much clouds lengthen a night, on average. lost_per_w: the
    share of its load that a cabinet's cables turn into heat, for each watt of it; own_w: what it needs itself."""

    cabinet: Int64s
    printed_w: Floats
    drawn_w: Floats
    out: Floats
    evening_min: Floats
    morning_min: Floats
    cloud_min: float
    lost_per_w: Floats
    own_w: Floats


def truth(rng: np.random.Generator) -> Truth:
    """Draws a town."""
    cabinets = int(rng.integers(15, 60))
    fed = rng.integers(8, 70, cabinets)
    cabinet = np.repeat(np.arange(cabinets), fed)
    # A street is of one lamp, mostly: what hangs on a cabinet is more alike than a town's lamps are.
    sodium = rng.beta(4, 2)
    kinds = np.array([*SODIUM, *MERCURY])
    weight = np.concatenate([sodium * rng.dirichlet((5, 3, 2, 0.5)), (1 - sodium) * rng.dirichlet((2, 4, 1))])
    usual = rng.choice(len(kinds), cabinets, p=weight)
    own = rng.choice(len(kinds), len(cabinet), p=weight)
    kind = np.where(rng.random(len(cabinet)) < 0.5, usual[cabinet], own)
    volts = rng.uniform(0.96, 1.07)
    drawn_w = kinds[kind, 0] * kinds[kind, 1] * volts * rng.normal(1, 0.04, len(cabinet))
    gone = rng.uniform(0.005, 0.06)
    out = np.minimum(rng.exponential(gone, len(cabinet)), 1.0)
    load_w = np.bincount(cabinet, drawn_w, cabinets)
    return Truth(
        cabinet, kinds[kind, 0], drawn_w, out,
        rng.uniform(-12, 12) + rng.normal(0, 4, cabinets), rng.uniform(-12, 12) + rng.normal(0, 4, cabinets),
        rng.uniform(2, 8), rng.uniform(0.005, 0.025, cabinets) / load_w,
        rng.uniform(3, 12, cabinets) + 5 * (rng.random(cabinets) < 0.6),
    )  # fmt: skip


def old_kwh(town: Truth, nights: Nights, sun_h: float, cloud_h: float) -> Floats:
    """What the old lamps of each cabinet make a meter without error count on some nights."""
    cabinets = len(town.own_w)
    hours = sun_h + (town.morning_min - town.evening_min) / 60 * len(nights) + cloud_h
    load_w = np.bincount(town.cabinet, town.drawn_w * (1 - town.out), cabinets)
    return ((load_w + town.lost_per_w * load_w**2) * hours + town.own_w * len(nights) * 24) / 1_000


def stated(rng: np.random.Generator, town: Truth, known: Mask) -> Baseline:
    """What the town found out of its old lamps."""
    blind = np.flatnonzero(~known)
    survey = town.printed_w[rng.choice(blind, min(len(blind), int(rng.integers(60, 150))), replace=False)]
    pick = rng.choice(len(known), int(rng.integers(20, 40)), replace=False)
    meter = rng.normal(1, 0.005)
    measured, printed = town.drawn_w[pick] * meter * rng.normal(1, 0.005, len(pick)), town.printed_w[pick]
    gear = measured.sum() / printed.sum()
    gear_sd = np.std(measured - gear * printed, ddof=1) / np.sqrt(len(pick)) / printed.mean()
    seen = rng.choice(len(known), min(len(known), 400), replace=False)
    dark = float((rng.random(len(seen)) < town.out[seen]).mean())
    logged = rng.choice(len(town.own_w), 12, replace=False)
    # Clouds of ten nights each: the logs of evenings, and of mornings, have half of what they lengthen a night by.
    cloud_min = rng.gamma(20, town.cloud_min / 40, (2, 12))
    evenings, mornings = town.evening_min[logged] - cloud_min[0], town.morning_min[logged] + cloud_min[1]
    evening, morning = float(evenings.mean()), float(mornings.mean())
    spread = float(np.sqrt((np.var(evenings, ddof=1) + np.var(mornings, ddof=1)) / 2 / 12))
    return Baseline(
        lamp_w=float(survey.mean()), lamp_w_sd=float(survey.std(ddof=1)), surveyed=len(survey),
        gear=max(1.0, float(gear)), gear_sd=float(np.hypot(gear_sd, 0.005 * gear)), measured=len(pick),
        out=dark, out_sd=float(np.sqrt(max(dark * (1 - dark), 0.002) / len(seen))),
        switching=Switching(evening_min=round(evening), morning_min=round(morning)),
        switching_sd_min=float(np.sqrt(spread**2 + 1 / 12)), meter_class=2.0,
    )  # fmt: skip


@dataclass(frozen=True)
class Meters:
    """How wrong the meter of each cabinet is now, and how wrong it was then."""

    now: Floats
    then: Floats
    same: Mask

    @staticmethod
    def of(rng: np.random.Generator, count: int) -> Meters:
        """Meters of class 2: of a make or two, within their limits; most are the same for years, and drift."""
        now = rng.uniform(-0.012, 0.012) + rng.uniform(-0.008, 0.008, count)
        same = rng.random(count) < 0.6
        drifted = np.clip(now + rng.normal(rng.normal(0, 0.002), 0.003, count), -0.02, 0.02)
        other = rng.uniform(-0.012, 0.012) + rng.uniform(-0.008, 0.008, count)
        return Meters(now, np.where(same, drifted, other), same)


def indexes(rng: np.random.Generator, daily_kwh: Floats, start_us: int) -> Told:
    """What the meters of cabinets (rows) told each day (columns): some were never there, some are replaced, and whole
    nights are missing."""
    cabinets, days = (int(each) for each in daily_kwh.shape)
    asset, at_us, value = list[Int64s](), list[Int64s](), list[Floats]()
    lost: Mask = rng.random(days + 1) < rng.uniform(0, 0.06)
    for row in np.flatnonzero(rng.random(cabinets) >= 0.03).tolist():
        index = np.concatenate([[0.0], np.cumsum(daily_kwh[row])]) + rng.uniform(1_000, 50_000)
        if rng.random() < 0.08:
            index[int(rng.integers(1, days)) :] -= index[int(rng.integers(1, days))]
        heard: Mask = ~lost & (rng.random(days + 1) >= rng.uniform(0, 0.05))
        days_heard = np.flatnonzero(heard)
        asset.append(np.full(len(days_heard), row + 1))
        at_us.append(start_us + days_heard * DAY_US)
        value.append(np.round(index[heard], 2))
    return Told(np.concatenate(asset), np.concatenate(at_us), np.concatenate(value))


def lived(rng: np.random.Generator) -> tuple[float, Interval]:
    """One year of one town: its true saving, and what is said of it."""
    town, nights, then = truth(rng), Nights.of_year(YEAR, CALENDAR), Nights.of_year(YEAR_BEFORE, CALENDAR)
    cabinets, count = len(town.own_w), len(town.cabinet)
    sun, sun_then = (Edges.of(each, PLACE, Switching()) for each in (nights, then))
    cloud_h, cloud_then_h = rng.exponential(town.cloud_min / 60, (2, 365)).sum(1)
    before = old_kwh(town, nights, _hours(sun), cloud_h)
    led_w = town.printed_w * rng.uniform(0.3, 0.45) * rng.normal(1, 0.05, count)
    night_h = (sun.off_us - sun.on_us) / HOUR_US
    dim = rng.uniform(0.6, 0.95) * rng.uniform(0.97, 1.03, 365)
    lamps_kwh = led_w[:, None] * dim * night_h / 1_000
    load_w = np.stack([np.bincount(town.cabinet, each, cabinets) for each in (led_w[:, None] * dim).T], 1)
    daily = ((load_w + town.lost_per_w[:, None] * load_w**2) * night_h + town.own_w[:, None] * 24) / 1_000
    meters = Meters.of(rng, cabinets)
    start_us = int(nights.bounds_us[0][0])
    told = indexes(rng, daily * (1 + meters.now)[:, None], start_us)
    known = (rng.random(cabinets) < rng.uniform(0.2, 0.8))[town.cabinet]
    known[rng.choice(count, count // 10, replace=False)] = False
    baseline = stated(rng, town, known)
    counted = old_kwh(town, then, _hours(sun_then), cloud_then_h) * (1 + meters.then)
    counted[rng.random(cabinets) >= rng.uniform(0, 0.6)] = np.nan
    edges, edges_then = (Edges.of(each, PLACE, baseline.switching) for each in (nights, then))
    hours, hours_then = _hours(edges), _hours(edges_then)
    former = Former(
        np.where(known, town.printed_w, np.nan), np.full(count, hours), len(nights), counted,
        np.full(cabinets, hours / hours_then), np.full(cabinets, len(nights) / hours - len(then) / hours_then),
        meters.same,
    )  # fmt: skip
    case = _case(rng, town, nights, baseline, former, lamps_kwh.sum(1) * (1 + rng.normal(0, 0.012)), told)
    said = report(case).whole.saving
    assert said is not None
    return 1 - float(daily.sum() / before.sum()), said


def _hours(edges: Edges) -> float:
    return float((edges.off_us - edges.on_us).sum()) / HOUR_US


def _case(
    rng: np.random.Generator, town: Truth, nights: Nights, baseline: Baseline, former: Former, kwh: Floats, told: Told
) -> Case:
    """What the report is made of."""
    count, cabinets = len(town.cabinet), len(town.own_w)
    names = [f"lamp-{n}" for n in range(count)]
    none = [""] * count
    park = Park(
        np.arange(count) + 1_000, names, np.zeros(count, np.int64), np.zeros(count, np.int64),
        np.full(count, PLACE.lon), np.full(count, PLACE.lat), none, np.full(count, 50.0), none, none, town.cabinet + 1,
        ["town"], [""], cabinets={n: f"cabinet-{n}" for n in range(1, cabinets + 1)},
    )  # fmt: skip
    heard = rng.uniform(0.85, 0.99)
    lamps = Lamps(
        kwh, np.zeros(count), kwh * (1 - heard), np.full(count, heard), np.ones(count), np.zeros(count, np.bool_),
        np.full(count, -1, np.int64),
    )  # fmt: skip
    numbers = np.array(ints(np.arange(1, cabinets + 1)))
    start_us, end_us = nights.bounds_us
    none_us = np.empty(0, np.int64)
    span = Span(int(start_us[0]), int(end_us[-1]), none_us, none_us)
    own = np.bincount(town.cabinet, kwh, cabinets).astype(np.float64)
    meters = metered(numbers, told, span, np.full(cabinets, np.nan), own)
    return Case(park, (), nights, lamps, numbers, meters, None, baseline, former)


@measurement("lighting.saving_coverage")
def saving_coverage() -> Measured:
    """Of simulated years, the share in which the 95 % interval of the saving holds the true one."""
    runs: list[float] = []
    lines: list[str] = []
    for seed in ASKED.seeds:
        years = [lived(np.random.default_rng((seed, year))) for year in range(YEARS)]
        held = [said.low <= true <= said.high for true, said in years]
        runs.append(100 * sum(held) / YEARS)
        low, high = (sum(true < said.low for true, said in years), sum(true > said.high for true, said in years))
        wide = np.median([said.high - said.low for _, said in years])
        off = np.mean([said.value - true for true, said in years])
        lines.append(
            f"seed {seed}: holds {runs[-1]:.1f} %, truth below {low}, above {high}; "
            f"saving {np.mean([true for true, _ in years]):.1%}, width {wide:.2%} (median), mean error {off:+.2%}"
        )
    size = f"{YEARS} years of towns of 15 to 60 cabinets, class 2 meters; seeds {', '.join(map(str, ASKED.seeds))}"
    lines.append(f"from {MUST:.0f} to {MOST:.0f} % is what it should be")
    return Measured("lighting.saving_coverage", "%", runs, MUST, True, size, "1", told=lines)

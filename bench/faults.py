"""Lighting: which of the faults that were thrown are found, how soon, and what else is said.

A month of the whole lighting of a city goes through admission, engine and store as in `bench.sim`, with ticks as long
as the services take between two sweeps. What breaks is thrown by `vigie.sim.life.trials`, which knows of no rule that
finds it. 5 % of all reports are lost, and 1 % of the clocks are wrong by minutes to hours.

A condition is true if it is open on the lamp or cabinet of a label while that stands, or within `GRACE_US` after, and
has the name of what is broken. What is raised on lamps beside the one condition of their cabinet is forgiven if it is
gone within `ABSORBED_US`; all else is false.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

from bench.harness import ASKED, Measured, measurement
from vigie.app import services
from vigie.core.drafts import Draft
from vigie.core.facts import ConditionMoved, ConditionRaised
from vigie.core.kinds import Outlet
from vigie.core.observations import FUTURE_US_MAX
from vigie.core.service import SWEEP_S
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.sim.city import City, generate
from vigie.sim.city.inventory import asset_id
from vigie.sim.day import Day, Setting, settle_in
from vigie.sim.life.columns import DAY
from vigie.sim.life.faults import LOSSES, Fault, Told, Type
from vigie.sim.life.sky import dark
from vigie.sim.life.state import Wiring, trips
from vigie.sim.life.trials import cabinet_of, shown, throw, unseen
from vigie.sim.links import Faults

NIGHTS, LABELS = 30, 300
BEGIN_US = to_us(datetime.fromisoformat("2026-11-24T12:00:00+01:00"))
"""At noon, so that each day of the span has a whole night."""
LINKS = Faults(lost=0.05, astray=0.01)
GRACE_US, ABSORBED_US = 30 * MINUTE_US, 15 * MINUTE_US
AT_ONCE_US = MINUTE_US
MEMORY_MB = 1_024
"""DuckDB's: joining a day of 20 million rows takes more than the default, and no rule looks into history."""
OUTAGES, OUTAGE_EACH_US = 12, 20 * MINUTE_US

_LEAVES = 10_000
_LOST = frozenset({"circuit_lost", "supply_lost"})
NAMES: Mapping[Type, frozenset[str]] = {
    Type.SAID: frozenset({"lamp_out"}),
    Type.DEAD: frozenset({"lamp_out"}),
    Type.STRING: frozenset({"power_low"}),
    Type.DRIFT: frozenset({"power_high"}),
    Type.HEAT: frozenset({"driver_hot"}),
    Type.SILENT: frozenset({"lamp_silent"}),
    Type.CYCLING: frozenset({"lamp_cycling"}),
    Type.BY_DAY: frozenset({"lamp_by_day"}),
    Type.PHOTOCELL_LIT: frozenset({"photocell_stuck"}),
    # A contactor that a photocell does not close reads as one that does not close of its own.
    Type.PHOTOCELL_DARK: frozenset({"photocell_stuck", "circuit_lost"}),
    Type.CONTACTOR: frozenset({"photocell_stuck", "circuit_lost"}),
    Type.BREAKER: frozenset({"circuit_lost"}),
    Type.RESIDUAL: frozenset({"circuit_lost"}),
    Type.SUPPLY: _LOST,
    Type.CUT: frozenset({"circuit_lost"}),
    Type.THEFT: frozenset({"circuit_lost"}),
}
"""What a fault of each type is called."""
SO_TOO: Mapping[Type, frozenset[str]] = {
    Type.HEAT: frozenset({"power_low"}),
    Type.CYCLING: frozenset({"power_low", "lamp_out"}),
}
"""What is as true of it: gear that is too warm gives less, and a lamp that cycles is out at times."""
PLACES = frozenset({"crossing_dark", "school_route_dark", "street_dark"})
OUT = frozenset({Type.SAID, Type.DEAD, Type.SILENT, Type.CYCLING})
"""Of one lamp, what may make a place dark."""
JUDGED = frozenset[str]().union(*NAMES.values()) | PLACES


@dataclass(slots=True)
class Raised:
    """A condition of an asset, from when the post knew of it until it was gone; -1 where it never was."""

    name: str
    asset: str
    from_us: int
    until_us: int = -1


@dataclass(frozen=True)
class Night:
    """What some nights came to. found: of each label, when; absent where it was not. false: what was said besides.
    deaf: labels of devices whose clock is so far ahead that the post takes nothing of them. astray: whose is wrong."""

    labels: Sequence[Fault]
    unseen: Mapping[int, str]
    found: Mapping[int, int]
    since_us: Mapping[int, int]
    false: Sequence[Raised]
    deaf: Sequence[int]
    astray: frozenset[str]
    readings: int


def lighting_alone(draft: Draft) -> bool:
    """Lamps, cabinets, the streets and communes they are in, and who knows the weather."""
    return draft.kind in {"commune", "street", "luminaire", "cabinet", "weather_station"}


def conditions(day: Day) -> list[Raised]:
    """Every condition of the day, in the order in which they were raised."""
    raised: dict[str, Raised] = {}
    whole = day.facts.journal.size
    for first in range(0, whole, _LEAVES):
        for line in reversed(day.facts.journal.lines(before=first + _LEAVES, limit=min(_LEAVES, whole - first))):
            fact = line.fact
            if isinstance(fact, ConditionRaised):
                raised[fact.condition] = Raised(fact.kind, fact.asset, fact.received)
            elif isinstance(fact, ConditionMoved) and fact.event == "clear":
                raised[fact.condition].until_us = fact.at
    return list(raised.values())


def lived(
    city: City, seed: int, labels: Sequence[Fault], begin_us: int, until_us: int, tick_s: float,
    after: Callable[[Day], None] = lambda day: None,
) -> Lived:  # fmt: skip
    """The conditions of a span in which this breaks, and whose clocks are far ahead. after: called after each day of
    it."""
    folder = os.environ.get("VIGIE_BENCH_FOLDER")
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", dir=folder) as name:
        settle_in(Path(name) / "post", services(), city, at_us=begin_us, wanted=lighting_alone)
        setting = Setting(
            begin_us, seed, DAY, LINKS, tick_s=tick_s, memory_mb=MEMORY_MB, breakdowns=Told(labels),
            lighting_alone=True,
        )  # fmt: skip
        with Day(Path(name) / "post", services(), city, setting) as day:
            for till_us in [*range(begin_us + DAY_US, until_us, DAY_US), until_us]:
                day.run(till_us)
                after(day)
            registry, skew_us = day.engine.registry, day.links.skew_us
            ahead = [skew_us[registry.numbers[asset_of(each)]] > FUTURE_US_MAX for each in labels]
            return Lived(
                conditions(day),
                [n for n, each in enumerate(ahead) if each],
                frozenset(registry.ids[no] for no in np.flatnonzero(skew_us).tolist()),
                day.tally.outcomes.total(),
            )


@dataclass(frozen=True)
class Lived:
    """What a post had to say of a span. deaf: see `Night`."""

    raised: Sequence[Raised]
    deaf: Sequence[int]
    astray: frozenset[str]
    readings: int


def asset_of(label: Fault) -> str:
    """The lamp or the cabinet that it is at."""
    return asset_id("cabinet" if label.of_cabinet else "luminaire", label.index)


class Judge:
    """Which label a condition belongs to."""

    def __init__(self, city: City, labels: Sequence[Fault]) -> None:
        self._labels, wiring = labels, Wiring(city)
        self._at: dict[str, list[int]] = defaultdict(list)
        self._behind: dict[str, list[int]] = defaultdict(list)
        for n, label in enumerate(labels):
            self._at[asset_of(label)].append(n)
            if label.of_cabinet:
                share = 0.0 if trips(label) or label.type not in LOSSES else label.size
                lamps = np.flatnonzero(wiring.behind(label.index, label.circuit, share)).tolist()
                for lamp in lamps:
                    self._behind[asset_id("luminaire", lamp)].append(n)

    def found(self, raised: Raised) -> int:
        """The label that a condition names rightly; -1 for none."""
        return next((n for n in self._standing(self._at, raised) if raised.name in NAMES[self._labels[n].type]), -1)

    def so_too(self, raised: Raised) -> bool:
        """Whether a condition is true of something broken, though it is not its name."""
        for n in self._standing(self._at, raised):
            what = self._labels[n].type
            if raised.name in SO_TOO.get(what, ()) or (raised.name in PLACES and what in OUT):
                return True
        gone = raised.until_us >= 0 and raised.until_us - raised.from_us <= ABSORBED_US
        return gone and bool(self._standing(self._behind, raised))

    def sorted(self, every: Sequence[Raised]) -> tuple[dict[int, int], list[Raised]]:
        """When each label was found, of those that were, and what is false."""
        found, false = dict[int, int](), list[Raised]()
        for each in every:
            if each.name not in JUDGED:
                continue
            n = self.found(each)
            if n >= 0:
                found.setdefault(n, each.from_us)
            elif not self.so_too(each):
                false.append(each)
        return found, false

    def _standing(self, where: Mapping[str, list[int]], raised: Raised) -> list[int]:
        labels = self._labels
        return [
            n for n in where.get(raised.asset, ())
            if labels[n].from_us <= raised.from_us <= labels[n].until_us + GRACE_US
        ]  # fmt: skip


@cache
def nights(seed: int, number: int) -> Night:
    """So many nights from a seed, of which the city, what breaks, the links and all ids are made."""
    city = generate(seed, scenery=False)
    until_us = BEGIN_US + number * DAY_US
    labels = throw(city, seed, BEGIN_US, number, round(LABELS * number / NIGHTS))
    # What cannot be told is settled before anything is looked at.
    why = {n: unseen(city, label, until_us, DAY.lamp_s) for n, label in enumerate(labels)}
    since = {n: shown(city, label, until_us, DAY.lamp_s).since_us for n, label in enumerate(labels)}
    judge = Judge(city, labels)

    def after(day: Day) -> None:
        known, wrong = judge.sorted(conditions(day))
        begun = sum(each.from_us < day.clock.now_us() for each in labels)
        turn = (day.clock.now_us() - BEGIN_US) // DAY_US
        print(f"seed {seed}, {turn} of {number} nights: {begun} faults begun, {len(known)} found, {len(wrong)} false",
              file=sys.stderr, flush=True)  # fmt: skip

    span = lived(city, seed, labels, BEGIN_US, until_us, SWEEP_S, after)
    found, false = judge.sorted(span.raised)
    return Night(
        labels, {n: said for n, said in why.items() if said}, found, since, false, span.deaf, span.astray, span.readings
    )


def told(every: Sequence[Night]) -> list[str]:
    """A line for each type, and what is to be known besides."""
    lines = [f"{'type':<15}{'labelled':>9}{'telling':>9}{'found':>7}{'recall':>8}{'median':>9}{'worst':>9}"]
    for what in NAMES:
        labelled = [(night, n) for night in every for n, each in enumerate(night.labels) if each.type is what]
        telling = [(night, n) for night, n in labelled if n not in night.unseen]
        found = [(night, n) for night, n in telling if n in night.found]
        late_s = [max(0, night.found[n] - night.since_us[n]) / SECOND_US for night, n in found]
        recall = f"{len(found) / len(telling):.1%}" if telling else ""
        delays = (_span(median(late_s)), _span(max(late_s))) if late_s else ("", "")
        lines.append(
            f"{what:<15}{len(labelled):>9}{len(telling):>9}{len(found):>7}{recall:>8}{delays[0]:>9}{delays[1]:>9}"
        )
    false = Counter(each.name for night in every for each in night.false)
    lines.append("false: " + (", ".join(f"{name} {number}" for name, number in false.most_common()) or "none"))
    wrong = Counter(each.name for night in every for each in night.false if each.asset in night.astray)
    lines += [f"of them where the clock is wrong: {name} {number}" for name, number in wrong.most_common()]
    lines += [f"not to be told: {night.labels[n].type}: {why}" for night in every for n, why in night.unseen.items()]
    lines += [f"clock more than 5 min ahead, so refused: {night.labels[n].type}" for night in every for n in night.deaf]
    return lines


def _span(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7_200
        else f"{seconds / 3_600:.1f} h"
    )


def _size(every: Sequence[Night]) -> str:
    labels = sum(len(night.labels) for night in every)
    return (
        f"{labels} faults in {ASKED.nights} nights of 34,000 lamps, seeds {', '.join(map(str, ASKED.seeds))}; "
        f"{sum(night.readings for night in every):,} readings, 5 % of reports lost, 1 % of clocks wrong"
    )


@measurement("lighting.fault_recall")
def fault_recall() -> Measured:
    """Of the faults that can be told, the share that is found under its name; delays are from when it first shows."""
    every = [nights(seed, ASKED.nights) for seed in ASKED.seeds]
    runs = [
        100 * len(night.found.keys() - night.unseen.keys()) / max(1, len(night.labels) - len(night.unseen))
        for night in every
    ]
    return Measured(
        "lighting.fault_recall", "%", runs, 97, True, _size(every), "1, lamps and post in it", told=told(every)
    )


@measurement("lighting.fault_precision")
def fault_precision() -> Measured:
    """Of what is said to be broken, the share that is: labels found over these and all that is false."""
    every = [nights(seed, ASKED.nights) for seed in ASKED.seeds]
    runs = [100 * len(night.found) / max(1, len(night.found) + len(night.false)) for night in every]
    return Measured(
        "lighting.fault_precision", "%", runs, 97, True, _size(every), "1, lamps and post in it", told=told(every)
    )


@cache
def outages(seed: int) -> list[tuple[Fault, list[Raised]]]:
    """Cabinets of about 60 lamps that go dark as a whole, one after the other, and the alarms of each: so many in the
    first night that the post sees, and as many, of other cabinets, in the second."""
    city = generate(seed, scenery=False)
    lighting = city.lighting
    fed = np.bincount(lighting.cabinet, minlength=len(lighting.cabinet_xy))
    dusk_us = next(t for t in range(BEGIN_US, BEGIN_US + DAY_US, MINUTE_US) if dark(t))
    begin_us, faults = dusk_us - HOUR_US, list[Fault]()
    near = np.argsort(np.abs(fed - 60), kind="stable")
    for n in range(2 * OUTAGES):
        what = (Type.SUPPLY, Type.RESIDUAL, Type.CONTACTOR)[n % 3]
        good = (int(c) for c in near if lighting.switched[c] or what is not Type.CONTACTOR)
        cabinet = next(c for c in good if c not in {each.index for each in faults})
        at_us = dusk_us + HOUR_US + n // OUTAGES * DAY_US + n % OUTAGES * OUTAGE_EACH_US
        dice = (n % OUTAGES + 0.5) / OUTAGES
        faults.append(Fault(what, cabinet, at_us, at_us + OUTAGE_EACH_US - MINUTE_US, dice=dice))
    span = lived(city, seed, faults, begin_us, faults[-1].until_us + HOUR_US, 5.0)
    kinds = {kind.name: kind for service in services() for kind in service.conditions}
    alarms = [each for each in span.raised if kinds[each.name].outlet is Outlet.ALARM]
    seen: list[tuple[Fault, list[Raised]]] = []
    for fault in faults:
        own = {asset_of(fault)} | {
            asset_id("luminaire", lamp) for lamp in np.flatnonzero(lighting.cabinet == fault.index).tolist()
        }
        assert cabinet_of(city, fault) == fault.index
        seen.append((fault, [e for e in alarms if e.asset in own and fault.from_us <= e.from_us < fault.until_us]))
    return seen


@measurement("lighting.cabinet_alarms")
def cabinet_alarms() -> Measured:
    """Cabinets of about 60 lamps that go dark: the share of these outages of which an operator sees one alarm, no more,
    within a minute, by a post that has seen a night. Those of its first night are told beside it."""
    runs: list[float] = []
    lines: list[str] = []
    for seed in ASKED.seeds:
        for which, seen in (("first night", outages(seed)[:OUTAGES]), ("second night", outages(seed)[OUTAGES:])):
            good = [
                len(alarms) == 1 and alarms[0].from_us - fault.from_us <= AT_ONCE_US for fault, alarms in seen
            ]  # fmt: skip
            lines.append(f"seed {seed}, {which}: {sum(good)} of {len(good)}")
            for fault, alarms in seen:
                said = ", ".join(f"{e.name} after {(e.from_us - fault.from_us) / SECOND_US:.0f} s" for e in alarms)
                lines.append(f"{fault.type}: {said or 'no alarm'}")
        runs.append(100 * sum(good) / len(good))
    size = (
        f"{OUTAGES} outages of cabinets of about 60 lamps, in ticks of 5 s, in the second night that the post sees; "
        f"seeds {', '.join(map(str, ASKED.seeds))}"
    )
    return Measured("lighting.cabinet_alarms", "%", runs, 100, True, size, "1, lamps and post in it", told=lines)

"""Roads: how many positions of noisy trails find their street, and how fast; how far behind the coverage of rounds is,
and what it takes: made drives on Montpellier's streets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import shapely

from bench.harness import ASKED, RUNS, Measured, measurement
from vigie.core.arrays import ints
from vigie.core.drafts import Draft
from vigie.core.ground import M_PER_DEGREE
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.times import SECOND_US
from vigie.protocols.inventories import read_source, shipped_mapping
from vigie.services.roads.matching import SIGMA_M, Network, match_ground, network_of
from vigie.services.roads.matching.loops import near, way_m
from vigie.services.roads.matching.network import NEAR_M
from vigie.services.roads.rounds.circuits import Circuit, Stretch
from vigie.services.roads.rounds.driving import Cells, Driving, Positions
from vigie.services.roads.rounds.turns import DONE_SHARE, Course, Progress, Turn, served
from vigie.sim.trails import Trail, trails

CITY = Path(__file__).resolve().parents[2] / "shared" / "cities" / "montpellier"
EVERY_S, NODE_M = 15.0, 15.0
DRIVES = 150
"""Of each sort."""
COMPARED = 40
"""Drives of each sort that the slow matcher beside ours is given."""


@cache
def street_drafts() -> Sequence[Draft]:
    """Montpellier's streets that are drawn, of its inventory. Raises OSError where that is missing."""
    mapping = shipped_mapping("montpellier")
    files = tuple(each for each in mapping.files if any(rule.kind == "street" for rule in each.assets))
    mapping = msgspec.structs.replace(mapping, files=files)
    read = read_source(mapping, {each.file: (CITY / each.file).read_bytes() for each in files})
    return [each for each in read.drafts if each.kind == "street" and each.geometry is not None]


@cache
def streets() -> Network:
    """Montpellier's. Raises OSError where its inventory is missing."""
    streets = street_drafts()
    lines = [shapely.from_wkb(each.geometry) for each in streets]
    spots, row = shapely.get_coordinates(lines, return_index=True)
    start = np.append(np.flatnonzero(np.diff(row, prepend=-1)), len(row))
    one_way = np.array([bool(each.attributes.get("one_way")) for each in streets])
    return network_of(spots[:, 0].copy(), spots[:, 1].copy(), start, one_way)


def _drives(*seeds: int) -> dict[str, list[Trail]]:
    return {
        name: [
            trail
            for seed in seeds
            for trail in trails(streets(), seed, DRIVES, every_s=EVERY_S, sigma_m=SIGMA_M, rounds=rounds)
        ]
        for name, rounds in (("from place to place", False), ("rounds that turn as dice fall", True))
    }


@dataclass(frozen=True)
class _Right:
    """Positions: on the true street; or on the adjoining one that was driven, near their node; and all."""

    strict: int
    near: int
    all: int

    @property
    def rate(self) -> float:
        return 100 * self.near / self.all

    def told(self, who: str) -> str:
        return f"{who}: {self.rate:.1f} %, strictly {100 * self.strict / self.all:.1f} %, of {self.all} positions"


def _judged(network: Network, drives: Sequence[Trail], found: Sequence[Int64s]) -> _Right:
    """found: arcs. Judged by the inventory's own arcs, of which a few are cut in two where another ends on them."""
    strict = near_by = every = 0
    for trail, arcs in zip(drives, found, strict=True):
        line = np.where(arcs < 0, -1, network.line[arcs])
        driven = network.line[trail.path // 2]
        ends_m = np.cumsum(network.length_m[trail.path // 2])
        at_m = ends_m[trail.step] - trail.left_m
        right = line == driven[trail.step]
        strict += int(right.sum())
        turns = np.flatnonzero(np.diff(driven))
        close = np.abs(ends_m[turns][None, :] - at_m[:, None]) <= NODE_M
        for n, turn in np.argwhere(close):
            right[n] |= line[n] in (driven[turns[turn]], driven[turns[turn] + 1])
        near_by, every = near_by + int(right.sum()), every + len(line)
    return _Right(strict, near_by, every)


def _ours(network: Network, trail: Trail) -> Int64s:
    return match_ground(network, trail.spots, trail.at_s).arc


def _nearest(network: Network, trail: Trail) -> Int64s:
    return np.array([match_ground(network, spot[None], np.zeros(1)).arc[0] for spot in trail.spots])


def _newson_krumm(network: Network, trail: Trail, beta_m: float) -> Int64s:
    """The one likeliest drive: a way's likelihood falls with the difference of its length from the straight line."""
    found, apart, at = np.zeros(128, np.int64), np.zeros(128), np.zeros(128)
    best = np.full(len(trail.spots), -1, np.int64)
    states: list[list[tuple[int, float]]] = []
    scores: list[Floats] = []
    origins: list[Int64s] = []
    for n, spot in enumerate(trail.spots):
        own = list[tuple[int, float]]()
        seen = list[float]()
        for k in range(near(network.ground, spot[0], spot[1], NEAR_M, found, apart, at)):
            for against in range(2):
                if network.allowed[2 * found[k] + against]:
                    length = float(network.length_m[found[k]])
                    own.append((2 * int(found[k]) + against, length - at[k] if against else float(at[k])))
                    seen.append(-(float(apart[k]) ** 2) / (2 * SIGMA_M**2))
        score, origin = np.array(seen), np.full(len(own), -1)
        if n and states[-1] and own:
            straight = float(np.hypot(*(spot - trail.spots[n - 1])))
            moves = np.full((len(own), len(states[-1])), -np.inf)
            for i, (one, gone_m) in enumerate(states[-1]):
                for j, (other, then_m) in enumerate(own):
                    if one == other and then_m >= gone_m:
                        far = then_m - gone_m
                    else:
                        far = float(network.length_m[one // 2]) - gone_m + way_m(network.ways, one, other) + then_m
                    moves[j, i] = scores[-1][i] - abs(far - straight) / beta_m
            if np.isfinite(moves).any():
                origin, score = moves.argmax(1), score + moves.max(1)
        states.append(own)
        scores.append(score)
        origins.append(origin)
    at_state = -1
    for n in range(len(states) - 1, -1, -1):
        if not states[n]:
            at_state = -1
            continue
        if at_state < 0:
            at_state = int(np.argmax(scores[n]))
        best[n] = states[n][at_state][0] // 2
        at_state = int(origins[n][at_state])
    return best


def _beta_m(drives: Sequence[Trail], network: Network) -> float:
    """As its authors find it: from how much driven ways are longer than straight lines, on drives of another seed."""
    apart = list[Floats]()
    for trail in drives:
        at_m = np.cumsum(network.length_m[trail.path // 2])[trail.step] - trail.left_m
        apart.append(np.abs(np.diff(at_m) - np.hypot(*np.diff(trail.spots, axis=0).T)))
    return float(np.median(np.concatenate(apart)) / np.log(2))


@measurement("roads.match_rate")
def match_rate() -> Measured:
    """The share of positions that are matched right, over drives from place to place and over rounds alike; each apart,
    the nearest street and a published matcher beside it. Raises OSError where the streets are missing."""
    network = streets()
    told, every = list[str](), list[_Right]()
    for name, drives in _drives(*ASKED.seeds).items():
        ours = _judged(network, drives, [_ours(network, each) for each in drives])
        every.append(ours)
        some = drives[:COMPARED]
        beta_m = _beta_m(_drives(min(ASKED.seeds) + 1)[name], network)
        theirs = _judged(network, some, [_newson_krumm(network, each, beta_m) for each in some])
        again = _judged(network, some, [_ours(network, each) for each in some])
        nearest = _judged(network, some, [_nearest(network, each) for each in some])
        told += [
            ours.told(f"{name}, ours"),
            again.told(f"{name}, ours, {COMPARED} of them"),
            theirs.told(f"{name}, Newson and Krumm 2009 (beta {beta_m:.0f} m) on these"),
            nearest.told(f"{name}, nearest street on these"),
        ]
    right = 100 * sum(each.near for each in every) / sum(each.all for each in every)
    return Measured("roads.match_rate", "%", [right], 95, True, _SIZE, "1", told=told)


@measurement("roads.match_per_s")
def match_per_s() -> Measured:
    """Positions matched in a second of one core, whole trails one after the other. Raises OSError where the streets are
    missing."""
    network = streets()
    drives = [each for some in _drives(*ASKED.seeds).values() for each in some]
    match_ground(network, drives[0].spots, drives[0].at_s)
    many, runs = sum(len(each.at_s) for each in drives), list[float]()
    for _ in range(RUNS):
        began = time.perf_counter()
        for each in drives:
            match_ground(network, each.spots, each.at_s)
        runs.append(many / (time.perf_counter() - began))
    return Measured("roads.match_per_s", "positions/s", runs, 20_000, True, _SIZE, "1")


_SIZE = (
    f"Montpellier's 8,011 arcs; {DRIVES} drives and {DRIVES} rounds a seed, each {EVERY_S:.0f} s, noise {SIGMA_M:.0f} m"
)


VEHICLES, TRACKED_EVERY_S, TICK_S, DRIVEN_S = 205, 5.0, 1.0, 600
CIRCUITS = 30
NOTED_EACH = 10
"""Beats; as at a post."""


@dataclass(frozen=True)
class _Followed:
    """What following rounds took. busy_s: each beat, by the clock; cpu_s: all of them, of the processor. late_s: of
    positions, from when they came until every circuit was told with them. asked, found: streets that were truly driven
    for four fifths of them, and that were told so; right: both."""

    busy_s: Sequence[float]
    late_s: Sequence[float]
    cpu_s: float
    asked: int
    found: int
    right: int


@cache
def _followed() -> _Followed:
    """Vehicles that all sweep and drive rounds for ten minutes, each telling its position each five seconds."""
    network = streets()
    seed = min(ASKED.seeds)
    fleet = list(trails(network, seed, VEHICLES, every_s=TRACKED_EVERY_S, sigma_m=SIGMA_M, rounds=True))
    driving = Driving(network)
    lines = int(network.line.max()) + 1
    numbers = np.arange(lines)
    at_s = np.concatenate([each.at_s for each in fleet])
    vehicle = np.repeat(np.arange(1, len(fleet) + 1), [len(each.at_s) for each in fleet])
    spots = np.concatenate([each.spots for each in fleet])
    lon = spots[:, 0] / (M_PER_DEGREE * np.cos(np.radians(network.middle_lat)))
    order = np.argsort(at_s[at_s < DRIVEN_S], kind="stable")
    rows = np.flatnonzero(at_s < DRIVEN_S)[order]
    begin_us = 1_795_486_000_000_000
    every = Positions(
        vehicle[rows], begin_us + (at_s[rows] * SECOND_US).astype(np.int64), lon[rows], spots[rows, 1] / M_PER_DEGREE,
        np.ones(len(rows), np.uint8), np.full(len(rows), np.nan),
    )  # fmt: skip
    turn = Turn(begin_us - 1, begin_us + DRIVEN_S * SECOND_US)
    circuits = [
        Circuit(str(n), "sweeping", tuple(Stretch(str(line)) for line in some))
        for n, some in enumerate(np.array_split(numbers, CIRCUITS))
    ]
    courses = {str(line): line for line in ints(numbers)}
    under_way = [Progress(each, Course.on(each, driving.cells, courses, numbers), turn) for each in circuits]
    # What is compiled at first need is compiled before.
    Driving(network).take(every.take(np.arange(2_000)), begin_us)
    busy, late, cpu_s = list[float](), list[float](), 0.0
    for beat in range(1, int(DRIVEN_S / TICK_S) + 1):
        now_us = begin_us + int(beat * TICK_S * SECOND_US)
        low, high = np.searchsorted(every.at_us, [now_us - int(TICK_S * SECOND_US), now_us])
        began, began_cpu = time.perf_counter(), time.process_time()
        stands, _ = driving.take(every.take(np.arange(int(low), int(high))), now_us)
        served(driving, stands)
        if beat % NOTED_EACH == 0:
            for each in under_way:
                each.note(driving.layers[0])
        layer = driving.now(0)
        for each in under_way:
            each.states(each.now(layer), now_us)
        busy.append(time.perf_counter() - began)
        cpu_s += time.process_time() - began_cpu
        late += [(now_us - int(each)) / SECOND_US + busy[-1] for each in every.at_us[low:high]]
    driving.take(every.take(np.arange(0)), begin_us + 2 * DRIVEN_S * SECOND_US)
    told = np.concatenate([each.now(driving.now(0)).done for each in under_way])
    truly = _truly_driven(network, fleet, lines)
    return _Followed(busy, late, cpu_s, int(truly.sum()), int(told.sum()), int((told & truly).sum()))


def _truly_driven(network: Network, fleet: Sequence[Trail], lines: int) -> Mask:
    """Which streets were driven for four fifths of their length from a vehicle's first position to its last in time."""
    cells = Cells.of(network)
    passed = np.zeros(cells.count, np.bool_)
    for trail in fleet:
        until = np.flatnonzero(trail.at_s < DRIVEN_S)
        first, last = int(until[0]), int(until[-1])
        for step in range(int(trail.step[first]), int(trail.step[last]) + 1):
            arc, against = divmod(int(trail.path[step]), 2)
            long = float(network.length_m[arc])
            low, high = 0.0, long
            if step == trail.step[first]:
                low = float(trail.gone_m[first])
            if step == trail.step[last]:
                high = float(trail.gone_m[last])
            if against:
                low, high = long - high, long - low
            line = int(network.line[arc])
            middles: Floats = (np.arange(int(cells.first[line + 1] - cells.first[line])) + 0.5) * cells.long_m[line]
            begin = float(network.begin_m[arc])
            passed[cells.first[line] : cells.first[line + 1]] |= (middles >= begin + low) & (middles < begin + high)
    return np.add.reduceat(passed, cells.first[:-1]) / np.diff(cells.first) >= DONE_SHARE


@measurement("roads.coverage_lag")
def coverage_lag() -> Measured:
    """How old the oldest positions are by when each circuit is told with them: beats of a second, and what one takes.
    Raises OSError where the streets are missing."""
    found = _followed()
    told = [
        f"a position waits {np.median(found.late_s):.2f} s in the middle, {max(found.late_s):.2f} s at most; a beat "
        f"takes {1000 * np.median(found.busy_s):.1f} ms, {1000 * max(found.busy_s):.1f} ms at most",
        f"streets driven for four fifths: {found.asked}; told so: {found.found}, of these rightly: {found.right}; "
        f"noise {SIGMA_M:.0f} m, vehicles that turn as dice fall",
    ]
    return Measured("roads.coverage_lag", "s", [max(found.late_s)], 2, False, _FLEET, "1", told=told)


@measurement("roads.coverage_core")
def coverage_core() -> Measured:
    """The share of one core that it takes. Raises OSError where the streets are missing."""
    found = _followed()
    return Measured("roads.coverage_core", "%", [100 * found.cpu_s / DRIVEN_S], 5, False, _FLEET, "1")


_FLEET = (
    f"{VEHICLES} vehicles that all sweep, a position each {TRACKED_EVERY_S:.0f} s for {DRIVEN_S / 60:.0f} min, noise "
    f"{SIGMA_M:.0f} m, Montpellier's 8,011 arcs in {CIRCUITS} circuits, told each second"
)

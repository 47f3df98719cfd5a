"""What was driven with a tool at work: of each ten metres of each street and each way along it, when last and by whom.

Positions are matched in windows as they come. What is concluded of a step with fewer than `AHEAD` positions after it
may change yet: it is told, and taken back where they say otherwise. The rest stands.

A tool was at work between two positions where it was at both; what a vehicle says of its tool holds until it says
otherwise, for as long as the point's value does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from vigie.core.arrays import ints
from vigie.core.ground import M_PER_DEGREE, metres
from vigie.core.observations import Bytes, Floats, Int64s, Mask
from vigie.core.times import SECOND_US
from vigie.services.roads.matching import Network, match_trails
from vigie.services.roads.matching.loops import driven
from vigie.services.roads.matching.sifting import JUMP_SPEED, sift
from vigie.services.roads.rounds.circuits import TASKS

CELL_M = 10.0
"""About as long as a cell of a street is; a street has a whole number of them."""

AHEAD, BEHIND = 4, 4
"""So many positions after a step and before it are matched with it: 20 s each of a tracker that speaks each five."""

SILENT_US = 60 * SECOND_US
"""What is told so late after a step, by the clock of the post, is waited for no longer."""

VEHICLES_MAX = 10_000
HELD_MAX = 2_000
"""Positions of one vehicle in one window: what a tracker without a network sends at once comes in several."""


@dataclass(frozen=True)
class Positions:
    """Positions of vehicles, in columns of one length, in degrees. tasks: bits of TASKS, what each does there.
    dosage: g/m2, NaN for none."""

    vehicle: Int64s
    at_us: Int64s
    lon: Floats
    lat: Floats
    tasks: Bytes
    dosage: Floats

    def __len__(self) -> int:
        return len(self.vehicle)

    def take(self, rows: Int64s | Mask) -> Positions:
        """Some of them."""
        return Positions(
            self.vehicle[rows], self.at_us[rows], self.lon[rows], self.lat[rows], self.tasks[rows], self.dosage[rows]
        )

    @staticmethod
    def joined(*parts: Positions) -> Positions:
        """All of them, one after the other."""
        return Positions(
            np.concatenate([each.vehicle for each in parts]), np.concatenate([each.at_us for each in parts]),
            np.concatenate([each.lon for each in parts]), np.concatenate([each.lat for each in parts]),
            np.concatenate([each.tasks for each in parts]), np.concatenate([each.dosage for each in parts]),
        )  # fmt: skip

    @staticmethod
    def none() -> Positions:
        """No positions."""
        return Positions(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.uint8), np.empty(0)
        )


def held(vehicle: Int64s, at_us: Int64s, said_by: Int64s, said_us: Int64s, said: Floats, valid_us: int) -> Floats:
    """What a point of each vehicle was at an instant, by what was said of it; NaN for nothing, or too long ago."""
    asked = np.concatenate([np.zeros(len(said_by), np.int8), np.ones(len(vehicle), np.int8)])
    who, when = np.concatenate([said_by, vehicle]), np.concatenate([said_us, at_us])
    order = np.lexsort((asked, when, who))
    # Of each row, the last before it that said something.
    last = np.maximum.accumulate(np.where(asked[order] == 0, np.arange(len(order)), -1))
    rows = np.flatnonzero(asked[order] == 1)
    told = np.full(len(vehicle), np.nan)
    source = last[rows]
    rows, source = rows[source >= 0], order[source[source >= 0]]
    mine = order[rows] - len(said_by)
    good = (said_by[source] == vehicle[mine]) & (at_us[mine] - said_us[source] <= valid_us)
    told[mine[good]] = said[source[good]]
    return told


@dataclass(frozen=True)
class Passed:
    """Cells that were passed, in the order of time: the cell and way (twice the cell's number, and one more for against
    the line), when, by which vehicle, with what."""

    cell: Int64s
    at_us: Int64s
    vehicle: Int64s
    tasks: Bytes
    dosage: Floats

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, rows: Int64s | Mask) -> Passed:
        """Some of them."""
        return Passed(self.cell[rows], self.at_us[rows], self.vehicle[rows], self.tasks[rows], self.dosage[rows])

    @staticmethod
    def joined(*parts: Passed) -> Passed:
        """All of them, in the order of time."""
        whole = Passed(
            np.concatenate([each.cell for each in parts]), np.concatenate([each.at_us for each in parts]),
            np.concatenate([each.vehicle for each in parts]), np.concatenate([each.tasks for each in parts]),
            np.concatenate([each.dosage for each in parts]),
        )  # fmt: skip
        return whole.take(np.argsort(whole.at_us, kind="stable"))

    @staticmethod
    def none() -> Passed:
        """No cells."""
        return Passed(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0)
        )


@dataclass(frozen=True)
class Cells:
    """Streets in pieces of about CELL_M. first: of each line, its first cell; one more at the end. long_m: of a cell of
    each line."""

    first: Int64s
    long_m: Floats

    @staticmethod
    def of(network: Network) -> Cells:
        """The cells of the lines of a network."""
        lines = int(network.line.max(initial=-1)) + 1
        length_m = np.bincount(network.line, network.length_m, lines)
        count = np.maximum(np.round(length_m / CELL_M), 1).astype(np.int64)
        return Cells(np.append(0, np.cumsum(count)).astype(np.int64), length_m / count)

    @property
    def count(self) -> int:
        """How many."""
        return int(self.first[-1])

    def line_of(self, cell: Int64s) -> Int64s:
        """The line that each is of."""
        return np.searchsorted(self.first, cell, side="right") - 1


@dataclass
class Layer:
    """Of one task, by cell and way: when last, by which vehicle and with what dosage. at_us: 0 for never."""

    at_us: Int64s
    vehicle: Int64s
    dosage: Floats

    @staticmethod
    def of(cells: int) -> Layer:
        """Nothing yet."""
        return Layer(np.zeros(2 * cells, np.int64), np.zeros(2 * cells, np.int64), np.full(2 * cells, np.nan))

    def copy(self) -> Layer:
        """One that may be written over."""
        return Layer(self.at_us.copy(), self.vehicle.copy(), self.dosage.copy())

    def fold(self, passed: Passed) -> None:
        """Takes note of what was passed; what is later stands."""
        newer = passed.at_us >= self.at_us[passed.cell]
        cell = passed.cell[newer]
        # Of a cell that comes again the last stands, which is the latest.
        self.at_us[cell], self.vehicle[cell] = passed.at_us[newer], passed.vehicle[newer]
        self.dosage[cell] = passed.dosage[newer]


@dataclass
class Driving:
    """What was driven on a network, as it comes."""

    network: Network
    cells: Cells = field(init=False)
    layers: list[Layer] = field(init=False)
    soon: Passed = field(default_factory=Passed.none)
    """What may be taken back."""
    _window: Positions = field(default_factory=Positions.none)
    _fixed_us: Int64s = field(default_factory=lambda: np.zeros(VEHICLES_MAX, np.int64))

    def __post_init__(self) -> None:
        self.cells = Cells.of(self.network)
        self.layers = [Layer.of(self.cells.count) for _ in TASKS]

    def take(self, positions: Positions, now_us: int) -> tuple[Passed, Positions]:
        """Takes positions in. Returns what was passed and stands, and those positions that come too late to be matched
        with what was there (`past`). now_us: by the post's clock."""
        late = positions.at_us <= self._fixed(positions.vehicle)
        window = Positions.joined(self._window, positions.take(~late))
        window = window.take(np.lexsort((window.at_us, window.vehicle)))
        again = (np.diff(window.vehicle, prepend=-1) == 0) & (np.diff(window.at_us, prepend=-1) == 0)
        window = window.take(~again)
        spoke = np.isin(window.vehicle, positions.vehicle)
        spoke |= (window.at_us > self._fixed(window.vehicle)) & (window.at_us < now_us - SILENT_US)
        concerned = np.isin(window.vehicle, np.unique(window.vehicle[spoke]))
        stands, kept = self._match(window.take(concerned), now_us)
        self._window = Positions.joined(window.take(~concerned), kept)
        self.fold(stands)
        return stands, positions.take(late)

    def past(self, positions: Positions, now_us: int) -> Passed:
        """What was passed on whole trails, which all stands; it is not taken note of yet (`fold`)."""
        trails = positions.take(np.lexsort((positions.at_us, positions.vehicle)))
        first = np.flatnonzero(np.diff(trails.vehicle, prepend=-1))
        return self._passed(
            trails,
            [
                one + sift(trails.lon[one:other], trails.lat[one:other], trails.at_us[one:other], now_us=now_us).kept
                for one, other in pairwise([*ints(first), len(trails)])
            ],
        )

    def fold(self, stands: Passed) -> None:
        """Takes note of what was passed and stands."""
        for task, layer in enumerate(self.layers):
            layer.fold(stands.take((stands.tasks >> task) & 1 == 1))

    def now(self, task: int) -> Layer:
        """Of a task, with what may be taken back."""
        layer = self.layers[task].copy()
        layer.fold(self.soon.take((self.soon.tasks >> task) & 1 == 1))
        return layer

    def _fixed(self, vehicle: Int64s) -> Int64s:
        most = int(vehicle.max(initial=0))
        if most >= len(self._fixed_us):
            self._fixed_us = np.append(self._fixed_us, np.zeros(most + VEHICLES_MAX, np.int64))
        return self._fixed_us[vehicle]

    def _match(self, window: Positions, now_us: int) -> tuple[Passed, Positions]:
        """What was passed by the vehicles of a window, and what of the window is to be kept. Sorted by vehicle and
        time."""
        first = np.flatnonzero(np.diff(window.vehicle, prepend=-1))
        last = np.append(first[1:], len(window))[: len(first)]
        busy = np.logical_or.reduceat(window.tasks != 0, first) if len(first) else first > 0
        doubtful = _doubtful(window, now_us)
        doubted = np.logical_or.reduceat(doubtful, first) if len(first) else busy
        rows = list[Int64s]()
        for one, other, look in zip(ints(first[busy]), ints(last[busy]), doubted[busy].tolist(), strict=True):
            mine = slice(one, other)
            kept = sift(window.lon[mine], window.lat[mine], window.at_us[mine], now_us=now_us).kept if look else None
            rows.append(np.arange(one, other) if kept is None else one + kept)
        passed = self._passed(window, rows)
        vehicles = window.vehicle[first]
        # The step to a position stands where so many positions follow it, or it is long ago.
        before = np.maximum(last - 1 - AHEAD, first)
        fixed_us = np.where(last - 1 - AHEAD >= first, window.at_us[before], 0)
        old_us = np.where(window.at_us < now_us - SILENT_US, window.at_us, 0)
        if len(first):
            fixed_us = np.maximum(fixed_us, np.maximum.reduceat(old_us, first))
        earlier_us = self._fixed(vehicles)
        self._fixed_us[vehicles] = np.maximum(earlier_us, fixed_us)
        stood = passed.at_us <= earlier_us[np.searchsorted(vehicles, passed.vehicle)]
        stands = passed.at_us <= self._fixed_us[passed.vehicle]
        others = self.soon.take(~np.isin(self.soon.vehicle, vehicles))
        self.soon = Passed.joined(others, passed.take(~stands))
        # Kept are those that do not stand, and so many before them.
        open_ = window.at_us > self._fixed_us[window.vehicle]
        count = np.add.reduceat(open_.astype(np.int64), first) if len(first) else first
        from_row = np.maximum(np.maximum(last - count - BEHIND, last - HELD_MAX), first)
        keep = np.arange(len(window)) >= np.repeat(from_row, last - first)
        return passed.take(stands & ~stood), window.take(keep)

    def _passed(self, positions: Positions, rows: Sequence[Int64s]) -> Passed:
        """What was passed on trails; rows: the positions of each. One of which nothing may be true is none."""
        some = [each for each in rows if len(each)]
        if not some:
            return Passed.none()
        network, cells = self.network, self.cells
        trails = positions.take(np.concatenate(some))
        first = np.append(0, np.cumsum([len(each) for each in some])).astype(np.int64)
        spots = metres(trails.lon, trails.lat, middle_lat=network.middle_lat)
        begin_us = np.repeat(trails.at_us[first[:-1]], np.diff(first))
        directed, along_m = match_trails(network, spots, (trails.at_us - begin_us) / SECOND_US, first)
        both = trails.tasks.copy()
        both[1:] &= trails.tasks[:-1]
        both[first[:-1]] = 0
        row, way, from_m, to_m = driven(network.ways, network.length_m, directed, along_m, both != 0)
        arc = way // 2
        line = network.line[arc]
        long_m, begin_m = cells.long_m[line], network.begin_m[arc]
        # A cell is passed where its middle is.
        low = np.ceil((begin_m + from_m) / long_m - 0.5).astype(np.int64)
        high = np.ceil((begin_m + to_m) / long_m - 0.5).astype(np.int64)
        count = np.maximum(high - low, 0)
        which = np.repeat(np.arange(len(row)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        most = cells.first[line + 1] - 1
        cell = np.minimum(cells.first[line][which] + low[which] + within, most[which])
        source = row[which]
        passed = Passed(
            2 * cell + way[which] % 2, trails.at_us[source], trails.vehicle[source], both[source],
            trails.dosage[source],
        )  # fmt: skip
        return passed.take(np.argsort(passed.at_us, kind="stable"))


def _doubtful(window: Positions, now_us: int) -> Mask:
    """Positions for whose sake a trail is to be sifted, as most need not be: they are no place, of the future, or far
    from the one before."""
    with np.errstate(invalid="ignore"):
        place = (np.abs(window.lon) <= 180) & (np.abs(window.lat) <= 90) & ((window.lon != 0) | (window.lat != 0))
        # A degree of longitude is no longer than one of latitude.
        far_m = M_PER_DEGREE * np.hypot(np.diff(window.lon, prepend=0.0), np.diff(window.lat, prepend=0.0))
        same = np.diff(window.vehicle, prepend=-1) == 0
        leaps = same & ~(far_m <= JUMP_SPEED * np.diff(window.at_us, prepend=0) / SECOND_US)
    return ~place | (window.at_us > now_us) | leaps

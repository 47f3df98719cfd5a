"""How far a circuit is in its turn: which streets are done, by whom and when, which are late, what was left out.

A street is done where four fifths of its length were driven with the tool at work since the turn began, in each of the
ways that are asked for. It is late once it is due and not done; what is done after that was done late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

import numpy as np

from vigie.core import hours
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.times import HOUR_US, MINUTE_US, from_us, to_us
from vigie.services.roads.rounds.circuits import TASKS, Circuit
from vigie.services.roads.rounds.driving import Cells, Driving, Layer, Passed

DONE_SHARE = 0.8
"""Matching is unsure at junctions, where noise is as large as the difference: to ask for all of a street would leave
many open that were driven from end to end."""

State = Literal["open", "done", "late", "done_late"]
STATES: Sequence[State] = ("open", "done", "late", "done_late")


@dataclass(frozen=True, slots=True)
class Turn:
    """One time that a circuit is driven: from when on, and by when it is due."""

    start_us: int
    end_us: int


def turns(circuit: Circuit, after_us: int, until_us: int, zone: tzinfo) -> Iterator[Turn]:
    """Those that begin after an instant and not after another, the oldest first."""
    week = hours.read(circuit.hours) if circuit.hours else (((0, 24 * 60),),) * 7
    day, last = (from_us(each).astimezone(zone).date() for each in (after_us, until_us))
    while day <= last:
        for start_min, end_min in sorted(week[day.weekday()]):
            start_us, end_us = (
                to_us(datetime.combine(day, time.min, zone) + timedelta(minutes=each)) for each in (start_min, end_min)
            )
            if after_us < start_us <= until_us:
                yield Turn(start_us, end_us)
        day += timedelta(days=1)


@dataclass(frozen=True)
class Course:
    """The streets of a circuit on the cells of a network.

    street: of each stretch, the number of its asset; -1 where the inventory has it no more, or it is not drawn. one,
    other: the cells and ways that stand for it, of which either will do. part: which ask they are of. of: which stretch
    each ask is of; one that is driven both ways has two.
    """

    street: Int64s
    one: Int64s
    other: Int64s
    part: Int64s
    of: Int64s

    @staticmethod
    def on(circuit: Circuit, cells: Cells, lines: Mapping[str, int], numbers: Int64s) -> Course:
        """A circuit on a network. lines: the line of each street, by its id; numbers: the asset of each line."""
        rows = [lines.get(each.street, -1) for each in circuit.streets]
        one, other, part, of = list[Int64s](), list[Int64s](), list[Int64s](), list[int]()
        for n, (stretch, row) in enumerate(zip(circuit.streets, rows, strict=True)):
            if row < 0:
                continue
            along: Int64s = 2 * np.arange(int(cells.first[row]), int(cells.first[row + 1]))
            asked = {
                "either": [(along, along + 1)],
                "along": [(along, along)],
                "against": [(along + 1, along + 1)],
                "both": [(along, along), (along + 1, along + 1)],
            }[stretch.way]
            for first, second in asked:
                one.append(first)
                other.append(second)
                part.append(np.full(len(first), len(of)))
                of.append(n)
        empty = np.empty(0, np.int64)
        return Course(
            np.array([numbers[row] if row >= 0 else -1 for row in rows], np.int64),
            np.concatenate([empty, *one]), np.concatenate([empty, *other]), np.concatenate([empty, *part]),
            np.array(of, np.int64),
        )  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Of each stretch of a circuit, in columns. share: how much is driven, 0 to 1. at_us, vehicle: when the last of it
    was, and by which; 0 for never. dosage: the mean in g/m2, NaN for none."""

    share: Floats
    at_us: Int64s
    vehicle: Int64s
    dosage: Floats

    @property
    def done(self) -> Mask:
        """Whether each is."""
        return self.share >= DONE_SHARE

    def but(self, where: Mask, other: Seen) -> Seen:
        """The same, but for some, of which another says it."""
        return Seen(
            np.where(where, other.share, self.share), np.where(where, other.at_us, self.at_us),
            np.where(where, other.vehicle, self.vehicle), np.where(where, other.dosage, self.dosage),
        )  # fmt: skip


def seen(course: Course, layer: Layer, since_us: int) -> Seen:
    """What a layer says of a circuit since an instant."""
    many = len(course.street)
    share, last_us = np.zeros(many), np.zeros(many, np.int64)
    vehicle, dosage = np.zeros(many, np.int64), np.full(many, np.nan)
    if not len(course.of):
        return Seen(share, last_us, vehicle, dosage)
    at_us, other_us = layer.at_us[course.one], layer.at_us[course.other]
    driven = np.maximum(at_us, other_us) >= since_us
    first = np.flatnonzero(np.diff(course.part, prepend=-1))
    asked = np.add.reduceat(driven, first, dtype=np.int64) / np.diff(np.append(first, len(driven)))
    # A stretch that is driven both ways has two asks, and the lesser counts.
    stretches = np.flatnonzero(np.diff(course.of, prepend=-1))
    share[course.of[stretches]] = np.minimum.reduceat(asked, stretches)
    # Who and with what is looked at where anything was driven.
    rows = np.flatnonzero(driven)
    cell = np.where(other_us[rows] > at_us[rows], course.other[rows], course.one[rows])
    stretch = course.of[course.part[rows]]
    order = np.lexsort((layer.at_us[cell], stretch))
    cell, stretch = cell[order], stretch[order]
    newest = np.flatnonzero(np.diff(stretch, append=-1))
    last_us[stretch[newest]], vehicle[stretch[newest]] = layer.at_us[cell[newest]], layer.vehicle[cell[newest]]
    dosed = ~np.isnan(layer.dosage[cell])
    if dosed.any():
        dosage = _mean(layer.dosage[cell[dosed]], stretch[dosed], many)
    return Seen(share, last_us, vehicle, dosage)


def _mean(value: Floats, group: Int64s, groups: int) -> Floats:
    """The mean of each group, NaN for none."""
    with np.errstate(invalid="ignore"):
        return np.bincount(group, value, groups) / np.bincount(group, minlength=groups)


@dataclass
class Progress:
    """A circuit in its turn, as it goes on. due_us: of each stretch. done: what was so when each was first found done;
    at_us 0 for what is not."""

    circuit: Circuit
    course: Course
    turn: Turn
    task: int = field(init=False)
    due_us: Int64s = field(init=False)
    done: Seen = field(init=False)

    def __post_init__(self) -> None:
        self.task = TASKS.index(self.circuit.task)
        many = len(self.course.street)
        end_us, start_us = self.turn.end_us, self.turn.start_us
        due = [end_us if each.due_min is None else start_us + each.due_min * MINUTE_US for each in self.circuit.streets]
        self.due_us = np.minimum(np.array(due, np.int64), end_us)
        self.done = Seen(np.zeros(many), np.zeros(many, np.int64), np.zeros(many, np.int64), np.full(many, np.nan))

    def note(self, layer: Layer) -> None:
        """Takes note of what a layer, which takes nothing back, has of it by now."""
        now = seen(self.course, layer, self.turn.start_us)
        new = now.done & (self.done.at_us == 0)
        if new.any():
            self.done = self.done.but(new, now)

    def now(self, layer: Layer) -> Seen:
        """What it is with what may be taken back: what stands as done is done."""
        found = seen(self.course, layer, self.turn.start_us)
        return found.but(self.done.at_us > 0, self.done)

    def states(self, found: Seen, now_us: int) -> list[State]:
        """The state of each stretch."""
        code = np.where(found.done, np.where(found.at_us > self.due_us, 3, 1), np.where(now_us >= self.due_us, 2, 0))
        return [STATES[each] for each in code.tolist()]


@dataclass(frozen=True)
class Served:
    """What is kept as proof: that a street was served by a task in an hour, with what, and by nobody in particular.
    Columns of one length; line: of the network."""

    task: int
    line: Int64s
    hour_us: Int64s
    dosage: Floats


def last_served(driving: Driving, task: int) -> tuple[Int64s, Int64s]:
    """The lines that are served by a task, and when they last were: four fifths of them within the hour before."""
    lines = np.arange(len(driving.cells.first) - 1)
    if not len(lines):
        return lines, lines
    last_us, done, _ = _of_lines(driving.cells, driving.layers[task], lines)
    return lines[done & (last_us > 0)], last_us[done & (last_us > 0)]


def served(driving: Driving, passed: Passed) -> list[Served]:
    """Which of the streets that were passed just now are served: four fifths of them, one way or the other, within the
    hour before they last were."""
    cells, found = driving.cells, list[Served]()
    for task, layer in enumerate(driving.layers):
        mine = passed.take((passed.tasks >> task) & 1 == 1)
        lines = np.unique(cells.line_of(mine.cell // 2))
        if not len(lines):
            continue
        last_us, done, mean = _of_lines(cells, layer, lines)
        found.append(Served(task, lines[done], last_us[done] // HOUR_US * HOUR_US, mean[done]))
    return found


def _of_lines(cells: Cells, layer: Layer, lines: Int64s) -> tuple[Int64s, Mask, Floats]:
    """Of each of some lines, when any of it was passed last, whether it is served by then, and the mean dosage."""
    count = np.diff(cells.first)[lines]
    row = np.repeat(np.arange(len(lines)), count)
    along = 2 * (np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + cells.first[lines][row])
    cell = np.where(layer.at_us[along + 1] > layer.at_us[along], along + 1, along)
    last_us = np.zeros(len(lines), np.int64)
    np.maximum.at(last_us, row, layer.at_us[cell])
    driven = layer.at_us[cell] > last_us[row] - HOUR_US
    done = np.bincount(row, driven, len(lines)) / count >= DONE_SHARE
    dosed = driven & ~np.isnan(layer.dosage[cell])
    return last_us, done, _mean(layer.dosage[cell[dosed]], row[dosed], len(lines))

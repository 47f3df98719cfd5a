"""Automations: what services order by themselves where a plan in force says so.

What one needs of the town is prepared in another thread, and anew whenever the inventory or what is in force has
changed; until that is there, it goes on with what it has. As long as nothing of its kind is in force, none of it runs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigie.core.observations import Int64s
from vigie.core.plans import Given, Known, PlanKind
from vigie.core.service import Ask, Automation, Change, City, Effect, Lines, Reactor, Service
from vigie.core.times import MINUTE_US
from vigie.engine.plans import Plans
from vigie.engine.ports import FactStore
from vigie.engine.registry import Registry

Versions = tuple[tuple[str, int], ...]
Edition = tuple[int, Versions, Versions]
"""What was prepared is of this: the registry's version, its plans in force with their versions, and those it reads."""

FORGOTTEN_US = 3 * MINUTE_US
"""A fault that has not come again for so long is over: what failed to be prepared is tried again each minute."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A fault that an automation has: since when, when it came last, and how often."""

    error: Exception
    since_us: int
    last_us: int
    times: int = 1

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


Answer = tuple[Automation, Sequence[Ask], Sequence[Effect]]
"""What an automation orders, and what it finds."""


@dataclass(slots=True)
class _Running:
    """One automation: the numbers of the points that it hears, what is prepared of which edition, what remembers."""

    automation: Automation
    points: Int64s
    edition: Edition = (0, (), ())
    prepared: Any = None
    reactor: Reactor | None = None


class Automations:
    """The automations of an engine. All is called on its own thread but `prepare`."""

    def __init__(self, services: Sequence[Service], registry: Registry, facts: FactStore, plans: Plans) -> None:
        self._registry, self._facts, self._plans = registry, facts, plans
        self._all = [
            _Running(each.automation, self._points(each.automation)) for each in services if each.automation is not None
        ]
        self.hears = np.zeros(max(registry.by_number, default=0) + 1, np.bool_)
        """By the number of a point, whether an automation hears of it now."""
        self.refused = 0
        """How many orders were not given because too many are under way."""
        self.faults: dict[str, Exception] = {}
        """The last fault of each automation, by its name, until it is taken."""
        self.failing: dict[str, Failing] = {}
        """What each automation goes on failing with, by its name."""

    def due(self) -> list[Edition | None]:
        """What each is to be prepared for, None for one that is; empty where all are."""
        wanted = [self._edition(each) for each in self._all]
        due = [None if each.edition == edition else edition for each, edition in zip(self._all, wanted, strict=True)]
        return due if any(due) else []

    def prepare(self, due: Sequence[Edition | None], known: Known) -> None:
        """Prepares what was due when the town was frozen; what fails is due still. May be called from any thread, once
        at a time."""
        for each, edition in zip(self._all, due, strict=True):
            if edition is not None:
                with self.alone(each.automation):
                    each.prepared = each.automation.prepare(known, self._lines()) if edition[1] else None
                    each.edition = edition

    def hear(self, changes: Iterable[tuple[int, Change]], now_us: int) -> None:
        """Tells of changes, by the numbers of their points."""
        for number, change in changes:
            for each in self._all:
                if each.reactor is not None and number in each.points:
                    with self.alone(each.automation):
                        each.reactor.hear(change, now_us)

    def answer(self, city: City, now_us: int) -> list[Answer]:
        """What each automation orders now, and what it finds."""
        answers: list[Answer] = []
        for each in self._all:
            with self.alone(each.automation):
                answers += self._answered(each, city, now_us)
        return answers

    def gave(self, automation: Automation, given: Given) -> None:
        """Tells an automation what was given of what it asked for."""
        for each in self._all:
            if each.automation is automation and each.reactor is not None:
                each.reactor.gave(given)

    @contextmanager
    def alone(self, automation: Automation) -> Generator[None]:
        """What an automation does by a fault of its own stops nothing else: the orders of others, and of persons."""
        try:
            yield
        except Exception as error:
            self.faults[automation.name] = error

    def changes(self, now_us: int) -> list[tuple[str, Failing | None]]:
        """Takes the faults there were, and tells what is new: an automation that fails, or fails otherwise than before;
        None for one that does no longer. One that goes on failing in the same way is no news."""
        told: list[tuple[str, Failing | None]] = []
        while self.faults:
            name, error = self.faults.popitem()
            before, now = self.failing.get(name), Failing(error, now_us, now_us)
            if before is None or str(before) != str(now):
                told.append((name, now))
            else:
                now = Failing(error, before.since_us, now_us, before.times + 1)
            self.failing[name] = now
        for name in [name for name, each in self.failing.items() if now_us - each.last_us > FORGOTTEN_US]:
            del self.failing[name]
            told.append((name, None))
        return told

    def _answered(self, each: _Running, city: City, now_us: int) -> list[Answer]:
        if each.prepared is None:
            if each.reactor is not None:
                each.reactor, self.hears[each.points] = None, False
            return []
        if each.reactor is None:
            each.reactor, self.hears[each.points] = each.automation.make(city, now_us), True
        return [(each.automation, *each.reactor.answer(each.prepared, city, now_us))]

    def _edition(self, each: _Running) -> Edition:
        own = self._in_force((each.automation.plan,))
        # While nothing is in force, all else may change as it will.
        return (self._registry.version, own, self._in_force(each.automation.reads)) if own else (0, (), ())

    def _in_force(self, kinds: Sequence[PlanKind]) -> Versions:
        found = ((each.id, each.in_force.number) for each in self._plans if each.in_force and each.kind in kinds)
        return tuple(sorted(found))

    def _points(self, automation: Automation) -> Int64s:
        wanted = set(automation.hears)
        known = self._registry.by_number.items()
        return np.array([no for no, (kind, point) in known if (kind.kind, point.name) in wanted], np.int64)

    def _lines(self) -> Lines:
        _, names, start, lon, lat = self._facts.lines()
        codes = self._registry.street_codes
        return Lines(np.array([codes.get(name, 0) for name in names], np.int64), start, lon, lat)

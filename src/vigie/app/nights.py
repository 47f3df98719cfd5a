"""What energy reports are made of is kept of each night that is over: beside the loop, once its days are sealed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property, partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import structlog

from vigie.api.energy.spans import first_known, last_over
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.observations import Int64s
from vigie.core.past import TooLong
from vigie.core.times import DAY_US, day_of, start_of
from vigie.services.lighting.energy.heard import BESIDE_US, OF, POINTS, RULE, kept_of
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.programmes.nights import Nights
from vigie.settings import Settings
from vigie.store.facts import SqlFacts
from vigie.store.history import History, HistoryTooLong
from vigie.store.kept import KeptSums
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast

MADE_MAX = 6
"""Nights that are made in an hour, in the order of `_due`. One is due each day; after a start with a history, or a
gateway that tells what it kept for weeks, there are more. Each takes seconds of both processors."""

T = TypeVar("T")

_log = structlog.get_logger("vigie")


class KeptNights:
    """The nights of an installation that are kept, and those that are to be."""

    def __init__(self, facts: SqlFacts, observations: DuckObservations, settings: Settings) -> None:
        self._facts, self._observations, self._settings = facts, observations, settings
        self._calendar = Calendar(ZoneInfo(settings.zone))
        self._failed: set[int] = set()  # when the nights begin that could not be made of late
        numbers = facts.point_numbers()
        self.points = [numbers[kind.kind, point.name] for kind, point in POINTS]
        self.sums = KeptSums(observations, OF, self.points, BESIDE_US, RULE)

    @cached_property
    def _past(self) -> DuckPast:
        return DuckPast(self._observations, self._facts.point_numbers())

    def make(self, sealed_us: int, go_on: Callable[[], bool] = lambda: True) -> int:
        """Makes what is to be kept of nights whose observations are sealed, and have not been made yet or not of all
        that came. sealed_us: what was observed before it is sealed. go_on: asked before each night; what is left is
        made the next time. Returns how many were made. One that cannot be made is noted, and tried again the next time,
        after the others."""
        due = self._tried("nights could not be looked at", lambda: self._due(sealed_us)) or []
        made = failed = 0
        lamps = self._lamps() if due else np.empty(0, np.int64)
        for start_us, end_us in due:
            if max(made, failed) >= MADE_MAX or not go_on():
                break
            make = partial(kept_of, self._past, lamps, start_us, end_us)
            done = self._tried("a night could not be kept", partial(self.sums.keep, start_us, end_us, make))
            (self._failed.add if done is None else self._failed.discard)(start_us)
            made, failed = made + bool(done), failed + (done is None)
        return made

    @staticmethod
    def _tried(what: str, work: Callable[[], T]) -> T | None:
        """What work gives; None where it fails, which is noted."""
        try:
            return work()
        except (TooLong, HistoryTooLong, OSError, duckdb.Error) as error:
            _log.error(what, reason=str(error))
            return None

    def _due(self, sealed_us: int) -> Sequence[tuple[int, int]]:
        """The first and last noons of the nights that are to be made: first those whose observations go within a day,
        then those of which nothing is kept yet, and of all these the newest first, which reports are asked about. One
        that failed comes last. Nights that are kept no longer are not made."""
        since_us = History(self._observations).first_us(self.points)
        if since_us is None:
            return []
        since_us = max(since_us, sealed_us - self._settings.energy_days * DAY_US)
        first, last = first_known(self._calendar, since_us), last_over(self._calendar, sealed_us - BESIDE_US)
        kept = self.sums.spans()
        there, done = {span.start_us for span in kept}, {span.start_us for span in kept if span.sound or span.alone}
        goes_us = start_of(day_of(sealed_us - (self._settings.history_days - 1) * DAY_US)) + BESIDE_US

        def turn(span: tuple[int, int]) -> tuple[bool, bool, bool, int]:
            start_us = span[0]
            return start_us in self._failed, start_us >= goes_us, start_us in there, -start_us

        spans = zip(*(each.tolist() for each in _nights(first, last, self._calendar).bounds_us), strict=True)
        return sorted((span for span in spans if span[0] not in done), key=turn)

    def _lamps(self) -> Int64s:
        """All lamps that there are or ever were: what one told is kept though it is gone."""
        return np.array([row[0] for row in self._facts.registry_rows() if row[2] == Luminaire.kind], np.int64)


def _nights(first: date, last: date, calendar: Calendar) -> Nights:
    count = max(0, (last - first) // timedelta(days=1) + 1)
    return Nights((first - EPOCH_DAY).days + np.arange(count), calendar)

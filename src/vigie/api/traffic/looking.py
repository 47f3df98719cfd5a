"""The counts of the last weeks, read as they come, and what is foretold from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigie.core.calendar import Calendar
from vigie.core.observations import Floats, Int64s
from vigie.core.past import Past
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.signals import Detector
from vigie.services.signals.flow.counted import QUARTER_US, Counted
from vigie.services.signals.flow.forecast import DAYS_MIN, Learned, TooFewDays, forecasts, learn
from vigie.services.signals.flow.usual import HOURS, usual

DAYS_READ = 35
READ_AGAIN_US = 2 * HOUR_US
"""What comes late counts if it comes within so long; the rest counts from the next start of the post on."""


@dataclass(frozen=True)
class Looked:
    """What was foretold at an instant of the hour after it. days: how many days something was known of. detector: their
    numbers; the others have a value for each, NaN where nothing can be said."""

    at_us: int
    days: int
    detector: tuple[int, ...]
    last: Floats
    usual: Floats
    vehicles: Floats
    low: Floats
    high: Floats


class Looking:
    """Reads and foretells, one question after the other and in one thread at a time."""

    def __init__(self, past: Past, calendar: Callable[[], Calendar], first_us: Callable[[], int | None]) -> None:
        """first_us: when a detector was first heard, None for never."""
        self._past, self._calendar, self._first_us = past, calendar, first_us
        self._counted: Counted | None = None
        self._read_us = 0
        self._begun_us: int | None = None
        self._learned: tuple[int, Learned] | None = None

    def look(self, at_us: int, tell: Callable[[float], None]) -> Looked:
        """What is foretold of the hour that begins at an instant, a full quarter of an hour. tell: gets the share that
        is read. Raises TooLong, and TooFewDays where less than two weeks are known."""
        calendar = self._calendar()
        if self._counted is None:
            self._counted = Counted(calendar.zone, DAYS_READ)
        self._read(self._counted, at_us, tell)
        hours, public = self._counted.hours(at_us), frozenset(calendar.public)
        known = self._counted.days_before(int(hours.days[-1]))
        if known < DAYS_MIN:
            # Somebody may be about to bring the past in: next time all of it is read again.
            self._read_us, self._begun_us = 0, None
            raise TooFewDays(known)
        learned = self._weights(int(hours.days[-1]), hours.counts, hours.days, public)
        made = forecasts(learned, hours.counts, hours.days, public)
        flat = hours.counts.reshape(-1, hours.counts.shape[2])
        expected = usual(hours.counts, hours.days, public).reshape(flat.shape)
        at = hours.next
        # Of who was silent for a whole day nothing is foretold, whatever was usual.
        heard = ~np.isnan(flat[at - HOURS : at]).all(0)
        vehicles = np.where(heard, made.vehicles[at], np.nan)
        return Looked(
            at_us, known, self._counted.detectors,
            flat[at - 1], expected[at], vehicles, made.low[at], made.high[at],
        )  # fmt: skip

    def _read(self, counted: Counted, until_us: int, tell: Callable[[float], None]) -> None:
        first_us = self._first_us() if self._begun_us is None else self._begun_us
        if first_us is None:
            return
        self._begun_us = first_us
        begin_us = max(
            until_us - DAYS_READ * DAY_US, first_us // QUARTER_US * QUARTER_US, self._read_us - READ_AGAIN_US
        )
        at_us = begin_us
        while at_us < until_us:
            tell((at_us - begin_us) / (until_us - begin_us))
            end_us = min(until_us, at_us + DAY_US)
            counted.take(at_us, self._past.means(Detector, Detector.flow, at_us, end_us, QUARTER_US))
            at_us = self._read_us = end_us

    def _weights(self, today: int, counts: Floats, days: Int64s, public: frozenset[int]) -> Learned:
        """Learned once a day, from the days before."""
        if self._learned is None or self._learned[0] != today:
            self._learned = today, learn(counts[:-1], days[:-1], public)
        return self._learned[1]

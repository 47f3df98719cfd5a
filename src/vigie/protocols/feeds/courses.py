"""How a feed of the past is moved to now: when each reading is said to be observed, and when it is sent.

A post refuses what is older than its raw history (30 days) and what is ahead of its clock, and a feed is years old. So
its instants are moved, in one of four ways, t being the feed's own instant, t0 its first and t1 its last:

now    observed at start + (t - t0) / speed, and sent then: it unfolds from now on, so many times as fast.
week   observed at t + whole weeks, so that its last week is this week: weekday, hour and spacing stay true. What has
       passed is sent at once, what is to come when it is due.
end    observed at t + (start - t1): it ends now, its spacing is true, its weekdays and hours are not.
none   observed at t: for a feed that is recent anyway.

Laws, for all four: order is kept, and nothing is sent before the instant at which it is said to be observed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from vigie.core.times import DAY_US, HOUR_US, SECOND_US, from_us
from vigie.protocols.feeds.limits import FeedError
from vigie.protocols.feeds.mapping import zone_of
from vigie.protocols.feeds.reading import Observation

WEEK_US = 7 * DAY_US
RAW_KEPT_US = 30 * DAY_US
"""What a post keeps raw; older readings are refused at its door."""

MARGIN_US = HOUR_US
"""What is nearer than this to the end of the raw history is not sent: it would be too old on its way."""

SPEED_MAX = 100_000.0
"""A second of the feed stays ten microseconds, so that no two instants become one."""

AT_ONCE = 0.0
"""The speed of whoever waits for nothing."""


class Shift(StrEnum):
    """How the feed is moved in time; the module says what each means."""

    NOW = "now"
    WEEK = "week"
    END = "end"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Course:
    """A feed on its way. All in microseconds since the epoch.

    first_us, last_us: of the feed, as it is written. start_us: when the replay began. offset_us: what is added to the
    feed's instants (not for `now`). period_us: what a repetition adds to them; 0 where there can be none.
    """

    shift: Shift
    speed: float
    first_us: int
    last_us: int
    start_us: int
    offset_us: int
    period_us: int

    def observed_us(self, at_us: int) -> int:
        """The instant at which a reading of the feed is said to be observed."""
        if self.shift is Shift.NOW:
            return self.start_us + round((at_us - self.first_us) / self.speed)
        return at_us + self.offset_us

    def due_us(self, at_us: int) -> int:
        """The instant from which on it may be sent."""
        if self.shift in (Shift.NOW, Shift.WEEK):
            return self.observed_us(at_us)
        if self.speed == AT_ONCE:
            return self.start_us
        return self.start_us + round((at_us - self.first_us) / self.speed)

    def too_old(self, at_us: int, now_us: int) -> bool:
        """Whether the post would refuse it as too old."""
        return self.observed_us(at_us) < now_us - RAW_KEPT_US + MARGIN_US

    def again(self) -> Course:
        """The next repetition. Raises FeedError where there can be none."""
        if not self.period_us:
            raise FeedError(f"With --shift {self.shift} a repetition would say the same again", "Use now or week")
        if self.shift is Shift.NOW:
            return replace(self, start_us=self.start_us + round(self.period_us / self.speed))
        return replace(self, offset_us=self.offset_us + self.period_us)


def course_of(shift: Shift, speed: float, observations: Sequence[Observation], *, zone: str, now_us: int) -> Course:
    """The course of a feed that begins now. observations: in time order. zone: whose weekdays and hours `week` keeps.

    Raises FeedError for a speed that does not go with the shift.
    """
    if not 0 < speed <= SPEED_MAX and speed != AT_ONCE:
        raise FeedError(f"A speed of {speed:g}", f"Say a number above 0 and up to {SPEED_MAX:,.0f}, or max")
    if shift is Shift.NOW and speed == AT_ONCE:
        raise FeedError("At once is no speed for what unfolds from now on", "Use --shift end or week with --speed max")
    if shift is Shift.WEEK and speed not in (1.0, AT_ONCE):
        raise FeedError("Weekdays and hours stay true only at a speed of 1", "Use --speed 1, or max to stop at now")
    first_us, last_us = observations[0][3], observations[-1][3]
    offset_us = 0
    if shift is Shift.END:
        offset_us = now_us - last_us
    elif shift is Shift.WEEK:
        offset_us = _weeks(last_us, now_us, zone)
    period_us = 0
    if shift in (Shift.NOW, Shift.WEEK):
        period_us = last_us - first_us + _step_us(observations)
    if shift is Shift.WEEK:
        period_us = math.ceil(period_us / WEEK_US) * WEEK_US
    return Course(shift, speed, first_us, last_us, now_us, offset_us, period_us)


def _weeks(last_us: int, now_us: int, zone: str) -> int:
    """What to add so that the feed's last instant is now or within a week to come, at its own weekday and local hour.

    Whole weeks, and the hour by which the clocks of both seasons differ.
    """
    weeks_us = math.ceil((now_us - last_us) / WEEK_US) * WEEK_US
    offset_us = weeks_us + _utc_offset_us(last_us, zone) - _utc_offset_us(last_us + weeks_us, zone)
    return offset_us if last_us + offset_us >= now_us else offset_us + WEEK_US


def _utc_offset_us(instant_us: int, zone: str) -> int:
    offset = from_us(instant_us).astimezone(zone_of(zone)).utcoffset() or timedelta(0)
    return offset // timedelta(microseconds=1)


def _step_us(observations: Sequence[Observation]) -> int:
    """The usual time between two instants of a feed: what lies between its end and its repetition."""
    instants = sorted({each[3] for each in observations})
    steps = [after - before for before, after in pairwise(instants)]
    return max(round(median(steps)), SECOND_US) if steps else SECOND_US

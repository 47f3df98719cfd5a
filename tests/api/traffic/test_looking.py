"""Counts are read once as they come, all again while they are too few, and learned from once a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from vigie.api.traffic.looking import DAYS_READ, READ_AGAIN_US, Looking
from vigie.core.calendar import Calendar
from vigie.core.past import Means, Past
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.signals.flow.counted import QUARTER_US
from vigie.services.signals.flow.forecast import TooFewDays

NOW_US = 1_795_486_500_000_000 // QUARTER_US * QUARTER_US
CALENDAR = Calendar(ZoneInfo("Europe/Paris"))


class Kept:
    """A past in which two detectors told each quarter of an hour, from an instant on."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.silent_us = NOW_US + DAY_US

    def means(self, kind: object, point: object, start_us: int, end_us: int, bin_us: int) -> Means:
        self.asked.append((start_us, end_us))
        at = np.arange(start_us, end_us, bin_us)
        busy = 500 + 300 * np.sin(at / HOUR_US * np.pi / 12)
        return Means(np.array([4, 9]), np.stack([np.where(at < self.silent_us, busy, np.nan), 2 * busy]))


def looking(kept: Kept, first_us: Callable[[], int | None]) -> Looking:
    return Looking(cast("Past", cast("Any", kept)), lambda: CALENDAR, first_us)


def test_after_the_first_time_only_what_is_new_or_may_have_come_late_is_read() -> None:
    kept, told = Kept(), list[float]()
    look = looking(kept, lambda: NOW_US - 60 * DAY_US)
    first = look.look(NOW_US, told.append)
    assert len(kept.asked) == DAYS_READ
    assert kept.asked[0][0] == NOW_US - DAYS_READ * DAY_US
    assert told == sorted(told)
    assert first.detector == (4, 9)
    assert first.vehicles[1] == pytest.approx(2 * first.vehicles[0], rel=0.05)
    kept.asked.clear()
    again = look.look(NOW_US + QUARTER_US, told.append)
    assert kept.asked == [(NOW_US - READ_AGAIN_US, NOW_US + QUARTER_US)]
    assert again.at_us == NOW_US + QUARTER_US


def test_of_who_was_silent_for_a_day_nothing_is_foretold() -> None:
    kept = Kept()
    kept.silent_us = NOW_US - DAY_US
    looked = looking(kept, lambda: NOW_US - 60 * DAY_US).look(NOW_US, lambda done: None)
    assert np.isnan(looked.vehicles[0])
    assert looked.vehicles[1] > 0


def test_too_few_days_are_said_and_read_again_and_none_at_all_too() -> None:
    kept = Kept()
    look = looking(kept, lambda: NOW_US - 5 * DAY_US)
    for _ in range(2):
        kept.asked.clear()
        with pytest.raises(TooFewDays) as told:
            look.look(NOW_US, lambda done: None)
        assert told.value.known in (5, 6)
        assert len(kept.asked) == 5
    # Somebody brings the past in: it counts, though the first days were read before.
    since = [NOW_US - 5 * DAY_US]
    look = looking(kept, lambda: since[0])
    with pytest.raises(TooFewDays):
        look.look(NOW_US, lambda done: None)
    since[0] = NOW_US - 40 * DAY_US
    assert look.look(NOW_US, lambda done: None).days >= 34
    with pytest.raises(TooFewDays, match="0 days"):
        looking(kept, lambda: None).look(NOW_US, lambda done: None)

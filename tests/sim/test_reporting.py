"""Residents of the demo: they report gently, again and again the same for a seed, and some of it twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from vigie.core.times import HOUR_US, MINUTE_US
from vigie.services.roads.reports import SUBJECTS
from vigie.sim.reporting import HOURLY, due, spots_of

SPOTS = tuple((5.0 + n % 20 / 1e3, 47.3 + n // 20 / 1e3) for n in range(400))
SPOTS_MAX = 3_000
DAY_US = 1_795_770_000_000_000 // HOUR_US * HOUR_US
"""A morning in winter, by Dijon's clock."""


def test_one_reports_each_two_minutes_by_day_and_one_in_five_what_another_has() -> None:
    told = [each for _, each in due(7, SPOTS, DAY_US, DAY_US + 3 * HOUR_US)]
    assert len(told) == 3 * HOURLY
    assert all(a.at_us < b.at_us < a.at_us + 4 * MINUTE_US for a, b in pairwise(told))
    assert {each.category for each in told} <= set(SUBJECTS)
    hour = Counter(each.thing for each in told[:HOURLY])
    assert sum(many - 1 for many in hour.values()) == HOURLY // 5
    assert len(due(7, SPOTS, DAY_US + 15 * HOUR_US, DAY_US + 18 * HOUR_US)) < HOURLY


def test_those_who_report_look_at_some_of_the_towns_lamps() -> None:
    lamps = np.stack([np.arange(9_000.0), np.zeros(9_000)], 1)
    city: Any = SimpleNamespace(lighting=SimpleNamespace(xy=lamps))
    spots = spots_of(city)
    assert SPOTS_MAX >= len(spots) >= SPOTS_MAX / 2
    assert due(7, spots, DAY_US, DAY_US + HOUR_US)


def test_a_demo_that_is_started_again_goes_on_with_it() -> None:
    whole = due(7, SPOTS, DAY_US, DAY_US + 2 * HOUR_US)
    parts = [due(7, SPOTS, DAY_US + n * HOUR_US // 6, DAY_US + (n + 1) * HOUR_US // 6) for n in range(12)]
    assert [each for part in parts for each in part] == whole
    assert len({key for key, _ in whole}) == len(whole)
    assert due(8, SPOTS, DAY_US, DAY_US + HOUR_US) != due(7, SPOTS, DAY_US, DAY_US + HOUR_US)

"""Sudden blockages: found within minutes, at the right side; not where traffic grows quiet or nobody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from vigie.core.kinds import ConditionKind, Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.service import City, Clear, Effect, Newest, Present, Raise
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.signals.flow.incidents import FORGOTTEN_US, TRAFFIC_BLOCKED, Incidents

START_US = 1_795_478_400_000_000
SWEEP_US = 30 * SECOND_US


class Streets:
    """Detectors that tell each minute what they counted."""

    inventory = 1
    quality = Quality.GOOD

    def __init__(self, count: int) -> None:
        self.numbers: Int64s = np.arange(1, count + 1)
        self.at_us = np.zeros(count + 1, np.int64)
        self.said = {point: np.full(count + 1, np.nan) for point in ("flow", "occupancy", "working")}
        self.open: list[Present] = []

    def assets(self, kind: object) -> Int64s:
        return self.numbers

    def newest(self, kind: object, point: Any, assets: Int64s) -> Newest:
        good = np.full(len(assets), int(self.quality), np.uint8)
        return Newest(self.said[point.name][assets], self.at_us[assets], self.at_us[assets], good)

    def value(self, kind: object, point: Any, assets: Int64s) -> Floats:
        return self.said[point.name][assets]

    def present(self, condition: ConditionKind) -> Sequence[Present]:
        return self.open

    def tell(self, at_us: int, flow: Floats, occupancy: float = 8.0) -> None:
        self.at_us[1:] = at_us
        self.said["flow"][1:], self.said["occupancy"][1:] = flow, occupancy


def sweeping(streets: Streets) -> Incidents:
    return Incidents(cast("City", cast("Any", streets)), START_US)


def swept(found: Incidents, streets: Streets, now_us: int) -> list[Effect]:
    return found.sweep(cast("City", cast("Any", streets)), now_us)


def counted(dice: np.random.Generator, per_hour: Floats, minute: int, cycle_s: int = 90) -> Floats:
    """Vehicles of one minute as a rate, let through in platoons by a light that is green for a third of its cycle."""
    seconds = (minute * 60 + np.arange(60)) % cycle_s
    share = 3 * (seconds < cycle_s / 3).mean()
    return dice.poisson(per_hour / 60 * share) * 60.0


def minutes(
    found: Incidents, streets: Streets, dice: np.random.Generator, per_hour: Floats, first: int, last: int, **how: float
) -> list[tuple[int, Effect]]:
    """Lets minutes pass; what each sweep tells, with its minute."""
    told: list[tuple[int, Effect]] = []
    for minute in range(first, last):
        at_us = START_US + minute * MINUTE_US
        streets.tell(at_us, counted(dice, per_hour, minute), **how)
        told += [(minute, each) for n in range(2) for each in swept(found, streets, at_us + n * SWEEP_US)]
    return told


def test_a_blockage_is_found_within_minutes_and_says_on_which_side_and_ends_when_traffic_is_back() -> None:
    dice, streets = np.random.default_rng(3), Streets(20)
    found, usual = sweeping(streets), np.full(20, 700.0)
    assert minutes(found, streets, dice, usual, 0, 60) == []
    blocked = usual.copy()
    blocked[4] = 0.0
    told = minutes(found, streets, dice, blocked, 60, 75, occupancy=80.0)
    [(minute, effect)] = told
    assert isinstance(effect, Raise)
    assert (effect.condition, effect.asset, effect.evidence["blocked"]) == (TRAFFIC_BLOCKED, 5, "beyond")
    assert minute <= 65
    assert effect.evidence["usual_flow"] == pytest.approx(700, rel=0.25)
    [(minute, effect)] = minutes(found, streets, dice, usual, 75, 90)
    assert isinstance(effect, Clear)
    assert minute <= 80


def test_nobody_comes_is_blocked_before_the_loop_and_what_stays_away_is_forgotten() -> None:
    dice, streets = np.random.default_rng(4), Streets(1)
    found = sweeping(streets)
    minutes(found, streets, dice, np.array([900.0]), 0, 30)
    told = minutes(found, streets, dice, np.array([0.0]), 30, 40, occupancy=0.0)
    assert [effect.evidence["blocked"] for _, effect in told if isinstance(effect, Raise)] == ["before"]
    later = minutes(found, streets, dice, np.array([0.0]), 40, 40 + FORGOTTEN_US // MINUTE_US, occupancy=0.0)
    assert [type(effect) for _, effect in later] == [Clear]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_of_platoons_peaks_and_a_quiet_night_has_no_blockage(seed: int) -> None:
    dice, streets = np.random.default_rng(seed), Streets(60)
    found, size = sweeping(streets), dice.uniform(100, 1_400, 60)
    told: list[tuple[int, Effect]] = []
    for minute in range(24 * 60):
        hour = minute / 60
        shape = 0.06 + np.exp(-((hour - 8) ** 2) / 3) + 0.5 * np.exp(-((hour - 13) ** 2) / 14)
        shape += 1.1 * np.exp(-((hour - 17.5) ** 2) / 5)
        told += minutes(found, streets, dice, size * shape, minute, minute + 1)
    assert told == []


@pytest.mark.parametrize("interval_s", [1, 5, 10, 30, 90])
def test_whoever_counts_for_a_few_seconds_or_in_step_with_a_signal_is_not_blocked_by_that(interval_s: int) -> None:
    dice, streets = np.random.default_rng(interval_s), Streets(40)
    found, per_second = sweeping(streets), dice.uniform(100, 1_400, 40) / 3_600 * 3
    for at_s in range(30, 4 * 3_600, 30):
        ended_s = at_s // interval_s * interval_s
        green = (np.arange(ended_s - interval_s, ended_s) % 90 < 30).sum()
        streets.tell(START_US + ended_s * SECOND_US, dice.poisson(per_second * green) * 3_600 / interval_s)
        assert swept(found, streets, START_US + at_s * SECOND_US) == []


def test_what_a_detector_does_not_vouch_for_is_no_count() -> None:
    dice, streets = np.random.default_rng(8), Streets(1)
    found = sweeping(streets)
    minutes(found, streets, dice, np.array([900.0]), 0, 30)
    streets.quality = Quality.BAD
    assert minutes(found, streets, dice, np.array([0.0]), 30, 45) == []


def test_who_is_silent_or_says_that_it_is_broken_is_no_blockage() -> None:
    dice, streets = np.random.default_rng(5), Streets(2)
    found = sweeping(streets)
    minutes(found, streets, dice, np.full(2, 900.0), 0, 30)
    for minute in range(30, 60):
        # The first says nothing any more; the second goes on telling nothing but zeros, and that it does not work.
        streets.at_us[2] = START_US + minute * MINUTE_US
        streets.said["flow"][2], streets.said["working"][2] = 0.0, 0.0
        assert swept(found, streets, START_US + minute * MINUTE_US) == []


def test_after_a_start_what_is_open_is_not_raised_again_and_ends() -> None:
    dice, streets = np.random.default_rng(6), Streets(1)
    streets.open = [Present(1, START_US - 5 * MINUTE_US, {"flow": 0.0, "usual_flow": 800.0})]
    found = sweeping(streets)
    assert minutes(found, streets, dice, np.array([0.0]), 0, 20) == []
    told = minutes(found, streets, dice, np.array([800.0]), 20, 30)
    assert [type(effect) for _, effect in told] == [Clear]


def test_a_detector_that_leaves_the_inventory_takes_its_rows_with_it() -> None:
    dice, streets = np.random.default_rng(7), Streets(3)
    found, usual = sweeping(streets), np.full(3, 900.0)
    minutes(found, streets, dice, usual, 0, 30)
    streets.numbers, streets.inventory = np.array([1, 3]), 2
    told = minutes(found, streets, dice, np.array([900.0, 900.0, 0.0]), 30, 40)
    assert [effect.asset for _, effect in told] == [3]
    streets.numbers, streets.inventory = np.array([1]), 3
    assert swept(found, streets, START_US + 41 * MINUTE_US + HOUR_US) == []

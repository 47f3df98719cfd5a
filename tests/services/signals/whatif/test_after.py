"""What came of a change: like hours beside each other, days as evidence, no word that the interval does not give."""

from __future__ import annotations

import csv
import gzip
from itertools import product
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from vigie.core.calendar import Calendar, day_number
from vigie.core.observations import Floats
from vigie.core.past import Told
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.signals.whatif.after import (
    DAYS_MIN,
    HOURS_MIN,
    NONE,
    After,
    AfterFigure,
    Measured,
    Verdict,
    alike,
    broken,
    clock_of,
    compare,
    matched,
)
from vigie.services.signals.whatif.paired import interval

PARIS = ZoneInfo("Europe/Paris")
CALENDAR = Calendar(PARIS)
MONDAY = day_number("2026-11-09")
AT_US = MONDAY * DAY_US + 9 * HOUR_US
"""Ten o'clock in the morning of a Monday in Paris."""

WEEK = 7 * 24


def busy(start_us: int, hours: int) -> Floats:
    """Vehicles an hour at two detectors, as days and hours have them."""
    days, hour = clock_of(start_us, hours, PARIS)
    flow = (400 + 250 * np.sin((hour - 6) * np.pi / 12)) * np.where((days + 3) % 7 >= 5, 0.6, 1.0)
    return np.stack([flow, 2 * flow], 1)


def measured(start_us: int, hours: int, *, faster: float = 0.0, share: float = 1.0, seed: int = 1) -> Measured:
    """Hours in which more flow is less speed, and days differ by chance."""
    dice = Random(seed)
    of_day = np.repeat([dice.gauss(0, 0.4) for _ in range(hours // 24 + 1)], 24)[:hours, None]
    flow = share * busy(start_us, hours)
    return Measured(start_us, flow, 50 - flow / 40 + faster + of_day, flow / 40 - faster / 2 - of_day)


def figures(found: After) -> dict[str, AfterFigure]:
    return {each.figure: each for each in found.figures}


def before(hours: int = WEEK, **said: float) -> Measured:
    return measured(AT_US - hours * HOUR_US, hours, **said)


def after(hours: int = WEEK, **said: float) -> Measured:
    return measured(AT_US, hours, seed=2, **said)


def test_a_change_that_helps_is_better_and_nothing_else_is_said_of_what_did_not_change() -> None:
    found = compare(before(), after(faster=4.0), CALENDAR)
    assert (found.hours, found.unmatched, found.school) == (WEEK, 0, 0)
    told = figures(found)
    assert list(told)[:2] == ["speed_like", "occupancy_like"], "what tells most comes first"
    assert {name: each.says for name, each in told.items()} == {
        "speed_like": Verdict.BETTER, "occupancy_like": Verdict.BETTER, "speed": Verdict.BETTER,
        "occupancy": Verdict.BETTER, "flow": Verdict.SAME,
    }  # fmt: skip
    speed = told["speed"]
    assert speed.low is not None
    assert speed.high is not None
    assert 0 < speed.low < 4.0 < speed.high
    assert (speed.days, speed.hours, speed.unmeasured, speed.unlike, speed.unit) == (7, WEEK, 0, 0, "km/h")
    same = figures(compare(before(), after(), CALENDAR))
    assert {same[each].says for each in ("speed", "occupancy")} == {Verdict.OPEN}
    assert figures(compare(before(), after(faster=-4.0), CALENDAR))["occupancy"].says is Verdict.WORSE


def test_the_interval_is_students_of_the_days_not_of_the_hours() -> None:
    """Seven days whose differences are 1, 2 .. 7: 4 +- 2.4469 x 2.1602 / 2.6458, whatever their hours were."""
    old, new = before(), after()
    swing = np.tile(np.sin(np.arange(24) * np.pi / 12), 7)[:, None]
    speeds = np.full((WEEK, 2), 30.0)
    new = Measured(new.start_us, new.flow, speeds + np.repeat(np.arange(1, 8), 24)[:, None] + swing, new.occupancy)
    speed = figures(compare(Measured(old.start_us, old.flow, speeds, old.occupancy), new, CALENDAR))["speed"]
    assert (speed.before, speed.after, speed.difference) == (30.0, 34.0, 4.0)
    assert speed.low == pytest.approx(4 - 1.9979, abs=1e-3)
    assert speed.high == pytest.approx(4 + 1.9979, abs=1e-3)


def test_empty_streets_are_fast_and_nobody_says_that_the_change_did_it() -> None:
    """Everybody is on holiday: a third of the traffic is gone, and whoever is left drives faster."""
    told = figures(compare(before(), after(share=0.65), CALENDAR))
    assert told["flow"].says is Verdict.LESS
    assert told["speed"].says is Verdict.BETTER
    # Of like flow there is next to nothing, which is what is said.
    assert told["speed_like"].says is Verdict.FEW
    assert told["speed_like"].unlike == WEEK - told["speed_like"].hours
    assert told["speed_like"].difference is None


def test_hours_stand_beside_their_like_and_none_twice() -> None:
    start_us = AT_US - 2 * WEEK * HOUR_US
    days_before, hours_before = clock_of(start_us, 2 * WEEK, PARIS)
    days_after, hours_after = clock_of(AT_US, 2 * WEEK, PARIS)
    holiday = day_number("2026-11-11")
    beside = matched((days_before, hours_before), (days_after, hours_after), {holiday})
    used = beside[beside != NONE]
    assert len(set(used.tolist())) == len(used)
    assert (hours_before[used] == hours_after[beside != NONE]).all()
    # Armistice Day, a Wednesday, is beside no Wednesday: all Sundays are taken by Sundays.
    assert (beside[days_after == holiday] == NONE).all()
    assert (beside == NONE).sum() == 24
    # The first week after is beside the last before; a single week is beside the very same hours.
    assert beside[0] == len(days_before) - WEEK
    assert (days_after - days_before[beside])[beside != NONE].max() == 21
    (few_days, few_hours) = clock_of(AT_US - 3 * DAY_US, 3 * 24, PARIS)
    own = matched((few_days, few_hours), (days_after[:72], hours_after[:72]), set())
    # Three working days beside a weekend with the end of a Friday and the beginning of a Monday.
    assert (own != NONE).sum() == 24
    assert set((few_days[own[own != NONE]] + 3) % 7) <= {4, 0}


def test_what_was_not_measured_is_counted_and_compared_with_nothing() -> None:
    old, new = before(), after(faster=4.0)
    new.speed[:30] = np.nan
    old.speed[40:50, 0] = np.nan
    new.occupancy[:] = np.nan
    told = figures(compare(old, new, CALENDAR))
    # Thirty hours are a day and six hours of the next, of which eighteen are left; one detector is enough for an hour.
    assert (told["speed"].hours, told["speed"].unmeasured, told["speed"].days) == (WEEK - 30, 30, 6)
    assert (told["occupancy"].says, told["occupancy"].hours) == (Verdict.FEW, 0)
    assert told["occupancy"].unmeasured == WEEK
    new.speed[: 2 * 24] = np.nan
    new.speed[2 * 24 : 2 * 24 + HOURS_MIN - 1] = 40.0
    new.speed[2 * 24 + HOURS_MIN - 1 : 3 * 24] = np.nan
    assert figures(compare(old, new, CALENDAR))["speed"].days == 4, "an hour or two make no day"


def test_until_three_days_have_passed_nothing_is_said() -> None:
    for hours in (0, 1, (DAYS_MIN - 1) * 24 + HOURS_MIN - 1):
        found = compare(before(), after(hours, faster=9.0), CALENDAR)
        assert {each.says for each in found.figures} == {Verdict.FEW}
        assert (found.hours, found.unmatched) == (hours, 0)
        assert figures(found)["speed"].hours == hours
    assert figures(compare(before(), after((DAYS_MIN - 1) * 24 + HOURS_MIN, faster=9.0), CALENDAR))["speed"].days == 3
    nobody = np.empty((WEEK, 0))
    none = compare(Measured(AT_US - WEEK * HOUR_US, *[nobody] * 3), Measured(AT_US, *[nobody] * 3), CALENDAR)
    assert {(each.says, each.unmeasured) for each in none.figures} == {(Verdict.FEW, WEEK)}


def test_school_holidays_on_one_side_alone_are_counted() -> None:
    away = Calendar(PARIS, school=frozenset(range(MONDAY - 30, MONDAY)))
    found = compare(before(), after(), away)
    assert found.school == WEEK - 10, "the ten hours of the Monday before the change are in none"
    both = Calendar(PARIS, school=frozenset(range(MONDAY - 30, MONDAY + 30)))
    assert compare(before(), after(), both).school == 0


def test_an_hour_without_flow_is_not_measured_and_none_of_another_flow() -> None:
    old, new = before(), after()
    new.flow[:30] = np.nan
    told = figures(compare(old, new, CALENDAR))
    assert (told["speed_like"].unmeasured, told["speed_like"].unlike, told["speed"].unmeasured) == (30, 0, 0)
    old.flow[:] = np.nan
    like = figures(compare(old, new, CALENDAR))["occupancy_like"]
    assert (like.unmeasured, like.unlike, like.hours) == (WEEK, 0, 0)


def test_a_detector_is_broken_in_the_hours_from_when_it_says_so_until_it_says_otherwise() -> None:
    """Hours from nought on, of which the last begins at five. Minutes at which it said whether it works."""
    for said, hours in (
        ([], []),
        ([(-600, 1)], []),
        ([(-600, 0)], [0, 1, 2, 3, 4, 5]),
        ([(-600, 0), (-60, 1)], []),
        ([(70, 0), (100, 1)], [1]),
        ([(70, 0), (190, 1), (200, 0), (210, 1)], [1, 2, 3]),
        ([(120, 0), (180, 1)], [1, 2]),
        ([(290, 1), (350, 0)], [5]),
    ):
        # Another beside it that has a lower number, and is always broken.
        asset = np.array([3] + [7] * len(said), np.int64)
        at_us = np.array([-HOUR_US] + [minute * HOUR_US // 60 for minute, _ in said], np.int64) + AT_US
        value = np.array([0.0] + [float(works) for _, works in said])
        found = broken(Told(asset, at_us, value), np.array([7, 3], np.int64), AT_US, 6)
        assert np.flatnonzero(found[:, 0]).tolist() == hours, said
        assert found[:, 1].all()


def test_flows_are_alike_within_a_tenth_or_a_few_vehicles() -> None:
    one = np.array([1_000.0, 1_000.0, 30.0, 30.0, np.nan])
    assert alike(one, np.array([905.0, 890.0, 52.0, 60.0, 3.0])).tolist() == [True, False, True, False, False]


def berlin(shared: Path) -> tuple[Floats, Floats]:
    """Flow and speed, (hour of March 2024, cross-section), every third of them."""
    counts = shared / "feeds" / "berlin-counts" / "berlin_mq_hr_2024_03.csv.gz"
    with gzip.open(counts, "rt", encoding="latin-1") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    at = {name: n for n, name in enumerate(sorted({row["mq_name"] for row in rows})[::3])}
    found = np.full((2, 31 * 24, len(at)), np.nan)
    for row in rows:
        if row["mq_name"] in at:
            hour = (int(row["tag"][:2]) - 1) * 24 + int(row["stunde"])
            told = float(row["q_kfz_mq_hr"]), float(row["v_kfz_mq_hr"])
            found[:, hour, at[row["mq_name"]]] = [value if value > 0 else np.nan for value in told]
    return found[0], found[1]


def test_where_nothing_is_known_to_have_changed_little_is_said(shared: Path) -> None:
    """The four weeks of Berlin's March 2024 before Easter, each beside the one before: no change, but streets that
    live. One in seven is told apart; hours as pairs of their own would tell more than half of them."""
    flow, speed = berlin(shared)
    start_us, zone = day_number("2024-03-01") * DAY_US, ZoneInfo("UTC")
    told, by_hours, enough = 0, 0, 0
    for week, place in product(range(3), range(flow.shape[1])):
        old, new = (
            Measured(
                start_us + at * HOUR_US, *(each[at : at + WEEK, place : place + 1] for each in (flow, speed, speed))
            )
            for at in (week * WEEK, (week + 1) * WEEK)
        )
        says = figures(compare(old, new, Calendar(zone)))["speed"].says
        if says is not Verdict.FEW:
            enough += 1
            told += says is not Verdict.OPEN
            apart = new.speed - old.speed
            ends = interval(apart[~np.isnan(apart)].tolist())
            by_hours += ends is not None and not ends[0] <= 0 <= ends[1]
    assert enough > 120
    assert 0.05 < told / enough < 0.25
    assert by_hours / enough > 0.5

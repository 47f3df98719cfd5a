"""Which batches fail more than others, and the round that mends most for the least travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR
from vigie.core.calendar import Calendar
from vigie.core.drafts import Scalar
from vigie.core.kinds import AssetKind, ConditionKind, Sort
from vigie.core.plans import Columns, PlanKind, Standing, Troubles
from vigie.core.times import DAY_US
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.maintenance.rates import Z_90, gamma_quantile, rates
from vigie.services.lighting.maintenance.report import (
    BATCHES_MAX,
    Batches,
    BatchesAsked,
    Round,
    RoundAsked,
    batches,
    batches_table,
    plan_round,
)
from vigie.services.lighting.maintenance.tour import Job, best_tour

DIJON, QUETIGNY = "metropole/dijon", "metropole/quetigny"
NOW_DAY = 20_600
LON, LAT = 5.04, 47.32
M_LAT = 1 / 111_195.0

Trouble = tuple[int, str, float, bool]
"""A luminaire by its row, a condition, so many days ago, and whether it lasts."""


@dataclass(frozen=True)
class Town:
    """Luminaires 100 m apart on a meridian, half of them in each commune, and what was wrong with them."""

    lamps: Sequence[Mapping[str, Scalar]]
    wrong: Sequence[Trouble] = ()
    now_us: int = NOW_DAY * DAY_US
    calendar: Calendar = CALENDAR

    def columns(self, kind: type[AssetKind], *attributes: str) -> Columns:
        lamps = self.lamps if kind is Luminaire else ()
        count = len(lamps)
        said: dict[str, Any] = {}
        for name in attributes:
            number = kind.attributes[name].sort is Sort.NUMBER
            values = [each.get(name, np.nan if number else "") for each in lamps]
            said[name] = np.array(values, np.float64 if number else np.object_)
        return Columns(
            no=np.arange(1, 1 + count), ids=[f"lamp-{n}" for n in range(count)],
            area=np.array([1 + (2 * n >= count) for n in range(count)], np.int64), street=np.zeros(count, np.int64),
            parent=np.zeros(count, np.int64), lon=np.full(count, LON), lat=LAT + np.arange(count) * 100 * M_LAT,
            areas=["", DIJON, QUETIGNY], streets=[""], attributes=said,
        )  # fmt: skip

    def plans(self, kind: PlanKind) -> Sequence[Standing]:
        return ()

    def troubles(self, kinds: Sequence[ConditionKind], since_us: int) -> Troubles:
        names = {each.name for each in kinds}
        rows = [
            (1 + lamp, kind, self.now_us - int(days * DAY_US), 0 if lasts else self.now_us - 1)
            for lamp, kind, days, lasts in sorted(self.wrong, key=lambda each: -each[2])
            if kind in names
        ]
        rows = [row for row in rows if not row[3] or row[2] >= since_us]
        asset, kind, raised_us, cleared_us = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Troubles(*(np.array(each, np.int64) for each in (asset,)), list(kind), np.array(raised_us, np.int64),
                        np.array(cleared_us, np.int64))  # fmt: skip


# --- rates ---


@pytest.mark.parametrize(
    ("shape", "low", "high"),
    # Quantiles of 5 and 95 % of the gamma distribution, from tables of chi-square with twice the degrees.
    [(1.0, 0.0513, 2.996), (2.5, 0.573, 5.535), (10.0, 5.425, 15.71), (50.0, 38.96, 62.17)],
)
def test_quantiles_are_those_of_tables(shape: float, low: float, high: float) -> None:
    found = [float(gamma_quantile(np.array([shape]), z)[0]) for z in (-Z_90, Z_90)]
    assert found == pytest.approx([low, high], rel=0.02 if shape > 1 else 0.25)


def test_a_small_batch_is_drawn_to_the_town_and_a_large_one_is_not() -> None:
    failures, years = np.array([1.0, 100.0, 5.0, 0.0]), np.array([10.0, 1_000.0, 1_000.0, 10.0])
    found = rates(failures, years)
    assert found.town == pytest.approx(106 / 2_020)
    assert found.mean[1] == pytest.approx(0.1, rel=0.02)
    assert found.mean[2] == pytest.approx(0.006, rel=0.1)
    assert found.town < found.mean[0] < 0.1
    assert 0 < found.mean[3] < found.town
    assert found.low[1] > found.town > found.high[2]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0.01, 5_000)), min_size=1, max_size=30),
)
def test_each_rate_lies_in_its_interval_and_between_its_own_and_the_towns(batch: list[tuple[int, float]]) -> None:
    failures, years = (np.array(each, np.float64) for each in zip(*batch, strict=True))
    found = rates(failures, years)
    assert np.isfinite(found.mean).all()
    assert (found.low <= found.high).all()
    between = np.sort(np.stack([failures / years, np.full(len(years), found.town)]), axis=0)
    assert (found.mean >= between[0] * (1 - 1e-6)).all()
    assert (found.mean <= between[1] * (1 + 1e-6)).all()


BAD: Mapping[str, Scalar] = {"lamp": "LED", "rated_power": 60.0, "installed": "2021-03"}
GOOD: Mapping[str, Scalar] = {"lamp": "LED", "rated_power": 60.0, "installed": "2019"}


def told(town: Town, **asked: Any) -> Batches:
    return batches(BatchesAsked(**asked), town)


def test_a_batch_that_fails_more_comes_first_and_says_so() -> None:
    lamps = [*[BAD] * 50, *[GOOD] * 150]
    wrong = [(n, "lamp_out", 300.0 - n, n % 2 == 0) for n in range(20)] + [(60, "lamp_out", 100.0, False)]
    found = told(Town(lamps, [*wrong, (0, "power_low", 3.0, True), (1, "driver_hot", 5.0, False)]))
    bad, good = found.batches
    assert (bad.year, bad.lamps, bad.failed, bad.out, bad.drifting, bad.worse) == ("2021", 50, 20, 10, 1, True)
    assert (good.year, good.lamps, good.failed, good.out, good.worse) == ("2019", 150, 1, 0, False)
    assert good.low < good.rate < found.town < bad.low < bad.rate < bad.high
    assert found.since == "2025-07-31"
    assert bad.years == pytest.approx(50 * 300 / 365.25, abs=0.1)
    rows = list(batches_table(BatchesAsked(), Town(lamps, wrong)).rows)
    assert rows[0][:3] == ["LED", 60.0, "2021"]


def test_a_head_is_watched_from_its_installation_and_one_that_fails_twice_failed_once() -> None:
    new: Mapping[str, Scalar] = {**BAD, "installed": "2026-04-27"}
    wrong = [(0, "lamp_out", 200.0, False), (0, "lamp_out", 100.0, False)]
    found = told(Town([GOOD, new], wrong))
    years = {each.year: each.years for each in found.batches}
    assert years == {"2019": 0.5, "2026": 0.1}
    assert {each.year: each.failed for each in found.batches} == {"2019": 1, "2026": 0}


def test_what_failed_before_a_head_was_there_is_not_its_failure() -> None:
    new: Mapping[str, Scalar] = {**BAD, "installed": "2026-04-27"}
    before = [(n, "lamp_out", 430.0 - n, False) for n in range(40)]
    found = told(Town([new] * 40 + [GOOD] * 40, [*before, (3, "lamp_out", 5.0, True)]))
    assert {each.year: (each.failed, each.out) for each in found.batches} == {"2019": (0, 0), "2026": (1, 1)}
    # Nobody states when these came: all of their failures count, the very first too.
    unknown: Mapping[str, Scalar] = {**BAD, "installed": ""}
    assert told(Town([unknown] * 40, before)).batches[0].failed == 40


def test_every_batch_is_in_the_table_and_the_worst_are_told() -> None:
    lamps = [{**BAD, "rated_power": 10.0 + n} for n in range(BATCHES_MAX + 5)]
    town = Town(lamps, [(0, "lamp_out", 300.0, False)])
    found = told(town)
    assert (found.total, len(found.batches)) == (BATCHES_MAX + 5, BATCHES_MAX)
    assert len(list(batches_table(BatchesAsked(), town).rows)) == BATCHES_MAX + 5


def test_a_table_is_reckoned_before_its_answer_begins() -> None:
    class Unreadable(Town):
        def troubles(self, kinds: Sequence[ConditionKind], since_us: int) -> Troubles:
            raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        batches_table(BatchesAsked(), Unreadable([BAD]))


def test_a_batch_is_no_surer_than_the_town_that_it_is_drawn_to() -> None:
    """After a day each of many batches has the town's rate, which 160 failures tell within 13 %."""
    found = rates(np.full(40, 4.0), np.full(40, 1_000 / 365))
    assert found.mean == pytest.approx(found.town, rel=1e-3)
    assert found.low == pytest.approx(found.town * (1 - 1.6449 / np.sqrt(160)), rel=0.03)
    assert found.high == pytest.approx(found.town * (1 + 1.6449 / np.sqrt(160)), rel=0.03)


def test_without_a_failure_no_rate_is_made_up() -> None:
    found = told(Town([BAD] * 3))
    assert (found.since, found.lamps, found.batches) == (None, 3, [])
    assert told(Town([BAD] * 4, [(0, "lamp_out", 5.0, True)]), area=QUETIGNY).lamps == 2


# --- rounds ---


def job(places: Sequence[tuple[float, float]], worth: Sequence[float], hours_min: float, work_min: float = 10.0) -> Job:
    """Places in minutes east and north of where the crew begins."""
    at = np.array([*places, (0.0, 0.0)], np.float64).reshape(-1, 2)
    travel = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    return Job(travel, np.full(len(places), work_min), np.array(worth, np.float64), hours_min)


JOBS = st.lists(
    st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(1, 30)), max_size=14
).flatmap(
    lambda stops: st.floats(10, 400).map(lambda hours: job([each[:2] for each in stops], [each[2] for each in stops],
                                                           hours))
)  # fmt: skip


def nearest(found: Job) -> list[int]:
    """What a crew does that always goes on to the nearest that it can still mend in time."""
    tour: list[int] = []
    while True:
        here = tour[-1] if tour else found.home
        left = sorted(set(range(found.home)) - set(tour), key=lambda each: (found.travel_min[here, each], each))
        stop = next((each for each in left if found.length([*tour, each]) <= found.hours_min), None)
        if stop is None:
            return tour
        tour.append(stop)


@given(JOBS)
def test_a_round_keeps_to_its_hours_and_beats_the_nearest_first(found: Job) -> None:
    tour = best_tour(found)
    assert len(set(tour)) == len(tour), "each fault once"
    assert found.length(tour) <= found.hours_min + 1e-6
    other = nearest(found)
    assert found.value(tour) >= found.value(other) - 1e-6
    if found.value(tour) == found.value(other):
        assert found.length(tour) <= found.length(other) + 1e-6
    assert best_tour(replace(found)) == tour, "always alike"


def test_what_is_worth_more_is_mended_first_where_not_all_can_be() -> None:
    # Two crowds of faults, of which hours allow one; the far one is worth more.
    near, far = [(10.0, n) for n in range(4)], [(-30.0, n) for n in range(4)]
    tour = best_tour(job([*near, *far], [1, 1, 1, 1, 9, 9, 9, 9], 110.0))
    assert sorted(tour) == [4, 5, 6, 7]
    both = best_tour(job([*near, *far], [1, 1, 1, 1, 9, 9, 9, 9], 170.0))
    assert len(both) == 8


def test_a_circle_is_walked_round() -> None:
    angles = np.arange(12) * 2 * np.pi / 12
    order = np.random.default_rng(3).permutation(12)
    places = [(30 * float(np.cos(a)), 30 * float(np.sin(a))) for a in angles[order]]
    found = job(places, [1] * 12, 1_000.0, work_min=0.0)
    step = 2 * 30 * np.sin(np.pi / 12)
    assert found.length(best_tour(found)) == pytest.approx(2 * 30 + 11 * step)


def planned(town: Town, **asked: Any) -> Round:
    return plan_round(RoundAsked(lon=LON, lat=LAT, **asked), town)


def test_a_round_is_told_with_its_minutes_and_its_ways() -> None:
    wrong = [(2, "lamp_out", 1.0, True), (2, "crossing_dark", 1.0, True), (5, "lamp_silent", 1.0, True),
             (8, "lamp_out", 1.0, False), (9, "lamp_clock", 1.0, True)]  # fmt: skip
    found = planned(Town([GOOD] * 10, wrong), hours=4, speed_km_h=30, detour=1.0)
    assert [(each.id, each.conditions) for each in found.stops] == [
        ("lamp-2", ["lamp_out", "crossing_dark"]), ("lamp-5", ["lamp_silent"])
    ]  # fmt: skip
    first, second = found.stops
    assert (first.travel_m, first.travel_min, first.work_min, first.worth) == (200, 0.4, 30.0, 34.0)
    assert second.arrive_min == pytest.approx(0.4 + 30 + 0.6, abs=0.01)
    assert (found.open, found.considered, found.worth, found.worth_all) == (2, 2, 35.0, 35.0)
    assert (found.travel_km, found.work_min, found.back_min) == (1.0, 50.0, 52.0)
    # A crew that needs longer than its hours for one of them mends the other.
    hurried = planned(Town([GOOD] * 10, wrong), hours=0.5, detour=1.0)
    assert [each.id for each in hurried.stops] == ["lamp-5"]
    quick = planned(Town([GOOD] * 10, wrong), hours=0.5, detour=1.0, minutes={"lamp_out": 15})
    assert [each.id for each in quick.stops] == ["lamp-2"]
    assert planned(Town([GOOD] * 10, wrong), worth={"lamp_silent": 0}).open == 1
    assert planned(Town([GOOD] * 10, wrong), area=QUETIGNY).open == 1
    with pytest.raises(LookupError):
        planned(Town([GOOD]), minutes={"lamp": 1})


def test_a_town_without_a_fault_needs_no_round() -> None:
    found = planned(Town([GOOD] * 3))
    assert (found.stops, found.open, found.back_min, found.travel_km) == ([], 0, 0.0, 0.0)

"""A day in periods: whole, none too short, and no cut is cheaper."""

from __future__ import annotations

import tracemalloc
from itertools import combinations, pairwise
from math import inf
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.services.signals.control.sites import crossroads
from vigie.services.signals.design.day import (
    CHANGE_H,
    DAY_S,
    HOUR_S,
    PERIOD_S_MIN,
    SLOTS_MAX,
    Cut,
    Slot,
    critical_h,
    cut,
    mean_h,
)

FLOWS = st.tuples(st.integers(0, 1_800).map(float), st.integers(0, 1_800).map(float))


def slots_of(begin_s: int, parts_s: list[int], flows: list[tuple[float, ...]]) -> list[Slot]:
    found: list[Slot] = []
    for seconds, own in zip(parts_s, flows, strict=True):
        found.append(Slot(begin_s, begin_s + seconds, own))
        begin_s += seconds
    return found


@st.composite
def days(draw: st.DrawFn) -> list[Slot]:
    """A few hours, or a whole day, of parts of different lengths."""
    parts = draw(st.lists(st.sampled_from([900, 1_800, 3_600, 7_200, 10_800]), min_size=1, max_size=6))
    begin_s = draw(st.integers(0, 5)) * HOUR_S
    if draw(st.booleans()):
        begin_s, parts = 0, [*parts, DAY_S - sum(parts)]
    flows = draw(st.lists(FLOWS, min_size=len(parts), max_size=len(parts)))
    return slots_of(begin_s, parts, flows)


def squares(slots: list[Slot]) -> float:
    """How far flows are from their mean, by its definition."""
    hours = [(each.end_s - each.begin_s) / HOUR_S for each in slots]
    total = 0.0
    for column in zip(*(each.flows_h for each in slots), strict=True):
        middle = sum(h * x for h, x in zip(hours, column, strict=True)) / sum(hours)
        total += sum(h * (x - middle) ** 2 for h, x in zip(hours, column, strict=True))
    return total


def cheapest(slots: list[Slot], least: int, most: int, change_h: float) -> float:
    """By trying every cut that there is; without end where there is none of so many periods."""
    count, best = len(slots), inf
    round_the_clock = slots[-1].end_s - slots[0].begin_s == DAY_S
    for number in range(least, most + 1):
        for cuts in combinations(range(count) if round_the_clock else range(1, count), number - (not round_the_clock)):
            ends = [*cuts, cuts[0] + count] if round_the_clock else [0, *cuts, count]
            runs = [[slots[at % count] for at in range(a, b)] for a, b in pairwise(ends)]
            if number == 1:
                best = min(best, squares(slots))
            elif all(sum(each.end_s - each.begin_s for each in run) >= PERIOD_S_MIN for run in runs):
                changes = number - (not round_the_clock)
                best = min(best, sum(map(squares, runs)) + change_h**2 * changes)
    return best


def cost(slots: list[Slot], found: Cut, change_h: float) -> float:
    number = len(found.periods)
    round_the_clock = slots[-1].end_s - slots[0].begin_s == DAY_S
    changes = 0 if number == 1 else number if round_the_clock else number - 1
    return sum(squares([slots[at] for at in each.slots]) for each in found.periods) + change_h**2 * changes


@settings(max_examples=60, deadline=None)
@given(days(), st.integers(1, 3), st.integers(3, 6), st.sampled_from([0.0, CHANGE_H, 600.0]))
@example(slots_of(0, [DAY_S // 4] * 4, [(9.0,), (500.0,), (900.0,), (10.0,)]), 2, 6, CHANGE_H)
def test_periods_cover_the_day_none_is_too_short_and_no_cut_is_cheaper(
    slots: list[Slot], least: int, most: int, change_h: float
) -> None:
    found = cut(slots, least, most, change_h)
    assert sorted(at for each in found.periods for at in each.slots) == list(range(len(slots)))
    for one, other in zip(found.periods, (*found.periods[1:], found.periods[0]), strict=True):
        assert one.end_s % DAY_S == other.begin_s % DAY_S or other is found.periods[0]
        own = [slots[at] for at in one.slots]
        assert (one.begin_s, one.end_s) == (own[0].begin_s, own[-1].end_s)
        assert all((a.end_s - b.begin_s) % DAY_S == 0 for a, b in pairwise(own))
        assert len(found.periods) == 1 or sum(each.end_s - each.begin_s for each in own) >= PERIOD_S_MIN
    best = cheapest(slots, least, most, change_h)
    if best < inf:
        assert least <= len(found.periods) <= most
        assert cost(slots, found, change_h) == pytest.approx(best, rel=1e-9, abs=1e-3)
    else:
        assert len(found.periods) < least
    assert found.off_h <= found.whole_off_h + 1e-6


def test_a_usual_day_has_its_peaks_and_one_night_that_goes_over_midnight() -> None:
    flows = [100.0] * 6 + [900.0] * 3 + [500.0] * 7 + [1_000.0] * 3 + [100.0] * 5
    found = cut(slots_of(0, [HOUR_S] * 24, [(each,) for each in flows]))
    hours = [(each.begin_s // HOUR_S, each.end_s // HOUR_S) for each in found.periods]
    assert hours == [(6, 9), (9, 16), (16, 19), (19, 6)]
    assert (found.off_h, found.whole_off_h > 300) == (pytest.approx(0, abs=1e-3), True)
    flat = cut(slots_of(0, [HOUR_S] * 24, [(300.0,)] * 24))
    assert [(each.begin_s, each.end_s) for each in flat.periods] == [(0, DAY_S)], "no change of plan for nothing"
    assert len(cut(slots_of(0, [HOUR_S] * 24, [(each,) for each in flows]), most=2).periods) == 2


def test_a_corridor_counted_in_five_minutes_takes_no_hundreds_of_megabytes() -> None:
    dice = Random(1)
    slots = slots_of(0, [300] * SLOTS_MAX, [tuple(dice.uniform(0, 900) for _ in range(60))] * SLOTS_MAX)
    tracemalloc.start()
    cut(slots, most=1)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 40 << 20


def test_critical_flows_are_those_of_the_fullest_lanes_and_means_are_of_time() -> None:
    assert critical_h(crossroads(), (100.0, 300.0, 50.0, 20.0)) == (300.0, 50.0)
    slots = slots_of(0, [HOUR_S, 3 * HOUR_S], [(1.0,), (2.0,)])
    (whole,) = cut(slots, least=1, most=1).periods
    assert mean_h(slots, whole, [(100.0, 0.0), (200.0, 4.0)]) == (175.0, 3.0)


@pytest.mark.parametrize(
    "slots",
    [
        [],
        slots_of(0, [300] * (SLOTS_MAX + 1), [(0.0,)] * (SLOTS_MAX + 1)),
        slots_of(0, [DAY_S, 1], [(0.0,)] * 2),
        [Slot(0, HOUR_S, (0.0,)), Slot(2 * HOUR_S, 3 * HOUR_S, (0.0,))],
        [Slot(HOUR_S, HOUR_S, (0.0,))],
    ],
)
def test_what_is_no_day_is_refused(slots: list[Slot]) -> None:
    with pytest.raises(ValueError, match=r"^(a day is|what is cut is|the counts up to)"):
        cut(slots)

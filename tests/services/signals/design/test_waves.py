"""Green waves: bands as they are driven, and offsets that nobody finds better ones for by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from vigie.services.signals.control.site import Plan, Step
from vigie.services.signals.design.waves import Crossing, wave, wave_as_it_is

ALONG, ACROSS = frozenset({0}), frozenset({1})


def crossing(green_s: int, cycle_s: int, there_s: int, back_s: int | None = None) -> Crossing:
    """A junction whose way along is green for so long from the beginning of its cycle."""
    rest = cycle_s - green_s - 10
    clear = Step(5, frozenset(), clears=True)
    plan = Plan(0, (Step(green_s, ALONG), clear, Step(rest, ACROSS), clear))
    return Crossing(plan, ALONG, ALONG, there_s, there_s if back_s is None else back_s)


def driven(crossings: list[Crossing], offsets: tuple[int, ...], *, back: bool) -> int:
    """How many seconds of departure in a row meet nothing but green, counted by driving."""
    cycle_s = crossings[0].plan.cycle_s
    through = [
        all(
            each.plan.greens(start + (-each.back_s if back else each.there_s) - offset) == ALONG
            for each, offset in zip(crossings, offsets, strict=True)
        )
        for start in range(cycle_s)
    ]
    if all(through):
        return cycle_s
    twice, longest, run = through * 2, 0, 0
    for one in twice:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(12, 40), st.integers(0, 70)), min_size=2, max_size=5), st.integers(60, 75))
def test_bands_are_what_one_drives_through(greens: list[tuple[int, int]], cycle_s: int) -> None:
    far = 0
    crossings: list[Crossing] = []
    for green_s, further_s in greens:
        crossings.append(crossing(green_s, cycle_s, far))
        far += further_s
    found = wave(crossings)
    assert found.offsets_s[0] == 0
    assert all(0 <= each < cycle_s for each in found.offsets_s)
    assert driven(crossings, found.offsets_s, back=False) == found.there_s
    assert driven(crossings, found.offsets_s, back=True) == found.back_s
    offset = [
        replace(each, plan=changed(each.plan, offset_s=at)) for each, at in zip(crossings, found.offsets_s, strict=True)
    ]
    assert wave_as_it_is(offset) == found


def test_a_wave_one_way_is_as_wide_as_the_narrowest_green() -> None:
    crossings = [crossing(green, 80, at) for green, at in ((40, 0), (25, 31), (33, 55), (28, 99))]
    found = wave(crossings, there=1.0, back=0.0)
    assert found.there_s == 25


def test_half_a_cycle_apart_both_ways_have_all_of_it() -> None:
    found = wave([crossing(30, 80, at) for at in (0, 40, 80, 120)])
    assert (found.there_s, found.back_s) == (30, 30)
    assert found.offsets_s == (0, 40, 0, 40)


def test_no_offsets_of_three_junctions_are_better_than_those_found() -> None:
    crossings = [crossing(18, 45, 0), crossing(15, 45, 13), crossing(20, 45, 34)]
    found = wave(crossings)
    best = max(
        driven(crossings, (0, one, other), back=False) + driven(crossings, (0, one, other), back=True)
        for one, other in product(range(45), repeat=2)
    )
    assert found.there_s + found.back_s == best


def test_a_band_that_is_worth_a_little_more_is_not_given_up_for_those_between_neighbours() -> None:
    crossings = [crossing(12, 30, 0), crossing(11, 30, 4, 3), crossing(15, 30, 32)]
    there, back = 1_000.0, 999.5
    found = wave(crossings, there, back)
    best = max(
        there * driven(crossings, (0, one, other), back=False) + back * driven(crossings, (0, one, other), back=True)
        for one, other in product(range(30), repeat=2)
    )
    assert there * found.there_s + back * found.back_s == best


def test_cycles_that_differ_make_no_wave() -> None:
    with pytest.raises(ValueError, match="one cycle"):
        wave([crossing(20, 60, 0), crossing(20, 70, 10)])

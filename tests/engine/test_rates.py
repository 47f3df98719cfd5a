"""How often somebody may ask: the laws of the bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import SECOND_US
from vigie.engine.rates import Allowance, Rates

ALLOWED = Allowance(per_s=10, burst=20, held_max=3)


@given(st.lists(st.integers(0, 500_000), max_size=300))
def test_never_more_than_the_burst_and_what_has_flowed_in(gaps_us: list[int]) -> None:
    rates, now, passed = Rates(ALLOWED), 0, 0
    for gap in gaps_us:
        now += gap
        passed += rates.take("a", now) == 0
        assert passed <= ALLOWED.burst + now / SECOND_US * ALLOWED.per_s + 1e-6


@given(st.integers(1, 100), st.floats(0, 3))
def test_who_waits_as_long_as_told_may_go_on(asked: int, rest_s: float) -> None:
    rates = Rates(ALLOWED)
    wait = 0.0
    for _ in range(asked):
        wait = rates.take("a", 0)
    later = int((wait + rest_s) * SECOND_US) + 1
    assert wait == 0 or rates.take("a", later) == 0


def test_what_is_left_is_what_may_go_on_at_once() -> None:
    rates = Rates(ALLOWED)
    assert rates.left("a", 0) == 20
    for _ in range(20):
        rates.take("a", 0)
    assert rates.left("a", 0) == 0
    assert rates.left("a", SECOND_US // 2) == 5


def test_one_callers_haste_is_not_anothers_and_no_clock_set_back_gives_more() -> None:
    rates = Rates(ALLOWED)
    assert all(rates.take("a", 1_000_000) == 0 for _ in range(20))
    assert rates.take("a", 1_000_000) > 0
    assert rates.take("a", 0) > 0
    assert rates.take("b", 0) == 0
    assert rates.refused == 2
    # To ask how long takes nothing.
    assert rates.wait_s("a", 0) > 0 == rates.wait_s("c", 0)
    assert (len(rates), rates.refused) == (2, 2)


def test_what_is_remembered_is_bounded() -> None:
    rates = Rates(ALLOWED)
    for caller in range(10):
        rates.take(caller, 0)
    assert len(rates) == 3

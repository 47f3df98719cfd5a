"""GEH as the guidelines have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.services.signals.whatif.geh import geh, met_share

FLOWS_H = st.floats(0, 1e4)


@pytest.mark.parametrize(
    ("modelled_h", "counted_h", "expected"), [(1_100, 1_000, 3.086), (500, 600, 4.264), (0, 50, 10.0), (0, 0, 0.0)]
)
def test_it_is_what_the_formula_says(modelled_h: float, counted_h: float, expected: float) -> None:
    assert geh(modelled_h, counted_h) == pytest.approx(expected, abs=0.001)


@given(FLOWS_H, FLOWS_H)
def test_it_is_the_same_both_ways_and_none_for_the_same(one: float, other: float) -> None:
    assert geh(one, other) == pytest.approx(geh(other, one))
    assert geh(one, one) == 0
    assert geh(one, other) >= 0


def test_five_is_no_longer_met() -> None:
    assert met_share([0.0, 4.99, 5.0, 7.0]) == 0.5
    assert met_share([]) == 1.0

"""Student's quantiles are those of printed tables, and turn into the normal distribution's."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.student import student


@pytest.mark.parametrize(
    ("freedom", "share", "expected"),
    [
        (1, 0.95, 12.7062), (2, 0.95, 4.3027), (3, 0.95, 3.1824), (4, 0.95, 2.7764), (9, 0.95, 2.2622),
        (30, 0.95, 2.0423), (120, 0.95, 1.9799), (999, 0.95, 1.9623), (inf, 0.95, 1.9600),
        (1, 0.99, 63.6567), (9, 0.99, 3.2498), (30, 0.90, 1.6973),
    ],
)  # fmt: skip
def test_quantiles_are_the_ones_of_tables(freedom: float, share: float, expected: float) -> None:
    assert student(freedom, share) == pytest.approx(expected, abs=5.1e-5)


@given(st.floats(0.5, 20_000), st.floats(0.5, 20_000))
def test_the_more_is_known_the_narrower_it_is(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert student(less) >= student(more) * (1 - 1e-4) >= 1.9597


def test_of_nothing_there_is_no_scatter() -> None:
    with pytest.raises(ValueError, match="degrees of freedom"):
        student(0)

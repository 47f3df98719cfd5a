"""Which junction a detector counts for: the one that is driven to, and not one beside it on another street."""

from __future__ import annotations

import numpy as np
import pytest

from vigie.api.signals.levels import ahead

NORTH = [(0, -400), (0, 400)]
BEND = [(0, -50), (0, 40), (80, 40)]


@pytest.mark.parametrize(
    ("line", "place", "spots", "expected"),
    [
        (NORTH, (0, 0), [(0, -20), (0, 300), (100, 5)], None),
        (NORTH, (0, 0), [(0, -20), (0, 90), (40, 30)], 1),
        (NORTH, (3, 0), [(12, 8)], 0),
        (NORTH, (30, 0), [(0, 20)], 0),
        (NORTH, (3, 0), [(12, -8)], None),
        (BEND, (0, 0), [(60, 45), (-60, 45)], 0),
        (BEND, (40, 40), [(0, 40), (130, 20)], 1),
        (BEND, (80, 40), [(130, 40)], 0),
        (NORTH, (0, 0), [(np.nan, np.nan)], None),
    ],
    ids=["parallel", "nearer beside", "close by", "off its street", "behind", "bend", "end", "at the end", "nowhere"],
)
def test_a_detector_counts_for_the_junction_that_is_driven_to(
    line: list[tuple[float, float]], place: tuple[float, float], spots: list[tuple[float, float]], expected: int | None
) -> None:
    assert ahead(np.array(line, float), np.array(place, float), np.array(spots, float)) == expected

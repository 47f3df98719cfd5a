"""When a vehicle was within a fence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.services.roads.fences import EACH_SIDE, Fence, Passage, check, passages, within

SQUARE = Fence("Dépôt", ((5.0, 47.0), (5.1, 47.0), (5.1, 47.1), (5.0, 47.1)))
IN, OUT = 5.05, 4.9


def of(*sides: str) -> list[Passage]:
    """The passages of a vehicle that was in or out, each second."""
    lon = np.array([IN if each == "i" else OUT for each in sides])
    return passages(SQUARE, lon, np.full(len(lon), 47.05), np.arange(len(lon)))


def test_a_passage_is_from_the_first_position_inside_to_the_last() -> None:
    assert of(*"ooiiioo") == [Passage(2, 4, left=True)]
    assert of(*"iioooii") == [Passage(0, 1, left=True), Passage(5, 6, left=False)]
    assert of() == of(*"ooo") == []


def test_one_position_on_the_other_side_is_no_crossing() -> None:
    assert of(*"oooiooo") == []
    assert of(*"iiioiii") == [Passage(0, 6, left=False)]
    # At either end nobody knows yet.
    assert of(*"oooi") == [Passage(3, 3, left=False)]


@given(st.lists(st.sampled_from("io"), max_size=40))
def test_passages_do_not_touch_and_hold_all_that_lasts(sides: list[str]) -> None:
    found = of(*sides)
    assert all(one.end_us + EACH_SIDE <= other.start_us for one, other in pairwise(found))
    held = {second for each in found for second in range(each.start_us, each.end_us + 1)}
    for at in range(len(sides) - EACH_SIDE + 1):
        if sides[at : at + EACH_SIDE] == ["i"] * EACH_SIDE:
            assert {*range(at, at + EACH_SIDE)} <= held


def test_an_outline_that_crosses_itself_and_a_name_that_is_taken_are_found() -> None:
    class Others:
        """Fences in force."""

        def plans(self, kind: object) -> list[object]:
            return [type("Standing", (), {"id": "other", "in_force": SQUARE})]

    crossed = Fence("Dépôt", ((5.0, 47.0), (5.1, 47.1), (5.1, 47.0), (5.0, 47.1)))
    assert [each.rule for each in check(crossed, "new", Others())] == ["roads.fence_crosses", "roads.fence_name"]  # type: ignore[arg-type]
    assert check(SQUARE, "other", Others()) == []  # type: ignore[arg-type]
    assert within(SQUARE, np.array([IN, OUT]), np.array([47.05, 47.05])).tolist() == [True, False]

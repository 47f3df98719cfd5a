"""When a vehicle is not followed: laws on its hours and on what its driver says."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.observations import Outcome
from vigie.services.roads.privacy import check, withheld

PARIS = ZoneInfo("Europe/Paris")
NOON_US = 1_795_777_200_000_000  # Friday 2026-11-27, 12:00 in Paris
WORKED = "mon-fri 06:00-20:00"

WORDS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=6, unique_by=lambda word: word[0])


def test_who_has_no_hours_and_says_nothing_is_always_followed() -> None:
    assert withheld("", [], NOON_US, PARIS) is None
    assert withheld(WORKED, [], NOON_US, PARIS) is None
    assert withheld(WORKED, [], NOON_US + 12 * 3_600_000_000, PARIS) is Outcome.OFF_HOURS


@given(WORDS, st.integers(-5, 25))
def test_the_last_word_by_then_decides_and_before_the_first_nothing_is_taken(
    words: list[tuple[int, bool]], at: int
) -> None:
    said = [(NOON_US + second, private) for second, private in words]
    state = None if not words else Outcome.PRIVATE
    for second, private in sorted(words):
        if second <= at:
            state = Outcome.PRIVATE if private else None
    assert withheld("", said, NOON_US + at, PARIS) is state


@given(WORDS, st.integers(0, 20))
def test_a_word_never_opens_what_hours_close(words: list[tuple[int, bool]], at: int) -> None:
    assert withheld("sat 06:00-07:00", [(NOON_US + s, p) for s, p in words], NOON_US + at, PARIS) is Outcome.OFF_HOURS


def test_two_words_of_one_instant_are_private_and_hours_that_are_none_follow_nobody() -> None:
    assert withheld("", [(NOON_US, False), (NOON_US, True)], NOON_US, PARIS) is Outcome.PRIVATE
    assert withheld("by day", [], NOON_US, PARIS) is Outcome.OFF_HOURS
    with pytest.raises(ValueError, match="by day"):
        check("by day")

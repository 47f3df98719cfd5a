"""Thresholds: a file is taken as it is meant or refused with a hint, and a limit is kept only where that is proved."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import interval
from vigie.services.signals.whatif.thresholds import (
    SAFE,
    USUAL,
    Held,
    Judged,
    Limit,
    ThresholdsWrong,
    holds,
    judge,
    thresholds_of,
)

DELAYS = [50.0, 60.0, 55.0, 65.0]


def only(figure: str, limit: Limit, before: list[float], after: list[float]) -> Judged:
    """The one bound of a limit, judged."""
    (found,) = judge(figure, limit, before, after)
    return found


def test_a_file_is_taken_whole() -> None:
    found = thresholds_of(
        "[mean_delay_s]\nmore_percent_at_most = -5\n[max_wait_s]\nat_most = 180\nmore_at_most = 0\n"
        "[junction_queue]\nmore_percent_at_most = 20\nlet_pass = 0.5\n"
    )
    assert found == {
        **SAFE,
        "mean_delay_s": Limit(more_percent_at_most=-5),
        "max_wait_s": Limit(at_most=180, more_at_most=0),
        JUNCTION_QUEUE: Limit(more_percent_at_most=20, let_pass=0.5),
    }
    assert USUAL.keys() <= FIGURES.keys()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mean_delay]\nat_most = 3", "no figure 'mean_delay'. Did you mean 'mean_delay_s'?"),
        ("[weather]\nat_most = 3", "no figure 'weather'. There are: mean_delay_s, "),
        ("[stops]\nat_moost = 3", r"\[stops\] has no key 'at_moost'. Did you mean 'at_most'\?"),
        ("[stops]\nat_most = true", "True, which is no number"),
        ("[stops]\nat_most = nan", "nan, which is no number"),
        ("[stops]\nat_most = '3'", "'3', which is no number"),
        ("[stops]\nat_most = -1", "nothing can be so little"),
        ("[stops]\nmore_percent_at_most = -101", "nothing can be so little"),
        ("[stops]\nlet_pass = 1", "sets no bound"),
        ("stops = 3", r"write \[stops\]"),
        ("", "sets no threshold"),
        ("[stops", "no TOML"),
        (f"[stops]\nat_most = {'9' * 400}", r"is 9{40}\.\.\., which is no number that it may be"),
        (f"[stops]\nat_most = {'9' * 5_000}", "no TOML"),
        (f"a = {'[' * 100_000}", "no TOML"),
        ("[stops]\nmore_percent_at_most = -10\nlet_pass = 1", "asks for a gain, and by let_pass for none"),
        ("[stops]\nmore_at_most = -1\nlet_pass = 1", "asks for a gain"),
    ],
)
def test_what_is_wrong_is_told_with_what_was_meant(text: str, told: str) -> None:
    with pytest.raises(ThresholdsWrong, match=told):
        thresholds_of(text)


def test_a_mean_is_proved_broken_or_neither() -> None:
    limit = Limit(more_percent_at_most=0)
    better = only("mean_delay_s", limit, DELAYS, [each - 5 - at for at, each in enumerate(DELAYS)])
    assert (better.held, better.over) == (Held.PROVED, -6.5)
    assert only("mean_delay_s", limit, DELAYS, [each + 5 for each in DELAYS]).held is Held.BROKEN
    unsure = only("mean_delay_s", limit, DELAYS, [40.0, 61.0, 50.0, 66.0])
    assert (unsure.held, unsure.over) == (Held.NOT_SHOWN, -3.25)
    assert unsure.seeds_wanted is not None
    assert unsure.seeds_wanted > len(DELAYS)
    over = only("mean_delay_s", limit, DELAYS, [60.0, 59.0, 60.0, 66.0])
    assert (over.held, over.seeds_wanted) == (Held.NOT_SHOWN, None)


def test_a_gain_that_is_asked_for_must_be_there() -> None:
    limit = Limit(more_percent_at_most=-10)
    assert only("mean_delay_s", limit, DELAYS, [each * 0.95 for each in DELAYS]).held is Held.BROKEN
    assert only("mean_delay_s", limit, DELAYS, [each * 0.85 for each in DELAYS]).held is Held.PROVED


def test_what_one_side_alone_has_is_not_shown() -> None:
    gone, new = (only(JUNCTION_QUEUE, Limit(at_most=9), *sides) for sides in ((DELAYS, []), ([], DELAYS)))
    assert (gone.held, gone.before, gone.after) == (Held.NOT_SHOWN, 57.5, None)
    assert (new.held, new.before, new.after) == (Held.NOT_SHOWN, None, 57.5)
    assert only(JUNCTION_QUEUE, Limit(at_most=9), [], []).held is Held.NOBODY


def test_the_same_on_each_seed_keeps_to_no_more_than_before() -> None:
    assert only("mean_delay_s", Limit(more_percent_at_most=0), DELAYS, DELAYS).held is Held.PROVED


def test_of_one_seed_nothing_is_proved_and_what_it_broke_is_broken() -> None:
    alone = only("mean_delay_s", Limit(more_percent_at_most=0), [50.0], [10.0])
    assert (alone.held, alone.low, alone.high, alone.seeds_wanted) == (Held.NOT_SHOWN, None, None, 10)
    assert only("violations", Limit(at_most=0), [0.0], [0.0]).held is Held.NOT_SHOWN
    assert only("violations", Limit(at_most=0), [0.0], [1.0]).held is Held.BROKEN


def test_what_should_not_be_is_broken_by_one_seed_and_proved_by_none() -> None:
    limit = Limit(more_at_most=0)
    assert only("unfinished", limit, [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]).held is Held.PROVED
    assert only("unfinished", limit, [3.0, 0.0, 0.0], [0.0, 0.0, 1.0]).held is Held.BROKEN


def test_a_longest_wait_is_broken_by_the_longest() -> None:
    limit = Limit(at_most=180)
    assert only("max_wait_s", limit, [150.0] * 3, [100.0, 110.0, 181.0]).held is Held.BROKEN
    assert only("max_wait_s", limit, [150.0] * 3, [100.0, 110.0, 105.0]).held is Held.PROVED
    assert only("max_wait_s", limit, [150.0] * 3, [20.0, 179.0, 150.0]).held is Held.NOT_SHOWN


def test_little_may_double() -> None:
    before, after = [0.2, 0.3, 0.25], [0.6, 0.7, 0.5]
    assert only(JUNCTION_QUEUE, Limit(more_percent_at_most=20), before, after).held is Held.BROKEN
    assert only(JUNCTION_QUEUE, Limit(more_percent_at_most=20, let_pass=1), before, after).held is Held.PROVED
    grown = only(JUNCTION_QUEUE, Limit(more_percent_at_most=20, let_pass=1), [10.0, 11.0, 10.5], [12.6, 13.9, 13.0])
    assert grown.held is Held.BROKEN


def test_of_who_is_not_there_nothing_is_proved() -> None:
    found = judge("bus_delay_s", Limit(more_percent_at_most=0, at_most=60), [], [])
    assert [each.held for each in found] == [Held.NOBODY, Held.NOBODY]
    assert not holds(found)
    assert holds([])


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200)), min_size=2, max_size=8),
    st.floats(-100, 100),
)
def test_proved_is_what_the_unfavourable_end_keeps(pairs: list[tuple[float, float]], more: float) -> None:
    before, after = ([each[at] for each in pairs] for at in (0, 1))
    found = only("mean_delay_s", Limit(more_at_most=more), before, after)
    ends = interval([new - old - more for old, new in pairs])
    assert ends is not None
    # Which side of a limit a difference lies on that is none but for how numbers are rounded, nobody needs to know.
    assume(all(abs(end) > 1e-9 for end in ends))
    assert (found.held is Held.PROVED) == (ends[1] <= 0)
    assert (found.held is Held.BROKEN) == (ends[0] > 0)

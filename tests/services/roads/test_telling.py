"""What of a report's way is told: each step once, and not each move."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.lives import REPORT
from vigie.services.roads.telling import OPENED, RECEIVED, STEPS, folded, step_of


def told(*events: str) -> list[str]:
    """The steps that a report's way tells."""
    before, state, steps = "", "", [step_of(OPENED, "", "")]
    state = REPORT.first
    for event in events:
        steps.append(step_of(event, before, state))
        before, state = event, REPORT.move(state, event)
    return [step for step in steps if step]


def test_a_report_is_told_from_its_coming_to_its_end() -> None:
    assert told("accept", "order", "begin", "close") == [RECEIVED, "accepted", "begun", "closed"]
    assert told("order", "begin", "close", "reopen") == [RECEIVED, "accepted", "begun", "closed", "reopened"]
    assert told("reject") == [RECEIVED, "rejected"]


def test_a_pause_and_what_goes_on_after_it_are_no_news() -> None:
    assert told("accept", "begin", "pause", "begin", "pause", "order", "begin", "close") == [
        RECEIVED, "accepted", "begun", "begun", "closed",
    ]  # fmt: skip


def test_what_joins_another_and_is_parted_from_it_is_told_so() -> None:
    assert told("merge", "close", "merge", "close") == [RECEIVED, "joined", "closed", "resumed", "closed"]
    assert told("merge", "split") == [RECEIVED, "joined", "parted"]
    assert told("accept", "release") == [RECEIVED, "accepted", "again"]


def test_what_is_archived_is_told_nothing() -> None:
    assert told("reject", "archive") == [RECEIVED, "rejected"]


@given(st.data())
def test_each_end_of_any_way_is_told(data: st.DataObject) -> None:
    state, before = REPORT.first, ""
    for _ in range(data.draw(st.integers(0, 12))):
        events = sorted(event for (origin, event) in REPORT.moves if origin == state)
        if not events:
            break
        event = data.draw(st.sampled_from(events))
        step = step_of(event, before, state)
        assert step in ("", *STEPS)
        before, state = event, REPORT.move(state, event)
        if state in ("closed", "rejected"):
            assert step == state


@given(st.lists(st.sampled_from(STEPS)))
def test_folding_leaves_out_only_what_was_just_told(steps: list[str]) -> None:
    kept = [steps[place] for place in folded(steps)]
    assert all(one != other for one, other in pairwise(kept))
    assert set(kept) == set(steps)
    assert kept[-1:] == steps[-1:]

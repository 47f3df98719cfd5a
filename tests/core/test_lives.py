"""The laws of lives, for every life there is."""

from __future__ import annotations

import pytest

from vigie.core.lives import ALARM, LIVES, TARGET, Life, MoveRefused

EVERY_LIFE = pytest.mark.parametrize("life", LIVES.values(), ids=lambda life: life.name)

LATE = {("target", "unproved", "prove")} | {
    ("target", state, event) for state in ("done", "done_late") for event in ("return", "release")
}
"""The moves that leave a last state: a proof may come after the post gave up, and what was set may be over."""


def reached(life: Life, start: str) -> set[str]:
    """All states that can follow, with the start itself."""
    found, edge = {start}, {start}
    while edge:
        edge = {target for (origin, _), target in life.moves.items() if origin in edge} - found
        found |= edge
    return found


@EVERY_LIFE
def test_every_state_can_be_reached_from_the_first(life: Life) -> None:
    assert reached(life, life.first) == set(life.states)


@EVERY_LIFE
def test_every_state_can_come_to_an_end(life: Life) -> None:
    assert life.last
    assert life.last <= set(life.states)
    assert [state for state in life.states if not reached(life, state) & life.last] == []


@EVERY_LIFE
def test_nothing_leaves_a_last_state_but_late_proof(life: Life) -> None:
    leaving = {(life.name, state, event) for state, event in life.moves if state in life.last}
    assert leaving <= LATE
    assert {life.moves[state, event] for _, state, event in leaving} <= life.last


def test_each_late_move_exists() -> None:
    assert all(LIVES[name].allows(state, event) for name, state, event in LATE)


@EVERY_LIFE
def test_an_event_that_is_not_listed_is_refused(life: Life) -> None:
    events = {event for _, event in life.moves} | {"unheard_of"}
    for state in (*life.states, "nowhere"):
        for event in events:
            if life.allows(state, event):
                assert life.move(state, event) in life.states
                continue
            with pytest.raises(MoveRefused) as refused:
                life.move(state, event)
            assert (refused.value.life, refused.value.state, refused.value.event) == (life.name, state, event)


@EVERY_LIFE
def test_states_are_told_apart_by_their_place(life: Life) -> None:
    assert life.states[0] == life.first
    assert len(set(life.states)) == len(life.states)


def test_each_life_goes_by_its_own_name() -> None:
    assert {name: life.name for name, life in LIVES.items()} == {name: name for name in LIVES}


def test_what_was_not_proved_in_time_never_looks_as_if_it_had_been() -> None:
    assert "done" not in reached(TARGET, "unproved")


def test_what_was_not_carried_out_never_looks_as_if_it_had_ended() -> None:
    for state in ("expired", "refused", "cancelled", "failed", "superseded", "already"):
        assert reached(TARGET, state) == {state}


def test_an_alarm_nobody_saw_does_not_vanish_when_it_clears() -> None:
    assert ALARM.move("unacknowledged", "clear") not in ALARM.last

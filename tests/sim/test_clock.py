"""A clock that is moved, and dice that fall the same way each time."""

from __future__ import annotations

import pytest

from vigie.sim.clock import SeededDice, VirtualClock


def test_a_clock_stands_until_it_is_moved_and_never_goes_back() -> None:
    clock = VirtualClock(1_000)
    assert clock.now_us() == clock.now_us() == 1_000
    clock.move_to(1_000)
    clock.move_to(2_500)
    assert clock.now_us() == 2_500
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(2_499)
    assert clock.now_us() == 2_500


def test_dice_of_one_seed_fall_alike_and_of_another_do_not() -> None:
    first, again, other = SeededDice(3), SeededDice(3), SeededDice(4)
    thrown = [first.bytes(length) for length in (1, 10, 32)]
    assert [len(each) for each in thrown] == [1, 10, 32]
    assert [again.bytes(length) for length in (1, 10, 32)] == thrown
    assert [other.bytes(length) for length in (1, 10, 32)] != thrown

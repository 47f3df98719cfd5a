"""What devices' clocks show, and what that makes of a proof."""

from __future__ import annotations

from tests.orders import Bench
from vigie.core.times import SECOND_US
from vigie.engine.clocks import WINDOW_US


def test_a_value_observed_before_the_send_proves_nothing_on_whatever_clock(bench: Bench) -> None:
    bench.report([5], 1.0)  # The gateway's clock is right, and known to be.
    command = bench.dim(60, lamps=[5])
    bench.later(1)
    bench.pick_up()
    bench.later(5)
    bench.report([5], 60.0, observed_us=bench.clock.at_us - 6 * SECOND_US)
    assert command.counts == {"sent": 1}
    bench.later(5)
    bench.report([5], 60.0)
    assert command.counts == {"done": 1}


def test_a_device_whose_clock_is_ahead_proves_with_its_own_time(bench: Bench) -> None:
    ahead = 90 * SECOND_US
    bench.report([5], 1.0, observed_us=bench.clock.at_us + ahead)
    command = bench.dim(60, lamps=[5])
    bench.later(1)
    bench.pick_up()
    bench.later(5)
    # By the post's clock this was observed after the send; by the device's, long before.
    bench.report([5], 60.0, observed_us=bench.clock.at_us + ahead - 20 * SECOND_US)
    assert command.counts == {"sent": 1}
    bench.later(5)
    bench.report([5], 60.0, observed_us=bench.clock.at_us + ahead)
    assert command.counts == {"done": 1}


def test_a_buffer_that_is_emptied_after_a_silence_proves_nothing(bench: Bench) -> None:
    command = bench.dim(60, lamps=[5])
    bench.pick_up()
    bench.later(5)
    # The first that is ever heard of this gateway is an hour old: it says nothing of what its clock shows.
    bench.report([5], 60.0, observed_us=bench.clock.at_us - 3_600 * SECOND_US)
    bench.report([5], 60.0, observed_us=bench.clock.at_us - 3_590 * SECOND_US)
    assert command.counts == {"sent": 1}
    bench.later(5)
    bench.report([5], 60.0)
    assert command.counts == {"done": 1}


def test_a_device_whose_clock_is_behind_proves_with_its_own_time_once_it_was_heard_for_long(bench: Bench) -> None:
    behind = 3_600 * SECOND_US
    for _ in range(WINDOW_US // (60 * SECOND_US) + 1):
        bench.report([5], 1.0, observed_us=bench.clock.at_us - behind)
        bench.later(60)
    command = bench.dim(60, lamps=[5])
    bench.later(1)
    bench.pick_up()
    bench.later(5)
    bench.report([5], 60.0, observed_us=bench.clock.at_us - behind - 20 * SECOND_US)
    assert command.counts == {"sent": 1}
    bench.later(5)
    bench.report([5], 60.0, observed_us=bench.clock.at_us - behind)
    assert command.counts == {"done": 1}


def test_a_buffer_that_is_emptied_over_many_minutes_proves_nothing(bench: Bench) -> None:
    for minute in range(WINDOW_US // (60 * SECOND_US) + 2):
        bench.report([5], 60.0 - minute, observed_us=bench.clock.at_us - (7_200 - 600 * minute) * SECOND_US)
        bench.later(60)
    command = bench.dim(60, lamps=[5])
    bench.pick_up()
    bench.later(1)
    bench.report([5], 60.0, observed_us=bench.clock.at_us - 50 * SECOND_US)
    assert command.counts == {"sent": 1}

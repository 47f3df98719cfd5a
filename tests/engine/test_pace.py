"""Pace: never too many at once, none lost, and the expiry beats it."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.city import LAMPS, NOW_US
from tests.orders import GATEWAY, Bench
from vigie.core.kinds import Pace
from vigie.core.times import SECOND_US
from vigie.engine.pace import GATEWAY_AT_ONCE, GATEWAY_EVERY_US, Gate, lasts_s
from vigie.services.lighting.kinds import Luminaire

PACE = Luminaire.dim.pace or Pace(at_once=0, every_s=0.0, point="")
EVERY_US = int(PACE.every_s * SECOND_US)
SPAN = settings(max_examples=60, deadline=None)


def most_in(at_us: list[int], span_us: int) -> int:
    """How many of some instants lie in the fullest half-open span of this length."""
    at = np.sort(np.array(at_us))
    return int((np.searchsorted(at, at + span_us, "left") - np.arange(len(at))).max(initial=0))


@SPAN
@given(
    st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=60),
    st.lists(st.integers(0, 2_000_000), min_size=1, max_size=80),
    st.integers(1, 9),
    st.sampled_from([0.5, 1.5, 2.0]),
)
def test_a_feeder_never_has_more_than_its_share_in_any_span_and_none_is_lost(
    lamps: list[tuple[int, bool]], steps_us: list[int], at_once: int, every_s: float
) -> None:
    pace, gate = Pace(at_once=at_once, every_s=every_s, point="level"), Gate()
    feeder, dark = np.array([each[0] for each in lamps]), np.array([each[1] for each in lamps])
    left = np.arange(len(lamps))
    gone: dict[int, list[int]] = defaultdict(list)
    all_gone: list[int] = []
    now_us = NOW_US
    for step_us in [*steps_us, *[int(every_s * SECOND_US)] * len(lamps)]:
        now_us += step_us
        leave = gate.leave(pace, feeder[left], dark[left], GATEWAY, now_us)
        for row in left[leave.which].tolist():
            all_gone.append(now_us)
            if dark[row]:
                gone[int(feeder[row])].append(now_us)
        left = np.delete(left, leave.which)
        assert bool(len(left)) == (leave.again_us > now_us), "what is kept back says when to look again"
    assert not len(left)
    assert all(most_in(each, int(every_s * SECOND_US)) <= at_once for each in gone.values())
    assert most_in(all_gone, GATEWAY_EVERY_US) <= GATEWAY_AT_ONCE


@SPAN
@given(st.lists(st.integers(1, 4), min_size=1, max_size=300), st.integers(1, 2))
def test_the_least_time_that_is_said_is_the_time_that_it_takes(cabinets: list[int], gateways: int) -> None:
    gate, feeder = Gate(), np.array(cabinets)
    reporter = 1 + feeder % gateways
    dark = np.ones(len(feeder), np.bool_)
    left = np.ones(len(feeder), np.bool_)
    now_us = last_us = NOW_US
    again = dict.fromkeys(range(1, gateways + 1), NOW_US)
    while again:
        now_us = min(again.values())
        each = min(again, key=lambda one: (again[one], one))
        rows = np.flatnonzero(left & (reporter == each))
        leave = gate.leave(PACE, feeder[rows], dark[rows], each, now_us)
        left[rows[leave.which]] = False
        last_us = now_us if len(leave.which) else last_us
        if leave.again_us:
            again[each] = leave.again_us
        else:
            del again[each]
    said_s = lasts_s(PACE, feeder, dark, reporter)
    # Both limits together may take one window longer than the longer of the two.
    assert said_s <= (last_us - NOW_US) / SECOND_US <= said_s + PACE.every_s


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    gate, feeder, dark = Gate(), np.full(PACE.at_once, 7), np.ones(PACE.at_once, np.bool_)
    assert len(gate.leave(PACE, feeder, dark, GATEWAY, NOW_US).which) == PACE.at_once
    assert len(gate.leave(PACE, feeder, dark, GATEWAY, NOW_US - 3_600 * SECOND_US).which) == PACE.at_once


def test_lamps_of_one_cabinet_that_are_dark_are_lit_a_few_at_a_time(bench: Bench) -> None:
    bench.report(range(LAMPS), 0.0)
    bench.later(1)
    command = bench.dim(60)
    assert bench.engine.commands.lasts_s(command.order, command.rows_in("waiting")) == PACE.every_s * 2
    handed: list[int] = []
    for _ in range(3):
        handed.append(len(bench.pick_up()))
        assert bench.pick_up() == []
        bench.later(PACE.every_s)
    assert handed == [PACE.at_once, PACE.at_once, LAMPS - 2 * PACE.at_once]
    assert command.counts == {"sent": LAMPS}


def test_what_is_kept_back_waits_and_a_cancel_takes_it_back(bench: Bench) -> None:
    bench.report(range(LAMPS), 0.0)
    command = bench.dim(60)
    bench.pick_up()
    assert command.counts == {"sent": PACE.at_once, "waiting": LAMPS - PACE.at_once}
    bench.acts.cancel(command, "u-operator")
    assert command.counts == {"sent": PACE.at_once, "cancelled": LAMPS - PACE.at_once}


def test_lamps_that_burn_or_are_put_out_are_not_kept_back(bench: Bench) -> None:
    assert bench.dim(60).counts == {"waiting": LAMPS}
    assert len(bench.pick_up()) == LAMPS
    bench.later(1)
    bench.report(range(LAMPS), 0.0)
    bench.dim(0)
    assert len(bench.pick_up()) == LAMPS


def test_the_window_of_before_a_restart_counts(bench: Bench) -> None:
    bench.report(range(LAMPS), 0.0)
    bench.dim(60)
    assert len(bench.pick_up()) == PACE.at_once
    bench.later(PACE.every_s / 2)
    bench.restart()
    assert bench.pick_up() == []
    bench.later(PACE.every_s / 2)
    assert len(bench.pick_up()) == PACE.at_once


def test_another_order_is_not_kept_waiting_for_the_first_ones_pace(bench: Bench) -> None:
    bench.report(range(LAMPS), 0.0)
    bench.dim(60)
    bench.pick_up()
    bench.give("cabinet.set_full_light", {"on": True}, ["cabinet-cabinet"])
    assert bench.pick_up() == ["cabinet-cabinet"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.one_of(st.floats(0.05, 2.0), st.just(31.0)), min_size=3, max_size=25),
    st.sets(st.integers(0, LAMPS - 1), min_size=9),
    st.floats(0.5, 8.0),
)
def test_over_real_orders_the_law_holds_none_is_lost_and_the_expiry_beats_the_pace(
    waits_s: list[float], lamps: set[int], expires_s: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            bench.report(range(LAMPS), 0.0)
            command = bench.dim(60, lamps=sorted(lamps))
            command.order = replace(command.order, action=replace(command.order.action, expires_s=expires_s))
            command.expires_us = command.proposed_us + int(expires_s * SECOND_US)
            handed: list[int] = []
            for wait_s in waits_s:
                now_us = bench.clock.at_us
                taken = bench.pick_up()
                assert not taken or now_us < command.expires_us
                handed += [now_us] * len(taken)
                bench.later(wait_s)
                bench.tick()
            assert most_in(handed, EVERY_US) <= PACE.at_once
            assert sum(command.counts.values()) == len(lamps)
            if bench.clock.at_us >= command.expires_us:
                assert "waiting" not in command.counts
        finally:
            bench.close()

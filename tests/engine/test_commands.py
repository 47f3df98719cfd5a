"""Orders: what is sent, what never is, what counts as proof, and that disk and memory agree at each step."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.city import LAMPS, NOW_US, batch
from tests.orders import CREW, GATEWAY, OPERATOR, SECOND, Bench
from vigie.core.drafts import Draft
from vigie.core.lives import TARGET, MoveRefused
from vigie.core.times import SECOND_US
from vigie.engine import commands
from vigie.engine.command import CODES
from vigie.engine.commands import EARLY_US, LATE_US, RESEND_US, SHOWN_US, CommandRefused
from vigie.engine.consignations import ConsignationRefused
from vigie.engine.hand import HandRefused
from vigie.engine.orders import OrderWrong
from vigie.engine.selection import Selection
from vigie.engine.standing import CONSIGNED


def test_an_order_is_sent_accepted_proved_and_closed_and_the_journal_says_each_step(bench: Bench) -> None:
    command = bench.dim(60)
    assert (command.state, command.counts) == ("running", {"waiting": LAMPS})
    bench.later(1)
    assert len(bench.pick_up()) == LAMPS
    bench.later(1)
    first = int(command.order.assets[0])
    assert bench.engine.commands.receipt(command, first, GATEWAY, "accepted", "", bench.clock.at_us)
    bench.report(range(LAMPS), 60.4)
    assert (command.state, command.counts) == ("closed", {"done": LAMPS})
    facts = [type(line.fact).__name__ for line in bench.facts.journal.lines(limit=4)]
    assert facts == ["CommandMoved", "TargetsMoved", "TargetsMoved", "CommandMoved"]
    assert bench.stored(command) == {"done": LAMPS}


def test_nothing_is_handed_out_before_its_facts_are_on_disk(bench: Bench) -> None:
    order = bench.acts.understood(
        "luminaire.dim", {"level": 10}, Selection(area="dijon-metropole/quetigny"),
        np.ones(bench.engine.registry.count, np.bool_),
    )  # fmt: skip
    bench.acts.order(order, actor=OPERATOR)
    assert bench.engine.commands.offers(GATEWAY, bench.clock.at_us) == []
    bench.engine.settle()
    assert len(bench.pick_up()) == LAMPS // 2


def test_what_was_not_sent_before_its_expiry_is_never_sent(bench: Bench) -> None:
    command = bench.dim(60)
    bench.later(command.order.action.expires_s)
    assert bench.pick_up() == []
    bench.tick()
    assert (command.state, command.counts) == ("closed", {"expired": LAMPS})
    bench.restart()
    assert bench.pick_up() == []


def test_without_proof_a_target_is_unproved_and_a_late_proof_is_visibly_late(bench: Bench) -> None:
    command = bench.dim(60, lamps=[1, 2])
    bench.pick_up()
    bench.later(command.order.action.proof_s)
    bench.tick()
    assert (command.state, command.counts) == ("closed", {"unproved": 2})
    bench.restart()
    bench.later(60)
    bench.report([1], 60.0)
    assert bench.stored(command) == {"unproved": 1, "done_late": 1}
    bench.later(LATE_US / SECOND_US)
    bench.tick()
    bench.report([2], 60.0)
    assert bench.stored(command) == {"unproved": 1, "done_late": 1}


def test_what_is_so_already_is_not_sent_unless_its_value_is_old_or_an_order_is_on_its_way(bench: Bench) -> None:
    bench.report([1, 2, 3], 60.0)
    bench.later(1)
    other = bench.dim(20, lamps=[3])
    bench.pick_up()
    bench.later(1)
    command = bench.dim(60, lamps=[1, 2, 3, 4])
    assert command.counts == {"already": 2, "waiting": 2}
    assert other.counts == {"superseded": 1}
    bench.later(3_600)
    assert bench.dim(60, lamps=[1]).counts == {"waiting": 1}


def test_a_newer_order_takes_the_place_of_the_older_which_is_never_sent_again(bench: Bench) -> None:
    older = bench.dim(20, lamps=[1, 2])
    bench.pick_up()
    newer = bench.dim(80, lamps=[1])
    assert older.counts == {"sent": 1, "superseded": 1}
    bench.later(RESEND_US / SECOND_US + 1)
    assert bench.pick_up() == ["luminaire-000002", "luminaire-000001"]
    bench.report([1], 80.0)
    assert newer.counts == {"done": 1}


def test_an_order_that_is_refused_leaves_the_older_one_as_it_was(bench: Bench) -> None:
    older = bench.dim(100, lamps=[1])
    number = bench.engine.next_ingest
    rows = batch(bench.engine, [("luminaire-000001", "fault", "supply", NOW_US)])
    bench.engine.record(number, NOW_US, rows)
    bench.engine.react(number, NOW_US, rows)
    newer = bench.dim(20, lamps=[1])
    assert (newer.state, newer.counts) == ("refused", {"refused": 1})
    assert older.counts == {"waiting": 1}


def test_an_order_is_handed_over_again_until_the_device_says_that_it_took_it(bench: Bench) -> None:
    command = bench.dim(60, lamps=[1, 2])
    assert len(bench.pick_up()) == 2
    assert bench.pick_up() == []
    bench.engine.commands.receipt(command, int(command.order.assets[0]), GATEWAY, "accepted", "", bench.clock.at_us)
    bench.later(RESEND_US / SECOND_US)
    assert bench.pick_up() == ["luminaire-000002"]
    assert bench.acts.resend(command, OPERATOR) == 1
    assert bench.pick_up() == ["luminaire-000002"]
    sent = command.sent_us.copy()
    bench.later(1)
    assert (command.sent_us == sent).all(), "the first send is what a proof must come after"


def test_what_is_once_is_handed_over_once(bench: Bench) -> None:
    command = bench.dim(60, lamps=[1])
    command.order = replace(command.order, action=replace(command.order.action, once=True))
    assert bench.pick_up() == ["luminaire-000001"]
    bench.later(RESEND_US / SECOND_US + 1)
    assert bench.pick_up() == []
    with pytest.raises(CommandRefused, match=r"engine\.once"):
        bench.acts.resend(command, OPERATOR)


def test_a_lock_out_refuses_what_it_holds_and_all_that_it_feeds_even_after_the_order_was_given(bench: Bench) -> None:
    command = bench.dim(60)
    cabinet = bench.engine.registry.numbers["cabinet-cabinet"]
    lock = bench.acts.consign(cabinet, actor=CREW, crew="Équipe de nuit", reason="câble")
    bench.engine.settle()
    assert bench.pick_up() == []
    assert command.counts == {"refused": LAMPS}
    assert command.state == "closed"
    refusal = command.refusals[0]
    assert (refusal.rule, refusal.detail) == (
        "engine.consigned",
        {"consignation": lock.id, "asset": "cabinet-cabinet"},
    )
    bench.restart()
    again = bench.dim(60)
    assert (again.state, again.counts) == ("refused", {"refused": LAMPS})
    with pytest.raises(ConsignationRefused, match="others"):
        bench.acts.move_consignation(lock.id, "lift", OPERATOR)
    bench.acts.move_consignation(lock.id, "lift", CREW)
    bench.engine.settle()
    assert bench.dim(60).counts == {"waiting": LAMPS}


def test_no_stroke_of_the_pen_gets_around_a_lock_out(bench: Bench) -> None:
    numbers, acts = bench.engine.registry.numbers, bench.acts
    cabinet, lamp = numbers["cabinet-cabinet"], numbers["luminaire-000001"]
    acts.change_asset(lamp, {"parent": 0}, actor=OPERATOR, reason="")
    assert bench.dim(60, lamps=[1]).counts == {"waiting": 1}
    lock = acts.consign(cabinet, actor=CREW, crew="A", reason="")
    for asset, parent in ((lamp, cabinet), (numbers["luminaire-000002"], 0)):
        with pytest.raises(HandRefused, match="lock-out"):
            acts.change_asset(asset, {"parent": parent}, actor=OPERATOR, reason="")
    acts.change_asset(numbers["luminaire-000002"], {"name": "L2", "parent": cabinet}, actor=OPERATOR, reason="")
    made = Draft(key="new", kind="luminaire", lon=5.05, lat=47.31, area="dijon-metropole/quetigny")
    new = acts.make_asset(made, cabinet, actor=OPERATOR, reason="")
    assert bench.engine.consignations.held[new]
    assert bench.engine.standing.flags[new] & CONSIGNED
    acts.move_consignation(lock.id, "lift", CREW)
    acts.change_asset(lamp, {"parent": cabinet}, actor=OPERATOR, reason="")
    acts.consign(cabinet, actor=CREW, crew="A", reason="")
    assert bench.dim(70, lamps=[1]).counts == {"refused": 1}


def test_two_persons_override_a_lock_out_and_one_cannot(bench: Bench) -> None:
    lock = bench.acts.consign(bench.engine.registry.numbers["cabinet-cabinet"], actor=CREW, crew="A", reason="")
    with pytest.raises(MoveRefused):
        bench.acts.move_consignation(lock.id, "override", SECOND)
    bench.acts.move_consignation(lock.id, "ask_override", OPERATOR)
    with pytest.raises(ConsignationRefused, match="second_person"):
        bench.acts.move_consignation(lock.id, "override", OPERATOR)
    assert bench.dim(10).counts == {"refused": LAMPS}
    bench.acts.move_consignation(lock.id, "override", SECOND)
    assert bench.dim(10).counts == {"waiting": LAMPS}
    bench.restart()
    assert list(bench.engine.consignations) == []


def test_a_hazardous_order_waits_for_its_confirmation_and_expires_without(bench: Bench) -> None:
    everything = np.ones(bench.engine.registry.count, np.bool_)
    order = bench.acts.understood("cabinet.set_full_light", {"on": True}, Selection(area="dijon-metropole"), everything)
    command = bench.acts.order(order, actor=OPERATOR, reason="a test")
    bench.engine.settle()
    assert (command.state, bench.pick_up()) == ("proposed", [])
    bench.acts.confirm(command, OPERATOR)
    bench.engine.settle()
    assert bench.pick_up() == ["cabinet-cabinet"]
    with pytest.raises(MoveRefused):
        bench.acts.confirm(command, OPERATOR)
    other = bench.acts.order(order, actor=OPERATOR, reason="a test")
    bench.later(order.action.expires_s)
    bench.tick()
    assert (other.state, other.counts) == ("expired", {"expired": 1})


def test_a_two_person_order_takes_another_person(bench: Bench) -> None:
    kept = bench.dim(60, lamps=[1])
    from vigie.core.kinds import Hazard

    kept.order = replace(kept.order, action=replace(kept.order.action, hazard=Hazard.TWO_PERSON))
    kept.state = "proposed"
    with pytest.raises(CommandRefused, match="second_person"):
        bench.acts.confirm(kept, OPERATOR)
    bench.acts.confirm(kept, SECOND)
    assert kept.state == "running"


def test_a_two_person_order_of_which_nothing_could_be_carried_out_is_refused_with_the_reasons(bench: Bench) -> None:
    from vigie.core.kinds import Hazard

    bench.acts.consign(bench.engine.registry.numbers["cabinet-cabinet"], actor=CREW, crew="A", reason="")
    everything = np.ones(bench.engine.registry.count, np.bool_)
    order = bench.acts.understood("cabinet.set_full_light", {"on": True}, Selection(area="dijon-metropole"), everything)
    order = replace(order, action=replace(order.action, hazard=Hazard.TWO_PERSON))
    command = bench.acts.order(order, actor=OPERATOR, reason="a test")
    bench.engine.settle()
    assert (command.state, command.counts, command.refusals[0].rule) == ("refused", {"refused": 1}, "engine.consigned")
    assert bench.stored(command) == {"refused": 1}


def test_so_many_targets_may_be_under_way_and_what_is_over_makes_room_for_the_newest(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "TARGETS_OPEN_MAX", 5)
    monkeypatch.setattr(commands, "TARGETS_OVER_MAX", 3)
    first = bench.dim(60, lamps=[1, 2])
    second = bench.dim(60, lamps=[3, 4])
    with pytest.raises(CommandRefused, match="too_many_targets"):
        bench.dim(60, lamps=[5, 6])
    bench.pick_up()
    bench.later(first.order.action.proof_s)
    bench.tick()
    assert bench.engine.commands.find(first.id) is not None, "what has just ended is shown"
    bench.later(SHOWN_US / SECOND_US + 1)
    bench.report([1, 3], 60.0)
    bench.tick()
    assert {each.id for each in bench.engine.commands} == {second.id}
    assert bench.stored(second) == {"unproved": 1, "done_late": 1}


def test_a_cancel_takes_back_what_was_not_sent_and_nothing_else(bench: Bench) -> None:
    command = bench.dim(60)
    bench.engine.registry.reporter[command.order.assets[:3]] = 9
    bench.pick_up()
    bench.acts.cancel(command, OPERATOR)
    assert command.counts == {"sent": LAMPS - 3, "cancelled": 3}
    bench.report(range(LAMPS), 60.0)
    assert command.counts == {"done": LAMPS - 3, "cancelled": 3}
    with pytest.raises(MoveRefused):
        bench.acts.cancel(command, OPERATOR)


def test_the_same_key_gives_the_same_order_and_another_order_under_it_is_refused(bench: Bench) -> None:
    command = bench.dim(60, key="k")
    assert bench.dim(60, key="k") is command
    assert bench.dim(60, key="k", actor=SECOND) is not command
    with pytest.raises(CommandRefused, match="key_reused"):
        bench.dim(70, key="k")


@pytest.mark.parametrize(
    ("action", "params", "rule_broken"),
    [
        ("luminaire.explode", {}, "engine.no_action"),
        ("nothing", {}, "engine.no_action"),
        ("luminaire.dim", {}, "engine.param_missing"),
        ("luminaire.dim", {"level": 101}, "engine.param_wrong"),
        ("luminaire.dim", {"level": float("nan")}, "engine.param_wrong"),
        ("luminaire.dim", {"level": True}, "engine.param_wrong"),
        ("luminaire.dim", {"level": 5, "colour": 1}, "engine.no_param"),
        ("cabinet.set_full_light", {"on": 1}, "engine.param_wrong"),
        ("bollard.move", {"to": "up"}, "engine.nobody"),
    ],
)
def test_what_is_no_order_is_refused_with_its_rule(
    bench: Bench, action: str, params: dict[str, Any], rule_broken: str
) -> None:
    everything = np.ones(bench.engine.registry.count, np.bool_)
    with pytest.raises(OrderWrong) as refused:
        bench.acts.understood(action, params, Selection(area="dijon-metropole"), everything)
    assert refused.value.rule == rule_broken


def test_an_order_reaches_only_what_its_giver_may_order(bench: Bench) -> None:
    registry = bench.engine.registry
    allowed = registry.area[: registry.count] == registry.area_codes["dijon-metropole/quetigny"]
    order = bench.acts.understood("luminaire.dim", {"level": 1}, Selection(street="Rue Verte"), allowed)
    assert {registry.areas[int(registry.area[no])] for no in order.assets} == {"dijon-metropole/quetigny"}
    assert len(order.assets) == LAMPS // 2


def test_a_retired_lamp_and_one_that_nobody_speaks_for_are_refused_with_the_reason(bench: Bench) -> None:
    numbers = bench.engine.registry.numbers
    command = bench.dim(60, lamps=[1, 2, 3])
    bench.acts.retire_asset(numbers["luminaire-000001"], actor=OPERATOR, reason="")
    assert sorted(bench.pick_up()) == ["luminaire-000002", "luminaire-000003"]
    assert command.refusals[0].rule == "engine.gone"
    bench.engine.registry.reporter[numbers["luminaire-000002"]] = 0
    again = bench.dim(61, lamps=[2])
    assert again.refusals[0].rule == "engine.no_device"


def test_an_asset_is_moved_replaced_and_retired_within_one_instant(bench: Bench) -> None:
    no = bench.engine.registry.numbers["luminaire-000001"]
    for place in ((5.05, 47.31), (5.06, 47.32), (5.05, 47.31)):
        bench.acts.change_asset(no, {"lon": place[0], "lat": place[1]}, actor=OPERATOR, reason="")
    for serial in ("A", "B"):
        bench.acts.replace_device(no, serial, "", actor=OPERATOR, reason="")
    bench.acts.retire_asset(no, actor=OPERATOR, reason="")
    bench.engine.settle()
    assert bench.engine.set_aside == []
    assert bench.engine.owed == 0


def test_what_is_wrong_with_a_lamp_is_over_when_it_is_decommissioned(bench: Bench) -> None:
    number = bench.engine.next_ingest
    rows = batch(
        bench.engine, [("luminaire-000001", "fault", "lamp", NOW_US), ("cabinet-cabinet", "door", "open", NOW_US)]
    )
    bench.engine.record(number, NOW_US, rows)
    bench.engine.react(number, NOW_US, rows)
    bench.engine.settle()
    numbers = bench.engine.registry.numbers
    for asset in ("luminaire-000001", "cabinet-cabinet"):
        assert bench.engine.conditions.of(numbers[asset])
        bench.acts.retire_asset(numbers[asset], actor=OPERATOR, reason="")
        assert bench.engine.conditions.of(numbers[asset]) == []
    bench.engine.settle()
    assert bench.facts.open_conditions() == []


class Lives(RuleBasedStateMachine):
    """Orders, devices, crews, time and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name))
        self.handed: dict[tuple[str, str], int] = {}

    def teardown(self) -> None:
        self.bench.close()
        self.folder.cleanup()

    lamps = st.sets(st.integers(0, 5), min_size=1)

    @rule(lamps=lamps, level=st.sampled_from([20.0, 60.0]), lasts_s=st.sampled_from([None, 15, 400, 5_000]))
    def order(self, lamps: set[int], level: float, lasts_s: int | None) -> None:
        until_us = None if lasts_s is None else self.bench.clock.at_us + lasts_s * SECOND_US
        self.bench.dim(level, lamps=sorted(lamps), until_us=until_us)

    @rule(lamps=lamps)
    def release(self, lamps: set[int]) -> None:
        self.bench.give("luminaire.release", {}, [f"luminaire-{n:06d}" for n in sorted(lamps)])

    @rule()
    def pick_up(self) -> None:
        now = self.bench.clock.at_us
        held = self.bench.engine.consignations.held
        for offer in self.bench.engine.commands.offers(GATEWAY, now):
            command = offer.command
            assert now < command.expires_us
            assert command.release_after <= self.bench.engine.commands.settled
            assert not held[command.order.assets[offer.rows]].any()
            assert (command.state_of[offer.rows] == CODES["sent"]).all()
        self.bench.acts.note_orders()
        self.bench.engine.settle()

    @rule(
        lamps=lamps,
        level=st.sampled_from([20.0, 60.0]),
        control=st.sampled_from(["", "programme", "order"]),
        back_s=st.sampled_from([0, 1, 40]),
    )
    def report(self, lamps: set[int], level: float, control: str, back_s: int) -> None:
        self.bench.later(0.001)
        observed_us = self.bench.clock.at_us - back_s * SECOND_US
        self.bench.report(sorted(lamps), level, control=control, observed_us=observed_us)

    @rule(seconds=st.sampled_from([1, 20, 130, 310, 2_000]))
    def wait(self, seconds: int) -> None:
        self.bench.later(seconds)
        self.bench.tick()

    @rule()
    def lock(self) -> None:
        cabinet = self.bench.engine.registry.numbers["cabinet-cabinet"]
        holder = self.bench.engine.consignations.holder(cabinet)
        if holder is None:
            self.bench.acts.consign(cabinet, actor=CREW, crew="A", reason="")
        else:
            self.bench.acts.move_consignation(holder.id, "lift", CREW)
        self.bench.engine.settle()

    @precondition(lambda self: list(self.bench.engine.commands))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        command = data.draw(st.sampled_from(list(self.bench.engine.commands)))
        if command.state == "running":
            self.bench.acts.cancel(command, OPERATOR)
            self.bench.engine.settle()

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    @invariant()
    def memory_and_disk_agree(self) -> None:
        for command in self.bench.engine.commands:
            assert self.bench.stored(command) == command.counts
            past = self.bench.facts.orders.find(command.id)
            assert past is not None
            assert past.state == command.state

    @invariant()
    def what_is_pending_is_counted(self) -> None:
        commands = self.bench.engine.commands
        pending = np.zeros(self.bench.engine.registry.count, np.int64)
        for command in commands:
            is_open = [TARGET.states[code] not in TARGET.last for code in command.state_of]
            pending[command.order.assets[is_open]] += 1
        assert (commands.pending[: len(pending)] == pending).all()

    @invariant()
    def a_lamp_has_at_most_one_order_under_way(self) -> None:
        assert self.bench.engine.commands.pending.max(initial=0) <= 1

    @invariant()
    def what_has_returned_had_an_end_and_says_programme(self) -> None:
        for command in self.bench.engine.commands:
            returned = command.rows_in("returned")
            if len(returned):
                until_us = command.order.until_us
                assert until_us is not None
                assert (command.ended_us[returned] >= until_us - EARLY_US).all()
                assert (command.sent_us[returned] > 0).all()

    @invariant()
    def an_order_ends_with_its_last_target(self) -> None:
        for command in self.bench.engine.commands:
            ended = all(TARGET.states[code] in TARGET.last for code in command.state_of)
            assert ended == (command.state in {"closed", "refused", "cancelled", "expired"})


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

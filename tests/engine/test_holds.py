"""What an order sets is over in time: by the device itself, proved; or the post says so and sees to it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.city import LAMPS, NOW_US
from tests.orders import CREW, GATEWAY, OPERATOR, Bench
from vigie.core.facts import POST, CommandProposed
from vigie.core.sun import next_dawn_us
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, rfc3339
from vigie.engine.command import Command
from vigie.engine.commands import HELD_US, CommandRefused
from vigie.engine.holds import RETRY_US, TRIES_MAX
from vigie.engine.orders import OrderWrong
from vigie.engine.selection import Selection
from vigie.services.lighting.conditions import NOT_RETURNED
from vigie.services.lighting.kinds import Luminaire

GRACE_S = Luminaire.dim.holds.grace_s if Luminaire.dim.holds else 0.0


def held(bench: Bench, lamps: list[int], *, lasts_s: float = 3_600.0, level: float = 60.0) -> Command:
    """An order to lamps that know what rules them, carried out and proved."""
    bench.report(lamps, 100.0, control="programme")
    bench.later(1)
    command = bench.dim(level, lamps=lamps, until_us=bench.clock.at_us + int(lasts_s * SECOND_US))
    bench.pick_up()
    bench.later(1)
    bench.report(lamps, level, control="order")
    assert command.counts == {"done": len(lamps)}
    return command


def releases(bench: Bench) -> list[Command]:
    return [each for each in bench.engine.commands if each.order.name == "luminaire.release"]


def test_an_order_without_a_word_ends_at_the_next_dawn_of_where_it_goes(bench: Bench) -> None:
    bench.report([1], 100.0, control="programme")
    command = bench.dim(60, lamps=[1])
    dawn_us = next_dawn_us(NOW_US, 5.00001, 47.3)
    assert command.order.until_us == dawn_us // SECOND_US * SECOND_US
    assert 0 < command.order.until_us - NOW_US <= DAY_US + HOUR_US


@pytest.mark.parametrize(
    ("until", "broken"),
    [
        (rfc3339(NOW_US - 1), "engine.instant_past"),
        (rfc3339(NOW_US + 48 * HOUR_US + SECOND_US), "engine.instant_far"),
        ("tomorrow", "engine.param_wrong"),
        ("2026-11-27T05:30:00", "engine.param_wrong"),
        (1_795_500_000, "engine.param_wrong"),
        (None, "engine.param_wrong"),
    ],
)
def test_an_end_is_an_instant_ahead_and_not_far(bench: Bench, until: object, broken: str) -> None:
    everything = np.ones(bench.engine.registry.count, np.bool_)
    with pytest.raises(OrderWrong) as refused:
        bench.acts.understood("luminaire.dim", {"level": 1, "until": until}, Selection(street="Rue Verte"), everything)
    assert refused.value.rule == broken


def test_an_end_is_told_to_who_knows_one_and_to_nobody_else(bench: Bench) -> None:
    bench.report([1], 100.0, control="programme")
    bench.report([2], 100.0)
    command = bench.dim(60, lamps=[1, 2])
    assert bench.engine.examiner.knows_end(command.order).tolist() == [True, False]
    assert command.order.told(knows_end=False) == {"level": 60.0}
    assert set(command.order.told(knows_end=True)) == {"level", "until"}


def test_an_order_that_is_to_last_is_sent_even_to_who_stands_so_already(bench: Bench) -> None:
    bench.report([1], 60.0, control="programme")
    bench.report([2], 60.0)
    assert bench.dim(60, lamps=[1, 2]).counts == {"waiting": 1, "already": 1}


def test_what_was_ordered_returns_by_itself_and_the_journal_says_so(bench: Bench) -> None:
    command = held(bench, [1, 2], lasts_s=600)
    bench.later(300)
    bench.report([1, 2], 60.0, control="order")
    assert command.counts == {"done": 2}
    bench.later(301)
    bench.report([1], 100.0, control="programme")
    assert command.counts == {"done": 1, "returned": 1}
    assert bench.stored(command) == command.counts
    newest = bench.facts.journal.lines(limit=1)[0].fact
    assert type(newest).__name__ == "TargetsMoved"
    assert newest.counts == {"returned": 1}


def test_an_end_is_still_seen_after_a_restart(bench: Bench) -> None:
    command = held(bench, [1, 2], lasts_s=40 * 3_600)
    bench.later(39 * 3_600)
    bench.tick()
    bench.restart()
    bench.later(3_700)
    bench.report([1, 2], 100.0, control="programme")
    assert bench.stored(command) == {"returned": 2}


def test_an_order_is_followed_for_its_end_no_longer_than_is_said(bench: Bench) -> None:
    command = held(bench, [1], lasts_s=60)
    bench.later((60 * SECOND_US + HELD_US) / SECOND_US)
    bench.tick()
    bench.later(1)
    bench.tick()
    assert bench.engine.commands.find(command.id) is None
    bench.restart()
    assert bench.engine.commands.find(command.id) is None


def test_a_value_from_before_the_proof_ends_nothing(bench: Bench) -> None:
    command = held(bench, [1])
    bench.report([1], 100.0, control="programme", observed_us=bench.clock.at_us - 500_000)
    assert command.counts == {"done": 1}


def test_who_goes_back_before_its_time_is_told_apart(bench: Bench) -> None:
    command = held(bench, [1])
    bench.later(60)
    bench.report([1], 100.0, control="programme")
    assert command.counts == {"released": 1}


def test_a_newer_order_that_is_proved_ends_the_older_one(bench: Bench) -> None:
    older = held(bench, [1, 2])
    bench.later(10)
    newer = bench.dim(30, lamps=[1])
    assert older.counts == {"done": 2}, "until it is proved, the older one may still rule"
    bench.pick_up()
    bench.later(2)
    bench.report([1], 30.0, control="order")
    assert (newer.counts, older.counts) == ({"done": 1}, {"done": 1, "released": 1})


def test_a_release_gives_lamps_back_and_is_proved_by_what_rules_them(bench: Bench) -> None:
    older = held(bench, [1, 2])
    bench.later(10)
    release = bench.give("luminaire.release", {}, ["luminaire-000001", "luminaire-000002", "luminaire-000003"])
    assert release.counts == {"waiting": 2, "refused": 1}
    assert [each.rule for each in release.refusals.values()] == ["lighting.control_unknown"]
    bench.pick_up()
    bench.later(2)
    bench.report([1], 100.0)
    assert release.counts == {"sent": 2, "refused": 1}, "a level proves no release"
    bench.later(1)
    bench.report([1, 2], 100.0, control="programme")
    assert (release.counts, older.counts) == ({"done": 2, "refused": 1}, {"released": 2})


def test_a_release_takes_the_place_of_an_order_that_has_not_left(bench: Bench) -> None:
    bench.report([1], 100.0, control="order")
    older = bench.dim(20, lamps=[1])
    bench.give("luminaire.release", {}, ["luminaire-000001"])
    assert older.counts == {"superseded": 1}


def test_who_still_obeys_after_the_end_is_a_matter_for_maintenance_and_released_some_times(bench: Bench) -> None:
    command = held(bench, [1, 2], lasts_s=60)
    lamp = bench.engine.registry.numbers["luminaire-000001"]
    bench.later(60 + GRACE_S)
    bench.report([2], 100.0, control="programme")
    bench.tick()
    assert bench.engine.conditions.of(lamp) == [], "it has said nothing since"
    for turn in range(TRIES_MAX + 2):
        bench.later(RETRY_US / SECOND_US)
        bench.report([1], 60.0, control="order")
        bench.tick()
        assert [each.kind for each in bench.engine.conditions.of(lamp)] == [NOT_RETURNED]
        assert len(releases(bench)) == min(turn + 1, TRIES_MAX)
        bench.pick_up()
    given = releases(bench)[0]
    assert (given.actor, given.order.selection["order"]) == (POST, command.id)
    proposed = [line.fact for line in bench.facts.journal.lines(limit=200) if isinstance(line.fact, CommandProposed)]
    assert [each.actor for each in proposed].count(POST) == TRIES_MAX
    bench.later(1)
    bench.report([1], 100.0, control="programme")
    bench.tick()
    assert command.counts == {"returned": 2}
    assert bench.engine.conditions.of(lamp) == []
    bench.later(1)
    bench.tick()
    assert len(releases(bench)) == TRIES_MAX


def test_who_obeys_a_newer_order_is_not_late_even_if_that_was_never_proved(bench: Bench) -> None:
    held(bench, [1], lasts_s=60)
    newer = bench.dim(30, lamps=[1], until_us=bench.clock.at_us + 4 * HOUR_US)
    bench.pick_up()
    bench.later(Luminaire.dim.proof_s + 1)
    bench.tick()
    assert newer.counts == {"unproved": 1}
    bench.later(60 + GRACE_S)
    bench.report([1], 31.5, control="order")
    bench.tick()
    assert releases(bench) == []
    assert list(bench.engine.conditions) == []


# Full light: what the post ends itself.


def full_light(bench: Bench, *, lasts_s: float = 3_600.0) -> Command:
    params = {"on": True, "until": rfc3339(bench.clock.at_us + int(lasts_s * SECOND_US))}
    command = bench.give("cabinet.set_full_light", params, ["cabinet-cabinet"])
    bench.pick_up()
    bench.later(1)
    bench.say([("cabinet-cabinet", "full_light", 1.0, bench.clock.at_us)])
    return command


def test_full_light_needs_a_reason_and_its_end_does_not(bench: Bench) -> None:
    everything = np.ones(bench.engine.registry.count, np.bool_)
    for on in (True, False):
        order = bench.acts.understood("cabinet.set_full_light", {"on": on}, Selection(street=""), everything)
        if on:
            with pytest.raises(CommandRefused, match=r"engine\.no_reason"):
                bench.acts.order(order, actor=OPERATOR)
        else:
            assert "until" not in order.params, "what ends something has no end"
            assert bench.acts.order(order, actor=OPERATOR).state == "proposed"


def test_full_light_is_ended_by_the_post_when_its_time_has_come(bench: Bench) -> None:
    command = full_light(bench, lasts_s=600)
    assert command.counts == {"done": 1}
    assert "until" not in command.order.told(knows_end=False)
    bench.later(598)
    bench.tick()
    assert len(list(bench.engine.commands)) == 1
    bench.later(1)
    bench.tick()
    ending = next(each for each in bench.engine.commands if each is not command)
    assert (ending.actor, ending.state, dict(ending.order.params)) == (POST, "running", {"on": False})
    assert bench.pick_up() == ["cabinet-cabinet"]
    bench.later(1)
    bench.say([("cabinet-cabinet", "full_light", 0.0, bench.clock.at_us)])
    assert (command.counts, ending.counts) == ({"returned": 1}, {"done": 1})
    bench.later(3_600)
    bench.tick()
    assert len([each for each in bench.engine.commands if each.actor == POST]) <= 1


def test_full_light_that_is_given_anew_is_not_ended_at_the_older_end(bench: Bench) -> None:
    full_light(bench, lasts_s=600)
    bench.later(10)
    newer = full_light(bench, lasts_s=3_600)
    assert newer.counts == {"done": 1}
    bench.later(1_000)
    bench.tick()
    assert {each.actor for each in bench.engine.commands} == {OPERATOR}


def test_while_full_light_lasts_other_orders_to_its_lamps_are_refused_with_the_reason(bench: Bench) -> None:
    bench.report([1], 100.0, control="programme")
    full_light(bench)
    for refused in (bench.dim(20), bench.give("luminaire.release", {}, ["luminaire-000001"])):
        assert refused.state == "refused"
        assert {each.rule for each in refused.refusals.values()} == {"lighting.full_light"}
    bench.later(1)
    bench.say([("cabinet-cabinet", "full_light", 0.0, bench.clock.at_us)])
    assert bench.dim(20).counts == {"waiting": LAMPS}


def test_a_lock_out_on_a_cabinet_holds_against_full_light_and_against_its_end(bench: Bench) -> None:
    numbers = bench.engine.registry.numbers
    lock = bench.acts.consign(numbers["cabinet-cabinet"], actor=CREW, crew="A", reason="câble")
    refused = bench.give("cabinet.set_full_light", {"on": True}, ["cabinet-cabinet"])
    assert (refused.state, refused.refusals[0].rule) == ("refused", "engine.consigned")
    bench.acts.move_consignation(lock.id, "lift", CREW)
    command = full_light(bench, lasts_s=600)
    bench.acts.consign(numbers["cabinet-cabinet"], actor=CREW, crew="A", reason="câble")
    bench.later(600)
    bench.tick()
    assert bench.pick_up() == []
    ending = next(each for each in bench.engine.commands if each.actor == POST)
    assert (ending.state, ending.refusals[0].rule) == ("refused", "engine.consigned")
    assert command.counts == {"done": 1}


def test_devices_that_pick_up_are_not_asked_before_their_time(bench: Bench) -> None:
    assert bench.engine.commands.again_us(GATEWAY, NOW_US + MINUTE_US) == 0

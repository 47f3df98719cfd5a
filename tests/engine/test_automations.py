"""Automations on real stores: what they order is an order as others, and ends whatever becomes of the post."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import shapely

from tests.city import LAMPS, NOW_US, take
from tests.orders import Bench
from tests.services.lighting.lane import ZONE
from vigie.app.installation import PLACES_KEPT_US, Installation, services
from vigie.core.calendar import Calendar
from vigie.core.drafts import Draft
from vigie.core.facts import POST, CommandProposed, DeviceAdmitted, Entry
from vigie.core.scope import Scope
from vigie.core.times import HOUR_US, SECOND_US
from vigie.engine import commands
from vigie.engine.command import Command
from vigie.engine.commands import CommandRefused
from vigie.engine.known import Frozen
from vigie.services.lighting.conditions import MOTION_STUCK, NOT_RETURNED
from vigie.services.lighting.ondemand.calls import Calls
from vigie.services.lighting.ondemand.model import OnDemand, Trigger
from vigie.services.lighting.ondemand.tonight import RuleTonight, tonight
from vigie.services.lighting.plans import ON_DEMAND, on_demand_of, park_of
from vigie.settings import Settings

RULE = OnDemand(name="Sentier", level=80, triggers=(Trigger.MOTION,), ahead_m=30.0, hold_s=120, raises_max=2)
SENSOR = "motion_sensor-1"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Bench]:
    """The bench's lamps along a path that has a sensor and a rule in force; it is night."""
    made = Bench(tmp_path)
    line = shapely.to_wkb(shapely.LineString([(4.9999, 47.3), (5.01, 47.3)]))
    take(made.facts, [Draft(key="1", kind="motion_sensor", id=SENSOR, lon=5.0, lat=47.3, area="dijon-metropole/dijon"),
                      Draft(key="2", kind="street", name="Rue Verte", lon=5.0, lat=47.3, geometry=line,
                            area="dijon-metropole/dijon")], source="more")  # fmt: skip
    admitted = DeviceAdmitted(id="gw2", at=NOW_US, actor="test", device="gw2", count=1, items="")
    made.facts.commit([Entry(admitted, payload=(b"e" * 32, [made.facts.ids()[SENSOR]]))])
    made.restart()
    made.acts.make_plan(ON_DEMAND, RULE, actor="u-manager", reason="", plan_id="p")
    made.acts.move_plan("p", "approve", number=1, revision=1, actor="u-other", reason="")
    made.engine.settle()
    made.clock.at_us = NOW_US - NOW_US % (24 * HOUR_US) + 23 * HOUR_US
    made.report(range(LAMPS), 30.0, control="programme")
    prepare(made)
    yield made
    made.close()


def prepare(bench: Bench) -> None:
    """As a running post does beside its loop."""
    due = bench.engine.automations.due()
    if due:
        known = Frozen.of(bench.engine, Calendar(ZONE), Scope.everything(), bench.clock.at_us)
        bench.engine.automations.prepare(due, known)
    bench.tick()


def walk(bench: Bench) -> None:
    bench.later(1)
    bench.say([(SENSOR, "motion", 1.0, bench.clock.at_us)])
    bench.tick()
    bench.later(1)
    bench.say([(SENSOR, "motion", 0.0, bench.clock.at_us)])


def installed(bench: Bench, **said: Any) -> Installation:
    """What looks after the folder while a post runs on it."""
    made = Settings(data=bench.folder, **said)
    return Installation(made, bench.facts, bench.observations, cast("Any", bench.clock), cast("Any", bench.dice),
                        services())  # fmt: skip


def raises(bench: Bench) -> list[Command]:
    return [each for each in bench.engine.commands if each.is_automatic]


def test_a_raise_is_one_order_of_the_post_and_the_journal_says_what_called_and_not_where(path: Bench) -> None:
    walk(path)
    (command,) = raises(path)
    assert len(path.pick_up()) == LAMPS
    facts = [line.fact for line in path.facts.journal.lines(limit=1_000)]
    (fact,) = [each for each in facts if isinstance(each, CommandProposed)]
    assert (fact.actor, fact.action, fact.targets) == (POST, "luminaire.dim", LAMPS)
    assert fact.selection == {"automation": "lighting.on_demand", "plan": "p", "motion": "1"}
    assert SENSOR not in str(fact)
    assert set(fact.params) == {"level", "until", "fade"}
    # A list of orders is for what persons ordered; who asks for the others gets them.
    listed = [path.facts.orders.page(Scope.everything(), open_only=None, before=None, limit=9, automatic=each)
              for each in (False, True)]  # fmt: skip
    assert [[each.id for each in page] for page in listed] == [[], [command.id]]


def test_what_was_not_handed_over_at_once_is_never(path: Bench) -> None:
    walk(path)
    path.later(31)
    path.tick()
    assert path.pick_up() == []
    assert raises(path)[0].counts == {"expired": LAMPS}


def test_a_post_killed_between_the_raise_and_its_end_sees_that_it_ended_and_remembers_what_was_given(
    path: Bench,
) -> None:
    walk(path)
    path.pick_up()
    path.later(2)
    path.report(range(LAMPS), 80.0, control="order")
    until_us = raises(path)[0].order.until_us or 0
    path.restart()
    prepare(path)
    walk(path)  # The lamps are lit: nothing more is asked for.
    assert [each.counts for each in raises(path)] == [{"done": LAMPS}]
    path.clock.at_us = until_us + SECOND_US
    path.report(range(LAMPS), 30.0, control="programme")
    assert [each.counts for each in raises(path)] == [{"returned": LAMPS}]
    walk(path)
    path.pick_up()
    path.later(2)
    path.report(range(LAMPS), 80.0, control="order")
    path.restart()
    prepare(path)
    path.later(150)
    path.report(range(LAMPS), 30.0, control="programme")
    walk(path)  # Twice a night, and the first of them was two processes ago.
    given = path.facts.given("lighting.on_demand", 0)
    assert len(given) == 2
    assert sorted({int(no) for each in given for no in each.assets}) == sorted(
        path.engine.registry.numbers[f"luminaire-{n:06d}"] for n in range(LAMPS)
    )


def test_what_was_done_tonight_is_told_rule_by_rule_to_who_sees_the_lamps(path: Bench) -> None:
    def told(scope: Scope) -> list[RuleTonight]:
        known = Frozen.of(path.engine, Calendar(ZONE), scope, path.clock.at_us)
        return tonight(on_demand_of(known), park_of(known), known).rules

    (before,) = told(Scope.everything())
    assert (before.plan, before.name, before.lamps, before.now) == ("p", "Sentier", LAMPS, True)
    assert (before.calls, before.raises, before.last, before.most_raises, before.spent) == (0, 0, None, 0, 0)
    walk(path)
    path.pick_up()
    path.later(2)
    path.report(range(LAMPS), 80.0, control="order")
    (lit,) = told(Scope.everything())
    assert (lit.calls, lit.raises, lit.raised, lit.lit, lit.most_raises, lit.spent) == (1, LAMPS, LAMPS, LAMPS, 1, 0)
    assert lit.lamp_hours == pytest.approx(LAMPS * 120 / 3_600, abs=0.02)
    path.later(150)
    path.report(range(LAMPS), 30.0, control="programme")
    path.restart()
    prepare(path)
    walk(path)
    path.later(150)
    (over,) = told(Scope.everything())
    assert (over.raises, over.lit, over.most_raises, over.spent) == (2 * LAMPS, 0, RULE.raises_max, LAMPS)
    assert told(Scope()) == []
    path.later(24 * 3_600)
    assert told(Scope.everything())[0].raises == 0


def test_what_is_told_of_tonight_takes_no_longer_in_a_larger_town_and_leaves_out_lamps_not_read_yet(
    path: Bench,
) -> None:
    walk(path)
    known = Frozen.of(path.engine, Calendar(ZONE), Scope.everything(), path.clock.at_us)
    seen = known.seen.copy()
    seen[path.engine.registry.numbers["luminaire-000001"]] = False
    (lit,) = tonight(on_demand_of(known), park_of(replace(known, seen=seen)), known).rules
    assert (lit.lamps, lit.raised, lit.raises) == (LAMPS - 1, LAMPS - 1, LAMPS)
    large = replace(known, seen=np.ones(2_000_000, np.bool_))
    began_s = time.process_time()
    for _ in range(50):
        (order,) = large.given("lighting.on_demand", 0)
        assert len(order.assets) == LAMPS
    assert time.process_time() - began_s < 0.5


def test_which_lamps_were_raised_is_forgotten_in_its_time_and_that_they_were_is_not(path: Bench) -> None:
    orders = path.facts.orders
    mine = path.dim(50.0, until_us=path.clock.at_us + HOUR_US)
    path.pick_up()
    path.later(3_700)
    path.tick()
    path.report(range(LAMPS), 30.0, control="programme")
    walk(path)
    path.pick_up()
    (raised,) = raises(path)
    assert orders.forget_passages(0, path.clock.at_us + HOUR_US)[0] == 0  # It is still under way.
    path.later(2)
    path.report(range(LAMPS), 80.0, control="order")
    path.later(150)
    path.report(range(LAMPS), 30.0, control="programme")
    path.later(4 * 3_600)
    path.tick()
    everything = np.ones(path.engine.registry.count, np.bool_)
    told = [len(orders.targets(each, everything, state="", after=0, limit=99)) for each in (mine.id, raised.id)]
    assert told == [LAMPS, LAMPS]
    assert orders.forget_passages(0, path.clock.at_us - 24 * HOUR_US)[0] == 0
    assert orders.forget_passages(0, path.clock.at_us) == (1, path.clock.at_us)
    assert orders.forget_passages(0, path.clock.at_us) == (0, path.clock.at_us)
    told = [len(orders.targets(each, everything, state="", after=0, limit=99)) for each in (mine.id, raised.id)]
    assert told == [LAMPS, 0]
    facts = [line.fact for line in path.facts.journal.lines(limit=1_000)]
    assert [each.targets for each in facts if isinstance(each, CommandProposed) and each.command == raised.id] == [
        LAMPS
    ]
    assert path.facts.orders.find(raised.id) is not None


def test_what_a_post_that_was_away_for_weeks_ended_late_is_forgotten_too(path: Bench) -> None:
    walk(path)
    (raised,) = raises(path)
    path.later(32 * 86_400)
    path.restart()
    path.tick()
    opened = installed(path)
    everything = np.ones(path.engine.registry.count, np.bool_)
    left: list[int] = []
    for days in (0, 1, 28, 2):
        path.later(days * 86_400)
        opened.forget_passages()
        left.append(len(path.facts.orders.targets(raised.id, everything, state="", after=0, limit=99)))
    assert left == [LAMPS, LAMPS, LAMPS, 0]
    path.later(86_400)
    opened.forget_passages()
    assert path.facts.meta("passages_since_us") == str(path.clock.at_us - PLACES_KEPT_US)


def test_what_a_sensor_saw_is_kept_no_longer_than_a_place_and_what_lamps_said_as_long_as_is_set(path: Bench) -> None:
    def told() -> dict[tuple[str, str], int]:
        with path.observations.reading() as read:
            rows = path.observations.union("number", read=read)
            found = dict(read.execute(f"SELECT point, count(*) FROM ({rows}) GROUP BY point").fetchall())
        named = {number: point for point, number in path.facts.point_numbers().items()}
        return {named[number]: count for number, count in found.items()}

    walk(path)
    path.say([(SENSOR, "passages", 7.0, path.clock.at_us)])
    path.report(range(LAMPS), 80.0, control="order")
    before = told()
    assert (before["motion_sensor", "motion"], before["motion_sensor", "passages"]) == (2, 1)
    opened = installed(path, history_days=90)
    path.later(29 * 86_400)
    opened.seal()
    assert told() == before
    path.later(3 * 86_400)
    opened.seal()
    assert told() == {point: count for point, count in before.items() if point[0] != "motion_sensor"}


def test_a_lamp_that_does_not_let_go_is_late_as_after_any_order(path: Bench) -> None:
    walk(path)
    path.pick_up()
    path.later(2)
    path.report(range(LAMPS), 80.0, control="order")
    path.later(2_700)
    path.report(range(LAMPS), 80.0, control="order")
    path.tick()
    lamps = np.array([path.engine.registry.numbers[f"luminaire-{n:06d}"] for n in range(LAMPS)])
    assert path.engine.is_open(NOT_RETURNED, lamps).all()


def test_what_is_withdrawn_calls_for_nothing_any_more(path: Bench) -> None:
    path.acts.move_plan("p", "withdraw", number=1, revision=1, actor="u-other", reason="")
    path.engine.settle()
    prepare(path)
    walk(path)
    assert raises(path) == []
    assert not path.engine.automations.hears.any()


def test_a_fault_in_an_automation_is_noted_and_stops_neither_the_others_nor_what_time_does_to_orders(
    path: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("a fault")

    path.dim(50.0, until_us=path.clock.at_us + HOUR_US)
    path.later(3_600)
    monkeypatch.setattr(Calls, "answer", fails)
    monkeypatch.setattr(Calls, "hear", fails)
    path.say([(SENSOR, "motion", 1.0, path.clock.at_us)])
    assert path.engine.automations.faults.keys() == {"lighting.on_demand"}
    path.engine.automations.faults.clear()
    path.acts.tick()
    path.engine.settle()
    assert [str(error) for error in path.engine.automations.faults.values()] == ["a fault"]
    assert [path.stored(each) for each in path.engine.commands] == [{"expired": LAMPS}]


def test_a_fault_that_goes_on_is_told_once_and_told_again_when_it_is_over(
    path: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    automations = path.engine.automations

    def beat(seconds: float) -> list[tuple[str, str]]:
        path.later(seconds)
        path.acts.tick()
        return [(name, str(each)) for name, each in automations.changes(path.clock.at_us)]

    for words in ("a fault", "another"):
        with monkeypatch.context() as patched:

            def fails(*_: object, words: str = words) -> None:
                raise ValueError(words)

            patched.setattr(Calls, "answer", fails)
            assert [beat(1) for _ in range(3)] == [[("lighting.on_demand", f"ValueError: {words}")], [], []]
    standing = automations.failing["lighting.on_demand"]
    assert (standing.times, standing.last_us - standing.since_us) == (3, 2 * SECOND_US)
    assert beat(100) == []
    assert beat(100) == [("lighting.on_demand", "None")]
    assert not automations.failing


def test_what_automations_have_under_way_takes_no_place_of_a_person_s_order(
    path: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "OPEN_MAX", 1)
    monkeypatch.setattr(commands, "TARGETS_OPEN_MAX", LAMPS)
    walk(path)
    assert len(raises(path)) == 1
    path.dim(50.0, until_us=path.clock.at_us + HOUR_US)
    with pytest.raises(CommandRefused, match="too_many_orders"):
        path.dim(60.0, until_us=path.clock.at_us + HOUR_US)


def test_automations_have_no_more_under_way_than_their_own_limit(path: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "AUTOMATIC_OPEN_MAX", 0)
    walk(path)
    assert raises(path) == []
    assert path.engine.automations.refused == 1


def test_an_order_that_was_refused_is_nobody_s_light_and_no_fault_of_the_sensor(
    path: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = np.array([path.engine.registry.numbers[SENSOR]])
    with monkeypatch.context() as full:
        full.setattr(commands, "AUTOMATIC_OPEN_MAX", 0)
        for _ in range(RULE.raises_max + 1):
            walk(path)
            path.later(150)
            path.report(range(LAMPS), 30.0, control="programme")
            path.tick()
    assert not path.engine.is_open(MOTION_STUCK, sensor).any()
    assert path.engine.automations.refused >= RULE.raises_max + 1
    walk(path)
    assert [each.counts for each in raises(path)] == [{"waiting": LAMPS}]

"""A way that somebody orders to be cleared: from the order to the junctions, to its end, over a kill of the post."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.api.rsmp.test_door import JUNCTION
from tests.api.rsmp.test_priority import AMBULANCE, Town, town
from tests.orders import GATEWAY, OPERATOR
from vigie.api.rsmp.escorts import Escort
from vigie.api.rsmp.priority import CLAIMED
from vigie.core.readings import Readings
from vigie.core.scope import Grant, Scope, Verb
from vigie.core.times import SECOND_US, rfc3339
from vigie.engine.admission import ANY_REPORTER
from vigie.engine.command import Command
from vigie.engine.orders import OrderWrong, check_listed
from vigie.engine.visibility import may_order
from vigie.services.roads import ESCORT_LOST, ESCORT_S_MAX, NOT_SEEN, TOLD_WITHIN_S, Vehicle

__all__ = ["town"]


class Escorting:
    """What is ordered in a town, and carried out as the post does it."""

    def __init__(self, town: Town) -> None:
        self.town, self.bench = town, town.bench

    def carry_out(self) -> list[str]:
        """What waits for the post itself."""
        picked = self.bench.pick_up(ANY_REPORTER)
        self.bench.later(0.001)
        for command in self.bench.engine.commands:
            if command.order.kind is Vehicle and len(command.rows_in("sent")):
                cleared = float(command.order.action is Vehicle.escort)
                self.bench.say([(AMBULANCE, "escorted", cleared, self.bench.clock.now_us())])
        return picked

    def order(self, action: str = "escort", **params: Any) -> Command:
        command = self.bench.give(f"vehicle.{action}", params, [AMBULANCE])
        self.carry_out()
        return command

    @property
    def told(self) -> list[Escort]:
        return list(self.town.steering.priority.escorts.told())

    @property
    def is_lost(self) -> bool:
        engine = self.bench.engine
        return bool(engine.is_open(ESCORT_LOST, np.array([engine.registry.numbers[AMBULANCE]], np.int64))[0])


@pytest.fixture
def escorting(town: Town) -> Iterator[Escorting]:
    town.drives(AMBULANCE, 0.0, 300.0)
    return Escorting(town)


def test_it_goes_first_without_a_word_of_its_own_until_somebody_ends_it(escorting: Escorting) -> None:
    town = escorting.town

    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(AMBULANCE, 0.0, 180, 160)
        assert town.states == []
        command = escorting.order()
        assert command.counts == {"done": 1}
        await town.comes(AMBULANCE, 0.0, 140, 120)
        (going,) = town.steering.deciding(JUNCTION).going
        assert (going.state, going.escorted, going.groups, town.passes) == (CLAIMED, True, ("north",), True)
        (escort,) = escorting.told
        assert (escort.command, list(escort.ahead), escort.behind) == (command, [JUNCTION], [])
        await town.comes(AMBULANCE, 180.0, 40)
        assert (town.states, escort.behind, town.passes) == ([], [JUNCTION], False)
        ended = escorting.order("end_escort")
        await town.comes(AMBULANCE, 0.0, 160, 140)
        assert (town.states, escorting.told) == ([], [])
        assert (command.counts, ended.counts) == ({"released": 1}, {"done": 1})

    asyncio.run(story())


def test_it_ends_by_itself_after_a_quarter_of_an_hour_at_most(escorting: Escorting) -> None:
    bench, town = escorting.bench, escorting.town
    command = escorting.order()
    assert command.order.until_us == (bench.clock.at_us // SECOND_US + ESCORT_S_MAX) * SECOND_US
    too_long = {"until": rfc3339(bench.clock.at_us + (ESCORT_S_MAX + 1) * SECOND_US)}
    with pytest.raises(OrderWrong, match="instant_far"):
        bench.give("vehicle.escort", too_long, [AMBULANCE])
    bench.later(ESCORT_S_MAX)
    asyncio.run(town.steering.step())
    assert escorting.told == [], "whoever ends it, it is over"
    bench.tick()
    assert escorting.carry_out() == [AMBULANCE]
    assert command.counts == {"returned": 1}


def test_after_a_kill_it_is_in_force_until_its_end_and_can_be_ended(escorting: Escorting) -> None:
    town, bench = escorting.town, escorting.bench
    command = escorting.order(route=JUNCTION)

    def restart() -> None:
        bench.restart()
        town.steering = town.started()
        asyncio.run(town.steering.step())

    restart()
    (escort,) = escorting.told
    assert (escort.command.id, escort.until_us) == (command.id, command.order.until_us)
    assert escort.route is not None
    assert escort.route.names == (JUNCTION,)
    escorting.order("end_escort")
    restart()
    assert escorting.told == []


def test_killed_between_the_order_and_its_proof_it_has_not_begun_and_says_so(escorting: Escorting) -> None:
    bench = escorting.bench
    given = bench.give("vehicle.escort", {}, [AMBULANCE])
    assert bench.pick_up(ANY_REPORTER) == [AMBULANCE]
    bench.restart()
    command = bench.engine.commands.find(given.id)
    assert command is not None
    assert command.counts == {"sent": 1}
    assert bench.engine.commands.waits_for(bench.clock.at_us) == set()
    bench.later(31)
    assert command.expires_us < bench.clock.at_us
    bench.tick()
    assert command.counts == {"unproved": 1}


def test_no_device_is_handed_it_nor_may_say_that_it_is_so(escorting: Escorting) -> None:
    bench = escorting.bench
    bench.give("vehicle.escort", {}, [AMBULANCE])
    assert bench.pick_up(GATEWAY) == []
    said = Readings([AMBULANCE], ["escorted"], [True], [bench.clock.at_us], [0])
    assert [each.outcome.value for each in bench.engine.admission.admit(said, GATEWAY, bench.clock.at_us).rejected] == [
        "not_yours"
    ]
    assert not bench.engine.admission.admit(said, ANY_REPORTER, bench.clock.at_us).rejected


def test_one_that_says_no_more_where_it_is_opens_nothing_and_somebody_is_told(escorting: Escorting) -> None:
    town = escorting.town

    async def story() -> None:
        await town.take()
        await town.pass_(3)
        escorting.order()
        await town.comes(AMBULANCE, 0.0, 140, 120)
        assert (town.states, escorting.is_lost) == ([CLAIMED], False)
        town.bench.later(TOLD_WITHIN_S)
        await town.pass_(1)
        assert (town.states, escorting.is_lost, town.passes) == ([], True, False)
        assert escorting.told[0].lost
        await town.comes(AMBULANCE, 0.0, 100, 80)
        assert (len(town.states), escorting.is_lost) == (1, False)

    asyncio.run(story())


def test_nobody_is_let_pass_of_whom_is_not_known_where_they_are(escorting: Escorting) -> None:
    escorting.bench.later(TOLD_WITHIN_S + 1)
    refused = escorting.order()
    assert (refused.state, refused.refusals) == ("refused", {0: NOT_SEEN})


def test_a_route_opens_its_junction_before_the_vehicle_is_known_to_come(escorting: Escorting) -> None:
    town = escorting.town

    async def story() -> None:
        await town.take()
        await town.pass_(3)
        escorting.order(route=JUNCTION)
        # At 10 m/s it is 60 s away.
        for away_m in (640.0, 620.0):
            await town.pass_(2)
            town.drives(AMBULANCE, 0.0, away_m)
        await town.pass_(1)
        (going,) = town.steering.deciding(JUNCTION).going
        assert going.passage.eta_s > 50
        await town.comes(AMBULANCE, 0.0, 530, 440, 350, 260, 170, 80, 10)
        await town.comes(AMBULANCE, 180.0, 40)
        (escort,) = escorting.told
        assert escort.route is not None
        assert (escort.route.passed, town.states) == (1, [])

    asyncio.run(story())


def test_junctions_on_a_route_must_be_such_as_one_may_order(escorting: Escorting) -> None:
    bench = escorting.bench
    kind, everything = Vehicle, np.ones(bench.engine.registry.count, np.bool_)
    nothing = np.zeros(bench.engine.registry.count, np.bool_)
    order = escorting.order(route=f"{JUNCTION}, {JUNCTION}").order
    check_listed(order, bench.engine.registry, everything)
    with pytest.raises(OrderWrong, match="not_listed"):
        check_listed(order, bench.engine.registry, nothing)
    for wrong in ("junction-nowhere", AMBULANCE):
        order = escorting.order(route=wrong).order
        assert order.kind is kind
        with pytest.raises(OrderWrong, match="not_listed"):
            check_listed(order, bench.engine.registry, everything)


@pytest.mark.parametrize(
    ("services", "verbs", "area", "may"),
    [
        (("roads", "signals"), {Verb.SEE, Verb.SEE_CREW, Verb.ORDER}, "", True),
        (("roads",), {Verb.SEE, Verb.SEE_CREW, Verb.ORDER}, "", False),
        (("signals",), {Verb.SEE, Verb.SEE_CREW, Verb.ORDER}, "", False),
        (("roads", "signals"), {Verb.SEE, Verb.ORDER}, "", False),
        (("roads", "signals"), {Verb.SEE, Verb.SEE_CREW}, "", False),
        (("roads", "signals"), {Verb.SEE, Verb.SEE_CREW, Verb.ORDER}, "dijon-metropole/beaune", False),
    ],
)
def test_it_takes_the_right_to_order_signals_and_to_see_the_vehicle(
    escorting: Escorting, services: tuple[str, ...], verbs: set[Verb], area: str, *, may: bool
) -> None:
    engine = escorting.bench.engine
    scope = Scope(frozenset({Grant(area, frozenset(services), frozenset(verbs))}))
    number = engine.registry.numbers[AMBULANCE]
    assert may_order(scope, "dijon-metropole/dijon", Vehicle, Vehicle.escort) is may
    assert bool(engine.visibility.orderable(scope, Vehicle, Vehicle.escort)[number]) is may


def test_what_was_given_and_how_it_ended_is_in_the_journal(escorting: Escorting) -> None:
    command = escorting.order()
    escorting.order("end_escort")
    lines = [line.fact for line in escorting.bench.facts.journal.lines(limit=50)]
    proposed = [each for each in lines if getattr(each, "command", "") == command.id and hasattr(each, "action")]
    assert [(each.action, each.actor) for each in proposed] == [("vehicle.escort", OPERATOR)]  # type: ignore[attr-defined]
    moved = [each.counts for each in lines if getattr(each, "command", "") == command.id and hasattr(each, "counts")]
    assert {"released": 1} in moved

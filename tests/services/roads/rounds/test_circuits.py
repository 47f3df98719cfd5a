"""What is found wrong with a circuit, on the streets of a town as somebody sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from tests.api.city.desk import EVERYTHING, Desk, desk, grant
from tests.city import NOW_US
from vigie.core.calendar import Calendar
from vigie.core.scope import Scope
from vigie.engine.known import Frozen
from vigie.engine.plans import By
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A street in each of three areas; that of the park lies in Quetigny and is one-way."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        yield made


def found(town: Desk, circuit: Circuit, scope: Scope = EVERYTHING) -> list[tuple[str, bool, int]]:
    """The rules, whether they refuse, and of how many streets."""
    known = Frozen.of(town.engine, cast(Calendar, None), scope, NOW_US)
    return [(each.rule, each.refuses, each.count) for each in CIRCUIT.check(circuit, "", known)]


def circuit(*streets: str | Stretch, area: str = "metropole", hours: str = "mon-fri 05:00-11:00") -> Circuit:
    """A circuit of some streets."""
    made = tuple(Stretch(each) if isinstance(each, str) else each for each in streets)
    return Circuit("Nord", "sweeping", made, area=area, hours=hours)


def test_a_circuit_of_one_street_is_as_it_should_be(town: Desk) -> None:
    assert found(town, circuit("street-1", area="metropole/quetigny")) == []


def test_streets_that_are_not_there_lie_elsewhere_or_stand_in_it_twice_refuse_it(town: Desk) -> None:
    assert found(town, circuit("street-1", "nothing")) == [("roads.no_such_street", True, 1)]
    elsewhere = found(town, circuit("street-1", "street-0", area="metropole/quetigny"))
    assert ("roads.street_elsewhere", True, 1) in elsewhere
    assert ("roads.street_twice", True, 1) in found(town, circuit("street-1", "street-1"))


def test_who_works_for_the_roads_alone_sees_the_streets_that_anybody_may(town: Desk) -> None:
    roads = Scope((grant("metropole/dijon", "roads", "see"),))
    assert found(town, circuit("street-1"), roads) == []
    assert found(town, circuit("street-1", area="metropole/dijon"), roads) == [("roads.street_elsewhere", True, 1)]


def test_streets_that_do_not_touch_are_to_be_answered_for(town: Desk) -> None:
    assert found(town, circuit("street-1", "street-2")) == [("roads.circuit_gap", False, 1)]


def test_a_one_way_street_is_driven_as_it_is_drawn(town: Desk) -> None:
    assert found(town, circuit(Stretch("street-2", "along"))) == []
    for way in ("against", "both"):
        assert found(town, circuit(Stretch("street-2", way))) == [("roads.against_one_way", True, 1)]
    assert found(town, circuit(Stretch("street-1", "both"))) == []


def test_hours_that_say_none_refuse_it(town: Desk) -> None:
    assert found(town, circuit("street-1", hours="always")) == [("roads.circuit_hours", True, 0)]
    assert found(town, circuit("street-1", hours="")) == []


def test_a_station_is_one_of_the_weather(town: Desk) -> None:
    salting = Circuit("Nord", "salting", (Stretch("street-1"),), area="metropole", station="air_station-1")
    assert found(town, salting) == [("roads.circuit_station", True, 0)]


def test_two_circuits_have_no_one_name(town: Desk) -> None:
    plans = town.engine.plans
    plans.make("north", CIRCUIT, circuit("street-1"), by=By("writer", NOW_US, "made"))
    assert found(town, circuit("street-1")) == []
    plans.move("north", "approve", number=1, revision=1, by=By("approver", NOW_US, "approved"))
    assert found(town, circuit("street-1")) == [("roads.circuit_name", True, 0)]

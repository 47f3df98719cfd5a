"""A vehicle's trail over the API: its streets, what was set aside, and nothing to who may not see its crew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.api.city.desk import EVERYTHING, Desk, desk, grant
from tests.city import NOW_US
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, MINUTE_US, SECOND_US, rfc3339, to_us
from vigie.engine.plans import By
from vigie.services.roads.fences import FENCE, Fence

SPAN = f"from={rfc3339(NOW_US - 30 * MINUTE_US)}&to={rfc3339(NOW_US - 10 * MINUTE_US)}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The vehicle of Quetigny has driven along its street and back, with a fault of its receiver on the way."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        lons = [5.1492, 5.1496, 5.1500, 0.0, 5.1504, 5.1508, 5.3, 5.1504, 5.1500, 5.1496]
        for n, lon in enumerate(lons):
            at_us = NOW_US - 20 * MINUTE_US + n * 15 * SECOND_US
            made.place("vehicle-1", lon, 0.0 if lon == 0 else 47.35002, at_us)
        yield made


def trail(town: Desk, scope: Scope, asset: str = "vehicle-1", span: str = SPAN) -> Any:
    """What is answered."""
    return town.ask(scope, f"roads/vehicles/{asset}/trail?{span}")


def test_a_trail_is_told_street_by_street_and_what_cannot_be_true_is_counted(town: Desk) -> None:
    told = trail(town, EVERYTHING).body
    assert told["positions"] == 10
    assert told["aside"] == {"nowhere": 1, "future": 0, "stale": 0, "jumps": 1, "off_street": 0}
    there, back = told["driven"]
    assert (there["street"], there["name"]) == ("street-1", "Rue Verte")
    assert (there["direction"], back["direction"]) == ("along", "against")
    assert to_us(datetime.fromisoformat(there["from"])) == NOW_US - 20 * MINUTE_US
    assert there["from"] < there["to"] < back["from"]
    assert there["positions"] + back["positions"] == 8
    assert there["sure"] > 0.99
    # 120 m there, 15 m on to the end of the street, where it turned, and 105 m back.
    assert told["distance_m"] == pytest.approx(240, abs=5)
    assert told["stops"] == []
    ((first, *_, last),) = told["path"]
    assert (first, last) == ([5.1492, 47.35002], [5.1496, 47.35002])


def test_the_fences_it_was_in_are_told_as_far_as_one_sees_them(town: Desk) -> None:
    def put_in_force(plan: str, area: str, west: float, east: float) -> None:
        corners = ((west, 47.34), (east, 47.34), (east, 47.36), (west, 47.36))
        plans = town.engine.plans
        plans.make(plan, FENCE, Fence(plan, corners, area), by=By("writer", NOW_US, f"{plan}-made"))
        plans.move(plan, "approve", number=1, revision=1, by=By("approver", NOW_US, f"{plan}-approved"))

    # The middle of the street, which it passes on its way and back; its end; and one that is Dijon's.
    put_in_force("middle", "metropole/quetigny", 5.1495, 5.15005)
    put_in_force("start", "metropole/quetigny", 5.1490, 5.1498)
    put_in_force("dijon", "metropole/dijon", 5.1490, 5.1510)
    told = trail(town, EVERYTHING).body["fences"]
    begun = NOW_US - 20 * MINUTE_US
    assert [(each["fence"], (to_us(datetime.fromisoformat(each["from"])) - begun) // SECOND_US) for each in told] == [
        ("dijon", 0), ("start", 0), ("middle", 15), ("middle", 120), ("start", 135),
    ]  # fmt: skip
    # It left the middle towards the end; where it is at last nobody knows that it has left.
    assert [each["to"] is None for each in told] == [True, False, False, True, True]
    crew = Scope((grant("metropole/quetigny", "*", "see", "see_crew"),))
    assert {each["fence"] for each in trail(town, crew).body["fences"]} == {"middle", "start"}


def test_where_it_stood_is_told_with_the_street(town: Desk) -> None:
    for n in range(8):
        town.place("vehicle-2", 5.19 + n * 1e-5, 47.39, NOW_US - 29 * MINUTE_US + n * 30 * SECOND_US)
    told = trail(town, EVERYTHING, "vehicle-2").body
    (stop,) = told["stops"]
    assert (stop["street"], told["distance_m"]) == ("street-2", 0)
    assert stop["lon"] == pytest.approx(5.190035, abs=1e-5)
    assert to_us(datetime.fromisoformat(stop["to"])) - to_us(datetime.fromisoformat(stop["from"])) == 210 * SECOND_US


def test_a_vehicle_that_said_nothing_has_an_empty_trail(town: Desk) -> None:
    told = trail(town, EVERYTHING, "vehicle-0").body
    assert (told["positions"], told["driven"]) == (0, [])


def test_who_may_not_see_the_crew_is_told_of_no_vehicle(town: Desk) -> None:
    crew = Scope((grant("metropole/quetigny", "*", "see", "see_crew"),))
    assert trail(town, crew).status == 200
    without = Scope((grant("metropole/quetigny", "*", "see"),))
    elsewhere = Scope((grant("metropole/dijon", "*", "see", "see_crew"),))
    assert [trail(town, scope).status for scope in (without, elsewhere)] == [404, 404]
    assert town.ask(None, f"roads/vehicles/vehicle-1/trail?{SPAN}").status in (401, 404)


def test_what_is_no_vehicle_and_no_time_is_refused(town: Desk) -> None:
    assert trail(town, EVERYTHING, "lamp-0-0").status == 404
    assert trail(town, EVERYTHING, "nothing").status == 404
    early = rfc3339(NOW_US - 3 * DAY_US)
    assert trail(town, EVERYTHING, span=f"from={early}").status == 400
    assert trail(town, EVERYTHING, span=f"from={rfc3339(NOW_US)}&to={early}").status == 400

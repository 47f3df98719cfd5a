"""Rounds over the API: how far they are, from what was said before and as it comes, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.city.desk import Desk, desk, grant
from tests.city import NOW_US
from vigie.api.roads.covering import NOTED_EACH
from vigie.core.scope import Scope
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us, rfc3339
from vigie.engine.plans import By
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch

AREA = "metropole/quetigny"
STARTED_US = NOW_US - 20 * MINUTE_US
HERE = Scope((grant(AREA, "*", "see"),))
CREW = Scope((grant(AREA, "*", "see", "see_crew"),))
ELSEWHERE = Scope((grant("metropole/dijon", "*", "see"),))


def put_in_force(town: Desk, plan: str, circuit: Circuit) -> None:
    """A circuit that one wrote and another approved."""
    plans = town.engine.plans
    plans.make(plan, CIRCUIT, circuit, by=By("writer", NOW_US - 2 * HOUR_US, f"{plan}-made"))
    plans.move(plan, "approve", number=1, revision=1, by=By("approver", NOW_US - 2 * HOUR_US, f"{plan}-approved"))


def drive(
    town: Desk, vehicle: str, lon: float, lat: float, at_us: int, *, tool: str, dosage: float | None = None
) -> None:
    """A vehicle drives 150 m to the east with its tool at work."""
    told: list[tuple[str, str, float | str, int]] = [(vehicle, tool, True, at_us)]
    town.report(told if dosage is None else [*told, (vehicle, "dosage", dosage, at_us)])
    for n in range(11):
        town.place(vehicle, lon - 0.001 + n * 0.0002, lat + 0.00002, at_us + n * 5 * SECOND_US)


def by_the_clock(at_us: int) -> str:
    """As hours are written; the town's zone is UTC."""
    return from_us(at_us).strftime("%H:%M")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One street was swept before anybody had a circuit in force; another is salted as it is followed."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        drive(made, "vehicle-1", 5.15, 47.35, STARTED_US, tool="brush")
        streets = (Stretch("street-1"), Stretch("street-2", due_min=10), Stretch("gone"))
        span = f"mon-sun {by_the_clock(NOW_US - HOUR_US)}-{by_the_clock(NOW_US + HOUR_US)}"
        put_in_force(made, "sweep", Circuit("Balayage est", "sweeping", streets, area=AREA, hours=span))
        put_in_force(
            made, "salt", Circuit("Salage est", "salting", (Stretch("street-1"), Stretch("street-2")), area=AREA)
        )
        over = f"mon-sun {by_the_clock(NOW_US - HOUR_US)}-{by_the_clock(NOW_US - 30 * MINUTE_US)}"
        put_in_force(made, "over", Circuit("Collecte est", "collection", streets[:1], area=AREA, hours=over))
        made.follow()
        drive(made, "vehicle-2", 5.19, 47.39, STARTED_US + MINUTE_US, tool="salting", dosage=15.0)
        made.follow(NOTED_EACH)
        yield made


def asked(town: Desk, scope: Scope, path: str = "") -> Any:
    """What is answered."""
    return town.ask(scope, f"roads/rounds{path}")


def test_how_far_each_circuit_is_is_told_to_who_sees_its_area(town: Desk) -> None:
    items = {each["id"]: each for each in asked(town, HERE).body["items"]}
    assert [each["name"] for each in asked(town, HERE).body["items"]] == ["Balayage est", "Collecte est", "Salage est"]
    counts = {id: tuple(each[state] for state in ("open", "done", "late", "done_late")) for id, each in items.items()}
    assert counts == {"sweep": (1, 1, 1, 0), "salt": (1, 1, 0, 0), "over": (0, 0, 1, 0)}
    assert (items["over"]["over"], items["sweep"]["over"]) == (True, False)
    assert asked(town, ELSEWHERE).body["items"] == []
    assert asked(town, ELSEWHERE, "/sweep").status == 404
    assert town.ask(None, "roads/rounds").status == 401


def test_what_was_driven_before_is_found_and_its_vehicle_told_to_who_may_see_the_crew(town: Desk) -> None:
    first, second, gone = asked(town, CREW, "/sweep").body["of_streets"]
    assert (first["street"], first["name"], first["state"], first["vehicle"]) == (
        "street-1", "Rue Verte", "done", "vehicle-1",
    )  # fmt: skip
    assert first["share"] >= 0.8
    assert first["at"] > rfc3339(STARTED_US)[:19]
    assert (second["state"], second["share"], second["at"]) == ("late", 0.0, None)
    assert (gone["state"], gone["name"]) == ("open", "")
    assert asked(town, HERE, "/sweep").body["of_streets"][0]["vehicle"] is None


def test_what_is_driven_is_told_as_it_comes_with_its_dosage(town: Desk) -> None:
    first, second = asked(town, CREW, "/salt").body["of_streets"]
    assert (first["state"], second["state"], second["vehicle"]) == ("open", "done", "vehicle-2")
    assert (first["dosage"], second["dosage"]) == (None, 15.0)


def test_its_streets_are_told_as_they_are_drawn(town: Desk) -> None:
    told = asked(town, HERE, "/sweep/lines").body
    first, _, gone = told["items"]
    assert (told["version"], first["street"], gone) == (1, "street-1", {"street": "gone", "line": []})
    assert all(abs(lon - 5.15) < 0.01 and abs(lat - 47.35) < 0.01 for lon, lat in first["line"])
    assert asked(town, ELSEWHERE, "/sweep/lines").status == 404


def test_what_was_over_before_anybody_planned_it_is_no_gap(town: Desk) -> None:
    over = f"mon-sun {by_the_clock(NOW_US - 4 * HOUR_US)}-{by_the_clock(NOW_US - 3 * HOUR_US)}"
    put_in_force(town, "new", Circuit("Neuf", "collection", (Stretch("street-1"),), area=AREA, hours=over))
    town.follow(NOTED_EACH)
    told = asked(town, HERE, "/new").body
    assert (told["start"], told["late"], told["of_streets"]) == (None, None, [])
    assert asked(town, HERE, "/new/turns").body["items"] == []


def test_what_was_left_out_is_kept_when_a_turn_is_over(town: Desk) -> None:
    (turn,) = asked(town, HERE, "/over/turns").body["items"]
    assert (turn["streets"], turn["gaps"]) == (1, [{"street": "street-1", "name": "Rue Verte", "share": 0.0}])
    assert asked(town, HERE, "/sweep/turns").body["items"] == []


def test_the_proof_names_the_hour_and_the_dosage_and_nobody(town: Desk) -> None:
    (proof,) = town.ask(HERE, "roads/streets/street-2/served").body["items"]
    assert proof == {"task": "salting", "hour": "2026-11-24T01:00:00Z", "dosage": 15.0}
    assert [each["task"] for each in town.ask(HERE, "roads/streets/street-1/served").body["items"]] == ["sweeping"]
    assert town.ask(HERE, "roads/streets/nothing/served").status == 404
    assert town.ask(HERE, f"roads/streets/street-1/served?from={rfc3339(NOW_US)}").body["items"] == []


def test_proofs_and_turns_are_forgotten_when_their_time_is_over(town: Desk) -> None:
    rounds, no = town.facts.rounds, town.engine.registry.numbers["street-1"]
    kept = rounds.of_street(no, 0, NOW_US)
    assert rounds.drop_before(kept[0].hour_us) == 0
    rounds.keep(kept, ())
    assert rounds.of_street(no, 0, NOW_US) == kept
    assert rounds.drop_before(NOW_US) == 2
    assert rounds.of_street(no, 0, NOW_US) == []
    assert rounds.turns("over", 5) == []


def test_where_no_circuit_is_in_force_nothing_is_followed(town: Desk) -> None:
    for plan in ("sweep", "salt", "over", "new"):
        town.engine.plans.move(plan, "withdraw", number=1, by=By("approver", NOW_US - 2 * HOUR_US, f"{plan}-ended"))
    town.follow()
    assert asked(town, HERE).body["items"] == []
    assert town.covering.told("sweep", NOW_US) is None

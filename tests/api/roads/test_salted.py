"""The public map of salted streets: what it tells, when, and of whom it tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.city.desk import Desk, desk
from tests.api.roads.test_rounds import AREA, drive, put_in_force
from tests.city import NOW_US
from vigie.api.roads.covering import NOTED_EACH
from vigie.api.roads.salted import ALLOWANCE, DELAY_US, HOURS, KEPT_US, STEP_US
from vigie.core.drafts import Draft
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us
from vigie.engine.source import Source
from vigie.services.roads.events import RoadEvent
from vigie.services.roads.rounds.circuits import Circuit, Stretch
from vigie.store.rounds import ServedStreet

EARLY_US = NOW_US - 40 * MINUTE_US
STREETS = {"street-0": (5.05, 47.35), "street-1": (5.15, 47.35), "street-2": (5.19, 47.39)}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One street was salted forty minutes ago, one is being salted now; one has a proof of six hours ago, one of two
    days ago."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        put_in_force(made, "salt", Circuit("Salage", "salting", tuple(map(Stretch, STREETS)), area=AREA))
        number = made.engine.registry.numbers
        old = [ServedStreet(number["street-0"], "salting", NOW_US // HOUR_US * HOUR_US - 6 * HOUR_US, 12.0)]
        old += [ServedStreet(number["street-2"], "salting", NOW_US - 48 * HOUR_US, 12.0)]
        old += [ServedStreet(number["street-2"], "sweeping", NOW_US - 4 * HOUR_US, None)]
        made.facts.rounds.keep(old, [])
        drive(made, "vehicle-1", *STREETS["street-1"], EARLY_US, tool="salting", dosage=15.0)
        made.follow(NOTED_EACH)
        yield made


def by_the_second(at_us: int) -> str:
    """As a whole instant is written."""
    return from_us(at_us).strftime("%Y-%m-%dT%H:%M:%SZ")


def told(town: Desk) -> dict[str, Any]:
    """What everybody is told now, made anew."""
    town.salted._salted = None
    answer = town.ask(None, "public/salted")
    assert answer.status == 200, answer.text
    return answer.body


def test_streets_are_told_to_everybody_with_a_time_in_steps_and_nothing_of_who(town: Desk) -> None:
    said = told(town)
    as_of_us = (town.sources.clock.now_us() - DELAY_US) // STEP_US * STEP_US
    assert (said["hours"], said["as_of"]) == (HOURS, by_the_second(as_of_us))
    first, second = said["streets"]
    assert (first["name"], first["area"], second["name"], second["area"]) == (
        "Rue Verte", "Quetigny", "Rue de l'Église", "Dijon",
    )  # fmt: skip
    step_us = (EARLY_US + 50_000_000) // STEP_US * STEP_US
    assert first["at"] == by_the_second(step_us)
    ((west, _), (east, _)) = (first["lines"][0][0], first["lines"][0][-1])
    assert (round(west, 3), round(east, 3)) == (5.149, 5.151)
    text = town.ask(None, "public/salted").text
    assert all(word not in text for word in ("vehicle", "crew", "dosage", "15.0", "circuit"))


def test_what_is_being_salted_is_not_told_yet_and_what_is_salted_again_stays_as_it_was(town: Desk) -> None:
    before = told(town)["streets"]
    drive(town, "vehicle-2", *STREETS["street-2"], NOW_US - 3 * MINUTE_US, tool="salting")
    drive(town, "vehicle-2", *STREETS["street-1"], NOW_US - 2 * MINUTE_US, tool="salting")
    town.follow(NOTED_EACH)
    assert told(town)["streets"] == before


def test_whoever_polls_learns_nothing_of_the_order_within_a_step(town: Desk) -> None:
    clock, began_us = town.clock, NOW_US // STEP_US * STEP_US + STEP_US
    stood_us, clock.at_us = clock.at_us, began_us + STEP_US
    drive(town, "vehicle-2", *STREETS["street-2"], began_us + 20 * SECOND_US, tool="salting")
    drive(town, "vehicle-2", *STREETS["street-1"], began_us + 150 * SECOND_US, tool="salting")
    town.follow(NOTED_EACH)
    at, news = by_the_second(began_us), dict[int, int]()
    for passed_us in range(0, 2 * STEP_US, KEPT_US):
        clock.at_us = began_us + DELAY_US + passed_us
        news[passed_us] = sum(each["at"] == at for each in told(town)["streets"])
    clock.at_us = stood_us
    # Both at once, when the step is over and the delay has passed.
    assert news == {passed_us: 2 if passed_us >= STEP_US else 0 for passed_us in news}


def test_an_answer_serves_everybody_for_a_while_and_is_spared_whom_has_it(town: Desk) -> None:
    first = town.ask(None, "public/salted")
    assert first.headers["cache-control"] == f"public, max-age={KEPT_US // 1_000_000}"
    assert town.ask(None, "public/salted", **{"If-None-Match": first.headers["etag"]}).status == 304
    ground = town.ask(None, "public/ground", **{"Accept-Encoding": "identity"}).body
    assert [each["name"] for each in ground["areas"]] == ["Dijon", "Quetigny"]
    assert len(ground["streets"]) == 3
    assert ground["whole"]


def test_after_a_start_what_was_salted_in_this_hour_is_told_ten_minutes_later(town: Desk) -> None:
    hour_us = NOW_US // HOUR_US * HOUR_US
    town.facts.rounds.keep([ServedStreet(town.engine.registry.numbers["street-0"], "salting", hour_us, 12.0)], [])
    town.salted._before = None

    def at() -> list[str]:
        return [each["at"] for each in told(town)["streets"] if each["name"] == "Rue de l'Église"]

    clock, stood_us = town.clock, town.clock.at_us
    was = at()
    clock.at_us += DELAY_US + STEP_US
    assert (was == [by_the_second(hour_us)], at()) == (False, [by_the_second(hour_us)])
    clock.at_us = stood_us


def test_the_map_is_drawn_anew_only_when_streets_or_communes_change(town: Desk) -> None:
    town.ask(None, "public/ground")
    drawn = town.salted._ground
    event = Draft(key="S-1", kind=RoadEvent.kind, lon=5.02, lat=47.31, attributes={"what": "accident"})
    Source(town.engine, "road-events", {}).take([event], fact_id="taken", at_us=NOW_US)
    town.ask(None, "public/ground")
    assert town.salted._ground is drawn


def test_who_asks_too_often_waits(town: Desk) -> None:
    statuses = [town.ask(None, "public/ground").status for _ in range(int(ALLOWANCE.burst) + 1)]
    assert statuses[-1] == 429

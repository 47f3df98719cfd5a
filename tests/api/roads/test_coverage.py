"""Turns of rounds that follow one another are each judged once, whatever happens to the post meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import shapely

from tests.api.city.desk import Desk, desk
from tests.api.roads.test_rounds import AREA, HERE, by_the_clock, drive
from tests.city import NOW_US, take
from vigie.api.roads import covering
from vigie.api.roads.covering import AFTER_US, NOTED_EACH, REMADE_US
from vigie.core.assets import AssetRecord
from vigie.core.drafts import Draft
from vigie.core.past import TooLong
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, rfc3339
from vigie.engine.plans import By
from vigie.engine.ports import StorageFull
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch
from vigie.store.past import DuckPast

_MINUTE_US = NOW_US // MINUTE_US * MINUTE_US
FIRST_US = _MINUTE_US - 3 * HOUR_US
"""Two turns follow each other: three hours ago to an hour ago, and from then on for three hours."""
SECOND_BEGINS_US = _MINUTE_US - HOUR_US
SECOND_ENDS_US = _MINUTE_US + 2 * HOUR_US
HOURS = "mon-sun {}-{} {}-{}".format(
    *(by_the_clock(each) for each in (FIRST_US, SECOND_BEGINS_US, SECOND_BEGINS_US, SECOND_ENDS_US))
)
EAST = Circuit("Balayage est", "sweeping", (Stretch("street-1"), Stretch("street-2")), area=AREA, hours=HOURS)
NORTH = Circuit("Balayage est", "sweeping", (Stretch("street-0"),), area=AREA, hours=HOURS)


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A circuit since an hour before its first turn; one of its streets was swept in that, which is not over yet."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        put_in_force(made, EAST, FIRST_US - HOUR_US)
        drive(made, "vehicle-1", 5.15, 47.35, SECOND_BEGINS_US - 10 * MINUTE_US, tool="brush")
        made.clock.at_us = SECOND_BEGINS_US - MINUTE_US
        yield made


def put_in_force(town: Desk, circuit: Circuit, at_us: int) -> None:
    """The first version of the circuit, or the next; it is written down."""
    plans, plan = town.engine.plans, town.engine.plans.find("east")
    by = By("writer", at_us, f"made-{at_us}")
    if plan is None:
        entries = [plans.make("east", CIRCUIT, circuit, by=by)]
    else:
        entries = [plans.save("east", circuit, number=plan.last, revision=0, by=by)]
    number = 1 if plan is None else plan.last + 1
    by = By("approver", at_us, f"approved-{at_us}")
    entries.append(plans.move("east", "approve", number=number, revision=1, by=by))
    town.facts.commit([each for each in entries if each is not None])


def at(town: Desk, at_us: int) -> None:
    """It is later, and the post has gone on."""
    town.clock.at_us = at_us
    town.follow(NOTED_EACH)


def kept(town: Desk) -> list[tuple[str, list[str]]]:
    """The turns that are kept, by when they began, and what was left out of each."""
    found: Any = town.ask(HERE, "roads/rounds/east/turns").body["items"]
    return [(each["start"], [gap["street"] for gap in each["gaps"]]) for each in reversed(found)]


ONE = (rfc3339(FIRST_US)[:19] + "Z", ["street-2"])
OTHER = (rfc3339(SECOND_BEGINS_US)[:19] + "Z", ["street-1", "street-2"])


def test_turns_that_adjoin_are_both_kept(town: Desk) -> None:
    at(town, SECOND_BEGINS_US - MINUTE_US)
    at(town, SECOND_BEGINS_US + MINUTE_US)
    assert kept(town) == []
    # What comes late of the turn that is over still counts.
    drive(town, "vehicle-2", 5.19, 47.39, SECOND_BEGINS_US - 5 * MINUTE_US, tool="brush")
    at(town, SECOND_BEGINS_US + AFTER_US)
    assert kept(town) == [(ONE[0], [])]
    at(town, SECOND_ENDS_US + AFTER_US)
    assert kept(town) == [(ONE[0], []), OTHER]


def test_a_turn_that_ended_while_the_post_was_down_is_judged_when_it_is_up(town: Desk) -> None:
    at(town, SECOND_BEGINS_US - MINUTE_US)
    town.start_following()
    at(town, SECOND_BEGINS_US + HOUR_US)
    assert kept(town) == [ONE]


def test_a_turn_is_judged_once_and_by_the_version_that_was_in_force_at_its_end(town: Desk) -> None:
    put_in_force(town, NORTH, SECOND_BEGINS_US + MINUTE_US)
    at(town, SECOND_BEGINS_US + AFTER_US)
    assert kept(town) == [ONE]
    # Once more, from the disk, with streets of yet another version.
    put_in_force(town, EAST, SECOND_BEGINS_US + 10 * MINUTE_US)
    town.start_following()
    at(town, SECOND_BEGINS_US + HOUR_US)
    assert kept(town) == [ONE]
    at(town, SECOND_ENDS_US + AFTER_US)
    assert kept(town) == [ONE, OTHER]


def test_the_past_that_is_more_than_is_read_at_once_is_read_in_parts(
    town: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "POSITIONS_MAX", 3)
    at(town, SECOND_BEGINS_US + AFTER_US)
    assert kept(town) == [ONE]


def test_the_past_that_could_not_be_read_is_read_later_and_what_is_heard_meanwhile_waits(
    town: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: Any, **__: Any) -> Any:
        raise TooLong

    with monkeypatch.context() as slow:
        slow.setattr(DuckPast, "told", too_long)
        with pytest.raises(TooLong):
            town.follow()
        drive(town, "vehicle-2", 5.19, 47.39, SECOND_BEGINS_US - 5 * MINUTE_US, tool="brush")
        town.follow()
    assert town.covering.told("east", town.clock.at_us) is None
    at(town, SECOND_BEGINS_US + AFTER_US)
    assert kept(town) == [(ONE[0], [])]


def add(town: Desk, kind: str) -> None:
    """Another asset."""
    line = shapely.to_wkb(shapely.LineString([(5.05, 47.35), (5.06, 47.35)])) if kind == "street" else None
    draft = Draft(key=f"new-{kind}", kind=kind, name="Neuve", lon=5.15, lat=47.35, area=AREA, geometry=line)
    take(town.facts, [draft], source=kind)
    no = town.engine.registry.count
    record = AssetRecord(no=no, id=f"{kind}-new-{kind}", kind=kind, name="Neuve", area=AREA, street="",
                         parent=0, reporter=0, lon=5.15, lat=47.35, attributes={}, made_us=NOW_US)  # fmt: skip
    town.engine.registry.add([record])


def test_all_is_made_anew_where_streets_have_changed_and_only_there(town: Desk) -> None:
    def progress() -> Any:
        town.clock.at_us += REMADE_US + 1
        town.follow()
        told = town.covering.told("east", town.clock.at_us)
        assert told is not None
        return told.progress

    town.clock.at_us = FIRST_US + HOUR_US
    first = progress()
    add(town, "camera")
    assert progress() is first
    add(town, "street")
    assert progress() is not first


def test_what_could_not_be_kept_is_kept_later(town: Desk) -> None:
    keep, full = town.facts.rounds.keep, [True]

    async def refusing(served: Any, turns: Any) -> None:
        if full:
            raise StorageFull("the disk is full")
        keep(served, turns)

    town.start_following(refusing)
    with pytest.raises(StorageFull):
        at(town, SECOND_BEGINS_US + AFTER_US)
    full.clear()
    at(town, SECOND_BEGINS_US + AFTER_US + SECOND_US)
    assert kept(town) == [ONE]
    (proof,) = town.ask(HERE, "roads/streets/street-1/served").body["items"]
    assert proof["task"] == "sweeping"

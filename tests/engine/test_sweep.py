"""The sweep over real stores: it waits for the inventory, and a crash neither doubles nor loses what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.city import NOW_US
from tests.engine.test_loop import City
from vigie.core.assets import AssetRecord
from vigie.core.calendar import Calendar
from vigie.core.drafts import Draft
from vigie.core.facts import ConditionRaised, Entry
from vigie.core.kinds import AssetKind, Attribute
from vigie.core.observations import Batch
from vigie.core.scope import Scope
from vigie.core.service import SWEEP_S, Raise
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.attributes import Said
from vigie.engine.hand import Hand
from vigie.engine.known import Frozen
from vigie.services.lighting.conditions import LAMP_OUT
from vigie.services.lighting.kinds import Luminaire

LAMP = "luminaire-000003"
EVENING_US = NOW_US
REPORT_US = 15 * MINUTE_US


@pytest.fixture
def city(tmp_path: Path) -> City:
    return warm(City(tmp_path))


def warm(city: City) -> City:
    city.engine.attributes.read(city.engine.registry.version)
    return city


def report(city: City, at_us: int, power: float) -> None:
    """A lamp reports that it burns and what it draws."""
    engine, n = city.engine, city.engine.next_ingest
    registry = engine.registry
    number = registry.numbers[LAMP]
    points = registry.kind_of(number).points
    slots = np.array([registry.slot(number, points[name]) for name in ("level", "power", "fault")], np.int64)
    batch = Batch(slots, np.full(3, at_us), np.array([100.0, power, 0.0]), np.full(3, np.nan), np.zeros(3, np.uint8))
    engine.record(n, at_us, batch)
    engine.react(n, at_us, batch)
    engine.settle()


def dark(city: City, *, sweeps: int = 3) -> int:
    """A lamp that is dark while it should burn, looked at after each report; returns the instant of the last one, which
    has not been looked at."""
    at_us = EVENING_US
    for _ in range(sweeps):
        report(city, at_us, 0.5)
        city.engine.sweep(at_us + SECOND_US)
        city.engine.settle()
        at_us += REPORT_US
    report(city, at_us, 0.5)
    return at_us


def raised(city: City) -> list[str]:
    """The ids of what was raised, in the order of the journal."""
    lines = city.facts.journal.lines()[::-1]
    return [line.fact.id for line in lines if isinstance(line.fact, ConditionRaised)]


def test_a_sweep_waits_until_the_inventory_was_read(tmp_path: Path) -> None:
    city = City(tmp_path)
    assert not city.engine.attributes.are_warm
    assert not city.engine.sweep(NOW_US)
    assert warm(city).engine.sweep(NOW_US)


def test_a_change_of_the_inventory_is_read_before_the_next_sweep(city: City) -> None:
    registry = city.engine.registry
    made = AssetRecord(
        no=registry.count, id="new", kind="luminaire", name="", area="", street="", parent=0, reporter=0, lon=0, lat=0,
        attributes={}, made_us=0,
    )  # fmt: skip
    registry.add([made])
    assert not city.engine.sweep(NOW_US)
    assert warm(city).engine.sweep(NOW_US)
    rated: Attribute = Luminaire.rated_power
    said = city.engine.attribute(Luminaire, rated, np.array([registry.numbers[LAMP], made.no]))
    assert said[0] == 60.0
    assert np.isnan(said[1])


def frozen(city: City) -> Frozen:
    return Frozen.of(city.engine, Calendar(ZoneInfo("Europe/Paris")), Scope.everything(), NOW_US)


def make_lamp(city: City) -> tuple[str, Entry]:
    """A luminaire stands in the registry; its fact is still to be owed."""
    draft = Draft(key="new", kind="luminaire", id="luminaire-new", lon=5, lat=47.3, attributes={"rated_power": 33.0})
    _, entry = Hand(city.engine).make(draft, 0, fact_id="made", actor="test", reason="", at_us=NOW_US)
    return draft.id, entry


def test_a_new_asset_is_told_as_soon_as_it_is_on_disk_whatever_was_asked_while_it_was_not(city: City) -> None:
    lamp, entry = make_lamp(city)
    assert lamp not in frozen(city).columns(Luminaire, "rated_power").ids, "its fact is not even owed"
    city.engine.owe([entry])
    assert lamp not in frozen(city).columns(Luminaire, "rated_power").ids, "its fact is not committed"
    city.engine.settle()
    assert lamp in frozen(city).columns(Luminaire, "rated_power").ids


def test_a_new_asset_whose_fact_is_committed_while_the_store_is_read_is_not_forgotten(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = city.facts.attributes

    def held(kind: type[AssetKind], names: Sequence[str]) -> Said:
        said = read(kind, names)
        city.engine.settle()
        return said

    lamp, entry = make_lamp(city)
    city.engine.owe([entry])
    with monkeypatch.context() as patched:
        patched.setattr(city.facts, "attributes", held)
        assert lamp not in frozen(city).columns(Luminaire, "rated_power").ids, "it was read before"
    assert lamp in frozen(city).columns(Luminaire, "rated_power").ids


def test_what_was_read_is_remembered_whatever_else_is_owed(city: City) -> None:
    _, entry = make_lamp(city)
    city.engine.owe([entry])
    city.engine.settle()
    city.engine.apply([Raise(LAMP_OUT, city.engine.registry.numbers[LAMP], NOW_US, {})], 1, "test", NOW_US)
    assert city.engine.owed
    attributes = city.engine.attributes
    assert attributes.of(Luminaire, ("flux",)) is attributes.of(Luminaire, ("flux",))


def test_what_a_sweep_finds_is_a_fact_once(city: City) -> None:
    at_us = dark(city, sweeps=2)
    assert raised(city) == []
    for turn in range(4):
        city.engine.sweep(at_us + int(turn * SWEEP_S) * SECOND_US)
        city.engine.settle()
    assert len(raised(city)) == 1
    assert city.lamp_is_out()


def test_a_crash_before_its_facts_are_kept_loses_nothing_and_the_same_sweep_gives_the_same_ids(city: City) -> None:
    at_us = dark(city, sweeps=2)
    city.engine.sweep(at_us)
    owed = [entry.fact.id for entry in city.engine._owed]
    assert len(owed) == 1
    again = warm(city.crash())
    assert raised(again) == []
    # What was remembered is gone: it takes two reports anew, and is found anew.
    at_us = dark(again, sweeps=2)
    again.engine.sweep(at_us)
    assert [entry.fact.id for entry in again.engine._owed] == owed
    again.engine.settle()
    assert raised(again) == owed


def test_a_crash_after_its_facts_are_kept_doubles_nothing(city: City) -> None:
    at_us = dark(city, sweeps=2)
    city.engine.sweep(at_us)
    city.engine.settle()
    before = raised(city)
    for _ in range(3):
        city = warm(city.crash())
        city.engine.sweep(at_us)
        city.engine.settle()
        assert raised(city) == before
        assert city.engine.present(LAMP_OUT)[0].evidence["power"] == 0.5


def test_what_was_found_before_a_crash_is_over_after_it(city: City) -> None:
    at_us = dark(city, sweeps=2)
    city.engine.sweep(at_us)
    city.engine.settle()
    city = warm(city.crash())
    for turn in range(1, 5):
        report(city, at_us + turn * REPORT_US, 58.0)
        city.engine.sweep(at_us + turn * REPORT_US + SECOND_US)
        city.engine.settle()
    assert not city.lamp_is_out()
    assert city.told() == ["raised lamp_out", "clear"]

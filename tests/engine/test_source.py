"""A source that is read while the post runs: all of it each time, and what it names no more is retired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.city import NOW_US, drafts, open_engine, open_facts, open_observations, take
from vigie.core.drafts import Draft
from vigie.engine.loop import Engine
from vigie.engine.source import Source
from vigie.services.lighting.kinds import Luminaire
from vigie.services.roads import Stop
from vigie.store.facts import SqlFacts

HERE = Draft(key="a/1", kind="stop", name="Darcy", lon=5.0, lat=47.3, attributes={"lines": "T1"})
THERE = Draft(key="a/2", kind="stop", name="Foch", lon=5.01, lat=47.31)


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[SqlFacts]:
    facts = open_facts(tmp_path)
    take(facts, drafts(2))
    yield facts
    facts.close()


@pytest.fixture
def engine(facts: SqlFacts, tmp_path: Path) -> Iterator[Engine]:
    observations = open_observations(tmp_path)
    yield open_engine(facts, observations)
    observations.close()


def test_what_a_source_names_is_there_and_what_it_names_no_more_is_gone(engine: Engine) -> None:
    registry, source = engine.registry, Source(engine, "stops", {})
    lamps, stops = registry.version_of(Luminaire), registry.version_of(Stop)
    intake = source.take([HERE, THERE], fact_id="1", at_us=NOW_US)
    assert (intake.made, source.count) == (2, 2)
    no = registry.numbers["stop-1"]
    assert (registry.names[no], bool(registry.gone[no])) == ("Darcy", False)
    # Of another kind nothing is made anew.
    assert registry.version_of(Luminaire) == lamps
    assert registry.version_of(Stop) == registry.version > stops
    # The same again changes nothing, and is no fact.
    version, owed = registry.version, engine.owed
    assert not source.take([THERE, HERE], fact_id="2", at_us=NOW_US + 1).rows
    assert (registry.version, engine.owed) == (version, owed)
    source.take([THERE], fact_id="3", at_us=NOW_US + 2)
    assert registry.gone[no]
    assert source.count == 1
    # What is named again is the same asset.
    back = source.take([HERE, THERE], fact_id="4", at_us=NOW_US + 3)
    assert [each.is_back for each in back.changes] == [True]
    assert not registry.gone[no]


def test_it_is_on_disk_as_it_is_held_and_a_start_goes_on_from_there(engine: Engine, facts: SqlFacts) -> None:
    source = Source(engine, "stops", {})
    source.take([HERE, THERE], fact_id="1", at_us=NOW_US)
    source.take([THERE], fact_id="2", at_us=NOW_US + 1)
    engine.settle()
    known = facts.known_of("stops")
    assert {key: (each.no, each.retired) for key, each in known.items()} == {
        "a/1": (engine.registry.numbers["stop-1"], True),
        "a/2": (engine.registry.numbers["stop-2"], False),
    }
    again = Source(engine, "stops", known)
    assert not again.take([THERE], fact_id="3", at_us=NOW_US + 2).rows
    assert again.take([HERE, THERE], fact_id="4", at_us=NOW_US + 3).changes[0].is_back


def test_what_does_not_fit_is_refused_and_the_rest_taken(engine: Engine) -> None:
    odd = Draft(key="a/3", kind="stop", lon=500.0, lat=47.3)
    intake = Source(engine, "stops", {}).take([odd, HERE], fact_id="1", at_us=NOW_US)
    assert [each.key for each in intake.refused] == ["a/3"]
    assert intake.made == 1

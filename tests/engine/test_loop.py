"""The loop over real stores: what a crash between two steps leaves, and that stepping twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.city import NOW_US, batch, drafts, open_engine, open_facts, open_observations, take
from vigie.core.facts import ConditionMoved, ConditionRaised, DeviceAdmitted, Entry
from vigie.core.times import SECOND_US
from vigie.engine.loop import Engine
from vigie.services.lighting.conditions import LAMP_OUT
from vigie.store.facts import SqlFacts
from vigie.store.observations import DuckObservations

LAMP = "luminaire-000003"


class City:
    """Both stores of a folder and the engine over them; `crash` forgets the engine without a word."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: SqlFacts = open_facts(folder)
        if not self.facts.registry_rows():
            take(self.facts, drafts())
        self.observations: DuckObservations = open_observations(folder)
        self.engine: Engine = open_engine(self.facts, self.observations)

    def crash(self) -> City:
        """The next process on the same files."""
        self.observations.close()
        self.facts.close()
        return City(self.folder)

    def send(self, *rows: tuple[str, str, float | str, int], react: bool = True, settle: bool = True) -> None:
        """One batch through the loop, as far as asked."""
        n, sent = self.engine.next_ingest, batch(self.engine, rows)
        self.engine.record(n, NOW_US, sent)
        if react:
            self.engine.react(n, NOW_US, sent)
        if settle:
            self.engine.settle()

    def told(self) -> list[str]:
        """The conditions' facts in the order they were journaled."""
        lines = self.facts.journal.lines()[::-1]
        return [
            f"raised {line.fact.kind}" if isinstance(line.fact, ConditionRaised) else line.fact.event
            for line in lines
            if isinstance(line.fact, ConditionRaised | ConditionMoved)
        ]

    def level(self) -> float:
        registry = self.engine.registry
        number = registry.numbers[LAMP]
        return float(self.engine.picture.value[registry.slot(number, registry.kind_of(number).points["level"])])

    def lamp_is_out(self) -> bool:
        return bool(self.engine.is_open(LAMP_OUT, np.array([self.engine.registry.numbers[LAMP]]))[0])


@pytest.fixture
def city(tmp_path: Path) -> City:
    """A small city."""
    return City(tmp_path)


def test_a_fault_is_raised_once_and_cleared_once(city: City) -> None:
    for n, fault in enumerate(("none", "lamp", "lamp", "driver", "none", "none")):
        city.send((LAMP, "fault", fault, NOW_US + n * SECOND_US))
    assert city.told() == ["raised lamp_out", "clear"]
    assert not city.lamp_is_out()


@pytest.mark.parametrize("react", [True, False])
def test_a_crash_between_observation_and_fact_loses_no_effect_and_doubles_none(city: City, react: bool) -> None:
    city.send((LAMP, "fault", "lamp", NOW_US), (LAMP, "level", 60.0, NOW_US), react=react, settle=False)
    assert city.told() == []
    for _ in range(3):
        city = city.crash()
        assert city.told() == ["raised lamp_out"]
        assert city.lamp_is_out()
        assert city.level() == 60.0


def test_effects_have_the_same_ids_whenever_they_are_stepped(city: City, tmp_path: Path) -> None:
    city.send((LAMP, "fault", "lamp", NOW_US), settle=False)
    owed = [entry.fact.id for entry in city.engine._owed]
    city = city.crash()
    assert [line.fact.id for line in city.facts.journal.lines(limit=1)] == owed


def test_a_picture_that_was_kept_is_the_picture_of_the_next_start(city: City) -> None:
    city.send((LAMP, "level", 60.0, NOW_US), (LAMP, "fault", "lamp", NOW_US))
    city.engine.keep(city.engine.frame(NOW_US))
    city.send((LAMP, "level", 70.0, NOW_US + 1))
    city = city.crash()
    assert city.level() == 70.0
    assert city.lamp_is_out()
    assert city.told() == ["raised lamp_out"]


def test_a_picture_is_never_kept_ahead_of_the_facts_it_led_to(city: City) -> None:
    city.send((LAMP, "fault", "lamp", NOW_US), settle=False)
    city.engine.keep(city.engine.frame(NOW_US))
    assert city.told() == ["raised lamp_out"]
    assert city.engine.owed == 0


def test_what_is_reacted_to_while_a_picture_is_being_kept_is_not_taken_for_what_it_holds(city: City) -> None:
    frame = city.engine.frame(NOW_US)
    city.send((LAMP, "fault", "lamp", NOW_US), settle=False)
    city.engine.keep(frame)
    assert city.told() == ["raised lamp_out"], "what is owed by then is written with it"
    city.send((LAMP, "fault", "none", NOW_US + 1), settle=False)
    frame = city.engine.frame(NOW_US)
    city.send((LAMP, "fault", "driver", NOW_US + 2), react=False, settle=False)
    city.engine.keep(frame)
    city = city.crash()
    assert city.told() == ["raised lamp_out", "clear", "raised lamp_out"]
    assert city.lamp_is_out()


def test_one_fact_that_no_table_takes_is_set_aside_and_stops_no_other(city: City) -> None:
    wrong = DeviceAdmitted(id="wrong", at=NOW_US, actor="test", device="x", count=1, items="")
    city.engine.owe([Entry(wrong, payload="not what its table takes")])
    city.send((LAMP, "fault", "lamp", NOW_US))
    assert city.told() == ["raised lamp_out"]
    assert [entry.fact.id for entry, _ in city.engine.set_aside] == ["wrong"]
    assert city.engine.owed == 0
    city = city.crash()
    assert city.told() == ["raised lamp_out"], "and what was reacted to is known to be"


def test_a_late_value_raises_nothing_and_moves_nothing(city: City) -> None:
    city.send((LAMP, "fault", "none", NOW_US), (LAMP, "level", 80.0, NOW_US))
    city.send((LAMP, "fault", "lamp", NOW_US - SECOND_US), (LAMP, "level", 10.0, NOW_US - SECOND_US))
    assert city.told() == []
    assert city.level() == 80.0
    with city.observations.reading() as read:
        assert read.execute("SELECT count(*) FROM number").fetchall() == [(4,)]


def test_history_sealed_since_the_last_picture_is_stepped_all_the_same(city: City) -> None:
    city.send((LAMP, "fault", "lamp", NOW_US), react=False, settle=False)
    city.observations.seal(NOW_US + 1)
    city = city.crash()
    assert city.told() == ["raised lamp_out"]

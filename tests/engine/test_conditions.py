"""Conditions: raised, cleared and raised again, each move one fact, and none for what is so already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from vigie.core.assets import AssetRecord
from vigie.core.facts import ConditionMoved, ConditionRaised, Entry
from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.service import Clear, Effect, Present, Raise
from vigie.engine.conditions import Conditions
from vigie.engine.registry import Registry

ALARM = ConditionKind(name="hot", service="water", outlet=Outlet.ALARM)
WORK = ConditionKind(name="worn", service="water", outlet=Outlet.MAINTENANCE)


def stop(no: int) -> AssetRecord:
    return AssetRecord(
        no=no, id=f"a{no}", kind="stop", name="", area="", street="", parent=0, reporter=0, lon=0, lat=0,
        attributes={}, made_us=0,
    )  # fmt: skip


def new_registry(count: int = 3) -> Registry:
    points = {(kind.kind, point): 0 for kind in CATALOGUE.assets.values() for point in kind.points}
    registry = Registry(CATALOGUE, {key: number for number, key in enumerate(points, 1)})
    registry.add(stop(no) for no in range(1, count + 1))
    return registry


def apply(conditions: Conditions, *effects: Effect, ingest: int = 1) -> list[Entry]:
    return conditions.apply(effects, shard="s", ingest=ingest, rule="r", first=0, now_us=NOW_US)


def is_open(conditions: Conditions, kind: ConditionKind, assets: Sequence[int]) -> list[bool]:
    return conditions.is_open(kind, np.array(assets, np.int64)).tolist()


def test_an_alarm_that_comes_back_before_anybody_saw_it_is_the_same_alarm() -> None:
    conditions = Conditions(new_registry())
    raised, cleared, again = apply(
        conditions, Raise(ALARM, 2, 5, {"t": 90.0}), Clear(ALARM, 2, 6), Raise(ALARM, 2, 7, {"t": 91.0})
    )
    assert isinstance(raised.fact, ConditionRaised)
    assert (raised.fact.asset, raised.fact.at, raised.fact.received) == ("a2", 5, NOW_US)
    assert (raised.fact.evidence, raised.fact.state, raised.payload) == ({"t": 90.0}, "unacknowledged", 2)
    assert isinstance(cleared.fact, ConditionMoved)
    assert isinstance(again.fact, ConditionMoved)
    assert (cleared.fact.event, cleared.fact.state) == ("clear", "returned_unacknowledged")
    assert (again.fact.event, again.fact.state, again.fact.at) == ("raise", "unacknowledged", 7)
    assert {cleared.fact.condition, again.fact.condition} == {raised.fact.id}
    assert len(conditions) == 1
    # Services are told since when it is so now, and what was seen then.
    assert conditions.present(ALARM) == [Present(2, 7, {"t": 91.0})]
    apply(conditions, Clear(ALARM, 2, 8))
    assert conditions.present(ALARM) == []


def test_an_alarm_that_cleared_is_kept_but_not_open() -> None:
    conditions = Conditions(new_registry())
    apply(conditions, Raise(ALARM, 1, 5, {}), Clear(ALARM, 1, 6))
    assert is_open(conditions, ALARM, [1, 2]) == [False, False]
    assert [each.state for each in conditions] == ["returned_unacknowledged"]


def test_work_that_is_done_ends_and_begins_anew_under_another_id() -> None:
    conditions = Conditions(new_registry())
    entries = apply(conditions, Raise(WORK, 1, 5, {}), Clear(WORK, 1, 6), Raise(WORK, 1, 7, {}))
    assert [type(entry.fact) for entry in entries] == [ConditionRaised, ConditionMoved, ConditionRaised]
    assert len({entry.fact.id for entry in entries}) == 3
    assert is_open(conditions, WORK, [1]) == [True]


@pytest.mark.parametrize("kind", [ALARM, WORK], ids=["alarm", "maintenance"])
def test_what_is_so_already_gives_no_fact(kind: ConditionKind) -> None:
    conditions = Conditions(new_registry())
    assert apply(conditions, Clear(kind, 1, 4)) == []
    assert len(apply(conditions, Raise(kind, 1, 5, {}), Raise(kind, 1, 6, {}))) == 1
    assert len(apply(conditions, Clear(kind, 1, 7), Clear(kind, 1, 8))) == 1


effects_of = st.lists(
    st.builds(Raise, st.sampled_from([ALARM, WORK]), st.integers(1, 3), st.integers(0, 9), st.just({}))
    | st.builds(Clear, st.sampled_from([ALARM, WORK]), st.integers(1, 3), st.integers(0, 9)),
    max_size=12,
)


@given(effects_of)
def test_the_same_steps_give_the_same_facts_and_open_is_what_was_said_last(effects: list[Effect]) -> None:
    one, other = Conditions(new_registry()), Conditions(new_registry())
    entries = apply(one, *effects)
    assert entries == apply(other, *effects)
    assert len({entry.fact.id for entry in entries}) == len(entries)
    said = {(effect.condition.name, effect.asset): isinstance(effect, Raise) for effect in effects}
    for kind in (ALARM, WORK):
        assert is_open(one, kind, [1, 2, 3]) == [said.get((kind.name, asset), False) for asset in (1, 2, 3)]
    assert apply(one, *effects[-1:], ingest=2) == []


@given(effects_of, effects_of)
def test_conditions_taken_up_again_go_on_as_they_were(before: list[Effect], after: list[Effect]) -> None:
    lived = Conditions(new_registry())
    apply(lived, *before)
    taken_up = Conditions(new_registry(), lived)
    assert apply(taken_up, *after, ingest=2) == apply(lived, *after, ingest=2)


def test_assets_that_come_later_have_conditions_too() -> None:
    registry = new_registry(1)
    conditions = Conditions(registry)
    assert is_open(conditions, ALARM, [1]) == [False]
    registry.add(stop(no) for no in range(2, 3_001))
    apply(conditions, Raise(ALARM, 2_999, 5, {}))
    assert is_open(conditions, ALARM, [1, 2_999]) == [False, True]

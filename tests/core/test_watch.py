"""Watches: one point decides, and what is so already asks for nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.kinds import AssetKind, ConditionKind, Outlet, Point, choice, flag
from vigie.core.service import Change, Clear, Floats, Numbers, Raise
from vigie.core.watch import Watch, points_of, watching


class Gate(AssetKind, name="gate", service="water"):
    """Something with a state and a flag."""

    state = choice("shut", "open", "stuck", "lost")
    working = flag()


STUCK = ConditionKind(name="gate_stuck", service="water", outlet=Outlet.ALARM)
DEAD = ConditionKind(name="gate_dead", service="water", outlet=Outlet.MAINTENANCE)
ON_STATE = Watch(Gate, Gate.state, STUCK, ("stuck", "lost"))
ON_FLAG = Watch(Gate, Gate.working, DEAD, (False,))


class Town:
    """A town of which only the open conditions are known."""

    def __init__(self, open_now: set[tuple[str, int]]) -> None:
        self.open_now = open_now

    def is_open(self, condition: ConditionKind, assets: Numbers) -> np.ndarray:
        return np.array([(condition.name, asset) in self.open_now for asset in assets.tolist()], np.bool_)

    def value(self, kind: type[AssetKind], point: Point, assets: Numbers) -> Floats:
        return np.full(len(assets), np.nan)

    def feeders(self, kind: type[AssetKind], assets: Numbers) -> Numbers:
        return np.zeros(len(assets), np.int64)

    def children(self, asset: int) -> Numbers:
        return np.empty(0, np.int64)


def change(point: Point, values: list[tuple[int, float]]) -> Change:
    assets = np.array([asset for asset, _ in values], np.int64)
    held = np.array([value for _, value in values], np.float64)
    return Change(point, Gate, assets, assets * 1_000, held, np.full(len(values), np.nan))


def test_what_is_watched_is_what_is_reacted_to_once() -> None:
    again = Watch(Gate, Gate.state, DEAD, ("open",))
    assert points_of(ON_STATE, ON_FLAG, again) == ((Gate, Gate.state), (Gate, Gate.working))


def test_each_effect_says_what_was_seen_and_when() -> None:
    town = Town({(STUCK.name, 2), (STUCK.name, 4)})
    step = watching(ON_STATE, ON_FLAG)
    effects = step([change(Gate.state, [(1, 2), (2, 3), (3, 0), (4, 1)]), change(Gate.working, [(9, 0.0)])], town, 5)
    assert effects == [
        Raise(STUCK, 1, 1_000, {"state": "stuck"}),
        Clear(STUCK, 4, 4_000),
        Raise(DEAD, 9, 9_000, {"working": 0.0}),
    ]


values_of = st.dictionaries(st.integers(1, 20), st.integers(0, 3).map(float), max_size=10)


@given(values_of, st.sets(st.integers(1, 20).map(lambda asset: (STUCK.name, asset))))
def test_after_its_effects_a_condition_is_open_where_the_point_says_so(values, open_now) -> None:
    town, said = Town(set(open_now)), change(Gate.state, list(values.items()))
    for effect in watching(ON_STATE)([said], town, 0):
        key = (effect.condition.name, effect.asset)
        assert (key in town.open_now) == isinstance(effect, Clear)
        (town.open_now.add if isinstance(effect, Raise) else town.open_now.remove)(key)
    for asset, value in values.items():
        assert ((STUCK.name, asset) in town.open_now) == (value in ON_STATE.codes)
    untouched = {key for key in open_now if key[1] not in values}
    assert untouched == {key for key in town.open_now if key[1] not in values}
    assert watching(ON_STATE)([said], town, 0) == []


def test_another_point_of_the_same_asset_moves_nothing() -> None:
    assert watching(ON_STATE)([change(Gate.working, [(1, 1.0)])], Town(set()), 0) == []

"""How assets stand, in columns: worst conditions, flags, versions and places, against what was sent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from vigie.core.assets import AssetRecord
from vigie.core.observations import Batch
from vigie.core.service import Clear, Raise
from vigie.core.times import SECOND_US
from vigie.engine.conditions import Conditions
from vigie.engine.inventory import KnownArea
from vigie.engine.picture import Picture
from vigie.engine.registry import Registry
from vigie.engine.standing import CONSIGNED, GONE, OLD, ORDER, RULED, Standing
from vigie.engine.whereabouts import Whereabouts
from vigie.services.lighting.conditions import DOOR_OPEN, FULL_LIGHT, LAMP_OUT
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.services.roads import Bus
from vigie.services.signals import SIGNALS_DARK

POINTS = {
    (kind.kind, name): number
    for number, (kind, name) in enumerate(((k, p) for k in CATALOGUE.assets.values() for p in k.points), 1)
}
LAMP, CABINET, BUS = 1, 2, 3
LAMP_VALID_US = int(Luminaire.level.valid_s * SECOND_US)


def record(no: int, kind: str, **changed: object) -> AssetRecord:
    """An asset in the west."""
    said: dict[str, object] = {
        "no": no, "id": f"a{no}", "kind": kind, "name": "", "area": "town/west", "street": "", "parent": 0,
        "reporter": 0, "lon": 5.0, "lat": 47.0, "attributes": {}, "made_us": 0,
    }  # fmt: skip
    return AssetRecord(**(said | changed))  # pyright: ignore[reportArgumentType]


def area(key: str, west: float, east: float) -> KnownArea:
    """A commune between two meridians."""
    surface = shapely.to_wkb(shapely.box(west, 46.5, east, 47.5))
    return KnownArea("test", key, "commune", key, "town", (west + east) / 2, 47.0, surface)


class City:
    """A lamp, a cabinet and a bus in the west of a town of two communes, and how they stand."""

    def __init__(self) -> None:
        self.registry = Registry(CATALOGUE, POINTS)
        self.registry.add([record(LAMP, "luminaire"), record(CABINET, "cabinet"), record(BUS, "bus")])
        self.picture = Picture(self.registry)
        self.conditions = Conditions(self.registry)
        whereabouts = Whereabouts(self.registry, [area("West", 4.9, 5.1), area("East", 5.1, 5.3)])
        self.standing = Standing(self.registry, self.picture, self.conditions, whereabouts)

    def send(
        self, rows: Iterable[tuple[int, str, float, float]], now_us: int = NOW_US, at_us: int | None = None
    ) -> None:
        """Folds (asset, point, value, second value)."""
        slots, first, second = [], [], []
        for asset, point, value, value2 in rows:
            slots.append(self.registry.slot(asset, self.registry.kind_of(asset).points[point]))
            first.append(value)
            second.append(value2)
        count = len(slots)
        observed = np.full(count, now_us if at_us is None else at_us, np.int64)
        quality = np.zeros(count, np.uint8)
        batch = Batch(np.array(slots, np.int64), observed, np.array(first), np.array(second), quality)
        self.standing.folded(self.picture.fold(batch, now_us), now_us)

    def told(self, since: int, now_us: int = NOW_US) -> set[int]:
        """The assets of which something that is drawn has changed since a version."""
        self.standing.catch_up(now_us)
        return set(np.flatnonzero(self.standing.changed > since).tolist())

    def raise_(self, *effects: Raise | Clear) -> None:
        """Moves conditions."""
        self.conditions.apply(effects, shard="s", ingest=self.conditions.moves + 1, rule="r", first=0, now_us=NOW_US)


@pytest.fixture
def city() -> City:
    """A small town."""
    return City()


def test_a_fold_changes_an_asset_by_its_shown_point_alone(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    city.send([(LAMP, "power", 40.0, np.nan)])
    assert city.told(since) == set()
    city.send([(LAMP, "level", 60.0, np.nan)])
    assert city.told(since) == {LAMP}
    assert city.standing.value_of(np.array([LAMP, CABINET])).tolist()[0] == 60.0
    assert city.standing.observed_s_of(np.array([LAMP]))[0] == NOW_US / 1e6
    assert np.isnan(city.standing.observed_s_of(np.array([CABINET]))[0])


def test_a_value_grows_old_by_time_alone_and_is_young_again_with_the_next(city: City) -> None:
    city.send([(LAMP, "level", 60.0, np.nan)])
    since = city.standing.catch_up(NOW_US + LAMP_VALID_US)
    assert not city.standing.flags[LAMP] & OLD
    late = NOW_US + LAMP_VALID_US + 2 * SECOND_US
    assert city.told(since, late) == {LAMP}
    assert city.standing.flags[LAMP] & OLD
    since = city.standing.version
    city.send([(LAMP, "level", 60.0, np.nan)], late)
    assert city.told(since, late) == {LAMP}
    assert not city.standing.flags[LAMP] & OLD
    city.send([(CABINET, "supply", 0.0, np.nan)], late, at_us=NOW_US)
    assert city.standing.flags[CABINET] & OLD, "what comes too late is old from the first"


def test_the_worst_open_condition_counts_and_a_shelved_one_does_not(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    city.raise_(Raise(LAMP_OUT, LAMP, NOW_US, {}), Raise(FULL_LIGHT, CABINET, NOW_US, {}))
    assert city.told(since) == {LAMP}, "what is only on record is not drawn"
    assert (city.standing.worst[LAMP], city.standing.worst[CABINET]) == (4, 0)
    city.raise_(Raise(DOOR_OPEN, CABINET, NOW_US, {}), Raise(SIGNALS_DARK, CABINET, NOW_US, {}))
    city.standing.catch_up(NOW_US)
    assert city.standing.worst[CABINET] == min(DOOR_OPEN.priority, SIGNALS_DARK.priority)
    since = city.standing.version
    city.raise_(Clear(LAMP_OUT, LAMP, NOW_US))
    assert city.told(since) == {LAMP}
    assert city.standing.worst[LAMP] == 0
    assert city.conditions.of(LAMP) == []


def test_moves_are_told_in_their_last_state_and_not_from_too_long_ago(city: City) -> None:
    start = city.conditions.moves
    city.raise_(Raise(LAMP_OUT, LAMP, NOW_US, {}), Raise(DOOR_OPEN, CABINET, NOW_US, {}))
    between = city.conditions.moves
    city.raise_(Clear(LAMP_OUT, LAMP, NOW_US))
    assert {(c.asset, c.state) for c in city.conditions.moved_since(start) or ()} == {
        (LAMP, "normal"),
        (CABINET, "unacknowledged"),
    }
    assert [c.asset for c in city.conditions.moved_since(between) or ()] == [LAMP]
    assert city.conditions.moved_since(city.conditions.moves) == []
    assert city.conditions.moved_since(-1) is None
    assert city.conditions.moved_since(city.conditions.moves + 1) is None


def test_orders_and_lock_outs_are_flags(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    both = np.array([LAMP, CABINET])
    city.standing.mark_orders(both, np.array([True, True]))
    assert city.told(since) == {LAMP, CABINET}
    since = city.standing.version
    city.standing.mark_orders(both, np.array([True, False]))
    assert city.told(since) == {CABINET}
    assert (city.standing.flags[LAMP] & ORDER, city.standing.flags[CABINET] & ORDER) == (ORDER, 0)
    since = city.standing.version
    held = np.array([False, True, True, False])
    city.standing.mark_consigned(held)
    assert city.told(since) == {LAMP, CABINET}
    since = city.standing.version
    city.standing.mark_consigned(np.array([False, True, False, False]))
    assert city.told(since) == {CABINET}
    assert city.standing.flags[LAMP] & CONSIGNED


def test_who_says_that_an_order_holds_it_bears_a_flag_until_it_says_otherwise(city: City) -> None:
    held, free = Luminaire.control.code("order"), Luminaire.control.code("programme")
    city.send([(LAMP, "control", free, np.nan), (CABINET, "full_light", 1.0, np.nan)])
    assert [bool(city.standing.flags[each] & RULED) for each in (LAMP, CABINET, BUS)] == [False, True, False]
    since = city.standing.catch_up(NOW_US)
    city.send([(LAMP, "control", held, np.nan)], at_us=NOW_US + 1)
    assert city.standing.flags[LAMP] & RULED
    assert city.told(since) == {LAMP}
    city.send([(LAMP, "control", free, np.nan), (CABINET, "full_light", 0.0, np.nan)], at_us=NOW_US + 2)
    assert not city.standing.flags[[LAMP, CABINET]].any()


def test_a_retired_asset_is_gone_and_a_new_one_is_told(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    city.registry.add([record(LAMP, "luminaire", retired_us=NOW_US), record(4, "luminaire", lon=5.05)])
    assert city.told(since) == {LAMP, 4}
    assert city.standing.flags[LAMP] & GONE
    assert not city.standing.flags[4] & GONE
    assert city.standing.lon[4] == 5.05


def test_what_is_put_elsewhere_by_hand_has_left_its_place(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    west = int(city.standing.area[LAMP])
    city.registry.add([record(LAMP, "luminaire", lon=5.2, area="town/east")])
    assert city.told(since) == {LAMP}
    left = city.standing.departed_since(since)
    assert (left.asset.tolist(), left.lon.tolist(), left.area.tolist()) == ([LAMP], [5.0], [west])
    assert city.standing.lon[LAMP] == 5.2


def test_a_mover_is_where_it_says_and_leaves_where_it_was(city: City) -> None:
    since = city.standing.catch_up(NOW_US)
    areas = city.registry.areas
    assert areas[int(city.standing.area[BUS])] == "town/west"
    city.send([(BUS, "position", 5.2, 47.0), (BUS, "heading", 90.0, np.nan)])
    assert city.told(since) == set(), "a position is no value that is shown"
    assert np.flatnonzero(city.standing.moved > since).tolist() == [BUS]
    assert areas[int(city.standing.area[BUS])] == "town/east"
    assert (city.standing.lon[BUS], city.standing.lat[BUS]) == (5.2, 47.0)
    assert city.standing.heading_of(np.array([BUS]))[0] == 90.0
    left = city.standing.departed_since(since)
    assert (left.asset.tolist(), left.lon.tolist()) == ([BUS], [5.0])
    assert len(city.standing.departed_since(city.standing.version).asset) == 0
    city.send([(BUS, "position", 9.0, 47.0)], NOW_US + SECOND_US)
    city.standing.catch_up(NOW_US)
    assert areas[int(city.standing.area[BUS])] == "", "beyond all areas"
    since = city.standing.version
    city.standing.catch_up(NOW_US + int(Bus.position.valid_s * SECOND_US) + 2 * SECOND_US)
    assert city.standing.place_old[BUS]
    assert city.standing.moved[BUS] > since


def test_departures_are_forgotten_from_the_oldest_and_the_floor_says_so(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vigie.engine.standing.DEPARTURES_MAX", 5)
    for n in range(9):
        city.send([(BUS, "position", 5.0 + n / 100, 47.0)], NOW_US + n)
        city.standing.catch_up(NOW_US)
    floor = city.standing.floor
    assert floor > 0
    assert len(city.standing.departed_since(floor).asset) == 5


actions = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.sampled_from([LAMP]), st.integers(0, 3)),
        st.tuples(st.just("raise"), st.sampled_from([LAMP, CABINET]), st.integers(0, 3)),
        st.tuples(st.just("clear"), st.sampled_from([LAMP, CABINET]), st.integers(0, 3)),
        st.tuples(st.just("drive"), st.just(BUS), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.just(0), st.integers(0, 2_000)),
        st.tuples(st.just("told"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(actions)
def test_whoever_is_told_what_changed_since_knows_what_the_columns_say(steps: list[tuple[str, int, int]]) -> None:
    """A reader that takes the changed rows at some moments has, at each of them, the very columns."""
    city, now_us, version = City(), NOW_US, 0
    known: dict[int, tuple[object, ...]] = dict.fromkeys((LAMP, CABINET, BUS), ())
    kinds = (LAMP_OUT, DOOR_OPEN, FULL_LIGHT, SIGNALS_DARK)

    def row(no: int) -> tuple[object, ...]:
        standing, one = city.standing, np.array([no])
        value = standing.value_of(one)[0]
        return (
            None if np.isnan(value) else float(value), int(standing.worst[no]), int(standing.flags[no]),
            float(standing.lon[no]), float(standing.lat[no]), bool(standing.place_old[no]),
        )  # fmt: skip

    for what, asset, argument in [*steps, ("told", 0, 0)]:
        now_us += 1
        match what:
            case "level":
                city.send([(asset, "level", float(argument), np.nan)], now_us)
            case "raise":
                city.raise_(Raise(kinds[argument], asset, now_us, {}))
            case "clear":
                city.raise_(Clear(kinds[argument], asset, now_us))
            case "drive":
                city.send([(asset, "position", 5.0 + argument / 10, 47.0)], now_us)
            case "wait":
                now_us += argument * SECOND_US
            case _:
                newest = city.standing.catch_up(now_us)
                for no in known:
                    if version == 0 or max(city.standing.changed[no], city.standing.moved[no]) > version:
                        known[no] = row(no)
                version = newest
                assert known == {no: row(no) for no in known}


def test_a_cabinet_of_choices_shows_its_code(city: City) -> None:
    city.send([(CABINET, "supply", float(Cabinet.supply.code("lost")), np.nan)])
    assert city.standing.value_of(np.array([CABINET]))[0] == Cabinet.supply.code("lost")

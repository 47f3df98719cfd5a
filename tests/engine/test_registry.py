"""The registry: the same columns however assets come in, and slots that can be found both ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE
from vigie.core.assets import AssetRecord
from vigie.engine.registry import NO_POINT, Registry

POINTS = [(kind.kind, point) for kind in CATALOGUE.assets.values() for point in kind.points]
NUMBERS = {key: number for number, key in enumerate(reversed(POINTS), 1)}
COLUMNS = ("kind", "area", "street", "parent", "reporter", "base", "lon", "lat", "gone")


@st.composite
def cities(draw: st.DrawFn) -> list[AssetRecord]:
    """Assets numbered from 1; each is fed by one before it, or by none."""
    return [
        AssetRecord(
            no=no, id=f"a{no}", name=f"n{no}", attributes={}, made_us=0, lon=no / 10, lat=-no / 10,
            kind=draw(st.sampled_from(list(CATALOGUE.assets))),
            area=draw(st.sampled_from(["", "d", "d/q", "d-s"])),
            street=draw(st.sampled_from(["", "Rue Verte", "Rue Grise"])),
            parent=draw(st.integers(0, no - 1)),
            reporter=draw(st.integers(0, 2)),
            retired_us=draw(st.sampled_from([None, 7])),
        )
        for no in range(1, draw(st.integers(1, 25)) + 1)
    ]  # fmt: skip


def registry_of(records: list[AssetRecord]) -> Registry:
    registry = Registry(CATALOGUE, NUMBERS)
    registry.add(records)
    return registry


@settings(deadline=None)
@given(cities())
def test_all_at_once_or_one_by_one_gives_the_same(records: list[AssetRecord]) -> None:
    one, other = registry_of(records), Registry(CATALOGUE, NUMBERS)
    other.add_columns(
        [
            (r.no, r.id, r.kind, r.area, r.parent, r.reporter, r.lon, r.lat, r.retired_us is not None, r.name, r.street)
            for r in records
        ]
    )
    assert (one.count, one.slots, one.ids, one.numbers) == (other.count, other.slots, other.ids, other.numbers)
    assert (one.areas, one.streets, one.names) == (other.areas, other.streets, other.names)
    for name in COLUMNS:
        assert getattr(one, name)[: one.count].tolist() == getattr(other, name)[: one.count].tolist(), name
    for name in ("slot_asset", "slot_point"):
        assert getattr(one, name)[: one.slots].tolist() == getattr(other, name)[: one.slots].tolist(), name


@settings(deadline=None)
@given(cities())
def test_a_slot_is_found_from_what_is_stored_and_back(records: list[AssetRecord]) -> None:
    registry = registry_of(records)
    slots = np.arange(registry.slots)
    assert registry.slots_at(registry.slot_asset[slots], registry.slot_point[slots]).tolist() == slots.tolist()
    wanted = [(r.no, point) for r in records for point in CATALOGUE.assets[r.kind].points.values()]
    assert [registry.slot(no, point) for no, point in wanted] == slots.tolist()


@settings(deadline=None)
@given(cities())
def test_what_is_stored_of_another_kind_or_unknown_has_no_slot(records: list[AssetRecord]) -> None:
    registry = registry_of(records)
    foreign = [n for (kind, _), n in NUMBERS.items() if kind != records[0].kind] + [len(NUMBERS) + 5]
    assets = np.full(len(foreign), 1, np.int64)
    assert set(registry.slots_at(assets, np.array(foreign, np.int64)).tolist()) == {NO_POINT}
    later = np.array([registry.count, registry.count + 9], np.int64)
    assert registry.slots_at(later, np.array([1, 1])).tolist() == [NO_POINT, NO_POINT]


@settings(deadline=None)
@given(cities(), st.data())
def test_what_is_fed_is_found_at_any_depth(records: list[AssetRecord], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(1, len(records))))
    fed = set(chosen)
    for record in records:
        if record.parent in fed:
            fed.add(record.no)
    registry = registry_of(records)
    assert set(np.flatnonzero(registry.fed_by(np.array(sorted(chosen), np.int64))).tolist()) == fed


@settings(deadline=None)
@given(cities())
def test_the_retired_are_no_children_and_of_no_kind(records: list[AssetRecord]) -> None:
    registry = registry_of(records)
    here = [record for record in records if record.retired_us is None]
    for record in records:
        assert registry.children(record.no).tolist() == [each.no for each in here if each.parent == record.no]
    for kind in registry.kinds:
        assert registry.of_kind(kind).tolist() == [each.no for each in here if each.kind == kind.kind]


def test_a_hole_in_the_numbers_is_refused() -> None:
    registry = Registry(CATALOGUE, NUMBERS)
    with pytest.raises(ValueError, match="without a hole"):
        registry.add_columns([(2, "a2", "bus", "", 0, 0, 0.0, 0.0, False, "", "")])
    record = AssetRecord(
        no=2, id="a2", kind="bus", name="", area="", street="", parent=0, reporter=0, lon=0, lat=0,
        attributes={}, made_us=0,
    )  # fmt: skip
    with pytest.raises(ValueError, match="number 2 after 0"):
        registry.add([record])

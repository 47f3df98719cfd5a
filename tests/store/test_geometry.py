"""Outlines as the store gives them: those of the town's tiles, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
from sqlalchemy import create_engine, update
from sqlalchemy.engine import Engine

from tests.city import CATALOGUE, drafts, open_facts, take
from vigie.core.drafts import Draft
from vigie.store.geometry import NUMBERS_MAX, read_outlines
from vigie.store.tables import ASSET

LINE = shapely.LineString([(5, 47), (5.1, 47.1)])
GROUND = [
    Draft(
        key=f"s{n}", kind="street", name="Rue Verte", lon=5, lat=47, geometry=shapely.to_wkb(LINE),
        attributes={"street_class": "local"} if n else {},
    )
    for n in range(3)
]  # fmt: skip
PARK = Draft(key="g1", kind="green", name="Parc", lon=5, lat=47, geometry=shapely.to_wkb(LINE.buffer(0.1)))


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Engine]:
    """A small town with three streets and a park."""
    facts = open_facts(tmp_path)
    take(facts, [*drafts(), *GROUND, PARK])
    facts.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'facts.sqlite'}")
    yield engine
    engine.dispose()


def set_of(sql: Engine, key: str, **values: object) -> int:
    """Changes a row; returns the asset's number."""
    with sql.begin() as write:
        write.execute(update(ASSET).where(ASSET.c.source_key == key).values(values))
        return write.execute(ASSET.select().where(ASSET.c.source_key == key)).one().no


def test_lines_and_surfaces_with_their_names_and_classes(sql: Engine) -> None:
    found = read_outlines(sql, CATALOGUE)
    assert [(each.kind, each.name, each.grade) for each in found] == [
        ("street", "Rue Verte", ""), ("street", "Rue Verte", "local"), ("street", "Rue Verte", "local"),
        ("green", "Parc", ""),
    ]  # fmt: skip
    assert found[0].geometry == LINE
    assert [each.no for each in found] == sorted(each.no for each in found)


def test_the_retired_are_none_at_the_start_and_gone_when_asked_for(sql: Engine) -> None:
    no = set_of(sql, "s1", retired_us=7)
    assert no not in {each.no for each in read_outlines(sql, CATALOGUE)}
    (gone,) = read_outlines(sql, CATALOGUE, [no])
    assert (gone.no, gone.kind, gone.geometry) == (no, "street", None)


def test_what_cannot_be_read_hides_nothing_else(sql: Engine) -> None:
    no = set_of(sql, "s1", geometry=b"no shape")
    found = read_outlines(sql, CATALOGUE)
    assert len(found) == len(GROUND)
    assert no not in {each.no for each in found}


def test_many_are_read_again_by_number(sql: Engine) -> None:
    whole = read_outlines(sql, CATALOGUE)
    assert read_outlines(sql, CATALOGUE, range(3 * NUMBERS_MAX)) == whole
    assert read_outlines(sql, CATALOGUE, []) == []

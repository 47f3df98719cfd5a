"""What an import does to the tables: placements are dated, what is gone is retired, what comes back has its number."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, text

from tests.city import CATALOGUE, NOW_US, open_facts
from vigie.core.drafts import Draft
from vigie.core.facts import AssetRetired, AssetsTaken, Entry
from vigie.engine.inventory import Intake, plan_intake
from vigie.store.facts import SqlFacts

LAMPS = [Draft(key=str(n), kind="luminaire", lon=5.0, lat=47.3, area="a/b", parent="c") for n in range(3)]
CABINET = Draft(key="c", kind="cabinet", lon=5.0, lat=47.3, area="a/b")


@pytest.fixture
def facts(tmp_path: Path) -> Generator[SqlFacts]:
    opened = open_facts(tmp_path)
    yield opened
    opened.close()


def take(facts: SqlFacts, drafts: Sequence[Draft], at_us: int, *, retire: bool = False) -> Intake:
    ids = facts.ids()
    known, areas = facts.known_of("here"), facts.known_areas()
    intake = plan_intake(CATALOGUE, drafts, known, ids, len(ids) + 1, source="here", areas=areas, retire=retire)
    fact = AssetsTaken(
        id=f"take-{at_us}",
        at=at_us,
        actor="test",
        source="here",
        made=intake.made,
        changed=len(intake.changes) - intake.made,
        unchanged=intake.unchanged,
        retired=len(intake.retired),
        rejected=0,
        items="",
    )
    facts.commit([Entry(fact, payload=intake.rows)])
    return intake


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(f"sqlite:///{folder / 'facts.sqlite'}")
    with engine.connect() as read:
        found = [tuple(row) for row in read.execute(text(query))]
    engine.dispose()
    return found


PLACEMENTS = "SELECT asset, area, from_us, until_us FROM placement ORDER BY asset, from_us"


def test_what_is_gone_is_retired_and_comes_back_under_its_number(facts: SqlFacts, tmp_path: Path) -> None:
    one, two, three = NOW_US, NOW_US + 10, NOW_US + 20
    take(facts, [CABINET, *LAMPS], one)
    take(facts, [CABINET, *LAMPS[:2]], two, retire=True)
    assert rows(tmp_path, "SELECT no FROM asset WHERE retired_us IS NOT NULL") == [(4,)]
    assert rows(tmp_path, PLACEMENTS)[-1] == (4, "a/b", one, two)
    assert [row[8] for row in facts.registry_rows()] == [False, False, False, True]
    again = take(facts, [CABINET, *LAMPS], three, retire=True)
    assert [(change.no, change.is_back) for change in again.changes] == [(4, True)]
    assert rows(tmp_path, PLACEMENTS)[-2:] == [(4, "a/b", one, two), (4, "a/b", three, None)]
    assert not any(row[8] for row in facts.registry_rows())
    assert take(facts, [CABINET, *LAMPS], three + 1, retire=True).rows == ()


def test_what_moves_to_another_area_is_placed_anew_and_only_that(facts: SqlFacts, tmp_path: Path) -> None:
    take(facts, LAMPS, NOW_US)
    other = [
        msgspec.structs.replace(LAMPS[0], area="a/c"),
        msgspec.structs.replace(LAMPS[1], lon=5.1),
        LAMPS[2],
    ]
    assert len(take(facts, other, NOW_US + 10).changes) == 2
    assert rows(tmp_path, PLACEMENTS) == [
        (1, "a/b", NOW_US, NOW_US + 10),
        (1, "a/c", NOW_US + 10, None),
        (2, "a/b", NOW_US, None),
        (3, "a/b", NOW_US, None),
    ]
    assert rows(tmp_path, "SELECT lon FROM asset ORDER BY no") == [(5.0,), (5.1,), (5.0,)]


def test_what_a_person_retired_stays_retired_whatever_its_source_says(facts: SqlFacts, tmp_path: Path) -> None:
    take(facts, LAMPS, NOW_US)
    facts.commit([Entry(AssetRetired(id="end", at=NOW_US + 5, actor="test", asset="luminaire-0"), payload=1)])
    assert take(facts, LAMPS, NOW_US + 10, retire=True).rows == ()
    moved = [msgspec.structs.replace(LAMPS[0], lon=5.2), *LAMPS[1:]]
    assert len(take(facts, moved, NOW_US + 20).changes) == 1
    assert rows(tmp_path, "SELECT lon, retired_us FROM asset WHERE no = 1") == [(5.2, NOW_US + 5)]
    assert rows(tmp_path, PLACEMENTS)[0] == (1, "a/b", NOW_US, NOW_US + 5)


def test_a_parent_of_an_earlier_import_is_found(facts: SqlFacts) -> None:
    take(facts, [CABINET], NOW_US)
    assert take(facts, [CABINET, *LAMPS], NOW_US + 10).dead == ()
    assert [row[4] for row in facts.registry_rows()] == [0, 1, 1, 1]

"""Lists of cases, over years of them: by an index that begins where the list does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.city import SERVICES, open_facts
from vigie.core.scope import Scope
from vigie.engine.cases import case_kinds_of
from vigie.store.cases import Filter, StoredCases

KINDS = {kind.key: kind for kind in case_kinds_of(SERVICES)}
KIND = ["roads.work_order"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredCases]:
    """No case at all: SQLite plans as it does with many, since nobody counts for it what is there."""
    facts = open_facts(tmp_path_factory.mktemp("facts"))
    yield facts.cases
    facts.close()


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """How SQLite goes about each question about cases."""
    found = list[str]()

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if "FROM cases" in statement:
            rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.append("; ".join(row[3] for row in rows))

    event.listen(Engine, "before_cursor_execute", explain)
    yield found
    event.remove(Engine, "before_cursor_execute", explain)


@pytest.mark.parametrize(
    ("wanted", "asked", "index"),
    [
        ({}, {}, "cases_opened (kind=?)"),
        ({}, {"after": (5, "x")}, "cases_opened (kind=? AND opened_us<?)"),
        ({}, {"by_due": True}, "cases_due (kind=?)"),
        ({}, {"by_due": True, "after": (5, "x")}, "cases_due (kind=? AND due_us>?)"),
        ({"states": ["open", "assigned"]}, {"by_due": True}, "cases_state (kind=? AND state=?)"),
        ({"street": "Rue Verte"}, {}, "cases_street (street=? AND kind=?)"),
        ({"owner": "u-1"}, {}, "cases_owner (owner=? AND kind=?)"),
        ({"crew": 7}, {}, "cases_crew (crew=? AND kind=?)"),
    ],
)
def test_a_page_begins_where_its_index_does(
    stored: StoredCases, plans: list[str], wanted: dict[str, Any], asked: dict[str, Any], index: str
) -> None:
    assert stored.page(Scope.everything(), Filter(kinds=KIND, **wanted), KINDS, **asked) == []
    assert index in plans[0]
    assert ("TEMP B-TREE" in plans[0]) is ("states" in wanted)


def test_what_is_counted_in_a_part_of_the_town_is_looked_up_there(stored: StoredCases, plans: list[str]) -> None:
    wanted = Filter(kinds=KIND, area="town/north")
    assert stored.count(Scope.everything(), wanted) == 0
    assert stored.states(Scope.everything(), wanted) == {}
    assert all("cases_area (area=?" in plan for plan in plans)
    assert len(plans) == 2

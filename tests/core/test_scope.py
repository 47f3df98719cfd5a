"""A scope read as a predicate, as SQL on both databases and as a table says the same thing."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.scope import ALL_SERVICES, ROLES, Grant, Placement, Scope, Verb, lies_in

# Near misses of one another, wildcards of LIKE, what sorts around "/", and letters beyond ASCII.
NAMES = ["dijon", "dijon-sud", "dijo", "dijon0", "dijon.", "Dijon", "%", "d_jon", "chenôve", "chenove", "é", "'", "𝄞"]
SERVICES = ["lighting", "signals", "roads", "li%", "light"]

areas = st.lists(st.sampled_from(NAMES), max_size=3).map("/".join)
placements = st.builds(
    Placement,
    area=areas,
    service=st.sampled_from(SERVICES),
    verb=st.sampled_from([Verb.SEE, Verb.SEE_CREW]),
    public=st.booleans(),
)
grants = st.builds(
    Grant,
    area=areas,
    services=st.frozensets(st.sampled_from([*SERVICES, ALL_SERVICES]), max_size=3),
    verbs=st.frozensets(st.sampled_from(list(Verb)), max_size=4) | st.sampled_from(list(ROLES.values())),
)
scopes = st.builds(Scope, st.frozensets(grants, max_size=4)) | st.just(Scope.everything())

LITE = sqlite3.connect(":memory:")
DUCK = duckdb.connect()
for database in (LITE, DUCK):
    database.execute("CREATE TABLE placement (n INTEGER, area TEXT, service TEXT, verb TEXT, public INTEGER)")


def rows_of(placed: list[Placement]) -> list[tuple[int, str, str, str, int]]:
    return [(n, p.area, p.service, str(p.verb), int(p.public)) for n, p in enumerate(placed)]


def by_sqlite(scope: Scope, placed: list[Placement], *, public: bool) -> set[int]:
    clause = scope.clause(public=public)
    LITE.execute("DELETE FROM placement")
    LITE.executemany("INSERT INTO placement VALUES (?, ?, ?, ?, ?)", rows_of(placed))
    return {n for (n,) in LITE.execute(f"SELECT n FROM placement WHERE {clause.text}", dict(clause.params))}


def by_duckdb(scope: Scope, placed: list[Placement], *, public: bool) -> set[int]:
    clause = scope.clause(public=public)
    DUCK.execute("DELETE FROM placement")
    if placed:
        DUCK.executemany("INSERT INTO placement VALUES (?, ?, ?, ?, ?)", rows_of(placed))
    text = clause.text.replace(":scope_", "$scope_")
    found = DUCK.execute(f"SELECT n FROM placement WHERE {text}", dict(clause.params)).fetchall()
    return {n for (n,) in found}


def by_table(scope: Scope, placed: list[Placement], *, public: bool) -> set[int]:
    table = scope.table([p.area for p in placed], [(p.service, p.verb, p.public) for p in placed], public=public)
    return {n for n in range(len(placed)) if table[n, n]}


@settings(max_examples=150, deadline=None)
@given(scopes, st.lists(placements, max_size=10), st.booleans())
def test_all_readings_of_a_scope_agree(scope: Scope, placed: list[Placement], public: bool) -> None:
    predicate = scope.sees if public else scope.covers
    seen = {n for n, placement in enumerate(placed) if predicate(placement)}
    assert by_table(scope, placed, public=public) == seen
    assert by_sqlite(scope, placed, public=public) == seen
    assert by_duckdb(scope, placed, public=public) == seen


@settings(deadline=None)
@given(scopes, grants, placements)
def test_another_grant_never_hides(scope: Scope, grant: Grant, placement: Placement) -> None:
    wider = Scope(scope.grants | {grant})
    assert wider.sees(placement) == (scope.sees(placement) or grant.covers(placement))


@settings(deadline=None)
@given(scopes, st.sampled_from(list(Verb)), placements)
def test_what_may_be_done_is_seen_too(scope: Scope, verb: Verb, placement: Placement) -> None:
    assert not scope.may(verb).covers(placement) or scope.covers(placement)
    assert scope.may(verb).has(verb) == scope.has(verb)


@given(placements)
def test_everything_sees_everything_and_nobody_what_is_public(placement: Placement) -> None:
    assert Scope.everything().covers(placement)
    assert not Scope().covers(placement)
    assert Scope().sees(placement) == placement.public


@given(areas, areas)
def test_an_area_lies_in_itself_in_the_town_and_in_what_is_above(area: str, other: str) -> None:
    assert lies_in(area, area)
    assert lies_in(area, "")
    parts, above = area.split("/"), other.split("/")
    assert lies_in(area, other) == (other == "" or parts[: len(above)] == above)


@pytest.mark.parametrize("miss", ["metropole/dijon-sud", "metropole/dijo", "metropole", "METROPOLE/dijon", "dijon", ""])
def test_a_near_miss_is_not_seen(miss: str) -> None:
    scope = Scope(frozenset({Grant("metropole/dijon", frozenset({ALL_SERVICES}), frozenset({Verb.SEE}))}))
    near, within = Placement(miss, "lighting"), Placement("metropole/dijon/centre", "lighting")
    assert by_sqlite(scope, [near, within], public=True) == {1}
    assert by_duckdb(scope, [near, within], public=True) == {1}
    assert not scope.sees(near)
    assert scope.sees(within)


@given(areas, st.sampled_from(SERVICES))
def test_an_elected_official_sees_no_crew(area: str, service: str) -> None:
    elected = Scope(frozenset({Grant("", frozenset({ALL_SERVICES}), ROLES["elected"])}))
    assert not elected.sees(Placement(area, service, Verb.SEE_CREW))
    assert elected.sees(Placement(area, service, Verb.SEE))
    assert not elected.has(Verb.PERSONAL)


@given(st.lists(grants, max_size=4), st.randoms(use_true_random=False))
def test_equal_scopes_have_equal_keys(given_grants: list[Grant], random) -> None:
    shuffled = list(given_grants)
    random.shuffle(shuffled)
    assert Scope(frozenset(given_grants)).key == Scope(frozenset(shuffled)).key


# What the parts of a key might be set apart with, so that one scope could be written like another.
crafty = st.text(alphabet='A/,;|*[]"\\é', max_size=6)
crafty_scopes = st.builds(
    Scope,
    st.frozensets(
        st.builds(
            Grant,
            area=crafty,
            services=st.frozensets(crafty, max_size=2),
            verbs=st.frozensets(crafty | st.sampled_from(list(Verb)), max_size=2),
        ),
        max_size=3,
    ),
)


@given(scopes | crafty_scopes, scopes | crafty_scopes)
def test_unequal_scopes_have_unequal_keys(one: Scope, other: Scope) -> None:
    assert (one == other) == (one.key == other.key)


def test_an_area_that_is_written_like_two_grants_has_another_key() -> None:
    one, two, both = (
        Grant(area, frozenset({ALL_SERVICES}), ROLES["elected"]) for area in ("A/x", "B", "A/x;*;journal,see|B")
    )
    assert Scope(frozenset({one, two})).key != Scope(frozenset({both})).key

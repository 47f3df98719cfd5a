"""One law for all that is read: list, table, search, sheet, tile, cluster, socket, conditions, figures, journal,
history and the dated table show a Scope what the predicate says, and nobody more than what kinds mark public."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.city.desk import AREAS, EVERYTHING, Desk, desk
from tests.city import NOW_US
from vigie.core.kinds import AssetKind, Shape
from vigie.core.scope import ALL_SERVICES, ROLES, Grant, Placement, Scope, Verb
from vigie.core.times import HOUR_US, rfc3339
from vigie.engine.tiles.points import stands

SERVICES = ("lighting", "signals", "roads", "video", "air", "places", "desk", ALL_SERVICES)

TILES, WIDE_TILES = ("11/1052/717", "11/1053/717"), ("8/131/89",)
"""The tiles that hold the whole town: those with every asset, and those that count what stands on a pixel."""

scopes = st.builds(
    Scope,
    st.frozensets(
        st.builds(
            Grant,
            area=st.sampled_from(["", *AREAS, "metropole/dij"]),
            services=st.frozensets(st.sampled_from(SERVICES), min_size=1, max_size=3),
            verbs=st.sampled_from(list(ROLES.values())) | st.frozensets(st.sampled_from(list(Verb)), max_size=4),
        ),
        max_size=3,
    ),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


def kind_of(town: Desk, asset: str) -> type[AssetKind]:
    return town.engine.registry.kind_of(town.engine.registry.numbers[asset])


def placements(town: Desk, asset: str) -> list[Placement]:
    """Where an asset belongs, and where it is if that counts."""
    registry = town.engine.registry
    no = registry.numbers[asset]
    kind = registry.kind_of(no)
    areas = [registry.areas[int(registry.area[no])]]
    if kind.follows_place:
        areas.append(registry.areas[int(town.engine.standing.area[no])])
    return [Placement(area, kind.service, kind.verb, kind.public) for area in areas]


def seen(town: Desk, scope: Scope) -> set[str]:
    return {each for each in town.engine.registry.numbers if any(map(scope.sees, placements(town, each)))}


def covered(town: Desk, scope: Scope) -> set[str]:
    return {each for each in town.engine.registry.numbers if any(map(scope.covers, placements(town, each)))}


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


@settings(max_examples=20, deadline=None)
@given(scopes)
def test_list_table_and_search_show_what_the_predicate_says(town: Desk, scope: Scope) -> None:
    expected = seen(town, scope)
    listed = ids(town.every(scope, "assets", 7))
    assert len(listed) == len(set(listed))
    assert set(listed) == expected
    whole = town.ask(scope, "assets?limit=1").body
    assert whole["total"] == len(expected)
    table = list(csv.DictReader(io.StringIO(town.ask(scope, "assets?format=csv").text)))
    assert [row["id"] for row in table] == listed
    found = town.ask(scope, "search?q=name&limit=50").body["items"]
    assert set(ids(found)) == {each for each in expected if "Name" in town.engine.registry.names[number(town, each)]}
    for each in town.engine.registry.numbers:
        answer = town.ask(scope, f"assets/{each}")
        assert answer.status == (200 if each in expected else 404), each


def number(town: Desk, asset: str) -> int:
    return town.engine.registry.numbers[asset]


def drawn(town: Desk, scope: Scope, tiles: Sequence[str]) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = []
    for tile in tiles:
        answer = town.ask(scope, f"tiles/assets/{tile}.mvt")
        assert answer.status == (200 if answer.content else 204)
        if answer.content:
            features += mapbox_vector_tile.decode(answer.content)["assets"]["features"]
    return features


@settings(max_examples=50, deadline=None)
@given(scopes)
def test_tiles_clusters_and_the_socket_show_what_the_predicate_says(town: Desk, scope: Scope) -> None:
    registry = town.engine.registry
    fixed = {registry.numbers[each] for each in seen(town, scope) if stands(kind_of(town, each))}
    assert {each["id"] for each in drawn(town, scope, TILES)} == fixed
    clusters = drawn(town, scope, WIDE_TILES)
    of_kind = Counter({each["properties"]["k"]: 0 for each in clusters})
    for each in clusters:
        of_kind[each["properties"]["k"]] += each["properties"]["n"]
    assert of_kind == Counter(int(registry.kind[no]) for no in fixed)
    screen = town.screen(scope)
    whole, known = covered(town, scope), seen(town, scope)
    reported = {registry.ids[no]: row for no, row in town.screen(EVERYTHING).picture.items()}
    open_to_them = {each for each in known & reported.keys() if each in whole or shown_is_public(town, each)}
    assert {registry.ids[no] for no in screen.picture} == open_to_them
    for no, row in screen.picture.items():
        all_of_it = reported[registry.ids[no]]
        assert row["value"] == all_of_it["value"] or np.isnan([row["value"], all_of_it["value"]]).all()
        assert row["worst"] == (all_of_it["worst"] if registry.ids[no] in whole else 0)
    movers = {"vehicle-0", "bus-0"} & known
    public = {each for each in movers if kind_of(town, each).points["position"].public}
    assert {registry.ids[no] for no in screen.movers} == (movers & whole) | public


def shown_is_public(town: Desk, asset: str) -> bool:
    kind = kind_of(town, asset)
    return bool(kind.shown) and kind.points[kind.shown].public


@settings(max_examples=50, deadline=None)
@given(scopes)
def test_the_dated_table_shows_what_the_predicate_says_of_where_things_belong(town: Desk, scope: Scope) -> None:
    registry = town.engine.registry
    for kind in registry.kinds:
        known = {each for each in registry.numbers if kind_of(town, each) is kind}
        for public, says in ((True, scope.sees), (False, scope.covers)):
            told = town.facts.sheets.placed_of_kind(kind.kind, scope, "", public=public)
            expected = {each for each in known if says(placements(town, each)[0])}
            if told is None:
                assert expected == known
            else:
                assert {registry.ids[asset] for asset, _, _ in told} == expected != known


@settings(max_examples=20, deadline=None)
@given(scopes)
def test_of_what_is_seen_only_because_it_is_public_nothing_else_is_told(town: Desk, scope: Scope) -> None:
    whole, may = covered(town, scope), scope.may(Verb.ORDER)

    def ordered(asset: str) -> list[str]:
        """What may be ordered: some of it takes the right of another service, beside that to see the asset."""
        own = placements(town, asset)[0]
        takes = {name: each.service for name, each in kind_of(town, asset).actions.items()}
        there = {name: Placement(own.area, service) if service else own for name, service in takes.items()}
        return [name for name, each in there.items() if may.covers(each) and scope.covers(own)]

    for row in town.every(scope, "assets", 50):
        asset, kind = row["id"], kind_of(town, row["id"])
        sheet = town.ask(scope, f"assets/{asset}").body
        known = {name for name, point in kind.points.items() if point.public or asset in whole}
        assert {each["point"] for each in sheet["points"]} <= known
        full = {each["point"] for each in town.ask(EVERYTHING, f"assets/{asset}").body["points"]}
        assert {each["point"] for each in sheet["points"]} == full & known
        if asset not in whole:
            assert (row["state"]["worst"], sheet["conditions"], sheet["commands"]) == (0, [], [])
            assert (sheet["consignation"], sheet["devices"]) == (None, [])
            assert all(kind.attributes[name].public for name in sheet["attributes"])
            assert row["state"]["shown"] is None or kind.points[row["state"]["shown"]["point"]].public
        assert sheet["actions"] == ordered(asset)
        others = [sheet["parent"], *sheet["children"]["items"], *sheet["neighbours"]]
        assert {each["id"] for each in others if each} <= seen(town, scope)


@settings(max_examples=20, deadline=None)
@given(scopes)
def test_conditions_and_figures_are_of_what_is_covered(town: Desk, scope: Scope) -> None:
    whole = covered(town, scope)
    registry = town.engine.registry
    open_now = [registry.ids[each.asset] for each in town.engine.conditions]
    assert len(open_now) > 10
    listed = town.every(scope, "conditions?open=true", 3)
    assert sorted(each["asset"]["id"] for each in listed) == sorted(each for each in open_now if each in whole)
    # What is over, and where that was, is read from the dated table, which knows no position of the moment.
    own = {each for each in registry.numbers if scope.covers(placements(town, each)[0])}
    past = town.every(scope, "conditions", 3)
    assert sorted(each["asset"]["id"] for each in past) == sorted(each for each in open_now if each in own)
    figures = town.ask(scope, "figures").body["services"]
    for service in {kind.service for kind in registry.kinds}:
        mine = [
            each
            for each in whole
            if kind_of(town, each).service == service and kind_of(town, each).shape is Shape.POINT
        ]
        assert figures.get(service, {}).get("assets", 0) == len(mine)
        if mine:
            worst = [town.ask(scope, f"assets/{each}").body["state"]["worst"] for each in mine]
            told = figures[service]
            assert [told[f"alarm{n}"] for n in (1, 2, 3)] == [worst.count(n) for n in (1, 2, 3)]
            assert told["maintenance"] == worst.count(4)


@settings(max_examples=20, deadline=None)
@given(scopes)
def test_the_journal_shows_what_its_readers_area_service_and_rights_cover(town: Desk, scope: Scope) -> None:
    if not scope.has(Verb.JOURNAL):
        assert town.ask(scope, "journal").status == 403
        return
    entries = town.every(scope, "journal", 4)
    raised = [each for each in entries if each["type"] == "ConditionRaised"]
    journal = scope.may(Verb.JOURNAL)
    expected = [
        each.id
        for each in town.engine.conditions
        if journal.covers(placements(town, town.engine.registry.ids[each.asset])[0])
    ]
    assert sorted(ids(raised)) == sorted(expected)
    # What concerns no place takes the right to personal data in the whole town, for the desk.
    whole_town = journal.covers(Placement("", "desk", Verb.PERSONAL))
    assert any(each["type"] == "AssetsTaken" for each in entries) == whole_town
    numbers = [each["n"] for each in entries]
    assert numbers == sorted(numbers, reverse=True)
    for n in range(town.facts.journal.size):
        assert town.ask(scope, f"journal/{n}/proof").status == (200 if n in numbers else 404)


@settings(max_examples=20, deadline=None)
@given(scopes)
def test_history_is_of_the_times_at_which_it_may_be_read(town: Desk, scope: Scope) -> None:
    span = f"from={rfc3339(NOW_US - HOUR_US)}&to={rfc3339(NOW_US + HOUR_US)}"
    for n in range(3):
        for asset, point in ((f"lamp-{n}-0", "level"), (f"air_station-{n}", "no2"), (f"vehicle-{n}", "activity")):
            answer = town.ask(scope, f"assets/{asset}/history?point={point}&{span}")
            own = placements(town, asset)[0]
            may = scope.covers(own) or (own.public and kind_of(town, asset).points[point].public)
            if answer.status == 200:
                assert len(answer.body["rows"]) == int(may), (asset, point)
            else:
                assert (answer.status, may, asset in seen(town, scope)) == (404, False, False)
    told = town.ask(scope, f"history?kind=luminaire&point=level&bucket_s=7200&{span}").body["rows"]
    mine = [40.0 + n for n in range(3) if scope.covers(placements(town, f"lamp-{n}-0")[0])]
    assert sum(row[4] for row in told) == len(mine)
    assert [min(row[1] for row in told), max(row[3] for row in told)] == [min(mine), max(mine)] if mine else told == []


def test_without_an_account_only_what_kinds_mark_public_is_told(town: Desk) -> None:
    kinds = town.ask(None, "kinds").body["assets"]
    assert kinds
    assert all(kind["public"] and not kind["actions"] for kind in kinds.values())
    assert all(point["public"] for kind in kinds.values() for point in kind["points"].values())
    assert all(attribute["public"] for kind in kinds.values() for attribute in kind["attributes"].values())
    rows = town.every(None, "assets", 10)
    assert set(ids(rows)) == seen(town, Scope())
    assert {row["kind"] for row in rows} == set(kinds) & {row["kind"] for row in town.every(EVERYTHING, "assets", 50)}
    for row in rows:
        kind = kind_of(town, row["id"])
        sheet = town.ask(None, f"assets/{row['id']}").body
        assert all(kind.points[each["point"]].public for each in sheet["points"])
        for name, point in kind.points.items():
            status = town.ask(None, f"assets/{row['id']}/history?point={name}").status
            assert status in ({200, 400} if point.public else {404}), name
    assert town.ask(None, "city").body["assets"].keys() <= kinds.keys()
    for path in (
        "figures",
        "conditions",
        "journal",
        "journal/head",
        "journal/0/proof",
        f"assets/{rows[0]['id']}/journal",
    ):
        answer = town.ask(None, path)
        assert answer.status == 401, path


def test_a_mover_is_where_it_said_to_those_who_may_know(town: Desk) -> None:
    box = "bbox=5.149,47.359,5.151,47.361"
    quetigny = Scope(frozenset({Grant("metropole/quetigny", frozenset({"*"}), frozenset({Verb.SEE, Verb.SEE_CREW}))}))
    elected = Scope(frozenset({Grant("", frozenset({"*"}), ROLES["elected"])}))
    assert set(ids(town.every(EVERYTHING, f"assets?{box}", 9))) == {"vehicle-0", "bus-0"}
    assert set(ids(town.every(quetigny, f"assets?{box}", 9))) == {"vehicle-0", "bus-0"}
    assert set(ids(town.every(elected, f"assets?{box}", 9))) == {"bus-0"}
    assert set(ids(town.every(None, f"assets?{box}", 9))) == {"bus-0"}
    assert town.ask(elected, "assets/vehicle-0").status == 404

"""Assets over HTTP: pages that stay whole while the city grows, filters, the CSV table, the sheet, ETags."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.api.city.desk import EVERYTHING, Desk, desk
from vigie.api.city import forms
from vigie.api.city.export import harmless
from vigie.core.assets import AssetRecord
from vigie.core.scope import ROLES, Grant, Scope

OPERATOR = Scope(frozenset({Grant("", frozenset({"*"}), ROLES["operator"])}))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A town of its own, for a test that adds to it."""
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.body["items"]]


def add(town: Desk, asset: str, **said: Any) -> None:
    registry = town.engine.registry
    record = {"name": "", "street": "", "parent": 0, "reporter": 0, "lon": 5.05, "lat": 47.35} | said
    no = registry.numbers.get(asset, registry.count)
    registry.add(
        [AssetRecord(no=no, id=asset, kind="luminaire", area="metropole/dijon", attributes={}, made_us=0, **record)]
    )


ANSWERS: dict[str, Any] = {
    "city": forms.City,
    "kinds": forms.Kinds,
    "assets": forms.Page[forms.AssetRow],
    "assets/lamp-0-0": forms.AssetSheet,
    "assets/dijon": forms.AssetSheet,
    "assets/vehicle-1": forms.AssetSheet,
    "assets/lamp-0-0/history?point=level": forms.History,
    "history?kind=luminaire&point=level": forms.History,
    "assets/junction-0/journal": forms.Page[forms.JournalEntry],
    "search?q=rue": forms.Page[forms.Found],
    "figures": forms.Figures,
    "conditions?open=true": forms.Page[forms.Alarm],
    "conditions": forms.Page[forms.Alarm],
    "journal": forms.Page[forms.JournalEntry],
    "journal/0/proof": forms.JournalProof,
}


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_is_what_it_is_said_to_be(town: Desk, path: str) -> None:
    answer = town.ask(EVERYTHING, path)
    assert answer.status == 200, answer.text
    told = msgspec.json.decode(answer.text, type=ANSWERS[path])
    assert msgspec.json.decode(msgspec.json.encode(told)) == answer.body


def test_pages_stay_whole_while_the_city_grows(growing: Desk) -> None:
    before = [row["id"] for row in growing.every(EVERYTHING, "assets", 7)]
    first = growing.ask(EVERYTHING, "assets?limit=10")
    assert ids(first) == before[:10]
    add(growing, "new-1")
    add(growing, before[3], name="renamed")
    second = growing.ask(EVERYTHING, f"assets?limit=10&cursor={first.body['next']}")
    assert ids(second) == before[10:20]
    last = growing.ask(EVERYTHING, f"assets?limit=500&cursor={second.body['next']}")
    assert ids(last) == [*before[20:], "new-1"]
    assert (last.body["next"], last.body["total"]) == (None, len(before) + 1)


@pytest.mark.parametrize("cursor", ["x", "kQM!", "gaFh", "%00", "kcA"])
def test_a_cursor_that_is_none_is_refused(town: Desk, cursor: str) -> None:
    answer = town.ask(EVERYTHING, f"assets?cursor={cursor}")
    assert answer.status == 400
    assert answer.body["title"] == "Not a cursor"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=camera", {"camera-0", "camera-1", "camera-2"}),
        ("kind=luminaire&area=metropole/quetigny/parc", {"lamp-2-0", "lamp-2-1", "lamp-2-2"}),
        ("kind=luminaire&area=metropole/quetigny", {f"lamp-{n}-{i}" for n in (1, 2) for i in range(3)}),
        ("kind=luminaire&area=metropole/que", set()),
        ("street=Rue Verte&kind=cabinet", {"cabinet-1"}),
        ("street=rue verte&kind=cabinet", set()),
        ("worst=1", {"junction-0", "junction-1", "junction-2"}),
        ("worst=4&area=metropole/dijon", {"lamp-0-0", "detector-0"}),
        ("kind=luminaire&q=oeillets", {"lamp-2-0", "lamp-2-1", "lamp-2-2"}),
        ("kind=luminaire&q=EGLI", {"lamp-0-0", "lamp-0-1", "lamp-0-2"}),
        ("q=lamp 0 1", {"lamp-0-1", "lamp-1-0"}),
        ("kind=luminaire&bbox=5.0499,47.34,5.05015,47.36", {"lamp-0-0", "lamp-0-1"}),
        ("kind=luminaire&polygon=5.0,47.3;5.1,47.3;5.1,47.4;5.0,47.4", {f"lamp-0-{i}" for i in range(3)}),
        ("kind=luminaire&polygon=5.0,47.3;5.1,47.4;5.1,47.3;5.0,47.4", {"lamp-0-1", "lamp-0-2"}),
    ],
)
def test_filters_are_all_held(town: Desk, query: str, expected: set[str]) -> None:
    answer = town.ask(EVERYTHING, f"assets?{query}")
    assert set(ids(answer)) == expected
    assert answer.body["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("lmit=3", "Did you mean 'limit'?"),
        ("xyzzy=3", "There are: kind, q"),
        ("limit=3&limit=4", "Say it once."),
        ("kind=luminair", "Did you mean 'luminaire'?"),
    ],
)
def test_what_is_wrong_says_what_mends_it(town: Desk, query: str, told: str) -> None:
    answer = town.ask(EVERYTHING, f"assets?{query}")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.body["mend"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "bbox=1,2,3", "bbox=1,2,3,nan", "polygon=1,2;3,4", "polygon=1;2;3",
     "format=xml", "worst=x"],
)  # fmt: skip
def test_what_is_impossible_is_refused(town: Desk, query: str) -> None:
    assert town.ask(EVERYTHING, f"assets?{query}").status == 400


def test_the_table_is_rfc_4180_in_the_readers_language_and_harmless(growing: Desk) -> None:
    add(growing, "evil", name='=HYPERLINK("http://x";"y"), or\nnot', street="@cmd")
    answer = growing.ask(EVERYTHING, "assets?format=csv&kind=luminaire")
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert "vigie.csv" in answer.headers["content-disposition"]
    assert not answer.text.startswith("\ufeff")
    assert "\r\n" in answer.text
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[0][:4] == ["id", "kind", "name", "street"]
    assert {len(row) for row in rows} == {len(rows[0])}
    evil = next(row for row in rows if row[0] == "evil")
    assert evil[2] == '\'=HYPERLINK("http://x";"y"), or\nnot'
    assert evil[3] == "'@cmd"
    lamp = next(row for row in rows if row[0] == "lamp-0-0")
    assert lamp[8:] == ["level", "40", "%", "2026-11-24T02:06:40.000000Z", "0"]
    french = growing.ask(None, "assets?format=csv", **{"Accept-Language": "fr"}).text
    assert french.startswith("identifiant,type,nom,rue")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_looks_like_a_formula_is_made_none(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless(f"x{text}") == f"x{text}"


def test_a_sheet_tells_what_it_feeds_and_what_stands_near(town: Desk) -> None:
    sheet = town.ask(OPERATOR, "assets/lamp-0-0").body
    assert sheet["parent"]["id"] == "cabinet-0"
    assert [each["id"] for each in sheet["neighbours"]][:3] == ["cabinet-0", "camera-0", "detector-0"]
    assert sheet["attributes"] == {"rated_power": 60.0}
    assert {each["point"]: each["value"] for each in sheet["points"]} == {"level": 40.0, "fault": "lamp"}
    assert [each["condition"] for each in sheet["conditions"]] == ["lamp_out"]
    assert sheet["actions"] == ["dim", "release"]
    cabinet = town.ask(OPERATOR, "assets/cabinet-0").body
    assert cabinet["children"]["total"] == 3
    assert [each["id"] for each in cabinet["children"]["items"]] == ["lamp-0-0", "lamp-0-1", "lamp-0-2"]
    street = town.ask(OPERATOR, "assets/street-0").body
    assert street["geometry"]["type"] == "LineString"


@pytest.mark.parametrize("path", ["city", "kinds", "assets/lamp-0-0"])
def test_what_is_as_it_was_is_not_sent_again(town: Desk, path: str) -> None:
    first = town.ask(OPERATOR, path)
    assert "private" in first.headers["cache-control"]
    again = town.ask(OPERATOR, path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]
    public = town.ask(None, path, **{"If-None-Match": first.headers["etag"]})
    assert public.status == 200
    assert "Cookie" in public.headers["vary"]


def test_the_city_tells_its_areas_and_its_sun(town: Desk) -> None:
    city = town.ask(OPERATOR, "city").body
    assert [area["path"] for area in city["areas"]] == [
        "metropole/dijon",
        "metropole/quetigny",
        "metropole/quetigny/parc",
    ]
    assert city["bounds"] == pytest.approx([5.0, 47.3, 5.2, 47.4])
    # The almanac has 07:57 and 16:55 for Dijon on that day, in its winter time.
    for event, almanac in (("rise", "2026-11-24T06:57:00Z"), ("set", "2026-11-24T15:55:00Z")):
        assert abs(datetime.fromisoformat(city["sun"][event]) - datetime.fromisoformat(almanac)) < timedelta(minutes=1)
    assert city["assets"]["luminaire"] == 9


def test_a_retired_asset_is_in_no_list_and_keeps_its_sheet(growing: Desk) -> None:
    add(growing, "old")
    registry = growing.engine.registry
    record = AssetRecord(
        no=registry.numbers["old"], id="old", kind="luminaire", name="", area="metropole/dijon", street="", parent=0,
        reporter=0, lon=5.05, lat=47.35, attributes={}, made_us=0, retired_us=1,
    )  # fmt: skip
    registry.add([record])
    assert "old" not in [row["id"] for row in growing.every(OPERATOR, "assets", 100)]
    assert growing.ask(OPERATOR, "search?q=old").body["items"] == []

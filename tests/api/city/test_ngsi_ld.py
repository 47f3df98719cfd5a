"""Street lighting as NGSI-LD: each Scope gets what the list of assets shows it, as documents that the models' schemas
accept, and of an asset that cannot be told what is missing; the same from a real post, for a program with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from hypothesis import given, settings
from typer.testing import CliRunner

from tests.api.city.desk import EVERYTHING, Desk, desk
from tests.api.city.test_scope import scopes
from tests.city import NOW_US
from tests.people import QUETIGNY
from tests.post import make, now_us, reading, running
from tests.protocols.ngsi_ld.test_documents import models, validator
from vigie.api.city import forms
from vigie.cli import main
from vigie.core.kinds import Quality
from vigie.core.scope import Scope
from vigie.core.times import rfc3339
from vigie.protocols.ngsi_ld import TABLE, read, simplified

__all__ = ["models"]

LIGHT, CABINET, GROUP = TABLE


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


def told(town: Desk, scope: Scope | None, type_: str, limit: int = 2) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """All entities of a type, by their assets, and what is missing of the others, page by page."""
    entities: dict[str, Any] = {}
    others: dict[str, list[str]] = {}
    cursor = ""
    while True:
        answer = town.ask(scope, f"ngsi-ld/entities?type={type_}&limit={limit}&cursor={cursor}")
        assert answer.status == 200, answer.text
        page = msgspec.json.decode(answer.content, type=forms.Entities)
        assert len(page.items) + len(page.left_out) <= limit
        entities |= {read(each).id: each for each in page.items}
        others |= {each.id: each.missing for each in page.left_out}
        if page.next is None:
            assert page.total == len(entities) + len(others)
            return entities, others
        cursor = page.next


@settings(max_examples=20)
@given(scopes)
def test_a_scope_gets_what_the_list_of_assets_shows_it(town: Desk, models: Path, scope: Scope) -> None:
    for type_, model in TABLE.items():
        entities, others = told(town, scope, type_)
        listed = {each["id"]: each for each in town.every(scope, f"assets?kind={model.kind}", 7)}
        assert entities.keys() | others.keys() == listed.keys()
        assert not entities.keys() & others.keys()
        for asset, document in entities.items():
            validator(models, type_).validate(simplified(document))
            sheet = town.ask(scope, f"assets/{asset}").body
            shown = {each["point"] for each in sheet["points"]}
            assert all(row.name not in document or row.point in shown for row in model.rows if row.point)
            links = read(document).links
            fed = {each["id"] for each in sheet["children"]["items"] if each["kind"] == "luminaire"}
            assert set(links.get("refStreetlight", ())) == (fed if model.group else set())
            if not model.group:
                parent = sheet["parent"] and (sheet["parent"]["id"],)
                assert links.get("refStreetlightControlCabinet") == parent


def test_who_sees_a_lamp_only_because_it_is_public_learns_nothing_of_its_state(town: Desk) -> None:
    entities, others = told(town, None, LIGHT)
    assert entities == {}
    assert set(map(tuple, others.values())) == {("status",)}
    assert told(town, None, CABINET) == ({}, {})


def test_a_lamp_that_reported_is_told_and_one_that_did_not_is_not_made_up(town: Desk) -> None:
    entities, others = told(town, EVERYTHING, LIGHT)
    assert entities.keys() == {f"lamp-{n}-0" for n in range(3)}
    lamp = entities["lamp-1-0"]
    assert lamp["status"] == {"type": "Property", "value": "defectiveLamp", "observedAt": rfc3339(NOW_US)}
    assert lamp["illuminanceLevel"]["value"] == 0.41
    assert lamp["powerRating"] == {"type": "Property", "value": 60.0, "unitCode": "WTT"}
    assert others["lamp-1-1"] == ["status"]
    _, cabinets = told(town, EVERYTHING, CABINET)
    assert cabinets == {f"cabinet-{n}": ["workingMode"] for n in range(3)}
    groups, _ = told(town, EVERYTHING, GROUP)
    assert read(groups["cabinet-0"]).links["refStreetlight"] == ("lamp-0-0", "lamp-0-1", "lamp-0-2")


def test_a_value_that_its_device_calls_bad_is_nothing_known(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        registry = made.engine.registry
        luminaire = registry.kind_of(registry.numbers["lamp-2-0"])
        slot = registry.slot(registry.numbers["lamp-2-0"], luminaire.points["fault"])
        made.report([("lamp-2-0", "fault", "none", NOW_US + 1)])
        assert "lamp-2-0" in told(made, EVERYTHING, LIGHT)[0]
        made.engine.picture.quality[slot] = Quality.BAD
        assert told(made, EVERYTHING, LIGHT)[1]["lamp-2-0"] == ["status"]


def test_key_values_are_the_same_without_units_and_instants(town: Desk) -> None:
    whole = town.ask(EVERYTHING, f"ngsi-ld/entities?type={LIGHT}").body["items"]
    bare = town.ask(EVERYTHING, f"ngsi-ld/entities?type={LIGHT}&options=keyValues").body["items"]
    assert bare == [simplified(each) for each in whole]


def test_an_area_holds_what_lies_below_it(town: Desk) -> None:
    answer = town.ask(EVERYTHING, f"ngsi-ld/entities?type={LIGHT}&area=metropole/quetigny")
    assert [read(each).id for each in answer.body["items"]] == ["lamp-1-0", "lamp-2-0"]


@pytest.mark.parametrize(
    "query", ["", "type=Vehicle", "type=Streetlight&limit=0", "type=Streetlight&cursor=!", "type=Streetlight&q=x"]
)
def test_what_cannot_be_meant_is_refused(town: Desk, query: str) -> None:
    assert town.ask(EVERYTHING, f"ngsi-ld/entities?{query}").status == 400


def test_a_program_reads_the_lighting_of_its_area_from_a_real_post(tmp_path: Path, models: Path) -> None:
    def vigie(*words: str) -> Result:
        result = CliRunner().invoke(main, [*words, "--data", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return result

    secret = make(tmp_path, lamps=6)
    words = ("tokens", "add", "broker", "--role", "operator", "--area", QUETIGNY)
    token = vigie(*words).stdout.splitlines()[-1]
    at_us = now_us()
    with running(tmp_path, secret) as post:
        lamps = [f"luminaire-{n:06d}" for n in range(6)]
        sent = [reading(lamp, "fault", "none", at_us) for lamp in lamps]
        sent += [reading(lamp, "level", 70.0, at_us) for lamp in lamps]
        assert post.send(sent).status == 200
        answer = post.ask("GET", f"/api/v1/ngsi-ld/entities?type={LIGHT}", Authorization=f"Bearer {token}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        entities = {read(each).id: each for each in answer.body["items"]}
        assert entities.keys() == {f"luminaire-{n:06d}" for n in (1, 3, 5)}
        for each in entities.values():
            validator(models, LIGHT).validate(simplified(each))
            assert each["powerState"] == {"type": "Property", "value": "low", "observedAt": rfc3339(at_us)}

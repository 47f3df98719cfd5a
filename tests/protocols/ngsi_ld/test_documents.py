"""Whatever is known of a lamp or a cabinet, its document is one that the Smart Data Models' own schemas accept, and
says exactly that; the schemas are read from the disk, never from the network."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import referencing
import referencing.exceptions
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from tests.conftest import PROJECT
from vigie.core.kinds import Sort
from vigie.core.times import rfc3339
from vigie.protocols.ngsi_ld import (
    CONTEXT,
    TABLE,
    Asset,
    Incomplete,
    Observed,
    Unreadable,
    entity_of,
    missing,
    read,
    simplified,
    write,
)

PARIS = ZoneInfo("Europe/Paris")
LIGHT, CABINET, GROUP = TABLE

formats = jsonschema.FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_instant(said: object) -> bool:
    """RFC 3339: a date and a time with a zone."""
    return not isinstance(said, str) or ("T" in said and datetime.fromisoformat(said).tzinfo is not None)


@cache
def validator(models: Path, type_: str) -> jsonschema.Draft202012Validator:
    """The validator of a model's schema; what it refers to lies beside it, and nothing else is found."""
    common = json.loads((models / "common-schema.json").read_text("utf-8"))
    schema = json.loads((models / "Streetlighting" / type_ / "schema.json").read_text("utf-8"))
    held = referencing.Resource.from_contents(common)
    registry = referencing.Registry().with_resource(
        "https://smart-data-models.github.io/data-models/common-schema.json", held
    )
    return jsonschema.Draft202012Validator(schema, registry=registry, format_checker=formats)


@pytest.fixture(scope="module")
def models(shared: Path) -> Path:
    folder = shared / "standards" / "smart-data-models"
    if not folder.is_dir():
        pytest.skip("the Smart Data Models are not beside the project")
    return folder


places = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
instants = st.integers(0, NOW_US * 2)
names = st.text(max_size=30)
ids = st.text(min_size=1, max_size=30)


def values_of(sort: Sort, choices: tuple[str, ...], low: float, high: float) -> st.SearchStrategy[Any]:
    match sort:
        case Sort.CHOICE:
            return st.sampled_from(choices)
        case Sort.FLAG:
            return st.booleans()
        case Sort.NUMBER:
            return st.floats(max(low, -1e12), min(high, 1e12))
        case _:
            return st.text(max_size=20) | st.dates().map(str) | st.just("2024-06")


@st.composite
def assets(draw: st.DrawFn, kind: str) -> Asset:
    """An asset of a kind, of which some is known."""
    declared = CATALOGUE.assets[kind]
    readings = {
        name: Observed(draw(values_of(point.sort, point.choices, point.low, point.high)), draw(instants))
        for name, point in declared.points.items()
        if draw(st.booleans())
    }
    attributes = {
        name: draw(values_of(each.sort, each.choices, -1e12, 1e12))
        for name, each in declared.attributes.items()
        if draw(st.booleans())
    }
    lit = kind == "cabinet"
    return Asset(
        id=draw(ids),
        place=draw(places),
        name=draw(names),
        area=draw(names),
        street=draw(names),
        readings=readings,
        attributes=attributes,
        fed_by="" if lit else draw(st.just("") | ids),
        feeds=draw(st.dictionaries(ids, places, max_size=4)) if lit else {},
    )


@pytest.mark.parametrize("type_", TABLE)
def test_the_table_names_what_the_kinds_declare_and_the_models_require(models: Path, type_: str) -> None:
    model, schema = TABLE[type_], validator(models, type_).schema
    kind = CATALOGUE.assets[model.kind]
    for row in model.rows:
        assert row.point in {"", *kind.points}
        assert row.attribute in {"", *kind.attributes}
        declared = kind.points[row.point] if row.point else kind.attributes.get(row.attribute)
        assert not row.words or (declared is not None and row.words.keys() <= set(declared.choices))
    properties = schema["allOf"][-1]["properties"]
    assert {row.name for row in model.rows} | {link.name for link in model.links} <= properties.keys()
    assert {link.name for link in model.links if link.many} == {
        link.name for link in model.links if properties[link.name].get("type") == "array"
    }
    # An id, a type and a place every asset has; a group's place is that of its lamps.
    always = {"id", "type"} | (set() if model.group else {"location"})
    assert set(model.required) == set(schema["required"]) - always


def test_no_reference_is_looked_for_on_the_network(models: Path) -> None:
    elsewhere = {"$ref": "https://smart-data-models.github.io/data-models/other.json"}
    with pytest.raises(referencing.exceptions.Unresolvable):
        validator(models, LIGHT).evolve(schema=elsewhere).validate({})


@pytest.mark.parametrize("type_", TABLE)
@given(data=st.data())
def test_every_document_is_valid_and_read_back_it_says_the_same(models: Path, type_: str, data: st.DataObject) -> None:
    asset = data.draw(assets(TABLE[type_].kind))
    entity = entity_of(asset, type_, PARIS)
    if names := missing(entity):
        with pytest.raises(Incomplete) as refused:
            write(entity)
        assert refused.value.names == names
        return
    document = json.loads(json.dumps(write(entity)))
    validator(models, type_).validate(simplified(document))
    assert read(document) == entity
    assert document["@context"] == list(CONTEXT)
    observed = {rfc3339(each.at_us) for each in asset.readings.values()}
    for row in TABLE[type_].rows:
        part = document.get(row.name)
        assert part is None or (part.get("observedAt") in observed) == bool(row.point)
        known = asset.readings.get(row.point) or asset.attributes.get(row.attribute)
        assert part is None or known is not None or not (row.point or row.attribute)


LAMP = Asset(
    id="lamp 7/é",
    place=(5.05, 47.35),
    name="Lampe 7",
    area="metropole/dijon",
    street="Rue Verte",
    readings={
        "level": Observed(60.0, NOW_US),
        "power": Observed(41.2, NOW_US - 86_400_000_000),
        "fault": Observed("none", NOW_US - 1),
    },
    attributes={"rated_power": 60.0, "installed": "2024-06-01", "flux": 7_000.0},
    fed_by="cabinet-1",
)


def test_a_lamp_is_told_in_the_models_units_each_value_with_its_own_age() -> None:
    document = write(entity_of(LAMP, LIGHT, PARIS))
    assert document["id"] == "urn:ngsi-ld:Streetlight:lamp%207%2F%C3%A9"
    assert document["illuminanceLevel"] == {"type": "Property", "value": 0.6, "observedAt": rfc3339(NOW_US)}
    assert document["powerConsumption"] == {
        "type": "Property",
        "value": 41.2,
        "unitCode": "WTT",
        "observedAt": rfc3339(NOW_US - 86_400_000_000),
    }
    assert simplified(document) == {
        "id": "urn:ngsi-ld:Streetlight:lamp%207%2F%C3%A9",
        "type": "Streetlight",
        "name": "Lampe 7",
        "status": "ok",
        "powerState": "low",
        "illuminanceLevel": 0.6,
        "powerConsumption": 41.2,
        "powerRating": 60.0,
        "dateServiceStarted": "2024-06-01T00:00:00+02:00",
        "observationDateTime": rfc3339(NOW_US),
        "refStreetlightControlCabinet": "urn:ngsi-ld:StreetlightControlCabinet:cabinet-1",
        "refStreetlightGroup": "urn:ngsi-ld:StreetlightGroup:cabinet-1",
        "location": {"type": "Point", "coordinates": [5.05, 47.35]},
        "address": {"streetAddress": "Rue Verte"},
        "areaServed": "metropole/dijon",
        "@context": list(CONTEXT),
    }


def test_a_cabinet_and_its_group_are_told() -> None:
    cabinet = Asset(
        id="c-1",
        place=(5.0, 47.0),
        readings={"power": Observed(3_300.0, NOW_US), "energy": Observed(1_234.5, NOW_US)},
        attributes={"switching": "switched"},
        feeds={"l-1": (5.01, 47.0), "l-2": (5.02, 47.0)},
    )
    document = simplified(write(entity_of(cabinet, CABINET, PARIS)))
    assert document["totalActivePower"] == 3.3
    assert document["lastMeterReading"] == 1_234.5
    assert document["workingMode"] == "semiautomatic"
    assert document["refStreetlightGroup"] == ["urn:ngsi-ld:StreetlightGroup:c-1"]
    group = simplified(write(entity_of(cabinet, GROUP, PARIS)))
    assert group["location"] == {"type": "MultiPoint", "coordinates": [[5.01, 47.0], [5.02, 47.0]]}
    assert group["refStreetlight"] == ["urn:ngsi-ld:Streetlight:l-1", "urn:ngsi-ld:Streetlight:l-2"]
    assert group["refStreetlightControlCabinet"] == "urn:ngsi-ld:StreetlightControlCabinet:c-1"


@pytest.mark.parametrize(
    ("level", "state"), [(0.0, "off"), (0.4, "low"), (99.0, "low"), (99.5, "on"), (100.0, "on"), (float("nan"), None)]
)
def test_the_power_state_follows_the_level(level: float, state: str | None) -> None:
    lamp = Asset(id="l", place=(5.0, 47.0), readings={"level": Observed(level, NOW_US)})
    said = entity_of(lamp, LIGHT, PARIS).properties.get("powerState")
    assert (said and said.value) == state


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        ("2024-12-01", "2024-12-01T00:00:00+01:00"),
        ("1905-03-01", "1905-02-28T23:50:39+00:00"),
        ("2024-06", None),
        ("2024", None),
        ("2024-02-30", None),
        ("last week", None),
    ],
)
def test_only_a_whole_date_is_told(installed: str, told: str | None) -> None:
    lamp = Asset(id="l", place=(5.0, 47.0), attributes={"installed": installed})
    said = entity_of(lamp, LIGHT, PARIS).properties.get("dateServiceStarted")
    assert (said and said.value) == told


@pytest.mark.parametrize("fault", ["supply", "unknown"])
def test_a_fault_that_the_model_has_no_word_for_is_told_as_no_other(fault: str) -> None:
    lamp = Asset(id="l", place=(5.0, 47.0), readings={"fault": Observed(fault, NOW_US)})
    assert missing(entity_of(lamp, LIGHT, PARIS)) == ("status",)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Vehicle"},
        {"type": ["Streetlight"]},
        {"id": "lamp-7"},
        {"id": 7},
        {"location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [5.0]}}},
        {"location": None},
        {"status": "ok"},
        {"illuminanceLevel": {"type": "Property", "value": 0.6, "observedAt": "2026-11-24T03:00:00"}},
        {"refStreetlightGroup": {"type": "Relationship", "object": "urn:ngsi-ld:Streetlight:x"}},
    ],
)
def test_what_is_no_such_document_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(write(entity_of(LAMP, LIGHT, PARIS)) | change)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "type", "location", "value"]), inner),
    )
)
def test_rubbish_is_refused_in_words(said: Any) -> None:
    with pytest.raises(Unreadable):
        read(said)


def test_every_property_is_described_to_those_who_read_it() -> None:
    page = (PROJECT / "docs" / "how-to" / "speak-ngsi-ld.md").read_text("utf-8")
    names = {row.name for model in TABLE.values() for row in model.rows}
    names |= {link.name for model in TABLE.values() for link in model.links} | TABLE.keys()
    assert [name for name in names if f"`{name}`" not in page] == []

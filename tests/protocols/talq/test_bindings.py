"""The table that joins TALQ's attributes and events to points: against the standard on one side, the Kinds on the
other."""

from __future__ import annotations

import pytest

from tests.conftest import PROJECT
from tests.protocols.talq.standard import Standard
from vigie.core.kinds import AssetKind, Sort
from vigie.protocols.talq.bindings import (
    CABINET,
    KINDS,
    LUMINAIRE,
    MEASURES,
    MOTION,
    NOTICES,
    RESTS,
    SIGNS,
    As,
    Measure,
    Rest,
    Sign,
    kind_of,
)
from vigie.services.lighting import service

ASSETS: dict[str, type[AssetKind]] = {kind.kind: kind for kind in service.assets}
SORT = {
    As.NUMBER: Sort.NUMBER,
    As.LEVEL: Sort.NUMBER,
    As.CHOICE: Sort.CHOICE,
    As.FULL: Sort.FLAG,
    As.FLAG: Sort.FLAG,
    As.CONTROL: Sort.CHOICE,
}
TYPE = {
    As.NUMBER: ("AttributeFloat", "AttributeInteger"),
    As.LEVEL: ("AttributeLevelState",),
    As.CHOICE: ("AttributeBinary",),
    As.FULL: ("AttributeCommand",),
    As.FLAG: ("AttributeBoolean",),
    As.CONTROL: ("AttributeCommand",),
}
# TALQ's unit, times the scale, is the point's.
UNIT = {
    ("Percent", 1.0): "%",
    ("Watts", 1.0): "W",
    ("KiloWatt", 1_000.0): "W",
    ("KiloWattHours", 1.0): "kWh",
    ("DegreesCelcius", 1.0): "Cel",
    ("Hours", 1.0): "h",
    ("Amperes", 1.0): "A",
    ("None", 1.0): "",
}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda each: f"{each.kind} {each.attribute} {each.point}")
def test_each_measure_joins_an_attribute_to_a_point(talq: Standard, measure: Measure) -> None:
    said = next(
        part["properties"][measure.attribute]["allOf"]
        for part in talq.model[measure.function]["allOf"]
        if measure.attribute in part.get("properties", {})
    )
    assert said[0]["$ref"].rsplit("/", 1)[1] in TYPE[measure.form]
    assert said[1]["x-talq-unit"] == measure.unit
    assert said[1]["x-talq-scope"] == "measurement"


@pytest.mark.parametrize("measure", MEASURES, ids=lambda each: f"{each.kind} {each.attribute} {each.point}")
def test_each_measures_point_is_a_kinds(measure: Measure) -> None:
    point = ASSETS[measure.kind].points[measure.point]
    assert point.sort is SORT[measure.form]
    assert point.unit == UNIT[measure.unit, measure.scale]
    assert {value for _, value in measure.choices} <= set(point.choices)


@pytest.mark.parametrize("sign", SIGNS, ids=lambda each: f"{each.kind} {each.event}")
def test_each_sign_is_an_event_and_a_choice_of_a_point(talq: Standard, sign: Sign) -> None:
    assert sign.event in talq.model["EventType"]["enum"]
    assert sign.value in ASSETS[sign.kind].points[sign.point].choices


@pytest.mark.parametrize("rest", RESTS, ids=lambda each: f"{each.kind} {each.point}")
def test_each_rest_is_a_choice_of_a_point(rest: Rest) -> None:
    assert rest.value in ASSETS[rest.kind].points[rest.point].choices


def test_each_notice_is_an_event_and_no_sign(talq: Standard) -> None:
    assert set(talq.model["EventType"]["enum"]) >= NOTICES
    assert not NOTICES & {sign.event for sign in SIGNS}


def test_what_is_bound_is_on_the_page() -> None:
    page = (PROJECT / "docs" / "explanation" / "talq.md").read_text("utf-8")
    names = {measure.attribute for measure in MEASURES} | {sign.event for sign in SIGNS} | NOTICES
    # Of one name under two spellings the page has the one that is not deprecated.
    assert {name for name in names if name not in page} == {"controlGearComFailure"}


def test_each_point_of_signs_has_its_rest() -> None:
    assert {(each.kind, each.point) for each in SIGNS} == {(each.kind, each.point) for each in RESTS}


def test_each_kind_is_one_and_each_function_is_the_standards(talq: Standard) -> None:
    assert {kind for kind, _ in KINDS} == {LUMINAIRE, CABINET, MOTION} <= set(ASSETS)
    assert frozenset().union(*(types for _, types in KINDS)) <= set(talq.model)
    assert kind_of(frozenset({"BasicFunction", "LampActuatorFunction"})) == LUMINAIRE
    assert kind_of(frozenset({"SegmentMonitorFunction", "LampActuatorFunction"})) == CABINET
    assert kind_of(frozenset({"GatewayFunction"})) == ""

"""The CNIG's form of lighting: what goes out comes back in, and what is not known is never made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.inventories.made import feature, geojson
from vigie.core.drafts import Scalar
from vigie.protocols.inventories import FileReading, read_source, shipped_mapping
from vigie.protocols.inventories.eclext import ATTRIBUTES, DEMANDED, UNKNOWN, LightPoint, Written, write

FILE = "points-lumineux.geojson"
WHOLE: Mapping[str, Scalar] = {
    "lamp": "LED", "lights": "road", "category": "a", "rated_power": 62.5, "flux": 8_150.0, "installed": "20210512",
    "colour_temperature": 2_700.0, "upward_light_share": 0.5, "flux_code_3": 98.1,
}  # fmt: skip


def point(**attributes: Scalar) -> LightPoint:
    return LightPoint("lamp-1", 5.0412345, 47.3212345, {**WHOLE, **attributes})


def read(data: bytes) -> FileReading:
    return read_source(shipped_mapping("cnig-eclext"), {FILE: data}).files[0]


def properties(written: Written) -> dict[str, Any]:
    (feature,) = json.loads(written.data)["features"]
    return feature["properties"]


def test_a_point_is_written_as_the_standard_names_things() -> None:
    said = properties(write([point()]))
    assert said == {
        "statut": "functional", "eclairagePublic": True, "usage": "A", "typeSource": "LED", "structure": "XX",
        "support": "XX", "temperatureCouleur": 2_700.0, "puissance": 62.5, "valideDe": "20210512",
        "extinctionNuit": None, "estAdaptatif": None, "fluxSource": 8_150.0, "cie3": 0.981, "ulrNominal": 0.005,
    }  # fmt: skip
    assert set(DEMANDED) <= said.keys()


@pytest.mark.parametrize(
    ("attributes", "name", "value"),
    [
        ({"installed": "2021-05-12"}, "valideDe", "20210512"),
        ({"installed": "2021-05"}, "valideDe", None),
        ({"installed": "2021"}, "valideDe", None),
        ({"lamp": "shp"}, "typeSource", "SHP"),
        ({"lamp": "Ballon fluo 125 W"}, "typeSource", UNKNOWN),
        ({"category": "b", "lights": "heritage"}, "usage", "B1"),
        ({"category": "b", "lights": "park"}, "usage", UNKNOWN),
        ({"category": "e"}, "usage", "E"),
    ],
)
def test_what_the_form_cannot_be_told_is_left_unknown(attributes: dict[str, Scalar], name: str, value: object) -> None:
    assert properties(write([point(**attributes)]))[name] == value


def test_what_is_demanded_and_not_known_is_counted() -> None:
    always = {"structure": 2, "support": 2, "extinctionNuit": 2, "estAdaptatif": 2}
    assert write([point(), point()]).unknown == always
    bare = write([LightPoint("bare", 5.0, 47.0, {})])
    assert bare.unknown.keys() == set(DEMANDED) - {"statut", "eclairagePublic"}
    assert write([]).unknown == {}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "lamp": st.sampled_from(["LED", "SHP", "IM"]),
            "category": st.sampled_from("acdefg"),
            "rated_power": st.floats(1, 1_000),
            "flux": st.floats(1, 100_000),
            "colour_temperature": st.floats(1_800, 6_500),
            "upward_light_share": st.integers(0, 1_000).map(lambda n: n / 10),
            "flux_code_3": st.integers(0, 1_000).map(lambda n: n / 10),
            "installed": st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8)),
        },
    )
)
def test_what_goes_out_comes_back_in(attributes: dict[str, Scalar]) -> None:
    written = write([LightPoint("a/1", 5.0412345, 47.3212345, attributes), point()])
    draft, whole = read(written.data).drafts
    assert (draft.key, draft.kind, draft.lon, draft.lat) == ("light-points/a/1", "luminaire", 5.0412345, 47.3212345)
    assert draft.attributes == pytest.approx(attributes)
    assert whole.attributes == pytest.approx({name: WHOLE[name] for name in ATTRIBUTES if name != "lights"})


def test_what_does_not_stand_yet_or_no_more_is_left_out() -> None:
    fields = properties(write([point()]))
    rows = [
        feature({**fields, "statut": each}, (5.0, 47.0)) | {"id": each} for each in ("functional", "projected", "other")
    ]
    found = read(geojson(*rows))
    assert [draft.key for draft in found.drafts] == ["light-points/functional", "light-points/other"]
    assert found.left_out == 1
    garden = read(geojson(feature({**fields, "usage": "B3"}, (5.0, 47.0)) | {"id": "g"})).drafts[0]
    assert garden.attributes["category"] == "b"
    advert = read(geojson(feature({**fields, "usage": "PU"}, (5.0, 47.0)) | {"id": "p"}))
    assert "category" not in advert.drafts[0].attributes
    assert any("PU" in each for each in advert.warnings)

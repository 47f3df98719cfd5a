"""Tiles of assets: each asset that a Scope shows is in one tile of each zoom, where it stands, and no other is."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import mapbox_vector_tile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE
from vigie.core.assets import AssetRecord
from vigie.core.scope import ALL_SERVICES, ROLES, Grant, Placement, Scope
from vigie.engine.registry import Registry
from vigie.engine.tiles.points import ALL_FROM_ZOOM, ZOOM_MAX, ZOOM_MIN, AssetIndex, stands

POINTS = [(kind.kind, point) for kind in CATALOGUE.assets.values() for point in kind.points]
NUMBERS = {key: number for number, key in enumerate(POINTS, 1)}
AREAS = ["", "dijon-metropole", "dijon-metropole/dijon", "dijon-metropole/dijon-sud", "montpellier"]

grants = st.builds(
    Grant,
    area=st.sampled_from(AREAS),
    services=st.frozensets(st.sampled_from([*CATALOGUE.services, ALL_SERVICES]), min_size=1, max_size=3),
    verbs=st.sampled_from(list(ROLES.values())),
)
scopes = st.builds(Scope, st.frozensets(grants, max_size=3)) | st.just(Scope.everything())
# A town, the rest of the world, and borders of tiles.
lons = st.floats(4.9, 5.2) | st.floats(-180, 180) | st.sampled_from([0.0, -180.0, 180.0, 5.625])
lats = st.floats(47.2, 47.4) | st.floats(-85, 85) | st.sampled_from([0.0])


@st.composite
def towns(draw: st.DrawFn) -> list[AssetRecord]:
    """Assets of all kinds, some of them retired, some at one place."""
    rows = draw(st.lists(st.tuples(lons, lats), min_size=1, max_size=8))
    return [
        AssetRecord(
            no=no, id=f"a{no}", name="", street="", attributes={}, made_us=0, parent=0, reporter=0,
            kind=draw(st.sampled_from(["luminaire", "cabinet", "camera", *CATALOGUE.assets])),
            area=draw(st.sampled_from(AREAS)),
            lon=lon, lat=lat,
            retired_us=draw(st.sampled_from([None, None, 7])),
        )
        for no, (lon, lat) in enumerate([*rows, *rows[:4]], 1)
    ]  # fmt: skip


def index_of(records: list[AssetRecord]) -> AssetIndex:
    registry = Registry(CATALOGUE, NUMBERS)
    registry.add(records)
    return AssetIndex.of(registry)


def to_be_seen(records: list[AssetRecord], scope: Scope) -> dict[int, AssetRecord]:
    """What the Scope shows, asset by asset."""
    seen: dict[int, AssetRecord] = {}
    for record in records:
        kind = CATALOGUE.assets[record.kind]
        placement = Placement(record.area, kind.service, kind.verb, kind.public)
        if stands(kind) and record.retired_us is None and scope.sees(placement):
            seen[record.no] = record
    return seen


def on_plane(record: AssetRecord) -> tuple[float, float]:
    """The unit square of Web Mercator, by another formula than the post's."""
    x = record.lon / 360 + 0.5
    return x, 0.5 - math.asinh(math.tan(math.radians(record.lat))) / math.tau


def tiles_near(records: list[AssetRecord], z: int) -> set[tuple[int, int]]:
    """The tiles in which the assets stand, and their neighbours."""
    side = 1 << z
    near: set[tuple[int, int]] = set()
    for record in records:
        x, y = (math.floor(each * side) for each in on_plane(record))
        near |= {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    return {(x, y) for x, y in near if 0 <= x < side and 0 <= y < side}


def features(tile: bytes) -> list[dict[str, Any]]:
    if not tile:
        return []
    (layer,) = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}).values()
    return layer["features"]


@settings(deadline=None, max_examples=60)
@given(towns(), scopes, st.integers(ALL_FROM_ZOOM, ZOOM_MAX))
def test_what_a_scope_shows_is_in_the_one_tile_that_it_lies_in(town: list[AssetRecord], scope: Scope, z: int) -> None:
    index, seen = index_of(town), to_be_seen(town, scope)
    visible = index.visible(scope)
    codes = list(CATALOGUE.assets)
    found: Counter[int] = Counter()
    for x, y in tiles_near(town, z):
        for feature in features(index.tile(z, x, y, visible)):
            found[feature["id"]] += 1
            record = seen[feature["id"]]
            assert codes[feature["properties"]["k"]] == record.kind
            at = feature["geometry"]["coordinates"]
            assert all(0 <= each < 8_192 for each in at)
            where = [(corner + each / 8_192) / (1 << z) for corner, each in zip((x, y), at, strict=True)]
            for told, true in zip(where, on_plane(record), strict=True):
                assert abs(told - true) <= 1.01 / 8_192 / (1 << z)
    assert found == Counter(dict.fromkeys(seen, 1))


@settings(deadline=None, max_examples=60)
@given(towns(), scopes, st.integers(ZOOM_MIN, ALL_FROM_ZOOM - 1))
def test_afar_one_point_stands_for_several_and_says_for_how_many(town: list[AssetRecord], scope: Scope, z: int) -> None:
    index, seen = index_of(town), to_be_seen(town, scope)
    visible = index.visible(scope)
    told: Counter[str] = Counter()
    codes = list(CATALOGUE.assets)
    for x, y in tiles_near(town, z):
        drawn = features(index.tile(z, x, y, visible))
        pixels = [(f["properties"]["k"], *(each // 16 for each in f["geometry"]["coordinates"])) for f in drawn]
        assert len(set(pixels)) == len(pixels)
        for feature in drawn:
            assert seen[feature["id"]].kind == codes[feature["properties"]["k"]]
            told[codes[feature["properties"]["k"]]] += feature["properties"]["n"]
    assert told == Counter(record.kind for record in seen.values())


def test_what_moves_and_what_has_a_shape_is_no_point() -> None:
    assert {name for name, kind in CATALOGUE.assets.items() if not stands(kind)} >= {
        "bus", "tram", "vehicle", "street", "building", "commune",
    }  # fmt: skip
    assert stands(CATALOGUE.assets["luminaire"])
    assert stands(CATALOGUE.assets["cabinet"])

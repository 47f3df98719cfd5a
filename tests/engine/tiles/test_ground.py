"""Tiles of the town: what is in them, cut at their borders, turned as the form asks, and joined where it is one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE
from vigie.core.kinds import AssetKind, Catalogue, Shape
from vigie.engine.tiles.ground import BUFFER, ZOOM_MAX, ZOOM_MIN, Ground, Outline
from vigie.engine.tiles.mvt import EXTENT

Z, X, Y = 15, 16_842, 11_572
"""A tile in Dijon."""

Place = tuple[float, float]


def degrees(x: float, y: float, tile: tuple[int, int, int] = (Z, X, Y)) -> Place:
    """A place in a tile, in shares of its side, as longitude and latitude."""
    z, tile_x, tile_y = tile
    lon = ((tile_x + x) / (1 << z) - 0.5) * 360
    return lon, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (tile_y + y) / (1 << z)))))


def ring(*places: Place) -> list[Place]:
    return [degrees(x, y) for x, y in places]


def box(west: float, north: float, east: float, south: float) -> shapely.Polygon:
    return shapely.Polygon(ring((west, north), (east, north), (east, south), (west, south)))


def street(no: int, name: str, *places: Place, grade: str = "local") -> Outline:
    return Outline(no, "street", name, grade, shapely.LineString(ring(*places)))


def ground(*outlines: Outline) -> Ground:
    return Ground(CATALOGUE, outlines)


def layers(tile: bytes) -> dict[str, list[dict[str, Any]]]:
    read = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}) if tile else {}
    return {name: layer["features"] for name, layer in read.items()}


def paths(feature: dict[str, Any]) -> list[Any]:
    """The lines or rings of a feature."""
    said = feature["geometry"]["coordinates"]
    kind = feature["geometry"]["type"]
    if kind == "MultiPolygon":
        return [each for part in said for each in part]
    return [said] if kind == "LineString" else said


def twice_area(path: Iterable[Place]) -> float:
    places = list(path)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(places, [*places[1:], places[0]], strict=True))


def test_each_kind_is_in_its_layer_with_its_name_and_class() -> None:
    town = ground(
        Outline(1, "commune", "Dijon", "", box(0, 0, 1, 1)),
        Outline(2, "district", "Centre", "", box(0, 0, 0.5, 1)),
        Outline(3, "green", "Parc", "", box(0.1, 0.1, 0.2, 0.2)),
        Outline(4, "water", "Lac", "", box(0.3, 0.1, 0.4, 0.2)),
        Outline(5, "building", "", "", box(0.5, 0.5, 0.51, 0.51)),
        street(6, "Rue Verte", (0.1, 0.5), (0.9, 0.5)),
        Outline(7, "transit_line", "T1", "tram", shapely.LineString(ring((0, 0.6), (1, 0.6)))),
    )
    found = layers(town.tile(Z, X, Y))
    assert {name: [each["properties"] for each in features] for name, features in found.items()} == {
        "areas": [{"name": "Dijon"}, {"name": "Centre"}],
        "green": [{"name": "Parc"}],
        "water": [{"name": "Lac"}],
        "buildings": [{}],
        "streets": [{"name": "Rue Verte", "class": "local"}],
        "transit": [{"name": "T1", "class": "tram"}],
    }


def test_only_what_anybody_may_see_is_drawn() -> None:
    class Duct(AssetKind, name="duct", service="roads", shape=Shape.LINE):
        """A duct, which is nobody's business."""

    class Path(AssetKind, name="path", service="roads", shape=Shape.LINE, public=True):
        """A path, which is everybody's."""

    line = shapely.LineString(ring((0, 0), (1, 1)))
    catalogue = Catalogue({"duct": Duct, "path": Path})
    town = Ground(catalogue, [Outline(1, "duct", "", "", line), Outline(2, "path", "", "", line)])
    assert set(layers(town.tile(Z, X, Y))) == {"path"}


def test_stretches_of_one_street_are_one_line_and_the_greatest_is_drawn_last() -> None:
    town = ground(
        street(1, "Grande Rue", (0.1, 0.1), (0.5, 0.1), grade="primary"),
        street(2, "Rue Verte", (0.1, 0.5), (0.4, 0.5)),
        street(3, "Rue Verte", (0.6, 0.5), (0.4, 0.5)),
        street(4, "Rue Verte", (0.6, 0.5), (0.9, 0.6)),
        street(5, "Rue Verte", (0.1, 0.9), (0.9, 0.9), grade="path"),
        street(6, "Rue Verte", (0.1, 0.95), (0.9, 0.95)),
    )
    found = layers(town.tile(Z, X, Y))["streets"]
    assert [(each["properties"]["class"], len(paths(each))) for each in found] == [
        ("path", 1), ("local", 2), ("primary", 1),
    ]  # fmt: skip
    assert sorted(len(path) for path in paths(found[1])) == [2, 4]


def test_a_line_goes_on_in_the_next_tile() -> None:
    town = ground(street(1, "Rue Verte", (0.5, 0.25), (1.5, 0.25)))
    (here,), (next_one,) = (paths(layers(town.tile(Z, x, Y))["streets"][0]) for x in (X, X + 1))
    assert sorted(here) == [[EXTENT // 2, EXTENT // 4], [EXTENT + BUFFER, EXTENT // 4]]
    assert sorted(next_one) == [[-BUFFER, EXTENT // 4], [EXTENT // 2, EXTENT // 4]]
    assert town.tile(Z, X + 2, Y) == b""


@pytest.mark.parametrize("turned", [False, True])
def test_rings_turn_as_the_form_asks_however_they_came(turned: bool) -> None:
    outer, hole = ring((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)), ring((0.3, 0.3), (0.3, 0.6), (0.6, 0.6))
    if turned:
        outer.reverse()
        hole.reverse()
    (feature,) = layers(ground(Outline(1, "green", "", "", shapely.Polygon(outer, [hole]))).tile(Z, X, Y))["green"]
    (exterior, interior) = paths(feature)
    assert twice_area(exterior) > 0 > twice_area(interior)


def test_a_tile_within_a_surface_is_full() -> None:
    (feature,) = layers(ground(Outline(1, "commune", "D", "", box(-9, -9, 9, 9))).tile(Z, X, Y))["areas"]
    (exterior,) = paths(feature)
    assert {tuple(place) for place in exterior} == {(a, b) for a in (-BUFFER, EXTENT + BUFFER)
                                                    for b in (-BUFFER, EXTENT + BUFFER)}  # fmt: skip


def test_neighbouring_areas_have_one_border_at_every_zoom() -> None:
    wave = [(0.5 + 0.05 * math.sin(n), n / 40) for n in range(41)]
    west = shapely.Polygon(ring((0, 0), *wave, (0, 1)))
    east = shapely.Polygon(ring((1, 1), *reversed(wave), (1, 0)))
    town = ground(Outline(1, "commune", "O", "", west), Outline(2, "commune", "E", "", east))
    for z in range(12, ZOOM_MAX + 1):
        found = layers(town.tile(z, X >> (Z - z), Y >> (Z - z)))["areas"]
        one, other = ({tuple(place) for path in paths(each) for place in path} for each in found)
        inner = [{(x, y) for x, y in side if min(abs(x - e) for e in edges) > 1} for side, edges in
                 ((one, _sides(one)[:1]), (other, _sides(other)[1:]))]  # fmt: skip
        assert inner[0] == inner[1], z


def _sides(places: set[tuple[int, int]]) -> list[int]:
    return [min(x for x, _ in places), max(x for x, _ in places)]


def test_buildings_are_drawn_near_and_what_is_smaller_than_a_pixel_is_not() -> None:
    town = ground(Outline(1, "building", "", "", box(0.5, 0.5, 0.55, 0.55)), street(2, "", (0.5, 0.5), (0.5005, 0.5)))
    near, less, far = (set(layers(town.tile(z, X >> (Z - z), Y >> (Z - z)))) for z in (15, 14, 13))
    assert (near, less, far) == ({"buildings", "streets"}, {"buildings"}, set())


def test_what_changes_by_hand_is_drawn_anew() -> None:
    town = ground(street(1, "Rue Verte", (0.1, 0.1), (0.9, 0.1)), street(2, "Rue Bleue", (0.1, 0.2), (0.9, 0.2)))
    before = town.edition
    town.take([street(1, "Rue Rouge", (0.1, 0.1), (0.9, 0.1)), Outline(2, "street", "Rue Bleue", "", None)])
    assert town.edition > before
    assert [each["properties"]["name"] for each in layers(town.tile(Z, X, Y))["streets"]] == ["Rue Rouge"]
    town.take([Outline(1, "street", "", "", None)])
    assert town.tile(Z, X, Y) == b""


def test_what_is_broken_hides_nothing_else() -> None:
    with np.errstate(invalid="ignore"):
        nowhere = shapely.Polygon([(5, 47), (math.nan, 47), (5, 48), (5, 47)])
    bow_tie = shapely.Polygon(ring((0.1, 0.1), (0.4, 0.4), (0.4, 0.1), (0.1, 0.4)))
    town = ground(
        Outline(1, "green", "noeud", "", bow_tie),
        Outline(2, "green", "vide", "", shapely.Polygon()),
        Outline(3, "green", "nulle part", "", nowhere),
        Outline(4, "green", "ligne", "", shapely.LineString(ring((0, 0), (1, 1)))),
        Outline(5, "green", "parc", "", shapely.GeometryCollection([box(0.5, 0.5, 0.9, 0.9)])),
        Outline(6, "street", "rond", "", box(0.5, 0.5, 0.9, 0.9)),
        Outline(7, "ufo", "", "", bow_tie),
    )
    found = layers(town.tile(Z, X, Y))
    assert {name: [each["properties"]["name"] for each in features] for name, features in found.items()} == {
        "green": ["noeud", "parc"]
    }
    for z in range(ZOOM_MIN, ZOOM_MAX + 1):
        town.tile(z, X >> (Z - z), Y >> (Z - z))


def test_no_town_is_no_tile() -> None:
    assert ground().tile(Z, X, Y) == b""


stars = st.lists(st.floats(0.02, 1.2), min_size=3, max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2), stars), min_size=1, max_size=4))
def test_a_tile_covers_what_the_surfaces_cover_of_it(blots: list[tuple[float, float, list[float]]]) -> None:
    def places(x: float, y: float, reach: list[float]) -> list[Place]:
        turns = [math.tau * n / len(reach) for n in range(len(reach))]
        return [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(reach, turns, strict=True)]

    drawn = [places(*blot) for blot in blots]
    town = ground(*(Outline(n, "water", str(n), "", shapely.Polygon(ring(*each))) for n, each in enumerate(drawn)))
    found = {each["properties"]["name"]: each for each in layers(town.tile(Z, X, Y)).get("water", [])}
    tile = shapely.box(0, 0, EXTENT, EXTENT)
    low, high = -BUFFER, EXTENT + BUFFER
    for n, each in enumerate(drawn):
        true = shapely.Polygon([(x * EXTENT, y * EXTENT) for x, y in each]).buffer(0).intersection(tile)
        said = shapely.Polygon()
        if str(n) in found:
            rings = paths(found[str(n)])
            assert all(low <= value <= high for path in rings for place in path for value in place)
            said = shapely.union_all([shapely.make_valid(shapely.Polygon(path)) for path in rings]).intersection(tile)
        assert shapely.area(shapely.symmetric_difference(true, said)) <= 2 * (true.length + 8)

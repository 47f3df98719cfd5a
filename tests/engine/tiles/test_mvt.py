"""The writing end of vector tiles, read back by another's reader."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.engine.tiles.mvt import Paths, paths_layer, points_layer, varint, varints, zigzag

numbers = st.integers(0, 2**64 - 1) | st.integers(0, 300) | st.sampled_from([2 ** (7 * n) - i for n in range(1, 10)
                                                                             for i in (0, 1)])  # fmt: skip
places = st.tuples(st.integers(-64, 8_256), st.integers(-64, 8_256))


def read(tile: bytes) -> dict[str, Any]:
    """The tile's layers, as they stand in it: y to the south."""
    return mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})


def column(values: Any) -> Any:
    return np.array(list(values), np.int64)


@given(st.lists(numbers))
def test_numbers_all_at_once_are_numbers_one_by_one(values: list[int]) -> None:
    data, widths = varints(np.array(values, np.uint64))
    parts = [varint(value) for value in values]
    assert data.tobytes() == b"".join(parts)
    assert widths.tolist() == [len(part) for part in parts]


def test_small_numbers_of_either_sign_are_small() -> None:
    assert zigzag(column([0, -1, 1, -2, 2, -(2**40)])).tolist() == [0, 1, 2, 3, 4, 2**41 - 1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**40), places, st.integers(0, 300), st.integers(0, 5)), min_size=1))
def test_points_come_back(rows: list[tuple[int, tuple[int, int], int, int]]) -> None:
    ids, at, k, n = zip(*rows, strict=True)
    x, y = zip(*at, strict=True)
    tile = points_layer("a", column(ids), column(x), column(y), {"k": column(k), "n": column(n)}, extent=8_192)
    layer = read(tile)["a"]
    assert (layer["extent"], layer["version"]) == (8_192, 2)
    found = [
        (f["id"], tuple(f["geometry"]["coordinates"]), f["properties"]["k"], f["properties"]["n"])
        for f in layer["features"]
    ]
    assert found == rows


def test_no_row_is_no_layer() -> None:
    none = column([])
    assert points_layer("a", none, none, none, {"k": none}) == b""
    assert paths_layer("a", Paths(none.reshape(0, 2), column([0]), none), [], surfaces=False) == b""


@settings(deadline=None)
@given(st.lists(st.lists(st.lists(places, min_size=2, max_size=6), min_size=1, max_size=3), min_size=1, max_size=6))
def test_lines_come_back(features: list[list[list[tuple[int, int]]]]) -> None:
    paths = [(owner, path) for owner, own in enumerate(features) for path in own]
    xy = column([place for _, path in paths for place in path]).reshape(-1, 2)
    start = column(np.cumsum([0, *(len(path) for _, path in paths)]))
    said = [{"name": f"rue {n % 3}", "class": "local"} if n % 4 else {} for n in range(len(features))]
    tile = paths_layer("s", Paths(xy, start, column([owner for owner, _ in paths])), said, surfaces=False)
    found = read(tile)["s"]["features"]
    assert [feature["properties"] for feature in found] == said
    for feature, own in zip(found, features, strict=True):
        lines = feature["geometry"]["coordinates"]
        lines = [lines] if feature["geometry"]["type"] == "LineString" else lines
        assert [[tuple(place) for place in line] for line in lines] == own


def test_a_feature_without_a_path_is_left_out() -> None:
    paths = Paths(column([0, 0, 5, 5, 9, 9, 9, 0]).reshape(-1, 2), column([0, 2, 4]), column([1, 3]))
    tile = paths_layer("s", paths, [{"name": name} for name in "abcd"], surfaces=False)
    assert [feature["properties"]["name"] for feature in read(tile)["s"]["features"]] == ["b", "d"]


def test_a_surface_with_a_hole_and_a_second_part() -> None:
    outer, hole = [(0, 0), (90, 0), (90, 90), (0, 90)], [(10, 10), (10, 20), (20, 20), (20, 10)]
    other = [(100, 0), (110, 0), (110, 10)]
    paths = Paths(column(outer + hole + other).reshape(-1, 2), column([0, 4, 8, 11]), column([0, 0, 0]))
    (feature,) = read(paths_layer("w", paths, [{}], surfaces=True))["w"]["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    found = [[{tuple(place) for place in ring} for ring in part] for part in feature["geometry"]["coordinates"]]
    assert found == [[set(outer), set(hole)], [set(other)]]

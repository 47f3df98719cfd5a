"""Projections are declared, named by the file, or recognised by their numbers; never guessed in silence."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.protocols.inventories import SourceError, detect_crs
from vigie.protocols.inventories.projections import CONIC_ZONES, LAMBERT_93, WGS84, crs_from_text, crs_of, settle

ALL = (LAMBERT_93, *CONIC_ZONES)

# Towns at the corners and in the middle of the country: longitude, latitude.
TOWNS = {
    "Dunkerque": (2.37, 51.03),
    "Lauterbourg": (8.18, 48.97),
    "Strasbourg": (7.75, 48.57),
    "Dijon": (5.04, 47.32),
    "Paris": (2.35, 48.85),
    "Brest": (-4.48, 48.39),
    "Quimper": (-4.1, 48.0),
    "Lorient": (-3.37, 47.75),
    "La Rochelle": (-1.15, 46.16),
    "Hendaye": (-1.77, 43.36),
    "Perpignan": (2.9, 42.69),
    "Montpellier": (3.88, 43.61),
    "Chamonix": (6.87, 45.92),
    "Menton": (7.5, 43.78),
    "Ajaccio": (8.73, 41.92),
    "Bonifacio": (9.16, 41.39),
}

MAINLAND = [town for town, (lon, _) in TOWNS.items() if lon < 8.5]


@cache
def projector(epsg: int) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(WGS84, epsg, always_xy=True)


def projected(epsg: int, lon: object, lat: object) -> tuple[np.ndarray, np.ndarray]:
    x, y = projector(epsg).transform(np.atleast_1d(lon), np.atleast_1d(lat))
    return x, y


def meant_for(epsg: int, lat: float) -> bool:
    return epsg == LAMBERT_93 or abs(lat - (epsg - 3900)) <= 1


@pytest.mark.parametrize(
    ("town", "epsg"), [(town, epsg) for town, (_, lat) in TOWNS.items() for epsg in ALL if meant_for(epsg, lat)]
)
def test_every_french_projection_is_recognised_in_every_town(town: str, epsg: int) -> None:
    found = detect_crs(*projected(epsg, *TOWNS[town]))
    assert found.epsg == epsg
    assert crs_of(epsg).name in found.how


@given(
    zone=st.sampled_from(CONIC_ZONES),
    lat_off=st.floats(-1, 1),
    lon=st.floats(-1.0, 7.0),
    spread=st.floats(0.001, 0.2),
)
def test_a_whole_town_in_its_zone_and_in_lambert_93(zone: int, lat_off: float, lon: float, spread: float) -> None:
    """Mainland away from the coasts of the west: there is no doubt anywhere."""
    lat = min(max(zone - 3900 + lat_off, 43.8), 49.6)
    if lat > 48.9:
        lon = min(max(lon, 0.5), 5.5)
    lons, lats = lon + np.linspace(-spread, spread, 9), lat + np.linspace(spread, -spread, 9)
    assert detect_crs(*projected(LAMBERT_93, lons, lats)).epsg == LAMBERT_93
    if abs(lat - (zone - 3900)) <= 1:
        found = detect_crs(*projected(zone, lons, lats))
        assert found.epsg == zone
        assert crs_of(zone).name in found.how


@given(
    epsg=st.sampled_from(ALL), town=st.sampled_from(MAINLAND),
    share=st.floats(0, 1),
)  # fmt: skip
def test_it_is_recognised_on_every_road_from_dijon(epsg: int, town: str, share: float) -> None:
    lon, lat = (share * there + (1 - share) * here for here, there in zip(TOWNS["Dijon"], TOWNS[town], strict=True))
    if meant_for(epsg, lat):
        assert detect_crs(*projected(epsg, lon, lat)).epsg == epsg


def test_the_cape_of_corsica_and_belle_ile_have_the_same_numbers() -> None:
    x, y = projected(LAMBERT_93, 9.40, 42.95)
    with pytest.raises(SourceError) as refusal:
        detect_crs(x, y)
    assert "EPSG:2154" in refusal.value.problem
    assert "EPSG:3947" in refusal.value.problem
    assert "Declare" in refusal.value.mend
    assert settle(LAMBERT_93, None, "file", x, y).crs.epsg == LAMBERT_93


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)).filter(lambda p: p != (0, 0)), min_size=1))
def test_degrees_are_degrees(places: list[tuple[float, float]]) -> None:
    x, y = np.array(places).T
    assert detect_crs(x, y).epsg == WGS84


def test_a_few_wild_rows_do_not_hide_the_projection() -> None:
    x, y = projected(3947, np.full(100, 5.04), np.linspace(47.2, 47.4, 100))
    x[:2], y[:2] = 1e9, -4.0
    x[2:50], y[2:50] = 0, 0  # rows without a place are no evidence
    assert detect_crs(x, y).epsg == 3947


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (261_600.0, 6_249_450.0),  # Paris in Web Mercator
        (447_700.0, 5_411_900.0),  # Paris in UTM 31
        (600_000.0, 2_428_000.0),  # Paris in Lambert II
        (1e8, 1e8),
    ],
)
def test_other_projections_are_refused(x: float, y: float) -> None:
    with pytest.raises(SourceError, match="neither degrees nor Lambert-93 nor a conic zone"):
        detect_crs(np.array([x]), np.array([y]))


@pytest.mark.parametrize("empty", [[], [0.0], [np.nan]])
def test_a_file_without_a_place_says_so(empty: list[float]) -> None:
    with pytest.raises(SourceError, match="no place"):
        detect_crs(np.array(empty), np.array(empty))


def test_what_the_mapping_declares_counts_and_a_contradiction_is_told() -> None:
    x, y = projected(3947, 5.04, 47.32)
    agreed = settle(3947, crs_of(3947), "the .prj", x, y)
    assert (agreed.crs.epsg, agreed.warnings) == (3947, ())
    assert "as the .prj names it" in agreed.how
    x, y = projected(LAMBERT_93, 5.04, 47.32)
    against = settle(LAMBERT_93, crs_of(3946), "the .prj", x, y)
    assert against.crs.epsg == LAMBERT_93
    assert "EPSG:3946" in against.warnings[0]


def test_what_the_file_names_counts_next() -> None:
    x, y = projected(3947, 5.04, 47.32)
    settled = settle(None, crs_of(3947), "the .prj", x, y)
    assert (settled.crs.epsg, settled.how) == (3947, "named by the .prj")


@pytest.mark.parametrize("declared", [WGS84, 3946, 3857])
def test_a_declaration_that_the_numbers_contradict_is_refused_with_a_hint(declared: int) -> None:
    x, y = projected(LAMBERT_93, 5.04, 47.32)
    if declared == 3857:  # it is used all over the world: nothing contradicts it
        assert settle(declared, None, "file", x, y).crs.epsg == 3857
        return
    with pytest.raises(SourceError, match="look like EPSG:2154"):
        settle(declared, None, "file", x, y)


@pytest.mark.parametrize(
    ("text", "epsg"),
    [
        ("urn:ogc:def:crs:EPSG::2154", 2154),
        ("EPSG:3947", 3947),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", WGS84),
        (pyproj.CRS(3944).to_wkt("WKT1_ESRI"), 3944),
    ],
)
def test_projections_that_files_name(text: str, epsg: int) -> None:
    assert crs_from_text(text, "a file").epsg == epsg


@pytest.mark.parametrize("text", ["", "EPSG:999999", "somewhere", "PROJCS[broken"])
def test_unknown_projections_are_refused(text: str) -> None:
    with pytest.raises(SourceError, match="unknown projection"):
        crs_from_text(text, "a file")


def test_an_unknown_number_is_refused() -> None:
    with pytest.raises(SourceError, match="EPSG:9999"):
        crs_of(9999)

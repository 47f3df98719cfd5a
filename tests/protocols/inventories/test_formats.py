"""Each form of file, whole, with the place of every row; and what bad files get."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO

import pytest
import shapefile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.inventories.made import (
    feature,
    geojson,
    one_file,
    osm_xml,
    prj,
    shapefile_parts,
    zip_of,
)
from vigie.core.kinds import Shape
from vigie.protocols.inventories import FileReading, Limits, Rejection, SourceError, read_source, shapes
from vigie.protocols.inventories.csvs import number

DIJON_L93 = (854_000.0, 6_693_000.0)


def read(file: str, data: bytes, *lines: str, limits: Limits | None = None, **rule: str) -> FileReading:
    """The reading of one file under a mapping of one rule."""
    reading = read_source(one_file(file, *lines, **rule), {file: data}, limits or Limits())
    return reading.files[0]


def test_points_lines_and_surfaces_of_a_zipped_shapefile() -> None:
    x, y = DIJON_L93
    points = read("a.zip", zip_of(shapefile_parts([("one", (x, y)), ("two", (x + 10, y))])))
    assert [draft.key for draft in points.drafts] == ["part/one", "part/two"]
    assert (points.drafts[0].lon, points.drafts[0].lat) == pytest.approx((5.0389583, 47.3194290), abs=1e-7)
    assert points.crs_how == "named by the .prj in a.zip"
    line = shapefile_parts([("one", [[(x, y), (x + 100, y)]])], shapefile.POLYLINE)
    street = read("a.zip", zip_of(line), 'assets.shape = "line"', kind="street").drafts[0]
    assert street.geometry is not None
    assert shapes.shape_of(shapes.from_wkb(street.geometry)) is Shape.LINE
    ring = [(x, y), (x, y + 100), (x + 100, y + 100), (x + 100, y), (x, y)]
    area = shapefile_parts([("one", [ring])], shapefile.POLYGON)
    surface = read("a.zip", zip_of(area), 'assets.shape = "surface"', kind="building").drafts[0]
    assert surface.geometry is not None
    west, south, east, north = shapes.from_wkb(surface.geometry).bounds
    assert west < surface.lon < east
    assert south < surface.lat < north


def test_a_shapefile_without_projection_or_index_in_latin_1() -> None:
    parts = shapefile_parts([("Rue de l'Été", DIJON_L93)], encoding="latin-1", epsg=None)
    del parts["town.shx"]
    found = read("a.zip", zip_of(parts), 'encoding = "latin-1"')
    assert found.drafts[0].key == "part/Rue de l'Été"
    assert found.crs.startswith("EPSG:2154")
    assert "recognised by its numbers" in found.crs_how


def test_the_cpg_tells_the_encoding_and_the_mapping_overrules_it() -> None:
    parts = shapefile_parts([("Été", DIJON_L93)], encoding="latin-1") | {"town.cpg": b"ISO-8859-1\n"}
    assert read("a.zip", zip_of(parts)).drafts[0].key == "part/Été"
    overruled = read("a.zip", zip_of(parts), 'encoding = "cp1252"')
    assert overruled.drafts[0].key == "part/Été"
    assert "iso-8859-1" in overruled.warnings[0]


def test_a_record_without_a_shape_is_refused_alone_and_a_deleted_one_is_left_out() -> None:
    parts = shapefile_parts([("one", DIJON_L93), ("two", None), ("three", DIJON_L93)])
    dbf = bytearray(parts["town.dbf"])
    header, width = struct.unpack("<HH", dbf[8:12])
    dbf[header + 2 * width] = ord("*")
    found = read("a.zip", zip_of(parts | {"town.dbf": bytes(dbf)}))
    assert [draft.key for draft in found.drafts] == ["part/one"]
    assert found.rejections == (Rejection(2, "it has no readable shape", "part/two"),)
    assert (found.rows, found.left_out, found.blind) == (3, 1, 0)


def test_one_layer_of_many_is_named() -> None:
    parts = shapefile_parts([("one", DIJON_L93)])
    other = {f"deep/other{name[4:]}": data for name, data in shapefile_parts([("two", DIJON_L93)]).items()}
    with pytest.raises(SourceError, match="layers other, town"):
        read("a.zip", zip_of(parts | other))
    assert read("a.zip", zip_of(parts | other), 'layer = "other"').drafts[0].key == "part/two"


def shapefile_zip() -> bytes:
    return zip_of(shapefile_parts([("one", DIJON_L93), ("two", DIJON_L93)]))


def locked() -> bytes:
    """A zip whose only member says that it is encrypted."""
    data = bytearray(shapefile_zip())
    for at in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[at] |= 1
    return bytes(data)


def lying() -> bytes:
    """A zip whose directory states less than its member unpacks to."""
    data = bytearray(zip_of({"town.shp": b"\0" * 50_000}))
    at = data.find(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no whole zip"),
        (b"PK\x03\x04rubbish", "no whole zip"),
        (shapefile_zip()[:-40], "no whole zip"),
        (locked(), "password"),
        (lying(), "no whole zip|more than it states"),
        (zip_of({"readme.txt": b"nothing"}), "no .shp"),
        (zip_of({"../town.shp": b""}), "leads out"),
        (zip_of({"/town.shp": b""}), "leads out"),
        (zip_of({"C:town.shp": b""}), "leads out"),
        (zip_of({"a\\..\\town.shp": b""}), "leads out"),
        (zip_of({"bomb.shp": b"\0" * 4_000_000}), "over the limit"),
        (zip_of({f"{i}.txt": b"" for i in range(1_001)}), "over the limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_archives_are_refused_whole(data: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as refusal:
        read("a.zip", data)
    assert refusal.value.mend


def test_bad_shapefiles_are_refused_whole() -> None:
    parts = shapefile_parts([("one", DIJON_L93), ("two", DIJON_L93)])
    fewer = shapefile_parts([("one", DIJON_L93)])
    for members, problem in [
        ({"town.shp": parts["town.shp"]}, "no town.dbf"),
        (parts | {"town.shp": parts["town.shp"][:-10]}, "cut short"),
        (parts | {"town.dbf": parts["town.dbf"][:-30]}, "no whole shapefile"),
        (parts | {"town.dbf": b"rubbish"}, "no whole shapefile"),
        (parts | {"town.dbf": fewer["town.dbf"]}, "2 shapes for 1 records"),
        (parts | {"town.prj": b"a map"}, "unknown projection"),
        (parts | {"town.cpg": b"klingon"}, "unknown encoding"),
        (shapefile_parts([("Été", DIJON_L93)], encoding="latin-1"), "not written in utf-8"),
    ]:
        with pytest.raises(SourceError, match=problem):
            read("a.zip", zip_of(members))


def test_too_many_rows_and_too_many_bytes_are_refused() -> None:
    with pytest.raises(SourceError, match="over the limit of 1"):
        read("a.zip", shapefile_zip(), limits=Limits(rows_max=1))
    with pytest.raises(SourceError, match="over the limit of 10"):
        read("a.zip", shapefile_zip(), limits=Limits(file_bytes_max=10))
    with pytest.raises(SourceError, match="over the limit of 100"):
        read("a.zip", shapefile_zip(), limits=Limits(unzipped_bytes_max=100))


def test_geojson_with_its_ids_and_a_bad_feature_among_good_ones() -> None:
    good = feature({"ID": 7.0, "tags": ["a"], "on": True}, (5.04, 47.32)) | {"id": "lamp/7"}
    data = geojson(
        good,
        17,
        {"type": "Feature", "properties": {"ID": 8}, "geometry": {"type": "Point", "coordinates": ["x"]}},
        feature({"ID": 9}, None),
        {"type": "Thing"},
        feature({"ID": 10}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}),
        feature({"ID": 11}, (5.05, 47.33)),
    )
    found = read("a.geojson", data, 'assets.name = "{@id} {tags} {on}"')
    assert [(draft.key, draft.name) for draft in found.drafts] == [
        ("part/7", 'lamp/7 ["a"] true'),
        ("part/11", '["a"] true'[:0]),
    ]
    assert [rejection.line for rejection in found.rejections] == [2, 3, 4, 5, 6]
    assert found.word == "feature"


def test_geojson_in_another_projection_is_recognised_named_or_declared() -> None:
    x, y = DIJON_L93
    plain = geojson(feature({"ID": 1}, (x, y)))
    assert "recognised by its numbers" in read("a.geojson", plain).crs_how
    named = geojson(
        feature({"ID": 1}, (x, y)), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    )
    assert read("a.geojson", named).crs_how == "named by a.geojson"
    assert read("a.geojson", plain, 'crs = "EPSG:2154"').crs_how == "declared by the mapping"
    places = {
        (reading.drafts[0].lon, reading.drafts[0].lat)
        for reading in (read("a.geojson", plain), read("a.geojson", named), read("a.geojson", plain, 'crs = "2154"'))
    }
    assert len(places) == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no GeoJSON"),
        (b"<xml/>", "no GeoJSON"),
        (geojson(feature({"ID": 1}, (5.0, 47.0)))[:-3], "no GeoJSON"),
        (b"[" * 100_000, "no GeoJSON"),
        (b'{"type": "Feature"}', "is a Feature"),
        (b'{"a": 1}', "without a type"),
        (b'{"type": "FeatureCollection"}', "no FeatureCollection"),
        (geojson(feature({"ID": "é"}, (5.0, 47.0))).decode().encode("latin-1"), "not written in utf-8"),
        (geojson(feature({"ID": 1}, (5.0, 47.0)), crs={"type": "link"}), "crs member without a name"),
        (geojson(feature({"ID": 1}, (5.0, 47.0)), crs={"properties": {"name": "EPSG:1"}}), "unknown projection"),
        (geojson(feature({"IDENT": 1}, (5.0, 47.0))), "no column 'ID'"),
    ],
)
def test_bad_geojson_is_refused_whole(data: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        read("a.geojson", data)


def test_csv_with_a_comma_for_decimals_dbase_headers_and_broken_rows() -> None:
    text = (
        "ID,N,10,0;NOM,C,80;X,N,19,8;Y,N,19,8;POSE,D\r\n"
        '1;"Rue ""des"" Étés\r\nsuite";5,04;47,32;24/10/90\r\n'
        "2;court;5,05\r\n"
        "3;sans lieu;;;\r\n"
        "\r\n"
        "4;faux;5.05;47,33;\r\n"
        "5;bon;5,06;47,34;\r\n"
    )
    lines = ('decimal = ","', 'x = "X"', 'y = "Y"', 'encoding = "latin-1"', 'assets.name = "{NOM}"')
    found = read("a.csv", text.encode("latin-1"), *lines)
    assert [(draft.key, draft.name) for draft in found.drafts] == [
        ("part/1", 'Rue "des" Étés suite'),
        ("part/5", "bon"),
    ]
    assert [rejection.line for rejection in found.rejections] == [4, 5, 7]
    assert "3 cells where the header has 5" in found.rejections[0].reason
    assert (found.rows, found.word, found.blind) == (5, "line", 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [["ID", "lon", "lat"], ["a b", "5.04", "47.32"], ["c:d", "5.05", "47.33"]]
    data = "\n".join(delimiter.join(row) for row in rows).encode()
    found = read("a.csv", data, 'x = "lon"', 'y = "lat"')
    assert [draft.key for draft in found.drafts] == ["part/a b", "part/c:d"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no delimiter"),
        (b"\n\n", "no delimiter"),
        (b"one column\n1\n", "no delimiter"),
        (b"a,b;c\n1,2;3\n", "no delimiter"),
        (b"ID,lon,lat\n1,\xff,2\n", "not written in utf-8 .line 2."),
        (b'ID,lon,lat\n1,5,47\n2,"5,47\n3,5,47\n', "from line 3"),
        (b"ID,ID,lon,lat\n1,1,5,47\n", "more than once"),
        (b"ID,lon,latitude\n1,5,47\n", "no column 'lat'; the nearest is 'latitude'"),
        (b"IDENT,lon,lat\n1,5,47\n", "no column 'ID'"),
    ],
)
def test_bad_csv_is_refused_whole(data: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        read("a.csv", data, 'x = "lon"', 'y = "lat"')


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 8)))
def test_a_number_reads_the_same_with_a_point_and_a_comma(value: float) -> None:
    text = f"{value:.8f}"
    assert number(text) == value
    assert number(text.replace(".", ","), ",") == value
    assert number(text, ",") is None


@pytest.mark.parametrize("text", ["", "nan", "inf", "1_000", "0x10", "1,5", "12 m", "١٢", "1e999", "--1"])
def test_what_is_no_number(text: str) -> None:
    assert number(text) is None


OSM = osm_xml(
    "<node id='1' lat='47.32' lon='5.04'><tag k='highway' v='street_lamp'/></node>"
    "<node id='2' lat='47.33' lon='5.04'/><node id='3' lat='47.33' lon='5.05'/><node id='4' lat='47.32' lon='5.05'/>"
    "<way id='1'><nd ref='2'/><nd ref='3'/><nd ref='99'/><nd ref='4'/><tag k='highway' v='residential'/></way>"
    "<way id='2'><nd ref='1'/><nd ref='2'/><nd ref='3'/><nd ref='4'/><nd ref='1'/><tag k='building' v='yes'/></way>"
    "<way id='3'><nd ref='98'/><nd ref='3'/><tag k='highway' v='residential'/></way>"
    "<relation id='1'><member type='way' ref='2' role='outer'/><tag k='type' v='route'/></relation>"
)


def test_openstreetmap_nodes_ways_and_surfaces() -> None:
    lamp = read("a.osm", OSM, 'assets.where.highway = "street_lamp"', key="{@id}")
    assert [(draft.key, draft.lon, draft.lat) for draft in lamp.drafts] == [("part/node/1", 5.04, 47.32)]
    assert (lamp.rows, lamp.left_out, lamp.word) == (8, 7, "object")
    lines = ('assets.where.highway = "residential"', 'assets.shape = "line"')
    street = read("a.osm", OSM, *lines, kind="street", key="{@id}")
    assert [draft.key for draft in street.drafts] == ["part/way/1"]
    assert street.drafts[0].geometry is not None
    assert shapes.from_wkb(street.drafts[0].geometry).bounds == (5.04, 47.33, 5.05, 47.33)  # what lies in the extract
    assert [rejection.reason for rejection in street.rejections] == [
        "way/3: no two nodes of the way in a row are in the file"
    ]
    lines = ('assets.where.building = "*"', 'assets.shape = "surface"')
    house = read("a.osm", OSM, *lines, kind="building", key="{@id}").drafts
    assert [draft.key for draft in house] == ["part/way/2"]
    # Of the houses that cannot be drawn each is refused alone; the first of them would otherwise hide all others.
    broken = OSM.replace(b"</osm>", b"".join((
        b"<way id='4'><nd ref='2'/><nd ref='3'/><nd ref='2'/><tag k='building' v='yes'/></way>",
        b"<way id='5'><nd ref='1'/><nd ref='3'/><nd ref='2'/><nd ref='4'/><nd ref='1'/>"
        b"<tag k='building' v='yes'/></way>",
        b"<relation id='2'><member type='way' ref='77' role='outer'/><tag k='type' v='multipolygon'/>",
        b"<tag k='building' v='yes'/></relation></osm>",
    )))  # fmt: skip
    reading = read("a.osm", broken, *lines, kind="building", key="{@id}")
    assert [draft.key for draft in reading.drafts] == ["part/way/2"]
    assert [(each.key, each.reason) for each in reading.rejections] == [
        ("part/way/4", "way/4: its outline crosses itself, or is not whole in the file"),
        ("part/way/5", "way/5: its outline crosses itself, or is not whole in the file"),
        ("part/relation/2", "relation/2: not all of its outlines are in the file"),
    ]
    assert house[0].geometry is not None
    assert shapes.shape_of(shapes.from_wkb(house[0].geometry)) is Shape.SURFACE


@pytest.mark.parametrize(
    ("file", "data", "problem"),
    [
        ("a.osm", b"", "no whole OpenStreetMap file"),
        ("a.osm", OSM[:-30], "no whole OpenStreetMap file"),
        ("a.osm", b"<!DOCTYPE o [<!ENTITY a 'a'>]><osm version='0.6'/>", "entities are not supported"),
        ("a.osm", osm_xml("<node id='1' lat='x' lon='5'/>"), "no whole OpenStreetMap file"),
        ("a.osm.pbf", OSM, "no whole OpenStreetMap file"),
        ("a.osm.pbf", b"\0\0\0\x0d\n\tOSMHeader\x18\x05", "no whole OpenStreetMap file"),
    ],
)
def test_bad_openstreetmap_is_refused_whole(file: str, data: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        read(file, data, key="{@id}")


@given(st.binary(max_size=300), st.sampled_from(["a.zip", "a.geojson", "a.csv", "a.osm", "a.pbf"]))
def test_any_bytes_are_read_or_refused(data: bytes, file: str) -> None:
    lines = ('x = "x"', 'y = "y"') if file == "a.csv" else ()
    try:
        found = read(file, data, *lines)
    except SourceError:
        return
    assert found.rows == len(found.drafts) + found.joined + found.left_out + len(found.rejections)


@settings(max_examples=60)
@given(st.data())
def test_any_damage_to_a_shapefile_is_read_or_refused(data: st.DataObject) -> None:
    parts = shapefile_parts([("one", DIJON_L93), ("two", DIJON_L93)])
    name = data.draw(st.sampled_from(sorted(parts)))
    broken = bytearray(parts[name])
    for at in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=4)):
        broken[at] = data.draw(st.integers(0, 255))
    try:
        found = read("a.zip", zip_of(parts | {name: bytes(broken)}, zipfile.ZIP_STORED))
    except SourceError:
        return
    assert found.rows == len(found.drafts) + found.joined + found.left_out + len(found.rejections)


def test_a_projection_of_a_prj_that_is_no_epsg_one_is_still_read() -> None:
    own = prj(2154).replace(b"700000.0", b"700100.0").replace(b"RGF93_v1_Lambert-93", b"Home_made")
    parts = shapefile_parts([("one", DIJON_L93)]) | {"town.prj": own}
    found = read("a.zip", zip_of(parts))
    straight = read("a.zip", zip_of(shapefile_parts([("one", DIJON_L93)])))
    assert found.drafts[0].lon < straight.drafts[0].lon
    assert BytesIO(own).read() == own

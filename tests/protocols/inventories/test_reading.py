"""From rows to drafts: no row is lost, and each that becomes nothing says why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.protocols.inventories.made import feature, geojson, mapping, one_file
from vigie.core.drafts import Draft
from vigie.protocols.inventories import (
    FileReading,
    Limits,
    Outcome,
    Rejection,
    SourceError,
    SourceReading,
    linked,
    read_own,
    read_source,
    report_of,
)

HERE = (5.04, 47.32)


def read(data: bytes, *lines: str, **rule: str) -> FileReading:
    """The reading of a GeoJSON file under a mapping of one rule."""
    return read_source(one_file("a.geojson", *lines, **rule), {"a.geojson": data}).files[0]


def near(n: int) -> tuple[float, float]:
    """The nth of places in a row, from west to east."""
    return round(5.0 + n / 1000, 3), 47.32


def test_a_row_goes_to_the_first_rule_that_takes_it() -> None:
    rules = mapping(
        'source = "here"\n[[files]]\nname = "part"\nfile = "a.geojson"\n'
        '[[files.assets]]\nkind = "luminaire"\nkey = "{ID}"\nwhere.TYPE = ["lamp", "mast"]\nunless.GONE = "*"\n'
        '[[files.assets]]\nkind = "camera"\nkey = "{ID}"\nwhere.TYPE = "eye"\n'
    )
    rows = [("1", "lamp", ""), ("2", "eye", ""), ("3", "mast", "2020"), ("4", "tree", ""), ("5", "mast", None)]
    data = geojson(*(feature({"ID": id, "TYPE": sort, "GONE": gone}, HERE) for id, sort, gone in rows))
    found = read_source(rules, {"a.geojson": data}).files[0]
    assert [(draft.key, draft.kind) for draft in found.drafts] == [
        ("part/1", "luminaire"), ("part/2", "camera"), ("part/5", "luminaire"),
    ]  # fmt: skip
    assert found.left_out == 2


def test_rows_of_one_key_are_refused_numbered_or_joined() -> None:
    rows = [feature({"ID": "a", "N": str(n)}, near(n)) for n in (3, 1, 2)] + [feature({"ID": "b", "N": "9"}, near(9))]
    refused = read(geojson(*rows))
    assert [draft.key for draft in refused.drafts] == ["part/a", "part/b"]
    assert [(each.line, each.reason) for each in refused.rejections] == [
        (2, "its key 'a' is that of line 1"), (3, "its key 'a' is that of line 1"),
    ]  # fmt: skip
    numbered = read(geojson(*rows), 'assets.repeated = "number"')
    assert {draft.key: draft.lon for draft in numbered.drafts} == {
        "part/a": 5.001, "part/a#2": 5.002, "part/a#3": 5.003, "part/b": 5.009,
    }  # fmt: skip
    joined = read(geojson(*rows), 'assets.repeated = "join"', 'assets.attributes.lamp = { from = "{N}", all = "+" }')
    assert [(draft.key, draft.lon, draft.attributes) for draft in joined.drafts] == [
        ("part/a", 5.002, {"lamp": "1+2+3"}), ("part/b", 5.009, {"lamp": "9"}),
    ]  # fmt: skip
    assert joined.joined == 2


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.sampled_from("xyz")), max_size=12),
    st.sampled_from(["number", "join"]),
    st.randoms(use_true_random=False),
)
def test_a_file_in_another_order_says_the_same(rows: list[tuple[str, int, str]], repeated: str, dice: Any) -> None:
    def said(order: list[tuple[str, int, str]]) -> list[Draft]:
        data = geojson(
            *(feature({"ID": id, "N": name}, near(n)) for id, n, name in order), feature({"ID": "z", "N": ""}, HERE)
        )
        lines = (f'assets.repeated = "{repeated}"', 'assets.attributes.lamp = { from = "{N}", all = " " }')
        return sorted(read(data, *lines).drafts, key=lambda draft: draft.key)

    other = list(rows)
    dice.shuffle(other)
    assert said(rows) == said(other)


cells = st.one_of(st.none(), st.sampled_from(["", "a", "b", "lamp", "12", "1,5"]), st.integers(-3, 3), st.booleans())
geometries = st.one_of(
    st.none(),
    st.just((0.0, 0.0)),
    st.tuples(st.floats(-200, 200), st.floats(-100, 100)),
    st.just({"type": "LineString", "coordinates": [[5, 47], [5.1, 47.1]]}),
    st.just({"type": "Point", "coordinates": ["x"]}),
    st.just(HERE),
)
features = st.one_of(
    st.integers(), st.builds(feature, st.fixed_dictionaries({"ID": cells, "TYPE": cells, "W": cells}), geometries)
)


@given(
    st.lists(features, max_size=15),
    st.sampled_from(["reject", "number", "join"]),
    st.sampled_from(["{ID}", "{@place}", "{ID} {TYPE}"]),
)
def test_no_row_is_lost(rows: list[Any], repeated: str, key: str) -> None:
    data = geojson(*rows, feature({"ID": "last", "TYPE": "lamp", "W": "1"}, HERE))
    lines = (f'assets.repeated = "{repeated}"', 'assets.unless.TYPE = "b"',
             'assets.attributes.rated_power = { from = "{W}", as = "number" }')  # fmt: skip
    try:
        reading = read_source(one_file("a.geojson", 'crs = "EPSG:4326"', *lines, key=key), {"a.geojson": data})
    except SourceError:
        # Most rows lie outside of where degrees are used.
        assume(False)
    found = reading.files[0]
    assert found.rows == len(rows) + 1
    assert found.rows == len(found.drafts) + found.joined + found.left_out + len(found.rejections)
    keys = [draft.key for draft in found.drafts]
    assert len(set(keys)) == len(keys)
    report = report_of(reading, Outcome(made=keys[::2], changed=keys[1:2]))
    parts = (report.made, report.changed, report.unchanged, report.joined, report.left_out, report.rejected)
    assert report.read == sum(parts) == found.rows


def test_a_value_that_cannot_be_read_loses_the_attribute_and_is_told() -> None:
    rows = [(1, "0,06", "x"), (2, 60, "oui"), (3, "many", "non"), (4, "", "?"), (5, "few", "?")]
    data = geojson(*(feature({"ID": n, "W": w, "S": s}, near(n)) for n, w, s in rows))
    found = read(
        data,
        'assets.attributes.rated_power = { from = "{W}", as = "number", factor = 1000 }',
        'assets.attributes.lamp = { from = "{S}", map = { oui = "led", non = "sodium", x = "?" } }',
    )
    assert [draft.attributes for draft in found.drafts] == [
        {"lamp": "?"}, {"rated_power": 60_000.0, "lamp": "led"}, {"lamp": "sodium"}, {}, {},
    ]  # fmt: skip
    assert found.warnings == (
        "rated_power is no number in 3 rows, first at feature 1: '0,06', 'many', 'few'; left out",
        "lamp has no meaning in the mapping in 2 rows, first at feature 4: '?'; left out",
    )


def test_what_means_nothing_is_no_value() -> None:
    data = geojson(feature({"ID": "#N/A"}, HERE), feature({"ID": "0"}, HERE), feature({"ID": "7"}, HERE))
    found = read(data, 'missing = ["#N/A", "0"]')
    assert [draft.key for draft in found.drafts] == ["part/7"]
    assert {each.reason for each in found.rejections} == {"it has no key: ID is empty"}
    assert found.blind == 0


def test_a_row_that_lies_nowhere_is_refused() -> None:
    data = geojson(*(feature({"ID": n}, place) for n, place in enumerate([HERE, HERE, (0.0, 0.0), (500.0, 47.0)])))
    assert [each.reason for each in read(data).rejections] == [
        "its place is 0, 0: it has none",
        "its place x 500, y 47 lies outside of where EPSG:4326 (WGS 84) is used",
    ]


def test_a_surface_that_crosses_itself_is_made_whole_and_told() -> None:
    bow = [[5.0, 47.0], [5.1, 47.1], [5.1, 47.0], [5.0, 47.1], [5.0, 47.0]]
    data = geojson(feature({"ID": 1}, {"type": "Polygon", "coordinates": [bow]}))
    found = read(data, 'assets.shape = "surface"', kind="building")
    assert len(found.drafts) == 1
    assert found.warnings == ("1 surfaces crossed themselves and were made whole",)


def test_files_that_the_mapping_does_not_know_or_that_are_not_there() -> None:
    rules = mapping(
        'source = "here"\n'
        + "".join(
            f'[[files]]\nname = "{name}"\nfile = "{name}.geojson"\n'
            '[[files.assets]]\nkind = "luminaire"\nkey = "{ID}"\n'
            for name in ("lights", "parks")
        )
    )
    data = geojson(feature({"ID": 1}, HERE))
    assert read_source(rules, {"parks.geojson": data}).absent == ("lights.geojson",)
    with pytest.raises(SourceError, match=r"knows no file light.geojson.*is lights.geojson"):
        read_source(rules, {"light.geojson": data})
    with pytest.raises(SourceError, match=r"It has lights.geojson, parks.geojson"):
        read_source(rules, {})
    told: list[str] = []
    read_source(rules, {"parks.geojson": data, "lights.geojson": data}, on_file=told.append)
    assert told == ["lights.geojson", "parks.geojson"]


def test_the_only_file_of_a_mapping_may_have_any_name() -> None:
    found = read_source(one_file("a.geojson"), {"export (3).json": geojson(feature({"ID": 1}, HERE))})
    assert found.files[0].file == "export (3).json"


def test_a_refused_row_keeps_its_asset_from_being_gone() -> None:
    data = geojson(feature({"ID": 1}, HERE), feature({"ID": 2}, None), feature({"ID": None}, HERE))
    reading = read_source(one_file("a.geojson"), {"a.geojson": data})
    assert reading.files[0].rejections[0] == Rejection(2, "it has no readable geometry", "part/2")
    for surely in (False, True):
        covers = reading.coverage(surely=surely)
        assert [covers(key) for key in ("part/2", "part/3", "other/3")] == [False, True, False]


@pytest.mark.parametrize(
    ("row", "lines", "key"),
    [
        (17, (), "{ID}"),
        (feature({"ID": 2}, None), (), "{@place}"),
        (feature({"ID": 2}, None), ('assets.repeated = "number"',), "{ID}"),
    ],
    ids=["no feature", "keyed by place", "numbered"],
)
def test_a_refused_row_that_may_be_any_keeps_all_of_its_file(row: Any, lines: tuple[str, ...], key: str) -> None:
    data = geojson(feature({"ID": 1}, HERE), row)
    reading = read_source(one_file("a.geojson", *lines, key=key), {"a.geojson": data})
    assert reading.files[0].blind == 1
    assert reading.coverage()("part/3")
    assert not reading.coverage(surely=True)("part/3")
    told = report_of(reading, Outcome(made=(), changed=(), retire=True)).files[0].warnings
    assert "nothing of it was retired" in told[-1]


def test_an_empty_file_retires_nothing() -> None:
    reading = read_source(one_file("a.geojson"), {"a.geojson": geojson()})
    assert reading.coverage()("part/3")
    assert not reading.coverage(surely=True)("part/3")
    assert report_of(reading, Outcome((), (), retire=True)).files[0].warnings == (
        "nothing of it was retired, as it has no row at all",
    )


def links() -> SourceReading:
    """A lamp with a good street, one with a dead street and parent, one that links to what came before."""
    rows = [
        feature({"ID": 1, "S": "2", "P": None}, HERE),
        feature({"ID": 2, "S": "8", "P": "9"}, near(1)),
        feature({"ID": 3, "S": "7", "P": None}, near(2)),
    ]
    lines = ('assets.street = "part/{S}"', 'assets.parent = "part/{P}"')
    return read_source(one_file("a.geojson", *lines), {"a.geojson": geojson(*rows)})


def test_links_that_lead_nowhere_are_taken_out_and_told() -> None:
    reading, dead = linked(links(), {"part/7"})
    assert [(draft.street, draft.parent) for draft in reading.drafts] == [("part/2", ""), ("", ""), ("part/7", "")]
    assert [(link.key, link.field, link.to) for link in dead] == [
        ("part/2", "street", "part/8"), ("part/2", "parent", "part/9"),
    ]  # fmt: skip
    warnings = report_of(reading, Outcome((), (), dead=dead)).files[0].warnings
    assert warnings[0] == ("1 row named a street that is not there, and got none; first 'part/2', which named 'part/8'")


def test_vigies_own_form_needs_no_mapping() -> None:
    good = Draft(key="a/b", kind="luminaire", lon=5.0, lat=47.3)
    data = b"\n".join([msgspec.json.encode(good), b"", b"{", b'{"key": "k"}', b"\xff"])
    reading = read_own("here", "a.ndjson", data)
    (file,) = reading.files
    assert (file.drafts, file.lines, file.rows) == ((good,), (1,), 4)
    assert [each.line for each in file.rejections] == [3, 4, 5]
    assert reading.coverage()("whatever")
    assert not reading.coverage(surely=True)("whatever")
    with pytest.raises(SourceError, match="holds no asset; line 1"):
        read_own("here", "a.ndjson", b"{")
    with pytest.raises(SourceError, match="empty"):
        read_own("here", "a.ndjson", b"\n")
    with pytest.raises(SourceError, match="over the limit"):
        read_own("here", "a.ndjson", data, Limits(file_bytes_max=3))


def test_a_report_counts_what_the_post_refused_by_row() -> None:
    drafts = [Draft(key="a", kind="luminaire", lon=5.0, lat=47.3)] * 2
    reading = read_own("here", "a.ndjson", b"\n".join(map(msgspec.json.encode, drafts)))
    report = report_of(reading, Outcome({"a"}, (), refused={1: "the key comes twice"}, gone=["z"], unplaced=["a"]))
    (file,) = report.files
    assert file.rejections == (Rejection(2, "the key comes twice", "a"),)
    assert (report.read, report.made, report.rejected, report.gone) == (2, 1, 1, 1)
    assert file.warnings == ("1 asset in no area that the post knows; first 'a'",)
    assert msgspec.json.decode(report.to_json())["files"][0]["rejections"][0]["line"] == 2


def test_only_the_first_rejections_are_listed() -> None:
    reading = read_source(one_file("a.geojson"), {"a.geojson": geojson(*([7] * 30), feature({"ID": 1}, HERE))})
    (file,) = report_of(reading, Outcome((), ()), Limits(rejections_listed_max=5)).files
    assert (len(file.rejections), file.rejected) == (5, 30)

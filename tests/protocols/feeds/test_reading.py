"""Feeds under a mapping: every row is accounted for, traps are stated, what is written is read back."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import HOUR_US, to_us
from vigie.protocols.feeds import (
    FeedError,
    FeedLimits,
    FeedMapping,
    FeedRead,
    read_feed,
    read_feed_mapping,
    shipped_feed,
    shipped_feeds,
    write_feed,
)
from vigie.protocols.feeds.tables import read_table

MAPPING = b"""
source = "test"
zone = "Europe/Berlin"
[unplaced]
lon = 13.4
lat = 52.5
why = "nobody says"
[[files]]
file = "counts.csv"
delimiter = ";"
missing = ["-1"]
[files.time]
text = "{day} {hour}"
format = "%d.%m.%Y %H"
covers_s = 3600
[[files.assets]]
kind = "detector"
key = "{site}"
where.sort = "road"
values.flow = "{q}"
values.speed = { from = "{v}", factor = 1.609344 }
"""
HEAD = "site;sort;day;hour;q;v\n"


def mapping(text: bytes = MAPPING) -> FeedMapping:
    return read_feed_mapping(text)


def read(rows: str, text: bytes = MAPPING) -> FeedRead:
    return read_feed(mapping(text), {"counts.csv": (HEAD + rows).encode()})


def test_a_row_says_what_its_mapping_says() -> None:
    feed = read("A1;road;05.03.2024;7;120;50\n")
    assert [(row[0], row[1], row[2]) for row in feed.observations] == [
        ("test-A1", "flow", 120.0), ("test-A1", "speed", 80.4672),
    ]  # fmt: skip
    assert feed.observations[0][3] == to_us(datetime(2024, 3, 5, 7, tzinfo=UTC))
    (draft,) = feed.drafts
    assert (draft.key, draft.id, draft.kind, draft.lon) == ("detector/A1", "test-A1", "detector", 13.4)
    assert "nobody says" in feed.told[0]


def test_each_row_is_used_missing_rejected_or_left_out() -> None:
    feed = read(
        "A1;road;05.03.2024;7;120;-1\n"
        "A1;road;05.03.2024;8;-1;-1.0\n"
        "A1;bike;05.03.2024;8;3;4\n"
        "A1;road;05.03.2024;9;many;50\n"
        "A1;road;05.03.2024;10;nan;-1\n"
        ";road;05.03.2024;10;1;1\n"
        "A1;road;35.03.2024;10;1;1\n"
        "A1;road;05.03.2024\n"
        "\n"
        "A1;road;05.03.2024;7;121;\n"
    )
    (file,) = feed.files
    assert (file.rows, file.used, file.missing, file.rejected, file.left_out) == (9, 2, 1, 5, 1)
    assert (file.values_used, file.values_missing, file.values_rejected) == (2, 5, 3)
    assert [each.line for each in file.rejections] == [5, 6, 7, 8, 9, 11]
    assert "line 2 of counts.csv" in file.rejections[-1].reason


CELL = st.text(st.characters(codec="utf-8", exclude_characters='";\r\n'), max_size=6)
NUMBER = st.sampled_from(["0", "12", "-1", "", "3.5", "x", "1e400", "-1.0", "1_0"])
DAY = st.sampled_from(["31.03.2024", "27.10.2024", "01.01.2024", "", "soon"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "", " "]), st.sampled_from(["road", "bike"]), DAY,
                  st.sampled_from(["1", "2", "3", "25", ""]), NUMBER, NUMBER) | st.lists(CELL, max_size=8),
        max_size=25,
    )
)  # fmt: skip
def test_no_row_and_no_value_is_lost(rows: list[tuple[str, ...] | list[str]]) -> None:
    good = "A;road;02.01.2024;5;1;1\n"
    feed = read(good + "".join(";".join(row) + "\n" for row in rows))
    (file,) = feed.files
    assert file.rows == file.used + file.missing + file.rejected + file.left_out
    assert file.rows == 1 + sum(any(cell.strip() for cell in row) for row in rows)
    assert file.values_used == len(feed.observations)
    assert [row[3] for row in feed.observations] == sorted(row[3] for row in feed.observations)
    assert len({row[:2] + row[3:] for row in feed.observations}) == len(feed.observations)
    assert {row[0] for row in feed.observations} <= {draft.id for draft in feed.drafts}


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B 2", "C"]), st.integers(0, 24 * 366), st.integers(0, 900)),
        min_size=1, max_size=40, unique_by=lambda row: row[:2],
    )
)  # fmt: skip
def test_what_is_written_is_read_back(said: list[tuple[str, int, int]]) -> None:
    """A year in local time, clock changes and all; every hour of the autumn night is there for each site."""
    first = to_us(datetime(2024, 1, 1, tzinfo=UTC))
    night = [to_us(datetime(2024, 10, 27, hour, tzinfo=UTC)) for hour in range(3)]
    values = {(key, first + hour * HOUR_US): float(flow) for key, hour, flow in said}
    values |= {(key, at): 7.0 for key, _, _ in said for at in night}
    rows = [(f"test-{key.replace(' ', '-')}", "flow", flow, at) for (key, at), flow in values.items()]
    rows.sort(key=lambda row: row[3])
    seed = read("".join(f"{key};road;01.01.2023;0;1;1\n" for key in sorted({key for key, _, _ in said})))
    files = write_feed(mapping(), seed.drafts, rows)
    again = read_feed(mapping(), files)
    assert sorted(again.observations) == sorted(rows)
    assert again.files[0].times.twice_assumed == 0
    assert {draft.id for draft in again.drafts} == {row[0] for row in rows}


def test_a_place_is_told_by_the_row_the_table_or_the_mapping_else_the_row_is_refused() -> None:
    moving = MAPPING.replace(b'values.flow = "{q}"', b'values.position = { lon = "{q}", lat = "{v}" }')
    assert (read("A;road;05.03.2024;7;5.04;47.3\n", moving).drafts[0].lon) == 5.04
    told = MAPPING.replace(b"[unplaced]", b'[[places]]\nkey = "A"').replace(
        b'why = "nobody says"', b'told = "the town"'
    )
    feed = read("A;road;05.03.2024;7;5;4\nB;road;05.03.2024;7;5;4\n", told)
    assert len(feed.drafts) == 1
    assert "'B'" in feed.files[0].rejections[0].reason
    assert feed.told == ("A stands where the town says",)


def test_two_things_are_never_one_asset() -> None:
    with pytest.raises(FeedError, match="both be called 'test-A-1'"):
        read("A 1;road;05.03.2024;7;5;4\nA-1;road;05.03.2024;7;5;4\n")


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (b"zone =", b"zonn =", "nearest key is 'zone'"),
        (b"Europe/Berlin", b"Europe/Berlinn", "no time zone"),
        (b"covers_s", b"cover_s", "'covers_s'"),
        (b'"{q}"', b'"{q"', "brace"),
        (b'"{q}"', b'"{count}"', "nearest is"),
        (b'source = "test"', b'source = "A test"', "no name"),
        (b'format = "%d.%m.%Y %H"', b'other_zone = "UTC"', "told apart only"),
        (b"lat = 52.5", b"lat = 152.5", "no place on Earth"),
        (b'values.flow = "{q}"', b"values.flow = {}", "lon and lat together"),
        (b"covers_s = 3600", b"covers_s = 'long'", "docs/how-to"),
        (b"[[files]]", b"[[files", "TOML"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(was: bytes, becomes: bytes, said: str) -> None:
    assert was in MAPPING
    with pytest.raises(FeedError, match=said):
        read("A;road;05.03.2024;7;5;4\n", MAPPING.replace(was, becomes))


def test_every_shipped_mapping_is_one() -> None:
    assert {"berlin-counts", "dijon-velodi", "openaq", "air-quality", "bus-gps", "nab-traffic"} <= set(shipped_feeds())
    for name in shipped_feeds():
        assert shipped_feed(name).licence
    with pytest.raises(FeedError, match="berlin-counts"):
        shipped_feed("berlin-count")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "None of the feed's files"),
        ({"counts.csv": b""}, "empty"),
        ({"counts.csv": b"a;a\n1;2\n"}, "more than once"),
        ({"counts.csv": HEAD.encode() + b"A;road;\xff\n"}, "not written in utf-8"),
        ({"counts.csv": HEAD.encode() + b'A;"road\n'}, "from line 2"),
        ({"counts.csv": gzip.compress(HEAD.encode())[:-9]}, "in the middle"),
        ({"counts.csv": b"\x1f\x8bnothing"}, "no whole gzip"),
        ({"counts.csv": HEAD.encode()}, "says nothing"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(FeedError, match=said):
        read_feed(mapping(), files)


def test_limits_hold_whatever_the_packing() -> None:
    bomb = gzip.compress(b"a;b\n" + b"1;2\n" * 100_000)
    with pytest.raises(FeedError, match="unpacks to more"):
        read_table(bomb, "f", FeedLimits(unpacked_bytes_max=1_000))
    with pytest.raises(FeedError, match="rows, over the limit"):
        read_table(b"a;b\n1;2\n3;4\n", "f", FeedLimits(rows_max=1))
    with pytest.raises(FeedError, match="bytes, over the limit"):
        read_table(b"a;b\n1;2\n3;4\n", "f", FeedLimits(file_bytes_max=3))
    assert read_table(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"), "f", FeedLimits()).rows[1].cells == ("2",)


def workbook(sheet: str, shared: str = "") -> bytes:
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {names}><sheetData>{sheet}</sheetData></worksheet>")
        if shared:
            archive.writestr("xl/sharedStrings.xml", f"<sst {names}>{shared}</sst>")
    return out.getvalue()


def test_a_workbook_gives_its_first_sheet() -> None:
    cells = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>lat</t></is></c></row>'
        '<row r="2"/><row r="4"><c r="A4"><v>7</v></c><c r="C4"><v>52.5</v></c></row>'
    )
    table = read_table(workbook(cells, "<si><t>k</t><r><t>ey</t></r></si>"), "f.xlsx", FeedLimits())
    assert table.columns == ("key", "", "lat")
    assert [(row.line, row.cells) for row in table.rows] == [(4, ("7", "", "52.5"))]


@pytest.mark.parametrize(
    "data",
    [
        workbook("<row/>")[:60],
        workbook('<row><c t="s"><v>9</v></c></row>'),
        workbook('<row><c r="ZZZ1"><v>9</v></c></row>'),
        workbook("<row>"),
        b"PK\x03\x04",
    ],
    ids=["cut", "no such text", "a column too far", "not closed", "no archive"],
)
def test_a_broken_workbook_is_an_error(data: bytes) -> None:
    with pytest.raises(FeedError, match=r"f\.xlsx"):
        read_table(data, "f.xlsx", FeedLimits())


def test_a_workbook_that_declares_entities_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>')
    with pytest.raises(FeedError, match="entities"):
        read_table(out.getvalue(), "f.xlsx", FeedLimits())

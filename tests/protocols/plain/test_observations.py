"""Observations as JSON: what is said is read, and what cannot be read is refused alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.kinds import Quality
from vigie.core.observations import Outcome
from vigie.core.readings import Readings
from vigie.core.times import rfc3339
from vigie.protocols.plain import MalformedBody, decode_array, decode_lines, decode_messages, encode_array

AT_US = 1_795_486_000_000_000
GOOD: dict[str, Any] = {"asset": "lamp", "point": "level", "value": 60.0, "at": rfc3339(AT_US)}

finite = st.floats(allow_nan=False, allow_infinity=False)
values = finite | st.booleans() | st.text(max_size=5) | st.tuples(finite, finite)
instants = st.integers(-(2**52), 2**52)
rows_of = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), values, instants), max_size=8)

BAD: list[tuple[Any, Outcome]] = [
    ({**GOOD, "value": None}, Outcome.WRONG_TYPE),
    ({**GOOD, "value": {"x": 1}}, Outcome.WRONG_TYPE),
    ({**GOOD, "at": "2026-11-24T03:00:00"}, Outcome.MALFORMED),
    ({**GOOD, "at": "yesterday"}, Outcome.MALFORMED),
    ({**GOOD, "at": "2026-02-30T03:00:00Z"}, Outcome.MALFORMED),
    ({**GOOD, "at": 1_795_486_000}, Outcome.MALFORMED),
    ({**GOOD, "asset": 7}, Outcome.MALFORMED),
    ({**GOOD, "quality": "splendid"}, Outcome.MALFORMED),
    ({key: said for key, said in GOOD.items() if key != "at"}, Outcome.MALFORMED),
    ({key: said for key, said in GOOD.items() if key != "value"}, Outcome.MALFORMED),
    ([], Outcome.MALFORMED),
    (None, Outcome.MALFORMED),
    ("lamp", Outcome.MALFORMED),
]


def said_in(read: Readings) -> list[tuple[Any, ...]]:
    return list(zip(read.assets, read.points, read.values, read.observed_us, strict=True))


def lines(rows: list[Any]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


@given(rows_of)
def test_what_is_written_is_read(rows: list[Any]) -> None:
    read = decode_array(encode_array(rows))
    assert said_in(read) == rows
    assert [type(value) for value in read.values] == [type(row[2]) for row in rows]
    assert read.rows == list(range(len(rows)))
    assert (read.refused, read.quality) == ([], {})


@settings(deadline=None)
@given(rows_of, st.data())
def test_what_is_wrong_is_refused_alone(rows: list[Any], data: st.DataObject) -> None:
    """Rubbish put anywhere between good rows takes none of them away, as an array and as lines."""
    whole: list[Any] = [(row, None) for row in json.loads(encode_array(rows))]
    for bad in data.draw(st.lists(st.sampled_from(BAD), min_size=1, max_size=4)):
        whole.insert(data.draw(st.integers(0, len(whole))), bad)
    sent = [row for row, _ in whole]
    for read in (decode_array(json.dumps(sent).encode()), decode_lines(lines(sent))):
        assert said_in(read) == rows
        assert read.rows == [place for place, (_, outcome) in enumerate(whole) if outcome is None]
        refused = [(each.row, each.outcome) for each in read.refused]
        assert refused == [(place, outcome) for place, (_, outcome) in enumerate(whole) if outcome is not None]
        assert read.sent == len(whole)
        assert all(each.detail for each in read.refused)


@pytest.mark.parametrize(("row", "outcome"), BAD)
def test_each_fault_has_its_outcome_and_its_row(row: Any, outcome: Outcome) -> None:
    read = decode_array(json.dumps([GOOD, row, GOOD]).encode())
    assert [(each.row, each.outcome) for each in read.refused] == [(1, outcome)]
    assert read.rows == [0, 2]


def test_a_whole_number_is_a_number() -> None:
    (value,) = decode_array(json.dumps([{**GOOD, "value": 3}]).encode()).values
    assert (value, type(value)) == (3.0, float)


def test_time_is_read_in_any_zone() -> None:
    row = {**GOOD, "at": "2026-11-24T04:00:00+01:00"}
    assert decode_array(json.dumps([row, {**row, "at": "2026-11-24T03:00:00Z"}]).encode()).observed_us == [
        1_795_489_200_000_000,
        1_795_489_200_000_000,
    ]


def test_quality_stays_with_its_row_when_another_is_refused() -> None:
    sent = [GOOD, None, {**GOOD, "quality": "bad"}, {**GOOD, "quality": "good"}, {**GOOD, "quality": "uncertain"}]
    read = decode_array(json.dumps(sent).encode())
    assert read.quality == {1: Quality.BAD, 3: Quality.UNCERTAIN}
    assert read.rows == [0, 2, 3, 4]


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"nul", b"\xff"])
def test_what_is_no_json_number_is_never_let_in(token: bytes) -> None:
    good = json.dumps(GOOD).encode()
    bad = good.replace(b"60.0", token)
    by_line = decode_lines(good + b"\n" + bad + b"\n" + good)
    assert by_line.rows == [0, 2]
    assert [each.row for each in by_line.refused] == [1]
    try:
        by_array = decode_array(b"[" + good + b"," + bad + b"]")
    except MalformedBody:
        return
    assert by_array.rows == [0]


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{}", b"null", b"3", b'"x"', b"[", b"[1,]", b"\xff\xfe", b"[]]", json.dumps(GOOD).encode()]
)
def test_a_body_that_is_no_array_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decode_array(body)


def test_nothing_sent_is_nothing_read() -> None:
    assert decode_array(b"[]").sent == 0
    assert decode_lines(b"").sent == 0
    assert decode_lines(b"\n\n").sent == 0


def test_lines_may_end_as_they_like_and_be_empty() -> None:
    good = json.dumps(GOOD).encode()
    assert decode_lines(good + b"\r\n" + good + b"\n\n" + good + b"\n").rows == [0, 1, 2]


def test_a_body_cut_anywhere_is_read_or_malformed() -> None:
    body = json.dumps([GOOD, {**GOOD, "value": "é𝄞"}, {**GOOD, "value": [5.0, 47.3]}], ensure_ascii=False).encode()
    for length in range(len(body)):
        with pytest.raises(MalformedBody):
            decode_array(body[:length])


def test_lines_cut_anywhere_lose_the_last_alone() -> None:
    body = lines([GOOD, {**GOOD, "value": "on"}, {**GOOD, "value": [5.0, 47.3]}])
    for length in range(len(body)):
        read = decode_lines(body[:length])
        assert len(read.refused) <= 1
        assert len(read) >= body[:length].count(b"\n")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60) | st.text('[]{}",:0aé\\', max_size=40).map(str.encode))
def test_rubbish_never_raises_anything_else(body: bytes) -> None:
    assert decode_lines(body).sent >= 0
    try:
        read = decode_array(body)
    except MalformedBody:
        return
    assert read.sent >= 0


def test_brackets_without_end_are_malformed() -> None:
    with pytest.raises(MalformedBody):
        decode_array(b"[" * 200_000)
    assert len(decode_lines(b"[" * 200_000).refused) == 1


def test_a_refused_line_is_told_by_its_place_in_the_body() -> None:
    """Empty lines count: it is the line that an editor shows, from 0."""
    assert [each.row for each in decode_lines(b"\n\n{broken\n").refused] == [2]


def test_messages_of_every_form_are_read_together_and_the_bad_refuse_themselves_alone() -> None:
    one = b'{"asset":"a","point":"level","value":1.0,"at":"2026-11-24T03:00:00Z"}'
    two = one.replace(b'"a"', b'"b"')
    pretty = one.replace(b",", b",\n  ")
    assert decode_messages([one, two + b"\n" + one]).assets == ["a", "b", "a"]
    mixed = decode_messages([b"", b" [" + one + b"," + two + b"]", pretty, b"[{", b"\xff", two + b"\n{", b"[" * 99_999])
    assert mixed.assets == ["a", "b", "a", "b"]
    assert [each.outcome for each in mixed.refused] == [Outcome.MALFORMED] * 4
    assert (mixed.rows, mixed.sent) == ([0, 1, 2, 3], 8)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_message_breaks_the_others(rubbish: list[bytes]) -> None:
    one = b'{"asset":"a","point":"level","value":1.0,"at":"2026-11-24T03:00:00Z","quality":"bad"}'
    read = decode_messages([*rubbish, one])
    assert read.assets[-1] == "a"
    assert read.quality[len(read) - 1] == Quality.BAD

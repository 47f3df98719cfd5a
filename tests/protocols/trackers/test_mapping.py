"""Trackers' own JSON by a mapping: what applications publish, what hardware does, and rubbish around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.kinds import Quality
from vigie.core.readings import Readings
from vigie.core.times import SECOND_US
from vigie.protocols.trackers import MappingWrong, decode_positions, read_mappings

AT_S = 1_795_485_600
PHONES = {"topic": "{user}/{device}", "asset": "vehicle-{device}", "when": {"_type": "location"}, "at": "tst",
          "lon": "lon", "lat": "lat", "heading": "cog", "speed": "vel", "accuracy_m": "acc"}  # fmt: skip
BOXES = {"topic": "+/data", "asset": "{imei}", "each": "records", "at": "ts", "lon": "gps/lon", "lat": "gps/lat",
         "private": "io/privacy", "points": {"salting": {"field": "io/12", "values": {"1": True, "0": False}},
                                             "dosage": {"field": "io/13", "factor": 0.1}}}  # fmt: skip
MAPPINGS = read_mappings(json.dumps([PHONES, BOXES]).encode())

PHONE = {"_type": "location", "acc": 11, "alt": 245, "batt": 81, "cog": 270, "lat": 47.322, "lon": 5.0415, "tid": "7",
         "tst": AT_S, "vel": 14}  # fmt: skip
"""In the form of OwnTracks' locations."""
BOX = {"imei": "vehicle-9", "records": [
    {"ts": AT_S * 1_000, "gps": {"lon": 5.04, "lat": 47.32}, "io": {"12": 1, "13": 150}},
    {"ts": "2026-11-24T03:00:05Z", "gps": {"lon": "5.041", "lat": "47.321"}, "io": {"12": 0}},
    {"ts": AT_S + 10, "gps": {"lon": 0, "lat": 0}},
    {"ts": AT_S + 15, "gps": {"lon": 5.042, "lat": 47.322}, "io": {"privacy": 1, "12": 1}},
]}  # fmt: skip


def read(topic: str, *said: Any) -> Readings:
    return decode_positions(
        MAPPINGS, topic, [each if isinstance(each, bytes) else json.dumps(each).encode() for each in said]
    )


def rows(read: Readings) -> list[tuple[Any, ...]]:
    return list(zip(read.assets, read.points, read.values, read.observed_us, strict=True))


def test_what_a_telephone_publishes_is_a_position_and_a_heading() -> None:
    at_us = AT_S * SECOND_US
    assert rows(read("paul/7", PHONE)) == [
        ("vehicle-7", "position", (5.0415, 47.322), at_us), ("vehicle-7", "heading", 270.0, at_us),
    ]  # fmt: skip
    # Who stands is bound for nowhere; a poor fix is uncertain; what is no location is passed over.
    still = read("paul/7", PHONE | {"vel": 0, "acc": 400})
    assert (still.points, still.quality) == (["position"], {0: Quality.UNCERTAIN})
    assert read("paul/7", {"_type": "lwt", "tst": AT_S}).sent == 0
    assert read("paul/7/event", PHONE).sent == 0


def test_what_a_box_publishes_is_read_record_by_record_and_privacy_hides_the_rest() -> None:
    found = read("862/data", BOX)
    assert [(asset, point, value) for asset, point, value, _ in rows(found)] == [
        ("vehicle-9", "position", (5.04, 47.32)), ("vehicle-9", "salting", True), ("vehicle-9", "dosage", 15.0),
        ("vehicle-9", "position", (5.041, 47.321)), ("vehicle-9", "salting", False), ("vehicle-9", "private", True),
    ]  # fmt: skip
    assert [each.row for each in found.refused] == [2]
    assert found.observed_us[0] == AT_S * SECOND_US


def test_a_message_that_cannot_be_read_refuses_itself_alone() -> None:
    found = read("paul/7", b"{", PHONE, PHONE | {"tst": "never"}, PHONE | {"lat": 91}, b"\xff")
    assert (len(found), len(found.refused)) == (2, 4)
    assert len(read("x/data", {"records": BOX["records"]}).refused) == 4


NAMES = st.sampled_from(["_type", "tst", "lat", "lon", "records", "io", "gps", "ts", "imei"])
SAID = st.recursive(
    st.none() | st.text(max_size=5) | st.floats(),
    lambda inner: st.dictionaries(NAMES, inner | st.lists(inner, max_size=3), max_size=5),
    max_leaves=8,
)


@given(st.binary(max_size=60) | SAID.map(lambda said: json.dumps(said).encode()))
def test_rubbish_is_refused_and_never_fails(payload: bytes) -> None:
    for topic in ("paul/7", "x/data"):
        found = read(topic, payload, PHONE if topic == "paul/7" else BOX)
        assert len(found) >= 2


@pytest.mark.parametrize("text", [
    b"", b"{}", b'[{"topic": "a"}]', json.dumps([PHONES | {"lat": ""}]).encode(), json.dumps([PHONES] * 101).encode(),
    json.dumps([PHONES | {"more": 1}]).encode(),
])  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(text: bytes) -> None:
    with pytest.raises(MappingWrong):
        read_mappings(text)

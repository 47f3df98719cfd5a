"""The OsmAnd form at both ends: what applications were seen to send, and what comes back of what is written."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.kinds import Quality
from vigie.protocols.osmand import Fix, Heard, Unreadable, decode, encode_form, encode_json

NOW_US = 1_795_486_000_000_000
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

# In the forms that these applications and boxes send, by their documents and tests; who and where are made up.
TRACCAR_ANDROID = (
    "id=902064&timestamp=1795485600&lat=47.32287&lon=5.03412&speed=12.4&bearing=271.5&altitude=245.0"
    "&accuracy=8.0&batt=81.0"
)
TRACCAR_IOS = "id=902064&lat=47.32287&lon=5.03412&timestamp=2026-11-24T02%3A00%3A00Z&hdop=6.0&altitude=224.0&speed=0.0"
OSMAND = "id=902064&lat=47.32287&lon=5.03412&timestamp=1795485600123&hdop=6.0&altitude=224.0&speed=3.1&bearing=90"
BOX = "deviceid=902064&fixTime=1795485600&location=47.32287,5.03412&heading=12&ignition=true&rpm=933&fuel=24"
TRACCAR_9 = (
    b'{"location":{"event":"motionchange","is_moving":false,"uuid":"0e9a2473","timestamp":"2026-11-24T02:00:00.444Z",'
    b'"odometer":0,"coords":{"latitude":47.32287,"longitude":5.03412,"accuracy":3.8,"speed":18.67,"speed_accuracy":0.26,'
    b'"heading":63,"heading_accuracy":0.28,"altitude":35.7,"altitude_accuracy":3.8},"activity":{"type":"still",'
    b'"confidence":100},"battery":{"is_charging":false,"level":0.79},"extras":{}},"device_id":"902064"}'
)
TRACCAR_9_STILL = (
    b'{"location":{"extras":{},"mock":true,"coords":{"speed_accuracy":-1,"speed":-1,"longitude":5.03412,"floor":null,'
    b'"latitude":47.32287,"accuracy":5,"altitude":0,"heading":-1},"is_moving":false,"age":188,"odometer":0,'
    b'"battery":{"level":-1,"is_charging":false},"timestamp":"2026-11-24T02:00:00.579Z"},"device_id":"902064"}'
)
PLACE = (5.03412, 47.32287)
AT_US = 1_795_485_600_000_000


@pytest.mark.parametrize(
    ("query", "media", "body", "fix"),
    [
        (TRACCAR_ANDROID, "", b"", Fix(AT_US, PLACE, 271.5)),
        (TRACCAR_IOS, "", b"", Fix(AT_US, PLACE)),
        (OSMAND, "", b"", Fix(AT_US + 123_000, PLACE, 90.0)),
        (BOX, "", b"", Fix(AT_US, PLACE, 12.0)),
        ("", FORM, TRACCAR_ANDROID.encode(), Fix(AT_US, PLACE, 271.5)),
        ("", "", TRACCAR_ANDROID.encode(), Fix(AT_US, PLACE, 271.5)),
        ("id=902064", FORM, TRACCAR_ANDROID[10:].encode(), Fix(AT_US, PLACE, 271.5)),
        ("", JSON, TRACCAR_9, Fix(AT_US + 444_000, PLACE, 63.0)),
        ("", JSON, TRACCAR_9_STILL, Fix(AT_US + 579_000, PLACE, quality=Quality.BAD)),
    ],
)
def test_what_applications_send_is_read(query: str, media: str, body: bytes, fix: Fix) -> None:
    assert decode(query, media, body, NOW_US) == Heard("902064", [fix], [])


def test_a_vehicle_gets_a_place_and_a_heading_and_no_speed() -> None:
    readings = decode(TRACCAR_ANDROID, "", b"", NOW_US).readings("van-1")
    assert list(zip(readings.assets, readings.points, readings.values, readings.observed_us, strict=True)) == [
        ("van-1", "position", PLACE, AT_US),
        ("van-1", "heading", 271.5, AT_US),
    ]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("id=1&timestamp=1795485600", "no place"),
        ("id=1&timestamp=1795485600&lat=47.3", "no place"),
        ("id=1&timestamp=1795485600&lat=-&lon=-", "no place"),
        ("id=1&timestamp=1795485600&location=47.3", "no place"),
        ("id=1&timestamp=1795485600&cell=208,10,16,2224", "no place"),
        ("id=1&timestamp=1795485600&lat=nan&lon=5", "none on Earth"),
        ("id=1&timestamp=1795485600&lat=91&lon=5", "none on Earth"),
        ("id=1&timestamp=1795485600&lat=0.0&lon=0.0", "knows no place"),
        ("id=1&timestamp=1795485600&lat=47.3&lon=5&valid=false", "no fix"),
        ("id=1&timestamp=1795485600&lat=47.3&lon=5&valid=A", "true or false"),
        ("id=1&timestamp=1795485600&lat=47.3&lon=5&private=perhaps", "true or false"),
        ("id=1&lat=47.3&lon=5", "no time"),
        ("id=1&lat=47.3&lon=5&timestamp=2026-06-04+09%3A10%3A11", "with a zone"),
        ("id=1&lat=47.3&lon=5&timestamp=yesterday", "with a zone"),
        ("id=1&lat=47.3&lon=5&timestamp=-1", "with a zone"),
        ("id=1&lat=47.3&lon=5&timestamp=" + "9" * 40, "with a zone"),
    ],
)
def test_what_says_no_place_or_no_time_is_refused_with_the_reason(query: str, why: str) -> None:
    heard = decode(query, "", b"", NOW_US)
    assert (heard.who, heard.fixes) == ("1", [])
    assert why in heard.refused[0].detail


@pytest.mark.parametrize(
    ("query", "media", "body"),
    [
        ("", JSON, b"{"),
        ("", JSON, b"[" * 100_000),
        ("", JSON, b'{"device_id": "1", "location": ' + b"[" + b"0," * 5_000 + b"0]}"),
        ("", FORM, b"\xff\xfe"),
        ("%ff=1", "", b""),
        ("&".join(f"a{n}=1" for n in range(101)), "", b""),
    ],
)
def test_what_is_no_form_at_all_is_refused_whole(query: str, media: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(query, media, body, NOW_US)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"null", b'{"device_id":"1","location":3}', b'{"location":{"coords":[]}}']
)
def test_json_of_another_form_says_no_place(body: bytes) -> None:
    assert "no place" in decode("", JSON, body, NOW_US).refused[0].detail


def test_a_poor_fix_is_uncertain_and_who_stands_has_no_heading() -> None:
    def fix(more: str) -> Fix:
        return decode(f"id=1&timestamp=1795485600&lat=47.3&lon=5&{more}", "", b"", NOW_US).fixes[0]

    assert fix("accuracy=400").quality is Quality.UNCERTAIN
    assert fix("hdop=40").quality is Quality.UNCERTAIN
    assert fix("accuracy=good").quality is Quality.GOOD
    assert fix("speed=0.0&bearing=0.0").heading is None
    assert fix("speed=2.0&bearing=0.0").heading == 0.0
    assert fix("bearing=400").heading is None


def test_a_private_word_needs_no_place_and_hides_the_one_that_comes_with_it() -> None:
    assert decode("id=1&private=1", "", b"", NOW_US).fixes == [Fix(NOW_US, private=True)]
    assert decode("id=1&private=0", "", b"", NOW_US).fixes == [Fix(NOW_US, private=False)]
    assert decode(TRACCAR_ANDROID + "&private=true", "", b"", NOW_US).fixes == [Fix(AT_US, private=True)]
    assert decode(TRACCAR_ANDROID + "&private=false", "", b"", NOW_US).fixes == [
        Fix(AT_US, PLACE, 271.5, private=False)
    ]


FIXES = st.builds(
    Fix,
    st.integers(2**31, 4_000_000_000_000).map(lambda ms: ms * 1_000),
    st.tuples(st.floats(-180, 180), st.floats(-90, 90)).filter(lambda place: place != (0, 0)),
    st.none() | st.floats(0, 360),
    st.sampled_from([None, False]),
    st.sampled_from([Quality.GOOD, Quality.UNCERTAIN]),
) | st.builds(Fix, st.integers(2**31, 4_000_000_000_000).map(lambda ms: ms * 1_000), private=st.booleans())


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=40), st.lists(FIXES, min_size=1, max_size=3))
def test_what_one_end_writes_the_other_reads(who: str, fixes: list[Fix]) -> None:
    numbered = [Fix(f.at_us, f.place, f.heading, f.private, f.quality, row) for row, f in enumerate(fixes)]
    assert decode("", JSON, encode_json(who, fixes), NOW_US) == Heard(who, numbered, [])
    assert decode(encode_form(who, fixes[0]), "", b"", NOW_US) == Heard(who, [numbered[0]], [])
    assert decode("", FORM, encode_form(who, fixes[0]).encode(), NOW_US) == Heard(who, [numbered[0]], [])


@given(
    st.dictionaries(st.sampled_from(["id", "lat", "lon", "timestamp", "location", "private", "valid", "x"]), st.text())
)
def test_any_parameters_are_read_or_refused(fields: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in fields.items())
    heard = decode(query, "", b"", NOW_US)
    assert len(heard.fixes) + len(heard.refused) == 1

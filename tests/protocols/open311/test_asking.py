"""What is asked of Open311: lists by days, ids and pages; forms with and without files, whole and cut short."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import NOW_US
from vigie.core.times import DAY_US
from vigie.protocols.open311 import (
    PAGE_MAX,
    REQUESTS_MAX,
    Part,
    Query,
    Submission,
    Unasked,
    encode_form,
    encode_multipart,
    encode_query,
    read_fields,
    read_multipart,
    read_query,
    submission_of,
)

HOLE = Submission(
    "pothole", 5.04, 47.32, "12 rue Verte", "A hole; deep & wide.\nIn front of 12.", "Anne Durand Petit",
    "anne@example.org", "+33 6", attributes={"where": ("pavement",), "danger": ("yes", "no")},
)  # fmt: skip


def test_without_a_word_the_last_ninety_days_are_asked_for() -> None:
    assert read_query([], NOW_US) == Query(NOW_US - 90 * DAY_US, NOW_US, most=PAGE_MAX)


def test_what_is_asked_is_read_as_it_was_written() -> None:
    query = Query(NOW_US - DAY_US, NOW_US, ("7", "8"), ("light", "pothole"), ("open",), 100, 50)
    assert read_query(read_fields(encode_query(query)), NOW_US) == query
    fields = read_fields("start_date=2026-11-01T00:00:00+01:00&status=open&status=closed&page=3&page_size=20")
    asked = read_query(fields, NOW_US)
    assert (asked.statuses, asked.first, asked.most) == (("open", "closed"), 40, 20)
    assert asked.until_us - asked.since_us == 90 * DAY_US


@pytest.mark.parametrize(
    "query",
    [
        "start_date=2026-01-01T00:00:00Z&end_date=2026-11-01T00:00:00Z",
        "start_date=2026-11-02T00:00:00Z&end_date=2026-11-01T00:00:00Z",
        "start_date=2026-11-02T00:00:00",
        "start_date=2026-11-02 03:00",
        "end_date=soon",
        "status=broken",
        "page=0",
        "page_size=1001",
        "page=500&page_size=100",
        "page=99999999999999999999",
        "service_request_id=" + ",".join(map(str, range(REQUESTS_MAX + 1))),
    ],
)
def test_what_cannot_be_asked_is_refused(query: str) -> None:
    with pytest.raises(Unasked):
        read_query(read_fields(query), NOW_US)


def test_a_space_before_the_time_is_no_plus_and_one_before_the_zone_is() -> None:
    read = [
        read_query([("start_date", said)], NOW_US).since_us
        for said in ("2026-11-24T03:00:00Z", "2026-11-24 03:00:00Z", "2026-11-24 04:00:00 01:00")
    ]
    assert read == [read[0]] * 3


def test_what_is_reported_is_read_as_it_was_written() -> None:
    assert submission_of(read_fields(urlencode(encode_form(HOLE, "dijon")))) == HOLE
    bare = Submission("other")
    read = submission_of(read_fields(urlencode(encode_form(bare))))
    assert math.isnan(read.lat)
    assert replace(read, lon=0, lat=0) == replace(bare, lon=0, lat=0)


@pytest.mark.parametrize(
    "form",
    [
        "lat=47&long=5",
        "service_code=light&lat=47",
        "service_code=light&lat=91&long=5",
        "service_code=light&lat=nan&long=5",
        "service_code=light&lat=47,3&long=5",
        "service_code=light&description=" + "a" * 4_001,
        "service_code=light&email=" + "a" * 255,
        "service_code=light&address_string=" + "a" * 501,
        "service_code=" + "a" * 41,
        "&".join(f"a{n}=1" for n in range(201)),
        "service_code=%ff",
    ],
)
def test_a_form_that_reports_nothing_is_refused(form: str) -> None:
    with pytest.raises(Unasked):
        submission_of(read_fields(form))


def test_a_form_with_a_photo_is_read_whole_and_refused_cut_short() -> None:
    photo = b"\xff\xd8\r\n--\r\n\x00--edge\xff"
    parts = [*(Part(name, value.encode()) for name, value in encode_form(HOLE)), Part("media", photo, True)]
    media, body = encode_multipart(parts, "edge-of-a-form")
    read = read_multipart(media, b"a preamble\r\n" + body + b"an epilogue")
    assert read == parts
    assert submission_of([(each.name, each.text) for each in read if not each.file]) == HOLE
    for end in range(0, len(body) - 4, 7):
        with pytest.raises(Unasked):
            read_multipart(media, body[:end])


def test_nothing_but_boundaries_takes_no_memory_and_a_photo_is_held_once_beside_the_body() -> None:
    empty = b"--a" + b"\r\n--a" * (1 << 18) + b"--"
    photo = b'--a\r\nContent-Disposition: form-data; name="media"; filename=""\r\n\r\n' + bytes(1 << 20) + b"\r\n--a--"
    tracemalloc.start()
    try:
        with pytest.raises(Unasked):
            read_multipart("multipart/form-data; boundary=a", empty)
        assert tracemalloc.get_traced_memory()[1] < 1 << 18
        tracemalloc.reset_peak()
        (part,) = read_multipart("multipart/form-data; boundary=a", photo)
        assert len(part.content) == 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 1.2 * (1 << 20)
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=40))
@settings(max_examples=40)
def test_rubbish_is_refused_or_read(body: bytes) -> None:
    for media in ("text/plain", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"):
        try:
            read_multipart(media, b"--x\r\n" + body + b"\r\n--x--")
        except Unasked:
            continue

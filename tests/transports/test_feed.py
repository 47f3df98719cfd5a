"""A document that is asked for again and again: packed, unchanged, moved away, too large, cut."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from tests.http_end import End
from vigie.transports.feed import Feed, FeedFailed, Fetched

LIMIT = 4 << 20


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def fetched(told: bytes, validators: tuple[tuple[str, str], ...] = ()) -> tuple[Fetched | None, list[str]]:
    """What comes of an answer, and what was asked."""

    async def run() -> tuple[Fetched | None, list[str]]:
        async def serve(turn: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(told)
            writer.close()

        async with End(serve).there() as end:
            feed = Feed(f"{end.url}/content.xml?zone=dijon", timeout_s=5, bytes_max=LIMIT)
            return await feed.fetch(validators), end.lines

    return asyncio.run(run())


def test_a_document_comes_with_what_tells_whether_there_is_another() -> None:
    validators = ('etag: "1"', "last-modified: Fri, 27 Nov 2026 19:00:00 GMT")
    told, lines = fetched(answer("200 OK", b"<a/>", *validators))
    assert told is not None
    assert told.body == b"<a/>"
    assert told.validators == (("if-none-match", '"1"'), ("if-modified-since", "Fri, 27 Nov 2026 19:00:00 GMT"))
    assert lines == ["GET /base/content.xml?zone=dijon HTTP/1.1"]
    again, _ = fetched(answer("304 Not Modified"), told.validators)
    assert again is None


def test_what_is_packed_is_unpacked_within_the_limit() -> None:
    packed = "content-encoding: gzip"
    told, _ = fetched(answer("200 OK", gzip.compress(b"x" * 1_000_000), packed))
    assert told is not None
    assert told.body == b"x" * 1_000_000
    for body in (gzip.compress(bytes(LIMIT + 1)), gzip.compress(b"whole")[:-9], b"no gzip"):
        with pytest.raises(FeedFailed):
            fetched(answer("200 OK", body, packed))
    with pytest.raises(FeedFailed, match="not asked for"):
        fetched(answer("200 OK", b"x", "content-encoding: br"))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (answer("302 Found", b"", "location: http://169.254.169.254/latest"), "not followed"),
        (answer("304 Not Modified"), "304"),
        (answer("404 Not Found"), "404"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "no answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n" + b"x" * 5_000_000, "more than 4 MiB"),
        (b"220 smtp.example ESMTP\r\n", "no answer"),
        (b"", "no answer|closed"),
    ],
)
def test_what_is_no_document_is_told_with_its_reason(told: bytes, why: str) -> None:
    with pytest.raises(FeedFailed, match=why):
        fetched(told)


def test_how_long_the_other_end_wants_to_be_left_alone_is_heard() -> None:
    with pytest.raises(FeedFailed) as told:
        fetched(answer("503 Service Unavailable", b"", "retry-after: 120"))
    assert told.value.retry_after_s == 120


def test_nobody_there_is_told_too() -> None:
    async def run(make: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(FeedFailed):
            await make()

    asyncio.run(run(Feed("http://127.0.0.1:9/", timeout_s=5, bytes_max=LIMIT).fetch))
    with pytest.raises(ValueError, match="no http or https address"):
        Feed("file:///etc/passwd", timeout_s=5, bytes_max=LIMIT)

"""A document at one address, asked for again and again: only what has changed is sent, packed where the other end can.

Only the address that was set is ever asked. A redirection is not followed, wherever it leads: it is told, and whoever
set the address sets another.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

from vigie.transports.http_client import HttpAnswer, HttpBase, Wire

_GZIP = 31
"""What zlib calls a stream in gzip's own envelope."""


class FeedFailed(OSError):
    """The document could not be had; says why. retry_after_s: how long the other end asks to be left alone."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and what is shown to the other end the next time, so that it says whether there is another."""

    body: bytes
    validators: tuple[tuple[str, str], ...]


class Feed:
    """The document at an address. One request at a time."""

    def __init__(self, url: str, *, timeout_s: float, bytes_max: int) -> None:
        """bytes_max: of the document, packed or not. Raises ValueError for what is no http or https address."""
        self._base, parts = HttpBase.of(url), urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s, self._bytes_max = timeout_s, bytes_max

    async def fetch(self, validators: tuple[tuple[str, str], ...] = ()) -> Fetched | None:
        """The document; None where it is the one whose validators these are. Raises FeedFailed."""
        headers = [
            ("host", self._base.authority),
            ("accept", "application/xml, text/xml;q=0.9, */*;q=0.1"),
            ("accept-encoding", "gzip"),
            ("user-agent", "vigie"),
            ("connection", "close"),
            *validators,
        ]
        wire = Wire(self._base, timeout_s=self._timeout_s, answer_bytes_max=self._bytes_max)
        try:
            answer = await wire.ask(h11.Request(method="GET", target=self._target, headers=headers), b"")
        except (OSError, h11.LocalProtocolError) as error:
            raise FeedFailed(str(error)) from error
        finally:
            await wire.close()
        if answer.status == HTTPStatus.NOT_MODIFIED and validators:
            return None
        said = dict(answer.headers)
        if answer.status != HTTPStatus.OK:
            led = f" to {said['location'][:200]!r}, which is not followed" if "location" in said else ""
            raise FeedFailed(f"it is answered with {answer.status}{led}", answer.retry_after_s)
        pairs = (("etag", "if-none-match"), ("last-modified", "if-modified-since"))
        return Fetched(
            self._unpacked(answer, said), tuple((asked, said[name]) for name, asked in pairs if name in said)
        )

    def _unpacked(self, answer: HttpAnswer, said: dict[str, str]) -> bytes:
        packing = said.get("content-encoding", "identity").strip().lower()
        if packing in ("", "identity"):
            return answer.body
        if packing not in ("gzip", "x-gzip"):
            raise FeedFailed(f"it is packed as {packing[:40]!r}, which was not asked for")
        unpacker = zlib.decompressobj(_GZIP)
        try:
            body = unpacker.decompress(answer.body, self._bytes_max)
        except zlib.error as error:
            raise FeedFailed(f"it does not unpack: {error}") from None
        if not unpacker.eof:
            raise FeedFailed(f"it is cut, or more than {self._bytes_max >> 20} MiB")
        return body

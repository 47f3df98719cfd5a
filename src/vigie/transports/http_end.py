"""The end of a conversation between machines over HTTP: whole requests in, whole answers out.

For a protocol that has routes of its own. A body over the limit is answered with 413 and never held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. target: the path as it came, and the query. headers: names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An answer; its body is JSON unless its headers say otherwise, or nothing."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class HttpEnd:
    """An ASGI application around a function."""

    def __init__(self, answer: Callable[[Asked], Told], *, body_bytes_max: int) -> None:
        """answer: called on the event loop, so it must not wait."""
        self._answer, self._bytes_max = answer, body_bytes_max

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        body = await self._body(receive)
        told = Told(413) if body is None else self._answer(_asked(scope, body))
        headers = [(b"content-length", str(len(told.body)).encode())]
        if told.body and not any(name == "content-type" for name, _ in told.headers):
            headers.append((b"content-type", b"application/json"))
        headers += [(name.encode(), value.encode()) for name, value in told.headers]
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        await send({"type": "http.response.body", "body": told.body})

    async def _body(self, receive: Any) -> bytes | None:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            part = message.get("body", b"")
            size, more = size + len(part), message.get("more_body", False)
            if size > self._bytes_max:
                return None
            parts.append(part)
        return b"".join(parts)


def _asked(scope: Any, body: bytes) -> Asked:
    query = scope["query_string"].decode("latin-1")
    target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Asked(scope["method"], target, headers, body)

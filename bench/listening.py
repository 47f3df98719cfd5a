"""Browsers at the live door, in a process of their own: some read all they are sent, some never read at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import numpy as np

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Look:
    """A browser: whose cookie it has, and where it looks. scope, view: their numbers."""

    cookie: str
    bounds: Bounds
    scope: int = 0
    view: int = 0


@dataclass
class Heard:
    """What one browser was told: a row for each asset of each frame. at_s: observed; got_s: arrived, steady clock."""

    no: list[np.ndarray] = field(default_factory=list)
    at_s: list[np.ndarray] = field(default_factory=list)
    got_s: list[float] = field(default_factory=list)
    received_bytes: int = 0
    lost: int = 0


class Listening:
    """The process of the browsers. `keep_one_of`: of so many assets one is kept, that its memory holds the run."""

    def __init__(self, port: int, looks: Sequence[Look], stalled: Sequence[Look], keep_one_of: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, port, looks, stalled, keep_one_of)
        self._process = context.Process(target=_listen, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._expect("open")

    def forget(self) -> None:
        """Begins a run: what was heard before is of no interest."""
        self._pipe.send("forget")
        self._expect("forgotten")

    def heard(self) -> list[Heard]:
        """What each browser that reads has heard since."""
        self._pipe.send("tell")
        said = self._pipe.recv()
        if isinstance(said, str):
            raise RuntimeError(said)
        return cast("list[Heard]", said)

    def close(self) -> None:
        """Ends the process."""
        self._pipe.send("end")
        self._process.join(20)

    def _expect(self, word: str) -> None:
        said = self._pipe.recv()
        if said != word:
            raise RuntimeError(f"the listening process: {said}")


def _listen(pipe: Connection, port: int, looks: Sequence[Look], stalled: Sequence[Look], keep_one_of: int) -> None:
    import uvloop

    try:
        uvloop.run(_serve(pipe, port, looks, stalled, keep_one_of))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


async def _serve(pipe: Connection, port: int, looks: Sequence[Look], stalled: Sequence[Look], keep_one_of: int) -> None:
    loop = asyncio.get_running_loop()
    browsers = [
        (await loop.create_connection(lambda look=look: Browser(port, look, keep_one_of), "127.0.0.1", port))[1]
        for look in looks
    ]
    await asyncio.gather(*(browser.first for browser in browsers))
    dead = [asyncio.create_task(_stall(port, look)) for look in stalled]
    pipe.send("open")
    while (said := await asyncio.to_thread(pipe.recv)) != "end":
        if said == "forget":
            for browser in browsers:
                browser.heard = Heard()
            pipe.send("forgotten")
        else:
            closed = next((browser.closed for browser in browsers if browser.closed), "")
            pipe.send(closed or [browser.heard for browser in browsers])
    for task in dead:
        task.cancel()


async def _stall(port: int, look: Look) -> None:
    """A browser that reads nothing; when the post closes it, it comes again."""
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            raw.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.sock_connect(raw, ("127.0.0.1", port))
                await loop.sock_sendall(raw, _hello(port, look))
                await asyncio.sleep(0.5)
                await loop.sock_sendall(raw, _ask(look))
                # A write to a connection that was cut fails: that is how it learns of it without reading.
                while True:
                    await asyncio.sleep(2)
                    await loop.sock_sendall(raw, _masked(0x8A, b""))


def _hello(port: int, look: Look) -> bytes:
    return (
        f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: {look.cookie}\r\n\r\n"
    ).encode()


def _ask(look: Look) -> bytes:
    asked = {"id": 1, "bbox": look.bounds, "kinds": None, "cells": None, "resume": None}
    return _masked(0x81, json.dumps({"subscribe": asked}).encode())


def _masked(opcode: int, said: bytes) -> bytes:
    length = bytes([0x80 | len(said)]) if len(said) < 126 else bytes([0xFE]) + len(said).to_bytes(2, "big")
    return bytes([opcode]) + length + bytes(4) + said


class Browser(asyncio.Protocol):
    """Reads frames as the console does, and keeps what they say of assets."""

    def __init__(self, port: int, look: Look, keep_one_of: int) -> None:
        self._port, self._look, self._keep = port, look, keep_one_of
        self._waiting = bytearray()
        self._open = False
        self.heard = Heard()
        self.closed = ""
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_hello(self._port, self._look))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.closed or f"a browser was cut off: {exc}"
        if not self.first.done():
            self.first.set_exception(RuntimeError(self.closed))

    def data_received(self, data: bytes) -> None:
        got_s = time.monotonic()
        waiting = self._waiting
        waiting += data
        if not self._open:
            end = waiting.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in waiting[:20]:
                self.closed = waiting[:200].decode("latin-1")
                self._transport.close()
                return
            del waiting[: end + 4]
            self._open = True
            self._transport.write(_ask(self._look))
        start = 0
        while len(waiting) - start >= 2:
            length, head = waiting[start + 1] & 0x7F, 2
            if length >= 126:
                head = 4 if length == 126 else 10
                length = int.from_bytes(waiting[start + 2 : start + head], "big")
            if len(waiting) - start < head + length:
                break
            opcode = waiting[start] & 0x0F
            message = bytes(memoryview(waiting)[start + head : start + head + length])
            start += head + length
            if opcode == 2:
                self._take(message, got_s)
            elif opcode == 9:
                self._transport.write(_masked(0x8A, message))
            elif opcode == 8:
                self.closed = f"closed: {message[:100]!r}"
        del waiting[:start]

    def _take(self, message: bytes, got_s: float) -> None:
        heard = self.heard
        heard.received_bytes += len(message)
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
        if header["type"] == "lost":
            heard.lost += 1
        if "version" in header and not self.first.done():
            self.first.set_result(None)
        if header["type"] != "delta" or header.get("moving"):
            return
        offset = (4 + length + 7) & ~7
        for name, kind in header["columns"]:
            column = np.frombuffer(message, f"<{kind}", header["rows"], offset)
            offset += (column.nbytes + 7) & ~7
            if name == "no":
                kept = np.flatnonzero(column % self._keep == 0)
                heard.no.append(column[kept])
            elif name == "at_s":
                heard.at_s.append(column[kept])
        heard.got_s.append(got_s)

"""The browser's end of the live door: reads frames as the console does, and keeps what they say."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.people import Browser
from tests.post import RunningPost

GONE = 8
EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)

Columns = dict[str, np.ndarray]


def read_frame(frame: bytes) -> tuple[dict[str, Any], Columns]:
    """Header and columns of a frame (web/lib/frames.ts)."""
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    columns: Columns = {}
    offset = _padded(4 + length)
    for name, kind in header.get("columns", []):
        columns[name] = np.frombuffer(frame, f"<{kind}", header["rows"], offset)
        offset = _padded(offset + columns[name].nbytes)
    assert offset == len(frame)
    return header, columns


def _padded(offset: int) -> int:
    return (offset + 7) // 8 * 8


class Screen:
    """What a browser knows from the frames of its map."""

    def __init__(self) -> None:
        self.picture: dict[int, dict[str, float]] = {}
        self.movers: dict[int, dict[str, float]] = {}
        self.epoch = ""
        self.version = -1
        self.types: list[str] = []

    def take(self, header: dict[str, Any], columns: Columns) -> None:
        """A snapshot or a delta."""
        self.types.append(header["type"])
        if header["epoch"] != self.epoch or header.get("forget"):
            self.epoch = header["epoch"]
            self.picture, self.movers = {}, {}
        self.version = header.get("version", self.version)
        rows = [{name: column[row].item() for name, column in columns.items()} for row in range(header["rows"])]
        if header.get("moving"):
            if header["type"] == "snapshot":
                self.movers = {}
            for row in rows:
                if int(row["flags"]) & GONE:
                    self.movers.pop(int(row["no"]), None)
                else:
                    self.movers[int(row["no"])] = row
        else:
            for row in rows:
                self.picture[int(row["no"])] = row

    @property
    def resume(self) -> dict[str, Any]:
        """What is said when the socket is opened again."""
        return {"epoch": self.epoch, "version": self.version}


class Live:
    """An open socket."""

    def __init__(self, opened: ClientConnection) -> None:
        self.socket = opened

    def ask(self, verb: str, number: int = 1, **what: Any) -> None:
        """One message."""
        self.socket.send(json.dumps({verb: {"id": number, **what}}))

    def look(
        self, bbox: tuple[float, float, float, float] = EVERYWHERE, number: int = 1, kinds: list[str] | None = None,
        resume: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Subscribes to a viewport."""
        self.ask("subscribe", number, bbox=bbox, kinds=kinds, cells=None, resume=resume)

    def next(self, timeout_s: float = 5) -> tuple[dict[str, Any], Columns]:
        """The next frame. Raises TimeoutError, ConnectionClosed."""
        frame = self.socket.recv(timeout=timeout_s)
        assert isinstance(frame, bytes)
        return read_frame(frame)

    def until(self, found: Callable[[dict[str, Any]], Any], timeout_s: float = 5) -> tuple[dict[str, Any], Columns]:
        """The first frame with such a header; those before it are passed over."""
        end = time.monotonic() + timeout_s
        while True:
            header, columns = self.next(max(0.01, end - time.monotonic()))
            if found(header):
                return header, columns

    def rest(self, quiet_s: float = 0.5) -> list[tuple[dict[str, Any], Columns]]:
        """All frames until none has come for a while."""
        frames = []
        while True:
            try:
                frames.append(self.next(quiet_s))
            except TimeoutError:
                return frames

    def show(self, screen: Screen, number: int = 1, quiet_s: float = 0.5) -> Screen:
        """Puts all that comes for a subscription on a screen."""
        for header, columns in self.rest(quiet_s):
            if header.get("sub") == number:
                screen.take(header, columns)
        return screen

    def farewell(self, timeout_s: float = 5) -> tuple[str, int | None]:
        """Why it was closed, and with which code. Raises TimeoutError where it was not."""
        reason = ""
        try:
            while True:
                header, _ = self.until(lambda header: True, timeout_s)
                reason = header["data"]["reason"] if header["type"] == "bye" else reason
        except ConnectionClosed as closed:
            return reason, closed.rcvd.code if closed.rcvd else None


@contextmanager
def live(post: RunningPost, who: Browser | str, *, kernel_bytes: int = 0, **headers: str) -> Generator[Live]:
    """A socket in somebody's name, or with this cookie. kernel_bytes: what may wait in its kernel; 0: as usual."""
    cookie = who if isinstance(who, str) else who.cookie
    raw = socket.socket()
    if kernel_bytes:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_bytes)
    raw.connect(("127.0.0.1", post.port))
    with connect(
        f"ws://127.0.0.1:{post.port}/api/v1/live",
        sock=raw,
        additional_headers={"Cookie": cookie} | {name.replace("_", "-"): value for name, value in headers.items()},
        max_size=None,
        compression=None,
        max_queue=2,
    ) as opened:
        yield Live(opened)

"""How messages follow each other on a connection: each one ends with a form feed.

Source: RSMP core 3.2.2, "Wrapping of packets": a form feed never occurs inside of JSON; several in a row, or one at the
beginning, are not to be sent and are to be put up with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vigie.protocols.rsmp.limits import FRAME_BYTES_MAX, HEAD_BYTES

END = b"\x0c"

_NUMBER = re.compile(rb'"mId"\s*:\s*"([0-9A-Fa-f-]{36})"')


@dataclass(frozen=True, slots=True)
class Oversize:
    """A message of more than the limit. head: its beginning; the rest was let go as it came."""

    head: bytes


def number_in(frame: bytes) -> str:
    """The number of a message that cannot be read, so that it can be refused; empty where none is to be seen."""
    found = _NUMBER.search(frame[:HEAD_BYTES])
    return found[1].decode("ascii") if found else ""


class Frames:
    """Cuts what comes in into messages, whatever pieces it comes in. Holds at most one message of the limit."""

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes | Oversize]:
        """The messages that are whole now, without their form feeds, in order."""
        found: list[bytes | Oversize] = []
        *ended, rest = data.split(END)
        for piece in ended:
            self._add(piece)
            frame = b"".join(self._parts)
            if self._size > self.bytes_max:
                found.append(Oversize(frame[:HEAD_BYTES]))
            elif frame.strip():
                found.append(frame)
            self._parts, self._size = [], 0
        self._add(rest)
        return found

    @property
    def held_bytes(self) -> int:
        """How much of a message that is not whole yet is kept."""
        return sum(map(len, self._parts))

    def _add(self, piece: bytes) -> None:
        over = self._size > self.bytes_max
        self._size += len(piece)
        if self._size <= self.bytes_max:
            if piece:
                self._parts.append(piece)
        elif not over:
            self._parts = [b"".join((*self._parts, piece))[:HEAD_BYTES]]

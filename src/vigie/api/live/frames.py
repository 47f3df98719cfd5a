"""A frame of the live door: how columns travel to a browser, which reads them without copying.

u32 length of the header, the header (JSON), padding to a multiple of 8, then the columns, each padded to 8. All numbers
have their little end first. The header names the columns and their types, u1, u4, f4 or f8, in the order they come in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Column = tuple[str, NDArray[Any]]

TYPES = frozenset({"u1", "u4", "f4", "f8"})

_encode = msgspec.json.Encoder().encode
_PAD = 8


class Frame:
    """A frame before it is known to whom it goes. It is put together once for each number of a subscription, and
    nearly all browsers number theirs alike."""

    __slots__ = ("_body", "_made", "header")

    def __init__(self, header: dict[str, Any], columns: Sequence[Column] = ()) -> None:
        """columns: all of one length, of the types above. Raises ValueError for another type."""
        self.header = header
        if columns:
            types = [(name, column.dtype.str[1:]) for name, column in columns]
            if not TYPES.issuperset(kind for _, kind in types):
                raise ValueError(f"a frame holds no columns of these types: {types}")
            self.header |= {"rows": len(columns[0][1]), "columns": types}
        self._body = b"".join(_padded(np.ascontiguousarray(column).tobytes()) for _, column in columns)
        self._made: dict[int | None, bytes] = {}

    def bytes_for(self, sub: int | None = None) -> bytes:
        """The frame for the subscription that its browser gave this number; None for a frame that is about none."""
        made = self._made.get(sub)
        if made is None:
            header: Mapping[str, Any] = self.header if sub is None else self.header | {"sub": sub}
            said = _encode(header)
            made = self._made[sub] = _padded(len(said).to_bytes(4, "little") + said) + self._body
        return made


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % _PAD)

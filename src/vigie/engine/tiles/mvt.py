"""Mapbox Vector Tile 2.1, the writing end: layers of points, lines and surfaces, from columns to bytes.

https://github.com/mapbox/vector-tile-spec/tree/master/2.1 says the form. Whole layers are turned into bytes at once:
a tile of ten thousand lamps costs a few milliseconds, where one call a feature would cost a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Bytes, Int64s, Mask

UInt64s = NDArray[np.uint64]

EXTENT = 4096
"""How many units the side of a tile has, where nothing else is said."""

VARINT_BYTES_MAX = 10

_MOVE, _LINE, _CLOSE = 9, 2, 15
_POINT, _LINESTRING, _POLYGON = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Paths:
    """Lines, or the rings of surfaces, one after the other.

    xy: [n, 2], tile units. start: where each path begins in xy, and at last the end. owner: the feature of each path,
    growing. A ring does not repeat its first place; an exterior one comes before the holes in it.
    """

    xy: Int64s
    start: Int64s
    owner: Int64s


def varint(value: int) -> bytes:
    """One whole number as protocol buffers write it."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def varints(values: UInt64s) -> tuple[Bytes, Int64s]:
    """Whole numbers one after the other, and how many bytes each took."""
    cells, used = _varint_cells(values)
    return cells[used], used.sum(axis=1)


def zigzag(values: Int64s) -> UInt64s:
    """Signed numbers as unsigned ones: 0, -1, 1, -2 are 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def points_layer(
    name: str, ids: Int64s, x: Int64s, y: Int64s, properties: Mapping[str, Int64s], *, extent: int = EXTENT
) -> bytes:
    """A layer of points, one a row; nothing for no row.

    ids: the features' ids. x, y: tile units. properties: key -> a whole number from 0 for each row.
    """
    if not len(ids):
        return b""
    values, at = np.unique(np.concatenate([np.empty(0, np.int64), *properties.values()]), return_inverse=True)
    tags: list[UInt64s] = []
    for key, index in enumerate(at.reshape(len(properties), len(ids))):
        tags += [np.full(len(ids), key, np.uint64), index.astype(np.uint64)]
    feature = [
        *_field(1, [ids.astype(np.uint64)], packed=False),
        *_field(2, tags, packed=True),
        *_constant(len(ids), bytes([3 << 3, _POINT])),
        *_field(4, [np.full(len(ids), _MOVE, np.uint64), zigzag(x), zigzag(y)], packed=True),
    ]
    rows = [*_constant(len(ids), b"\x12"), _varint_cells(_lengths(feature)), *feature]
    features = np.hstack([cells for cells, _ in rows])[np.hstack([used for _, used in rows])]
    return _layer(name, features.tobytes(), list(properties), [int(value) for value in values], extent)


def paths_layer(
    name: str, paths: Paths, properties: Sequence[Mapping[str, str]], *, surfaces: bool, extent: int = EXTENT
) -> bytes:
    """A layer of lines or surfaces; nothing for no path.

    properties: those of each feature, by the number that `paths.owner` gives it; a feature without a path is left out.
    """
    if not len(paths.owner):
        return b""
    stream, start = _commands(paths, surfaces=surfaces)
    data, widths = varints(stream)
    byte_start = np.concatenate([[0], np.cumsum(widths)])
    first = np.flatnonzero(np.diff(paths.owner, prepend=-1))
    edges: list[int] = byte_start[start[np.append(first, len(paths.owner))]].tolist()
    owners: list[int] = paths.owner[first].tolist()
    keys: dict[str, int] = {}
    values: dict[str, int] = {}
    geometry = data.tobytes()
    kind = bytes([3 << 3, _POLYGON if surfaces else _LINESTRING, 4 << 3 | 2])
    parts: list[bytes] = []
    for row, owner in enumerate(owners):
        tags = b"".join(
            varint(keys.setdefault(key, len(keys))) + varint(values.setdefault(value, len(values)))
            for key, value in properties[owner].items()
        )
        commands = geometry[edges[row] : edges[row + 1]]
        told = b"\x12" + varint(len(tags)) + tags if tags else b""
        body = told + kind + varint(len(commands)) + commands
        parts += (b"\x12", varint(len(body)), body)
    return _layer(name, b"".join(parts), list(keys), list(values), extent)


def _commands(paths: Paths, *, surfaces: bool) -> tuple[UInt64s, Int64s]:
    """The geometry's commands of all paths, and where each path's begin, and at last the end."""
    sizes = np.diff(paths.start)
    lengths = 2 * sizes + (3 if surfaces else 2)
    start = np.concatenate([[0], np.cumsum(lengths)])
    path = np.repeat(np.arange(len(sizes)), sizes)
    nth = np.arange(len(paths.xy)) - paths.start[path]
    # The cursor goes on from path to path within a feature, and begins a feature at (0, 0).
    before = np.zeros_like(paths.xy)
    before[1:] = paths.xy[:-1]
    fresh = np.diff(paths.owner, prepend=-1) != 0
    before[paths.start[:-1][fresh]] = 0
    steps = zigzag(paths.xy - before)
    stream = np.empty(int(start[-1]), np.uint64)
    at = start[path] + np.where(nth == 0, 1, 2 + 2 * nth)
    stream[at], stream[at + 1] = steps[:, 0], steps[:, 1]
    stream[start[:-1]] = _MOVE
    stream[start[:-1] + 3] = ((sizes - 1) << 3 | _LINE).astype(np.uint64)
    if surfaces:
        stream[start[1:] - 1] = _CLOSE
    return stream, start


_Cells = tuple[Bytes, Mask]


def _varint_cells(values: UInt64s) -> _Cells:
    """Each number's bytes in a row of its own, and which of the row's cells it takes."""
    widths = np.ones(len(values), np.int64)
    for bits in range(7, 7 * VARINT_BYTES_MAX, 7):
        more = values >= np.uint64(1 << bits)
        if not more.any():
            break
        widths += more
    columns = np.arange(int(widths.max(initial=1)))
    cells = (values[:, None] >> (columns * 7).astype(np.uint64)).astype(np.uint8) & np.uint8(0x7F)
    cells |= (columns < widths[:, None] - 1).astype(np.uint8) << np.uint8(7)
    return cells, columns < widths[:, None]


def _constant(rows: int, said: bytes) -> list[_Cells]:
    cells = np.tile(np.frombuffer(said, np.uint8), (rows, 1))
    return [(cells, np.ones(cells.shape, np.bool_))]


def _field(number: int, columns: Sequence[UInt64s], *, packed: bool) -> list[_Cells]:
    """A field of each row: one number, or (packed) several behind their length; nothing for no column."""
    if not columns:
        return []
    cells = [_varint_cells(column) for column in columns]
    tag = _constant(len(columns[0]), bytes([number << 3 | (2 if packed else 0)]))
    return [*tag, *([_varint_cells(_lengths(cells))] if packed else []), *cells]


def _lengths(cells: Sequence[_Cells]) -> UInt64s:
    return np.sum([used.sum(axis=1) for _, used in cells], axis=0).astype(np.uint64)


def _layer(name: str, features: bytes, keys: Sequence[str], values: Sequence[str | int], extent: int) -> bytes:
    parts = [_text(1, name), features, *(_text(3, key) for key in keys)]
    for value in values:
        said = b"\x28" + varint(value) if isinstance(value, int) else _text(1, value)
        parts += (b"\x22", varint(len(said)), said)
    body = b"".join((*parts, b"\x28", varint(extent), b"\x78\x02"))
    return b"\x1a" + varint(len(body)) + body


def _text(field: int, said: str) -> bytes:
    data = said.encode()
    return bytes([field << 3 | 2]) + varint(len(data)) + data

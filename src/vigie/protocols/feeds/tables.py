"""Rows of a file: CSV, packed or not, and the sheets of a workbook (workbooks.py)."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from io import StringIO

from vigie.protocols.feeds.limits import FeedError, FeedLimits
from vigie.protocols.feeds.workbooks import read_workbook

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_DELIMITERS = ";,\t|"
_GZIP = b"\x1f\x8b"
_WORKBOOK = b"PK\x03\x04"
_FETCH = "Fetch it again, or ask its publisher"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. line: of the file, from 1, the header's being counted. problem: why it cannot be read, if it cannot."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, without its header and without empty lines."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(data: bytes, file: str, limits: FeedLimits, *, delimiter: str = "", encoding: str = "") -> Table:
    """The rows of a file, whatever it is packed in. Raises FeedError for one that cannot be used at all.

    A row that has more or fewer cells than the header is kept as a problem: nobody knows which cell is which, and the
    last line of a file that was cut off is such a row.
    """
    if len(data) > limits.file_bytes_max:
        raise FeedError(f"{file} has {len(data):,} bytes, over the limit of {limits.file_bytes_max:,}", "Split it")
    if data.startswith(_WORKBOOK):
        records = read_workbook(data, file, limits)
    else:
        text = _decoded(_unpacked(data, file, limits), file, encoding)
        records = _records(text, file, delimiter)
    if not records:
        raise FeedError(f"{file} is empty", _FETCH)
    if len(records) - 1 > limits.rows_max:
        raise FeedError(f"{file} has {len(records) - 1:,} rows, over the limit of {limits.rows_max:,}", "Split it")
    columns = tuple(" ".join(name.split()) for name in records[0][1])
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise FeedError(f"{file} has the column {twice[0]!r} more than once", "Rename one of them in the file")
    return Table(columns, tuple(_row(line, cells, len(columns)) for line, cells in records[1:]))


def _row(line: int, cells: list[str], width: int) -> Row:
    problem = "" if len(cells) == width else f"it has {len(cells)} cells where the header has {width}"
    return Row(line, tuple(cells), problem)


def _unpacked(data: bytes, file: str, limits: FeedLimits) -> bytes:
    """The bytes out of gzip, never more than allowed; as they are if they are not packed."""
    if not data.startswith(_GZIP):
        return data
    parts: list[bytes] = []
    left = limits.unpacked_bytes_max
    try:
        while data:
            unpacker = zlib.decompressobj(wbits=31)
            parts.append(unpacker.decompress(data, left + 1))
            left -= len(parts[-1])
            if left < 0:
                raise FeedError(f"{file} unpacks to more than {limits.unpacked_bytes_max:,} bytes", "Split it")
            if not unpacker.eof:
                raise FeedError(f"{file} ends in the middle of its packing", _FETCH)
            data = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise FeedError(f"{file} is no whole gzip ({error})", _FETCH) from error
    return b"".join(parts)


def _decoded(data: bytes, file: str, encoding: str) -> str:
    try:
        return data.decode(encoding or "utf-8").removeprefix(_MARK)
    except LookupError as error:
        raise FeedError(f"{file}: unknown encoding {encoding!r}", 'Mend encoding, such as "latin-1"') from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FeedError(
            f"{file} is not written in {encoding or 'utf-8'} (line {line})", 'Declare encoding, such as "latin-1"'
        ) from error


def _records(text: str, file: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Each record with the line on which it begins; empty lines, also before the header, are passed over."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), strict=True)
    found: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                found.append((begins, record))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise FeedError(f"{file}, from line {begins}: {error}", "Close the quotation mark there") from error
    return found


def _delimiter(text: str) -> str:
    """What cuts the header into most cells. A feed that has only one column is cut by none of them."""
    head = text.lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=head.count)

"""CSV under any delimiter, with decimal points or commas, also with dBase types in its header ("OBJECTID,N,10,0")."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO

from shapely.geometry.base import BaseGeometry

from vigie.protocols.inventories import shapes
from vigie.protocols.inventories.encodings import decoded
from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.tables import Row, Table

_DELIMITERS = ";,\t|"
_HEAD_LINES = 50
_DBASE = re.compile(r"(.+),[CNFDLM](,\d+){0,2}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SPACES = str.maketrans("", "", " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class Form:
    """How a CSV is written. delimiter: found when empty. x, y: the columns of the place; empty: it has none."""

    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    x: str = ""
    y: str = ""


def number(text: str, decimal: str = ".") -> float | None:
    """The finite number that a text holds, or None. Spaces between thousands are allowed, other marks are not."""
    plain = text.translate(_SPACES)
    if decimal != ".":
        plain = "" if "." in plain else plain.replace(decimal, ".")
    if not _NUMBER.fullmatch(plain):
        return None
    value = float(plain)
    return value if math.isfinite(value) else None


def read(data: bytes, file: str, form: Form, limits: Limits) -> Table:
    """One row a record; `Row.line` is the line of the file on which it begins, the header being line 1."""
    text = decoded(data, file, form.encoding)
    delimiter = form.delimiter or _delimiter(text, file)
    lines = _records(text, delimiter, file)
    header = next(lines, None)
    if header is None:
        raise SourceError(f"{file} is empty", "Fetch the file again")
    columns = _columns(header[1], file)
    for column in (form.x, form.y):
        if column and column not in columns:
            near = get_close_matches(column, columns, 1, 0.0)[0]
            raise SourceError(f"{file} has no column {column!r}; the nearest is {near!r}", "Mend x or y")
    records = [record for record in lines if any(record[1])]
    if len(records) > limits.rows_max:
        raise SourceError(f"{file} has {len(records):,} rows, over the limit of {limits.rows_max:,}", "Split it")
    return Table(tuple(_rows(records, columns, form)), frozenset(columns), len(records), "line")


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins. A quoted cell may hold line breaks."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for record in reader:
            yield begins, record
            begins = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(
            f"{file}, from line {begins}: {error}", "Close the quotation mark there, or fetch the file again"
        ) from error


def _delimiter(text: str, file: str) -> str:
    """The delimiter that cuts most of the first rows into as many cells as the header, the more cells the better."""
    found: list[tuple[int, str]] = []
    head = text[:20_000].splitlines(keepends=True)[:_HEAD_LINES]
    for delimiter in _DELIMITERS:
        try:
            widths = [len(record) for record in csv.reader(head, delimiter=delimiter) if record]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        # Half, not all: a broken row is refused by itself, and must not hide how the others are written.
        if 2 * sum(width == widths[0] for width in widths[1:]) >= len(widths[1:]):
            found.append((widths[0], delimiter))
    best = sorted(found, reverse=True)
    if best and (len(best) == 1 or best[0][0] > best[1][0]):
        return best[0][1]
    raise SourceError(f"{file}: no delimiter cuts its first rows evenly", 'Declare it in the mapping: delimiter = ";"')


def _columns(header: Sequence[str], file: str) -> list[str]:
    names = [" ".join(name.split()) for name in header]
    typed = [_DBASE.fullmatch(name) for name in names]
    if all(typed):
        names = [match[1] for match in typed if match]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{file} has the column {twice[0]!r} more than once", "Rename one of them in the file")
    return names


def _rows(records: list[tuple[int, list[str]]], columns: list[str], form: Form) -> Iterator[Row]:
    width = len(columns)
    cells = [dict(zip(columns, record, strict=False)) for _, record in records]
    problems = [
        "" if len(record) == width else f"it has {len(record)} cells where the header has {width}"
        for _, record in records
    ]
    cells = [
        {} if problem else row for row, problem in zip(cells, problems, strict=True)
    ]  # nobody knows which is which
    spots: list[BaseGeometry | None] = [None] * len(records)
    if form.x:
        pairs = [_pair(cell, form) for cell in cells]
        made = shapes.points([x or 0.0 for x, _ in pairs], [y or 0.0 for _, y in pairs])
        for i, (x, y) in enumerate(pairs):
            if x is None or y is None:
                problems[i] = problems[i] or f"its place is no number: {_shown(cells[i], form)}"
            else:
                spots[i] = made[i]
    for i, (line, _) in enumerate(records):
        yield Row(line, cells[i], spots[i], problem=problems[i])


def _pair(cells: Mapping[str, str], form: Form) -> tuple[float | None, float | None]:
    return number(cells.get(form.x, ""), form.decimal), number(cells.get(form.y, ""), form.decimal)


def _shown(cells: Mapping[str, str], form: Form) -> str:
    return f"{form.x} {cells.get(form.x, '')[:30]!r}, {form.y} {cells.get(form.y, '')[:30]!r}"

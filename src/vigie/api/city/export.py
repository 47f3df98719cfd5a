"""Assets as a table for spreadsheets: RFC 4180, UTF-8 without a mark, heads in the reader's language."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from collections.abc import AsyncGenerator, Generator, Sequence

import numpy as np
from numpy.typing import NDArray
from starlette.responses import StreamingResponse

from vigie.api.city import describe, forms
from vigie.api.city.sight import Sight
from vigie.api.words import words
from vigie.core.plans import Cell, Phrase, Table
from vigie.engine.loop import Engine

ROWS_AT_ONCE = 500
"""The loop is let go between so many rows: an export of the whole city delays nobody."""

COLUMNS = ("id", "kind", "name", "street", "area", "lon", "lat", "worst", "point", "value", "unit", "at", "old")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(engine: Engine, sight: Sight, numbers: NDArray[np.intp], language: str, now_us: int) -> StreamingResponse:
    """The table, sent as it is made."""

    async def parts() -> AsyncGenerator[bytes]:
        said = words(language)
        yield _lines([[said(f"csv.{column}") for column in COLUMNS]])
        for start in range(0, len(numbers), ROWS_AT_ONCE):
            some = numbers[start : start + ROWS_AT_ONCE].tolist()
            yield _lines([_cells(engine, row) for row in describe.rows(engine, sight, some, now_us)])
            await asyncio.sleep(0)

    return _sent(parts(), "vigie.csv")


def table_of(table: Table, language: str, filename: str) -> StreamingResponse:
    """What a service tells as rows, its heads and phrases in a language; sent as it is made, off the loop."""
    said = words(language)

    def cell(value: Cell) -> str:
        return harmless(said(value.key, **value.detail)) if isinstance(value, Phrase) else written(value)

    def parts() -> Generator[bytes]:
        yield _lines([[said(f"csv.{head}") for head in table.heads]])
        rows = iter(table.rows)
        while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
            yield _lines([[cell(value) for value in row] for row in some])

    return _sent(parts(), filename)


def _sent(parts: AsyncGenerator[bytes] | Generator[bytes], filename: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Vary": "Cookie, Authorization"}
    return StreamingResponse(parts, 200, headers, "text/csv; charset=utf-8; header=present")


def _cells(engine: Engine, row: forms.AssetRow) -> list[str]:
    shown = row.state.shown
    unit = engine.registry.catalogue.assets[row.kind].points[shown.point].unit if shown else ""
    last = [shown.point, written(shown.value), unit, shown.at or "", written(shown.old)] if shown else [""] * 5
    first = [row.id, row.kind, row.name, row.street or "", row.area]
    return [*map(harmless, first), f"{row.lon:.7f}", f"{row.lat:.7f}", str(row.state.worst), *last]


def written(value: forms.Value) -> str:
    """A value as a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case str():
            return harmless(value)
        case tuple():
            return f"{value[0]:.7f} {value[1]:.7f}"
        case _:
            return f"{value:.10g}"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what looks like one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode()

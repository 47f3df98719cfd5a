"""What every reader of a file format gives: rows, with the place in the file where each was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from vigie.protocols.inventories.projections import Crs

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, before any mapping.

    line: counted from 1, in the file's own way: see `Table.word`.
    geometry: in the file's own projection; None where it gives none.
    surface: what a closed line of OpenStreetMap encloses, beside the line itself.
    problem: why the row cannot be read; empty for a good one. open: why it encloses nothing, though it should.
    """

    line: int
    cells: Mapping[str, Cell]
    geometry: BaseGeometry | None = None
    surface: BaseGeometry | None = None
    problem: str = ""
    open: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A whole file.

    columns: every column there is; None where each row has tags of its own, so that none can be missing.
    read: how many rows the file holds, also those that a reader leaves out because they carry nothing.
    crs: the projection that the file itself names.
    word: what `Row.line` counts: "line", "record", "feature" or "object".
    """

    rows: tuple[Row, ...]
    columns: frozenset[str] | None
    read: int
    word: str
    crs: Crs | None = None
    warnings: tuple[str, ...] = ()


def text_of(cell: Cell) -> str:
    """A cell as keys and names show it: 449.0 is "449", nothing is "", white space is single."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case str():
            return " ".join(cell.split())
        case _:
            return str(cell)

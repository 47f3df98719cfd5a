"""Shapefiles in a zip: .shp and .dbf, with .shx, .prj and .cpg where they are there."""

# pyshp types its values loosely; what leaves this file is typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any, cast

import shapefile
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from vigie.protocols.inventories import shapes
from vigie.protocols.inventories.archives import members
from vigie.protocols.inventories.encodings import DECLARE, known
from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.projections import Crs, crs_from_text
from vigie.protocols.inventories.tables import Cell, Row, Table

_BROKEN = (
    shapefile.ShapefileException, struct.error, ValueError, KeyError, IndexError, AssertionError, EOFError, TypeError,
)  # fmt: skip
Recode = Callable[[str], str]
_ANY_BYTES = codecs.lookup("latin-1").name
_POINTS = {shapefile.POINT, shapefile.POINTZ, shapefile.POINTM}


def read(data: bytes, file: str, encoding: str, layer: str, limits: Limits) -> Table:
    """The rows of the archive's only layer, or of the one named. `Row.line` is the record's number."""
    unpacked = members(data, file, limits)
    stem = _layer(unpacked, file, layer)
    parts = {name[len(stem) :].lower(): content for name, content in unpacked.items() if name.startswith(stem + ".")}
    missing = [suffix for suffix in (".shp", ".dbf") if suffix not in parts]
    if missing:
        raise SourceError(f"{file} has no {stem}{missing[0]}", "A shapefile needs its .shp and its .dbf; pack both")
    coding, warnings = _encoding(parts.get(".cpg", b""), encoding, file)
    recoded = _recoded(coding)
    crs: Crs | None = None
    if ".prj" in parts:
        crs = crs_from_text(parts[".prj"].decode("utf-8", "replace"), f"{stem}.prj")
    try:
        rows, columns, read = _rows(parts, file, recoded, limits)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{file}: {stem}.dbf is not written in {coding} ({error.reason} at {error.object[:40]!r})",
            DECLARE,
        ) from error
    except _BROKEN as error:
        raise SourceError(f"{file}: {stem} is no whole shapefile ({error})", "Fetch the file again") from error
    return Table(rows, frozenset(columns), read, "record", crs, warnings)


def _layer(unpacked: dict[str, bytes], file: str, layer: str) -> str:
    stems = sorted(name[:-4] for name in unpacked if name.lower().endswith(".shp"))
    chosen = [stem for stem in stems if not layer or stem.rsplit("/", 1)[-1] == layer]
    if len(chosen) == 1:
        return chosen[0]
    if not stems:
        raise SourceError(f"{file} holds no .shp", "It must be a zipped shapefile")
    names = ", ".join(stem.rsplit("/", 1)[-1] for stem in stems)
    raise SourceError(f"{file} holds the layers {names}", "Name one in the mapping: layer = ...")


def _encoding(cpg: bytes, declared: str, file: str) -> tuple[str, tuple[str, ...]]:
    """What the mapping declares, else what the .cpg says, else UTF-8, in which most wrong bytes do not decode."""
    written = cpg.decode("ascii", "replace").strip().lower().replace("_", "-")
    written = {"65001": "utf-8", "1252": "cp1252", "88591": "latin-1"}.get(written, written)
    if declared and written and written != declared.lower():
        return declared, (f"{file}: its .cpg says {written!r}; the mapping's {declared!r} was followed",)
    return known(declared or written, file), ()


def _recoded(coding: str) -> Recode:
    """How a text that was read as Latin-1 becomes what its bytes say in another encoding. It raises UnicodeDecodeError.

    pyshp tries each number of blanks at the end of a text that it cannot decode, and then forgets which text it was.
    Latin-1 decodes anything at once and loses nothing.
    """
    if codecs.lookup(coding).name == _ANY_BYTES:
        return lambda text: text
    return lambda text: text if text.isascii() else text.encode(_ANY_BYTES).decode(coding)


def _rows(
    parts: dict[str, bytes], file: str, recoded: Recode, limits: Limits
) -> tuple[tuple[Row, ...], list[str], int]:
    """The rows, the names of the columns, and how many rows there are with those that are marked as deleted."""
    stated_bytes = 2 * int(struct.unpack_from(">i", parts[".shp"], 24)[0])
    if stated_bytes > len(parts[".shp"]):
        raise ValueError(f".shp states {stated_bytes:,} bytes and has {len(parts['.shp']):,}: it is cut short")
    shp = shapefile.ShpReader(shp=_stream(parts[".shp"][:stated_bytes]))
    dbf = shapefile.DbfReader(dbf=_stream(parts[".dbf"]), encoding=_ANY_BYTES)
    if len(dbf) > limits.rows_max:
        raise SourceError(f"{file} has {len(dbf):,} rows, over the limit of {limits.rows_max:,}", "Split it")
    columns = [recoded(field.name) for field in dbf.fields[1:]]
    drawn = list(_shapes(shp, parts.get(".shx")))
    if len(drawn) != len(dbf):
        raise ValueError(f"{len(drawn)} shapes for {len(dbf)} records")
    geometries = _geometries(drawn)
    rows: list[Row] = []
    for number, (record, geometry) in enumerate(zip(dbf.iterRecords(deleted_as_None=True), geometries, strict=True), 1):
        if record is None:  # marked as deleted: it is in the file, and no longer in the city
            continue
        cells = {name: _cell(value, recoded) for name, value in zip(columns, cast("list[Any]", record), strict=True)}
        rows.append(Row(number, cells, geometry, problem="" if geometry is not None else "it has no readable shape"))
    return tuple(rows), columns, len(dbf)


def _shapes(shp: shapefile.ShpReader, shx: bytes | None) -> Iterator[Any]:
    """The shapes in the order of their records; the index, where there is one, tells where each begins."""
    if shx is None:
        yield from shp.iterShapes()
        return
    index = shapefile.ShxReader(shx=_stream(shx))
    for number, (offset, length) in enumerate(zip(index.offsets, index.shape_lengths_B, strict=True)):
        yield shp.shape(number, offset, length)


def _geometries(drawn: list[Any]) -> list[BaseGeometry | None]:
    """All points at once, as they are most; each line or surface by itself, None where it cannot be one."""
    found: list[BaseGeometry | None] = [None] * len(drawn)
    spots = [i for i, shape in enumerate(drawn) if shape.shapeType in _POINTS and len(shape.points) == 1]
    x = [float(drawn[i].points[0][0]) for i in spots]
    y = [float(drawn[i].points[0][1]) for i in spots]
    for i, point in zip(spots, shapes.points(x, y), strict=True):
        found[i] = point
    for i, shape in enumerate(drawn):
        if shape.shapeType in _POINTS or shape.shapeType == shapefile.NULL or not shape.points:
            continue
        try:
            found[i] = shapes.from_interface(shape.__geo_interface__)
        except (ValueError, TypeError, IndexError, ShapelyError, shapefile.GeoJSON_Error):
            found[i] = None
    return found


def _stream(data: bytes) -> Any:
    return BytesIO(data)  # pyshp's own type of a stream is narrower than what it reads from


def _cell(value: Any, recoded: Recode) -> Cell:
    if isinstance(value, str):
        return recoded(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, int | float | bool) else None

"""OpenStreetMap extracts, PBF or XML. A node is a point, a way a line, a closed way or a multipolygon a surface too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import osmium
import osmium.io
import osmium.osm
from osmium.geom import WKBFactory
from shapely.geometry.base import BaseGeometry

from vigie.protocols.inventories import shapes
from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.projections import WGS84, crs_of
from vigie.protocols.inventories.tables import Row, Table

_HEX = WKBFactory()
_RINGS = ("multipolygon", "boundary")
_CROSSED = "its outline crosses itself, or is not whole in the file"
_INCOMPLETE = "not all of its outlines are in the file"


def read(data: bytes, file: str, form: str, limits: Limits) -> Table:
    """The objects that carry tags. form: "pbf" or "osm". `Row.line` is the object's number in the file.

    The column "@id" is what OpenStreetMap knows it by, such as "node/26" or "way/14".
    """
    try:
        found, read_count = _objects(data, file, form, limits)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise SourceError(f"{file} is no whole OpenStreetMap file ({error})", "Fetch the extract again") from error
    return Table(tuple(found), None, read_count, "object", crs_of(WGS84))


def _objects(data: bytes, file: str, form: str, limits: Limits) -> tuple[list[Row], int]:
    rows: dict[str, Row] = {}
    surfaces: dict[str, BaseGeometry | None] = {}
    count = 0
    for found in osmium.FileProcessor(osmium.io.FileBuffer(data, form)).with_areas():
        if isinstance(found, osmium.osm.Area):
            key = f"{'way' if found.from_way() else 'relation'}/{found.orig_id()}"
            surfaces[key] = _surface(found)
            continue
        count += 1
        if not found.tags:
            continue
        if len(rows) >= limits.rows_max:
            raise SourceError(f"{file} has more than {limits.rows_max:,} tagged objects", "Cut a smaller extract")
        row = _row(count, found)
        rows[str(row.cells["@id"])] = row
    return list(_joined(rows, surfaces)), count


def _surface(found: osmium.osm.Area) -> BaseGeometry | None:
    """What an area encloses; None where its rings cross or do not close."""
    try:
        return shapes.from_wkb(bytes.fromhex(_HEX.create_multipolygon(found)))
    except RuntimeError:
        return None


def _row(number: int, found: object) -> Row:
    """One object. It must be read before the next one comes: osmium lends it only until then."""
    match found:
        case osmium.osm.Node():
            cells = {**dict(found.tags), "@id": f"node/{found.id}"}
            if not found.location.valid():
                return Row(number, cells, problem="the node has no valid place")
            return Row(number, cells, shapes.points([found.lon], [found.lat])[0])
        case osmium.osm.Way():
            cells = {**dict(found.tags), "@id": f"way/{found.id}"}
            corners = _present(found)
            if len(corners) < 2:
                return Row(number, cells, problem="no two nodes of the way in a row are in the file")
            closed = found.is_closed() and found.tags.get("area") != "no"
            return Row(number, cells, shapes.line(corners), open=_CROSSED if closed else "")
        case osmium.osm.Relation():
            cells = {**dict(found.tags), "@id": f"relation/{found.id}"}
            return Row(number, cells, open=_INCOMPLETE if cells.get("type") in _RINGS else "")
        case _:
            raise ValueError(f"an object of an unknown sort, number {number}")


def _present(way: osmium.osm.Way) -> list[tuple[float, float]]:
    """The way's corners; of a way that leaves the extract, its longest stretch inside."""
    runs: list[list[tuple[float, float]]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.lon, node.lat))
        elif runs[-1]:
            runs.append([])
    return max(runs, key=len)


def _joined(rows: dict[str, Row], surfaces: dict[str, BaseGeometry | None]) -> Iterator[Row]:
    for key, row in rows.items():
        surface = surfaces.get(key)
        if surface is not None:
            yield replace(row, surface=surface, open="")
        else:
            yield replace(row, open=_CROSSED) if key in surfaces else row

"""GeoJSON (RFC 7946), and what is published under its name: another projection, a `crs` member, Latin-1."""

from __future__ import annotations

from typing import Any

import msgspec

from vigie.protocols.inventories import shapes
from vigie.protocols.inventories.encodings import decoded
from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.projections import Crs, crs_from_text
from vigie.protocols.inventories.tables import Cell, Row, Table


class _Collection(msgspec.Struct):
    type: str = ""
    features: list[msgspec.Raw] | None = None
    crs: Any = None


class _Feature(msgspec.Struct):
    type: str = ""
    id: str | int | float | None = None
    properties: dict[str, Any] | None = None
    geometry: msgspec.Raw = msgspec.Raw(b"null")


_EXPORT = "Export the layer again, as a GeoJSON FeatureCollection"
_COLLECTION = msgspec.json.Decoder(_Collection)
_FEATURE = msgspec.json.Decoder(_Feature)


def read(data: bytes, file: str, encoding: str, limits: Limits) -> Table:
    """One row a feature; `Row.line` is its number from 1. Its own id is the column "@id"."""
    text = decoded(data, file, encoding)
    try:
        collection = _COLLECTION.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(f"{file} is no GeoJSON ({error})", _EXPORT) from error
    if collection.type != "FeatureCollection" or collection.features is None:
        raise SourceError(f"{file} is a {collection.type or 'JSON text without a type'}, no FeatureCollection", _EXPORT)
    if len(collection.features) > limits.rows_max:
        raise SourceError(f"{file} has {len(collection.features):,} features, over the limit", "Split it")
    rows = _rows(collection.features)
    columns = frozenset[str]().union(*(row.cells for row in rows), ("@id",))
    return Table(rows, columns, len(rows), "feature", _crs(collection.crs, file))


def _rows(raws: list[msgspec.Raw]) -> tuple[Row, ...]:
    features: list[_Feature | str] = []
    for raw in raws:
        try:
            feature = _FEATURE.decode(raw)
            features.append(feature if feature.type == "Feature" else f"it is a {feature.type or 'thing'}, no Feature")
        except (msgspec.DecodeError, RecursionError) as error:
            features.append(f"it is no feature ({error})")
    texts = ["null" if isinstance(feature, str) else bytes(feature.geometry).decode() for feature in features]
    rows: list[Row] = []
    for number, (feature, geometry) in enumerate(zip(features, shapes.from_geojson(texts), strict=True), 1):
        if isinstance(feature, str):
            rows.append(Row(number, {}, problem=feature))
            continue
        cells: dict[str, Cell] = {name: _cell(value) for name, value in (feature.properties or {}).items()}
        if feature.id is not None:
            cells["@id"] = feature.id
        rows.append(Row(number, cells, geometry, problem="" if geometry is not None else "it has no readable geometry"))
    return tuple(rows)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return msgspec.json.encode(value).decode()


def _crs(member: Any, file: str) -> Crs | None:
    """The `crs` member that the 2008 form of GeoJSON had, and that many files still carry."""
    if member is None:
        return None
    try:
        name = msgspec.convert(member, dict[str, Any])["properties"]["name"]
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise SourceError(f"{file} has a crs member without a name", "Take the member out, and declare crs") from error
    return crs_from_text(str(name), f"the crs member of {file}")

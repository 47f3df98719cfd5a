"""Small files of each form, made in the test, so that it says what it reads."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pyproj
import shapefile

from vigie.protocols.inventories import SourceMapping, read_mapping

Place = tuple[float, float]


def mapping(text: str) -> SourceMapping:
    """A mapping from TOML."""
    return read_mapping(text.encode())


def one_file(file: str, *lines: str, kind: str = "luminaire", key: str = "{ID}") -> SourceMapping:
    """A mapping of one file; a line that begins with "assets." belongs to its only rule."""
    own = "\n".join(line for line in lines if not line.startswith("assets."))
    rule = "\n".join(line.removeprefix("assets.") for line in lines if line.startswith("assets."))
    return mapping(
        f'source = "here"\n[[files]]\nname = "part"\nfile = "{file}"\n{own}\n'
        f'[[files.assets]]\nkind = "{kind}"\nkey = "{key}"\n{rule}\n'
    )


def feature(properties: Mapping[str, Any], geometry: Any) -> dict[str, Any]:
    """One GeoJSON feature; a pair is a point."""
    if isinstance(geometry, tuple):
        geometry = {"type": "Point", "coordinates": list(geometry)}
    return {"type": "Feature", "properties": dict(properties), "geometry": geometry}


def geojson(*features: Any, **members: Any) -> bytes:
    """A FeatureCollection."""
    return json.dumps({"type": "FeatureCollection", **members, "features": features}, ensure_ascii=False).encode()


def zipped(**members: bytes) -> bytes:
    """A zip; a name's double underscore is its dot."""
    return zip_of({name.replace("__", "."): data for name, data in members.items()})


def zip_of(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files under any names."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def prj(epsg: int) -> bytes:
    """What a .prj says of a projection."""
    return pyproj.CRS(epsg).to_wkt("WKT1_ESRI").encode()


def shapefile_parts(
    rows: Sequence[tuple[str, Any]], shape: int = shapefile.POINT, encoding: str = "utf-8", epsg: int | None = 2154
) -> dict[str, bytes]:
    """The members of a shapefile with one text column, ID. A shape is a place, or the parts of a line or a surface."""
    shp, shx, dbf = BytesIO(), BytesIO(), BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shape, encoding=encoding) as writer:
        writer.field("ID", "C", 40)
        for text, drawn in rows:
            if drawn is None:
                writer.null()
            elif shape == shapefile.POINT:
                writer.point(*drawn)
            elif shape == shapefile.POLYLINE:
                writer.line(drawn)
            else:
                writer.poly(drawn)
            writer.record(text)
    parts = {"town.shp": shp.getvalue(), "town.shx": shx.getvalue(), "town.dbf": dbf.getvalue()}
    return parts | ({"town.prj": prj(epsg)} if epsg else {})


def osm_xml(body: str) -> bytes:
    """An OpenStreetMap file."""
    return f"<?xml version='1.0'?><osm version='0.6' generator='test'>{body}</osm>".encode()

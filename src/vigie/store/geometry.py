"""The shapes of lines and surfaces, as the town's tiles are drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.engine import Engine

from vigie.core.arrays import ints
from vigie.core.kinds import Catalogue
from vigie.core.observations import Floats, Int64s
from vigie.engine.tiles.ground import Outline, drawn, grade_of
from vigie.store.tables import ASSET

NUMBERS_MAX = 500
"""So many assets are read in one question; SQL's own limit is some way above."""


def read_outlines(engine: Engine, catalogue: Catalogue, numbers: Sequence[int] | None = None) -> list[Outline]:
    """The outlines of the town, or of the assets of these numbers alone, sorted by number.

    numbers: assets that changed. Those of them that are retired come without a geometry; what has no shape that can
    be read, and kinds that the town's tiles do not draw, are left out.
    """
    kinds = {kind.kind: grade_of(kind)[0] for kind in drawn(catalogue)}
    c = ASSET.c
    query = select(c.no, c.kind, c.name, c.attributes, c.geometry, c.retired_us)
    query = query.where(c.kind.in_(list(kinds)), c.geometry.is_not(None)).order_by(c.no)
    rows: list[Any] = []
    with engine.connect() as read:
        if numbers is None:
            rows += read.execute(query.where(c.retired_us.is_(None))).all()
        else:
            wanted = sorted(set(numbers))
            for first in range(0, len(wanted), NUMBERS_MAX):
                rows += read.execute(query.where(c.no.in_(wanted[first : first + NUMBERS_MAX]))).all()
    blobs = np.empty(len(rows), np.object_)
    blobs[:] = [None if row.retired_us is not None else row.geometry for row in rows]
    shapes = cast("list[shapely.Geometry | None]", shapely.from_wkb(blobs, on_invalid="ignore").tolist())
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    return [
        Outline(row.no, row.kind, row.name, str(decode(row.attributes).get(kinds[row.kind], "")), shape)
        for row, shape in zip(rows, shapes, strict=True)
        if shape is not None or numbers is not None
    ]


def read_lines(engine: Engine, kinds: Sequence[str]) -> tuple[Int64s, list[str], Int64s, Floats, Floats]:
    """The lines of assets of these kinds in service that have a shape; see `vigie.engine.ports.FactStore.lines`."""
    c = ASSET.c
    query = select(c.no, c.name, c.geometry).where(c.kind.in_(kinds), c.geometry.is_not(None), c.retired_us.is_(None))
    with engine.connect() as read:
        rows = read.execute(query.order_by(c.no)).all()
    blobs = np.empty(len(rows), np.object_)
    blobs[:] = [row.geometry for row in rows]
    parts, of = shapely.get_parts(shapely.from_wkb(blobs, on_invalid="ignore"), return_index=True)
    corners, line = shapely.get_coordinates(parts, return_index=True)
    start = np.searchsorted(line, np.arange(len(parts) + 1))
    own = [rows[each] for each in ints(np.asarray(of))]
    assets = np.array([row.no for row in own], np.int64)
    return assets, [str(row.name) for row in own], start.astype(np.int64), corners[:, 0].copy(), corners[:, 1].copy()

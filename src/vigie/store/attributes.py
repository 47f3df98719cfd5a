"""What the inventory says of the assets of a kind, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.engine import Engine

from vigie.core.kinds import AssetKind, Sort
from vigie.core.observations import Int64s
from vigie.store.tables import ASSET

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def attribute_columns(
    engine: Engine, kind: type[AssetKind], names: Sequence[str]
) -> tuple[Int64s, Mapping[str, NDArray[Any]]]:
    """The numbers of all assets of a kind, and these attributes of each: NaN, or "", where nothing is known."""
    query = select(ASSET.c.no, ASSET.c.attributes).where(ASSET.c.kind == kind.kind).order_by(ASSET.c.no)
    with engine.connect() as read:
        rows = read.execute(query).all()
    said = [_decode(row.attributes) for row in rows]
    columns: dict[str, NDArray[Any]] = {}
    for name in names:
        if kind.attributes[name].sort is Sort.NUMBER:
            columns[name] = np.array([each.get(name, np.nan) for each in said], np.float64)
        else:
            columns[name] = np.array([each.get(name, "") for each in said], np.object_)
    return np.array([row.no for row in rows], np.int64), columns

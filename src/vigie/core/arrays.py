"""Seams between typed code and arrays, whose libraries do not say what their elements become in Python."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Shapes = NDArray[np.object_]
"""An array of geometries."""


def ints(values: NDArray[Any]) -> list[int]:
    """The elements of a column of whole numbers."""
    return cast("list[int]", values.tolist())


def floats(values: NDArray[Any]) -> list[float]:
    """The elements of a column of numbers."""
    return cast("list[float]", values.tolist())


def pairs(values: NDArray[Any]) -> list[tuple[float, float]]:
    """The rows of a table of two columns."""
    return cast("list[tuple[float, float]]", values.tolist())


def blobs(values: object) -> list[bytes]:
    """The elements of an array of bytes."""
    return cast("list[bytes]", cast("NDArray[Any]", values).tolist())


def shapes(values: object) -> Shapes:
    """What a vectorised call of shapely gives for an array."""
    return np.asarray(values, dtype=np.object_)

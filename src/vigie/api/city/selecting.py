"""What an address says of assets, as a selection."""

from __future__ import annotations

import math

from vigie.api.operation import nearest
from vigie.api.problems import Problem
from vigie.engine.registry import Registry
from vigie.engine.selection import Selection


def selection_of(
    registry: Registry, *, kind: str = "", street: str = "", area: str = "", bbox: str = "", polygon: str = "",
    reporter: int | None = None,
) -> Selection:  # fmt: skip
    """The selection that the parameters of an address mean.

    bbox: west,south,east,north. polygon: lon,lat;lon,lat;... reporter: the number of a device. Raises Problem 400 for
    what cannot be read, and for a kind that there is not, naming the nearest.
    """
    if kind and kind not in registry.kind_codes:
        raise unknown_kind(registry, kind)
    box = _numbers(bbox, "bbox", 4) if bbox else None
    corners = [_numbers(part, "polygon", 2) for part in polygon.split(";")] if polygon else None
    return Selection(
        kinds=[kind] if kind else (),
        street=street,
        area=area,
        box=None if box is None else (box[0], box[1], box[2], box[3]),
        polygon=None if corners is None else [(corner[0], corner[1]) for corner in corners],
        reporter=reporter,
    )


def unknown_kind(registry: Registry, kind: str) -> Problem:
    """What is said of a kind that there is not."""
    return Problem(400, "Unknown kind", f"There is no kind {kind[:80]!r}.", mend=nearest(kind, registry.kind_codes))


def _numbers(said: str, what: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in said.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise Problem(400, "Impossible parameter", f"{what}: {count} numbers with commas between them.")
    return numbers

"""Fences: parts of the town of which somebody wants to know which vehicles were in them, and when. Documents with
versions, as all plans are.

Who was in one is found from where vehicles said that they were, whenever it is asked, and written down nowhere: so it
is erased with those positions, and seen by whoever may see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import shapely
from msgspec import Meta, Struct

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.plans import Finding, Known, PlanKind

CORNERS_MAX = 200
EACH_SIDE = 2
"""So many positions on the other side of a fence, one after the other, make a crossing: one alone may be noise."""

Corner = tuple[Annotated[float, Meta(ge=-180, le=180)], Annotated[float, Meta(ge=-90, le=90)]]


class Fence(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the town, such as a depot or a pedestrian zone.

    name: what people call it. corners: longitude and latitude of each, in degrees, around it; the last is joined to the
    first. area: the part of the town that it lies in: who plans there may write it. answer: what is answered in writing
    to what is found wrong.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    corners: Annotated[tuple[Corner, ...], Meta(min_length=3, max_length=CORNERS_MAX)]
    area: Annotated[str, Meta(max_length=300)] = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A time within a fence. start_us, end_us: of the first and of the last position in it. left: whether it was left
    after that, as far as is known."""

    start_us: int
    end_us: int
    left: bool


def within(fence: Fence, lon: Floats, lat: Floats) -> Mask:
    """Which places (degrees) lie in a fence."""
    return shapely.contains_xy(shapely.Polygon(fence.corners), lon, lat)


def passages(fence: Fence, lon: Floats, lat: Floats, at_us: Int64s) -> list[Passage]:
    """When a vehicle was in a fence. lon, lat (degrees), at_us: its positions, one after the other."""
    inside = _settled(within(fence, lon, lat))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [
        Passage(int(at_us[first]), int(at_us[end - 1]), left=bool(end < len(inside)))
        for first, end in edges.reshape(-1, 2).tolist()
    ]


def _settled(inside: Mask) -> Mask:
    """The same without what lasts for fewer than `EACH_SIDE` positions between two others."""
    found = inside.copy()
    edges = np.flatnonzero(np.diff(inside.astype(np.int8))) + 1
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if end - first < EACH_SIDE:
            found[first:end] = found[first - 1]
    return found


def check(fence: Fence, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a fence."""
    found: list[Finding] = []
    if not shapely.Polygon(fence.corners).is_valid:
        found.append(Finding("roads.fence_crosses", True))
    if any(each.id != plan and each.in_force and each.in_force.name == fence.name for each in known.plans(FENCE)):
        found.append(Finding("roads.fence_name", True, detail={"name": fence.name}))
    return found


FENCE = PlanKind(
    "fence", "roads", Fence,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda _: "",
    answer=lambda body: body.answer, check=check,
    brief=lambda body: {"corners": len(body.corners)},
)  # fmt: skip

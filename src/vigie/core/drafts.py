"""A draft: what a source says exists, before the post has given it a number."""

from __future__ import annotations

import msgspec

Scalar = str | int | float | bool


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an inventory, in the post's own terms.

    key: its stable identity in its source; (source, key) names one asset for good.
    id: what people call it, unique in the city; empty: made from the kind and the key, and kept from then on.
    lon, lat: degrees, WGS84; for a line or a surface, a point that lies on it.
    geometry: WKB in WGS84 of a line or a surface; None for a point.
    area: path of the area it lies in, such as "dijon-metropole/quetigny"; empty: found by place.
    street: key in the same source of the street it stands on, or the name of that street.
    parent: key in the same source of what feeds it.
    attributes: values of the Attributes that its kind declares; others are refused.
    """

    key: str
    kind: str
    lon: float
    lat: float
    id: str = ""
    name: str = ""
    geometry: bytes | None = None
    area: str = ""
    street: str = ""
    parent: str = ""
    attributes: dict[str, Scalar] = {}

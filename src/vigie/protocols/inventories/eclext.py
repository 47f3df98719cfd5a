"""Luminaires in the form of the CNIG's géostandard "Éclairage extérieur" (EclExt) 1.1: PointLumineux as GeoJSON.

What the standard demands and the inventory does not hold is written as unknown, "XX" or null, and counted: never made
up. The other way goes through the mapping `cnig-eclext`. Names and codes are those of the specification of 29 November
2022, as public transcriptions of it give them (docs/decisions/0023-compliance.md).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from vigie.core.drafts import Scalar

KIND = "luminaire"
"""The kind that a PointLumineux is."""
ATTRIBUTES = (
    "lamp", "lights", "category", "rated_power", "flux", "colour_temperature", "upward_light_share", "flux_code_3",
    "installed",
)  # fmt: skip
"""What is asked of its inventory."""

UNKNOWN = "XX"
_SOURCES = frozenset("FLUO HAL IM INC IND LED SBP SHP VM XEN".split())
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_SHARE_DIGITS = 6


@dataclass(frozen=True)
class LightPoint:
    """A luminaire. id: what people call it. lon, lat: degrees, WGS84. attributes: what is known of ATTRIBUTES."""

    id: str
    lon: float
    lat: float
    attributes: Mapping[str, Scalar]


@dataclass(frozen=True)
class Written:
    """The file, and how many points lack each thing that the standard demands of them."""

    data: bytes
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])


DEMANDED = (
    "statut", "eclairagePublic", "usage", "typeSource", "structure", "support", "temperatureCouleur", "puissance",
    "valideDe", "extinctionNuit", "estAdaptatif",
)  # fmt: skip
"""What the standard demands of each point, whatever it is."""


def write(points: Sequence[LightPoint]) -> Written:
    """A FeatureCollection of them (RFC 7946), in the order given."""
    unknown: Counter[str] = Counter()
    features: list[dict[str, object]] = []
    for point in points:
        properties = _properties(point.attributes)
        unknown.update(name for name in DEMANDED if properties[name] in (None, UNKNOWN))
        place = {"type": "Point", "coordinates": (round(point.lon, 7), round(point.lat, 7))}
        features.append({"type": "Feature", "id": point.id, "geometry": place, "properties": properties})
    data = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return Written(data, {name: unknown[name] for name in DEMANDED if unknown[name]})


def _properties(known: Mapping[str, Scalar]) -> dict[str, Scalar | None]:
    return {
        # Whatever is in service in a town's own inventory works, and is the public's.
        "statut": "functional",
        "eclairagePublic": True,
        "usage": _usage(known),
        "typeSource": _source(known),
        "structure": UNKNOWN,
        "support": UNKNOWN,
        "temperatureCouleur": known.get("colour_temperature"),
        "puissance": known.get("rated_power"),
        "valideDe": _day(known),
        "extinctionNuit": None,
        "estAdaptatif": None,
        "fluxSource": known.get("flux"),
        "cie3": _share(known, "flux_code_3"),
        "ulrNominal": _share(known, "upward_light_share"),
    }


def _usage(known: Mapping[str, Scalar]) -> str:
    """The category of the order of 27 December 2018. Of category b the standard tells four uses apart: heritage is the
    first of them, and which of the others something is, the inventory does not say."""
    category = str(known.get("category", ""))
    if category == "b":
        return "B1" if known.get("lights") == "heritage" else UNKNOWN
    return category.upper() or UNKNOWN


def _source(known: Mapping[str, Scalar]) -> str:
    lamp = str(known.get("lamp", "")).strip().upper()
    return lamp if lamp in _SOURCES else UNKNOWN


def _day(known: Mapping[str, Scalar]) -> str | None:
    """The day on which the head was installed; a month or a year alone is none."""
    found = _DAY.fullmatch(str(known.get("installed", "")))
    return None if found is None else "".join(found.groups())


def _share(known: Mapping[str, Scalar], name: str) -> float | None:
    value = known.get(name)
    return round(float(value) / 100, _SHARE_DIGITS) if isinstance(value, int | float) else None

"""Assets of street lighting as entities: what the model asks for, in its units, and nothing that nobody knows."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from vigie.core.times import rfc3339
from vigie.protocols.ngsi_ld.table import TABLE, Model, Row

Place = tuple[float, float]
"""Longitude and latitude in degrees, WGS84."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Observed:
    """The newest value of a point, in the point's own unit, and its instant."""

    value: float | str | bool
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A luminaire or a cabinet in vigie's words.

    readings: by point. attributes: by name. fed_by: the id of the cabinet that feeds it. feeds: the luminaires that it
    feeds, by id, and where they are.
    """

    id: str
    place: Place
    name: str = ""
    area: str = ""
    street: str = ""
    readings: Mapping[str, Observed] = field(default_factory=dict[str, Observed])
    attributes: Mapping[str, float | str | bool] = field(default_factory=dict[str, "float | str | bool"])
    fed_by: str = ""
    feeds: Mapping[str, Place] = field(default_factory=dict[str, Place])


@dataclass(frozen=True, slots=True)
class Said:
    """The value of a property, in the model's unit; when it was observed, None for what is known of an inventory."""

    value: float | str
    at_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity: what a document says. id: the asset's. properties: by the model's name, those that are known.
    links: by the model's name, ids of assets. places: one or many."""

    type: str
    id: str
    places: tuple[Place, ...]
    name: str = ""
    area: str = ""
    street: str = ""
    properties: Mapping[str, Said] = field(default_factory=dict[str, Said])
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def entity_of(asset: Asset, type_: str, zone: tzinfo) -> Entity:
    """The asset as an entity of a type. zone: the city's, in which its dates are meant. Raises KeyError for an unknown
    type."""
    model = TABLE[type_]
    properties = {row.name: said for row in model.rows if (said := _said(row, asset, zone)) is not None}
    return Entity(
        type=type_,
        id=asset.id,
        places=tuple(asset.feeds.values()) if model.group else (asset.place,),
        name=asset.name,
        area=asset.area,
        street="" if model.group else asset.street,
        properties=properties,
        links=_links(model, asset),
    )


def _links(model: Model, asset: Asset) -> dict[str, tuple[str, ...]]:
    """Each cabinet has one group: all the luminaires that it feeds. Both have the cabinet's id."""
    cabinet = asset.id if model.group else asset.fed_by
    group = asset.fed_by or (asset.id if asset.feeds else "")
    targets = {
        "StreetlightControlCabinet": (cabinet,) if cabinet else (),
        "StreetlightGroup": (group,) if group else (),
        "Streetlight": tuple(asset.feeds),
    }
    return {link.name: targets[link.target] for link in model.links if targets[link.target]}


def _said(row: Row, asset: Asset, zone: tzinfo) -> Said | None:
    if row.point:
        observed = asset.readings.get(row.point)
        value = None if observed is None else _told(row, observed.value)
        return None if observed is None or value is None else Said(value, observed.at_us)
    if row.attribute:
        known = asset.attributes.get(row.attribute)
        if row.day:
            begun = _begin(known, zone)
            return None if begun is None else Said(begun)
        value = None if known is None else _told(row, known)
        return None if value is None else Said(value)
    newest = max((each.at_us for each in asset.readings.values()), default=None)
    return None if newest is None else Said(rfc3339(newest))


def _told(row: Row, value: float | str | bool) -> float | str | None:
    """A value in the model's words and unit; None for what it has no word for."""
    if isinstance(value, str | bool):
        return row.words.get(value) if isinstance(value, str) else None
    if row.words or not math.isfinite(value):
        return None
    if row.steps:
        return next((word for most, word in row.steps if value <= most), None)
    return value / row.divisor


def _begin(said: object, zone: tzinfo) -> str | None:
    """The instant at which a day begins; None for a year or a month alone, whose day nobody knows."""
    if not isinstance(said, str) or not _DAY.fullmatch(said):
        return None
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    begun = datetime(day.year, day.month, day.day, tzinfo=zone)
    # Before time was legal, zones were off by seconds, which RFC 3339 cannot write.
    offset = begun.utcoffset()
    return (begun.astimezone(UTC) if offset is None or offset % _MINUTE else begun).isoformat()

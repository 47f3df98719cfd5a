"""Entities as JSON-LD documents and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote

import msgspec

from vigie.core.times import rfc3339, to_us
from vigie.protocols.ngsi_ld.entities import Entity, Place, Said
from vigie.protocols.ngsi_ld.table import TABLE, Link, Row

CONTEXT = (
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Streetlighting/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
)
"""What the names of a document mean. Named, never fetched."""

_URN = "urn:ngsi-ld:"


class Incomplete(Exception):
    """The model requires of an entity what nobody knows of it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"nobody knows {', '.join(names)}")
        self.names = names


class Unreadable(Exception):
    """This is no entity of street lighting in normalized form; says why."""


class _Instant(msgspec.Struct, frozen=True):
    kind: Literal["DateTime"] = msgspec.field(name="@type")
    value: str = msgspec.field(name="@value")


class _Address(msgspec.Struct, frozen=True):
    street: str = msgspec.field(name="streetAddress", default="")


class _Property(msgspec.Struct, frozen=True):
    type: Literal["Property"]
    value: float | str | _Instant
    observed: Annotated[datetime, msgspec.Meta(tz=True)] | None = msgspec.field(name="observedAt", default=None)


class _AddressProperty(msgspec.Struct, frozen=True):
    type: Literal["Property"]
    value: _Address


class _Relationship(msgspec.Struct, frozen=True):
    type: Literal["Relationship"]
    object: str | list[str]


class _Point(msgspec.Struct, frozen=True, tag="Point"):
    coordinates: Place


class _MultiPoint(msgspec.Struct, frozen=True, tag="MultiPoint"):
    coordinates: list[Place]


class _Location(msgspec.Struct, frozen=True):
    type: Literal["GeoProperty"]
    value: _Point | _MultiPoint


def missing(entity: Entity) -> tuple[str, ...]:
    """What the model requires of an entity and nobody knows, in the model's order."""
    known = {*entity.properties, *entity.links} | ({"location"} if entity.places else set[str]())
    return tuple(name for name in TABLE[entity.type].required if name not in known)


def write(entity: Entity) -> dict[str, Any]:
    """The normalized document of an entity. Raises Incomplete."""
    if names := missing(entity):
        raise Incomplete(names)
    model = TABLE[entity.type]
    document: dict[str, Any] = {"id": _urn(entity.type, entity.id), "type": entity.type}
    if entity.name:
        document["name"] = {"type": "Property", "value": entity.name}
    for row in model.rows:
        if row.name in entity.properties:
            document[row.name] = _property(row, entity.properties[row.name])
    for link in model.links:
        if link.name in entity.links:
            urns = [_urn(link.target, each) for each in entity.links[link.name]]
            document[link.name] = {"type": "Relationship", "object": urns if link.many else urns[0]}
    document["location"] = {"type": "GeoProperty", "value": _geometry(entity.places)}
    if entity.street:
        document["address"] = {"type": "Property", "value": {"streetAddress": entity.street}}
    if entity.area:
        document["areaServed"] = {"type": "Property", "value": entity.area}
    return document | {"@context": list(CONTEXT)}


def simplified(document: Mapping[str, Any]) -> dict[str, Any]:
    """A normalized document as key-values (ETSI GS CIM 009, 4.5.4): units and instants of its values are lost."""
    return {name: _bare(part) for name, part in document.items()}


def read(document: object) -> Entity:
    """The entity that a normalized document says. Properties that the table does not name are passed over.
    Raises Unreadable."""
    try:
        parts = msgspec.convert(document, dict[str, Any])
        type_ = parts.get("type")
        model = TABLE.get(type_) if isinstance(type_, str) else None
        if model is None:
            raise Unreadable(f"type is none of {', '.join(TABLE)}")
        at = msgspec.convert(parts.get("location"), _Location).value
        return Entity(
            type=str(type_),
            id=_id(str(type_), parts.get("id")),
            places=(at.coordinates,) if isinstance(at, _Point) else tuple(at.coordinates),
            name=_text(parts, "name"),
            area=_text(parts, "areaServed"),
            street=msgspec.convert(parts["address"], _AddressProperty).value.street if "address" in parts else "",
            properties={row.name: _said(parts[row.name]) for row in model.rows if row.name in parts},
            links={link.name: _targets(link, parts[link.name]) for link in model.links if link.name in parts},
        )
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        raise Unreadable(str(error)) from error


def _urn(type_: str, id_: str) -> str:
    return f"{_URN}{type_}:{quote(id_, safe='')}"


def _id(type_: str, urn: object) -> str:
    head = f"{_URN}{type_}:"
    if not isinstance(urn, str) or not urn.startswith(head):
        raise Unreadable(f"an id does not begin with {head}")
    return unquote(urn.removeprefix(head))


def _property(row: Row, said: Said) -> dict[str, Any]:
    value = {"@type": "DateTime", "@value": said.value} if row.instant else said.value
    told: dict[str, Any] = {"type": "Property", "value": value}
    if row.unit:
        told["unitCode"] = row.unit
    if said.at_us is not None:
        told["observedAt"] = rfc3339(said.at_us)
    return told


def _geometry(places: tuple[Place, ...]) -> dict[str, Any]:
    if len(places) == 1:
        return {"type": "Point", "coordinates": list(places[0])}
    return {"type": "MultiPoint", "coordinates": [list(place) for place in places]}


def _bare(part: Any) -> Any:
    match part:
        case {"type": "Relationship", "object": target}:
            return target
        case {"type": "Property", "value": {"@type": "DateTime", "@value": instant}}:
            return instant
        case {"type": "Property" | "GeoProperty", "value": value}:
            return value
        case _:
            return part


def _said(part: object) -> Said:
    read = msgspec.convert(part, _Property)
    value = read.value.value if isinstance(read.value, _Instant) else read.value
    return Said(value, None if read.observed is None else to_us(read.observed))


def _text(parts: Mapping[str, Any], name: str) -> str:
    return str(_said(parts[name]).value) if name in parts else ""


def _targets(link: Link, part: object) -> tuple[str, ...]:
    target = msgspec.convert(part, _Relationship).object
    urns = target if isinstance(target, list) else [target]
    return tuple(_id(link.target, urn) for urn in urns)

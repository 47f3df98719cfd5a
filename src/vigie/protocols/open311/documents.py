"""Documents of GeoReport v2 as bytes, in JSON and in XML: the same tree either way.

In XML each list has an element, and each of its items one of a name of its own; what is not said is an empty element.
Towns write codes and ids as numbers or as texts, and texts as nothing: all of that is read. Entities are not expanded,
nothing is fetched, and a document is no larger and no deeper than a town's can be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar, cast

import msgspec

from vigie.protocols.open311.forms import Created, Definition, Discovery, Fault, OwnRequest, Request, Service

# lxml has no types: what leaves this file is typed.
_etree: Any = import_module("lxml.etree")

FORMATS: Mapping[str, str] = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
"""What an address ends with -> what its answer is."""

BYTES_MAX = 16 << 20

T = TypeVar("T", Service, Definition, Request, OwnRequest, Created, Fault, Discovery)

_ITEMS: Mapping[str, str] = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "steps": "step",
}
"""What the items of a list are called in XML."""

_ROOTS: Mapping[type, str] = {
    Service: "services",
    Definition: "service_definition",
    Request: "service_requests",
    OwnRequest: "service_requests",
    Created: "service_requests",
    Fault: "errors",
    Discovery: "discovery",
}

_FLOATS = frozenset({"lat", "long"})
_INTS = frozenset({"order", "photos"})
_FLAGS = frozenset({"metadata", "variable", "required"})
# What XML 1.0 has no way to say.
_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(ValueError):
    """What was sent is no document of this kind; says why."""


def encode(what: Sequence[T] | T, format: str, kind: type[T] | None = None) -> bytes:
    """A document: of a list, or of one where there is but one (a definition, the discovery). format: of `FORMATS`.
    kind: of what the list is, where it may be empty."""
    if format == "json":
        return msgspec.json.encode(what)
    one = what[0] if isinstance(what, Sequence) and what else what
    root = _ROOTS[kind or type(cast(Any, one))]
    return _etree.tostring(_element(root, msgspec.to_builtins(what)), xml_declaration=True, encoding="utf-8")


def decode(body: bytes, format: str, kind: type[T]) -> list[T]:
    """What a document says, in a list also where there is but one. Raises Unreadable."""
    if len(body) > BYTES_MAX:
        raise Unreadable(f"it is larger than {BYTES_MAX >> 20} MiB")
    said = _of_json(body) if format == "json" else _of_xml(body, _ROOTS[kind])
    listed = cast(list[Any], said) if isinstance(said, list) else [said]
    try:
        return [msgspec.convert(_plain(each), kind, strict=False) for each in listed]
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def _element(name: str, said: Any) -> Any:
    """A value as an element."""
    made = _etree.Element(name)
    if isinstance(said, dict):
        made.extend(_element(key, value) for key, value in cast(dict[str, Any], said).items())
    elif isinstance(said, (list, tuple)):
        made.extend(_element(_ITEMS[name], each) for each in cast(Sequence[Any], said))
    elif isinstance(said, bool):
        made.text = str(said).lower()
    elif said is not None:
        made.text = _UNSAYABLE.sub("\ufffd", str(said))
    return made


def _of_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"it is no JSON: {error}") from None


def _of_xml(body: bytes, root: str) -> Any:
    parser = _etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        read = _etree.fromstring(body, parser)
    except (_etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"it is no XML: {error}") from None
    if read.tag != root:
        raise Unreadable(f"it is a {str(read.tag)[:60]!r}, no {root!r}")
    return _value(read)


def _value(element: Any) -> Any:
    """An element as a value: a list by its name, an object where it has children, else its text."""
    # An entity that is not expanded stands there as a node whose tag is no name.
    children = [each for each in element if isinstance(each.tag, str)]
    if element.tag in _ITEMS:
        return [_value(each) for each in children]
    if children:
        return {str(each.tag): _value(each) for each in children}
    return (element.text or "").strip() or None


def _plain(said: Any) -> Any:
    """The same with each field in its own type, whichever way it was written; what is null or empty is left out."""
    if isinstance(said, list):
        return [_plain(each) for each in cast(list[Any], said) if each is not None]
    if not isinstance(said, dict):
        return said
    kept: dict[str, Any] = {}
    for key, value in cast(dict[str, Any], said).items():
        if value is None or value == "":
            continue
        if key in _FLOATS | _INTS | _FLAGS or isinstance(value, (dict, list)):
            kept[key] = _plain(value)
        else:
            kept[key] = value if isinstance(value, str) else str(value)
    return kept

"""A mapping: which column of which file is what. One TOML file a source: docs/how-to/take-in-an-inventory.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from vigie.core.drafts import Scalar
from vigie.core.kinds import Shape
from vigie.protocols.inventories.limits import SourceError
from vigie.protocols.inventories.names import Case
from vigie.protocols.inventories.templates import Template

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EPSG = re.compile(r"(?:EPSG:)?(\d{4,6})", re.IGNORECASE)
DETECT = "detect"
ANY = "*"


class Format(StrEnum):
    """The form of a file."""

    SHAPEFILE = "shapefile"
    GEOJSON = "geojson"
    CSV = "csv"
    OSM_PBF = "osm-pbf"
    OSM_XML = "osm-xml"


_SUFFIXES = {
    ".zip": Format.SHAPEFILE,
    ".geojson": Format.GEOJSON,
    ".json": Format.GEOJSON,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".pbf": Format.OSM_PBF,
    ".osm": Format.OSM_XML,
}


class Repeated(StrEnum):
    """What becomes of rows that have the same key.

    reject: the first stays, the others are refused, each with the line of the first.
    number: all stay; from the second on, counted from west to east, the key gets "#2", "#3".
    join: they are one thing, in the middle of their places.
    """

    REJECT = "reject"
    NUMBER = "number"
    JOIN = "join"


class Reading(StrEnum):
    """How the text of an attribute is understood."""

    TEXT = "text"
    NUMBER = "number"


class AttributeRule(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from", "reading": "as"}
):
    """One attribute of a draft.

    from: a template. as: text or number. factor: what the number is multiplied by, to reach the kind's unit.
    map: from what the file writes to what the kind says; a value that is not in it is left out, and counted.
    all: of rows that are joined, all their values are kept, with this text between them; empty: the westernmost's.
    """

    source: str
    reading: Reading = Reading.TEXT
    factor: float = 1.0
    map: dict[str, Scalar] | None = None
    all: str = ""


class AssetRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some rows of a file become. A row goes to the first rule that takes it.

    where, unless: column -> value, list of values, or "*" for any value.
    key, id, name, area, street, parent: templates. street and parent are whole keys, such as "streets/{IDARC}".
    """

    kind: str
    key: str
    shape: Shape = Shape.POINT
    where: dict[str, str | list[str]] = {}
    unless: dict[str, str | list[str]] = {}
    repeated: Repeated = Repeated.REJECT
    id: str = ""
    name: str = ""
    case: Case = Case.AS_IS
    area: str = ""
    street: str = ""
    parent: str = ""
    attributes: dict[str, str | AttributeRule] = {}

    def attribute(self, name: str) -> AttributeRule:
        """The rule of one attribute, also where it is written as a template alone."""
        rule = self.attributes[name]
        return AttributeRule(source=rule) if isinstance(rule, str) else rule

    @property
    def templates(self) -> dict[str, str]:
        """Every template of the rule, by the place where it is written."""
        own = {name: getattr(self, name) for name in ("key", "id", "name", "area", "street", "parent")}
        return own | {f"attributes.{name}": self.attribute(name).source for name in self.attributes}


class FileRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a source.

    name: what its keys begin with, such as "lights": what is gone from one file is told from other files by it.
    format: by the file's suffix where it is not given.
    crs: "EPSG:2154", or "detect": as the file names it, else by its numbers.
    layer: of a zip with more than one shapefile. delimiter, decimal, x, y: of a CSV.
    missing: texts that mean "no value", such as "#N/A".
    """

    name: str
    file: str
    assets: list[AssetRule]
    format: Format | None = None
    encoding: str = ""
    crs: str = DETECT
    layer: str = ""
    delimiter: str = ""
    decimal: str = "."
    x: str = ""
    y: str = ""
    missing: list[str] = []

    @property
    def form(self) -> Format:
        """The file's form. Raises SourceError where neither the mapping nor the suffix tells."""
        suffix = "." + self.file.lower().rpartition(".")[2]
        form = self.format or _SUFFIXES.get(suffix)
        if form is None:
            known = ", ".join(Format)
            raise SourceError(f"{self.file}: nothing says what form it has", f"Declare format: one of {known}")
        return form

    @property
    def declared_epsg(self) -> int | None:
        """The declared projection; None for "detect"."""
        return None if self.crs == DETECT else int(_EPSG.sub(r"\1", self.crs))


class SourceMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source: the files that one publisher gives of one city. (source, key) names an asset for good."""

    source: str
    files: list[FileRule]
    title: str = ""
    licence: str = ""


def read_mapping(data: bytes, where: str = "the mapping") -> SourceMapping:
    """A mapping from TOML. Raises SourceError with the place, and the nearest right key for a wrong one."""
    try:
        tree = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceError(f"{where} is no TOML ({error})", "Mend the line that it names") from error
    _check_keys(tree, SourceMapping, where)
    try:
        mapping = msgspec.convert(tree, SourceMapping)
    except msgspec.ValidationError as error:
        raise SourceError(
            f"{where}: {error}", "docs/how-to/take-in-an-inventory.md says what each key takes"
        ) from error
    _check(mapping, where)
    return mapping


@cache
def template(text: str) -> Template:
    """A template, parsed once. Raises ValueError."""
    return Template.parse(text)


def _check_keys(tree: Any, struct: type[msgspec.Struct], where: str) -> None:
    """Refuses a key that the format does not have, before types are looked at, so that a slip is called a slip."""
    if not isinstance(tree, dict):
        return
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in _items(tree):
        if key not in fields:
            near = get_close_matches(key, fields, 1, 0.0)[0]
            raise SourceError(f"{where} has the unknown key {key!r}", f"The nearest key is {near!r}")
        if key in ("files", "assets") and isinstance(value, list):
            inner = FileRule if key == "files" else AssetRule
            for i, item in enumerate(_list(value), 1):
                _check_keys(item, inner, f"{where}, {key} {i}")
        if key == "attributes" and isinstance(value, dict):
            for name, item in _items(value):
                _check_keys(item, AttributeRule, f"{where}, attribute {name}")


def _items(tree: Any) -> list[tuple[str, Any]]:
    return list(tree.items())


def _list(value: Any) -> list[Any]:
    return list(value)


def _check(mapping: SourceMapping, where: str) -> None:
    """What types cannot say."""
    names = [rule.name for rule in mapping.files]
    files = [rule.file for rule in mapping.files]
    for name in (mapping.source, *names):
        if not _SLUG.fullmatch(name):
            raise SourceError(
                f"{where}: {name!r} is no name", "Use small letters, digits and hyphens, such as street-lights"
            )
    for twice in (names, files):
        double = next((name for name in twice if twice.count(name) > 1), "")
        if double:
            raise SourceError(f"{where} has {double!r} twice", "Each file stands once, under a name of its own")
    for rule in mapping.files:
        _check_file(rule, f"{where}, file {rule.name}")


def _check_file(rule: FileRule, where: str) -> None:
    if rule.crs != DETECT and not _EPSG.fullmatch(rule.crs):
        raise SourceError(f"{where}: crs = {rule.crs!r}", 'Write "EPSG:2154", or "detect"')
    if len(rule.delimiter) > 1 or rule.decimal not in (".", ",") or bool(rule.x) != bool(rule.y):
        raise SourceError(f"{where}: delimiter, decimal, x or y", 'One character; "." or ","; x and y together')
    if not rule.assets:
        raise SourceError(f"{where} makes nothing", "Add an [[files.assets]] block")
    if rule.form is Format.CSV and not rule.x:
        raise SourceError(f"{where} has no place", "Name the columns of the place: x = ..., y = ...")
    for asset in rule.assets:
        _check_templates(asset, where)


def _check_templates(rule: AssetRule, where: str) -> None:
    for name, text in rule.templates.items():
        try:
            parsed = template(text)
        except ValueError as error:
            raise SourceError(f"{where}, {rule.kind}, {name}: {error}", 'Write columns as "{COLUMN}"') from error
        if name == "key" and not parsed.columns:
            raise SourceError(f"{where}, {rule.kind}: its key {text!r} is the same for every row", "Use a column")


def values_of(wanted: str | list[str]) -> frozenset[str]:
    """The values of a `where` or `unless` entry."""
    return frozenset([wanted] if isinstance(wanted, str) else wanted)


def keeps(conditions: Mapping[str, str | list[str]], values: Mapping[str, str]) -> bool:
    """Whether all conditions hold for a row."""
    for column, wanted in conditions.items():
        value = values[column]
        if not (value and wanted == ANY) and value not in values_of(wanted):
            return False
    return True

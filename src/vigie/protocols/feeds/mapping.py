"""A mapping of a feed: which column is what, in which zone times are written, what means "no value".

One TOML file a feed: docs/how-to/replay-a-feed.md.
"""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from vigie.protocols.feeds.limits import FeedError
from vigie.protocols.feeds.templates import Template

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIXED = re.compile(r"UTC|Etc/GMT([+-]\d{1,2})?")
_HOW_TO = "docs/how-to/replay-a-feed.md says what each key takes"
ISO = "iso"


class Twice(StrEnum):
    """How a time in the hour that comes twice in autumn is understood.

    order: by the order of the file, for each asset: what comes after the clock went back is the second hour; where
    nothing goes back, the first is taken, and counted as assumed. first, second: always so. reject: not at all.
    """

    ORDER = "order"
    FIRST = "first"
    SECOND = "second"
    REJECT = "reject"


class Skipped(StrEnum):
    """What becomes of a time in the hour that does not exist in spring.

    reject: it is refused. before: it is read as if the clock had not been changed yet, one hour later by the new time.
    """

    REJECT = "reject"
    BEFORE = "before"


class TimeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a row was observed.

    text: a template. format: "iso", or as strptime writes it. zone: of times that name none; the feed's if not given.
    A time that names its own offset is read with that.
    covers_s: the time is the beginning of an interval so long, and what was counted is known at its end.
    twice, skipped: at clock changes. other_zone: some times are written in this zone instead: a batch (rows of one
    time) that is later than the batch after it is read in it, if it then comes before; else it is refused.
    """

    text: str
    format: str = ISO
    zone: str = ""
    covers_s: int = 0
    twice: Twice = Twice.ORDER
    skipped: Skipped = Skipped.REJECT
    other_zone: str = ""


class ValueRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """One value of a row: a number, or a place.

    from: a template. factor: what the number is multiplied by, to reach the point's unit. missing: texts that mean
    "no value" here, beside the file's. lon, lat: templates of a place, in degrees WGS84.
    """

    source: str = ""
    factor: float = 1.0
    missing: list[str] = []
    lon: str = ""
    lat: str = ""


class AssetRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some rows speak of. A row goes to the first rule that takes it.

    where: column -> value or list of values. key: a template; also a name alone, where a file is of one thing.
    id: a template of the asset's id; source-key if not given. name: a template; the station table's if not given.
    attributes: attribute -> template, from the first row of each asset. values: point -> template or rule.
    """

    kind: str
    key: str
    values: dict[str, str | ValueRule]
    where: dict[str, str | list[str]] = {}
    id: str = ""
    name: str = ""
    attributes: dict[str, str] = {}

    def value(self, point: str) -> ValueRule:
        """The rule of one point, also where it is written as a template alone."""
        rule = self.values[point]
        return ValueRule(source=rule) if isinstance(rule, str) else rule


class FileRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a feed: CSV, or CSV in gzip. missing: texts that mean "no value"; equal numbers mean it too."""

    file: str
    time: TimeRule
    assets: list[AssetRule]
    delimiter: str = ""
    encoding: str = ""
    missing: list[str] = []


class Stations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The feed's own table of stations: CSV, or the first sheet of an .xlsx. Of rows of one key the first counts.

    key, name, lon, lat: templates; degrees WGS84. attributes: attribute -> template.
    """

    file: str
    key: str
    lon: str
    lat: str
    name: str = ""
    delimiter: str = ""
    encoding: str = ""
    attributes: dict[str, str] = {}


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A station that the mapping itself places. told: who says that it stands there."""

    key: str
    lon: float
    lat: float
    told: str
    name: str = ""


class Unplaced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the assets are put whose place nobody tells: all at one place, which is told. why: a sentence."""

    lon: float
    lat: float
    why: str


class FeedMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed: the files that one publisher gives of one city. zone: the time zone that this city lives by."""

    source: str
    zone: str
    files: list[FileRule]
    title: str = ""
    licence: str = ""
    stations: Stations | None = None
    places: list[Place] = []
    unplaced: Unplaced | None = None


def read_feed_mapping(data: bytes, where: str = "the mapping") -> FeedMapping:
    """A mapping from TOML. Raises FeedError with the place, and the nearest right key for a wrong one."""
    try:
        tree = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FeedError(f"{where} is no TOML ({error})", "Mend the line that it names") from error
    _check_keys(tree, where)
    try:
        mapping = msgspec.convert(tree, FeedMapping)
    except msgspec.ValidationError as error:
        raise FeedError(f"{where}: {error}", _HOW_TO) from error
    _check(mapping, where)
    return mapping


@cache
def template(text: str) -> Template:
    """A template, parsed once. Raises ValueError."""
    return Template.parse(text)


@cache
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises FeedError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise FeedError(f"There is no time zone {name!r}", 'Write it as IANA does, such as "Europe/Paris"') from error


_INNER: dict[str, type[msgspec.Struct]] = {
    "files": FileRule,
    "time": TimeRule,
    "assets": AssetRule,
    "stations": Stations,
    "places": Place,
    "unplaced": Unplaced,
}


def _check_keys(tree: Any, where: str, struct: type[msgspec.Struct] = FeedMapping) -> None:
    """Refuses a key that the format does not have, before types are looked at, so that a slip is called a slip."""
    if not isinstance(tree, dict):
        return
    known = {field.encode_name for field in msgspec.structs.fields(struct)}
    items: list[tuple[str, Any]] = list(tree.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    for key, value in items:
        if key not in known:
            near = get_close_matches(key, known, 1, 0.0)[0]
            raise FeedError(f"{where} has the unknown key {key!r}", f"The nearest key is {near!r}")
        inner = _INNER.get(key)
        parts: list[Any] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType]
        for part in parts if inner is not None else ():
            _check_keys(part, f"{where}, {key}", inner or FeedMapping)


def _check(mapping: FeedMapping, where: str) -> None:
    """What types cannot say."""
    if not _SLUG.fullmatch(mapping.source):
        raise FeedError(f"{where}: {mapping.source!r} is no name", "Use small letters, digits and hyphens")
    zone_of(mapping.zone)
    if not mapping.files:
        raise FeedError(f"{where} names no file", "Add a [[files]] block")
    files = [rule.file for rule in mapping.files]
    if len(set(files)) < len(files):
        raise FeedError(f"{where} has a file twice", "Each file stands once")
    for place in (*mapping.places, *([mapping.unplaced] if mapping.unplaced else [])):
        if not (-180 <= place.lon <= 180 and -90 <= place.lat <= 90):
            raise FeedError(f"{where}: ({place.lon}, {place.lat}) is no place on Earth", "Mend lon and lat")
    table = mapping.stations
    if table is not None:
        _check_templates([table.key, table.lon, table.lat, table.name, *table.attributes.values()], where)
    for rule in mapping.files:
        _check_file(rule, mapping, f"{where}, {rule.file}")


def _check_file(rule: FileRule, mapping: FeedMapping, where: str) -> None:
    zone = rule.time.zone or mapping.zone
    zone_of(zone)
    if rule.time.other_zone:
        zone_of(rule.time.other_zone)
        if not _FIXED.fullmatch(zone):
            raise FeedError(
                f"{where}: other_zone beside {zone}", "Two zones are told apart only where one is UTC or Etc/GMT+N"
            )
    if len(rule.delimiter) > 1 or rule.time.covers_s < 0 or not rule.assets:
        raise FeedError(f"{where}: delimiter, covers_s or assets", "One character; not negative; at least one rule")
    _check_templates([rule.time.text], where)
    for asset in rule.assets:
        inside = f"{where}, {asset.kind}"
        if not asset.values:
            raise FeedError(f"{inside} reports nothing", "Add values.POINT = ...")
        _check_templates([asset.key, asset.id, asset.name, *asset.attributes.values()], inside)
        for point in asset.values:
            value = asset.value(point)
            if bool(value.source) == bool(value.lon) or bool(value.lon) != bool(value.lat):
                raise FeedError(f"{inside}, {point}", "A value has from, or lon and lat together")
            _check_templates([value.source, value.lon, value.lat], f"{inside}, {point}")


def _check_templates(texts: list[str], where: str) -> None:
    for text in texts:
        try:
            template(text)
        except ValueError as error:
            raise FeedError(f"{where}: {error}", 'Write columns as "{COLUMN}"') from error

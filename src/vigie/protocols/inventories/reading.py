"""From files and a mapping to drafts: pure, and whole or not at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import count
from math import fsum

import msgspec
from shapely.geometry.base import BaseGeometry

from vigie.core.drafts import Draft, Scalar
from vigie.core.kinds import Shape
from vigie.protocols.inventories import csvs, geojson, osm, shapefiles, shapes
from vigie.protocols.inventories.limits import DEFAULT, Limits, SourceError
from vigie.protocols.inventories.mapping import (
    AssetRule,
    AttributeRule,
    FileRule,
    Format,
    Reading,
    Repeated,
    SourceMapping,
    keeps,
    template,
)
from vigie.protocols.inventories.names import cased
from vigie.protocols.inventories.projections import Crs, bounds, settle, to_wgs84
from vigie.protocols.inventories.tables import Row, Table, text_of
from vigie.protocols.inventories.templates import ID, PLACE

KEY_CHARACTERS_MAX = 200

_NAMED_BY = {
    Format.SHAPEFILE: "the .prj in {}",
    Format.OSM_PBF: "OpenStreetMap, which is always in degrees",
    Format.OSM_XML: "OpenStreetMap, which is always in degrees",
}


class Rejection(msgspec.Struct, frozen=True):
    """A row that became nothing. line: counted as the file's form counts, see `FileReading.word`.

    key: of the asset that it would have become; empty where it has none, or where it cannot be told.
    """

    line: int
    reason: str
    key: str = ""


def part_of(key: str) -> str:
    """The name of the file that a key comes from: "lights" of "lights/26"."""
    return key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class FileReading:
    """What one file says. rows = drafts + joined + left_out + rejections, always.

    name: what its keys begin with. crs, crs_how: the projection it was read in, and how that was decided.
    lines: of each draft. joined: rows that became part of another row's draft. left_out: rows that no rule takes.
    word: what a rejection's line counts: "line", "record", "feature" or "object".
    blind: how many rows were refused of which nobody can tell what asset they are: they may be any that seems gone.
    """

    name: str
    file: str
    crs: str
    crs_how: str
    rows: int
    word: str
    drafts: tuple[Draft, ...]
    lines: tuple[int, ...]
    joined: int
    left_out: int
    rejections: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    blind: int = 0

    def names(self, key: str) -> bool:
        """Whether an asset of this key comes from this file. A file without a name is all there is of its source."""
        return not self.name or part_of(key) == self.name


@dataclass(frozen=True, slots=True)
class SourceReading:
    """What the files of a source say. absent: files of the mapping that were not given; nothing is said of them."""

    source: str
    files: tuple[FileReading, ...]
    absent: tuple[str, ...]

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """The drafts of all files, in their order."""
        return tuple(draft for file in self.files for draft in file.drafts)

    @property
    def rejected(self) -> int:
        """How many rows of all files were refused."""
        return sum(len(file.rejections) for file in self.files)

    def coverage(self, *, surely: bool = False) -> Callable[[str], bool]:
        """A test of keys: whether the files that were read would name this one, were it still there. What a refused
        row is known to be is there.

        surely: a file without a row, or with refused rows that may be anything, covers nothing.
        """
        refused = {rejection.key for file in self.files for rejection in file.rejections}
        asked = [file for file in self.files if not (surely and (file.blind or not file.rows))]
        parts = {file.name for file in asked}
        return lambda key: ("" in parts or part_of(key) in parts) and key not in refused


@dataclass(slots=True)
class _Taken:
    """A row that a rule takes, on its way to a draft."""

    row: Row
    rule: AssetRule
    values: dict[str, str]
    geometry: BaseGeometry
    lon: float = 0.0
    lat: float = 0.0
    key: str = ""
    others: list[_Taken] = field(default_factory=list["_Taken"])


@dataclass(slots=True)
class _Tally:
    """What goes wrong with rows while a file is read."""

    rejections: list[Rejection] = field(default_factory=list[Rejection])
    left_out: int = 0
    joined: int = 0
    blind: int = 0
    odd: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict[str, list[tuple[int, str]]](list))

    def reject(self, row: Row, reason: str, key: str | None = None) -> None:
        """key: of the asset that the row would have become; "" where it has none, None where that cannot be told."""
        name = row.cells.get(ID)
        self.blind += key is None
        self.rejections.append(Rejection(row.line, f"{name}: {reason}" if name is not None else reason, key or ""))


def read_source(
    mapping: SourceMapping,
    files: Mapping[str, bytes],
    limits: Limits = DEFAULT,
    on_file: Callable[[str], None] = lambda file: None,
) -> SourceReading:
    """Everything that the files say, in the mapping's terms.

    files: contents by file name, some or all of those that the mapping names; where it names one file and one is given,
    that one may have any name. on_file: called with the name of each file before it is read. Raises SourceError for the
    first file that cannot be used, before anything is made.
    """
    rules = list(mapping.files)
    if len(rules) == 1 and len(files) == 1:
        rules = [msgspec.structs.replace(rules[0], file=next(iter(files)), format=rules[0].form)]
    known = [rule.file for rule in rules]
    for name in files:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.0)[0]
            raise SourceError(
                f"The mapping of {mapping.source} knows no file {name}", f"The nearest that it knows is {near}"
            )
    if not files:
        raise SourceError(f"None of the files of {mapping.source} is there", f"It has {', '.join(known)}")
    read: list[FileReading] = []
    for rule in rules:
        if rule.file in files:
            on_file(rule.file)
            read.append(read_file(rule, files[rule.file], limits))
    return SourceReading(mapping.source, tuple(read), tuple(name for name in known if name not in files))


def read_file(rule: FileRule, data: bytes, limits: Limits = DEFAULT) -> FileReading:
    """Everything that one file says. Raises SourceError."""
    if len(data) > limits.file_bytes_max:
        raise SourceError(
            f"{rule.file} has {len(data):,} bytes, over the limit of {limits.file_bytes_max:,}", "Split it"
        )
    table = _table(rule, data, limits)
    _check_columns(rule, table)
    tally = _Tally(left_out=table.read - len(table.rows))
    taken = _taken(rule, table, tally)
    crs, how, warnings = _place(rule, table, taken, tally)
    keyed = _keyed(taken, tally)
    tally.rejections.sort(key=lambda rejection: rejection.line)
    return FileReading(
        name=rule.name,
        file=rule.file,
        crs=crs,
        crs_how=how,
        rows=table.read,
        word=table.word,
        drafts=tuple(_draft(rule, found, tally) for found in keyed),
        lines=tuple(found.row.line for found in keyed),
        joined=tally.joined,
        left_out=tally.left_out,
        rejections=tuple(tally.rejections),
        warnings=(*table.warnings, *warnings, *_odd(tally, table.word)),
        blind=tally.blind,
    )


def _table(rule: FileRule, data: bytes, limits: Limits) -> Table:
    match rule.form:
        case Format.SHAPEFILE:
            return shapefiles.read(data, rule.file, rule.encoding, rule.layer, limits)
        case Format.GEOJSON:
            return geojson.read(data, rule.file, rule.encoding, limits)
        case Format.CSV:
            form = csvs.Form(rule.encoding, rule.delimiter, rule.decimal, rule.x, rule.y)
            return csvs.read(data, rule.file, form, limits)
        case Format.OSM_PBF:
            return osm.read(data, rule.file, "pbf", limits)
        case Format.OSM_XML:
            return osm.read(data, rule.file, "osm", limits)


def _columns_of(rule: AssetRule) -> frozenset[str]:
    """Every column that a rule speaks of."""
    spoken = (template(text).columns for text in rule.templates.values())
    return frozenset(rule.where) | frozenset(rule.unless) | frozenset[str]().union(*spoken)


def _check_columns(rule: FileRule, table: Table) -> None:
    """Refuses a file that lacks a column of the mapping: it is another file, or another year's."""
    if table.columns is None or not table.rows:
        return
    for asset in rule.assets:
        for column in sorted(_columns_of(asset) - table.columns - {PLACE}):
            near = get_close_matches(column, table.columns, 1, 0.0)[0]
            raise SourceError(f"{rule.file} has no column {column!r}", f"Mend the mapping; the nearest is {near!r}")


def _taken(rule: FileRule, table: Table, tally: _Tally) -> list[_Taken]:
    """The rows that rules take; the others are counted, or refused."""
    missing = frozenset(rule.missing)
    spoken = [(asset, sorted(_columns_of(asset) - {PLACE})) for asset in rule.assets]
    found: list[_Taken] = []
    for row in table.rows:
        if row.problem and not row.cells:
            tally.reject(row, row.problem)
            continue
        chosen = _chosen(row, spoken, missing, by_shape=table.columns is None)
        if chosen is None:
            tally.left_out += 1
            continue
        asset, values = chosen
        geometry = _drawn(row, asset.shape)
        if row.problem or geometry is None:
            tally.reject(row, row.problem or row.open or f"it is no {asset.shape}", _key_of(rule, asset, values))
        else:
            found.append(_Taken(row, asset, values, geometry))
    return found


def _key_of(rule: FileRule, asset: AssetRule, values: Mapping[str, str]) -> str | None:
    """The key of a row that has no place; None where it depends on its place, or on how many rows share it."""
    key = template(asset.key)
    if PLACE in key.columns or asset.repeated is Repeated.NUMBER:
        return None
    whole = key.whole(values)
    return whole and f"{rule.name}/{whole}"


def _chosen(
    row: Row, spoken: Sequence[tuple[AssetRule, list[str]]], missing: frozenset[str], *, by_shape: bool
) -> tuple[AssetRule, dict[str, str]] | None:
    """The first rule that takes the row, and the texts of the columns that the rule speaks of.

    by_shape: an object of OpenStreetMap that cannot have the rule's shape is not meant by it.
    """
    for asset, columns in spoken:
        values = {column: text_of(row.cells.get(column)) for column in columns}
        for column, value in values.items():
            if value in missing:
                values[column] = ""
        broken = row.problem or (row.open and asset.shape is Shape.SURFACE)
        meant = not by_shape or bool(broken) or _drawn(row, asset.shape) is not None
        if meant and keeps(asset.where, values) and not _excluded(asset, values):
            return asset, values
    return None


def _excluded(asset: AssetRule, values: Mapping[str, str]) -> bool:
    return any(keeps({column: wanted}, values) for column, wanted in asset.unless.items())


def _drawn(row: Row, shape: Shape) -> BaseGeometry | None:
    """The row's geometry in the shape that a rule wants. A point can be taken on anything but an object's outline."""
    if shape is Shape.SURFACE and row.surface is not None:
        return row.surface
    if row.geometry is None:
        return None
    own = shapes.shape_of(row.geometry)
    if own is shape:
        return row.geometry
    on_it = shape is Shape.POINT and own is not None and ID not in row.cells
    return row.geometry if on_it else None


def _place(rule: FileRule, table: Table, taken: list[_Taken], tally: _Tally) -> tuple[str, str, tuple[str, ...]]:
    """Moves the rows to WGS84, and takes out those that lie nowhere. Returns the projection, how, warnings."""
    if not taken:
        return "", "no row needed one", ()
    x, y = shapes.coordinates([found.geometry for found in taken])
    where = _NAMED_BY.get(rule.form, "{}").format(rule.file)
    settled = settle(rule.declared_epsg, table.crs, where, x, y)
    moved = shapes.moved([found.geometry for found in taken], lambda x, y: to_wgs84(settled.crs, x, y))
    inside = shapes.within(moved, *bounds(settled.crs))
    kept: list[_Taken] = []
    for found, geometry, good in zip(taken, moved, inside, strict=True):
        if not good or _is_nowhere(found.geometry):
            tally.reject(found.row, _nowhere(found.geometry, settled.crs), _key_of(rule, found.rule, found.values))
            continue
        found.geometry = geometry
        kept.append(found)
    taken[:] = kept
    whole, mended = shapes.mended([found.geometry for found in taken])
    lon, lat = shapes.places(whole)
    for i, found in enumerate(taken):
        found.geometry, found.lon, found.lat = whole[i], float(lon[i]), float(lat[i])
    note = (f"{mended} surfaces crossed themselves and were made whole",) if mended else ()
    return str(settled.crs), settled.how, (*settled.warnings, *note)


def _is_nowhere(geometry: BaseGeometry) -> bool:
    return geometry.bounds == (0.0, 0.0, 0.0, 0.0)


def _nowhere(geometry: BaseGeometry, crs: Crs) -> str:
    if _is_nowhere(geometry):
        return "its place is 0, 0: it has none"
    x, y = geometry.bounds[:2]
    return f"its place x {x:.10g}, y {y:.10g} lies outside of where {crs} is used"


def _keyed(taken: list[_Taken], tally: _Tally) -> list[_Taken]:
    """Gives each row its key, and settles what becomes of rows that share one."""
    groups: dict[str, list[_Taken]] = {}
    for found in taken:
        found.values[PLACE] = f"{found.lon:.6f},{found.lat:.6f}"
        key = template(found.rule.key)
        lacking = key.empty(found.values)
        found.key = key.fill(found.values)
        if lacking:
            tally.reject(found.row, f"it has no key: {lacking} is empty", "")
        elif len(found.key) > KEY_CHARACTERS_MAX:
            tally.reject(found.row, f"its key is longer than {KEY_CHARACTERS_MAX} characters", "")
        else:
            groups.setdefault(found.key, []).append(found)
    return [found for group in groups.values() for found in _parted(group, groups.keys(), tally)]


def _parted(group: list[_Taken], used: Collection[str], tally: _Tally) -> list[_Taken]:
    """What rows of one key become."""
    first, *others = group
    same = [found for found in others if found.rule is first.rule]
    repeated = first.rule.repeated if len(same) == len(others) else Repeated.REJECT
    if not others:
        return group
    match repeated:
        case Repeated.REJECT:
            for found in others:
                tally.reject(found.row, f"its key {found.key!r} is that of line {first.row.line}", "")
            return [first]
        case Repeated.NUMBER:
            shared = first.key
            free = (key for n in count(2) if (key := f"{shared}#{n}") not in used)
            for found in sorted(group, key=_order)[1:]:
                found.key = next(free)
            return group
        case Repeated.JOIN:
            # The westernmost row speaks for all, so that a file in another order says the same.
            first, *others = sorted(group, key=_order)
            tally.joined += len(others)
            first.lon = round(fsum(found.lon for found in group) / len(group), shapes.DIGITS)
            first.lat = round(fsum(found.lat for found in group) / len(group), shapes.DIGITS)
            first.others = others
            return [first]


def _order(found: _Taken) -> tuple[float, float, list[str], int]:
    """From west to east, then by what the rows say; by their lines only where nothing else tells them apart."""
    return found.lon, found.lat, sorted(found.values.values()), found.row.line


def _draft(file: FileRule, found: _Taken, tally: _Tally) -> Draft:
    rule, values = found.rule, found.values
    decimal = file.decimal if file.form is Format.CSV else "."
    attributes: dict[str, Scalar] = {}
    for name in rule.attributes:
        value = _attribute(name, rule.attribute(name), found, decimal, tally)
        if value != "":
            attributes[name] = value
    return Draft(
        key=f"{file.name}/{found.key}",
        kind=rule.kind,
        lon=found.lon,
        lat=found.lat,
        id=template(rule.id).whole(values),
        name=cased(template(rule.name).fill(values), rule.case),
        geometry=None if rule.shape is Shape.POINT else shapes.to_wkb(found.geometry),
        area=template(rule.area).whole(values),
        street=template(rule.street).whole(values),
        parent=template(rule.parent).whole(values),
        attributes=attributes,
    )


def _attribute(name: str, rule: AttributeRule, found: _Taken, decimal: str, tally: _Tally) -> Scalar:
    """The attribute's value; "" for none. What cannot be read loses the attribute, not the asset, and is counted."""
    source = template(rule.source)
    text = source.fill(found.values)
    if rule.all and found.others:
        texts = [source.fill(one.values) for one in (found, *found.others)]
        text = rule.all.join(sorted({one for one in texts if one}))
    if not text:
        return ""
    if rule.map is not None:
        if text not in rule.map:
            tally.odd[f"{name} has no meaning in the mapping"].append((found.row.line, text))
        return rule.map.get(text, "")
    if rule.reading is Reading.TEXT:
        return text
    value = csvs.number(text, decimal)
    if value is None:
        tally.odd[f"{name} is no number"].append((found.row.line, text))
        return ""
    return value * rule.factor


def _odd(tally: _Tally, word: str) -> list[str]:
    """One sentence for each sort of value that was left out."""
    told: list[str] = []
    for what, rows in tally.odd.items():
        texts = ", ".join(repr(text) for text, _ in Counter(text for _, text in rows).most_common(3))
        told.append(f"{what} in {len(rows)} row{'s'[: len(rows) > 1]}, first at {word} {rows[0][0]}: {texts}; left out")
    return told

"""From a feed's files and its mapping to the assets it speaks of and what it says of them, in time order: pure.

Every row is used, missing, rejected or left out, and every value of a row that a rule takes is used, missing or
rejected; both are counted. A damaged row spoils no other.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from vigie.core.drafts import Draft, Scalar
from vigie.core.readings import Value
from vigie.protocols.feeds.limits import DEFAULT, FeedError, FeedLimits
from vigie.protocols.feeds.mapping import AssetRule, FeedMapping, FileRule, template
from vigie.protocols.feeds.stations import Station, degrees, stations_of
from vigie.protocols.feeds.tables import Row, Table, read_table
from vigie.protocols.feeds.templates import Fill
from vigie.protocols.feeds.times import Times, read_times

Observation = tuple[str, str, Value, int]
"""(the asset's id, the point's name, the value, when it was observed in microseconds since the epoch)"""

KEY_CHARACTERS_MAX = 120
_NOT_IN_AN_ID = re.compile(r"[^\w.~-]+")

_MISSING = object()

_Spot = tuple[str, str, int]
"""An asset, a point and an instant: what a feed says once."""


class RowRejected(msgspec.Struct, frozen=True):
    """A row, or one value of it, that became nothing. line: of the file, from 1, the header's being counted."""

    line: int
    reason: str


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file. rows = used + missing + rejected + left_out, and the same for values.

    used: rows that said something. missing: rows of which every value is missing. rejected: rows that could not be
    read, or of which every value is wrong or missing. left_out: rows that no rule of the mapping asks for.
    rejections: the first ones, of rows and of single values; values_rejected counts single values in rows that could
    be read.
    """

    file: str
    rows: int
    used: int
    missing: int
    rejected: int
    left_out: int
    values_used: int
    values_missing: int
    values_rejected: int
    times: Times
    rejections: tuple[RowRejected, ...]


class FeedRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed says. observations: in time order, those of one instant as the files have them.

    told: in sentences, what had to be assumed. absent: files of the mapping that were not given.
    """

    source: str
    zone: str
    title: str
    drafts: tuple[Draft, ...]
    observations: tuple[Observation, ...]
    files: tuple[FileRead, ...]
    told: tuple[str, ...]
    absent: tuple[str, ...] = ()


@dataclass(slots=True)
class _Said:
    """A row that a rule takes, its time still to be understood."""

    line: int
    asset: str
    time: str
    values: list[tuple[str, Value]]
    missing: int
    wrong: list[str]


@dataclass(slots=True)
class _Thing:
    """An asset that the feed speaks of."""

    kind: str
    key: str
    id: str
    name: str
    attributes: dict[str, Scalar]
    place: tuple[float, float] | None = None


@dataclass(slots=True)
class _Feed:
    """What is gathered while the files are read."""

    mapping: FeedMapping
    stations: Mapping[str, Station]
    things: dict[str, _Thing] = field(default_factory=dict[str, _Thing])
    ids: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    observations: list[Observation] = field(default_factory=list[Observation])
    told: dict[str, None] = field(default_factory=dict[str, None])
    seen: dict[_Spot, tuple[str, int]] = field(default_factory=dict[_Spot, tuple[str, int]])


def read_feed(mapping: FeedMapping, files: Mapping[str, bytes], limits: FeedLimits = DEFAULT) -> FeedRead:
    """What the files of a feed say. Raises FeedError for a file or a mapping that cannot be used at all."""
    given = [rule for rule in mapping.files if rule.file in files]
    if not given:
        raise FeedError(
            f"None of the feed's files is there ({', '.join(rule.file for rule in mapping.files)})",
            "Name the folder that holds them",
        )
    known = stations_of(mapping, files, limits)
    feed = _Feed(mapping, known.stations)
    for line, reason in known.rejected[: limits.rejections_listed_max]:
        feed.told[f"the table of stations, line {line}: {reason}"] = None
    read = tuple(_read_file(rule, files[rule.file], feed, limits) for rule in given)
    if not feed.observations:
        raise FeedError(
            f"The feed {mapping.source} says nothing: {sum(each.rejected for each in read):,} rows rejected",
            "Look at the first reasons with --dry-run, and at the mapping",
        )
    feed.observations.sort(key=lambda each: each[3])
    return FeedRead(
        source=mapping.source,
        zone=mapping.zone,
        title=mapping.title,
        drafts=tuple(_draft(thing, feed) for thing in feed.things.values()),
        observations=tuple(feed.observations),
        files=read,
        told=tuple(feed.told),
        absent=tuple(rule.file for rule in mapping.files if rule.file not in files),
    )


def _read_file(rule: FileRule, data: bytes, feed: _Feed, limits: FeedLimits) -> FileRead:
    table = read_table(data, rule.file, limits, delimiter=rule.delimiter, encoding=rule.encoding)
    takers = [_Taker(asset, rule, table, feed) for asset in rule.assets]
    time = template(rule.time.text).on(table.columns, rule.file)
    rejections: list[RowRejected] = []
    said: list[_Said] = []
    counts: Counter[str] = Counter()
    for row in table.rows:
        taken = _take(row, takers, time)
        if isinstance(taken, _Said):
            said.append(taken)
        elif taken is None:
            counts["left_out"] += 1
        else:
            counts["rejected"] += 1
            rejections.append(RowRejected(row.line, taken))
    texts, assets = [each.time for each in said], [each.asset for each in said]
    instants, times = read_times(texts, assets, rule.time, feed.mapping.zone)
    for each, at in zip(said, instants, strict=True):
        if isinstance(at, str):
            counts["rejected"] += 1
            rejections.append(RowRejected(each.line, at))
            continue
        used = _keep(each, at, rule.file, feed)
        counts["values_used"] += used
        counts["values_missing"] += each.missing
        counts["values_rejected"] += len(each.wrong)
        counts["used" if used else "rejected" if each.wrong else "missing"] += 1
        rejections += [RowRejected(each.line, reason) for reason in each.wrong]
    rejections.sort(key=lambda each: each.line)
    names = ("used", "missing", "rejected", "left_out", "values_used", "values_missing", "values_rejected")
    return FileRead(
        file=rule.file,
        rows=len(table.rows),
        times=times,
        rejections=tuple(rejections[: limits.rejections_listed_max]),
        **{name: counts[name] for name in names},
    )


def _take(row: Row, takers: Sequence[_Taker], time: Fill) -> _Said | str | None:
    """The row as its rule has it; why it cannot be had; None if no rule asks for it."""
    if row.problem:
        return row.problem
    taker = next((each for each in takers if each.takes(row.cells)), None)
    return None if taker is None else taker.say(row, time(row.cells))


def _keep(said: _Said, at: int, file: str, feed: _Feed) -> int:
    """Keeps the values of a row, but for what was said before. Returns how many."""
    used = 0
    here = (file, said.line)
    for point, value in said.values:
        before = feed.seen.setdefault((said.asset, point, at), here)
        if before is here:
            feed.observations.append((said.asset, point, value, at))
            used += 1
        else:
            said.wrong.append(f"{point} of {said.asset} at that instant stands in line {before[1]} of {before[0]}")
    return used


class _Taker:
    """One rule on one file, its templates bound to the file's columns."""

    def __init__(self, rule: AssetRule, file: FileRule, table: Table, feed: _Feed) -> None:
        def bound(text: str) -> Fill:
            return template(text).on(table.columns, file.file)

        self._rule, self._feed = rule, feed
        self._where: list[tuple[Fill, frozenset[str]]] = [
            (bound(f"{{{column}}}"), frozenset([wanted] if isinstance(wanted, str) else wanted))
            for column, wanted in rule.where.items()
        ]
        self._key, self._id, self._name = bound(rule.key), bound(rule.id), bound(rule.name)
        self._attributes = {name: bound(text) for name, text in rule.attributes.items()}
        self._values: list[tuple[str, Callable[[Sequence[str]], Value | object | None]]] = []
        for point in rule.values:
            value = rule.value(point)
            missing = _Missing.of([*file.missing, *value.missing])
            if value.lon:
                self._values.append((point, _place_of(bound(value.lon), bound(value.lat), missing)))
            else:
                self._values.append((point, _number_of(bound(value.source), value.factor, missing)))

    def takes(self, cells: Sequence[str]) -> bool:
        """Whether the rule asks for this row."""
        return all(fill(cells) in wanted for fill, wanted in self._where)

    def say(self, row: Row, time: str) -> _Said | str:
        """What the row says, or why nothing can be made of it."""
        key = self._key(row.cells)
        if not key or len(key) > KEY_CHARACTERS_MAX:
            return "it does not say of what it speaks" if not key else f"its key is longer than {KEY_CHARACTERS_MAX}"
        said = _Said(row.line, "", time, [], 0, [])
        for point, read in self._values:
            value = read(row.cells)
            if value is _MISSING:
                said.missing += 1
            elif value is None:
                said.wrong.append(f"{point} has a value that cannot be read")
            else:
                said.values.append((point, value))  # pyright: ignore[reportArgumentType]
        thing = self._thing(key, row.cells, said.values)
        if isinstance(thing, str):
            return thing
        said.asset = thing.id
        return said

    def _thing(self, key: str, cells: Sequence[str], values: Sequence[tuple[str, Value]]) -> _Thing | str:
        """What the row speaks of, known by its kind and key; or why it is nowhere."""
        feed, kind = self._feed, self._rule.kind
        known = feed.ids.get((kind, key))
        if known is not None:
            return feed.things[known]
        station = feed.stations.get(key)
        moving = next((value for _, value in values if isinstance(value, tuple)), None)
        nowhere = feed.mapping.unplaced
        if moving is not None:
            place = moving
        elif station is not None:
            place = (station.lon, station.lat)
        elif nowhere is not None:
            place = (nowhere.lon, nowhere.lat)
            feed.told[f"what has no place stands at ({place[0]}, {place[1]}), all of it: {nowhere.why}"] = None
        else:
            return f"nobody tells where {key[:40]!r} is"
        if station is not None and station.told:
            feed.told[station.told] = None
        id = self._id(cells) or _NOT_IN_AN_ID.sub("-", f"{feed.mapping.source}-{key}").strip("-")
        if id in feed.things:
            other = feed.things[id]
            raise FeedError(
                f"{other.kind} {other.key!r} and {kind} {key!r} would both be called {id!r}", "Give the rule an id"
            )
        attributes: dict[str, Scalar] = dict(station.attributes) if station is not None else {}
        attributes |= {name: text for name, fill in self._attributes.items() if (text := fill(cells))}
        name = self._name(cells) or (station.name if station is not None else "")
        thing = feed.things[id] = _Thing(kind, key, id, name or key, attributes, place)
        feed.ids[kind, key] = id
        return thing


def _draft(thing: _Thing, feed: _Feed) -> Draft:
    lon, lat = thing.place or (0.0, 0.0)
    return Draft(
        key=f"{thing.kind}/{thing.key}", kind=thing.kind, id=thing.id, name=thing.name, lon=lon, lat=lat,
        attributes=thing.attributes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Missing:
    """What means "no value": nothing, one of these texts, or a number that one of them writes."""

    texts: frozenset[str]
    numbers: frozenset[float]

    @staticmethod
    def of(texts: Sequence[str]) -> _Missing:
        numbers = {number for text in texts if (number := _number(text)) is not None}
        return _Missing(frozenset({"", *texts}), frozenset(numbers))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    # Python reads 1_000 as a number; no publisher writes one so.
    return value if math.isfinite(value) and "_" not in text else None


def _number_of(fill: Fill, factor: float, missing: _Missing) -> Callable[[Sequence[str]], Value | object | None]:
    def read(cells: Sequence[str]) -> Value | object | None:
        text = fill(cells)
        if text in missing.texts:
            return _MISSING
        number = _number(text)
        if number in missing.numbers:
            return _MISSING
        # A factor has digits enough for its own unit; more in the product would only look exact.
        return number if number is None or factor == 1.0 else round(number * factor, 6)

    return read


def _place_of(lon: Fill, lat: Fill, missing: _Missing) -> Callable[[Sequence[str]], Value | object | None]:
    def read(cells: Sequence[str]) -> Value | object | None:
        x, y = lon(cells), lat(cells)
        return _MISSING if x in missing.texts or y in missing.texts else degrees(x, y)

    return read

"""Where the things of a feed stand: its own table of stations, the mapping's places, or nobody knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from vigie.protocols.feeds.limits import FeedError, FeedLimits
from vigie.protocols.feeds.mapping import FeedMapping, Stations, template
from vigie.protocols.feeds.tables import read_table


@dataclass(frozen=True, slots=True)
class Station:
    """A place, and what its table says of it. told: in words, who says that it is there; empty: the feed's table."""

    lon: float
    lat: float
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    told: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All stations by their keys. rejected: rows of the table that give no place, as (line, reason)."""

    stations: Mapping[str, Station]
    rejected: tuple[tuple[int, str], ...] = ()


def stations_of(mapping: FeedMapping, files: Mapping[str, bytes], limits: FeedLimits) -> Known:
    """The stations that the mapping and the feed's own table place; the table goes first. Raises FeedError."""
    found = {
        each.key: Station(each.lon, each.lat, each.name, told=f"{each.key} stands where {each.told} says")
        for each in mapping.places
    }
    rejected: list[tuple[int, str]] = []
    if mapping.stations is not None:
        found |= _table(mapping.stations, files, limits, rejected)
    return Known(found, tuple(rejected))


def _table(
    rule: Stations, files: Mapping[str, bytes], limits: FeedLimits, rejected: list[tuple[int, str]]
) -> dict[str, Station]:
    if rule.file not in files:
        raise FeedError(f"The table of stations {rule.file} is not there", "Put it beside the feed")
    table = read_table(files[rule.file], rule.file, limits, delimiter=rule.delimiter, encoding=rule.encoding)
    texts = (rule.key, rule.lon, rule.lat, rule.name)
    key, lon, lat, name = (template(text).on(table.columns, rule.file) for text in texts)
    attributes = {each: template(text).on(table.columns, rule.file) for each, text in rule.attributes.items()}
    found: dict[str, Station] = {}
    for row in table.rows:
        if row.problem:
            rejected.append((row.line, row.problem))
            continue
        own = key(row.cells)
        place = degrees(lon(row.cells), lat(row.cells))
        if not own or place is None:
            rejected.append((row.line, "it has no key" if not own else "its place is none on Earth"))
        elif own not in found:
            said = {each: text for each, fill in attributes.items() if (text := fill(row.cells))}
            found[own] = Station(*place, name(row.cells), said)
    return found


def degrees(lon: str, lat: str) -> tuple[float, float] | None:
    """A place from two texts; None for what is no place on Earth."""
    try:
        x, y = float(lon), float(lat)
    except ValueError:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90 else None

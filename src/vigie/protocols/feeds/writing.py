"""The publisher's end: readings written as the files of a feed, in its columns, zone and words for "no value"."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO

from vigie.core.drafts import Draft
from vigie.core.readings import Value
from vigie.core.times import SECOND_US, from_us
from vigie.protocols.feeds.limits import FeedError
from vigie.protocols.feeds.mapping import ISO, AssetRule, FeedMapping, FileRule, template, zone_of
from vigie.protocols.feeds.reading import Observation

Row = dict[str, str]


def write_feed(mapping: FeedMapping, drafts: Sequence[Draft], observations: Sequence[Observation]) -> dict[str, bytes]:
    """The files of a feed: name -> CSV. Rows are in time order, those of one asset and instant are one.

    What the mapping has no column for is not written. Raises FeedError for a template that cannot be turned round, such
    as a key of two columns.
    """
    keys = {draft.id: (draft.kind, draft.key.partition("/")[2]) for draft in drafts}
    said: dict[tuple[int, str], dict[str, Value]] = {}
    for asset, point, value, at in observations:
        said.setdefault((at, asset), {})[point] = value
    return {rule.file: _file(rule, rule.time.zone or mapping.zone, keys, said) for rule in mapping.files}


def _file(
    rule: FileRule,
    zone: str,
    keys: Mapping[str, tuple[str, str]],
    said: Mapping[tuple[int, str], Mapping[str, Value]],
) -> bytes:
    rows: list[Row] = []
    for (at, asset), values in said.items():
        kind, key = keys[asset]
        local = from_us(at - rule.time.covers_s * SECOND_US).astimezone(zone_of(zone)).replace(tzinfo=None)
        for each in rule.assets:
            if each.kind == kind and values.keys() & each.values.keys() and _own(each, key):
                rows.append(_row(rule, each, key, _time(rule, local), values))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = StringIO(newline="")
    writer = csv.DictWriter(out, columns, delimiter=rule.delimiter or ",", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(rule.encoding or "utf-8")


def _own(rule: AssetRule, key: str) -> bool:
    """Whether a rule can speak of this thing: one without a column for its key speaks of one thing alone."""
    return "{" in rule.key or rule.key == key


def _row(rule: FileRule, asset: AssetRule, key: str, time: Row, values: Mapping[str, Value]) -> Row:
    none = rule.missing[0] if rule.missing else ""
    row = dict(time)
    row |= {column: wanted if isinstance(wanted, str) else wanted[0] for column, wanted in asset.where.items()}
    row |= _split(asset.key, key) if "{" in asset.key else {}
    for point in asset.values:
        how, value = asset.value(point), values.get(point)
        if isinstance(value, tuple):
            row |= _split(how.lon, repr(value[0])) | _split(how.lat, repr(value[1]))
        elif value is None:
            row |= dict.fromkeys([_column(text) for text in (how.source, how.lon, how.lat) if text], none)
        else:
            row |= _split(how.source, repr(round(float(value) / how.factor, 9)))
    return row


def _time(rule: FileRule, local: datetime) -> Row:
    return _split(rule.time.text, local.isoformat() if rule.time.format == ISO else local.strftime(rule.time.format))


def _column(text: str) -> str:
    pieces = template(text).pieces
    if len(pieces) != 1 or not pieces[0][1]:
        raise FeedError(f"{text!r} cannot be turned round", "Only a value of one column can be written")
    return pieces[0][1]


def _split(text: str, said: str) -> Row:
    """The columns of a template that together give a text; what stands between two columns divides it."""
    row: Row = {}
    pieces = template(text).pieces
    for place, (literal, column) in enumerate(pieces):
        if literal:
            if not said.startswith(literal):
                raise FeedError(f"{said!r} is not of the form {text!r}", "Change the mapping or the key")
            said = said.removeprefix(literal)
            continue
        following = pieces[place + 1][0] if place + 1 < len(pieces) else ""
        if place + 1 < len(pieces) and not following:
            raise FeedError(f"{text!r} cannot be turned round: nothing divides its columns", "Put a text between them")
        row[column], said = (said[: said.index(following)], said[said.index(following) :]) if following else (said, "")
    return row

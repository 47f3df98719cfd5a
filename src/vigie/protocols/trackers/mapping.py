"""What a tracker's JSON means here: a file of mappings, each for the topics that it fits.

    [{"topic": "{asset}/location", "asset": "vehicle-{asset}", "when": {"_type": "location"},
      "at": "tst", "lon": "lon", "lat": "lat", "heading": "cog", "accuracy_m": "acc", "private": "io/privacy",
      "points": {"salting": {"field": "io/12", "values": {"1": true, "0": false}},
                 "dosage": {"field": "io/13", "factor": 0.1}}}]

topic: what follows `tracker/`, level by level; `+` is any one, `{name}` any one that `asset` may use. A field is named
by its way through the objects, with `/` between: `io/12`. The first mapping whose topic and `when` fit reads a message;
one that none fits says nothing here and is passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

from vigie.core.kinds import Quality
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import SECOND_US, to_us

MAPPINGS_MAX = 100
ACCURACY_M_MAX = 100.0
"""A position that the tracker itself holds for no better than this is uncertain: it may be two streets away."""
LIST_MAX = 5_000
"""So many positions may come in one message."""

_SECONDS_MAX = 2**31 - 1
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_NAME = re.compile(r"\{([a-z_]+)\}")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Way = Annotated[str, Meta(max_length=200)]
Plain = str | float | bool


class MappingWrong(ValueError):
    """The file of mappings cannot be used; says why."""


class PointMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A point and the field that tells it. values: what the field's values (as texts) mean; what is none of them says
    nothing. factor: what a number is multiplied by."""

    field: Way
    values: dict[str, Plain] = {}
    factor: float = 1.0


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """How the messages of some topics are read.

    asset: the vehicle's id, from names of the topic and of fields: a field of that name is asked where the topic has
    none. each: the field of a list whose items are read one by one; empty for the
    message itself. at: the instant, in seconds or milliseconds since 1970 or as ISO 8601 with a zone. private: whether
    the driver is not to be followed; where it is so, nothing else of the message is looked at.
    """

    topic: Annotated[str, Meta(min_length=1, max_length=500)]
    asset: Annotated[str, Meta(min_length=1, max_length=200)]
    at: Way
    lon: Way = ""
    lat: Way = ""
    heading: Way = ""
    speed: Way = ""
    accuracy_m: Way = ""
    private: Way = ""
    each: Way = ""
    when: dict[str, Plain] = {}
    points: dict[str, PointMapping] = {}


def read_mappings(text: bytes) -> list[Mapping]:
    """The mappings of a file. Raises MappingWrong."""
    try:
        made = msgspec.json.decode(text, type=list[Mapping])
    except _UNREADABLE as error:
        raise MappingWrong(str(error)) from error
    if len(made) > MAPPINGS_MAX:
        raise MappingWrong(f"{len(made)} mappings; {MAPPINGS_MAX} are read")
    for each in made:
        if bool(each.lon) != bool(each.lat) or not (each.lon or each.points or each.private):
            raise MappingWrong(f"the mapping of {each.topic!r} tells no position: lon and lat come together")
    return made


def decode_positions(mappings: Sequence[Mapping], topic: str, payloads: Sequence[bytes]) -> Readings:
    """Reads messages of one topic (what follows `tracker/`). One that cannot be read refuses itself alone."""
    read = _Read()
    fitting = [(each, names) for each in mappings if (names := _names(each.topic, topic)) is not None]
    for payload in payloads if fitting else ():
        try:
            said = msgspec.json.decode(payload)
        except _UNREADABLE as error:
            read.refuse(0, f"not JSON: {error}")
            continue
        found = next((each for each in fitting if _fits(each[0], said)), None)
        if found is not None:
            read.message(*found, said)
    return read.readings()


class _Read:
    """What was read so far."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, Value, int, Quality]] = []
        self._refused: list[Rejected] = []

    def refuse(self, row: int, why: str) -> None:
        self._refused.append(Rejected(row, Outcome.MALFORMED, why))

    def message(self, mapping: Mapping, names: dict[str, str], said: Any) -> None:
        items: Any = _at(said, mapping.each) if mapping.each else [said]
        if not isinstance(items, list) or len(cast("list[Any]", items)) > LIST_MAX:
            self.refuse(0, f"{mapping.each!r} is no list of at most {LIST_MAX}")
            return
        for row, item in enumerate(cast("list[Any]", items)):
            try:
                self._item(mapping, names, said, item)
            except ValueError as error:
                self.refuse(row, str(error))

    def _item(self, mapping: Mapping, names: dict[str, str], whole: Any, item: Any) -> None:
        def told(way: str) -> Any:
            """Of the item, or else of the message that it came in."""
            found = _at(item, way) if way else None
            return _at(whole, way) if found is None and way else found

        def named(match: re.Match[str]) -> str:
            found = names.get(match[1]) or told(match[1])
            if not isinstance(found, str | int) or isinstance(found, bool):
                raise ValueError(f"it does not say which vehicle: {match[1]!r}")
            return str(found)

        asset = _NAME.sub(named, mapping.asset)
        at_us = _instant(told(mapping.at))
        private = told(mapping.private)
        hidden = _FLAGS.get(str(private).lower())
        if private is not None and hidden is None:
            raise ValueError(f"its word on privacy is none: {str(private)[:40]!r}")
        rows: list[tuple[str, Value, Quality]] = []
        if hidden is not None:
            rows.append(("private", hidden, Quality.GOOD))
        if not hidden:
            accuracy_m = _number(told(mapping.accuracy_m))
            quality = Quality.UNCERTAIN if (accuracy_m or 0) > ACCURACY_M_MAX else Quality.GOOD
            place = _place(told(mapping.lon), told(mapping.lat)) if mapping.lon else None
            rows += [] if place is None else [("position", place, quality)]
            heading = _number(told(mapping.heading))
            # Who stands is bound for nowhere.
            if heading is not None and 0 <= heading <= 360 and _number(told(mapping.speed)) != 0:
                rows.append(("heading", heading, Quality.GOOD))
            for point, field in mapping.points.items():
                value = _value(field, told(field.field))
                rows += [] if value is None else [(point, value, Quality.GOOD)]
        self._rows += ((asset, point, value, at_us, quality) for point, value, quality in rows)

    def readings(self) -> Readings:
        assets, points, values, instants = (
            [each[0] for each in self._rows], [each[1] for each in self._rows],
            [each[2] for each in self._rows], [each[3] for each in self._rows],
        )  # fmt: skip
        poor = {row: each[4] for row, each in enumerate(self._rows) if each[4] is not Quality.GOOD}
        return Readings(assets, points, values, instants, list(range(len(assets))), poor, self._refused)


def _names(pattern: str, topic: str) -> dict[str, str] | None:
    """The levels of a topic that a pattern names; None where it does not fit."""
    asked, levels = pattern.split("/"), topic.split("/")
    if len(asked) != len(levels):
        return None
    names: dict[str, str] = {}
    for part, level in zip(asked, levels, strict=True):
        name = _NAME.fullmatch(part)
        if name is not None:
            names[name[1]] = level
        elif part not in ("+", level):
            return None
    return names


def _fits(mapping: Mapping, said: Any) -> bool:
    return all(_at(said, way) == value for way, value in mapping.when.items())


def _at(said: Any, way: str) -> Any:
    """What lies at a way; None for nothing."""
    for part in way.split("/"):
        if not isinstance(said, dict):
            return None
        said = cast("dict[str, Any]", said).get(part)
    return said


def _number(said: Any) -> float | None:
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    try:
        value = float(said)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _place(lon_said: Any, lat_said: Any) -> tuple[float, float]:
    lon, lat = _number(lon_said), _number(lat_said)
    if lon is None or lat is None or not (abs(lat) <= 90 and abs(lon) <= 180):
        raise ValueError("it says no place on Earth")
    if lon == 0 and lat == 0:
        raise ValueError("0, 0 is what a receiver says that knows no place")
    return lon, lat


def _instant(said: Any) -> int:
    number = _number(said)
    if number is not None and number > 0:
        # Milliseconds are told from seconds by their size.
        return round(number * (SECOND_US if number <= _SECONDS_MAX else 1_000))
    try:
        return to_us(datetime.fromisoformat(str(said)))
    except (ValueError, OverflowError):
        raise ValueError("it says no instant: seconds or milliseconds since 1970, or ISO 8601 with a zone") from None


def _value(field: PointMapping, said: Any) -> Value | None:
    if field.values:
        return field.values.get(str(said).lower() if isinstance(said, bool) else str(said))
    if isinstance(said, bool):
        return said
    number = _number(said)
    return None if number is None else number * field.factor

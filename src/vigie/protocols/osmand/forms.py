"""Positions as tracker applications write them: parameters in the address or in a form, or the JSON of later ones.

    id=SECRET&lat=47.3220&lon=5.0415&timestamp=1795485600&speed=12.5&bearing=270&altitude=245&accuracy=8&batt=81
    {"location": {"timestamp": "2026-11-24T03:00:00Z", "coords": {"latitude": 47.322, ...}}, "device_id": SECRET}

Who speaks is in `id` or `deviceid`, or in `device_id`. The instant is in seconds or milliseconds since 1970, or ISO
8601 with its zone. A `location` in JSON may be a list. Speed is read for one thing, whether a heading means anything,
and told to nobody; altitude, battery and all else are passed over. `private=true`, in `extras` of the JSON, says that
the driver is not to be followed; a position that comes with it is not looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import msgspec

from vigie.core.kinds import Quality
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import SECOND_US, rfc3339, to_us

FIELDS_MAX = 100
FIXES_MAX = 5_000

ACCURACY_M_MAX = 100.0
"""A position that the tracker itself holds for no better than this is uncertain: it may be two streets away."""
HDOP_MAX = 20.0
"""What the dilution of a poor fix begins at, by common usage."""

_JSON = "application/json"
_SECONDS_MAX = 2**31 - 1
_NUMBER = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?", re.ASCII)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Unreadable(Exception):
    """What was sent says nothing that this form has; says why."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What a tracker says of one instant.

    place: longitude and latitude in degrees. heading: in degrees. private: whether the driver is not to be followed.
    None: nothing is said of it. row: its place in what was sent.
    """

    at_us: int
    place: tuple[float, float] | None = None
    heading: float | None = None
    private: bool | None = None
    quality: Quality = Quality.GOOD
    row: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request says. who: as the tracker calls itself, "" where it does not."""

    who: str
    fixes: Sequence[Fix]
    refused: Sequence[Rejected]

    def readings(self, asset: str) -> Readings:
        """The same of the vehicle that carries the tracker."""
        rows: list[tuple[str, Value, Fix]] = []
        for fix in self.fixes:
            if fix.private is not None:
                rows.append(("private", fix.private, fix))
            if fix.place is not None:
                rows.append(("position", fix.place, fix))
            if fix.heading is not None:
                rows.append(("heading", fix.heading, fix))
        return Readings(
            [asset] * len(rows),
            [point for point, _, _ in rows],
            [value for _, value, _ in rows],
            [fix.at_us for _, _, fix in rows],
            [fix.row for _, _, fix in rows],
            {at: fix.quality for at, (_, _, fix) in enumerate(rows) if fix.quality is not Quality.GOOD},
            list(self.refused),
        )


def decode(query: str, media: str, body: bytes, now_us: int) -> Heard:
    """Reads a request: what follows the ? of its address, the type of its body and the body. Raises Unreadable.

    now_us: when a word on privacy that says no time was spoken. A position without a time is refused: it may have
    waited in the telephone.
    """
    fields = _fields(query)
    if body and media == _JSON:
        return _of_json(body, fields, now_us)
    try:
        fields |= _fields(body.decode())
    except UnicodeDecodeError as error:
        raise Unreadable("the body is no form") from error
    return _heard(fields.get("id") or fields.get("deviceid", ""), [fields], now_us)


def encode_form(who: str, fix: Fix) -> str:
    """Writes what one instant has as parameters: the tracker's end."""
    fields: dict[str, str] = {"id": who, "timestamp": str(fix.at_us // 1_000)}
    if fix.place is not None:
        fields |= {"lat": repr(fix.place[1]), "lon": repr(fix.place[0])}
    if fix.heading is not None:
        fields["bearing"] = repr(fix.heading)
    if fix.private is not None:
        fields["private"] = str(fix.private).lower()
    if fix.quality is not Quality.GOOD:
        fields["accuracy"] = repr(10 * ACCURACY_M_MAX)
    return urlencode(fields)


def encode_json(who: str, fixes: Sequence[Fix]) -> bytes:
    """Writes some instants as JSON: the tracker's end."""
    said: list[dict[str, Any]] = []
    for fix in fixes:
        location: dict[str, Any] = {"timestamp": rfc3339(fix.at_us)}
        if fix.place is not None:
            accuracy = 5 if fix.quality is Quality.GOOD else 10 * ACCURACY_M_MAX
            heading = -1 if fix.heading is None else fix.heading
            lon, lat = fix.place
            location["coords"] = {"latitude": lat, "longitude": lon, "accuracy": accuracy, "heading": heading}
        if fix.private is not None:
            location["extras"] = {"private": fix.private}
        said.append(location)
    return msgspec.json.encode({"location": said[0] if len(said) == 1 else said, "device_id": who})


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"))
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable(f"these are no parameters, or more than {FIELDS_MAX}") from error


def _of_json(body: bytes, fields: Mapping[str, str], now_us: int) -> Heard:
    try:
        said = _object(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    location: Any = said.get("location")
    locations = cast("list[Any]", location) if isinstance(location, list) else [location]
    if len(locations) > FIXES_MAX:
        raise Unreadable(f"{len(locations)} locations; {FIXES_MAX} may come in one request")
    who = said.get("device_id") or fields.get("id") or fields.get("deviceid", "")
    return _heard(str(who), [_flat(each) for each in locations], now_us)


def _object(said: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _flat(said: Any) -> dict[str, str]:
    """A location of the JSON in the names of the parameters. Empty where it is none."""
    location = _object(said)
    coords, extras = _object(location.get("coords")), _object(location.get("extras"))
    named = {
        "timestamp": location.get("timestamp"),
        "mock": location.get("mock"),
        "lat": coords.get("latitude"),
        "lon": coords.get("longitude"),
        "speed": coords.get("speed"),
        "heading": coords.get("heading"),
        "accuracy": coords.get("accuracy"),
        "private": extras.get("private"),
    }
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in named.items()
        if value is not None
    }


def _heard(who: str, said: Sequence[Mapping[str, str]], now_us: int) -> Heard:
    fixes: list[Fix] = []
    refused: list[Rejected] = []
    for row, fields in enumerate(said):
        try:
            fixes.append(_fix(fields, row, now_us))
        except Unreadable as error:
            refused.append(Rejected(row, Outcome.MALFORMED, str(error)))
    return Heard(who, fixes, refused)


def _fix(fields: Mapping[str, str], row: int, now_us: int) -> Fix:
    private = _flag(fields, "private")
    at = fields.get("timestamp") or fields.get("fixTime")
    if private or (private is not None and not fields.keys() & {"lat", "lon", "location"}):
        return Fix(now_us if at is None else _instant(at), private=private, row=row)
    if _flag(fields, "valid") is False:
        raise Unreadable("the tracker says that it has no fix")
    place = _place(fields)
    if at is None:
        raise Unreadable("it says no time: 'timestamp' or 'fixTime'")
    return Fix(_instant(at), place, _heading(fields), private, _quality(fields), row)


def _place(fields: Mapping[str, str]) -> tuple[float, float]:
    if "lat" in fields or "lon" in fields:
        pair = [fields.get("lat", ""), fields.get("lon", "")]
    else:
        pair = fields.get("location", "").split(",")
    try:
        lat, lon = map(float, pair)
    except ValueError as error:
        raise Unreadable("it says no place: 'lat' and 'lon', or 'location' with both") from error
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise Unreadable("its place is none on Earth")
    if lat == 0 and lon == 0:
        raise Unreadable("0, 0 is what a receiver says that knows no place")
    return lon, lat


def _instant(text: str) -> int:
    """Microseconds since the epoch. Milliseconds are told from seconds by their size, as the form has it."""
    if (number := _NUMBER.fullmatch(text)) is not None:
        whole, part = int(number[1]), (number[2] or "")[:6].ljust(6, "0")
        unit_us = SECOND_US if whole <= _SECONDS_MAX else 1_000
        return whole * unit_us + int(part) * unit_us // SECOND_US
    try:
        return to_us(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise Unreadable("its time is no number of seconds or milliseconds, and no ISO 8601 with a zone") from error


def _heading(fields: Mapping[str, str]) -> float | None:
    """None for who stands: a telephone says 0 then, and means nothing; and for what is none, such as -1."""
    heading, speed = (_number(fields, name) for name in ("bearing" if "bearing" in fields else "heading", "speed"))
    stands = speed == 0
    return heading if heading is not None and 0 <= heading <= 360 and not stands else None


def _quality(fields: Mapping[str, str]) -> Quality:
    if fields.get("mock") == "true":
        return Quality.BAD
    accuracy_m, hdop = _number(fields, "accuracy"), _number(fields, "hdop")
    poor = (accuracy_m or 0) > ACCURACY_M_MAX or (hdop or 0) > HDOP_MAX
    return Quality.UNCERTAIN if poor else Quality.GOOD


def _number(fields: Mapping[str, str], name: str) -> float | None:
    """A number that may be missing. What cannot be read spoils no position."""
    try:
        value = float(fields.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _flag(fields: Mapping[str, str], name: str) -> bool | None:
    said = fields.get(name)
    if said is None:
        return None
    flag = _FLAGS.get(said.lower())
    if flag is None:
        raise Unreadable(f"'{name}' is true or false, 1 or 0")
    return flag

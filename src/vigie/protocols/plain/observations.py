"""Observations as JSON: an array of objects, or one object a line (NDJSON).

    {"asset": "luminaire-000123", "point": "level", "value": 60.0, "at": "2026-11-24T03:00:00Z"}

value: a number; true or false; the name of a choice or a text; [longitude, latitude]. at: RFC 3339 with a zone.
quality: "good" (understood), "uncertain" or "bad". A body that is whole is decoded in one go; only one that is not
is read again row by row, to refuse the rows that are wrong and keep the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from vigie.core.kinds import Quality
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import from_us

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_QualityName = Literal["good", "uncertain", "bad"]
_QUALITIES: dict[str, Quality] = {quality.name.lower(): quality for quality in Quality}
# msgspec follows nesting with the interpreter's own stack: a body of a hundred thousand brackets ends in the last.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Row(msgspec.Struct, gc=False):
    """One observation as it is written."""

    asset: str
    point: str
    value: float | bool | str | tuple[float, float]
    at: _Instant
    quality: _QualityName = "good"


class MalformedBody(Exception):
    """The body is not JSON at all, or not an array: nothing of it can be read."""


_array = msgspec.json.Decoder(list[_Row])
_row = msgspec.json.Decoder(_Row)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder()


def decode_array(body: bytes) -> Readings:
    """Reads a JSON array of observations. Raises MalformedBody."""
    try:
        return _columns(_array.decode(body))
    except _UNREADABLE:
        pass
    try:
        parts = _raw_array.decode(body)
    except _UNREADABLE as error:
        raise MalformedBody(f"not a JSON array: {error}") from error
    return _row_by_row(enumerate(parts))


def decode_lines(body: bytes) -> Readings:
    """Reads NDJSON: one observation a line; empty lines are passed over. A bad line refuses that line alone."""
    try:
        return _columns(_row.decode_lines(body))
    except _UNREADABLE:
        return _row_by_row((place, line) for place, line in enumerate(body.splitlines()) if line.strip())


def decode_messages(payloads: Sequence[bytes]) -> Readings:
    """Reads many messages as one: each is an array, one object, or NDJSON. What cannot be read refuses itself alone.

    `rows` is the place among the readable; a refusal's row is its place within its own message.
    """
    try:
        # What most devices send is one object, and many of them are NDJSON: one call for all.
        return _columns(_row.decode_lines(b"\n".join(payloads)))
    except _UNREADABLE:
        parts = [_message(payload) for payload in payloads]
    refused = [each for part in parts for each in part.refused]
    return replace(Readings.joined(parts), refused=refused)


def encode_array(rows: Iterable[tuple[str, str, Value, int]]) -> bytes:
    """Writes observations (asset, point, value, observed_us) as a JSON array: the device's end."""
    return _encoder.encode([_Row(asset, point, value, from_us(at)) for asset, point, value, at in rows])


def _message(payload: bytes) -> Readings:
    """One message, whatever its form."""
    body = payload.strip()
    if body.startswith(b"["):
        try:
            return decode_array(body)
        except MalformedBody as error:
            return Readings([], [], [], [], [], refused=[Rejected(0, Outcome.MALFORMED, str(error))])
    try:
        return _columns([_row.decode(body)] if body else [])
    except _UNREADABLE:
        return decode_lines(body)


def _columns(rows: list[_Row]) -> Readings:
    return Readings(
        [row.asset for row in rows],
        [row.point for row in rows],
        [row.value for row in rows],
        # A timedelta holds whole microseconds: this is exact, and faster than a division of timedeltas.
        [
            (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
            for delta in [row.at - _EPOCH for row in rows]
        ],
        list(range(len(rows))),
        {index: _QUALITIES[row.quality] for index, row in enumerate(rows) if row.quality != "good"},
    )


def _row_by_row(parts: Iterable[tuple[int, bytes | msgspec.Raw]]) -> Readings:
    rows: list[_Row] = []
    places: list[int] = []
    refused: list[Rejected] = []
    for place, part in parts:
        try:
            rows.append(_row.decode(part))
            places.append(place)
        except _UNREADABLE as error:
            refused.append(Rejected(place, _outcome(error), str(error)))
    read = _columns(rows)
    return Readings(read.assets, read.points, read.values, read.observed_us, places, read.quality, refused)


def _outcome(error: Exception) -> Outcome:
    """A value of a type that no point has is a wrong type; anything else is malformed."""
    return Outcome.WRONG_TYPE if str(error).endswith("`$.value`") else Outcome.MALFORMED

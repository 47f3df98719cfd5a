"""VehiclePositions, as readings of the vehicles of the inventory; and written, for who plays an operator.

What a vehicle says of its speed is not read: nobody's speed is kept. Source: GTFS Realtime reference, version 2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as gtfs

from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import SECOND_US

VEHICLES_MAX = 20_000
NAMES = frozenset({"id", "label", "license_plate", "route_id", "trip_id"})
"""What a vehicle's id in the inventory may be made of."""

_NAME = re.compile(r"\{([a-z_]+)\}")
_SECONDS_MAX = 2**33


class Unreadable(ValueError):
    """A document that is no feed; says why."""


@dataclass(frozen=True, slots=True)
class Positions:
    """What a feed told. made_us: when it says that it was made, 0 where it does not. readings: a row is refused where a
    vehicle does not say who, where or when it is."""

    made_us: int
    readings: Readings


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a vehicle was at an instant, in degrees; heading_deg: clockwise from north, None where it is not known."""

    vehicle: str
    at_us: int
    lon: float
    lat: float
    heading_deg: float | None = None


def read_positions(body: bytes, asset: str) -> Positions:
    """Reads a feed. asset: what a vehicle is called in the inventory, made of `NAMES`, such as `bus-{id}`. Raises
    Unreadable."""
    feed = gtfs.FeedMessage()
    try:
        feed.ParseFromString(body)
    except DecodeError as error:
        raise Unreadable(f"it is no GTFS Realtime: {error}") from None
    if feed.header.incrementality == gtfs.FeedHeader.DIFFERENTIAL:
        raise Unreadable("it tells changes alone, which the standard does not settle yet")
    made_s = feed.header.timestamp
    rows: list[tuple[str, str, Value, int, int]] = []
    refused: list[Rejected] = []
    told = [each for each in feed.entity if each.HasField("vehicle") and not each.is_deleted]
    if len(told) > VEHICLES_MAX:
        raise Unreadable(f"it tells of {len(told)} vehicles, and may of {VEHICLES_MAX}")
    for row, entity in enumerate(told):
        said = entity.vehicle
        try:
            name, at_us = _called(asset, said), _instant(said.timestamp or made_s)
            lon, lat = _place(said)
        except ValueError as error:
            refused.append(Rejected(row, Outcome.MALFORMED, str(error)))
            continue
        rows.append((name, "position", (lon, lat), at_us, row))
        if said.position.HasField("bearing"):
            rows.append((name, "heading", round(said.position.bearing % 360, 1), at_us, row))
    columns = [[row[n] for row in rows] for n in range(5)]
    made_us = made_s * SECOND_US if 0 < made_s < _SECONDS_MAX else 0
    return Positions(made_us, Readings(*columns, refused=refused))  # type: ignore[arg-type]


def write_positions(standing: Iterable[Standing], made_us: int) -> bytes:
    """A feed of these."""
    feed = gtfs.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.incrementality = gtfs.FeedHeader.FULL_DATASET
    feed.header.timestamp = made_us // SECOND_US
    for each in standing:
        entity = feed.entity.add(id=each.vehicle)
        entity.vehicle.vehicle.id = each.vehicle
        entity.vehicle.timestamp = each.at_us // SECOND_US
        entity.vehicle.position.longitude, entity.vehicle.position.latitude = each.lon, each.lat
        if each.heading_deg is not None:
            entity.vehicle.position.bearing = each.heading_deg
    return feed.SerializeToString()


def _called(asset: str, said: gtfs.VehiclePosition) -> str:
    names = {
        "id": said.vehicle.id, "label": said.vehicle.label, "license_plate": said.vehicle.license_plate,
        "route_id": said.trip.route_id, "trip_id": said.trip.trip_id,
    }  # fmt: skip

    def named(match: re.Match[str]) -> str:
        if not names.get(match[1]):
            raise ValueError(f"it does not say which vehicle it is: no {match[1]}")
        return names[match[1]]

    return _NAME.sub(named, asset)


def _instant(seconds: int) -> int:
    if not 0 < seconds < _SECONDS_MAX:
        raise ValueError("it does not say when that was")
    return seconds * SECOND_US


def _place(said: gtfs.VehiclePosition) -> tuple[float, float]:
    """Degrees are floats of four bytes: to six places they are what was meant."""
    lon, lat = (round(each, 6) for each in (said.position.longitude, said.position.latitude))
    if not said.HasField("position") or (not lon and not lat):
        raise ValueError("it does not say where it is")
    return lon, lat

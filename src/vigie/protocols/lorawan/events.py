"""ChirpStack's events and commands (v4, JSON; api/proto/integration/integration.proto) and vigie's readings.

A device's tags, or those of its profile, say what it is here:

- `vigie_family`: the family, such as nas-ul20xx.
- `vigie_asset`: the luminaire that it is; without it, the device's name is that id.
- `vigie_asset_PART`: the luminaire that a part of it is, where several heads hang on one controller (such as
  vigie_asset_dali-9). A part without such a tag belongs to the whole.

A frame is as old as the network server says: a controller without the time of the network counts from the year 2000.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import from_us, to_us
from vigie.protocols.lorawan.families import FAMILIES
from vigie.protocols.lorawan.family import FRAME_BYTES_MAX, WHOLE, Frame, Part, Unreadable

FAMILY_TAG, ASSET_TAG = "vigie_family", "vigie_asset"

_PART_TAG = f"{ASSET_TAG}_"
_WORST = ("lamp", "driver", "supply", "unknown", "none")


class _DeviceInfo(msgspec.Struct, frozen=True, rename="camel"):
    device_name: str
    dev_eui: str = ""
    tags: dict[str, str] = {}


class _Up(msgspec.Struct, frozen=True, rename="camel"):
    """What is nothing (port 0, no bytes) is left out by the sender."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    device_info: _DeviceInfo
    f_port: int = 0
    data: str = ""


class _Down(msgspec.Struct, frozen=True, rename="camel"):
    dev_eui: str
    confirmed: bool
    f_port: int
    data: str


_up = msgspec.json.Decoder(_Up)
_down = msgspec.json.Decoder(_Down)
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_uplinks(payloads: Sequence[bytes]) -> Readings:
    """Reads "up" events, each a message of its own; one that cannot be read refuses itself alone, and says why."""
    assets: list[str] = []
    points: list[str] = []
    values: list[Value] = []
    observed_us: list[int] = []
    refused: list[Rejected] = []
    for payload in payloads:
        try:
            event = _up.decode(payload)
            told = _told(event)
        except Unreadable as error:
            refused.append(Rejected(0, Outcome.MALFORMED, str(error)))
            continue
        except _UNREADABLE as error:
            refused.append(Rejected(0, Outcome.MALFORMED, f"no up event of ChirpStack: {error}"))
            continue
        for asset, point, value in told:
            assets.append(asset)
            points.append(point)
            values.append(value)
            observed_us.append(to_us(event.time))
    return Readings(assets, points, values, observed_us, list(range(len(assets))), refused=refused)


def encode_up(name: str, tags: Mapping[str, str], frame: Frame, at_us: int) -> bytes:
    """An "up" event: the network server's end."""
    data = base64.b64encode(frame.data).decode()
    return _encode(_Up(from_us(at_us), _DeviceInfo(name, tags=dict(tags)), frame.f_port, data))


def encode_down(dev_eui: str, frame: Frame) -> bytes:
    """The command that puts a downlink into a device's queue. Unconfirmed: the proof of an order is what is reported
    after it, and a repeated frame could come after the order expired."""
    return _encode(_Down(dev_eui, confirmed=False, f_port=frame.f_port, data=base64.b64encode(frame.data).decode()))


def decode_down(payload: bytes) -> tuple[str, Frame]:
    """The device's EUI, and the frame: the network server's end. Raises Unreadable."""
    try:
        command = _down.decode(payload)
    except _UNREADABLE as error:
        raise Unreadable(f"no downlink command of ChirpStack: {error}") from error
    return command.dev_eui, _frame(command.f_port, command.data)


def _frame(f_port: int, data: str) -> Frame:
    try:
        frame = Frame(f_port, base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Unreadable(f"data is not base64: {error}") from error
    if len(frame.data) > FRAME_BYTES_MAX:
        raise Unreadable(f"a frame of {len(frame.data)} bytes: LoRaWAN carries {FRAME_BYTES_MAX}")
    return frame


def _told(event: _Up) -> list[tuple[str, str, Value]]:
    """Asset, point and value of all that an uplink says."""
    tags = event.device_info.tags
    family = FAMILIES.get(tags.get(FAMILY_TAG, ""))
    if family is None:
        raise Unreadable(f"the tag {FAMILY_TAG} of {event.device_info.device_name!r} is none of {', '.join(FAMILIES)}")
    parts = family.hear(_frame(event.f_port, event.data))
    own = {tag.removeprefix(_PART_TAG): asset for tag, asset in tags.items() if tag.startswith(_PART_TAG)}
    by_asset: dict[str, list[Part]] = {}
    # Where each head is an asset of its own and nothing is said of the whole, the whole is none.
    whole = tags.get(ASSET_TAG, "" if own else event.device_info.device_name)
    for part in parts:
        asset = own.get(part.name, whole)
        if asset:
            by_asset.setdefault(asset, []).append(part)
    return [(asset, point, value) for asset, some in by_asset.items() for point, value in _points(some)]


def _points(parts: Sequence[Part]) -> Iterable[tuple[str, Value]]:
    """The points of a luminaire that these parts are: a level is the whole's, or what all heads agree on; a power the
    whole's, or that of all heads together; a fault is the worst. Energy is no point of a luminaire."""
    whole = [each for each in parts if each.name == WHOLE]
    heads = [each for each in parts if each.name != WHOLE]
    levels = {each.level_pct for each in heads if each.level_pct is not None}
    level = next((each.level_pct for each in whole if each.level_pct is not None), None)
    if level is None and len(levels) == 1:
        level = levels.pop()
    powers = [each.power_w for each in heads if each.power_w is not None]
    power = next((each.power_w for each in whole if each.power_w is not None), None)
    if power is None and powers:
        power = sum(powers)
    faults = {each.fault for each in parts}
    fault = next((each for each in _WORST if each in faults), None)
    said: list[tuple[str, Value | None]] = [("level", level), ("power", power), ("fault", fault)]
    return [(point, value) for point, value in said if value is not None]

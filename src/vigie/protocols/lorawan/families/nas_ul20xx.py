"""NAS luminaire controllers UL20xx, firmware 1.1.4 and later of 1.1.x, as https://docs.nasys.no/en/lcu/payloads-uplinks
and payloads-commands describe them.

Little-endian. Read are the status (port 23), the usage (port 26) and the driver alert (port 61); the ports of
configuration, commands, notifications and starts tell nothing of a lamp. A controller carries up to 64 DALI drivers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vigie.core.times import SECOND_US
from vigie.protocols.lorawan.family import WHOLE, Family, Frame, Part, Unreadable

_STATUS, _USAGE, _COMMAND, _NOTICE = 23, 26, 60, 61
_SILENT = frozenset({49, 50, 51, _COMMAND, 99})
_STATUS_HEAD = struct.Struct("<BIHBbbB")
"""Header, device's time in seconds, flags, RSSI, SNR in dB, temperature of the controller, alerts of the day."""

_BROADCAST, _METER, _ANALOG = 0xFE, 0xFF, 0x01
_STATUS_HEADER, _USAGE_HEADER, _DIMMING, _DRIVER_ALERT = 0x01, 0x00, 0x01, 0x83
_UNSAID = 0xFF
_RESUME = 0xFF

_USAGE_BYTES = (4, 2, 4, 2, 1, 1, 4, 4)
"""Wh and W taken; Wh and W behind the driver; power factor, V; seconds that the driver and the lamp worked."""

_LAMP_FAILURE, _GEAR_FAILURE = 0x02, 0x01
_FAULT_BYTES = {"lamp": _LAMP_FAILURE, "driver": _GEAR_FAILURE, "none": 0}
"""The status of a DALI control gear (IEC 62386-102, QUERY STATUS): the two bits of it that are a fault of the lamp."""


class _Bytes:
    """A frame that is read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """The next bytes. Raises Unreadable where there are not so many."""
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise Unreadable(f"the frame ends after {len(self._data)} bytes, in the middle of a field")
        self._at += count
        return taken

    def number(self, count: int) -> int:
        """The next bytes as an unsigned number."""
        return int.from_bytes(self.take(count), "little")


def _hear_status(said: _Bytes) -> list[Part]:
    header = _STATUS_HEAD.unpack(said.take(_STATUS_HEAD.size))[0]
    if header != _STATUS_HEADER:
        raise Unreadable(f"a status of form {header}: firmware 1.1.4 or later is needed")
    # Light, movement and tilt, which are no points of a luminaire.
    said.take(said.number(1))
    parts: list[Part] = []
    while said:
        name = _name(said.number(1))
        said.take(1)  # why it has this level
        parts.append(Part(name=name, level_pct=_level(said.number(1)), fault=_fault(said.number(1))))
    return parts


def _hear_usage(said: _Bytes) -> list[Part]:
    if (header := said.number(1)) != _USAGE_HEADER:
        raise Unreadable(f"a usage of form {header}")
    parts: list[Part] = []
    while said:
        address, fields = said.number(1), said.number(1)
        values = [said.number(count) if fields >> bit & 1 else None for bit, count in enumerate(_USAGE_BYTES)]
        parts.append(Part(name=WHOLE if address == _METER else _name(address), energy_wh=values[0], power_w=values[1]))
    return parts


def _hear_notice(said: _Bytes) -> list[Part]:
    if said.number(1) != _DRIVER_ALERT:
        return []
    said.take(1)
    parts: list[Part] = []
    while said:
        parts.append(Part(name=_name(said.number(1)), fault=_fault(said.number(1))))
    return parts


_HEARD = {_STATUS: _hear_status, _USAGE: _hear_usage, _NOTICE: _hear_notice}


def _hear(frame: Frame) -> list[Part]:
    if frame.f_port in _SILENT:
        return []
    hear = _HEARD.get(frame.f_port)
    if hear is None:
        raise Unreadable(f"port {frame.f_port} is none of a NAS UL20xx")
    return hear(_Bytes(frame.data))


def _name(address: int) -> str:
    if address == _BROADCAST:
        return WHOLE
    if address == _ANALOG:
        return "analog"
    if address & 1:
        raise Unreadable(f"0x{address:02X} is no address of a driver")
    return f"group-{address >> 1 & 0xF}" if address & 0x80 else f"dali-{address >> 1}"


def _address(part: str) -> int:
    kind, _, number = part.partition("-")
    if part == WHOLE:
        return _BROADCAST
    if part == "analog":
        return _ANALOG
    if kind == "dali" and number.isdecimal() and int(number) < 64:
        return int(number) << 1
    if kind == "group" and number.isdecimal() and int(number) < 16:
        return 0x80 | int(number) << 1
    raise ValueError(f"{part!r} is no part of a NAS UL20xx: dali-0 to dali-63, group-0 to group-15, analog")


def _level(said: int) -> float | None:
    if said == _UNSAID:
        return None
    if said > 100:
        raise Unreadable(f"a level of {said} %")
    return float(said)


def _fault(said: int) -> str | None:
    if said == _UNSAID:
        return None
    if said & _LAMP_FAILURE:
        return "lamp"
    return "driver" if said & _GEAR_FAILURE else "none"


def _dim(part: str, level_pct: float) -> Frame:
    if not 0 <= level_pct <= 100:
        raise ValueError(f"a level of {level_pct} %")
    return Frame(_COMMAND, bytes((_DIMMING, _address(part), round(level_pct))))


def _tell(parts: Sequence[Part], at_us: int) -> list[Frame]:
    status = _STATUS_HEAD.pack(_STATUS_HEADER, at_us // SECOND_US, 0, 0, 0, 0, 0) + b"\0"
    usage = bytes((_USAGE_HEADER,))
    metered = [each for each in parts if each.energy_wh is not None or each.power_w is not None]
    for each in parts:
        level = _UNSAID if each.level_pct is None else round(each.level_pct)
        fault = _UNSAID if each.fault is None else _FAULT_BYTES[each.fault]
        status += bytes((_address(each.name), 0, level, fault))
    for each in metered:
        address = _METER if each.name == WHOLE else _address(each.name)
        usage += bytes((address, (each.energy_wh is not None) | (each.power_w is not None) << 1))
        usage += b"" if each.energy_wh is None else round(each.energy_wh).to_bytes(4, "little")
        usage += b"" if each.power_w is None else round(each.power_w).to_bytes(2, "little")
    return [Frame(_STATUS, status), *([Frame(_USAGE, usage)] if metered else [])]


def _heed(frame: Frame) -> dict[str, float]:
    """The levels that a dimming sets; none for any other frame, and none where it says to go on by the calendar."""
    said = _Bytes(frame.data)
    if frame.f_port != _COMMAND or said.number(1) != _DIMMING:
        return {}
    levels: dict[str, float] = {}
    while said:
        name, level = _name(said.number(1)), said.number(1)
        if level != _RESUME:
            levels[name] = _level(level) or 0.0
    return levels


FAMILY = Family(name="nas-ul20xx", hear=_hear, dim=_dim, tell=_tell, heed=_heed)
"""Registered in `vigie.protocols.lorawan.families`."""

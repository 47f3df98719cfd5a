"""Log reports and the values of devices, as readings in vigie's own names.

An instant is the attribute's own, or else the entry's; where neither says one, it is the moment of receipt, and the
reading is marked uncertain. Events have a beginning and an end, and several may stand at once on one point: what
stands is kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import msgspec

from vigie.core.kinds import Quality
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import to_us
from vigie.protocols.talq.bindings import MEASURES_OF, NOTICES, RANK, REST_OF, SIGN_OF, As, Measure, Sign, bound_of
from vigie.protocols.talq.devices import ACTUATOR, Known, identity, split
from vigie.protocols.talq.limits import TEXT_CHARS_MAX
from vigie.protocols.talq.messages import (
    Attribute,
    AttributeLogData,
    Command,
    Device,
    EventLogData,
    LogData,
    LogEntry,
    State,
    StateChangeEventLogData,
)
from vigie.protocols.talq.requests import UNREADABLE
from vigie.protocols.talq.schedules import NoLighting, level

_entry = msgspec.json.Decoder(LogEntry)
FULL_LEVEL = 100


class _Row(Exception):
    """Why one value is refused."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Standing(msgspec.Struct):
    """A point of signs: what its measure said last, and the events that stand."""

    base: str = ""
    events: set[str] = msgspec.field(default_factory=set[str])


@dataclass(slots=True)
class _Columns:
    """Readings on their way."""

    readings: Readings = field(default_factory=lambda: Readings([], [], [], [], []))

    def add(self, row: int, asset: str, point: str, value: Value, at_us: int, quality: Quality) -> None:
        into = self.readings
        if quality is not Quality.GOOD:
            into.quality[len(into)] = quality
        into.assets.append(asset)
        into.points.append(point)
        into.values.append(value)
        into.observed_us.append(at_us)
        into.rows.append(row)


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that is no reading, and that whoever asks gateways for things must know of (`bindings.NOTICES`).

    device: may be the gateway's own address. function: "" for none. begins: None for an event without length.
    """

    device: str
    function: str
    event: str
    begins: bool | None
    at_us: int


class Reader:
    """Turns what one gateway says into readings."""

    def __init__(self, devices: Mapping[str, Known]) -> None:
        """devices: the gateway's, by address; read each time, so it may grow."""
        self._devices = devices
        self.points: dict[str, dict[str, Standing]] = {}
        self.edition = 0

    def forget(self, address: str) -> None:
        """A device is no more."""
        if self.points.pop(address, None) is not None:
            self.edition += 1

    def report(self, entries: Iterable[bytes], now_us: int) -> tuple[Readings, tuple[Notice, ...]]:
        """The entries of a log report. One that is wrong, unbound or of an unknown device is refused, alone."""
        columns = _Columns()
        notices: list[Notice] = []
        for row, raw in enumerate(entries):
            try:
                data = _entry.decode(raw).data
                if isinstance(data, EventLogData) and data.event_type in NOTICES:
                    notices.append(_notice(data, now_us))
                else:
                    self._logged(columns, row, data, now_us)
            except UNREADABLE as error:
                columns.readings.refused.append(Rejected(row, Outcome.MALFORMED, str(error)[:TEXT_CHARS_MAX]))
            except _Row as refusal:
                columns.readings.refused.append(Rejected(row, refusal.outcome, refusal.detail))
        return columns.readings, tuple(notices)

    def values(self, devices: Iterable[Device], now_us: int) -> Readings:
        """The bound values that devices carry. What is not bound is their own business, and passed over."""
        columns = _Columns()
        for device in devices:
            known = self._devices.get(device.address)
            if known is None:
                continue
            for function in device.functions:
                number, sort = identity(function)
                sort = sort or known.functions.get(number, "")
                bound = bound_of(known.kind, sort)
                for name, said in function.items():
                    if name in bound and isinstance(said, Attribute):
                        self._carried(columns, known, sort, name, said, now_us)
        return columns.readings

    def _carried(self, columns: _Columns, known: Known, sort: str, name: str, said: Attribute, now_us: int) -> None:
        row = len(columns.readings) + len(columns.readings.refused)
        try:
            self._attribute(columns, row, known, sort, name, said, None, now_us)
        except _Row as refusal:
            columns.readings.refused.append(Rejected(row, refusal.outcome, refusal.detail))

    def _logged(self, columns: _Columns, row: int, data: LogData, now_us: int) -> None:
        address, number, _ = split(data.src_address)
        known = self._devices.get(address)
        if known is None:
            raise _Row(Outcome.UNKNOWN_ASSET, address[:TEXT_CHARS_MAX])
        sort = known.functions.get(number, "")
        match data:
            case AttributeLogData():
                sort = sort or _holder(known, data.attribute_name)
                name, said = data.attribute_name, data.attribute_value
                self._attribute(columns, row, known, sort, name, said, data.timestamp, now_us)
            case EventLogData():
                sign = SIGN_OF.get((known.kind, data.event_type))
                if sign is None:
                    raise _Row(Outcome.UNKNOWN_POINT, data.event_type)
                at_us, quality = _instant(data.timestamp, None, now_us)
                # An event that says neither that it begins nor that it ends has happened; whether it lasts is not
                # known.
                quality = Quality.UNCERTAIN if data.start_end_flag is None else quality
                self._sign(columns, row, known, sign, data.start_end_flag is not False, at_us, quality)
            case StateChangeEventLogData():
                state = Attribute(value=data.state or data.command.state)
                name = "actualLightState"
                self._attribute(columns, row, known, sort or ACTUATOR, name, state, data.timestamp, now_us)

    def _attribute(
        self, columns: _Columns, row: int, known: Known, sort: str, name: str, said: Attribute, logged: str | None,
        now_us: int,
    ) -> None:  # fmt: skip
        kind = known.kind
        measures, sign = MEASURES_OF.get((kind, sort, name), ()), SIGN_OF.get((kind, name))
        if not measures and sign is None:
            raise _Row(Outcome.UNKNOWN_POINT, f"{sort}.{name}")
        at_us, quality = _instant(said.timestamp, logged, now_us)
        if not measures:
            if not isinstance(said.value, bool):
                raise _Row(Outcome.WRONG_TYPE, name)
            assert sign is not None
            self._sign(columns, row, known, sign, said.value, at_us, quality)
            return
        for measure in measures:
            value = _FORM[measure.form](measure, said.value)
            if (kind, measure.point) in REST_OF:
                point = self._point(known, measure.point)
                if point.base != str(value):
                    point.base = str(value)
                    self.edition += 1
                value = _shown(kind, measure.point, point)
            columns.add(row, known.asset, measure.point, value, at_us, quality)

    def _sign(
        self, columns: _Columns, row: int, known: Known, sign: Sign, stands: bool, at_us: int, quality: Quality
    ) -> None:
        point = self._point(known, sign.point)
        if (sign.event in point.events) is not stands:
            (point.events.add if stands else point.events.discard)(sign.event)
            self.edition += 1
        columns.add(row, known.asset, sign.point, _shown(sign.kind, sign.point, point), at_us, quality)

    def _point(self, known: Known, name: str) -> Standing:
        points = self.points.setdefault(known.address, {})
        if name not in points:
            points[name] = Standing()
            self.edition += 1
        return points[name]


def _notice(data: EventLogData, now_us: int) -> Notice:
    device, function, _ = split(data.src_address)
    return Notice(device, function, data.event_type, data.start_end_flag, _instant(data.timestamp, None, now_us)[0])


def _shown(kind: str, name: str, point: Standing) -> str:
    if point.events:
        return SIGN_OF[kind, min(point.events, key=lambda event: RANK[kind, event])].value
    return point.base or REST_OF[kind, name]


def _holder(known: Known, attribute: str) -> str:
    """The type of the device's function that has this attribute, where an address names none."""
    kind = known.kind
    return next((sort for sort in known.functions.values() if (kind, sort, attribute) in MEASURES_OF), "")


def _instant(own: str | None, logged: str | None, now_us: int) -> tuple[int, Quality]:
    said = own or logged
    if said is None:
        return now_us, Quality.UNCERTAIN
    try:
        return to_us(msgspec.convert(said, datetime)), Quality.GOOD
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise _Row(Outcome.MALFORMED, f"no instant: {said[:TEXT_CHARS_MAX]}") from error


def _number(measure: Measure, value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Row(Outcome.WRONG_TYPE, measure.attribute)
    try:
        return float(value) * measure.scale
    except OverflowError as error:
        raise _Row(Outcome.NOT_FINITE, measure.attribute) from error


def _level(measure: Measure, value: Any) -> Value:
    try:
        return float(level(value if isinstance(value, State) else msgspec.convert(value, State)))
    except (NoLighting, msgspec.ValidationError) as error:
        raise _Row(Outcome.WRONG_TYPE, measure.attribute) from error


def _choice(measure: Measure, value: Any) -> Value:
    found = dict(measure.choices).get(value) if isinstance(value, str) else None
    if found is None:
        raise _Row(Outcome.WRONG_TYPE, measure.attribute)
    return found


def _flag(measure: Measure, value: Any) -> Value:
    if not isinstance(value, bool):
        raise _Row(Outcome.WRONG_TYPE, measure.attribute)
    return value


def _full(measure: Measure, value: Any) -> Value:
    try:
        command = _command(value)
        return command.reason == "override" and level(command.state) == FULL_LEVEL
    except (NoLighting, msgspec.ValidationError) as error:
        raise _Row(Outcome.WRONG_TYPE, measure.attribute) from error


def _control(measure: Measure, value: Any) -> Value:
    """What a sensor asks for is a part of the programme that listens to it."""
    try:
        return "order" if _command(value).reason == "override" else "programme"
    except msgspec.ValidationError as error:
        raise _Row(Outcome.WRONG_TYPE, measure.attribute) from error


def _command(value: Any) -> Command:
    return value if isinstance(value, Command) else msgspec.convert(cast("object", value), Command)


_FORM: dict[As, Callable[[Measure, Any], Value]] = {
    As.NUMBER: _number,
    As.LEVEL: _level,
    As.CHOICE: _choice,
    As.FULL: _full,
    As.FLAG: _flag,
    As.CONTROL: _control,
}

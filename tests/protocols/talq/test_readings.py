"""What becomes of each value and event, row by row."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.protocols.talq.link import ACTUATOR, CABINET, LAMP, MONITOR, NOW_US, cabinet, lamp
from vigie.core.kinds import Quality
from vigie.core.observations import Outcome
from vigie.protocols.talq.devices import Known, known
from vigie.protocols.talq.messages import Attribute, Device
from vigie.protocols.talq.readings import Notice, Reader

AT = "2026-11-26T03:00:00+01:00"
AT_US = 1_795_658_400_000_000
SEVEN = {"name": "LevelState", "value": 7}
FULL = {"state": {"name": "LevelState", "value": 100}, "reason": "override"}


def devices() -> dict[str, Known]:
    """A lamp, a cabinet with an actuator of its own, and what is no asset."""
    whole = cabinet()
    actuator = {"id": ACTUATOR, "type": "LampActuatorFunction"}
    whole = msgspec.structs.replace(whole, functions=(*whole.functions, actuator))
    sensor = Device("s", "Sensor", "Sensor", ({"id": "n", "type": "NoiseMonitoringSensorFunction"},))
    presence = Device("p", "Presence", "Presence", ({"id": "seen", "type": "PresenceSensorFunction"},))
    return {each.address: known(each) for each in (lamp(1), whole, sensor, presence)}


def attribute(source: str, name: str, value: Any, **more: Any) -> bytes:
    """An entry of a report with a value."""
    said = {"type": "AttributeX", "value": value, "timestamp": AT}
    data = {"type": "AttributeLogData", "srcAddress": source, "attributeName": name, "attributeValue": said} | more
    return msgspec.json.encode({"data": data})


def event(source: str, name: str, **more: Any) -> bytes:
    """An entry of a report with an event."""
    return msgspec.json.encode({"data": {"type": "EventLogData", "srcAddress": source, "eventType": name} | more})


MONITORED, ACTUATED = f"{LAMP.format(1)}/{MONITOR}", f"{LAMP.format(1)}/{ACTUATOR}"


@pytest.mark.parametrize(
    ("entry", "row"),
    [
        (attribute(MONITORED, "activePower", 41.5), ("luminaire-000001", "power", 41.5)),
        (attribute(MONITORED, "activePower", 41), ("luminaire-000001", "power", 41.0)),
        (attribute(MONITORED, "temperature", -3), ("luminaire-000001", "driver_temperature", -3.0)),
        (attribute(LAMP.format(1), "activePower", 1), ("luminaire-000001", "power", 1.0)),
        (attribute(ACTUATED, "actualLightState", SEVEN), ("luminaire-000001", "level", 7.0)),
        (attribute(MONITORED, "lampFailure", True), ("luminaire-000001", "fault", "lamp")),
        (attribute(MONITORED, "lampFailure", False), ("luminaire-000001", "fault", "none")),
        (attribute(MONITORED, "switchOnCounter", 812), ("luminaire-000001", "switch_ons", 812.0)),
        (attribute(MONITORED, "operatingHours", 16_250.5), ("luminaire-000001", "burning", 16_250.5)),
        (attribute(f"{CABINET}/meter", "totalCurrent", 11.4), ("cabinet-000001", "current", 11.4)),
        (event(CABINET, "circuitBreakerTripped", startEndFlag=True, timestamp=AT),
         ("cabinet-000001", "breaker", "tripped")),
        (event(CABINET, "leakageDetected", startEndFlag=True, timestamp=AT),
         ("cabinet-000001", "residual_current", "tripped")),
        (attribute(f"{CABINET}/segment", "circuitBreakerTripped", False), ("cabinet-000001", "breaker", "closed")),
        (attribute(f"{CABINET}/meter", "totalPower", 1.5), ("cabinet-000001", "power", 1_500.0)),
        (attribute(f"{CABINET}/segment", "actualState", "OFF"), ("cabinet-000001", "supply", "off")),
        (attribute(f"{CABINET}/{ACTUATOR}", "feedbackLightCommand", FULL), ("cabinet-000001", "full_light", True)),
        (attribute(f"{CABINET}/{ACTUATOR}", "feedbackLightCommand", FULL | {"reason": "program"}),
         ("cabinet-000001", "full_light", False)),
        (attribute("p/seen", "presenceStatus", True), ("p", "motion", True)),
        (event(CABINET, "cabinetDoorOpen", startEndFlag=True, timestamp=AT), ("cabinet-000001", "door", "open")),
        (event(CABINET, "cabinetDoorOpen", startEndFlag=False, timestamp=AT), ("cabinet-000001", "door", "closed")),
    ],
)  # fmt: skip
def test_what_is_bound_becomes_a_reading(entry: bytes, row: tuple[str, str, object]) -> None:
    read, _ = Reader(devices()).report([entry], NOW_US)
    assert (read.refused, read.quality, set(read.observed_us)) == ([], {}, {AT_US})
    assert (read.assets[0], read.points[0], read.values[0]) == row
    assert type(read.values[0]) is type(row[2])


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        (attribute("nobody", "activePower", 1), Outcome.UNKNOWN_ASSET),
        (attribute(MONITORED, "supplyVoltage", 230), Outcome.UNKNOWN_POINT),
        (attribute("s/n", "noise", 3), Outcome.UNKNOWN_POINT),
        (attribute(ACTUATED, "activePower", 1), Outcome.UNKNOWN_POINT),
        (attribute(MONITORED, "activePower", "1"), Outcome.WRONG_TYPE),
        (attribute(MONITORED, "activePower", None), Outcome.WRONG_TYPE),
        (attribute(MONITORED, "lampFailure", "yes"), Outcome.WRONG_TYPE),
        (attribute("p/seen", "presenceStatus", 1), Outcome.WRONG_TYPE),
        (attribute(ACTUATED, "actualLightState", 7), Outcome.WRONG_TYPE),
        (attribute(ACTUATED, "actualLightState", {"name": "RGBState"}), Outcome.WRONG_TYPE),
        (attribute(ACTUATED, "actualLightState", {"name": "LevelState", "value": 101}), Outcome.WRONG_TYPE),
        (attribute(f"{CABINET}/segment", "actualState", "AUTO"), Outcome.WRONG_TYPE),
        (attribute(f"{CABINET}/segment", "actualState", []), Outcome.WRONG_TYPE),
        (attribute(f"{CABINET}/{ACTUATOR}", "feedbackLightCommand", {"reason": "override"}), Outcome.WRONG_TYPE),
        (event(CABINET, "lampFailure"), Outcome.UNKNOWN_POINT),
        (event(MONITORED, "lampFailure", timestamp="0000-00-00T00:00:00Z"), Outcome.MALFORMED),
        (b'{"data":{"type":"AttributeLogData","srcAddress":"' + MONITORED.encode() + b'","attributeName":"activePower",'
         b'"attributeValue":{"value":1' + b"0" * 400 + b"}}}", Outcome.NOT_FINITE),
        (b"{}", Outcome.MALFORMED),
        (b"null", Outcome.MALFORMED),
    ],
)  # fmt: skip
def test_what_is_not_is_refused_by_name(entry: bytes, outcome: Outcome) -> None:
    read, _ = Reader(devices()).report([entry], NOW_US)
    assert [each.outcome for each in read.refused] == [outcome]
    assert read.assets == []


def test_a_loss_of_supply_hides_what_a_segment_says_and_gives_it_back() -> None:
    reader = Reader(devices())
    segment = f"{CABINET}/segment"
    entries = [
        attribute(segment, "actualState", "OFF"),
        event(CABINET, "supplyLoss", startEndFlag=True, timestamp=AT),
        attribute(segment, "actualState", "ON"),
        event(CABINET, "supplyLoss", startEndFlag=False, timestamp=AT),
    ]
    read = reader.report(entries, NOW_US)[0]
    said = list(zip(read.points, read.values, strict=True))
    assert [value for point, value in said if point == "supply"] == ["off", "lost", "lost", "on"]
    assert [value for point, value in said if point == "contactor"] == ["open", "closed"]


def test_an_event_without_beginning_or_end_stands_and_is_uncertain() -> None:
    read, _ = Reader(devices()).report([event(MONITORED, "lampFailure", timestamp=AT)], NOW_US)
    assert (read.values, read.quality) == (["lamp"], {0: Quality.UNCERTAIN})


def test_a_device_that_is_gone_leaves_nothing_standing() -> None:
    reader = Reader(devices())
    reader.report([event(MONITORED, "supplyLoss", startEndFlag=True), event(MONITORED, "lampFailure")], NOW_US)
    reader.forget(LAMP.format(1))
    over = event(MONITORED, "supplyLoss", startEndFlag=False)
    assert reader.report([over], NOW_US)[0].values == ["none"]


def test_of_a_devices_own_values_the_bound_are_read() -> None:
    said = {"activePower": Attribute("AttributeFloat", 3, AT), "powerFactor": Attribute("AttributeFloat", 1, AT)}
    wrong = {"actualLightState": Attribute("AttributeFloat", "dark", AT)}
    functions = ({"id": MONITOR, "type": "", **said}, {"id": ACTUATOR, "type": "LampActuatorFunction", **wrong})
    stranger = Device("nobody", "n", "c", functions)
    read = Reader(devices()).values([Device(LAMP.format(1), "n", "c", functions), stranger], NOW_US)
    assert (read.points, read.values) == (["power"], [3.0])
    assert [each.outcome for each in read.refused] == [Outcome.WRONG_TYPE]


def test_what_could_not_be_done_is_a_notice_and_no_reading() -> None:
    entries = [
        event(ACTUATED, "invalidCalendar", startEndFlag=True, timestamp=AT),
        event("gateway", "invalidProgram"),
        event(MONITORED, "lampFailure", startEndFlag=True, timestamp=AT),
    ]
    read, notices = Reader(devices()).report(entries, NOW_US)
    assert notices == (
        Notice(LAMP.format(1), ACTUATOR, "invalidCalendar", True, AT_US),
        Notice("gateway", "", "invalidProgram", None, NOW_US),
    )
    assert (read.rows, read.refused) == ([2], [])

"""What the gateways of the city announce: their services, and lamps and cabinets as TALQ's devices.

Source of the functions, attributes and events: the TALQ 2.7.1 data model.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from vigie.protocols.talq import wanted_loggers
from vigie.protocols.talq.messages import (
    Attribute,
    AttributeDesc,
    Device,
    DeviceClass,
    EventDesc,
    Function,
    FunctionDesc,
    Service,
)

VENDOR = "vigie"

BASIC, LAMP, MONITOR = "basic", "lamp", "monitor"
"""Functions of a lamp."""
DOORS, SEGMENT, METER, FULL_LIGHT = "doors", "segment", "meter", "full-light"
"""Functions of a cabinet, besides its basic one."""

SERVICES = (
    Service(
        "ConfigurationService",
        commissioning_supported=False,
        devices_pagination_supported=True,
        supported_profiles=("lighting",),
    ),
    Service(
        "ControlService",
        supported_types=("AbsoluteActivePeriod", "AstroClockActivePeriod", "AstroClockTimeControl", "ccDate", "ccDay"),
        maximum_calendars=200,
        maximum_programs=500,
        day_offset=0,
        cc_date_support="full",
        cc_day_support="full",
    ),
    Service(
        "DataCollectService",
        maximum_data_logs=20,
        supported_modes=(
            "VendorRecordingMode",
            "EventRecordingMode",
            "PeriodicRecordingMode",
            "ImmediateReportingMode",
        ),
        sampling_period_supported=True,
    ),
    Service("GroupManagementService", maximum_number_of_groups=200, maximum_group_size=5_000),
)

FAULTS = {"lamp": "lampFailure", "driver": "controlGearCommFailure", "supply": "supplyLoss", "unknown": "relayFailure"}
"""The fault of a luminaire -> the event of its monitor that stands meanwhile."""

_BASIC = FunctionDesc(BASIC, "BasicFunction", (AttributeDesc("assetId"),))


def _actuator(number: str) -> FunctionDesc:
    said = (AttributeDesc("actualLightState", "Percent", read_only=True), AttributeDesc("feedbackLightCommand"))
    return FunctionDesc(number, "LampActuatorFunction", (*said, AttributeDesc("calendarID")))


CLASSES = (
    DeviceClass(
        "Lamp",
        (
            _BASIC,
            _actuator(LAMP),
            FunctionDesc(
                MONITOR,
                "LampMonitorFunction",
                (
                    AttributeDesc("activePower", "Watts"),
                    AttributeDesc("temperature", "DegreesCelcius"),
                    AttributeDesc("switchOnCounter"),
                    AttributeDesc("operatingHours", "Hours"),
                ),
                tuple(EventDesc(event) for event in FAULTS.values()),
            ),
        ),
    ),
    DeviceClass(
        "Cabinet",
        (
            _BASIC,
            FunctionDesc(
                DOORS, "CabinetMonitorFunction", events=(EventDesc("cabinetDoorOpen"), EventDesc("leakageDetected"))
            ),
            FunctionDesc(
                SEGMENT,
                "SegmentMonitorFunction",
                (AttributeDesc("actualState"),),
                (EventDesc("circuitBreakerTripped"),),
            ),
            FunctionDesc(
                METER,
                "ElectricalMeterFunction",
                (
                    AttributeDesc("totalPower", "KiloWatt"),
                    AttributeDesc("totalActiveEnergy", "KiloWattHours"),
                    AttributeDesc("totalCurrent", "Amperes"),
                ),
                (EventDesc("supplyLoss"),),
            ),
            _actuator(FULL_LIGHT),
        ),
    ),
)


LOGGERS = wanted_loggers(str(uuid5(NAMESPACE_URL, VENDOR)))
"""What a gateway logs of its own accord, until its CMS has told it what to log: what vigie would have it log."""


def address_of(asset: str) -> str:
    """The TALQ address of the device of an asset."""
    return str(uuid5(NAMESPACE_URL, f"vigie:{asset}"))


def _basic(asset: str) -> Function:
    return {"id": BASIC, "type": "BasicFunction", "assetId": Attribute("AttributeString", asset)}


def lamp(asset: str, address: str) -> Device:
    """The device of a luminaire."""
    functions: tuple[Function, ...] = (
        _basic(asset),
        {"id": LAMP, "type": "LampActuatorFunction", "calendarID": Attribute("AttributeString", "")},
        {"id": MONITOR, "type": "LampMonitorFunction"},
    )
    return Device(address, asset, "Lamp", functions)


def cabinet(asset: str, address: str) -> Device:
    """The device of a cabinet, with its contacts, its segment, its meter and its contactor for full light."""
    functions: tuple[Function, ...] = (
        _basic(asset),
        {"id": DOORS, "type": "CabinetMonitorFunction"},
        {"id": SEGMENT, "type": "SegmentMonitorFunction"},
        {"id": METER, "type": "ElectricalMeterFunction"},
        {"id": FULL_LIGHT, "type": "LampActuatorFunction", "calendarID": Attribute("AttributeString", "")},
    )
    return Device(address, asset, "Cabinet", functions)

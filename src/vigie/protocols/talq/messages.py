"""The messages of TALQ 2.7.1 that vigie sends and understands, under the standard's own field names.

Source: the TALQ Consortium's OpenAPI data model 2.7.1. Only what is used is declared: a field that is not is passed
over, since other makers send more. What is declared is strict: a wrong type or a length over the limit refuses the
message.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

import msgspec

from vigie.protocols.talq.limits import CONTROLS_MAX, ENTRIES_MAX, FUNCTIONS_MAX, ITEMS_MAX, RULES_MAX, TEXT_CHARS_MAX

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Clock = Annotated[time, msgspec.Meta(tz=False)]
"""A local time of the day, daylight saving included, as hh:mm:ss."""
Level = Annotated[int, msgspec.Meta(ge=0, le=100)]
"""A level of light, in per cent (DimLevel)."""

NIL = "00000000-0000-0000-0000-000000000000"
"""The address of who has none yet."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The base of all of them."""


class ResourceReference(Message, frozen=True):
    """What a message points at: `devices` or `groups` and so on, and the address there, which may go on with
    `/functionId` and `/attributeName`."""

    resource: Text
    address: Annotated[str, msgspec.Meta(max_length=3 * TEXT_CHARS_MAX)]


class ErrorReference(Message, frozen=True):
    """What an error is about."""

    address: ResourceReference
    tag: str = ""


class TalqError(Message, frozen=True):
    """Why a request was refused (TALQErrorMessage). key: one of the standard's own, such as `payloadError`."""

    key: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
    description: str = ""
    references: tuple[ErrorReference, ...] = ()


# What a device is.


class Attribute(Message, frozen=True):
    """One value of a function. type: such as `AttributeFloat`; it says what `value` is. timestamp: RFC 3339, of the
    measurement or of the change; it is read only where an instant is wanted, so that a wrong one costs that value
    alone."""

    type: Text = ""
    value: Any = None
    timestamp: str | None = None


Function = dict[str, Attribute | str | float | bool | list[Any] | None]
"""A function of a device: its `id`, its `type` and its attributes by name; whatever else a maker adds is carried
along."""


class Device(Message, frozen=True):
    """A device. It may be one physical thing or a part of it."""

    address: Name
    name: Text
    class_: Text = msgspec.field(name="class")
    functions: Annotated[tuple[Function, ...], msgspec.Meta(max_length=FUNCTIONS_MAX)] = ()


class EventDesc(Message, frozen=True):
    """An event that a function can report."""

    type: Text


class AttributeDesc(Message, frozen=True):
    """An attribute that a function has."""

    name: Text
    unit: Text = ""
    read_only: bool | None = None


class FunctionDesc(Message, frozen=True):
    """A function that the devices of a class have."""

    function_id: Name
    type: Name
    attributes: Annotated[tuple[AttributeDesc, ...], msgspec.Meta(max_length=FUNCTIONS_MAX * 4)] = ()
    events: Annotated[tuple[EventDesc, ...], msgspec.Meta(max_length=FUNCTIONS_MAX)] = ()


class DeviceClass(Message, frozen=True):
    """What devices of one sort can do."""

    name: Name
    functions: Annotated[tuple[FunctionDesc, ...], msgspec.Meta(max_length=FUNCTIONS_MAX)] = ()


class Service(Message, frozen=True):
    """What a gateway supports, and how much of it. One struct for all services: each fills in its own fields."""

    name: Name
    commissioning_supported: bool | None = None
    devices_pagination_supported: bool | None = None
    supported_profiles: tuple[Text, ...] = ()
    supported_types: tuple[Text, ...] = ()
    maximum_calendars: int | None = None
    maximum_programs: int | None = None
    max_programs_per_calendar: int | None = None
    max_switch_points_per_program: int | None = None
    max_active_periods_per_program: int | None = None
    day_offset: int | None = None
    cc_date_support: Text = ""
    cc_day_support: Text = ""
    program_seconds_supported: bool | None = None
    maximum_data_logs: int | None = None
    supported_modes: tuple[Text, ...] = ()
    sampling_period_supported: bool | None = None
    maximum_number_of_groups: int | None = None
    maximum_group_size: int | None = None


# Commands.


class State(Message, frozen=True):
    """A state to bring about. A lamp's is a `LevelState`, whose value is a level in per cent."""

    name: Text
    value: Any = None


class CommandBase(Message, frozen=True):
    """What a control program does at one of its points. The ramp is in seconds."""

    state: State
    ramp_to_level_time: float | None = None


class Command(Message, frozen=True):
    """An order to an actuator. start: at once where it is left out. expiration: when the control program rules again;
    left out, never."""

    state: State
    ramp_to_level_time: float | None = None
    ramp_from_level_time: float | None = None
    reason: Literal["default", "override", "sensor", "program"] = "default"
    cms_ref_id: Text = ""
    ref_address: Text = ""
    start: Instant | None = None
    expiration: Instant | None = None


class OverrideCommand(Message, frozen=True):
    """An order on request, over whatever the control program says. Without its command it ends the one before."""

    addresses: Annotated[tuple[ResourceReference, ...], msgspec.Meta(max_length=ITEMS_MAX)] = ()
    target_command: Command | None = None


class AssignCommand(Message, frozen=True):
    """Gives a calendar to actuators, or takes it away where the entity's address is empty."""

    addresses: Annotated[tuple[ResourceReference, ...], msgspec.Meta(max_length=ITEMS_MAX)]
    entity: ResourceReference
    cms_ref_id: Text = ""


class Group(Message, frozen=True):
    """Devices, functions of devices and groups under one address."""

    address: Name
    members: Annotated[tuple[ResourceReference, ...], msgspec.Meta(max_length=ITEMS_MAX)]
    owner_cms: Text = msgspec.field(name="ownerCMS")
    purpose: Text = "unknown"


# Control programs and calendars.


class AbsoluteActivePeriod(Message, frozen=True, tag=True, tag_field="name"):
    """From one time of the day to another; the whole day where they are the same."""

    start_time: Clock
    end_time: Clock


class AstroClockActivePeriod(Message, frozen=True, tag=True, tag_field="name"):
    """From sunset to sunrise, each moved by minutes; a negative offset is earlier."""

    sunset_offset: int
    sunrise_offset: int


class FixedTimeControl(Message, frozen=True):
    """What is done from a time of the day on, until the next of them."""

    start_time: Clock
    command: CommandBase


class AstroClockTimeControl(Message, frozen=True):
    """What is done from minutes after (or before) sunrise or sunset on, upon what the fixed times say."""

    offset: int
    solar_event_type: Literal["sunrise", "sunset"]
    operation: Literal["Set", "Max", "Min", "Add", "Sub", "Mul"]
    command: CommandBase


class ControlProgramOne(Message, frozen=True, tag=True, tag_field="type"):
    """What happens within a day."""

    id: Name
    owner_cms: Text = msgspec.field(name="ownerCMS")
    active_periods: Annotated[
        tuple[AbsoluteActivePeriod | AstroClockActivePeriod, ...], msgspec.Meta(max_length=CONTROLS_MAX)
    ]
    fixed_time_controls: Annotated[tuple[FixedTimeControl, ...], msgspec.Meta(max_length=CONTROLS_MAX)]
    astro_clock_time_controls: Annotated[tuple[AstroClockTimeControl, ...], msgspec.Meta(max_length=CONTROLS_MAX)] = ()
    dynamic_controls: Annotated[tuple[Any, ...], msgspec.Meta(max_length=CONTROLS_MAX)] = ()
    """What follows sensors: never sent, and known when it is read."""


_MONTH_DAY = r"--(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
MonthDay = Annotated[str, msgspec.Meta(pattern=f"^(---(0[1-9]|[12]\\d|3[01])|{_MONTH_DAY})$")]
Bound = Annotated[str, msgspec.Meta(pattern=f"^({_DATE}|{_MONTH_DAY})$")]
WeekDay = Annotated[int, msgspec.Meta(ge=1, le=7)]
"""1 is Monday."""


class DateSpan(Message, frozen=True):
    """A day of each month (`---dd`) or of each year (`--mm-dd`), or from one to another."""

    start: MonthDay
    end: MonthDay | None = None


class DaySpan(Message, frozen=True):
    """A day of the week, or from one to another."""

    start: WeekDay
    end: WeekDay | None = None


class DateCondition(Message, frozen=True, tag="ccDate", tag_field="type"):
    """Whether a day is one of these dates (ccDate)."""

    dates: Annotated[tuple[DateSpan, ...], msgspec.Meta(max_length=CONTROLS_MAX)]


class DayCondition(Message, frozen=True, tag="ccDay", tag_field="type"):
    """Whether a day is one of these days of the week (ccDay). occurrences: only the first ("1") to fifth or the last
    ("L") such day of the month."""

    days: Annotated[tuple[DaySpan, ...], msgspec.Meta(max_length=7)]
    occurrences: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[1-5L]$")], ...], msgspec.Meta(max_length=5)
    ] = ()


class CalendarRule(Message, frozen=True):
    """Which program on which days. start_date, end_date: `yyyy-mm-dd`, or `--mm-dd` for each year."""

    program: Name
    start_date: Bound | None = None
    end_date: Bound | None = None
    condition: DateCondition | DayCondition | None = None


class Calendar(Message, frozen=True):
    """Which program on which day: of the rules that hold, the first."""

    id: Name
    owner_cms: Text = msgspec.field(name="ownerCMS")
    rules: Annotated[tuple[CalendarRule, ...], msgspec.Meta(max_length=RULES_MAX)] = ()
    default_program: Text = ""


# Data collection.


class LoggedAttribute(Message, frozen=True):
    """An attribute to log; with a threshold only when it changed by more than so many per cent."""

    name: Name
    on_change_threshold: Level | None = None


class LoggedFunction(Message, frozen=True):
    """The functions meant, by identifier or by type, and their attributes; all where none is named."""

    function_id: Text = ""
    function_type: Text = ""
    attributes: Annotated[tuple[LoggedAttribute, ...], msgspec.Meta(max_length=FUNCTIONS_MAX)] = ()


class LoggedContent(Message, frozen=True):
    """One line of what a logger logs."""

    function: LoggedFunction
    attribute_scope: Literal["configuration", "measurement", "event", "operational"] | None = None


Content = Annotated[tuple[LoggedContent, ...], msgspec.Meta(max_length=FUNCTIONS_MAX)]
Periods = Annotated[tuple[Any, ...], msgspec.Meta(max_length=CONTROLS_MAX)]
"""When a logger is at work at all: never sent, and known when it is read."""


class SamplingProfile(Message, frozen=True):
    """When samples are taken: at the start, then each period, until the end."""

    sampling_start_time: Instant
    sampling_period: timedelta | None = None
    sampling_end_time: Instant | None = None


class VendorRecordingMode(Message, frozen=True, tag=True, tag_field="type"):
    """The gateway logs as its maker thought best; without content, whatever there is."""

    content: Content | None = None
    active_periods: Periods = ()


class PeriodicRecordingMode(Message, frozen=True, tag=True, tag_field="type"):
    """The gateway logs these attributes at stated times."""

    content: Content
    sampling_profiles: Annotated[tuple[SamplingProfile, ...], msgspec.Meta(max_length=CONTROLS_MAX)]
    active_periods: Periods = ()


class Listed(Message, frozen=True):
    """Names of events: those of the white list, less those of the black list. A black list alone means all others; no
    list at all means none."""

    white_list: Annotated[tuple[Text, ...], msgspec.Meta(max_length=FUNCTIONS_MAX * 4)] | None = None
    black_list: Annotated[tuple[Text, ...], msgspec.Meta(max_length=FUNCTIONS_MAX * 4)] | None = None


class ListedSources(Message, frozen=True):
    """Devices and groups, by the same rule."""

    white_list: Annotated[tuple[ResourceReference, ...], msgspec.Meta(max_length=ITEMS_MAX)] | None = None
    black_list: Annotated[tuple[ResourceReference, ...], msgspec.Meta(max_length=ITEMS_MAX)] | None = None


class EventRecordingMode(Message, frozen=True, tag=True, tag_field="type"):
    """The gateway logs these events as they happen."""

    source_events: Listed
    active_periods: Periods = ()


class ImmediateReportingMode(Message, frozen=True, tag=True, tag_field="type"):
    """What was logged is reported so many seconds after the first of it."""

    delay: Annotated[int, msgspec.Meta(ge=0, le=86_400)]
    number_of_retries: int = 3


class ScheduledReportingMode(Message, frozen=True, tag=True, tag_field="type"):
    """What was logged is reported at these times of the day, local unless they say a zone."""

    times: Annotated[tuple[time, ...], msgspec.Meta(max_length=CONTROLS_MAX)]
    random_time: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    number_of_retries: int = 3


class LoggerConfig(Message, frozen=True):
    """What a logger logs of whom, and when it tells."""

    address: Name
    owner_cms: Text = msgspec.field(name="ownerCMS")
    source_addresses: ListedSources | None = None
    recording_mode: VendorRecordingMode | PeriodicRecordingMode | EventRecordingMode | None = None
    reporting_mode: ScheduledReportingMode | ImmediateReportingMode | None = None


class AttributeLogData(Message, frozen=True, tag=True, tag_field="type"):
    """A value that was logged."""

    src_address: Annotated[str, msgspec.Meta(max_length=3 * TEXT_CHARS_MAX)]
    attribute_name: Name
    attribute_value: Attribute
    timestamp: str | None = None


class EventLogData(Message, frozen=True, tag=True, tag_field="type"):
    """An event that was logged. start_end_flag: whether what it says begins (true) or ends; left out for an event
    that has no length."""

    src_address: Annotated[str, msgspec.Meta(max_length=3 * TEXT_CHARS_MAX)]
    event_type: Name
    start_end_flag: bool | None = None
    timestamp: str | None = None


class StateChangeEventLogData(Message, frozen=True, tag=True, tag_field="type"):
    """A change of state that was logged: the command it follows, and the state where that is another."""

    src_address: Annotated[str, msgspec.Meta(max_length=3 * TEXT_CHARS_MAX)]
    event_type: Name
    command: Command
    state: State | None = None
    timestamp: str | None = None


LogData = AttributeLogData | EventLogData | StateChangeEventLogData


class LogEntry(Message, frozen=True):
    """One entry of a report."""

    data: LogData
    cms_ref_id: Text = ""


class LogReport(Message, frozen=True):
    """What a logger logged. Its entries are read one by one (`LogEntry`), so that a wrong one refuses itself alone."""

    address: Text = ""
    entries: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=ENTRIES_MAX)] = ()

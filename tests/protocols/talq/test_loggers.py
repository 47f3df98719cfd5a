"""What a logger of ours records, and when it reports."""

from __future__ import annotations

from datetime import UTC, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.protocols.talq.link import NOW_US
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, from_us, to_us
from vigie.protocols.talq import loggers as module
from vigie.protocols.talq.loggers import Loggers
from vigie.protocols.talq.messages import (
    Attribute,
    EventLogData,
    EventRecordingMode,
    Function,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LoggedAttribute,
    LoggedContent,
    LoggedFunction,
    LoggerConfig,
    PeriodicRecordingMode,
    ResourceReference,
    SamplingProfile,
    ScheduledReportingMode,
    VendorRecordingMode,
)
from vigie.protocols.talq.requests import Refused

EVERYONE = ListedSources(black_list=())
AT_ONCE = ImmediateReportingMode(0)


def make(config: LoggerConfig, zone: ZoneInfo | None = None) -> Loggers:
    """One logger at work."""
    loggers = Loggers(lambda references: {(each.address, "") for each in references}, zone or UTC)
    loggers.put(config, NOW_US)
    return loggers


def device(address: str) -> ResourceReference:
    """A reference to a device."""
    return ResourceReference("devices", address)


def observe(loggers: Loggers, name: str, value: float, *, who: str = "d", at_us: int = NOW_US) -> None:
    """A lamp monitor measures something."""
    function: Function = {"id": "f", "type": "LampMonitorFunction"}
    loggers.observed(who, function, name, Attribute("AttributeFloat", value), at_us)


def reported(loggers: Loggers, now_us: int = NOW_US) -> int:
    """How many entries are reported now."""
    return sum(len(entries) for _, entries in loggers.due(now_us))


@pytest.mark.parametrize(
    ("sources", "logged"),
    [
        (None, []),
        (ListedSources(), []),
        (ListedSources(black_list=()), ["a", "b"]),
        (ListedSources(black_list=(device("a"),)), ["b"]),
        (ListedSources(white_list=()), []),
        (ListedSources(white_list=(device("a"),)), ["a"]),
        (ListedSources(white_list=(device("a"), device("b")), black_list=(device("a"),)), ["b"]),
        (ListedSources(white_list=(), black_list=()), []),
    ],
)
def test_for_whom_a_logger_is(sources: ListedSources | None, logged: list[str]) -> None:
    loggers = make(LoggerConfig("l", "c", sources, VendorRecordingMode(), AT_ONCE))
    for who in ("a", "b"):
        observe(loggers, "activePower", 1.0, who=who)
    assert reported(loggers) == len(logged)


@pytest.mark.parametrize(
    ("listed", "logged"),
    [
        (Listed(), []),
        (Listed(black_list=()), ["lampFailure", "supplyLoss"]),
        (Listed(black_list=("supplyLoss",)), ["lampFailure"]),
        (Listed(white_list=()), []),
        (Listed(white_list=("supplyLoss",)), ["supplyLoss"]),
        (Listed(white_list=("supplyLoss",), black_list=("supplyLoss",)), []),
    ],
)
def test_which_events_are_logged(listed: Listed, logged: list[str]) -> None:
    loggers = make(LoggerConfig("l", "c", EVERYONE, EventRecordingMode(listed), AT_ONCE))
    for event in ("lampFailure", "supplyLoss"):
        loggers.happened(EventLogData("d/f", event, True), "d", "f", NOW_US)
    entries = [entry for _, part in loggers.due(NOW_US) for entry in part]
    assert [entry.data.event_type for entry in entries if isinstance(entry.data, EventLogData)] == logged


@pytest.mark.parametrize(
    ("content", "logged"),
    [
        (None, 2),
        ((), 0),
        ((LoggedContent(LoggedFunction(function_type="LampMonitorFunction")),), 2),
        ((LoggedContent(LoggedFunction(function_id="f")),), 2),
        ((LoggedContent(LoggedFunction(function_id="g")),), 0),
        ((LoggedContent(LoggedFunction(function_id="f", attributes=(LoggedAttribute("activePower"),))),), 1),
        ((LoggedContent(LoggedFunction(function_id="f"), "measurement"),), 1),
        ((LoggedContent(LoggedFunction(function_id="f"), "event"),), 1),
        ((LoggedContent(LoggedFunction(function_id="f"), "operational"),), 0),
    ],
)
def test_what_is_logged(content: tuple[LoggedContent, ...] | None, logged: int) -> None:
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode(content), AT_ONCE))
    observe(loggers, "activePower", 1.0)
    observe(loggers, "lampFailure", True)
    assert reported(loggers) == logged


def test_a_small_change_is_not_logged() -> None:
    wanted = LoggedFunction(function_id="f", attributes=(LoggedAttribute("activePower", 10),))
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode((LoggedContent(wanted),)), AT_ONCE))
    for value in (100.0, 109.0, 110.0, 111.0, 100.5, 99.0):
        observe(loggers, "activePower", value)
    entries = [entry for _, part in loggers.due(NOW_US) for entry in part]
    assert [entry.data.attribute_value.value for entry in entries] == [100.0, 111.0, 99.0]  # type: ignore[union-attr]


def test_a_delay_begins_with_the_first_and_is_not_prolonged() -> None:
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode(), ImmediateReportingMode(60)))
    observe(loggers, "activePower", 1.0)
    observe(loggers, "activePower", 2.0, at_us=NOW_US + MINUTE_US - 1)
    assert reported(loggers, NOW_US + MINUTE_US - 1) == 0
    assert reported(loggers, NOW_US + MINUTE_US) == 2


@pytest.mark.parametrize(
    ("mode", "hours"),
    [
        (ScheduledReportingMode((time(6), time(18))), [6, 18]),
        (ScheduledReportingMode((time(6, tzinfo=UTC),)), [7]),
        (ScheduledReportingMode((time(6),), random_time=0), [6]),
    ],
)
def test_a_schedule_is_local_unless_it_says_a_zone(mode: ScheduledReportingMode, hours: list[int]) -> None:
    zone = ZoneInfo("Europe/Paris")
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode(), mode), zone)
    start = to_us(from_us(NOW_US).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)) + DAY_US
    list(loggers.due(start))
    told = []
    for quarter in range(1, 96):
        at_us = start + quarter * 15 * MINUTE_US
        observe(loggers, "activePower", 1.0, at_us=at_us - 1)
        if reported(loggers, at_us):
            told.append(from_us(at_us).astimezone(zone).hour)
    assert told == hours


def test_a_random_time_spreads_loggers_and_is_the_same_each_day() -> None:
    mode = ScheduledReportingMode((time(6),), random_time=3_600)
    waits = []
    for address in ("one", "two", "three"):
        loggers = make(LoggerConfig(address, "c", EVERYONE, VendorRecordingMode(), mode))
        start = NOW_US - NOW_US % DAY_US + DAY_US + 6 * HOUR_US - MINUTE_US
        list(loggers.due(start))
        observe(loggers, "activePower", 1.0, at_us=start)
        waits.append(next(minute for minute in range(62) if reported(loggers, start + minute * MINUTE_US)))
    assert len(set(waits)) == 3


def test_a_profile_ends_and_a_missed_sample_is_taken_once() -> None:
    start = from_us(NOW_US)
    profiles = (
        SamplingProfile(start, timedelta(minutes=10), start + timedelta(minutes=30)),
        SamplingProfile(start + timedelta(minutes=5)),
        SamplingProfile(start - timedelta(days=2), None, start - timedelta(days=1)),
    )
    content = (LoggedContent(LoggedFunction(function_id="f")),)
    loggers = make(LoggerConfig("l", "c", EVERYONE, PeriodicRecordingMode(content, profiles), AT_ONCE))
    function: Function = {"id": "f", "type": "LampMonitorFunction", "activePower": Attribute("AttributeFloat", 1.0)}
    counts = []
    for minute in (0, 1, 5, 29, 30, 40, 400):
        loggers.sample({"d": {"f": function}}, NOW_US + minute * MINUTE_US)
        counts.append(reported(loggers, NOW_US + minute * MINUTE_US))
    assert counts == [1, 0, 1, 1, 1, 0, 0]


def test_a_logger_that_cannot_report_loses_the_oldest_and_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUFFER_MAX", 3)
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode(), AT_ONCE))
    for value in range(5):
        observe(loggers, "activePower", value)
    assert loggers.lost == 2
    ((address, entries),) = loggers.due(NOW_US)
    observe(loggers, "activePower", 9)
    loggers.give_back(address, entries, NOW_US)
    assert loggers.lost == 3
    loggers.give_back("gone", entries, NOW_US)
    assert reported(loggers) == 3


def test_a_report_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_SENT_MAX", 2)
    loggers = make(LoggerConfig("l", "c", EVERYONE, VendorRecordingMode(), AT_ONCE))
    for value in range(5):
        observe(loggers, "activePower", value)
    assert [len(entries) for _, entries in loggers.due(NOW_US)] == [2, 2, 1]


def test_there_is_a_limit_to_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOGGERS_MAX", 1)
    loggers = make(LoggerConfig("l", "c"))
    loggers.put(LoggerConfig("l", "c"), NOW_US)
    with pytest.raises(Refused):
        loggers.put(LoggerConfig("m", "c"), NOW_US)

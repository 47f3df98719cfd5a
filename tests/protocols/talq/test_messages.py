"""The messages go there and back, and whatever is built from them is within the standard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.talq.link import LAMP, NOW_US, Link, to_lamps
from tests.protocols.talq.standard import Standard
from vigie.protocols.talq.messages import (
    AssignCommand,
    Attribute,
    AttributeDesc,
    AttributeLogData,
    Command,
    Device,
    DeviceClass,
    EventDesc,
    EventLogData,
    EventRecordingMode,
    FunctionDesc,
    Group,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LogEntry,
    LoggedAttribute,
    LoggedContent,
    LoggedFunction,
    LoggerConfig,
    OverrideCommand,
    PeriodicRecordingMode,
    ResourceReference,
    SamplingProfile,
    ScheduledReportingMode,
    Service,
    State,
    StateChangeEventLogData,
    TalqError,
    VendorRecordingMode,
)
from vigie.protocols.talq.requests import Answer, Request

REF = "./talq-data-model-2-7-1-online.json#/components/schemas/"

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
levels = st.integers(0, 100)
seconds = st.none() | st.integers(0, 3_600).map(float)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
stamps = instants.map(lambda at: at.isoformat().replace("+00:00", "Z"))
uuids = st.uuids().map(str)
references = st.builds(ResourceReference, st.sampled_from(["devices", "groups"]), texts)
some_references = st.lists(references, max_size=4).map(tuple)
states = levels.map(lambda level: State("LevelState", level))
commands = st.builds(
    Command,
    states,
    seconds,
    seconds,
    st.sampled_from(["default", "override", "sensor", "program"]),
    st.just("") | texts,
    st.just("") | texts,
    st.none() | instants,
    st.none() | instants,
)
floats = st.builds(Attribute, st.just("AttributeFloat"), st.floats(-1e6, 1e6), st.none() | stamps)
flags = st.builds(Attribute, st.just("AttributeBoolean"), st.booleans(), st.none() | stamps)
level_states = states.map(lambda state: Attribute("AttributeLevelState", msgspec.to_builtins(state)))
functions = st.fixed_dictionaries(
    {"id": texts, "type": st.just("LampMonitorFunction")}, optional={"activePower": floats, "lampFailure": flags}
) | st.fixed_dictionaries(
    {"id": texts, "type": st.just("LampActuatorFunction")}, optional={"actualLightState": level_states}
)
devices = st.builds(Device, uuids, texts, texts, st.lists(functions, max_size=3).map(tuple))
events = st.sampled_from(["lampFailure", "supplyLoss", "lightStateChange"])
listed = st.none() | st.lists(events, max_size=3).map(tuple)
sources = st.builds(ListedSources, st.none() | some_references, st.none() | some_references)
logged = st.builds(
    LoggedContent,
    st.builds(
        LoggedFunction,
        st.just("") | texts,
        st.just("") | texts,
        st.lists(st.builds(LoggedAttribute, texts, st.none() | levels), max_size=2).map(tuple),
    ),
    st.none() | st.sampled_from(["configuration", "measurement", "event", "operational"]),
)
content = st.lists(logged, max_size=3).map(tuple)
periods = st.integers(1, 10**6).map(lambda period_s: timedelta(seconds=period_s))
profiles = st.builds(SamplingProfile, instants, st.none() | periods, st.none() | instants)
recording = (
    st.builds(VendorRecordingMode, st.none() | content)
    | st.builds(PeriodicRecordingMode, content, st.lists(profiles, max_size=2).map(tuple))
    | st.builds(EventRecordingMode, st.builds(Listed, listed, listed))
)
times = st.times().map(lambda at: at.replace(microsecond=0))
reporting = st.builds(ImmediateReportingMode, st.integers(0, 86_400), st.integers(0, 9)) | st.builds(
    ScheduledReportingMode, st.lists(times, max_size=3).map(tuple), st.none() | st.integers(0, 9), st.integers(0, 9)
)
loggers = st.builds(LoggerConfig, texts, uuids, st.none() | sources, st.none() | recording, st.none() | reporting)
log_data = (
    st.builds(AttributeLogData, texts, texts, floats | flags | level_states, st.none() | stamps)
    | st.builds(EventLogData, texts, events, st.none() | st.booleans(), st.none() | stamps)
    | st.builds(StateChangeEventLogData, texts, events, commands, st.none() | states, st.none() | stamps)
)
entries = st.builds(LogEntry, log_data, st.just("") | texts)
classes = st.builds(
    DeviceClass,
    texts,
    st.lists(
        st.builds(
            FunctionDesc,
            texts,
            texts,
            st.lists(st.builds(AttributeDesc, texts, st.sampled_from(["", "Watts"]), st.none() | st.booleans())).map(
                tuple
            ),
            st.lists(st.builds(EventDesc, events), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)
services = st.builds(
    Service, st.just("ConfigurationService"), st.none() | st.booleans(), st.none() | st.booleans()
) | st.builds(Service, st.just("GroupManagementService"), maximum_number_of_groups=st.none() | st.integers(0, 10**6))

MESSAGES: dict[str, tuple[Any, st.SearchStrategy[Any], str]] = {
    "command": (OverrideCommand, st.builds(OverrideCommand, some_references, st.none() | commands), "OverrideCommand"),
    "assignment": (AssignCommand, st.builds(AssignCommand, some_references, references, st.just("")), "AssignCommand"),
    "group": (Group, st.builds(Group, texts, some_references, uuids), "Group"),
    "device": (Device, devices, "Device"),
    "class": (DeviceClass, classes, "DeviceClass"),
    "service": (Service, services, "Service"),
    "logger": (LoggerConfig, loggers, "LoggerConfig"),
    "error": (TalqError, st.builds(TalqError, texts, st.just("") | texts), "TALQErrorMessage"),
}

relaxed = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("name", MESSAGES)
@relaxed
@given(data=st.data())
def test_a_message_goes_there_and_back(talq: Standard, name: str, data: st.DataObject) -> None:
    struct, strategy, schema = MESSAGES[name]
    message = data.draw(strategy)
    raw = msgspec.json.encode(message)
    talq.check(msgspec.json.decode(raw), {"$ref": f"{REF}{schema}"}, name)
    assert msgspec.json.decode(raw, type=struct) == message


@relaxed
@given(entry=entries)
def test_an_entry_of_a_report_goes_there_and_back(talq: Standard, entry: LogEntry) -> None:
    raw = msgspec.json.encode(entry)
    report = {"address": "l", "entries": [msgspec.json.decode(raw)]}
    talq.check(report, {"$ref": f"{REF}LogReport"}, "report")
    back = msgspec.json.decode(raw, type=LogEntry)
    assert msgspec.json.encode(back) == raw


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "type", "name", "address", "functions", "entries", "data"]), inner)
    ),
    max_leaves=12,
)
near = st.builds(list, st.lists(devices | entries, max_size=2)).map(msgspec.to_builtins)
answers = st.builds(
    Answer,
    st.sampled_from([200, 201, 202, 204, 302, 400, 404, 500]),
    (json_values | near).map(msgspec.json.encode) | st.binary(max_size=30),
    st.sampled_from([(), (("pagination-totalCount", "9"),), (("pagination-totalcount", "²"),)]),
)


@pytest.fixture(scope="module")
def link() -> Link:
    """An attached gateway."""
    link = Link()
    link.attach()
    return link


def asked(link: Link) -> list[Request]:
    """Every request that a post asks."""
    order, config = link.peer.override(to_lamps(1), 4), LoggerConfig("l", "c")
    return [
        *link.peer.discover(),
        *link.peer.read_back(),
        link.peer.caller.ask("getLoggerConfig", "l"),
        link.peer.caller.ask("addLoggerConfig", body=config),
        link.peer.look(LAMP.format(1)),
        link.peer.pull("l"),
        link.peer.assign("", to_lamps(1)),
        order,
    ]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answer=answers, which=st.integers(0, 20))
def test_any_answer_is_taken_by_the_post(link: Link, answer: Answer, which: int) -> None:
    requests = asked(link)
    turn = link.peer.answered(requests[which % len(requests)], answer, NOW_US)
    assert len(turn.requests) <= 1


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answer=answers, begun=st.booleans())
def test_any_answer_is_taken_by_a_gateway(answer: Answer, begun: bool) -> None:
    link = Link()
    if begun:
        link.attach()
        request = link.gateway._caller.ask("sendLogReport", body={})
    else:
        request = link.gateway.start()
    turn = link.gateway.answered(request, answer, NOW_US)
    assert turn.requests == () or link.gateway.address

"""A whole conversation: bootstrap, discovery, programmes, orders, reports and events, over a link in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from tests.protocols.talq.link import (
    ACTUATOR,
    CABINET,
    CMS,
    LAMP,
    LAMP_CLASS,
    MONITOR,
    SERVICES,
    Link,
    lamp,
    statuses,
    to_lamps,
)
from tests.protocols.talq.standard import Standard
from vigie.core.kinds import Quality
from vigie.core.times import from_us, rfc3339
from vigie.protocols.talq.differences import Difference, Held, Sort, compare
from vigie.protocols.talq.events import (
    Accepted,
    Assigned,
    Attached,
    Declined,
    Done,
    Followed,
    Found,
    Joined,
    Live,
    Noticed,
    Overridden,
    ReadBack,
    Ready,
    Reported,
    Stored,
    Supported,
)
from vigie.protocols.talq.messages import (
    Attribute,
    Command,
    EventRecordingMode,
    Group,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LoggedContent,
    LoggedFunction,
    LoggerConfig,
    PeriodicRecordingMode,
    ResourceReference,
    SamplingProfile,
    VendorRecordingMode,
)
from vigie.protocols.talq.orders import ORDERS
from vigie.protocols.talq.peer import Step
from vigie.protocols.talq.schedules import (
    How,
    Night,
    Programme,
    Rule,
    Slot,
    Sun,
    SunSlot,
    WeekDays,
    Year,
    level_state,
    read,
    written,
    written_year,
)

WEEK = Programme(
    "week",
    (Night(-10, 15),),
    (Slot(time(5), 100, 30.0), Slot(time(22), 70, 60.0)),
    (SunSlot(Sun.SET, 30, 80, How.MIN),),
)
SUNDAY = Programme("sunday", (Night(),), (Slot(time(0), 50),))
YEAR = Year("year", (Rule("sunday", WeekDays(((7, 7),))),), "week")
STREETS = Group(
    "streets", (ResourceReference("devices", LAMP.format(1)), ResourceReference("devices", LAMP.format(2))), CMS
)

EVENTS = LoggerConfig(
    "events",
    CMS,
    ListedSources(black_list=()),
    EventRecordingMode(Listed(black_list=())),
    ImmediateReportingMode(0),
)
VALUES = LoggerConfig("values", CMS, ListedSources(black_list=()), VendorRecordingMode(), ImmediateReportingMode(5))


def wanted(link: Link) -> Held:
    """What the post wants of this gateway."""
    return Held(
        {program.id: program for program in (written(WEEK, CMS), written(SUNDAY, CMS))},
        {"year": written_year(YEAR, CMS)},
        {"streets": STREETS},
        {each.address: each for each in (EVENTS, VALUES)},
        {f"{LAMP.format(number)}/{ACTUATOR}": "year" for number in range(1, link.lamps + 1)},
    )


def read_back(link: Link) -> Held:
    """What the gateway holds, read back."""
    link.down(link.peer.read_back())
    event = link.last(ReadBack)
    assert isinstance(event, ReadBack)
    return event.held


def mend(link: Link) -> tuple[Difference, ...]:
    """Mends what differs, and gives the differences."""
    link.peer.wanted = wanted(link)
    differences = compare(link.peer.wanted, read_back(link), CMS)
    link.down(link.peer.mend(differences))
    return differences


@pytest.fixture
def link(talq: Standard) -> Link:
    """An attached gateway."""
    link = Link(talq)
    link.attach()
    return link


def test_bootstrap_is_announcement_services_classes_devices(talq: Standard) -> None:
    link = Link(talq)
    link.attach()
    assert [request.route.name for request, _ in link.passed] == [
        "addDevices",
        "announceServices",
        "addDeviceClasses",
        "addDevices",
    ]
    assert statuses([answer for _, answer in link.passed]) == [201] * 4
    address = link.cms.gateway_of("gw-1")
    assert link.gateway.address == address
    assert link.gateway.cms == CMS
    assert link.learnt == [Joined(address), Live()]
    assert [type(event) for event in link.heard] == [Attached, Supported, Supported, Ready, Found]
    assert link.peer.step is Step.READY
    assert link.peer.uri == "https://gw-1.example/talq"
    assert link.peer.devices[LAMP.format(1)].asset == "luminaire-000001"


def test_a_gateway_that_starts_over_is_the_same_gateway(link: Link) -> None:
    first = link.gateway.address
    link.attach()
    assert link.gateway.address == first
    assert link.peer.step is Step.READY
    assert [request.route.name for request, _ in link.passed][-5:] == [
        "addDevices",
        "announceServices",
        "addDeviceClasses",
        "addDevices",
        "updateDevices",
    ]
    assert link.learnt[-1] == Live()


def test_discovery_reads_page_by_page(talq: Standard, monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link(talq, lamps=7)
    link.attach()
    link.peer.devices.clear()
    for module in ("peer", "requests"):
        monkeypatch.setattr(f"vigie.protocols.talq.{module}.PAGE_DEVICES", 3)
    link.down(link.peer.discover())
    assert len(link.peer.devices) == 8
    assert link.peer.services.keys() == {service.name for service in SERVICES}
    assert link.peer.classes["Lamp"] == LAMP_CLASS
    names = [request.route.name for request, _ in link.passed]
    assert names.count("getDevices") == 3


def test_what_is_pushed_is_read_back_equal_and_what_was_changed_is_mended(link: Link) -> None:
    assert {each.sort for each in mend(link)} == set(Sort)
    held = read_back(link)
    assert compare(wanted(link), held, CMS) == ()
    assert read(held.programs["week"]) == WEEK
    assert isinstance(link.last(Assigned), Assigned)

    # Somebody changes a level, loses a lamp's calendar and adds a program at the gateway.
    other = written(replace(WEEK, slots=(Slot(time(5), 100, 30.0), Slot(time(22), 90, 60.0))), CMS)
    extra = written(replace(SUNDAY, name="extra"), CMS)
    shelf = link.gateway.network.holding.shelves[Sort.PROGRAM]
    shelf |= {"week": other, "extra": extra}
    link.down(link.peer.assign("", to_lamps(2)))
    differences = mend(link)
    assert [(each.sort, each.name) for each in differences] == [
        (Sort.PROGRAM, "extra"),
        (Sort.PROGRAM, "week"),
        (Sort.ASSIGNMENT, f"{LAMP.format(2)}/{ACTUATOR}"),
    ]
    assert compare(wanted(link), read_back(link), CMS) == ()
    removed = [event for event in link.learnt if isinstance(event, Stored) and event.removed]
    assert removed == [Stored("control-programs", removed=("extra",))]


def test_what_another_cms_put_there_is_shown_and_left_alone(link: Link) -> None:
    mend(link)
    theirs = written(replace(SUNDAY, name="theirs"), "another-cms")
    link.gateway.network.holding.shelves[Sort.PROGRAM]["theirs"] = theirs
    differences = compare(wanted(link), read_back(link), CMS)
    assert [(each.name, each.ours) for each in differences] == [("theirs", False)]
    assert link.peer.mend(differences) == ()


def test_programs_are_added_changed_and_taken_out_one_by_one(link: Link) -> None:
    mend(link)
    ask = link.peer.caller.ask
    answers = link.down(
        [
            ask("getControlProgram", "week"),
            ask("updateControlProgram", "week", body=written(WEEK, CMS)),
            ask("getCalendar", "year"),
            ask("updateCalendar", "year", body=written_year(YEAR, CMS)),
            ask("getGroup", "streets"),
            ask("updateGroup", "streets", body=STREETS),
            ask("addGroupMembers", "streets", body=to_lamps(3)),
            *(
                ask(f"get{noun}Count")
                for noun in ("ControlPrograms", "Calendars", "Groups", "Devices", "DeviceClasses")
            ),
            ask("getLogReportsCount"),
            ask("getDeviceClass", "Lamp"),
            ask("getAssignCommands"),
            ask("getGroupMembersCount", "streets"),
            ask("deleteGroupMember", "streets", "devices", LAMP.format(3)),
            ask("deleteGroup", "streets"),
        ]
    )
    assert statuses(answers) == [200] * len(answers)
    assert [int(answer.body) for answer in answers[7:13]] == [2, 1, 1, 4, 2, 2]
    refused = link.down(
        [ask("deleteControlProgram", "week"), ask("deleteCalendar", "year"), ask("getGroup", "streets")]
    )
    assert statuses(refused) == [422, 422, 404]
    assert isinstance(link.last(Declined), Declined)


def test_an_order_is_done_at_once_and_ends_with_its_expiry(link: Link) -> None:
    until = from_us(link.now_us + 60_000_000)
    order = ORDERS["luminaire.dim"](link.peer, {"level": 40.0, "fade": 5.0}, to_lamps(1, 2), until, "order-7")
    assert statuses(link.down(order)) == [201]
    event = link.last(Overridden)
    assert isinstance(event, Overridden)
    assert event.actuators == ((LAMP.format(1), ACTUATOR), (LAMP.format(2), ACTUATOR))
    assert event.command == Command(
        level_state(40), ramp_to_level_time=5.0, reason="override", cms_ref_id="order-7", expiration=until
    )
    assert link.heard[-1] == Done(link.gateway.address, "sendCommand", order.number)
    assert len(link.gateway.network.overrides) == 2
    link.wait(61)
    assert link.gateway.network.overrides == {}


def test_an_order_that_is_accepted_is_followed(talq: Standard) -> None:
    link = Link(talq, follows=True)
    link.attach()
    order = link.peer.override(to_lamps(1), 40)
    assert statuses(link.down(order)) == [202]
    assert link.heard[-1] == Accepted(link.gateway.address, "sendCommand", order.number)
    link.up(link.gateway.followed(order.number, [LAMP.format(1)]))
    assert Followed(link.gateway.address, order.number, (LAMP.format(1),)) in link.heard


def test_release_goes_back_to_the_programme(link: Link) -> None:
    link.down([link.peer.override(to_lamps(1), 40), link.peer.release(to_lamps(1))])
    event = link.last(Overridden)
    assert isinstance(event, Overridden)
    assert event.command is None
    assert link.gateway.network.overrides == {}


def test_a_group_is_ordered_as_its_members_and_groups_within_it(link: Link) -> None:
    mend(link)
    town = Group("town", (ResourceReference("groups", "streets"), *to_lamps(3)), CMS)
    order = link.peer.override([ResourceReference("groups", "town")], 10)
    assert statuses(link.down([link.peer.caller.ask("addGroups", body=[town]), order])) == [201, 201]
    event = link.last(Overridden)
    assert isinstance(event, Overridden)
    assert [device for device, _ in event.actuators] == [LAMP.format(number) for number in (1, 2, 3)]


def reported(link: Link) -> list[tuple[str, str, object]]:
    """All readings so far: asset, point, value."""
    parts = [event.readings for event in link.heard if isinstance(event, Reported)]
    return [row for part in parts for row in zip(part.assets, part.points, part.values, strict=True)]


def test_what_lamps_and_cabinets_do_becomes_readings(link: Link) -> None:
    mend(link)
    at_us = link.now_us + 1_000_000
    device, stamp = LAMP.format(1), rfc3339(at_us)
    gateway = link.gateway
    gateway.network.observed(device, MONITOR, "activePower", Attribute("AttributeFloat", 41.5, stamp), at_us)
    gateway.network.observed(CABINET, "meter", "totalPower", Attribute("AttributeFloat", 12.25, stamp), at_us)
    gateway.network.observed(CABINET, "meter", "totalActiveEnergy", Attribute("AttributeFloat", 4_000, stamp), at_us)
    gateway.network.observed(CABINET, "segment", "actualState", Attribute("AttributeBinary", "ON", stamp), at_us)
    gateway.network.changed(device, ACTUATOR, Command(level_state(40), reason="override"), level_state(40), at_us)
    gateway.network.happened(device, MONITOR, "lampFailure", True, at_us)
    gateway.network.happened(device, MONITOR, "supplyLoss", True, at_us)
    gateway.network.happened(CABINET, "doors", "cabinetDoorOpen", True, at_us)
    gateway.network.happened(device, MONITOR, "supplyLoss", False, at_us)
    gateway.network.happened(device, MONITOR, "lampFailure", False, at_us)
    link.wait(2)
    assert reported(link) == [
        ("luminaire-000001", "level", 40.0),
        ("luminaire-000001", "fault", "lamp"),
        ("luminaire-000001", "fault", "supply"),
        ("cabinet-000001", "door", "open"),
        ("luminaire-000001", "fault", "lamp"),
        ("luminaire-000001", "fault", "none"),
    ]
    link.wait(4)
    assert reported(link)[6:] == [
        ("luminaire-000001", "power", 41.5),
        ("cabinet-000001", "power", 12_250.0),
        ("cabinet-000001", "energy", 4_000.0),
        ("cabinet-000001", "supply", "on"),
        ("cabinet-000001", "contactor", "closed"),
        ("luminaire-000001", "control", "order"),
        # The same as the event said: the history knows it for a duplicate.
        ("luminaire-000001", "level", 40.0),
    ]
    last = link.last(Reported)
    assert isinstance(last, Reported)
    assert (last.logger, set(last.readings.observed_us), last.readings.quality) == ("values", {at_us}, {})
    link.wait(60)
    assert len(reported(link)) == 13


def test_samples_are_taken_at_their_times(link: Link) -> None:
    function = LoggedFunction(function_type="LampMonitorFunction")
    mode = PeriodicRecordingMode(
        (LoggedContent(function, "measurement"),),
        (SamplingProfile(from_us(link.now_us), timedelta(minutes=15)),),
    )
    config = LoggerConfig(
        "power", CMS, ListedSources(white_list=tuple(to_lamps(1, 2))), mode, ImmediateReportingMode(0)
    )
    assert statuses(link.down(link.peer.caller.ask("addLoggerConfig", body=config))) == [201]
    for number in (1, 2, 3):
        value = Attribute("AttributeFloat", 40.0 + number)
        link.gateway.network.observed(LAMP.format(number), MONITOR, "activePower", value, link.now_us)
    link.wait(0)
    link.wait(600)
    assert reported(link) == [("luminaire-000001", "power", 41.0), ("luminaire-000002", "power", 42.0)]
    link.wait(400)
    assert len(reported(link)) == 4
    link.down(link.peer.pull("power"))
    assert len(reported(link)) == 6
    assert statuses(link.down(link.peer.caller.ask("deleteLoggerConfig", "power"))) == [200]


def test_a_calendar_that_a_lamp_cannot_follow_is_noticed(link: Link) -> None:
    mend(link)
    link.gateway.network.happened(LAMP.format(1), ACTUATOR, "invalidCalendar", True, link.now_us)
    link.wait(1)
    event = link.last(Noticed)
    assert isinstance(event, Noticed)
    (notice,) = event.notices
    assert (notice.device, notice.function, notice.event) == (LAMP.format(1), ACTUATOR, "invalidCalendar")


def test_a_report_that_is_not_answered_comes_again(link: Link) -> None:
    mend(link)
    link.gateway.network.happened(LAMP.format(1), MONITOR, "lampFailure", True, link.now_us)
    (request,) = link.gateway.tick(link.now_us).requests
    link.gateway.unanswered(request, link.now_us)
    (again,) = link.gateway.tick(link.now_us).requests
    assert again.body == request.body
    link.up(again)
    assert reported(link) == [("luminaire-000001", "fault", "lamp")]
    assert link.gateway.tick(link.now_us).requests == ()


def test_a_request_that_comes_again_is_answered_and_not_done_again(link: Link) -> None:
    order = link.peer.override(to_lamps(1), 40)
    link.down([order, order])
    assert len([event for event in link.learnt if isinstance(event, Overridden)]) == 1


def test_a_device_is_looked_at(link: Link) -> None:
    stamp = rfc3339(link.now_us)
    value = Attribute("AttributeLevelState", {"name": "LevelState", "value": 55}, stamp)
    link.gateway.network.observed(LAMP.format(2), ACTUATOR, "actualLightState", value, link.now_us)
    ask, device = link.peer.caller.ask, LAMP.format(2)
    answers = link.down(
        [
            link.peer.look(device),
            ask("getDeviceFunction", device, ACTUATOR, query=[("attributeScope", "measurement")]),
            ask("getDeviceAttribute", device, ACTUATOR, "actualLightState"),
            ask("getDevice", link.gateway.address),
            ask("partialUpdateAttribute", device, "basic", "assetId", body=Attribute("AttributeString", "luminaire-x")),
            ask("partialUpdateDevice", device, body=lamp(2)),
            ask("partialUpdateDevices", body=[lamp(2), lamp(3)]),
            ask("partialUpdateFunction", device, "basic", body=lamp(2).functions[0]),
            ask("getService", "ControlService"),
        ]
    )
    assert statuses(answers) == [200] * 9
    assert reported(link) == [("luminaire-000002", "level", 55.0)]
    assert b"calendarID" not in answers[1].body


def test_the_gateway_asks_what_the_post_wants_of_it(link: Link) -> None:
    link.peer.wanted = wanted(link)
    ask = link.gateway._caller.ask
    answers = link.up(
        ask("getGroups"),
        ask("getGroup", "streets"),
        ask("getLoggerConfig", "events"),
        ask("getDevices", query=[("offset", "1"), ("limit", "2")]),
        ask("getDevice", LAMP.format(1)),
        ask("getDeviceFunction", LAMP.format(1), ACTUATOR),
        ask("getDeviceAttribute", LAMP.format(1), "basic", "assetId"),
        ask("updateDeviceClasses", body=[LAMP_CLASS]),
        ask("updateDeviceClass", "Lamp", body=LAMP_CLASS),
        ask("updateDevice", LAMP.format(1), body=lamp(1)),
        ask("partialUpdateDevice", LAMP.format(1), body=lamp(1)),
        ask("deleteDevice", LAMP.format(3)),
    )
    assert statuses(answers) == [200] * 12
    assert LAMP.format(3) not in link.peer.devices
    refused = link.up(ask("getGroup", "x"), ask("getLoggerConfig", "x"), ask("deleteDeviceClass", "Lamp"))
    assert statuses(refused) == [404, 404, 422]


def test_a_value_without_an_instant_is_of_the_moment_of_receipt_and_uncertain(link: Link) -> None:
    link.down(link.peer.caller.ask("addLoggerConfig", body=VALUES))
    data = {
        "type": "AttributeLogData",
        "srcAddress": f"{LAMP.format(1)}/{MONITOR}",
        "attributeName": "activePower",
        "attributeValue": {"type": "AttributeFloat", "value": 3},
    }
    bare = {"data": data}
    request = link.gateway._caller.ask("sendLogReport", body={"address": "values", "entries": [bare]})
    link.up(request)
    event = link.last(Reported)
    assert isinstance(event, Reported)
    assert event.readings.observed_us == [link.now_us]
    assert event.readings.quality == {0: Quality.UNCERTAIN}

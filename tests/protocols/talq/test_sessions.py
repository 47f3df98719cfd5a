"""What sessions do over time: they outlive a restart, forget what is gone, and let orders begin and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import msgspec
import pytest

from tests.protocols.talq.link import (
    ACTUATOR,
    CMS,
    LAMP,
    MONITOR,
    NOW_US,
    Link,
    incoming,
    lamp,
    statuses,
    to_lamps,
)
from tests.protocols.talq.standard import Standard
from vigie.core.times import from_us, rfc3339
from vigie.protocols.talq.cms import Enrolment
from vigie.protocols.talq.differences import Difference, Held, Sort, compare, mend
from vigie.protocols.talq.events import Failed, Found, Live, Lost, Overridden, ReadBack, Reported
from vigie.protocols.talq.limits import GROUP_DEPTH_MAX
from vigie.protocols.talq.messages import (
    Attribute,
    EventRecordingMode,
    Group,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LoggerConfig,
    ResourceReference,
    State,
)
from vigie.protocols.talq.peer import Memory, Step, actuators
from vigie.protocols.talq.requests import Answer, digest
from vigie.protocols.talq.schedules import Night, Programme, Rule, Slot, Year, level, written, written_year

EVENING = Programme("evening", (Night(),), (Slot(time(5), 100), Slot(time(22), 70)))
ALL_YEAR = Year("all-year", (Rule("evening"),))


@pytest.fixture
def link(talq: Standard) -> Link:
    """An attached gateway."""
    link = Link(talq)
    link.attach()
    return link


def overridden(link: Link) -> list[tuple[int, int | None]]:
    """How many actuators were ordered to what, so far."""
    events = [event for event in link.learnt if isinstance(event, Overridden)]
    return [(len(event.actuators), level(event.command.state) if event.command else None) for event in events]


def test_a_request_whose_words_could_not_be_kept_is_done_again_when_it_comes_again(link: Link) -> None:
    entry = {
        "type": "EventLogData",
        "srcAddress": LAMP.format(1),
        "eventType": "lampFailure",
        "startEndFlag": True,
        "timestamp": rfc3339(link.now_us),
    }
    request = link.gateway._caller.ask("sendLogReport", body={"address": "a", "entries": [{"data": entry}]})
    first = link.cms.receive(incoming(request), link.now_us)
    link.peer.not_kept(first)
    again = link.cms.receive(incoming(request), link.now_us)
    assert (first.events, again.events) != ((), ())
    assert [event.readings.values for event in again.events if isinstance(event, Reported)] == [["lamp"]]
    assert link.cms.receive(incoming(request), link.now_us).events == ()


def test_a_post_that_starts_again_goes_on_where_it_was(link: Link) -> None:
    link.gateway.network.happened(LAMP.format(1), MONITOR, "lampFailure", True, link.now_us)
    value = Attribute("AttributeBoolean", True, rfc3339(link.now_us))
    for name in ("lampFailure", "supplyLoss"):
        link.gateway.network.observed(LAMP.format(1), MONITOR, name, value, link.now_us)
    link.down(link.peer.look(LAMP.format(1)))
    kept = msgspec.json.encode(link.peer.memory())

    again = Link(link.judge)
    again.gateway = link.gateway
    again.peer.recall(msgspec.json.decode(kept, type=Memory))
    assert again.peer.step is Step.READY
    assert again.peer.devices == link.peer.devices
    assert again.peer.classes == link.peer.classes
    assert again.peer.uri == link.peer.uri
    over = {"type": "EventLogData", "srcAddress": LAMP.format(1), "eventType": "supplyLoss", "startEndFlag": False}
    again.up(again.gateway._caller.ask("sendLogReport", body={"entries": [{"data": over}]}))
    event = again.last(Reported)
    assert isinstance(event, Reported)
    # The other fault still stands.
    assert event.readings.values == ["lamp"]


def test_what_is_read_back_brings_no_readings_and_what_is_discovered_does(link: Link) -> None:
    value = Attribute("AttributeFloat", 41.5, rfc3339(link.now_us))
    link.gateway.network.observed(LAMP.format(1), MONITOR, "activePower", value, link.now_us)
    for requests, brings in ((link.peer.read_back(), False), (link.peer.discover(), True)):
        link.heard.clear()
        link.down(requests)
        assert any(isinstance(event, Reported) for event in link.heard) is brings
        assert any(isinstance(event, ReadBack) for event in link.heard) is not brings


def test_a_gateway_that_the_post_does_not_know_any_more_is_told_so(link: Link) -> None:
    link.cms.enrol(Enrolment("gw-1", digest("gateway-token")))
    request = link.gateway._caller.ask("getGroups")
    assert statuses(link.up(request)) == [403]
    failed = link.last(Failed)
    assert isinstance(failed, Failed)
    assert failed.status == 403


def test_who_is_expelled_stays_out_and_a_new_token_is_the_only_one(link: Link) -> None:
    request = link.gateway.start()
    link.cms.enrol(Enrolment("gw-1", digest("another-token")))
    assert statuses(link.up(request)) == [401]
    link.cms.expel("gw-1")
    link.cms.expel("gw-1")
    assert link.cms.peers == {}
    turn = link.cms.receive(incoming(request), NOW_US, certified="gw-1")
    assert turn.answer is not None
    assert turn.answer.status == 401


def test_no_gateway_takes_anothers_devices(link: Link) -> None:
    other = link.cms.enrol(Enrolment("gw-2", digest("second-token")))
    other.recall(link.peer.memory())
    other.devices.clear()
    request = link.gateway._caller.ask("addDevices", body=[lamp(1)])
    headers = dict(request.headers) | {"authorization": "Bearer second-token"}
    target = request.target.replace(link.gateway.address, other.gateway)
    turn = link.cms.receive(replace(incoming(request), headers=headers, target=target), NOW_US)
    assert turn.answer is not None
    assert turn.answer.status == 409
    assert other.devices == {}


def test_devices_that_a_gateway_no_longer_lists_are_lost(link: Link) -> None:
    del link.gateway.network.devices[LAMP.format(2)]
    link.down(link.peer.discover())
    assert link.last(Lost) == Lost(link.gateway.address, (LAMP.format(2),))
    assert LAMP.format(2) not in link.peer.devices
    found = link.last(Found)
    assert isinstance(found, Found)
    assert actuators(found.devices[0]) == (ResourceReference("devices", f"{LAMP.format(1)}/{ACTUATOR}"),)


def test_a_device_that_came_while_a_gateway_was_away_is_announced(link: Link) -> None:
    link.gateway.network.devices[LAMP.format(9)] = lamp(9)
    link.gateway.network.values[LAMP.format(9)] = {}
    before = len(link.passed)
    link.attach()
    assert LAMP.format(9) in link.peer.devices
    assert link.learnt[-1] == Live()
    assert [(request.route.name, answer.status) for request, answer in link.passed[before + 3 :]] == [
        ("addDevices", 409),
        ("updateDevices", 200),
        ("addDevices", 201),
    ]


def test_a_conflict_that_names_nothing_is_of_all(link: Link) -> None:
    request = link.gateway._caller.ask("addDevices", body=[lamp(1), lamp(2)])
    turn = link.gateway.answered(request, Answer(409), NOW_US)
    (again,) = turn.requests
    assert (again.route.name, again.body) == ("updateDevices", request.body)


@pytest.mark.parametrize(("status", "kept"), [(400, 0), (413, 0), (422, 0), (401, 1), (403, 1), (404, 1), (503, 1)])
def test_a_report_is_lost_only_where_it_is_wrong(link: Link, status: int, kept: int) -> None:
    mode = EventRecordingMode(Listed(black_list=()))
    config = LoggerConfig("l", CMS, ListedSources(black_list=()), mode, ImmediateReportingMode(0))
    link.down(link.peer.caller.ask("addLoggerConfig", body=config))
    link.gateway.network.happened(LAMP.format(1), MONITOR, "lampFailure", True, NOW_US)
    (request,) = link.gateway.tick(NOW_US).requests
    link.gateway.answered(request, Answer(status, b"no"), NOW_US)
    assert len(link.gateway.tick(NOW_US).requests) == kept


def test_an_order_begins_and_ends_at_its_times(link: Link) -> None:
    start, until = from_us(link.now_us + 60_000_000), from_us(link.now_us + 120_000_000)
    link.down(link.peer.override(to_lamps(1), 10))
    link.down(link.peer.override(to_lamps(1, 2), 40, start=start, until=until))
    assert overridden(link) == [(1, 10), (2, None)]
    link.wait(59)
    assert len(overridden(link)) == 2
    link.wait(1)
    assert overridden(link)[2:] == [(1, 40), (1, 40)]
    link.wait(60)
    assert overridden(link)[4:] == [(2, None)]
    assert link.gateway.network.overrides == {}


def test_what_rules_a_lamp(link: Link) -> None:
    ask = link.peer.caller.ask
    link.down(
        [
            ask("addControlPrograms", body=[written(EVENING, CMS)]),
            ask("addCalendars", body=[written_year(ALL_YEAR, CMS)]),
            link.peer.assign("all-year", to_lamps(1)),
        ]
    )

    def level_of(number: int, hour: int) -> int | None:
        local = datetime(2026, 11, 26, hour, tzinfo=UTC)
        command = link.gateway.network.ruling(LAMP.format(number), ACTUATOR, local, time(7, 30), time(17))
        return level(command.state) if command else None

    assert [level_of(1, hour) for hour in (3, 6, 12, 18, 23)] == [70, 100, None, 100, 70]
    assert level_of(2, 18) is None
    link.down(link.peer.override(to_lamps(1, 2), 5))
    assert [level_of(1, 12), level_of(2, 12)] == [5, 5]


def test_groups_that_hold_themselves_have_an_end(link: Link) -> None:
    names = [f"g{number}" for number in range(GROUP_DEPTH_MAX + 3)]
    groups = [
        Group(name, (ResourceReference("groups", names[(index + 1) % len(names)]), *to_lamps(1)), CMS)
        for index, name in enumerate(names)
    ]
    answers = link.down(
        [
            link.peer.caller.ask("addGroups", body=groups),
            link.peer.override([ResourceReference("groups", "g0")], 30),
            link.peer.caller.ask("deleteGroup", "g0"),
        ]
    )
    assert statuses(answers) == [201, 201, 422]
    assert overridden(link) == [(1, 30)]


def test_what_cannot_be_read_is_shown_and_replaced_only_where_it_is_ours(link: Link) -> None:
    dark = {"name": "SensorActivePeriod", "sensor": {}, "onLevel": 1, "offLevel": 2}
    foreign = {
        "type": "ControlProgramOne",
        "id": "sensor",
        "ownerCMS": CMS,
        "activePeriods": [dark],
        "fixedTimeControls": [],
    }
    link.gateway.network.holding.shelves[Sort.PROGRAM] |= {"sensor": foreign}
    link.down(link.peer.read_back())
    event = link.last(ReadBack)
    assert isinstance(event, ReadBack)
    assert event.held.strange == frozenset({(Sort.PROGRAM, "sensor")})
    (only,) = compare(Held(), event.held, CMS)
    assert only == Difference(Sort.PROGRAM, "sensor", None, None, ours=False, strange=True)
    assert mend([only], link.peer.caller) == ()
    wanted = Held({"sensor": written(replace(EVENING, name="sensor"), CMS)})
    (only,) = compare(wanted, event.held, CMS)
    (request,) = mend([only], link.peer.caller)
    assert request.route.name == "updateControlPrograms"


def test_a_read_back_with_a_hole_in_it_is_none(link: Link) -> None:
    requests = link.peer.read_back()
    link.gateway.cms = "another"
    link.down(requests[:1])
    link.gateway.cms = CMS
    link.down(requests[1:])
    assert not any(isinstance(event, ReadBack) for event in link.heard)


def test_a_state_that_is_no_lamps_is_refused_by_name() -> None:
    for state in (State("RGBState", 3), State("LevelState", True), State("LevelState", 101), State("LevelState")):
        with pytest.raises(ValueError, match=r"state|level"):
            level(state)

"""Whatever comes in, at either end, is answered or said to be nothing; no other exception leaves."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.talq.link import CABINET, CMS, LAMP, NOW_US, Link, incoming, lamp, to_lamps
from tests.protocols.talq.standard import Standard
from vigie.core.observations import Outcome
from vigie.protocols.talq import limits
from vigie.protocols.talq.events import Failed, Garbled, Reported
from vigie.protocols.talq.messages import NIL
from vigie.protocols.talq.requests import Answer, Incoming, Request, understand
from vigie.protocols.talq.routes import ROUTES, Route, Side, find

HEADERS = {
    Side.CMS: {"talq-api-version": "2.7.1", "authorization": "Bearer gateway-token"},
    Side.GATEWAY: {"talq-api-version": "2.7.1", "authorization": "Bearer post-token"},
}
NUMBER = "33333333-0000-4000-8000-000000000001"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
bodies = st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode())
loose = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def link(talq: Standard) -> Link:
    """An attached gateway."""
    link = Link(talq)
    link.attach()
    return link


def send(link: Link, side: Side, message: Incoming) -> int:
    """Hands a message to an end, which must answer as the standard says; the status."""
    end = link.cms if side is Side.CMS else link.gateway
    answer = end.receive(message, NOW_US).answer
    assert answer is not None
    assert 200 <= answer.status < 500
    parts = tuple(unquote(part) for part in message.target.partition("?")[0].split("/")[1:])
    found = find(side, parts).get(message.method)
    if link.judge is not None and found is not None:
        link.judge.check_answer(Request(found[0], "", (), b"", ()), answer)
    if answer.status >= 300:
        (error,) = json.loads(answer.body)
        assert error["key"]
    return answer.status


def message(link: Link, route: Route, body: bytes, *values: str) -> Incoming:
    """A request of the route, right but for its body."""
    client = link.gateway.address if route.side is Side.CMS else CMS
    path = route.template
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, values[0] if values else LAMP.format(1))
    query = urlencode({"clientAddress": client, "talqRequestId": NUMBER})
    return Incoming(route.method, f"{path}?{query}", HEADERS[route.side], body)


BODIED = [route for route in ROUTES if route.takes is not None]


@pytest.mark.parametrize("route", BODIED, ids=lambda route: f"{route.side}-{route.name}")
@loose
@given(body=bodies)
def test_any_body_is_answered(link: Link, route: Route, body: bytes) -> None:
    send(link, route.side, message(link, route, body))


@pytest.mark.parametrize("route", BODIED, ids=lambda route: f"{route.side}-{route.name}")
def test_a_body_that_is_nested_without_end_is_refused(link: Link, route: Route) -> None:
    for body in (b"[" * 200_000, b'{"a":' * 200_000, b"[" * 3_000 + b"]" * 3_000):
        assert send(link, route.side, message(link, route, body)) == 400


@pytest.mark.parametrize("side", Side)
@loose
@given(method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"]), target=st.text(max_size=80))
def test_any_path_is_answered(link: Link, side: Side, method: str, target: str) -> None:
    send(link, side, Incoming(method, target, HEADERS[side]))


def truncations() -> list[tuple[Request, bytes]]:
    """Each request of a whole conversation, cut at each of some places."""
    link = Link()
    link.attach()
    link.down([link.peer.override(to_lamps(1), 40), link.peer.assign("", to_lamps(1)), *link.peer.discover()])
    return [
        (request, request.body[: len(request.body) * part // 13])
        for request, _ in link.passed
        if request.body
        for part in range(13)
    ]


def test_what_is_cut_is_refused_and_changes_nothing(link: Link) -> None:
    before = (dict(link.peer.devices), dict(link.gateway.network.overrides), link.peer.step)
    for request, body in truncations():
        message = incoming(request)
        cut = Incoming(message.method, message.target, message.headers, body)
        assert send(link, request.route.side, cut) == 400, request.route.name
    assert (link.peer.devices, link.gateway.network.overrides, link.peer.step) == before


def bodied(link: Link, name: str, value: Any, *values: str, side: Side = Side.GATEWAY) -> int:
    """Sends a value to a route; the status."""
    route = next(route for route in ROUTES if route.name == name and route.side is side)
    return send(link, side, message(link, route, json.dumps(value).encode(), *values))


REFERENCE = {"resource": "devices", "address": LAMP.format(1)}
LEVEL = {"name": "LevelState", "value": 40}
ORDER = {"state": LEVEL}
LAMP_ORDER = {"addresses": [REFERENCE]}
SAMPLED = {"type": "PeriodicRecordingMode", "content": [], "samplingProfiles": [
    {"samplingStartTime": "2026-01-01T00:00:00Z", "samplingPeriod": "PT0S"}]}  # fmt: skip
PROGRAM = {"type": "ControlProgramOne", "id": "p", "ownerCMS": CMS, "activePeriods": [], "fixedTimeControls": []}
CALENDAR = {"id": "c", "ownerCMS": CMS}
GROUP = {"address": "g", "ownerCMS": CMS, "members": []}
DEVICE = {"address": LAMP.format(9), "name": "n", "class": "Lamp", "functions": []}
LOGGER = {"address": "l", "ownerCMS": CMS}


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("sendCommand", {"addresses": [], "targetCommand": {"state": LEVEL}}, 422),
        ("sendCommand", {"addresses": [REFERENCE], "targetCommand": {"state": LEVEL | {"value": 101}}}, 422),
        ("sendCommand", {"addresses": [REFERENCE], "targetCommand": {"state": LEVEL | {"value": "x"}}}, 422),
        ("sendCommand", {"addresses": [REFERENCE], "targetCommand": {"state": {"name": "RGBState"}}}, 422),
        ("sendCommand", {"addresses": [REFERENCE], "targetCommand": {}}, 400),
        ("sendCommand", {"addresses": [REFERENCE], "targetCommand": {"state": LEVEL, "expiration": "soon"}}, 400),
        ("sendCommand", LAMP_ORDER | {"targetCommand": ORDER | {"expiration": "2020-01-01T00:00:00"}}, 400),
        ("sendCommand", LAMP_ORDER | {"targetCommand": ORDER | {"expiration": "2020-01-01T00:00:00Z"}}, 422),
        ("sendCommand", {"addresses": [REFERENCE | {"address": "x"}], "targetCommand": {"state": LEVEL}}, 422),
        ("sendCommand", {"addresses": [REFERENCE | {"address": CABINET}], "targetCommand": {"state": LEVEL}}, 422),
        ("sendCommand", {"addresses": [REFERENCE | {"resource": "planets"}], "targetCommand": {"state": LEVEL}}, 422),
        ("sendCommand", {"addresses": [REFERENCE] * (limits.ITEMS_MAX + 1)}, 400),
        ("assignCommand", {"addresses": [REFERENCE], "entity": {"resource": "calendars", "address": "x"}}, 422),
        ("assignCommand", {"addresses": [REFERENCE], "entity": {"resource": "lamp-types", "address": "x"}}, 422),
        ("addControlPrograms", [PROGRAM | {"ownerCMS": "other"}], 400),
        ("addControlPrograms", [PROGRAM, PROGRAM], 409),
        ("addControlPrograms", [PROGRAM | {"id": f"p{n}"} for n in range(9)], 422),
        ("addControlPrograms", [PROGRAM | {"type": "ControlProgramTwo"}], 400),
        ("addControlPrograms", [PROGRAM | {"activePeriods": [{"name": "SensorActivePeriod", "onLevel": 1}]}], 400),
        ("addControlPrograms", [PROGRAM | {"fixedTimeControls": [
            {"startTime": "22:00:00", "command": {"state": LEVEL | {"value": 300}}}]}], 400),
        ("updateControlPrograms", [PROGRAM], 404),
        ("addCalendars", [CALENDAR | {"defaultProgram": "nowhere"}], 422),
        ("addCalendars", [CALENDAR | {"rules": [{"program": "nowhere"}]}], 422),
        ("addCalendars", [CALENDAR | {"rules": [{"program": "p", "startDate": "2026-13-01"}]}], 400),
        ("addGroups", [GROUP | {"members": [REFERENCE | {"address": "x"}]}], 422),
        ("addGroups", [GROUP | {"members": [REFERENCE] * 601}], 422),
        ("addLoggerConfig", LOGGER | {"ownerCMS": "other"}, 400),
        ("addLoggerConfig", LOGGER | {"recordingMode": {"type": "GuessingMode"}}, 400),
        ("addLoggerConfig", LOGGER | {"recordingMode": SAMPLED}, 400),
        ("addLoggerConfig", LOGGER | {"recordingMode": {"type": "VendorRecordingMode", "activePeriods": [{}]}}, 400),
        ("addControlPrograms", [PROGRAM | {"dynamicControls": [{"effect": {}}]}], 400),
        ("partialUpdateAttribute", {"type": "AttributeString", "value": "x"}, 404),
        ("partialUpdateDevice", DEVICE, 400),
        ("partialUpdateDevices", [DEVICE | {"functions": [{"id": "basic", "type": "BasicFunction", "x": {}}]}], 404),
        ("partialUpdateDevices", [DEVICE | {"address": LAMP.format(1), "functions": [
            {"id": "basic", "type": "BasicFunction", "serial": {"type": "AttributeString", "value": "x"}}]}], 404),
        ("updateControlProgram", PROGRAM, 400),
        ("updateControlPrograms", [PROGRAM] * 2, 422),
        ("updateLoggerConfig", LOGGER, 404),
        ("addGroupMembers", [REFERENCE], 404),
    ],
)  # fmt: skip
def test_the_gateway_refuses_what_it_cannot_do(link: Link, name: str, value: Any, status: int) -> None:
    assert bodied(link, name, value) == status
    assert not any(link.gateway.network.holding.shelves.values())


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("addDevices", [DEVICE | {"class": "Nothing"}], 422),
        ("addDevices", [DEVICE, DEVICE], 409),
        ("addDevices", [DEVICE | {"address": LAMP.format(1)}], 409),
        ("addDevices", [DEVICE | {"functions": [{"id": "a"}]}], 400),
        ("addDevices", [DEVICE | {"functions": [{"id": "a", "type": "X"}] * 2}], 400),
        ("addDevices", [DEVICE | {"name": "n" * 201}], 400),
        ("addDevices", [DEVICE | {"functions": [{"id": "a", "type": "X"}] * 101}], 400),
        ("updateDevices", [DEVICE], 404),
        ("updateDevices", [DEVICE | {"address": LAMP.format(1)}] * 2, 422),
        ("updateDevice", DEVICE, 400),
        ("partialUpdateDevices", [DEVICE], 404),
        ("addDeviceClasses", [{"name": "Lamp"}], 409),
        ("updateDeviceClasses", [{"name": "Nothing"}], 404),
    ],
)
def test_the_cms_refuses_what_it_does_not_know(link: Link, name: str, value: Any, status: int) -> None:
    before = dict(link.peer.devices)
    assert bodied(link, name, value, side=Side.CMS) == status
    assert link.peer.devices == before


@pytest.mark.parametrize(
    ("side", "method", "path"),
    [
        (Side.GATEWAY, "GET", "/devices/x"),
        (Side.GATEWAY, "GET", f"/devices/{LAMP.format(1)}/x"),
        (Side.GATEWAY, "GET", f"/devices/{LAMP.format(1)}/basic/x"),
        (Side.GATEWAY, "GET", "/control-programs/x"),
        (Side.GATEWAY, "GET", "/groups/x/members/count"),
        (Side.GATEWAY, "GET", "/log-reports/x"),
        (Side.GATEWAY, "GET", "/services/x"),
        (Side.GATEWAY, "DELETE", "/control-programs/x"),
        (Side.GATEWAY, "DELETE", "/logger-configs/x"),
        (Side.GATEWAY, "DELETE", "/groups/x/members/devices/y"),
        (Side.CMS, "GET", "/devices/x"),
        (Side.CMS, "GET", f"/devices/{LAMP.format(1)}/x"),
        (Side.CMS, "GET", f"/devices/{LAMP.format(1)}/basic/x"),
        (Side.CMS, "DELETE", "/devices/x"),
        (Side.CMS, "DELETE", "/device-classes/x"),
    ],
)
def test_what_is_not_there_is_said_not_to_be_there(link: Link, side: Side, method: str, path: str) -> None:
    client = link.gateway.address if side is Side.CMS else CMS
    query = urlencode({"clientAddress": client, "talqRequestId": NUMBER})
    assert send(link, side, Incoming(method, f"{path}?{query}", HEADERS[side])) == 404
    long = Incoming(method, f"{path.replace('/x', '/' + 'x' * 201)}?{query}", HEADERS[side])
    assert send(link, side, long) in (400, 404)


def test_a_body_over_the_limit_is_refused_unread(link: Link) -> None:
    body = b" " * (limits.BODY_BYTES_MAX + 1)
    assert send(link, Side.CMS, Incoming("POST", "/log-reports", HEADERS[Side.CMS], body)) == 413


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/devices?clientAddress={own}", {}, 400),
        ("/devices?clientAddress={own}", {"talq-api-version": "1.0"}, 400),
        ("/devices", {"talq-api-version": "2.7.1"}, 400),
        ("/devices?clientAddress=x", {"talq-api-version": "2.7.1"}, 400),
        (f"/devices?clientAddress={NUMBER}", {"talq-api-version": "2.7.1"}, 403),
        (f"/devices?clientAddress={NIL}", {"talq-api-version": "2.7.1"}, 403),
        ("/devices?clientAddress={own}&offset=-1", {"talq-api-version": "2.7.1"}, 400),
        ("/devices?clientAddress={own}&limit=0", {"talq-api-version": "2.7.1"}, 400),
        ("/devices?clientAddress={own}&offset=99999999999999999999", {"talq-api-version": "2.7.1"}, 400),
        ("/devices?clientAddress={own}&offset=1000&limit=2", {"talq-api-version": "2.5.0"}, 200),
        ("/lamp-types?clientAddress={own}", {"talq-api-version": "2.7.1"}, 404),
        ("/devices?" + "a=1&" * 300, {"talq-api-version": "2.7.1"}, 400),
    ],
)
def test_a_request_that_is_not_formed_as_it_should_be(
    link: Link, target: str, headers: dict[str, str], status: int
) -> None:
    headers = headers | {"authorization": "Bearer gateway-token"}
    message = Incoming("GET", target.replace("{own}", link.gateway.address), headers)
    assert send(link, Side.CMS, message) == status


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic gateway-token", "bearer\tx"])
def test_who_shows_no_token_is_not_let_in(link: Link, authorization: str) -> None:
    for side in Side:
        headers = HEADERS[side] | {"authorization": authorization}
        assert send(link, side, Incoming("GET", "/devices?clientAddress=x", headers)) == 401


def test_a_certificate_lets_in_its_own_name_alone(link: Link) -> None:
    message = Incoming("GET", f"/devices?clientAddress={link.gateway.address}", {"talq-api-version": "2.7.1"})
    assert [link.cms.receive(message, NOW_US, certified=name).answer.status for name in ("gw-1", "gw-2")] == [200, 401]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "answer", [Answer(200, b"{"), Answer(302), Answer(99), Answer(200, b"1"), Answer(500, b"<html>")]
)
def test_an_answer_that_is_none_leaves_all_as_it_was(link: Link, answer: Answer) -> None:
    for request in (*link.peer.discover(), *link.peer.read_back()[:1], link.peer.look(LAMP.format(1))):
        turn = link.peer.answered(request, answer, NOW_US)
        assert turn.requests == ()
        assert len(turn.events) == 1
        assert (type(turn.events[0]) is Garbled) == (answer.status != 500)
    assert link.peer.devices


NIL_FUNCTION = {
    "id": "g", "type": "GatewayFunction", "gatewayAddress": {"type": "AttributeString", "value": NIL},
}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'[{"address":"x","name":"n","class":"c"}]',
        json.dumps([DEVICE | {"functions": [NIL_FUNCTION]}]).encode(),
    ],
)
def test_a_gateway_that_is_given_no_address_does_not_go_on(body: bytes) -> None:
    link = Link()
    turn = link.gateway.answered(link.gateway.start(), Answer(201, body), NOW_US)
    assert [type(event) for event in turn.events] == [Failed]
    assert turn.requests == ()
    assert link.gateway.address == ""


ENTRY = {"type": "AttributeLogData", "srcAddress": f"{LAMP.format(1)}/monitor", "attributeName": "activePower",
         "attributeValue": {"type": "AttributeFloat", "value": 1, "timestamp": "2026-01-01T00:00:00Z"}}  # fmt: skip
EVENT = {"type": "EventLogData", "srcAddress": LAMP.format(1), "eventType": "lampFailure", "startEndFlag": True}


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (ENTRY, None),
        (EVENT, None),
        (ENTRY | {"srcAddress": f"/devices/{LAMP.format(1)}"}, None),
        (ENTRY | {"srcAddress": "nowhere"}, Outcome.UNKNOWN_ASSET),
        (ENTRY | {"attributeName": "supplyVoltage"}, Outcome.UNKNOWN_POINT),
        (EVENT | {"eventType": "makersOwn"}, Outcome.UNKNOWN_POINT),
        (ENTRY | {"attributeValue": {"type": "AttributeFloat", "value": "much"}}, Outcome.WRONG_TYPE),
        (ENTRY | {"attributeValue": {"type": "AttributeFloat", "value": True}}, Outcome.WRONG_TYPE),
        (ENTRY | {"attributeValue": {"type": "AttributeFloat", "value": 1, "timestamp": "today"}}, Outcome.MALFORMED),
        (ENTRY | {"attributeValue": {"type": "AttributeFloat", "value": 1, "timestamp": "2026-01-01T00:00:00"}},
         Outcome.MALFORMED),
        (EVENT | {"startEndFlag": "maybe"}, Outcome.MALFORMED),
        ({"type": "WeatherLogData"}, Outcome.MALFORMED),
        ("what", Outcome.MALFORMED),
    ],
)  # fmt: skip
def test_a_wrong_entry_refuses_itself_alone(link: Link, data: Any, outcome: Outcome | None) -> None:
    report = {"address": "l", "entries": [{"data": ENTRY}, {"data": data}, {"data": EVENT}]}
    request = link.gateway._caller.ask("sendLogReport", body=report)
    turn = link.cms.receive(incoming(request), NOW_US)
    assert turn.answer == Answer(201)
    (event,) = turn.events
    assert isinstance(event, Reported)
    assert [(each.row, each.outcome) for each in event.readings.refused] == ([(1, outcome)] if outcome else [])
    assert event.readings.rows == ([0, 2] if outcome else [0, 1, 2])


@loose
@given(entries=st.lists(json_values, max_size=5))
def test_any_report_is_taken_row_by_row(link: Link, entries: list[Any]) -> None:
    request = link.gateway._caller.ask("sendLogReport", body={"entries": [{"data": each} for each in entries]})
    (event,) = link.cms.receive(incoming(request), NOW_US).events
    assert isinstance(event, Reported)
    assert event.readings.sent == len(entries)


def test_unknown_fields_of_other_makers_are_passed_over() -> None:
    link = Link()
    request = link.gateway.start()
    value = json.loads(request.body)
    value[0] |= {"vendorThing": [1, {"a": None}]}
    value[0]["functions"][0] |= {"vendorNumber": 3, "vendorList": [], "vendorObject": {"x": 1}, "nothing": None}
    message = incoming(request)
    body = json.dumps(value).encode()
    turn = link.cms.receive(Incoming(message.method, message.target, message.headers, body), NOW_US)
    assert turn.answer is not None
    assert turn.answer.status == 201
    link.gateway.answered(request, turn.answer, NOW_US)
    assert link.gateway.address


@pytest.mark.parametrize("uri", ["", "ftp://x", "https://elsewhere.example/talq", "javascript:alert(1)"])
def test_a_gateway_cannot_send_the_post_elsewhere(uri: str) -> None:
    link = Link()
    request = link.gateway.start()
    body = request.body.replace(b"https://gw-1.example/talq", uri.encode())
    message = incoming(request)
    assert send(link, Side.CMS, Incoming(message.method, message.target, message.headers, body)) == 400
    assert link.peer.uri == ""


def test_before_it_is_ready_a_gateway_may_only_go_on_with_the_bootstrap() -> None:
    link = Link()
    request = link.gateway.start()
    turn = link.cms.receive(incoming(request), NOW_US)
    assert turn.answer is not None
    services, classes, devices = link.gateway.answered(request, turn.answer, NOW_US).requests
    for step, wanted in ((devices, 403), (classes, 201), (devices, 403), (services, 201), (devices, 201)):
        assert send(link, Side.CMS, incoming(step)) == wanted
    report = link.gateway._caller.ask("sendLogReport", body={})
    assert send(link, Side.CMS, incoming(report)) == 201
    assert understand(report, Answer(201)) is None
    assert lamp(1).address in link.peer.devices

"""The table of requests against the standard's own: nothing made up, and what is not spoken is listed."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest

from tests.conftest import PROJECT
from tests.protocols.talq.standard import Standard
from vigie.protocols.talq import messages
from vigie.protocols.talq.answering import Answers
from vigie.protocols.talq.cms import Cms
from vigie.protocols.talq.devices import scope_of
from vigie.protocols.talq.peer import MOVES, SPOKEN_BEFORE, Peer, Step
from vigie.protocols.talq.routes import ROUTES, Route, Side, find

PAGE = PROJECT / "docs" / "explanation" / "talq.md"
# Types of lamps, drivers and so on, and packages of firmware: whole resources that are not spoken.
UNSPOKEN = re.compile(r"^/([a-z0-9-]+-types|data-packages)(/|$)")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.side}-{route.name}")
def test_each_route_is_the_standards(talq: Standard, route: Route) -> None:
    method, path, operation = talq.operations(route.side)[route.name]
    assert (route.method, route.template) == (method, path)
    assert set(route.done) == {int(status) for status in operation["responses"] if status.startswith("2")}
    assert ("requestBody" in operation) == (route.takes is not None)
    given = operation["responses"][str(route.done[0])]
    assert ("content" in given) == (route.gives is not None)
    declared = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    changes = {"talqRequestId", "talqOriginRequestId"} if route.changes else set()
    assert declared == {"clientAddress", *changes, *route.asks}


@pytest.mark.parametrize("side", Side)
def test_what_is_not_spoken_is_written_down(talq: Standard, side: Side) -> None:
    spoken = {route.name for route in ROUTES if route.side is side}
    silent = {
        f"{method} {path}"
        for name, (method, path, _) in talq.operations(side).items()
        if name not in spoken and not UNSPOKEN.match(path)
    }
    listed = set(re.findall(r"`([A-Z]+ /\S+)`", PAGE.read_text("utf-8").partition(f"## Not spoken by the {side}")[2]))
    assert silent <= listed, sorted(silent - listed)


def test_each_route_has_its_handler_and_no_handler_is_idle() -> None:
    handlers = {Side.CMS: Peer._HANDLERS, Side.GATEWAY: Answers._HANDLERS}
    for side, table in handlers.items():
        assert set(table) == {route.name for route in ROUTES if route.side is side}
    assert {name for _, name in MOVES} <= SPOKEN_BEFORE <= set(handlers[Side.CMS])
    assert {step for step, _ in MOVES} | set(MOVES.values()) | {Step.UNKNOWN} == set(Step)
    assert Cms.receive.__doc__


def test_a_path_that_is_written_out_comes_before_a_name() -> None:
    assert find(Side.GATEWAY, ("groups", "count"))["GET"][0].name == "getGroupsCount"
    assert find(Side.GATEWAY, ("groups", "x"))["GET"][0].name == "getGroup"
    assert set(find(Side.GATEWAY, ("groups",))) == {"GET", "POST", "PUT"}
    assert find(Side.GATEWAY, ("nothing",)) == {}


def _structs() -> list[type[msgspec.Struct]]:
    return [
        each
        for each in vars(messages).values()
        if isinstance(each, type) and issubclass(each, messages.Message) and each is not messages.Message
    ]


# Where the standard's schema has another name, or stands inside another.
SCHEMA: dict[str, str] = {
    "Attribute": "AttributeFloat",
    "State": "LevelState",
    "ErrorReference": "",
    "TalqError": "TALQErrorMessage",
    "DateCondition": "ccDate",
    "DayCondition": "ccDay",
    "DateSpan": "",
    "DaySpan": "",
    "LoggedAttribute": "",
    "LoggedFunction": "",
    "LoggedContent": "",
    "SamplingProfile": "",
    "Listed": "",
    "ListedSources": "",
    "LogEntry": "",
    "Service": "",
}


def _properties(talq: Standard, name: str) -> tuple[set[str], set[str]]:
    schema = talq.model[name]
    parts: list[dict[str, Any]] = [schema, *(part for part in schema.get("allOf", ()) if "$ref" not in part)]
    names = {key for part in parts for key in part.get("properties", {})}
    needed = {key for part in parts for key in part.get("required", ())}
    for parent in talq._parents[name]:
        more = _properties(talq, parent)
        names, needed = names | more[0], needed | more[1]
    return names, needed


@pytest.mark.parametrize("struct", _structs(), ids=lambda struct: struct.__name__)
def test_each_field_is_the_standards_and_none_that_is_needed_can_be_left_out(
    talq: Standard, struct: type[msgspec.Struct]
) -> None:
    name = SCHEMA.get(struct.__name__, struct.__name__)
    if struct.__name__ == "Service":
        names = {key for each in talq.model if each.endswith("Service") for key in _properties(talq, each)[0]}
        needed = {"name"}
    elif name:
        names, needed = _properties(talq, name)
    else:
        return
    fields = msgspec.structs.fields(struct)
    tag = {struct.__struct_config__.tag_field} - {None}
    assert {field.encode_name for field in fields} <= names
    # An attribute without its type is a maker's own; it is passed over where it is read.
    needed -= {"type"} if struct is messages.Attribute else set()
    assert needed <= {field.encode_name for field in fields if field.required} | tag


def test_what_an_attribute_is_for_is_the_standards(talq: Standard) -> None:
    for name in ("LampActuatorFunction", "LampMonitorFunction", "ElectricalMeterFunction", "SegmentMonitorFunction",
                 "CabinetMonitorFunction", "BasicFunction", "CommunicationFunction"):  # fmt: skip
        for part in talq.model[name]["allOf"]:
            for attribute, said in part.get("properties", {}).items():
                scopes = [each["x-talq-scope"] for each in said.get("allOf", ()) if "x-talq-scope" in each]
                if scope_of(attribute) != "configuration":
                    assert scopes == [scope_of(attribute)], (name, attribute)


def test_the_union_of_log_data_is_whole(talq: Standard) -> None:
    assert {each.__name__ for each in get_args(messages.LogData)} == {
        name for name in talq.model if "LogData" in talq._parents[name]
    }

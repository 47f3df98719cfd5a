"""The judge of the other tests judges: it lets through what the standard allows, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocols.talq.standard import Standard


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"./talq-data-model-2-7-1-online.json#/components/schemas/{name}"}


LEVEL = {"name": "LevelState", "value": 40}
AT_EIGHT = {"startTime": "20:00:00", "command": {"state": LEVEL}}
PROGRAM = {
    "type": "ControlProgramOne",
    "id": "p",
    "ownerCMS": "c",
    "activePeriods": [{"name": "AbsoluteActivePeriod", "startTime": "20:00:00", "endTime": "06:00:00"}],
    "fixedTimeControls": [AT_EIGHT],
}
LAMP = {"id": "a", "type": "LampActuatorFunction", "actualLightState": {"type": "AttributeLevelState", "value": LEVEL}}
DEVICE = {"address": "11111111-0000-4000-8000-000000000001", "name": "n", "class": "c", "functions": [LAMP]}
EVENT = {"type": "EventLogData", "eventType": "lampFailure", "srcAddress": "d", "startEndFlag": True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ControlProgram", PROGRAM),
        ("Device", DEVICE),
        ("LogReport", {"address": "l", "entries": [{"data": EVENT}]}),
        ("Service", {"name": "GroupManagementService", "maximumGroupSize": 3}),
    ],
)
def test_what_is_right_passes(talq: Standard, name: str, value: Any) -> None:
    talq.check(value, _ref(name), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ControlProgram", PROGRAM | {"activePeriod": []}),
        ("ControlProgram", PROGRAM | {"activePeriods": [{"name": "AbsoluteActivePeriod", "startTime": "20:00:00"}]}),
        ("ControlProgram", PROGRAM | {"fixedTimeControls": [{"startTime": "20:00", "command": {"state": LEVEL}}]}),
        ("ControlProgram", PROGRAM | {"fixedTimeControls": [AT_EIGHT | {"command": {"state": {"name": "X"}}}]}),
        ("Device", DEVICE | {"address": "no-uuid"}),
        ("Device", DEVICE | {"functions": [LAMP | {"actualLightstate": {}}]}),
        ("Device", DEVICE | {"functions": [LAMP | {"actualLightState": {"type": "AttributeFloat", "value": "x"}}]}),
        ("Device", DEVICE | {"functions": [{"type": "LampActuatorFunction"}]}),
        ("LogReport", {"address": "l", "entries": [{"data": EVENT | {"eventType": "lampBroken"}}]}),
        ("LogReport", {"address": "l", "entries": [{"data": EVENT | {"attributeName": "x"}}]}),
        ("Service", {"name": "GroupManagementService", "maximumCalendars": 3}),
        ("OverrideCommand", {"targetCommand": {"state": LEVEL | {"value": 101}}}),
        ("OverrideCommand", {"targetCommand": {"state": LEVEL, "expiration": "2026-01-01T00:00:00"}}),
    ],
)  # fmt: skip
def test_what_is_wrong_does_not(talq: Standard, name: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        talq.check(value, _ref(name), name)

"""Gateways are kept in step with the programmes in force, over real HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.people import Browser, make_people
from tests.post import running
from tests.protocols.talq.link import ACTUATOR, LAMP
from tests.protocols.talq.standard import Standard
from tests.talq import GATEWAY, GatewayAt, gateway_at, make, roomy, until
from vigie.api.talq.programmes import PREFIX
from vigie.protocols.talq.messages import Calendar, ControlProgramOne

LAMPS = 6
SETTLE_S = 2.0


@pytest.fixture(autouse=True)
def settled_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_TALQ_SETTLE_S", str(SETTLE_S))


def night(level: int) -> dict[str, Any]:
    window = {"start": {"by": "clock", "minute": 1_320}, "end": {"by": "clock", "minute": 300}, "level": level}
    rule = {"name": "toutes les nuits", "windows": [window]}
    return {"name": "Nuit", "rank": "area", "area": "", "rules": [rule]}


def bring_into_force(manager: Browser, deputy: Browser, level: int, plan: str = "") -> str:
    """A programme for the whole town, written by one and approved by another; returns its id."""
    if plan:
        known = manager.ask("GET", f"/api/v1/plans/{plan}").body
        said = {"version": known["last"], "revision": 0, "body": night(level), "reason": ""}
        made = manager.ask("PUT", f"/api/v1/plans/{plan}/draft", said)
    else:
        made = manager.ask("POST", "/api/v1/plans", {"kind": "lighting.programme", "body": night(level)})
    assert made.status < 300, made
    seen = made.body["draft_version"]
    said = {"version": seen["version"], "revision": seen["revision"], "reason": "vu"}
    assert deputy.ask("POST", f"/api/v1/plans/{made.body['id']}/approve", said).status == 200
    return made.body["id"]


def held(who: Browser) -> dict[str, Any]:
    (gateway,) = who.ask("GET", "/api/v1/gateways").body["items"]
    return gateway["programmes"]


def levels_held(gateway: GatewayAt) -> set[int]:
    """All levels that the programs in the gateway name."""
    programs: list[ControlProgramOne] = list(gateway.gateway.network.holding.programs.values())
    return {each.command.state.value for program in programs for each in program.fixed_time_controls}


@pytest.mark.timeout(240)
def test_what_is_in_force_is_given_read_back_and_mended(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["manager", "deputy", "operator", "elected"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as gw:
        manager, deputy = Browser(post, "manager"), Browser(post, "deputy")
        roomy(gw, maximum_calendars=10, maximum_programs=400)
        gw.attach()
        assert held(manager)["stands"] == "unknown"
        plan = bring_into_force(manager, deputy, 70)
        until(lambda: held(manager)["stands"] == "in_step", within_s=60)
        told = held(manager)
        assert (told["lamps"], told["step_min"], told["differences"]) == (LAMPS, 1, [])
        assert told["plans"] == {plan: LAMPS}
        assert told["mended"] < told["read"] < told["due"]
        network = gw.gateway.network
        calendars = {network.assigned[LAMP.format(number), ACTUATOR] for number in range(LAMPS)}
        assert len(calendars) == 1
        assert levels_held(gw) == {100, 70}
        assert all(name.startswith(PREFIX) for name in [*network.holding.programs, *network.holding.calendars])

        # A new version takes the place of the one before, of which nothing is left behind.
        before = set(network.holding.calendars)
        bring_into_force(manager, deputy, 60, plan)
        # From the approval on it is not said any more that the gateway holds what is in force.
        assert held(manager)["stands"] in ("pending", "differs")
        until(lambda: held(manager)["stands"] == "in_step", within_s=60)
        assert levels_held(gw) == {100, 60}
        assert not before & set(network.holding.calendars)

        # What somebody changes in the gateway is found when it is read again, and mended; what another system has put
        # there is told and left alone.
        with gw.lock:
            network.assigned[LAMP.format(0), ACTUATOR] = ""
            network.values[LAMP.format(0)][ACTUATOR].pop("calendarID", None)
            foreign = Calendar("theirs", "another-cms", (), next(iter(network.holding.programs)))
            network.holding.calendars["theirs"] = foreign
        again = f"/api/v1/gateways/{GATEWAY}/read"
        assert Browser(post, "elected").ask("POST", again, {}).status == 403
        assert manager.ask("POST", "/api/v1/gateways/another/read", {}).status == 404
        assert manager.ask("POST", again, {"reason": "une équipe y a travaillé"}).status == 202
        until(lambda: network.assigned[LAMP.format(0), ACTUATOR], within_s=90)
        until(lambda: held(manager)["stands"] == "in_step", within_s=60)
        (found,) = held(manager)["differences"]
        assert (found["name"], found["what"], found["ours"]) == ("theirs", "surplus", False)
        assert (found["wanted"], found["held"]["nights"]) == (None, 1)
        assert "theirs" in network.holding.calendars
        assert held(Browser(post, "operator"))["stands"] == "in_step"
        (entry,) = manager.ask("GET", "/api/v1/journal?type=GatewayReread").body["items"]
        assert entry["summary"]["device"] == GATEWAY


@pytest.mark.timeout(240)
def test_a_gateway_with_little_room_is_given_coarser_nights(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["manager", "deputy"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as gw:
        manager, deputy = Browser(post, "manager"), Browser(post, "deputy")
        roomy(gw, maximum_calendars=2, maximum_programs=8)
        gw.attach()
        bring_into_force(manager, deputy, 70)
        until(lambda: held(manager)["stands"] == "in_step", within_s=60)
        assert held(manager)["step_min"] > 1
        assert 0 < len(gw.gateway.network.holding.programs) <= 4


@pytest.mark.timeout(240)
def test_a_gateway_that_takes_none_and_one_that_refuses_are_told_apart(tmp_path: Path) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["manager", "deputy"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, lamps=range(LAMPS)) as gw:
        manager, deputy = Browser(post, "manager"), Browser(post, "deputy")
        roomy(gw, maximum_calendars=10, maximum_programs=400, day_offset=6)
        gw.attach()
        plan = bring_into_force(manager, deputy, 70)
        until(lambda: held(manager)["stands"] == "unable", within_s=30)
        assert not gw.gateway.network.holding.calendars

        # One program alone has no room beside what it would replace: nothing is sent, nor taken away.
        roomy(gw, day_offset=12, maximum_programs=1)
        gw.attach()
        bring_into_force(manager, deputy, 60, plan)
        time.sleep(SETTLE_S + 5)
        assert held(manager)["stands"] == "unable"
        assert not gw.asked("getControlPrograms")
        assert not gw.asked("addControlPrograms")
        refused = manager.ask("POST", f"/api/v1/gateways/{GATEWAY}/read", {})
        assert (refused.status, refused.body["rule"]) == (409, "lighting.gateway_not_read")

        roomy(gw, maximum_programs=400)
        refusing = (507, b'[{"key":"serviceConstraintExceeded","description":"no room"}]', {})
        gw.spoil = lambda asked: (
            refusing if asked.method == "POST" and asked.target.startswith("/control-programs") else "as it is"
        )
        gw.attach()
        until(lambda: held(manager)["stands"] == "refuses", within_s=90)
        found = manager.ask("GET", "/api/v1/conditions?open=true").body["items"]
        refusals = [each for each in found if each["condition"] == "programme_not_held"]
        assert [each["evidence"]["gateway"] for each in refusals] == [GATEWAY]
        assert held(manager)["differences_total"] > 0

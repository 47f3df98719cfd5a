"""Orders of people to lamps behind TALQ gateways, over real HTTP: sent, taken, proved, refused, and never too late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.people import Browser, make_people
from tests.post import now_us, running
from tests.protocols.talq.link import LAMP
from tests.protocols.talq.standard import Standard
from tests.talq import GATEWAY, gateway_at, make, until
from vigie.app import TALQ, perform, services
from vigie.app.administration import Admission, Expulsion
from vigie.core.kinds import Sort
from vigie.core.times import rfc3339, to_us
from vigie.engine.loop import catalogue_of
from vigie.engine.orders import action_named
from vigie.protocols.talq.messages import OverrideCommand
from vigie.protocols.talq.orders import ORDERS
from vigie.settings import Settings

LAMPS = 6


@pytest.fixture(autouse=True)
def looked_at_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_TALQ_LOOK_S", "2")


def dim(level: float, **select: Any) -> dict[str, Any]:
    return {"action": "luminaire.dim", "params": {"level": level}, "select": select, "reason": "essai"}


def give(who: Browser, said: dict[str, Any]) -> str:
    given = who.ask("POST", "/api/v1/commands", said)
    assert given.status == 201, given
    return given.body["id"]


def counts(who: Browser, command: str) -> dict[str, int]:
    return who.ask("GET", f"/api/v1/commands/{command}").body["counts"]


def body_of(request: Any) -> OverrideCommand:
    return msgspec.json.decode(request.body, type=OverrideCommand)


def test_every_order_of_lighting_is_spoken_with_its_own_parameters() -> None:
    kinds = catalogue_of(services()).assets
    lit = {f"{name}.{action}" for name in ("luminaire", "cabinet") for action in kinds[name].actions}
    assert set(ORDERS) == lit
    catalogue = catalogue_of(services())
    params = {name: [(each.name, each.sort) for each in action_named(catalogue, name)[1].params] for name in ORDERS}
    until = ("until", Sort.INSTANT)
    assert params == {
        "luminaire.dim": [("level", Sort.NUMBER), until, ("fade", Sort.NUMBER)],
        "luminaire.release": [],
        "cabinet.set_full_light": [("on", Sort.FLAG), until],
    }


def test_an_order_to_a_street_is_one_request_and_is_proved_by_reports(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator", "supervisor"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as gw:
        operator, supervisor = Browser(post, "operator"), Browser(post, "supervisor")
        gw.attach()
        until(lambda: len(gw.gateway.network.loggers.loggers) == 2)
        with gw.living():
            command = give(operator, dim(60, street="Rue Verte"))
            until(lambda: counts(operator, command) == {"done": LAMPS})
            (sent,) = gw.asked("sendCommand")
            said = body_of(sent).target_command
            assert said is not None
            assert (len(body_of(sent).addresses), said.state.value, said.cms_ref_id) == (LAMPS, 60, command)
            assert said.expiration is not None
            until_said = operator.ask("GET", f"/api/v1/commands/{command}").body["params"]["until"]
            assert rfc3339(to_us(said.expiration)) == until_said

            # Given back, a gateway is told no level.
            released = {"action": "luminaire.release", "params": {}, "select": {"street": "Rue Verte"}}
            command = give(operator, released)
            until(lambda: counts(operator, command) == {"done": LAMPS})
            assert body_of(gw.asked("sendCommand")[1]).target_command is None

            full = {
                "action": "cabinet.set_full_light",
                "params": {"on": True},
                "select": {"assets": ["cabinet-cabinet"]},
            }
            command = give(operator, full | {"reason": "essai"})
            assert supervisor.ask("POST", f"/api/v1/commands/{command}/confirm", {"reason": "vu"}).status < 300
            until(lambda: counts(operator, command) == {"done": 1})
            command = give(operator, full | {"params": {"on": False}, "reason": "essai"})
            assert supervisor.ask("POST", f"/api/v1/commands/{command}/confirm", {"reason": "vu"}).status < 300
            until(lambda: counts(operator, command) == {"done": 1})
            said = [body_of(each).target_command for each in gw.asked("sendCommand")[2:]]
            assert [each and (each.state.value, each.expiration) for each in said] == [(100, None), None]


def test_an_order_waits_for_a_gateway_that_has_not_told_of_its_devices_yet(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as gw:
        operator = Browser(post, "operator")
        start = gw.gateway.start()
        *ready, devices = gw.gateway.answered(start, gw.ask(start), now_us()).requests
        for request in ready:
            gw.gateway.answered(request, gw.ask(request), now_us())
        command = give(operator, dim(60, street="Rue Verte"))
        time.sleep(2)
        assert counts(operator, command) == {"waiting": LAMPS}
        gw.up(devices)
        with gw.living():
            until(lambda: counts(operator, command) == {"done": LAMPS})


def test_where_no_report_comes_a_look_proves_an_order(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with (
        running(tmp_path, "") as post,
        gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS), follows=True) as gw,
        gw.living(reports=False),
    ):
        operator = Browser(post, "operator")
        gw.attach()
        command = give(operator, dim(35, street="Rue Verte"))
        until(lambda: counts(operator, command) == {"done": LAMPS})
        assert len(gw.asked("getDevice")) == LAMPS
        assert len(gw.asked("sendCommand")) == 1


def test_what_a_gateway_does_not_know_has_failed_and_the_rest_is_done(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(4)) as gw:
        operator = Browser(post, "operator")
        gw.attach()
        until(lambda: len(gw.gateway.network.loggers.loggers) == 2)
        # Two of the six it never announced, one it has lost since and says so when it is asked.
        del gw.gateway.network.devices[LAMP.format(3)]
        with gw.living():
            command = give(operator, dim(60, street="Rue Verte"))
            until(lambda: counts(operator, command) == {"done": 3, "failed": 3})
        told = operator.ask("GET", f"/api/v1/commands/{command}/targets?limit=9").body
        assert "relatedResourceNotFound" in str(told)
        assert "overrideAddressNotValid" in str(told)
        assert [len(body_of(each).addresses) for each in gw.asked("sendCommand")] == [4, 3]


@pytest.mark.timeout(180)
def test_a_gateway_that_never_answers_or_talks_rubbish_costs_the_other_nothing(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, "one", "two", "three", lamps=LAMPS)
    make_people(tmp_path, ["operator", "crew"])
    with (
        running(tmp_path, "") as post,
        gateway_at(tmp_path, post.port, secrets, name="one", judge=talq, lamps=[2, 5]) as one,
        gateway_at(tmp_path, post.port, secrets, name="two", lamps=[0, 3]) as two,
        gateway_at(tmp_path, post.port, secrets, name="three", lamps=[1, 4]) as three,
    ):
        operator = Browser(post, "operator")

        def silent(asked: object) -> str:
            time.sleep(60)
            return "as it is"

        two.spoil = silent
        three.spoil = lambda asked: (200, b"<html>no", {})
        for number, gateway in enumerate((one, two, three)):
            # Three cabinets of one address would be one too many.
            gateway.gateway.network.devices = {
                address: device
                for address, device in gateway.gateway.network.devices.items()
                if not number or device.class_ == "Lamp"
            }
            gateway.attach()
        with one.living():
            command = give(operator, dim(45, street="Rue Verte"))
            until(lambda: counts(operator, command) == {"done": 2, "sent": 4})


@pytest.mark.timeout(180)
def test_nothing_is_sent_again_to_a_lamp_that_was_locked_out_meanwhile(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator", "crew"])
    with running(tmp_path, "") as post:
        operator, crew = Browser(post, "operator"), Browser(post, "crew")
        with gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as before:
            before.attach()
            until(lambda: len(before.gateway.network.loggers.loggers) == 2)
        command = give(operator, dim(45, street="Rue Verte"))
        until(lambda: "vigie_talq_unreached 1" in str(post.ask("GET", "/metrics").body))
        assert counts(operator, command) == {"sent": LAMPS}
        later = give(operator, dim(50, assets=["luminaire-000002"]))
        locked = crew.ask(
            "POST", "/api/v1/consignations", {"asset": "luminaire-000001", "crew": "A", "reason": "câble"}
        )
        assert locked.status == 201, locked
        with gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS), port=before.port) as gateway:
            gateway.gateway = before.gateway
            with gateway.living():
                until(lambda: counts(operator, later) == {"done": 1})
                until(lambda: counts(operator, command).get("done", 0) == LAMPS - 2, within_s=60)
        # One was locked out, one was ordered otherwise before anything arrived.
        assert counts(operator, command) == {"done": LAMPS - 2, "sent": 1, "superseded": 1}
        reached = [{each.address for each in body_of(sent).addresses} for sent in gateway.asked("sendCommand")]
        assert not any(LAMP.format(1) in address for part in reached for address in part)
        assert [len(part) for part in reached] == [1, LAMPS - 2]


@pytest.mark.timeout(180)
def test_what_a_gateway_took_is_looked_at_after_a_restart_and_one_that_is_replaced_takes_over(
    tmp_path: Path, talq: Standard
) -> None:
    secrets = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=range(LAMPS)) as gw:
        gw.attach()
        until(lambda: len(gw.gateway.network.loggers.loggers) == 2)
        command = give(Browser(post, "operator"), dim(35, street="Rue Verte"))
        until(lambda: gw.asked("sendCommand"))
        until(lambda: counts(Browser(post, "operator"), command) == {"accepted": LAMPS})
        post.kill()
        with running(tmp_path, "", port=post.port) as again:
            operator = Browser(again, "operator")
            gw.obey()
            until(lambda: counts(operator, command) == {"done": LAMPS})
            # It hangs, is expelled with an order on its way, and another is admitted for its lamps.
            gw.spoil = lambda asked: time.sleep(60)
            hanging = give(operator, dim(45, street="Rue Verte"))
            until(lambda: counts(operator, hanging) == {"sent": LAMPS})
            settings = Settings(data=tmp_path)
            perform(settings, "devices.expel", Expulsion(GATEWAY))
            ids = [f"luminaire-{number:06}" for number in range(LAMPS)]
            admitted = perform(settings, "devices.admit", Admission("new", ids, protocol=TALQ))
            anew = {"new": admitted["secret"]}
            with gateway_at(tmp_path, post.port, anew, name="new", judge=talq, lamps=range(LAMPS)) as new:
                new.attach()
                with new.living():
                    newer = give(operator, dim(55, street="Rue Verte"))
                    until(lambda: counts(operator, newer) == {"done": LAMPS})
            assert counts(operator, hanging) == {"superseded": LAMPS}

"""What operators are told of TALQ gateways, and when one is silent or has a wrong clock."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.api.talq.inside import inside
from tests.city import LAMPS
from tests.orders import Bench
from tests.people import Browser, make_people
from tests.post import now_us, running
from tests.protocols.talq.link import LAMP, MONITOR
from tests.protocols.talq.standard import Standard
from tests.talq import GATEWAY, gateway_at, make, until
from vigie.api.talq import GatewayHealth
from vigie.core.times import rfc3339
from vigie.protocols.talq import Request
from vigie.protocols.talq.gateway import Gateway

MINUTE_S = 60.0


def listed(who: Browser) -> list[dict[str, Any]]:
    answer = who.ask("GET", "/api/v1/gateways")
    assert answer.status == 200, answer
    return answer.body["items"]


def test_a_gateway_is_shown_to_those_who_see_any_of_its_assets(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, lamps=4)
    make_people(tmp_path, ["operator", "crew"])
    with running(tmp_path, "") as post:
        with gateway_at(tmp_path, post.port, secrets, judge=talq, lamps=[0, 1, 9]) as gateway:
            operator, crew = Browser(post, "operator"), Browser(post, "crew")
            (before,) = listed(operator)
            assert (before["step"], before["attached"], before["heard"], before["devices"]) == (
                "unknown",
                None,
                None,
                0,
            )
            gateway.attach()
            until(lambda: len(gateway.gateway.network.loggers.loggers) == 2)
            with gateway.lock:
                gateway.gateway.network.happened(LAMP.format(0), MONITOR, "communicationFailure", True, now_us())
            until(lambda: gateway.report())
            (told,) = listed(operator)
            assert (told["name"], told["step"], told["uri"], told["reached"]) == (GATEWAY, "ready", gateway.uri, True)
            assert (told["assets"], told["devices"]) == (5, 4)
            assert [each["asset"] for each in told["unknown"]] == ["luminaire-000009"]
            assert told["missing"] == ["luminaire-000002", "luminaire-000003"]
            (notice,) = told["notices"]
            assert (notice["event"], notice["begins"]) == ("communicationFailure", True)
            assert notice["asset"] == "luminaire-000000"
            # The crew of Quetigny has lamps 1 and 3 alone.
            (told,) = listed(crew)
            assert (told["assets"], told["missing"], told["notices"]) == (2, ["luminaire-000003"], [])
            assert (told["kinds"], told["may_read"]) == ({"luminaire": 2}, True)
            assert post.ask("GET", "/api/v1/gateways").status == 401
            # Fewer words of each on demand; one alone; and what it speaks for, of what is seen fully.
            (brief,) = operator.ask("GET", "/api/v1/gateways?told=0").body["items"]
            assert (brief["missing"], brief["missing_total"], brief["kinds"]) == ([], 2, {"cabinet": 1, "luminaire": 4})
            assert crew.ask("GET", f"/api/v1/gateways/{GATEWAY}").body == listed(crew)[0]
            assert crew.ask("GET", "/api/v1/gateways/another").status == 404
            for who, count in ((operator, 5), (crew, 2)):
                assert who.ask("GET", f"/api/v1/assets?device={GATEWAY}").body["total"] == count
            assert operator.ask("GET", "/api/v1/assets?device=another").body["total"] == 0
            # An order under way is counted where its lamp is.
            order = {"action": "luminaire.dim", "params": {"level": 40}, "select": {"assets": ["luminaire-000000"]}}
            assert operator.ask("POST", "/api/v1/commands", order).status == 201
            assert sum(until(lambda: listed(operator)[0]["orders"]).values()) == 1
            assert listed(crew)[0]["orders"] == {}
        attached = told["attached"]
        post.kill()
        with running(tmp_path, "", port=post.port) as again:
            (told,) = listed(Browser(again, "operator"))
            assert (told["step"], told["attached"], told["heard"], told["devices"]) == ("ready", attached, None, 4)


def test_who_sees_none_of_its_assets_sees_no_gateway(tmp_path: Path) -> None:
    make(tmp_path, lamps=1)
    make_people(tmp_path, ["crew"])
    with running(tmp_path, "") as post:
        crew = Browser(post, "crew")
        assert listed(crew) == []
        assert crew.ask("GET", f"/api/v1/gateways/{GATEWAY}").status == 404


def report(gateway: Gateway, at_us: int) -> Request:
    """A lamp's power at an instant."""
    value = {"type": "AttributeFloat", "value": 40.0, "timestamp": rfc3339(at_us)}
    data = {
        "type": "AttributeLogData",
        "srcAddress": f"{LAMP.format(1)}/{MONITOR}",
        "attributeName": "activePower",
        "attributeValue": value,
    }
    return gateway._caller.ask("sendLogReport", body={"address": "a", "entries": [{"data": data}]})


def test_a_silent_gateway_and_a_wrong_clock_are_conditions_at_its_cabinet(bench: Bench) -> None:
    def present() -> list[tuple[str, str, dict[str, Any]]]:
        bench.engine.settle()
        ids = bench.engine.registry.ids
        found = [each for each in bench.engine.conditions if each.state not in ("normal", "returned_unacknowledged")]
        return sorted((each.kind.name, ids[each.asset], dict(each.evidence)) for each in found)

    async def run() -> None:
        async with inside(bench, "http://127.0.0.1:1") as within:
            health = GatewayHealth(within.talq, bench.engine, bench.clock)
            silent = ("gateway_silent", "cabinet-cabinet", {"gateway": "gw", "assets": LAMPS + 4})
            bench.later(9.9 * MINUTE_S)
            health.look()
            assert present() == []
            bench.later(0.1 * MINUTE_S)
            health.look()
            health.look()
            assert present() == [silent]
            await within.say(within.gateway.start())
            health.look()
            assert present() == []
            # A clock 70 s ahead, then one so far ahead that nothing of it is taken, then a right one.
            await within.say(report(within.gateway, bench.clock.at_us + 70_000_000))
            health.look()
            assert present() == [
                ("gateway_clock", "cabinet-cabinet", {"gateway": "gw", "assets": LAMPS + 4, "clock_ahead": 70})
            ]
            for _ in range(3):
                bench.later(10 * MINUTE_S)
                await within.say(report(within.gateway, bench.clock.at_us - 1_000_000))
            health.look()
            assert present() == []
            await within.say(report(within.gateway, bench.clock.at_us + 3_600_000_000))
            health.look()
            assert [each[0] for each in present()] == ["gateway_clock"]
            assert within.link.refused == {"future": 1}
            # It is expelled, and what was wrong with it is over.
            within.talq.load([])
            health.look()
            assert present() == []

    asyncio.run(run())

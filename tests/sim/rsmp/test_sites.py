"""A simulated junction as a site: what its controller says is told, and what it is ordered the city does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from tests.transports.test_tcp import comes
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.protocols.rsmp import CORES, Enrolment, Moment, Of, Rate, Supervisor
from vigie.protocols.rsmp.events import AlarmTold, Fate, Settled, StatusTold, Step
from vigie.services.signals import Junction
from vigie.sim.city import City
from vigie.sim.city.inventory import ids
from vigie.sim.life import Life
from vigie.sim.life.columns import DEMO
from vigie.sim.rsmp.sites import CONTROLLER, Sites
from vigie.sim.traffic.shown import Shown, Streets
from vigie.transports import tcp
from vigie.transports.tcp import RsmpServer

HERE, INDEX = "127.0.0.1", 4
CODES = ("11", "22")
WISHES = {(code, "status"): Rate() for code in ("S0007", "S0011", "S0014", "S0028")} | {
    ("S0001", name): Rate() for name in ("signalgroupstatus", "stage")
}


def test_a_junction_speaks_and_obeys(city: City, afternoon_us: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "TICK_S", 0.02)
    life = Life(city, afternoon_us, DEMO)
    names = ids(Junction.kind, len(city.signals.node))
    name = names[INDEX]
    told: dict[str, str] = {}
    heard: list[Step] = []

    async def take(events: Sequence[Step]) -> None:
        heard.extend(events)
        told.update(
            {
                f"{one.code}.{one.name}": str(one.value)
                for each in events
                if isinstance(each, StatusTold)
                for one in each.values
            }
        )

    async def spoken() -> None:
        supervisor = Supervisor([Enrolment((name,), {CONTROLLER: Of.CONTROLLER}, CODES)], seed="post")
        supervisor.want(name, CONTROLLER, WISHES)
        server = RsmpServer(supervisor, take)
        await server.start(HERE)
        stages = [life.crossings.stages_of(index) for index in range(len(names))]
        codes = dict.fromkeys(names, CODES)
        sites = Sites(partial(life.order, Junction.kind), stages, codes, HERE, server.port, lambda: life.now_us)
        client = asyncio.create_task(sites.crossings[INDEX].client.run())

        def passes(us: int) -> None:
            for reports in life.step(life.now_us + us):
                if reports.kind is Junction:
                    sites.hear(reports)

        async def ordered(code: str, **values: str) -> Settled:
            commands: Mapping[str, Mapping[str, str]] = {code: values}
            number = server.ask(name, lambda link, at: link.order(CONTROLLER, commands, at))

            def ends() -> list[Settled]:
                return [each for each in heard if isinstance(each, Settled) and each.number == number]

            await comes(lambda: bool(ends()))
            return ends()[0]

        passes(3 * MINUTE_US)
        await comes(lambda: {"S0001.stage", "S0007.status", "S0014.status"} <= told.keys())
        groups, stage = told["S0001.signalgroupstatus"], int(told["S0001.stage"])
        assert [at for at, letter in enumerate(groups, 1) if letter == "1"] == [stage]
        assert (told["S0007.status"], told["S0011.status"], told["S0014.status"]) == ("True", "False", "3")
        assert "3-80" in told["S0028.status"].split(",")
        assert any(isinstance(each, AlarmTold) and each.code == "A0010" for each in heard)
        assert (await ordered("M0002", status="True", timeplan="9")).fate is Fate.DONE
        passes(2 * MINUTE_US)
        await comes(lambda: told["S0014.status"] == "9")
        flash = {"timeout": "0", "intersection": "0"}
        assert (await ordered("M0001", status="YellowFlash", **flash)).fate is Fate.DONE
        passes(5 * SECOND_US)
        await comes(lambda: told["S0011.status"] == "True" and set(told["S0001.signalgroupstatus"]) == {"c"})
        # What a controller does not have, or cannot do, it says.
        for code, values in {"M0001": {"status": "Dark"} | flash, "M0018": {"status": "90", "plan": "3"}}.items():
            assert (await ordered(code, **values)).fate is Fate.REFUSED
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
        await server.close()

    asyncio.run(spoken())


def test_a_site_whose_streets_are_driven_has_the_cycles_of_its_own_plans() -> None:
    seconds: dict[int, Shown] = {}
    streets = cast(Streets, SimpleNamespace(seconds=lambda: seconds))
    sites = Sites(lambda index, action, params: "", [2], {"one": CODES}, HERE, 1, lambda: 0, streets)

    site = sites.crossings[0].site

    def told(code: str, name: str) -> object:
        return site.held.statuses(CONTROLLER, [(code, name)], CORES[-1], Moment(0, 0))[0].value

    def table() -> object:
        return told("S0028", "status")

    city_s = table()
    for second, cycles_s in enumerate([((1, 64), (3, 82)), ((1, 64), (3, 90))]):
        seconds[0] = Shown(second, "GR", 1, 3, "colours", "plan", (0, 1), (0, 7), cycles_s, (1, 0))
        sites.look()
        # Two loops, one of which somebody is on, and two buttons, at one of which somebody waits.
        assert told("S0002", "detectorlogicstatus") == "0110"
        assert table() == ",".join(f"{plan}-{cycle_s}" for plan, cycle_s in cycles_s)
    for second, vehicles in enumerate([(-1, 0), (-1, 1), (0, 1)], 2):
        seconds[0] = Shown(second, "GR", 1, 3, "colours", "plan", vehicles, vehicles, cycles_s, (1, 0))
        sites.look()
        # A loop that has died is an alarm of its logic, until it counts again.
        found = {name for (name, code), each in site.alarms.items() if code == "A0301" and each.state.active}
        assert found == ({"DL001"} if vehicles[0] < 0 else set())
    assert sites.crossings[0].measure("S0205", Moment(0, 0)) is None, "who was not asked keeps nothing"
    for second, vehicles in enumerate([(1, 0), (2, -1), (0, 4)], 10):
        seconds[0] = Shown(second, "GR", 1, 3, "colours", "plan", vehicles, (40, 0), cycles_s, (1, 0))
        sites.look()
    said = sites.crossings[0].measure("S0205", Moment(0, 0))
    assert said == {"start": "1970-01-01T00:00:10.000Z", "vehicles": "3,-1"}
    assert sites.crossings[0].measure("S0205", Moment(0, 0)) is None
    seconds.clear()
    sites.look()
    assert table() == city_s
    assert told("S0002", "detectorlogicstatus") is None


def test_plans_change_by_tables_unless_one_was_ordered_by_hand(
    city: City, afternoon_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(city, afternoon_us, DEMO)
    names = ids(Junction.kind, len(city.signals.node))
    stages = [life.crossings.stages_of(index) for index in range(len(names))]
    obeys = partial(life.order, Junction.kind)
    sites = Sites(obeys, stages, dict.fromkeys(names, CODES), HERE, 1, lambda: life.now_us)
    crossing = sites.crossings[INDEX]

    def status(code: str) -> object:
        return crossing.site.held.statuses(CONTROLLER, [(code, "status")], CORES[-1], Moment(0, 0))[0].value

    def ordered(code: str, **values: str) -> bool:
        return sites._obeys(crossing, code, values)

    def passes() -> None:
        sites.keep_time()
        for reports in life.step(life.now_us + 3 * MINUTE_US):
            if reports.kind is Junction:
                sites.hear(reports)

    week = "0-1,1-1,2-1,3-1,4-1,5-1,6-1"
    assert (status("S0026"), status("S0027")) == (week, "1-0-0-0"), "no plan is selected by it"
    passes()
    assert status("S0014") == "3"
    assert ordered("M0017", status="1-7-0-0,2-5-0-0")
    assert ordered("M0016", status=week)
    for code, wrong in (
        ("M0017", "13-1-0-0"), ("M0017", "1-7-25-0"), ("M0017", ""), ("M0017", "1-17-0-0"),
        ("M0016", f"{week[:-1]}3"), ("M0016", "0-1"), ("M0016", "x"),
    ):  # fmt: skip
        assert not ordered(code, status=wrong)
    assert (status("S0026"), status("S0027")) == (week, "1-7-0-0,2-5-0-0")
    passes()
    assert status("S0014") == "7"
    # Tables without the one that the week has: the first of them, until the week is said anew.
    assert ordered("M0017", status="2-5-0-0")
    assert (status("S0026"), ordered("M0016", status=week)) == (week.replace("-1", "-2"), False)
    passes()
    assert status("S0014") == "5"
    assert ordered("M0002", status="True", timeplan="9")
    passes()
    passes()
    assert status("S0014") == "9", "what was ordered by hand the clock leaves alone"
    with monkeypatch.context() as patched:
        patched.setattr(sites, "_obey", lambda index, action, params: "refused")
        assert not ordered("M0002", status="True", timeplan="8")
    passes()
    assert status("S0014") == "9", "an order that is refused ends no other"
    assert ordered("M0002", status="False", timeplan="1")
    passes()
    assert status("S0014") == "5"

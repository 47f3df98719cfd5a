"""Nine junctions steered from end to end: SUMO's streets, controllers at the roadside, sites that speak RSMP over TCP,
and a whole post that asks them for stages from what their loops count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.rsmp.test_story import HERE, becomes, free_port
from tests.people import PASSWORD, PEOPLE, make_people
from tests.post import NO_RESERVE
from tests.services.signals.priority.test_passages import place
from tests.sim.traffic.conftest import town as town
from tests.transports.test_tcp import comes
from vigie.api.application import application
from vigie.api.rsmp import RsmpSteering
from vigie.api.signals.documents import sites_of as documents_of
from vigie.app import RSMP, Binding, admit_device, bind, doors_of, installation
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.app.signals import take_in
from vigie.core.drafts import Draft
from vigie.core.readings import Readings
from vigie.engine.accounts import Held
from vigie.protocols.rsmp import Meeting
from vigie.services.signals import SIGNALS_UNSAFE, Junction
from vigie.services.signals.control.site import OCCUPIED, Plan
from vigie.services.signals.control.steering import BACK_S, Because, loops_of
from vigie.services.signals.junction import Colour, Users
from vigie.services.signals.plans import bound
from vigie.services.signals.safety import Kernel, Violation
from vigie.settings import Settings
from vigie.sim.rsmp import sites as simulated
from vigie.sim.rsmp.sites import FIRST_INPUT, Sites
from vigie.sim.traffic.letters import colours_of, letters_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import Light, lights_of
from vigie.sim.traffic.roadside import INPUTS_FRESH_S, Roadside
from vigie.sim.traffic.scenario import read_scenario
from vigie.sim.traffic.shown import Shown
from vigie.sim.traffic.world import World
from vigie.transports import tcp

CODES = ("1111", "2222")
LON, LAT, AMBULANCE = 5.0, 47.3, "vehicle-a1"
ESCORTED = {"assets": [AMBULANCE]}
LOGINS = ("operator", "supervisor", "elected", "mayor", "fleet")
LETTERS = {Colour.RED: "R", Colour.YELLOW: "Y", Colour.GREEN: "G"}


class Streets:
    """The town's streets, second by second. found: what independent kernels found in what SUMO's lights showed."""

    def __init__(self, lights: tuple[Light, ...], world: World) -> None:
        self._lights, self._world = lights, world
        plans: list[Mapping[int, Plan]] = [{1: each.site.plan, 2: Plan(20, each.site.plan.steps)} for each in lights]
        self.roadsides = [Roadside(each.site, own, FIRST_INPUT) for each, own in zip(lights, plans, strict=True)]
        self._kernels = [Kernel(each.site.junction) for each in lights]
        self._read = [world.counters(at, lambda name: True, frozenset()) for at in range(len(lights))]
        self.found: list[Violation] = []
        self.lies: dict[int, str] = {}
        self.now_s = int(time.time())
        self.shown: dict[int, Shown] = {}

    def seconds(self) -> Mapping[int, Shown]:
        return self.shown

    def set_inputs(self, junction: int, on: Set[int]) -> None:
        self.roadsides[junction].inputs(on, self.now_s)

    def order(self, index: int, action: str, params: Mapping[str, Any]) -> str:
        """A plan or a mode, as the sites hand it on."""
        roadside = self.roadsides[index]
        if action == "run_plan":
            return "" if roadside.order_plan(params["plan"]) else "no such plan"
        roadside.order_mode(params["mode"])
        return ""

    def pass_(self) -> None:
        """One second."""
        self.now_s += 1
        for at, (light, roadside) in enumerate(zip(self._lights, self.roadsides, strict=True)):
            self._world.show(at, letters_of(light, roadside.step(self.now_s)))
        self._world.step()
        for at, (light, roadside) in enumerate(zip(self._lights, self.roadsides, strict=True)):
            self.found += self._kernels[at].see(colours_of(light, self._world.shown(at)))
            counts = self._read[at]()
            loops = [counts[place] for place in loops_of(light.site)]
            self.shown[at] = Shown(
                self.now_s,
                self.lies.get(at, "".join(LETTERS[colour] for colour in roadside.second)),
                roadside.stage,
                roadside.plan,
                roadside.mode,
                roadside.decides,
                tuple(max(each, 0) for each in loops),
                tuple(100 if each == OCCUPIED else 0 for each in loops),
            )


@dataclass
class Town:
    """All of it. lines: the tasks that keep the sites connected."""

    streets: Streets
    sites: Sites
    opened: Installation
    post: Post
    steering: RsmpSteering
    people: Mapping[str, httpx.AsyncClient]
    names: list[str]
    lines: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def passes(self, seconds: int) -> None:
        """Simulated seconds, each as soon as the post has made its step of the last."""
        for _ in range(seconds):
            self.streets.pass_()
            steps = self.steering.steps
            self.sites.look()
            await comes(lambda: self.steering.steps > steps)  # noqa: B023

    async def until(self, true: Callable[[], bool], seconds: int) -> None:
        """Simulated seconds until something has come to pass, and no more than these."""
        for _ in range(seconds):
            if true():
                return
            await self.passes(1)
        assert true()

    def connect(self, *which: int) -> None:
        for at in which:
            self.lines[at] = asyncio.create_task(self.sites.crossings[at].client.run())

    async def cut(self, at: int) -> None:
        self.lines[at].cancel()
        await asyncio.gather(self.lines[at], return_exceptions=True)

    async def orders(self, who: str, action: str, params: Mapping[str, Any], *which: int) -> int:
        """Somebody orders something of junctions and confirms; the status of the answer."""
        select = {"assets": [self.names[at] for at in which]}
        told = await self.gives(who, {"action": f"junction.{action}", "params": params, "select": select})
        return told.get("status", 200)

    async def gives(self, who: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody gives an order, and confirms it where that is asked; the order, or the problem."""
        client = self.people[who]
        given = await client.post("/api/v1/commands", json={**order, "reason": "for the tests"})
        if given.status_code != 201 or given.json()["state"] != "proposed":
            return given.json()
        return (await client.post(f"/api/v1/commands/{given.json()['id']}/confirm", json={})).json()

    async def decides(self, at: int, who: str = "operator") -> dict[str, Any]:
        """What is answered to who asks who decides at a junction."""
        answer = await self.people[who].get(f"/api/v1/signals/junctions/{self.names[at]}/deciding")
        return answer.json() if answer.status_code == 200 else {"status": answer.status_code}

    def because(self, at: int) -> Because:
        return self.steering.deciding(self.names[at]).because

    def shows(self, at: int) -> str:
        """Who decides, as the live picture has it."""
        picture, registry = self.post.engine.picture, self.post.engine.registry
        picture.fit()
        value = picture.value[registry.slot(registry.numbers[self.names[at]], Junction.control)]
        return Junction.control.choices[int(value)] if value == value else ""

    def is_unsafe(self, at: int) -> bool:
        """Whether an alarm says so."""
        engine = self.post.engine
        number = engine.registry.numbers[self.names[at]]
        return bool(engine.is_open(SIGNALS_UNSAFE, np.array([number], np.int64))[0])

    def is_ordered(self, at: int) -> bool:
        """Whether somebody has ordered that the post decides."""
        return self.steering.deciding(self.names[at]).ordered

    def by(self, decides: str) -> list[int]:
        """The junctions at which the plan, or an input, decides at the roadside."""
        return [at for at, each in enumerate(self.streets.roadsides) if each.decides == decides]


def installed(folder: Path, lights: tuple[Light, ...]) -> tuple[Settings, list[str]]:
    """An installation that knows nine junctions, their sites, their documents and some people."""
    settings = Settings(data=folder, city="Essai", rsmp_port=free_port(), **NO_RESERVE)
    names = [f"junction-{light.name}" for light in lights]
    with installation(settings) as opened:
        opened.take_assets(
            "test",
            [
                *(
                    Draft(key=name, id=name, kind="junction", lon=LON + at / 100, lat=LAT, area="essai")
                    for at, name in enumerate(names)
                ),
                Draft(
                    key=AMBULANCE,
                    id=AMBULANCE,
                    kind="vehicle",
                    lon=LON,
                    lat=LAT,
                    area="essai",
                    attributes={"emergency": "yes"},
                ),
            ],
        )
        ids = opened.facts.ids()
        bind(folder, {name: Binding(codes=CODES, stage_inputs=FIRST_INPUT) for name in names})
        for name in names:
            admit_device(opened, name, [ids[name]], protocol=RSMP)
        admit_device(opened, AMBULANCE, [ids[AMBULANCE]])
    make_people(folder, LOGINS)
    of_lights = dict(zip((light.name for light in lights), names, strict=True))
    known = bound({light.name: light.site for light in lights}, of_lights)
    taken = take_in(settings, known, answer="A test.")
    assert {each.became.value for each in taken} == {"made"}, taken
    return settings, names


def sites_of(streets: Streets, lights: tuple[Light, ...], names: list[str], port: int) -> Sites:
    codes = dict.fromkeys(names, CODES)
    stages = [len(light.site.junction.stages) for light in lights]
    return Sites(streets.order, stages, codes, HERE, port, lambda: time.time_ns() // 1_000, streets)


async def entered(client: httpx.AsyncClient, login: str) -> httpx.AsyncClient:
    answer = await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


@asynccontextmanager
async def running(
    settings: Settings, names: list[str], lights: tuple[Light, ...], streets: Streets, sites: Sites
) -> AsyncGenerator[Town]:
    with installation(settings) as opened:
        doors = doors_of(opened)
        assert doors.steering is not None
        answering = httpx.ASGITransport(application(doors.routes, doors.post.life, doors.direct), client=(HERE, 1))
        async with doors.post.life():
            people = {
                login: await entered(httpx.AsyncClient(transport=answering, base_url="https://post"), login)
                for login in LOGINS
            }
            town = Town(streets, sites, opened, doors.post, doors.steering, people, names)
            assert doors.rsmp is not None
            await comes(lambda: doors.rsmp.port > 0)
            # What is subscribed to is known: it is told from the first connection on.
            streets.pass_()
            sites.look()
            town.connect(*range(len(names)))
            await comes(lambda: all(town.shows(at) for at in range(len(names))))
            yield town
            for at in town.lines:
                await town.cut(at)
            doors.close()


async def are_taken_in_hand(here: Town, everybody: list[int]) -> None:
    """Nobody without the right, and nobody of another town; then all of them."""
    assert await here.orders("elected", "set_control", {"control": "adaptive"}, 0) == 403
    assert await here.decides(0, "mayor") == {"status": 404}
    assert (await here.decides(0, "elected"))["because"] == "unordered"
    assert await here.orders("operator", "set_control", {"control": "adaptive"}, *everybody) == 200
    await becomes(lambda: [here.is_ordered(at) for at in everybody], [True] * len(everybody))
    await here.until(lambda: here.by("input") == everybody, 40)
    await becomes(lambda: {here.shows(at) for at in everybody}, {"adaptive"})
    told = await here.decides(0)
    assert (told["decides"], told["because"], told["ordered"]) == ("adaptive", "ordered", True)
    assert told["weighed"]["asked"] is not None
    await becomes(lambda: [dict(each.counts) for each in here.post.engine.commands], [{"done": len(everybody)}])


async def loses_its_link_and_comes_back(here: Town) -> None:
    """The first one's plan goes on, and nobody else's; meanwhile a person orders a plan for the fourth."""
    await here.cut(0)
    await here.passes(INPUTS_FRESH_S + 1)
    assert here.by("plan") == [0]
    assert here.because(0) is Because.LINK
    assert await here.orders("supervisor", "run_plan", {"plan": 2}, 3) == 200
    await becomes(lambda: here.is_ordered(3), False)
    here.connect(0)
    await comes(lambda: here.sites.crossings[0].site.meeting is Meeting.READY)
    await here.until(lambda: here.because(0) is Because.SETTLING, 40)
    await here.passes(BACK_S // 2)
    assert here.by("plan") == [0, 3]
    await here.until(lambda: here.by("plan") == [3], BACK_S)
    assert (await here.decides(3))["because"] == "unordered"
    await becomes(lambda: (here.shows(0), here.shows(3)), ("adaptive", "plan"))


async def is_locked_out(here: Town) -> None:
    """A crew works at the eighth: nothing is asked of it from then on, and it has forgotten what was."""
    number = here.post.engine.registry.numbers[here.names[7]]
    made = here.post.acts.consign(number, actor="u-crew", crew="Équipe", reason="for the tests")
    await here.until(lambda: here.because(7) is Because.LOCKED_OUT, 3)
    await here.until(lambda: here.by("plan") == [3, 5, 7], INPUTS_FRESH_S + 1)
    here.post.acts.move_consignation(made.id, "lift", "u-crew")
    await here.until(lambda: here.because(7) is Because.SETTLING, 3)
    await here.until(lambda: here.by("plan") == [3, 5], BACK_S + 10)


async def shows_what_it_must_not(here: Town, groups: int) -> None:
    """The seventh is steered no more, and an alarm says so; somebody orders it anew."""
    here.streets.lies[6] = "G" * groups
    await here.passes(1)
    del here.streets.lies[6]
    # That second is known when the next has begun.
    await here.passes(1)
    await becomes(lambda: [at for at in range(len(here.names)) if here.is_unsafe(at)], [6])
    told = await here.decides(6)
    assert (told["decides"], told["because"]) == ("plan", "unsafe")
    assert "conflict" in {each["rule"] for each in told["broken"]}
    await here.until(lambda: here.by("plan") == [3, 5, 6], INPUTS_FRESH_S + 1)
    assert await here.orders("operator", "set_control", {"control": "adaptive"}, 6) == 200
    await becomes(lambda: here.is_unsafe(6), False)
    await here.until(lambda: here.by("plan") == [3, 5], 20)


async def lets_an_ambulance_go_first(here: Town, at: int) -> None:
    """A junction under its own plan is asked for priority (M0022) by what the ambulance's tracker says, does so in its
    own sequence, tells of it (S0033), and goes back to its plan when the ambulance has passed."""
    registry, document = here.post.engine.registry, documents_of(here.post.engine)[here.names[at]].junction
    way = next(each for each in document.movements if document.groups[each.group].users is Users.VEHICLES)
    assert way.comes_deg is not None
    device = int(registry.reporter[registry.numbers[AMBULANCE]])
    roadside, arm = here.streets.roadsides[at], way.comes_deg

    async def drives(bearing_deg: float, away_m: float, ago_s: float, *, mission: bool = True) -> None:
        lon, lat = place(bearing_deg, away_m, LON + at / 100, LAT)
        now_us = time.time_ns() // 1_000 - round(ago_s * 1e6)
        said = Readings([AMBULANCE] * 2, ["position", "mission"], [(lon, lat), mission], [now_us] * 2, [0, 1])
        assert not (await here.post.pump.submit(said, device)).rejected
        await here.passes(1)

    await drives(arm, 160, 4)
    assert (await here.decides(at))["going"] == []
    await drives(arm, 130, 2)
    await here.until(lambda: roadside.decides == "input", 5)
    await becomes(lambda: here.steering.deciding(here.names[at]).gives_way, True)
    told = await here.decides(at)
    assert (told["decides"], told["because"]) == ("priority", "unordered")
    (going,) = told["going"]
    assert (going["sort"], going["state"], going["vehicle"]) == ("emergency", "activated", AMBULANCE)
    await here.until(lambda: roadside.second[way.group] is Colour.GREEN, 60)
    assert here.steering.priority.asked["new"] == 1
    # Nobody else was asked: they are steered, and it is not theirs.
    await drives(arm + 180, 60, 0)
    await here.until(lambda: roadside.decides == "plan", 3)
    assert (await here.decides(at))["going"] == []
    await clears_its_way(here, at, lambda away_m: drives(arm, away_m, 0, mission=False), lambda: roadside.decides)


async def clears_its_way(
    here: Town, at: int, drives: Callable[[float], Awaitable[None]], decides: Callable[[], str]
) -> None:
    """Somebody who may orders that its way be cleared: the same junction lets it go though it says nothing of a
    mission, until somebody ends that."""
    route, operator = {"route": here.names[at]}, here.people["operator"]

    async def orders(who: str, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return await here.gives(who, {"action": f"vehicle.{action}", "params": params, "select": ESCORTED})

    async def escorts(who: str = "operator") -> list[dict[str, Any]]:
        return (await here.people[who].get("/api/v1/signals/escorts")).json()["items"]

    refused = {who: (await orders(who, "escort", route)).get("rule") for who in ("elected", "mayor", "fleet")}
    assert refused == {"elected": None, "mayor": "engine.nobody", "fleet": "engine.nobody"}
    assert (await orders("operator", "escort", {"route": AMBULANCE}))["rule"] == "engine.not_listed"
    sheets = {who: await here.people[who].get(f"/api/v1/assets/{AMBULANCE}") for who in ("operator", "fleet")}
    assert sheets["operator"].json()["actions"] == ["escort", "end_escort"]
    assert sheets["fleet"].json()["actions"] == []
    given = here.post.engine.commands.find((await orders("operator", "escort", route))["id"])
    assert given is not None
    await becomes(lambda: given.counts, {"done": 1})
    for away_m in (150, 120, 90):
        await asyncio.sleep(0.5)
        await drives(away_m)
    await here.until(lambda: decides() == "input", 5)
    await becomes(lambda: here.steering.deciding(here.names[at]).gives_way, True)
    (going,) = (await here.decides(at))["going"]
    assert (going["vehicle"], going["escorted"], going["state"]) == (AMBULANCE, True, "activated")
    (told,) = await escorts()
    assert (told["vehicle"], told["routed"], told["lost"], told["may_end"]) == (AMBULANCE, True, False, True)
    assert told["reason"] == "for the tests"
    assert [(each["id"], each["state"]) for each in told["junctions"]] == [(here.names[at], "open")]
    assert (await escorts("fleet"))[0]["may_end"] is False
    assert await escorts("elected") == []
    assert (await orders("operator", "end_escort", {}))["state"] in ("running", "closed")
    await becomes(lambda: given.counts, {"released": 1})
    await here.until(lambda: decides() == "plan", 4)
    assert await escorts() == []
    kept = (await operator.get(f"/api/v1/commands/{told['order']}/targets")).json()["items"]
    assert [each["state"] for each in kept] == ["released"]


def test_nine_junctions_are_steered_lose_their_links_come_back_and_obey_people(
    tmp_path: Path, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "TICK_S", 0.1)
    # The streets of the test are faster than those outside.
    monkeypatch.setattr("vigie.api.rsmp.steering.EARLY_S", 0.0)
    # Whose vehicles they are, and who has nothing to say of signals.
    monkeypatch.setitem(PEOPLE, "fleet", (Held("operator", "", frozenset({"roads"})),))
    scenario = read_scenario(town)
    lights = lights_of(read_network(scenario.network))
    settings, names = installed(tmp_path / "post", lights)

    async def story(streets: Streets) -> None:
        sites = sites_of(streets, lights, names, settings.rsmp_port)
        # The last of them does not have the command that sets several inputs at once.
        monkeypatch.setattr(simulated, "WITHOUT", simulated.WITHOUT | {"M0013"})
        sites.crossings[-1] = sites_of(streets, lights, names, settings.rsmp_port).crossings[-1]
        async with running(settings, names, lights, streets, sites) as here:
            await are_taken_in_hand(here, list(range(len(names))))
            await loses_its_link_and_comes_back(here)
            # Two people at once.
            told = await asyncio.gather(
                here.orders("operator", "set_control", {"control": "adaptive"}, 4),
                here.orders("supervisor", "set_control", {"control": "plan"}, 5),
            )
            assert told == [200, 200]
            await becomes(lambda: here.is_ordered(5), False)
            await here.until(lambda: here.by("plan") == [3, 5], 10)
            await is_locked_out(here)
            await shows_what_it_must_not(here, len(lights[6].site.junction.groups))
            await lets_an_ambulance_go_first(here, 3)
            await here.until(lambda: streets.roadsides[3].plan == 2, 120)
            # Nothing drives any more: nobody counts, and nobody follows what is asked.
            streets.shown.clear()
            sites.look()
            await becomes(lambda: {here.shows(at) for at in range(len(names))}, {"plan"})
            assert streets.found == []

    with World(scenario, lights, tmp_path, seed=1, scale=1.0) as world:
        asyncio.run(story(Streets(lights, world)))

    # What was ordered last holds after a restart.
    with installation(settings) as opened:
        steering = doors_of(opened).steering
        assert steering is not None
        assert [at for at, name in enumerate(names) if not steering.deciding(name).ordered] == [3, 5]

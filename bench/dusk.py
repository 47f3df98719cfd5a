"""Lighting: how soon an order to every lamp of the metropole is proved, beyond what its own pace must take.

A post under the default configuration and, as a process of its own, 41 gateways over real HTTP with 34,000 lamps behind
them. All lamps are fed and dark, so that the pace of each cabinet counts whatever the hour is; nothing is broken, and a
lamp takes no time from level to level. It is an hour like any other for all else that both do.

The least that the pace takes is asked of the pace itself: as if each lamp left at the first instant at which it may.
Which lamp goes first is nobody's business, so that of each gateway the first proof is held against the first leave, the
second against the second, and so on.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import multiprocessing
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness import RUNS, Measured, measurement, serving
from vigie.app import installation
from vigie.core.lives import TARGET
from vigie.core.times import SECOND_US, to_us
from vigie.demo.people import PASSWORD
from vigie.demo.processes import SEED, gateways_file
from vigie.demo.town import prepare
from vigie.engine.pace import Gate
from vigie.services.lighting.kinds import Luminaire
from vigie.settings import Settings
from vigie.sim.city import City, generate
from vigie.sim.city.facts import METROPOLE
from vigie.sim.city.inventory import ids
from vigie.sim.talq.sharing import lighting_gateways

Seconds = NDArray[np.float64]
LOST = 0.05
DROPPED_AFTER_S, DROPPED_S = 1.0, 3.0
"""When a gateway's connection is cut, after the order, and how long it cannot be had again."""
ATTACHED_S_MAX, PROVED_S_MAX = 120.0, 120.0


@dataclass(frozen=True)
class Lossy:
    """What goes wrong. lost: the share of messages between gateways and lamps, each way. dropped: gateways that drop
    their connection while the order is under way."""

    lost: float = 0.0
    dropped: tuple[str, ...] = ()


@measurement("lighting.dusk")
def dusk() -> Measured:
    """One order to all lamps; the 99th percentile of the proofs, beyond the least that the pace takes."""
    return _measured("lighting.dusk", 5, Lossy())


@measurement("lighting.dusk_lossy")
def dusk_lossy() -> Measured:
    """The same, with 5 % of what gateways and lamps say lost each way and one gateway's connection cut meanwhile."""
    return _measured("lighting.dusk_lossy", 15, Lossy(LOST, ("lighting-talant",)))


def _measured(name: str, must_s: float, lossy: Lossy) -> Measured:
    city = _city()
    names = lighting_gateways(city)["luminaire"]
    assert set(lossy.dropped) <= set(names)
    runs: list[float] = []
    told: list[str] = []
    least_s = _least_s(city)
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder, _town(Path(folder), lossy) as (port, field):
            late_s, states = _order(port, field, city, least_s)
        runs.append(float(np.percentile(late_s, 99, method="higher")))
        told.append(
            f"last {late_s.max():.1f} s beyond, median {np.median(late_s):.1f} s; "
            + ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
        )
    size = (
        f"{len(names):,} lamps, all dark, {len(set(names))} gateways over HTTP; the pace itself takes "
        f"{least_s.max():.0f} s; {lossy.lost:.0%} lost each way, {len(lossy.dropped)} gateways cut off for "
        f"{DROPPED_S:g} s; a lamp that did not prove it counts as endless"
    )
    return Measured(name, "s", runs, must_s, False, size, "1 post, 1 of all gateways", told=told)


def _city() -> City:
    """The metropole with every lamp fed by day and night, and nothing else to see."""
    city = generate(SEED, scenery=False)
    return replace(city, lighting=replace(city.lighting, switched=np.zeros(len(city.lighting.cabinet_xy), np.bool_)))


def _least_s(city: City) -> Seconds:
    """By lamp: when the shipped pace lets it leave at the earliest, in seconds after the order."""
    feeders = city.lighting.cabinet + 1
    names = np.array(lighting_gateways(city)["luminaire"])
    leaves = np.zeros(len(feeders))
    for number, name in enumerate(sorted(set(names.tolist())), start=1):
        gate, now_us = Gate(), 0
        waiting = np.flatnonzero(names == name)
        while len(waiting):
            left = gate.leave(Luminaire.dim.pace, feeders[waiting], np.ones(len(waiting), np.bool_), number, now_us)
            leaves[waiting[left.which]] = now_us / SECOND_US
            waiting = np.delete(waiting, left.which)
            assert left.again_us > now_us or not len(waiting)
            now_us = left.again_us
    return leaves


@contextlib.contextmanager
def _town(folder: Path, lossy: Lossy) -> Generator[tuple[int, Connection]]:
    """A post of the town, and its gateways attached to it. Gives the post's port, and the line to the gateways."""
    with installation(Settings(data=folder)) as opened:
        asyncio.run(prepare(opened, iter((_city(), _city())), lambda _: None))
    known = json.loads(gateways_file(folder).read_text("utf-8"))
    with serving(folder) as port:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_live, args=(theirs, port, known["secrets"], known["tokens"], lossy))
        process.start()
        try:
            yield port, ours
        finally:
            ours.send("end")
            process.join(30)
            process.kill()


def _order(port: int, field: Connection, city: City, least_s: Seconds) -> tuple[Seconds, Mapping[str, int]]:
    """Gives the order when all lamps have been heard. How much later each was proved than it had to leave; and how
    many targets are in which state."""
    desk = _Desk(port)
    lamps = ids("luminaire", len(least_s))
    order = {"action": "luminaire.dim", "params": {"level": 60}, "select": {"area": METROPOLE}, "reason": "bench"}
    most = len(lamps) // 10  # Where reports are lost, some lamps have not been heard yet.
    _wait(ATTACHED_S_MAX, lambda: _attached(desk) and desk.ask("POST", "commands/preview", order)["old"] <= most)
    begun_us = time.time_ns() // 1_000
    given = desk.ask("POST", "commands", order)
    if given["state"] == "proposed":
        raise RuntimeError("the order waits for somebody to confirm it")
    field.send("ordered")

    def ended() -> bool:
        counts = desk.ask("GET", f"commands/{given['id']}")["counts"]
        return counts.keys() <= TARGET.last

    with contextlib.suppress(TimeoutError):
        _wait(PROVED_S_MAX, ended)
    proved_s = np.full(len(lamps), np.inf)
    places, states, cursor = {lamp: place for place, lamp in enumerate(lamps)}, dict[str, int](), ""
    while True:
        page = desk.ask("GET", f"commands/{given['id']}/targets?limit=500&cursor={cursor}")
        for each in page["items"]:
            states[each["state"]] = states.get(each["state"], 0) + 1
            if each["state"] == "done":
                place = places[each["asset"]["id"]]
                proved_s[place] = (to_us(datetime.fromisoformat(each["ended"])) - begun_us) / SECOND_US
        cursor = page["next"]
        if not cursor:
            return _beyond_s(city, proved_s, least_s), states


def _beyond_s(city: City, proved_s: Seconds, least_s: Seconds) -> Seconds:
    """How much later than it had to each gateway's first, second, ... lamp was proved."""
    names = np.array(lighting_gateways(city)["luminaire"])
    own = [np.flatnonzero(names == name) for name in sorted(set(names.tolist()))]
    return np.concatenate([np.sort(proved_s[rows]) - np.sort(least_s[rows]) for rows in own])


def _attached(desk: _Desk) -> bool:
    gateways = desk.ask("GET", "gateways?told=0")["items"]
    return bool(gateways) and all(each["step"] == "ready" and not each["telling"] for each in gateways)


def _wait(most_s: float, holds: Any) -> None:
    until_s = time.monotonic() + most_s
    while not holds():
        if time.monotonic() > until_s:
            raise TimeoutError(f"after {most_s:g} s")
        time.sleep(0.5)


class _Desk:
    """An operator's session."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json"}
        self._keys = 0
        said = self.ask("POST", "session", {"login": "operator", "password": PASSWORD})
        self._headers["X-CSRF-Token"] = said["csrf"]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the API answers. Raises RuntimeError where it refuses."""
        self._keys += 1
        headers = self._headers | {"Idempotency-Key": str(self._keys)}
        self._connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")
        if cookie := answer.headers.get("Set-Cookie"):
            self._headers["Cookie"] = cookie.partition(";")[0]
        return json.loads(said)


# The other process: all gateways.


def _live(line: Connection, port: int, secrets: dict[str, str], tokens: dict[str, str], lossy: Lossy) -> None:
    import uvloop

    uvloop.run(_Field(line, port, secrets, tokens, lossy).live())


class _Field:
    """All gateways and their lamps. Those that are to be dropped are asked at a port of their own."""

    def __init__(
        self, line: Connection, port: int, secrets: dict[str, str], tokens: dict[str, str], lossy: Lossy
    ) -> None:
        from vigie.sim.life import Life
        from vigie.sim.life.columns import Habits
        from vigie.sim.life.faults import Told
        from vigie.sim.talq.park import Park
        from vigie.sim.talq.switchboard import Switchboard

        self._line, self._url, self._lossy = line, f"http://127.0.0.1:{port}", lossy
        self._secrets, self._tokens = secrets, tokens
        city = _city()
        self._park = Park.of(city)
        habits = Habits(hello_s=20.0, ramp_s=0.0)
        self._life = Life(city, _now_us(), habits, breakdowns=Told([]), lighting_alone=True)
        self._board = Switchboard()
        self._ordered, self._ended = asyncio.Event(), asyncio.Event()

    async def live(self) -> None:
        """Lives until the line says that it is over."""
        from vigie.protocols.talq.limits import BODY_BYTES_MAX
        from vigie.sim.talq.lighting import Lighting
        from vigie.sim.talq.switchboard import identities
        from vigie.transports.http import beside
        from vigie.transports.http_end import HttpEnd

        end = HttpEnd(self._board.answer, body_bytes_max=BODY_BYTES_MAX)
        async with beside(end, "127.0.0.1", 0) as port:
            cut = contextlib.AsyncExitStack()
            own = await cut.enter_async_context(beside(end, "127.0.0.1", 0))
            who = {
                name: identity
                for base, dropped in ((port, False), (own, True))
                for name, identity in identities(
                    self._url,
                    self._secrets,
                    {each: token for each, token in self._tokens.items() if (each in self._lossy.dropped) is dropped},
                    f"http://127.0.0.1:{base}",
                ).items()
            }
            lighting = Lighting(self._park, self._life.lamps, who, seed=str(_now_us()), lost=self._lossy.lost)
            # All dark until they are told, at any hour.
            self._life.lamps.programmed = lambda _: np.zeros(len(self._life.lamps.level))
            self._board.connect(lighting, _now_us)
            speaking = {name: asyncio.create_task(each.run()) for name, each in self._board.conversations.items()}
            asyncio.get_running_loop().add_reader(self._line.fileno(), self._said)
            dropping = asyncio.create_task(self._drop(cut, own, end, speaking))
            while not self._ended.is_set():
                for reports in self._life.step(_now_us()):
                    if reports.kind.service == "lighting":
                        self._board.hear(reports)
                self._board.tick()
                await asyncio.sleep(0.25)
            for task in (dropping, *speaking.values()):
                task.cancel()
            await asyncio.gather(dropping, *speaking.values(), return_exceptions=True)
            await cut.aclose()

    def _said(self) -> None:
        said = self._line.recv()
        if said == "ordered":
            self._ordered.set()
        else:
            self._ended.set()

    async def _drop(self, cut: contextlib.AsyncExitStack, port: int, end: Any, speaking: dict[str, Any]) -> None:
        """Cuts both ways of those that are dropped, some time after the order, and lets them come back."""
        from vigie.transports.http import beside

        await self._ordered.wait()
        await asyncio.sleep(DROPPED_AFTER_S)
        for name in self._lossy.dropped:
            speaking[name].cancel()
        await cut.aclose()
        await asyncio.sleep(DROPPED_S)
        await cut.enter_async_context(beside(end, "127.0.0.1", port))
        for name in self._lossy.dropped:
            speaking[name] = asyncio.create_task(self._board.conversations[name].run())


def _now_us() -> int:
    return time.time_ns() // 1_000

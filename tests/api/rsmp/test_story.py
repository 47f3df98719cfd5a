"""A site of traffic signals and a whole post, over real sockets: attached, seen, ordered, cut off, and back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.city import drafts
from tests.post import NO_RESERVE
from tests.transports.test_tcp import Relay, comes
from vigie.api.application import application
from vigie.api.rsmp import RsmpDoor
from vigie.app import RSMP, doors_of, installation, perform
from vigie.app.administration import Admission, Expulsion
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.core.kinds import ConditionKind, Point
from vigie.engine.command import Command
from vigie.engine.selection import Selection
from vigie.protocols.rsmp import Of, Setup, Site
from vigie.protocols.rsmp.events import Fate, Ordered, Step
from vigie.services.signals import CONTROLLER_FAULT, CONTROLLER_SILENT, SIGNALS_FLASHING, Junction
from vigie.settings import Settings
from vigie.transports import tcp
from vigie.transports.control import Wrong
from vigie.transports.tcp import RsmpClient, now

HERE, SITE, JUNCTION, MAIN = "127.0.0.1", "KK+AG0001", "junction-j1", "KK+AG0001=001TC000"
CODES = ("eins-geheim", "zwei-geheim")
GROUPS = {"signalgroupstatus": "1B", "cyclecounter": "3", "basecyclecounter": "3", "stage": "1"}


TABLES = {"M0016": "S0026", "M0017": "S0027"}


class Controller:
    """A site's controller, which does the plans and modes that it is ordered. lacks: the codes that it has not."""

    def __init__(self, port: int, name: str = SITE, *lacks: str) -> None:
        setup = Setup((name,), {MAIN: Of.CONTROLLER, "SG1": Of.GROUP}, "1.2.1", codes=CODES, without=frozenset(lacks))
        self.site, self.heard, self.orders = Site(setup, now(), seed=name), list[Step](), list[Mapping[str, Any]]()
        self.client = RsmpClient(self.site, HERE, port, self._hear, reconnect_s=0.02)
        for code, values in {
            "S0001": GROUPS,
            "S0007": flag(True),
            "S0011": flag(False),
            "S0012": flag(False),
            "S0014": plan(3),
            "S0026": {"status": ",".join(f"{day}-1" for day in range(7))},
            "S0027": {"status": "1-3-0-0"},
            "S0028": {"status": "3-80,4-100"},
        }.items():
            self.shows(code, values)
        self.task = asyncio.create_task(self.client.run())

    def shows(self, code: str, values: Mapping[str, str], *, later_ms: int = 0) -> None:
        at = now()
        at = replace(at, clock_us=at.clock_us + later_ms * 1_000)
        self.client.apply(self.site.observe(MAIN, code, values, at))

    def alarm(self, code: str, *, active: bool) -> None:
        self.client.apply(self.site.alarm(MAIN, code, active=active, moment=now()))

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def _hear(self, events: Sequence[Step]) -> None:
        self.heard += events
        for event in events:
            if isinstance(event, Ordered):
                self.orders.append(event.commands)
                self.client.apply(self.site.answered(event.number, now()))
                for code, values in event.commands.items():
                    if code in TABLES:
                        self.shows(TABLES[code], {"status": values["status"]})
                    elif code == "M0002" and values["status"] == "False":
                        pass
                    elif code == "M0002":
                        self.shows("S0014", plan(int(values["timeplan"])))
                    else:
                        self.shows("S0011", flag(values["status"] == "YellowFlash"))


def plan(number: int) -> dict[str, str]:
    return {"status": str(number), "source": "forced"}


def flag(on: bool) -> dict[str, str]:
    return {"intersection": "0", "status": str(on), "source": "forced"}


@dataclass
class Story:
    """A post with its doors, and what a test asks of it."""

    opened: Installation
    post: Post
    client: httpx.AsyncClient
    port: int
    settings: Settings
    door: RsmpDoor

    def slot(self, point: Point[Any]) -> int:
        registry = self.post.engine.registry
        return registry.slot(registry.numbers[JUNCTION], point)

    def shows(self, point: Point[Any]) -> float | str | None:
        """What the live picture shows of the junction."""
        picture, at = self.post.engine.picture, self.slot(point)
        picture.fit()
        return picture.texts.get(at, float(picture.value[at]))

    def history(self, point: Point[Any]) -> list[float]:
        """All values that are on disk, in the order of their instants."""
        number = self.opened.facts.point_numbers()[Junction.kind, point.name]
        asset = self.post.engine.registry.numbers[JUNCTION]
        rows: list[tuple[int, float]] = []
        for each in self.opened.observations.since(0):
            own = (each.asset == asset) & (each.point == number)
            rows += zip(each.batch.observed_us[own].tolist(), each.batch.value[own].tolist(), strict=True)
        return [value for _, value in sorted(rows)]

    def order(self, action: str, **params: Any) -> Command:
        """Orders, and confirms it where nothing refuses it."""
        everything = np.ones(self.post.engine.registry.count, np.bool_)
        acts = self.post.acts
        command = acts.order(
            acts.understood(f"junction.{action}", params, Selection(assets=[JUNCTION]), everything), actor="u-operator"
        )
        if command.state != "refused":
            acts.confirm(command, "u-operator")
        return command

    def has(self, condition: ConditionKind) -> bool:
        engine = self.post.engine
        return bool(engine.is_open(condition, np.array([engine.registry.numbers[JUNCTION]], np.int64))[0])

    async def figure(self, name: str) -> float:
        lines = (await self.client.get("/metrics")).text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def admitted(folder: Path) -> Settings:
    """An installation with a small city, whose junction has its site; nothing else could be one."""
    settings = Settings(data=folder, city="Essai", rsmp_port=free_port(), **NO_RESERVE)
    with installation(settings) as opened:
        opened.take_assets("test", drafts(2))
    for wrong in (["luminaire-000001"], [JUNCTION, "luminaire-000001"], []):
        with pytest.raises(Wrong, match="one junction"):
            perform(settings, "devices.admit", Admission(SITE, wrong, protocol=RSMP))
    admission = Admission(SITE, [JUNCTION], protocol=RSMP, controller=MAIN, codes=CODES)
    assert perform(settings, "devices.admit", admission)["assets"] == 1
    assert (folder / "keys" / "rsmp.json").stat().st_mode & 0o077 == 0
    return settings


@asynccontextmanager
async def story(settings: Settings) -> AsyncGenerator[Story]:
    """A post over it."""
    with installation(settings) as opened:
        doors = doors_of(opened)
        assert doors.rsmp is not None
        answering = httpx.ASGITransport(application(doors.routes, doors.post.life, doors.direct), client=(HERE, 1))
        async with doors.post.life(), httpx.AsyncClient(transport=answering, base_url="http://post") as client:
            yield Story(opened, doors.post, client, settings.rsmp_port, settings, doors.rsmp)
            doors.close()


async def becomes(what: Callable[[], object], wanted: object) -> None:
    """Waits until something is what it should be."""
    await comes(lambda: what() == wanted)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "TICK_S", 0.02)


def test_a_site_attaches_is_seen_obeys_is_cut_off_and_tells_what_happened_meanwhile(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = admitted(tmp_path)

    async def told() -> None:
        async with story(settings) as post, Relay(post.port).there() as relay:
            await comes(lambda: not _closed(post.port))
            stranger = Controller(post.port, "KK+AG0009")
            await comes(lambda: post.door.strangers > 0)
            await stranger.close()
            assert await post.figure("vigie_rsmp_strangers") >= 1
            box = Controller(relay.port)
            # Seen.
            await becomes(lambda: post.shows(Junction.mode), Junction.mode.code("colours"))
            await becomes(lambda: (post.shows(Junction.plan), post.shows(Junction.cycle_time)), (3.0, 80.0))
            await becomes(lambda: (post.shows(Junction.groups), post.shows(Junction.stage)), ("GR", 1.0))
            assert await post.figure('vigie_rsmp_sites{state="attached"}') == 1
            for name in ("clocks_wrong", "turned_away_total", "garbled_total", "refused_total"):
                assert await post.figure(f"vigie_rsmp_{name}") == 0
            # Ordered, and proved by what the statuses show.
            ordered = post.order("run_plan", plan=4)
            await becomes(lambda: ordered.counts, {"done": 1})
            assert box.orders == [{"M0002": {"status": "True", "timeplan": "4", "securityCode": CODES[1]}}]
            flashing = post.order("set_mode", mode="flashing")
            await becomes(lambda: flashing.counts, {"done": 1})
            assert post.has(SIGNALS_FLASHING)
            back = post.order("set_mode", mode="colours")
            await becomes(lambda: back.counts, {"done": 1})
            await comes(lambda: not post.has(SIGNALS_FLASHING))
            # Cut off: what happens is kept at the site, and comes when it is back.
            connections = box.client.connections
            relay.cut()
            for number in (7, 8):
                box.shows("S0014", plan(number), later_ms=number)
            box.alarm("A0001", active=True)
            assert post.shows(Junction.plan) == 4.0
            await becomes(lambda: post.shows(Junction.plan), 8.0)
            assert box.client.connections == connections + 1
            await comes(lambda: sorted(set(post.history(Junction.plan))) == [3.0, 4.0, 7.0, 8.0])
            assert post.history(Junction.plan)[-1] == 8.0
            await comes(lambda: post.has(CONTROLLER_FAULT))
            assert post.shows(Junction.faults) == f"A0001 {MAIN}"
            box.alarm("A0001", active=False)
            await comes(lambda: not post.has(CONTROLLER_FAULT))
            assert not post.has(CONTROLLER_SILENT)
            await box.close()
            # One that cannot do it says so, in its words.
            lesser = Controller(post.port, SITE, "M0001")
            await becomes(lambda: lesser.client.trouble, None)
            await becomes(lambda: lesser.site.meeting.value, "ready")
            settled: list[Fate] = []
            post.door.on_settled = lambda site, each: settled.append(each.fate)
            refused = post.order("set_mode", mode="flashing")
            await becomes(lambda: refused.counts, {"failed": 1})
            assert refused.refusals[0].detail == {"detail": "the site cannot do M0001"}
            assert settled == [Fate.REFUSED]
            # Expelled while it is connected.
            strangers = post.door.strangers
            await asyncio.to_thread(perform, post.settings, "devices.expel", Expulsion(SITE))
            await comes(lambda: post.door.strangers > strangers)
            assert CODES[1] not in (tmp_path / "keys" / "rsmp.json").read_text()
            await lesser.close()

    asyncio.run(told())
    said = capfd.readouterr()
    assert not any(code in said.out + said.err for code in CODES)


def test_a_site_is_given_tables_by_which_it_changes_its_plans(tmp_path: Path) -> None:
    settings, days = admitted(tmp_path), "mon-fri 06:30=2 09:00=1; sat-sun 08:00=1"

    async def told() -> None:
        async with story(settings) as post:
            await comes(lambda: not _closed(post.port))
            # Nobody is asked who has never told tables, nor by what is none.
            assert post.order("run_day_plans", days=days).refusals[0].rule == "signals.no_day_plans"
            box = Controller(post.port)
            await becomes(lambda: post.shows(Junction.day_plans), "mon-sun 00:00=3")
            assert post.order("run_day_plans", days="mon-sun 6:30=2").refusals[0].rule == "signals.day_plans_form"
            # Both tables go out in one message: no link is lost between them.
            by_clock = post.order("run_day_plans", days=days)
            await becomes(lambda: by_clock.counts, {"done": 1})
            assert list(box.orders[-1]) == ["M0017", "M0016", "M0002"]
            assert box.orders[-1]["M0016"]["status"] == "0-1,1-1,2-1,3-1,4-1,5-2,6-2"
            # What is read back proves it, and nothing else does.
            await becomes(lambda: post.shows(Junction.day_plans), days)
            assert post.shows(Junction.day_table) == Junction.day_table.code(days)
            await box.close()
            lesser = Controller(post.port, SITE, "M0017")
            await becomes(lambda: lesser.site.meeting.value, "ready")
            refused = post.order("run_day_plans", days="mon-sun 00:00=4")
            await becomes(lambda: refused.counts, {"failed": 1})
            assert "M0017" in str(refused.refusals[0].detail["detail"])
            await lesser.close()

    asyncio.run(told())


def _closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HERE, port)) != 0

"""Somebody passes a sensor: from its own HTTP request to the lamps behind a TALQ gateway, and back to the proof.

The post and the simulated gateways run whole, over real sockets; the clock alone is the test's, so that it is night.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from tests import metropolis
from tests.post import NO_RESERVE
from vigie.api.application import application
from vigie.app import TALQ, admit_device, doors_of, gateway_token, installation
from vigie.app.installation import Installation, WallClock
from vigie.app.post import Post
from vigie.core.arrays import ints
from vigie.core.facts import POST, CommandProposed
from vigie.core.times import SECOND_US, to_us
from vigie.demo.town import on_demand, programmes
from vigie.engine.command import Command
from vigie.engine.plans import By, Plans
from vigie.protocols.plain import encode_array
from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.plans import ON_DEMAND, PROGRAMME
from vigie.settings import Settings
from vigie.sim.city import City
from vigie.sim.city.inventory import drafts, ids
from vigie.sim.devices import gateways, run_metropolis
from vigie.sim.life import Habits, Life
from vigie.sim.life.faults import Told
from vigie.sim.talq.lighting import Lighting
from vigie.sim.talq.park import Park
from vigie.sim.talq.switchboard import Switchboard, identities
from vigie.transports.device_http import HttpDoor
from vigie.transports.http import beside
from vigie.transports.http_end import HttpEnd

NIGHT_US = to_us(datetime.fromisoformat("2026-11-24T23:10:00+01:00"))
HERE = "127.0.0.1"
SENSORS = "sensors"


class Clock(WallClock):
    """Runs as the machine's, from ten past eleven in the evening on, and ahead by what the test lets pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_us = NIGHT_US - super().now_us()

    def now_us(self) -> int:
        return super().now_us() + self._ahead_us

    def take_jump_us(self) -> int:
        return 0

    def let_pass(self, seconds: float) -> None:
        self._ahead_us += round(seconds * SECOND_US)


@dataclass
class Street:
    """A quiet way at night, and all that has to do with it, alive. lamps, names: those of the way, by their
    places in its life, and their ids."""

    opened: Installation
    post: Post
    life: Life
    door: HttpDoor
    clock: Clock
    lamps: list[int]
    names: list[str]
    sensor: str

    @property
    def raised(self) -> list[Command]:
        return [each for each in self.post.engine.commands if each.is_automatic]

    def at(self, level: float) -> set[int]:
        """The lamps that are at a level."""
        return set(ints(np.flatnonzero(self.life.lamps.level == level))) & set(self.lamps)

    async def see(self, somebody: bool) -> None:
        """The sensor says what it sees, in a request of its own."""
        body = encode_array([(self.sensor, "motion", somebody, self.clock.now_us())])
        answer = await self.door.post("/device/v1/observations", body)
        assert answer.status == 200, answer.body


def settle(opened: Installation, city: City, sensors: list[str]) -> dict[str, str]:
    """Takes in the lamps of a city and these sensors, admits their gateways and puts the demo's rules in force; returns
    the gateways' secrets."""
    wanted = {"commune", "street", "cabinet", "luminaire"}
    taken = opened.take_assets("test", [each for each in drafts(city) if each.kind in wanted or each.id in sensors])
    assert not taken.refused
    known = opened.facts.ids()
    secrets = {}
    for name, assets in gateways(city).items():
        numbers = [known[asset] for asset in assets if asset in known]
        if numbers:
            said = {} if name == SENSORS else {"protocol": TALQ}
            secrets[name] = admit_device(opened, name, numbers, **said)
    plans = Plans()
    for kind, body in [*((PROGRAMME, each) for each in programmes()), *((ON_DEMAND, each) for each in on_demand())]:
        plan, at_us = opened.new_id(), opened.clock.now_us()
        made = plans.make(plan, kind, body, by=By("u-manager", at_us, opened.new_id()))
        moved = plans.move(plan, "approve", number=1, revision=1, by=By("u-other", at_us, opened.new_id()))
        opened.facts.commit([made, moved])
    return secrets


@asynccontextmanager
async def street(folder: Path) -> AsyncGenerator[Street]:
    """The way of the smallest commune that has one, its cabinets' lamps, and a post over them."""
    whole = next(metropolis.growing())
    way = int(whole.ways.way[-1])
    own = np.isin(whole.lighting.arc, whole.ways.arc[whole.ways.way == way])
    city = metropolis.small(whole, ints(np.unique(whole.lighting.cabinet[own])))
    lamps = ints(np.flatnonzero(np.isin(city.lighting.arc, city.ways.arc[city.ways.way == way])))
    names = [ids("motion_sensor", len(city.ways.xy))[row] for row in ints(np.flatnonzero(city.ways.way == way))]
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        opened.clock = clock = Clock()
        secrets = settle(opened, city, names)
        doors = doors_of(opened)
        answering = application(doors.routes, doors.post.life, doors.direct)
        life, board = (
            Life(city, clock.now_us(), Habits(hello_s=0.5), breakdowns=Told([]), lighting_alone=True),
            Switchboard(),
        )
        async with (
            doors.post.life(),
            beside(answering, HERE, 0) as port,
            beside(HttpEnd(board.answer, body_bytes_max=BODY_BYTES_MAX), HERE, 0) as end,
        ):
            url = f"http://{HERE}:{port}"
            tokens = {name: gateway_token(folder, name) for name in secrets if name != SENSORS}
            board.connect(
                Lighting(Park.of(city), life.lamps, identities(url, secrets, tokens, f"http://{HERE}:{end}")),
                clock.now_us,
            )
            living = asyncio.create_task(run_metropolis(city, life, {}, clock.now_us, board))
            door = HttpDoor(url, secrets[SENSORS])
            lit = ids("luminaire", len(city.lighting.xy))
            yield Street(
                opened, doors.post, life, door, clock, lamps, [lit[each] for each in lamps], names[len(names) // 2]
            )
            living.cancel()
            await asyncio.gather(living, door.close(), return_exceptions=True)
            doors.close()


async def until(true: Callable[[], object]) -> None:
    """Waits until something is true."""
    async with asyncio.timeout(40):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody of itself
            await asyncio.sleep(0.05)


def test_who_passes_a_sensor_has_light_that_is_proved_and_ends_by_itself(tmp_path: Path) -> None:
    async def passed() -> None:
        async with street(tmp_path) as way:
            engine = way.post.engine
            numbers = np.array([engine.registry.numbers[each] for each in way.names], np.int64)
            programme = Luminaire.control.code("programme")
            await until(lambda: way.at(30.0) == set(way.lamps))
            await until(lambda: (engine.newest(Luminaire, Luminaire.control, numbers).value == programme).all())
            await until(lambda: engine.automations.hears.any())
            await way.see(True)
            await way.see(False)
            await until(lambda: way.raised and way.raised[0].counts.keys() == {"done"})
            (command,) = way.raised
            lit = way.at(90.0)
            assert len(lit) == command.order.assets.size >= 3
            assert (engine.value(Luminaire, Luminaire.level, np.sort(command.order.assets)) == 90.0).all()
            way.clock.let_pass(120)
            await until(lambda: command.counts.keys() == {"returned"})
            assert way.at(30.0) == set(way.lamps)
            facts = [line.fact for line in way.opened.facts.journal.lines(limit=1_000)]
            (fact,) = [each for each in facts if isinstance(each, CommandProposed)]
            assert fact.actor == POST
            assert way.sensor not in str(fact)

    asyncio.run(passed())

"""The device end: gateways that report for their devices, pick up orders and send receipts.

A gateway speaks for the devices of one service in one commune; what moves, the air, bikes and bollards have one for
all of the metropole. It keeps what it could not send, up to a limit, and sends it again: duplicates do no harm, the
post counts them. Lamps and cabinets have gateways of their own, which speak TALQ (`vigie.sim.talq`); junctions may be
sites of their own, which speak RSMP (`vigie.sim.rsmp`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np

from vigie.core.arrays import ints
from vigie.core.kinds import AssetKind, Point, Sort
from vigie.core.readings import Value
from vigie.core.times import to_us
from vigie.protocols.plain import Order, Receipt, decode_orders, encode_array, encode_receipts
from vigie.services.air import AirStation, WeatherStation
from vigie.services.lighting.kinds import MotionSensor
from vigie.services.roads import BikeStation, Bollard, Bus, Tram, Vehicle
from vigie.services.signals import Detector, Junction
from vigie.services.video import Camera
from vigie.sim.city import City
from vigie.sim.city.facts import BUSES, COMMUNES, TRAMS
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.inventory import ids
from vigie.sim.life import Life, Reports
from vigie.sim.rsmp.sites import Sites
from vigie.sim.talq.lighting import KINDS
from vigie.sim.talq.sharing import lighting_gateways
from vigie.sim.talq.switchboard import Switchboard

ROWS_KEPT_MAX = 60_000
ROWS_SENT_MAX = 5_000
ORDERS_REMEMBERED_MAX = 20_000
_WAIT_S = 25
_PAUSE_MOST_S = 10.0

Row = tuple[str, str, Value, int]


class Answer(Protocol):
    """What a door said. retry_after_s: how long it asks to be left alone, 0 if it does not say."""

    @property
    def status(self) -> int:
        """The status of HTTP."""
        ...

    @property
    def body(self) -> bytes:
        """JSON, if any."""
        ...

    @property
    def retry_after_s(self) -> float:
        """Seconds."""
        ...


@dataclass(frozen=True, slots=True)
class _Silence:
    """What is put in place of an answer when there was none."""

    status: int = 503
    body: bytes = b""
    retry_after_s: float = 0.0


class Door(Protocol):
    """A way to the post. Raises OSError when there is none at the moment."""

    async def post(self, path: str, body: bytes) -> Answer:
        """Sends JSON."""
        ...

    async def get(self, path: str) -> Answer:
        """Asks; may take as long as the question says."""
        ...

    async def close(self) -> None:
        """Lets go of the connections."""
        ...


@dataclass(slots=True)
class Tally:
    """What went through the doors, counted."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    failures: int = 0
    orders: int = 0


@dataclass(slots=True)
class Gateway:
    """One gateway: the door it uses, what waits to be sent, and the orders it has seen."""

    name: str
    door: Door
    takes_orders: bool
    waiting: deque[Row] = field(default_factory=deque[Row])
    news: asyncio.Event = field(default_factory=asyncio.Event)
    seen: OrderedDict[str, str] = field(default_factory=OrderedDict[str, str])

    def keep(self, rows: list[Row], tally: Tally) -> None:
        """Puts rows in the queue; the oldest give way to what is too much."""
        self.waiting.extend(rows)
        while len(self.waiting) > ROWS_KEPT_MAX:
            self.waiting.popleft()
            tally.dropped += 1
        self.news.set()


_ORDERABLE = frozenset({"junction", "bollard"})


def _placed(city: City) -> list[tuple[type[AssetKind], Ints]]:
    """Each kind of device that stands somewhere, and the commune of each of its devices."""

    def communes(xy: Floats) -> Ints:
        return np.maximum(city.borders.commune_of(xy), 0)

    signals = city.signals
    junctions = communes(city.network.nodes[signals.node])
    return [
        (Junction, junctions),
        (Detector, junctions[signals.detector_junction]),
        (Camera, communes(city.cameras.xy)),
    ]


def _assignment(city: City) -> dict[str, list[str]]:
    """kind -> the gateway's name of each of its devices, in the order of their numbers."""
    names = lighting_gateways(city)
    for kind, own in _placed(city):
        names[kind.kind] = [f"{kind.service}-{COMMUNES[commune].slug}" for commune in ints(own)]
    for kind, count, name in (
        (Bollard, len(city.bollards.xy), "roads-bollards"), (BikeStation, len(city.bikes.xy), "roads-bikes"),
        (AirStation, len(city.air.xy), "air"), (WeatherStation, len(city.weather.xy), "air"),
        (Vehicle, len(city.rounds.home), "roads-vehicles"), (MotionSensor, len(city.ways.xy), "sensors"),
        (Bus, BUSES, "roads-buses"), (Tram, TRAMS, "roads-trams"),
    ):  # fmt: skip
        names[kind.kind] = [name] * count
    return names


def counts_of(city: City) -> dict[str, int]:
    """How many devices of each kind live in a city."""
    return {kind: len(names) for kind, names in _assignment(city).items()}


def gateways(city: City) -> dict[str, list[str]]:
    """Every gateway, and the ids of the assets it may report for."""
    found: dict[str, list[str]] = {}
    for kind, names in _assignment(city).items():
        for name, asset in zip(names, ids(kind, len(names)), strict=True):
            found.setdefault(name, []).append(asset)
    return found


def values_of(point: Point[object], reports: Reports) -> list[Value]:
    """The values as the plain protocol writes them."""
    if point.sort is Sort.PLACE:
        assert reports.value2 is not None
        return list(zip(reports.value.tolist(), reports.value2.tolist(), strict=True))
    if point.sort is Sort.CHOICE:
        return [point.choices[code] for code in reports.value.astype(np.int64).tolist()]
    if point.sort is Sort.FLAG:
        return (reports.value > 0.5).tolist()
    return reports.value.tolist()


class Metropolis:
    """All gateways of a city at work. now() gives the instant in microseconds; a simulated one may run faster."""

    def __init__(
        self, city: City, life: Life, doors: Mapping[str, Door], now: Callable[[], int], board: Switchboard,
        sites: Sites | None = None,
    ) -> None:  # fmt: skip
        """doors: of the gateways that speak the plain protocol. board: of those of lamps and cabinets. sites: the
        junctions, where they speak for themselves."""
        self._life, self._now, self._board, self._sites = life, now, board, sites
        self._names = _assignment(city)
        self._ids = {kind: ids(kind, len(names)) for kind, names in self._names.items()}
        kinds = _ORDERABLE if sites is None else _ORDERABLE - {Junction.kind}
        orderable = {name for kind in kinds for name in self._names[kind]}
        self.gateways = {name: Gateway(name, door, name in orderable) for name, door in doors.items()}
        self.tally = Tally()

    async def run(self, tick_s: float = 0.25) -> None:
        """Lives until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._board.run())
            if self._sites is not None:
                tasks.create_task(self._sites.run(self._board.is_up))
            for gateway in self.gateways.values():
                tasks.create_task(self._report(gateway))
                if gateway.takes_orders:
                    tasks.create_task(self._pick_up(gateway))
            while True:
                self.tick()
                await asyncio.sleep(tick_s)

    def tick(self) -> None:
        """Moves the city on to now, and hands what it says to the gateways."""
        rows: dict[str, list[Row]] = {}
        for reports in self._life.step(self._now()):
            if reports.kind in KINDS:
                self._board.hear(reports)
                continue
            if self._sites is not None and reports.kind is Junction:
                self._sites.hear(reports)
                continue
            kind, point = reports.kind.kind, reports.point
            names, assets = self._names[kind], self._ids[kind]
            columns = zip(ints(reports.index), values_of(point, reports), ints(reports.observed_us), strict=True)
            for index, value, at in columns:
                rows.setdefault(names[index], []).append((assets[index], point.name, value, at))
        for name, own in rows.items():
            if name in self.gateways:
                self.gateways[name].keep(own, self.tally)
        self._board.tick()

    async def _report(self, gateway: Gateway) -> None:
        """Sends what waits, in order; what the post did not confirm is sent again."""
        pause = 0.0
        while True:
            await gateway.news.wait()
            batch = [gateway.waiting.popleft() for _ in range(min(len(gateway.waiting), ROWS_SENT_MAX))]
            if not gateway.waiting:
                gateway.news.clear()
            if not batch:
                continue
            pause = await self._send(gateway, batch, pause)
            if pause:
                await asyncio.sleep(pause)

    async def _send(self, gateway: Gateway, batch: list[Row], pause: float) -> float:
        """Sends a batch; returns how long to wait before the next, 0 if all is well."""
        answer: Answer = _Silence()
        with suppress(OSError):
            answer = await gateway.door.post("/device/v1/observations", encode_array(batch))
        if answer.status < 300:
            self.tally.sent += len(batch)
            return 0.0
        self.tally.failures += 1
        if answer.status in (400, 413, 415):  # The same bytes would be refused again.
            self.tally.refused += len(batch)
            return 0.0
        gateway.waiting.extendleft(reversed(batch))
        gateway.keep([], self.tally)
        return answer.retry_after_s or min(max(pause * 2, 0.25), _PAUSE_MOST_S)

    async def _pick_up(self, gateway: Gateway) -> None:
        """Asks for orders, carries them out and says so."""
        pause = 0.0
        while True:
            answer: Answer = _Silence()
            orders: list[Order] | None = None
            with suppress(OSError, msgspec.DecodeError):
                answer = await gateway.door.get(f"/device/v1/orders?wait_s={_WAIT_S}")
                orders = decode_orders(answer.body) if answer.status == 200 else None
                if orders:
                    receipts = [self._carry_out(gateway, order) for order in orders]
                    await gateway.door.post("/device/v1/receipts", encode_receipts(receipts))
            if orders is None:
                pause = answer.retry_after_s or min(max(pause * 2, 0.5), _PAUSE_MOST_S)
                await asyncio.sleep(pause)
            else:
                pause = 0.0

    def _carry_out(self, gateway: Gateway, order: Order) -> Receipt:
        """Gives an order to its device, once however often it comes."""
        key = f"{order.order} {order.asset}"
        refusal = gateway.seen.get(key)
        if refusal is None:
            refusal = self._attempt(gateway, order)
            gateway.seen[key] = refusal
            self.tally.orders += 1
            while len(gateway.seen) > ORDERS_REMEMBERED_MAX:
                gateway.seen.popitem(last=False)
        return Receipt(order.order, order.asset, "failed" if refusal else "accepted", refusal)

    def _attempt(self, gateway: Gateway, order: Order) -> str:
        """Why the device will not do it, or nothing."""
        kind, _, number = order.asset.rpartition("-")
        names = self._names.get(kind, [])
        index = int(number) - 1 if number.isdecimal() else -1
        if not 0 <= index < len(names) or names[index] != gateway.name:
            return f"no device {order.asset!r} here"
        if to_us(order.expires) <= self._now():
            return "expired"
        try:
            return self._life.order(kind, index, order.action, order.params)
        except (KeyError, ValueError, IndexError) as error:
            return f"parameters not understood: {error}"


async def run_metropolis(
    city: City, life: Life, doors: Mapping[str, Door], now: Callable[[], int], board: Switchboard,
    sites: Sites | None = None,
) -> None:  # fmt: skip
    """Runs the devices of a city until cancelled, against these doors, one for each plain gateway; then lets go of
    them. board, sites: see `Metropolis`."""
    metropolis = Metropolis(city, life, doors, now, board, sites)
    try:
        await metropolis.run()
    finally:
        await asyncio.gather(*(door.close() for door in doors.values()), return_exceptions=True)

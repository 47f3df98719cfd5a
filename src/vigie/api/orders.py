"""The device door's other half: a device picks up the orders that wait for it, and says what it made of them.

    GET  /device/v1/orders?wait_s=25   answered when something waits, or when the time is up
    POST /device/v1/receipts           a JSON array of receipts

What a device is handed is on disk as sent before it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.application import Endpoint
from vigie.api.devices import Devices, read_body
from vigie.api.problems import Problem
from vigie.core.times import SECOND_US, from_us
from vigie.engine.acts import Acts
from vigie.engine.commands import Offer
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Pump
from vigie.protocols.plain import Order, decode_receipts, encode_orders

ORDERS_PATH = "/device/v1/orders"
RECEIPTS_PATH = "/device/v1/receipts"
WAIT_S_MAX = 30.0
LOOK_AGAIN_S = 5.0
RECEIPTS_BYTES_MAX = 2 << 20


class ReceiptsTaken(msgspec.Struct, frozen=True):
    """How many receipts meant something: the others speak of no order that was handed to this device."""

    taken: int
    unknown: int


class OrderDoor:
    """Hands orders out. Each device that waits is woken when something for it is on disk."""

    def __init__(self, engine: Engine, acts: Acts, pump: Pump, clock: Clock) -> None:
        self._engine, self._acts, self._pump, self._clock = engine, acts, pump, clock
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._closed = False

    def wake(self) -> None:
        """Wakes the devices that have something to pick up."""
        if self._waiting:
            for reporter in self._engine.commands.waits_for(self._clock.now_us()):
                for event in self._waiting.get(reporter, ()):
                    event.set()

    def close(self) -> None:
        """Lets every device that waits go with what there is, and makes none wait from now on: the post is stopping."""
        self._closed = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    async def offers(self, reporter: int) -> list[Offer]:
        """What a device may be handed now; it is on disk as sent. Raises StorageFull."""
        offers = self._engine.commands.offers(reporter, self._clock.now_us())
        self._acts.note_orders()
        if offers:
            await self._pump.settled()
        return offers

    async def pick_up(self, reporter: int, wait_s: float) -> list[Order]:
        """What waits for a device, or will within the time; it is on disk as sent. Raises StorageFull."""
        end = asyncio.get_running_loop().time() + wait_s
        event = asyncio.Event()
        self._waiting.setdefault(reporter, set()).add(event)
        try:
            while True:
                event.clear()
                offers = await self.offers(reporter)
                if offers:
                    return [order for offer in offers for order in _orders(offer, self._engine)]
                left = end - asyncio.get_running_loop().time()
                if left <= 0 or self._closed:
                    return []
                # What is to be handed over again becomes due by time alone, as does what its pace keeps back: hence
                # the look now and then.
                wait_s = min(left, LOOK_AGAIN_S)
                now_us = self._clock.now_us()
                if again_us := self._engine.commands.again_us(reporter, now_us):
                    wait_s = min(wait_s, (again_us - now_us) / SECOND_US)
                try:
                    await asyncio.wait_for(event.wait(), wait_s)
                except TimeoutError:
                    continue
        finally:
            self._waiting[reporter].discard(event)
            if not self._waiting[reporter]:
                del self._waiting[reporter]


def order_routes(
    devices: Devices, door: OrderDoor, engine: Engine, acts: Acts, pump: Pump, clock: Clock
) -> Mapping[tuple[str, str], Endpoint]:
    """The routes for devices: (method, path) -> endpoint, to be called without a router between."""

    async def orders(request: Request) -> Response:
        """What waits for this device."""
        reporter = devices.number(request)
        said = request.query_params.get("wait_s", "0")
        try:
            wait_s = min(max(float(said), 0.0), WAIT_S_MAX)
        except ValueError:
            raise Problem(400, "Impossible parameter", f"wait_s is a number of seconds, not {said[:40]!r}.") from None
        try:
            found = await door.pick_up(reporter, wait_s if wait_s == wait_s else 0.0)
        except StorageFull as error:
            raise Problem(507, "Disk full", "Orders cannot be written down now.", retry_after_s=30) from error
        return Response(encode_orders(found), media_type="application/json")

    async def receipts(request: Request) -> Response:
        """What a device says of the orders that it got."""
        reporter = devices.number(request)
        body = await read_body(request, RECEIPTS_BYTES_MAX)
        try:
            said = decode_receipts(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "Not readable", str(error), mend="Send a JSON array of receipts.") from error
        now_us, taken = clock.now_us(), 0
        for receipt in said:
            command, asset = engine.commands.find(receipt.order), engine.registry.numbers.get(receipt.asset, 0)
            if command is not None and asset:
                taken += engine.commands.receipt(command, asset, reporter, receipt.result, receipt.detail, now_us)
        acts.note_orders()
        try:
            await pump.settled()
        except StorageFull as error:
            raise Problem(507, "Disk full", "Receipts cannot be written down now.", retry_after_s=30) from error
        return Response(msgspec.json.encode(ReceiptsTaken(taken, len(said) - taken)), media_type="application/json")

    return {("GET", ORDERS_PATH): orders, ("POST", RECEIPTS_PATH): receipts}


def _orders(offer: Offer, engine: Engine) -> list[Order]:
    command, ids = offer.command, engine.registry.ids
    issued, expires = from_us(command.proposed_us), from_us(command.expires_us)
    action = command.order.action.name
    numbers: list[int] = command.order.assets[offer.rows].tolist()
    ends: list[bool] = engine.examiner.knows_end(command.order)[offer.rows].tolist()
    params = {knows: command.order.told(knows_end=knows) for knows in (True, False)}
    return [
        Order(command.id, ids[asset], action, params[knows], issued, expires)
        for asset, knows in zip(numbers, ends, strict=True)
    ]

"""Orders to sites: right in each version of the list, and refused with the reason where they cannot be given."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.rsmp.test_door import ATTACHED, JUNCTION, Disk, door_of
from tests.orders import Bench
from tests.transports.test_tcp import comes
from vigie.api.orders import OrderDoor
from vigie.api.rsmp import Memory, RsmpOrders, RsmpSteering
from vigie.api.rsmp.orders import ORDERS
from vigie.engine.command import Command
from vigie.engine.pump import Pump
from vigie.protocols.rsmp import SXLS, Of
from vigie.services.signals import Junction


def memory() -> Memory:
    """What was ordered, kept for as long as the test."""
    kept: list[str] = []

    async def write(text: str) -> None:
        kept[:] = [text]

    return Memory(lambda: kept[0] if kept else None, write)


SAID = {
    "run_plan": {"plan": 16.0},
    "set_mode": {"mode": "flashing"},
    "run_day_plans": {"days": "mon-fri 06:30=2 22:00=16; sat-sun 09:00=1"},
}


@pytest.mark.parametrize("action", ORDERS)
@pytest.mark.parametrize("sxl", SXLS)
def test_each_order_is_as_the_list_wants_it(action: str, sxl: str) -> None:
    assert action in Junction.actions
    for code, values in ORDERS[action](SAID[action]).items():
        signal = SXLS[sxl].find(code, Of.CONTROLLER)
        assert signal.security == 2
        assert signal.problem({**values, "securityCode": "2"}) == ""


def test_every_mode_that_can_be_ordered_is_known() -> None:
    for mode in Junction.set_mode.params[0].choices:
        assert ORDERS["set_mode"]({"mode": mode})["M0001"]["status"] in {"NormalControl", "YellowFlash"}
        assert mode in Junction.mode.choices


def test_without_its_code_a_site_is_not_asked_and_the_order_says_why(bench: Bench) -> None:
    async def ordered() -> Command:
        pump = Pump(bench.engine, bench.clock)
        pump.start()
        rsmp = door_of(bench, Disk())
        door = OrderDoor(bench.engine, bench.acts, pump, bench.clock)
        kept = memory()
        await kept.write(f'["{JUNCTION}"]')
        steering = RsmpSteering(rsmp, bench.engine, bench.clock, kept, lambda number: JUNCTION)
        orders = RsmpOrders(rsmp, door, bench.engine, bench.acts, pump, bench.clock, steering)
        command = bench.give("junction.run_plan", {"plan": 4}, [JUNCTION])
        # Nobody is there: it waits.
        orders.wake()
        assert command.counts == {"waiting": 1}
        await rsmp._take([ATTACHED])
        await comes(lambda: command.counts == {"failed": 1})
        # What came to nothing leaves it as it was.
        assert steering.deciding(JUNCTION).ordered
        await pump.stop()
        return command

    command = asyncio.run(ordered())
    assert command.refusals[0].rule == "device.failed"
    assert "security code 2" in str(command.refusals[0].detail)

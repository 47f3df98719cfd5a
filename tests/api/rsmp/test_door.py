"""What cannot be kept was not learnt; and a controller that is away is told to be silent, until it is back."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.orders import GATEWAY, Bench
from vigie.api.rsmp import Listening, Means, RsmpDoor, SiteHealth
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings
from vigie.engine.pump import Acknowledgement, Busy
from vigie.protocols.rsmp import About, Enrolment, Of
from vigie.protocols.rsmp.events import AlarmState, AlarmTold, Attached, Detached
from vigie.services.signals import CONTROLLER_SILENT
from vigie.transports.mqtt import NotNow

JUNCTION = "junction-j1"
ATTACHED, GONE = Attached("J", "3.2.2", "1.2.1", 0), Detached("J", "cut")
ALARM = AlarmTold("J", "TC", "A0001", About.ISSUE, 1, AlarmState(True, False, False), 2, {}, False, "r")


class Disk:
    """Takes readings, when it may."""

    def __init__(self) -> None:
        self.free = True
        self.taken: list[Readings] = []

    async def take(self, readings: Readings, reporter: int) -> Acknowledgement:
        if not self.free:
            raise Busy
        self.taken.append(readings)
        return Acknowledgement(len(readings), 0, 0, [Rejected(0, Outcome.TOO_OLD, "old")])


def door_of(bench: Bench, disk: Disk) -> RsmpDoor:
    made = RsmpDoor(Means(bench.clock, disk.take, lambda number: JUNCTION), Listening("127.0.0.1", 0), seed="x")
    made.load([(GATEWAY, Enrolment(("J",), {"TC": Of.CONTROLLER}))])
    return made


def test_what_was_not_kept_is_told_again(bench: Bench) -> None:
    disk = Disk()
    door = door_of(bench, disk)
    disk.free = False
    with pytest.raises(NotNow):
        asyncio.run(door._take([ALARM]))
    disk.free = True
    asyncio.run(door._take([ALARM]))
    assert [(each.points, each.values) for each in disk.taken] == [(["fault", "faults"], ["major", "A0001 TC"])]
    assert door.sites["J"].refused == {"too_old": 1}


def test_a_controller_that_is_away_is_silent_until_it_is_back(bench: Bench) -> None:
    door = door_of(bench, Disk())
    health = SiteHealth(door, bench.engine, bench.clock, lambda number: JUNCTION)
    asset = np.array([bench.engine.registry.numbers[JUNCTION]], np.int64)

    def silent() -> bool:
        health.look()
        bench.engine.settle()
        return bool(bench.engine.is_open(CONTROLLER_SILENT, asset)[0])

    assert not silent()
    asyncio.run(door._take([ATTACHED]))
    bench.later(600)
    assert not silent()
    asyncio.run(door._take([GONE]))
    bench.later(100)
    assert not silent()
    bench.later(30)
    assert silent()
    asyncio.run(door._take([ATTACHED]))
    assert not silent()
    asyncio.run(door._take([GONE]))
    bench.later(150)
    assert silent()
    # Expelled: nobody is missed any more.
    door.load([])
    assert door.sites == {}
    assert not silent()

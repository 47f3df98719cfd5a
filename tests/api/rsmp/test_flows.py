"""What the logics of a controller count, told of the detectors of the inventory."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.api.rsmp.test_door import JUNCTION, Disk
from tests.api.rsmp.test_telling import ATTACHED, alarm
from tests.orders import GATEWAY, Bench
from vigie.api.rsmp import Listening, Means, RsmpDoor, SiteHealth
from vigie.api.rsmp.counting import Counted
from vigie.api.rsmp.flows import FLOWS, flows_counted
from vigie.api.rsmp.telling import Telling
from vigie.core.times import SECOND_US
from vigie.protocols.rsmp import SXLS, Enrolment, Of, Quality
from vigie.protocols.rsmp.events import StatusTold, Told
from vigie.protocols.rsmp.times import stamp

MINUTE = 60 * SECOND_US
AT = 1_000 * MINUTE


def minute(start_us: int, at_us: int, **values: str) -> StatusTold:
    """A message with what was measured from an instant on."""
    codes = {"vehicles": "S0205", "speed": "S0206", "occupancy": "S0207"}
    said = [(codes[name], each, text) for name, value in values.items() for each, text in
            (("start", stamp(start_us)), (name, value))]  # fmt: skip
    return StatusTold("J", "TC", at_us, tuple(Told(*each, Quality.RECENT) for each in said), asked=False, receipt="r")


def rows(telling: Telling, *events: object) -> set[tuple[str, str, object]]:
    told = telling.readings(events)  # type: ignore[arg-type]
    return {*zip(told.assets, told.points, told.values, strict=True)}


@pytest.fixture
def telling() -> Telling:
    return Telling("j", detectors={"d1": 1, "d3": 3, "d9": 9})


def test_a_minute_is_the_flow_speed_and_occupancy_of_the_detectors_that_it_is_of(telling: Telling) -> None:
    found = rows(telling, minute(AT - MINUTE, AT, vehicles="12,7,0", speed="43,50,0", occupancy="20,-1,3"))
    assert found == {
        ("d1", "flow", 720.0), ("d1", "speed", 43.0), ("d1", "occupancy", 20.0), ("d1", "working", True),
        # Nobody came, so there is no speed; a ninth logic it does not have.
        ("d3", "flow", 0.0), ("d3", "occupancy", 3.0), ("d3", "working", True),
    }  # fmt: skip
    found = rows(telling, minute(AT - 2 * MINUTE, AT, vehicles="12,7,0"))
    assert ("d1", "flow", 360.0) in found, "its controller tells when it began to measure"


def test_what_cannot_be_measured_or_is_faulty_is_no_traffic(telling: Telling) -> None:
    found = rows(telling, ATTACHED, alarm("A0302", 5, component="DL003"))
    assert not any(point == "working" for _, point, _ in found)
    assert rows(telling, minute(AT - MINUTE, AT, vehicles="-1,7,33", occupancy="-1,5,100")) == {
        ("d1", "working", False), ("d3", "working", False),
    }  # fmt: skip


@pytest.mark.parametrize("seconds", [-60, 0, 2, 3_600])
def test_of_no_time_or_of_an_hour_nothing_is_told(telling: Telling, seconds: int) -> None:
    assert rows(telling, minute(AT - seconds * SECOND_US, AT, vehicles="1,2,3", speed="1,2,3")) == set()


@pytest.mark.parametrize("said", ["", "--5,x", "9" * 4_000, "٣,١"])
def test_rubbish_is_no_traffic(telling: Telling, said: str) -> None:
    assert not any(point == "flow" for _, point, _ in rows(telling, minute(AT - MINUTE, AT, vehicles=said)))


def test_a_minute_that_the_post_heard_second_by_second_is_told_as_well() -> None:
    counted = [Counted(7, 12.5), Counted(silent=True), Counted(asks=True), Counted(5, 99.0, faulty=True)]
    found = {(asset, point.name, value) for asset, point, value, _ in
             flows_counted(counted, 60, AT, {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5})}  # fmt: skip
    assert found == {
        ("a", "working", True), ("a", "flow", 420.0), ("a", "occupancy", 12.5), ("b", "working", False),
        ("c", "working", True), ("d", "working", False),
    }  # fmt: skip


def test_what_is_wished_for_is_in_every_version_of_the_list() -> None:
    for sxl in SXLS.values():
        for code, name in FLOWS:
            assert sxl.find(code, Of.CONTROLLER).argument(name) is not None


def test_a_controller_is_asked_once_it_counts_for_detectors_and_no_more_when_it_does_not(bench: Bench) -> None:
    detectors: dict[str, int] = {}
    means = Means(bench.clock, Disk().take, lambda number: JUNCTION, lambda number: dict(detectors))
    door = RsmpDoor(means, Listening("", 0), seed="x")
    door.load([(GATEWAY, Enrolment(("J",), {"TC": Of.CONTROLLER}))])

    def wanted() -> set[tuple[str, str]]:
        door.look_for_detectors()
        return {*door._supervisor.sites["J"].wanted["TC"]}

    assert not wanted() & FLOWS.keys()
    detectors["d1"] = 1
    assert wanted() >= FLOWS.keys()
    detectors.clear()
    assert not wanted() & FLOWS.keys()


def test_a_minute_is_kept_before_it_is_acknowledged(bench: Bench) -> None:
    disk = Disk()
    door = RsmpDoor(
        Means(bench.clock, disk.take, lambda number: JUNCTION, lambda number: {"d1": 1}), Listening("", 0), seed="x"
    )
    door.load([(GATEWAY, Enrolment(("J",), {"TC": Of.CONTROLLER}))])
    asyncio.run(door._take([minute(AT - MINUTE, AT, vehicles="6")]))
    (taken,) = disk.taken
    assert [*zip(taken.assets, taken.points, taken.values, strict=True)] == [
        ("d1", "working", True),
        ("d1", "flow", 360.0),
    ]
    assert np.array_equal(taken.observed_us, [AT, AT])


def test_a_device_that_is_admitted_for_more_is_asked_at_the_next_look(bench: Bench) -> None:
    detectors: dict[str, int] = {}
    means = Means(bench.clock, Disk().take, lambda number: JUNCTION, lambda number: dict(detectors))
    door = RsmpDoor(means, Listening("", 0), seed="x")
    sites = [(GATEWAY, Enrolment(("J",), {"TC": Of.CONTROLLER}))]
    door.load(sites)
    health = SiteHealth(door, bench.engine, bench.clock, lambda number: JUNCTION)
    health.look()
    # Who speaks for what is written down a moment after the doors have heard that somebody was admitted.
    door.load(sites)
    detectors["d1"] = 1
    bench.engine.settle()
    health.look()
    assert door.sites["J"].detectors == {"d1": 1}

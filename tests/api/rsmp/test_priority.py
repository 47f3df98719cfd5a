"""Who goes first at the post: what vehicles say becomes a claim or a request, and who may know of whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import shapely

from tests.api.rsmp.test_door import JUNCTION
from tests.api.rsmp.test_steering import BOTH, NOBODY, Post
from tests.city import drafts
from tests.orders import Bench
from tests.services.signals.priority.test_passages import known, place, rebuilt
from vigie.api.city.sources import Sources
from vigie.api.rsmp.deciding import DecidingDoor
from vigie.api.rsmp.priority import ASKED, CLAIMED
from vigie.core.drafts import Draft
from vigie.core.times import SECOND_US
from vigie.protocols.rsmp import CannotAsk, Moment, Quality, Turn, Way
from vigie.protocols.rsmp.events import Fate, Settled, StatusTold, Told
from vigie.protocols.rsmp.inputs import read, standing
from vigie.services.signals import EMERGENCY_PASSES
from vigie.services.signals.control.site import Site as Document
from vigie.services.signals.control.steering import Because
from vigie.services.signals.priority.passages import Passages

BUS, ON_LINE, AMBULANCE = "bus-b1", "bus-b2", "vehicle-v1"
LON, LAT = 5.0, 47.3


class Town(Post):
    """A post with a cross-roads, a bus and an ambulance. orders: the requests that were sent."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(bench, monkeypatch)
        self.documents: dict[str, Document] = {JUNCTION: known()}
        self.orders: list[Mapping[str, str]] = []
        self.messages = 0
        self.wire.ways = (Way.INPUTS, Way.PRIORITY)
        monkeypatch.setattr(self.wire, "order", self.order)

    def order(self, component: str, commands: Mapping[str, Mapping[str, str]], moment: Moment) -> tuple[str, Turn]:
        if not self.wire.takes:
            raise CannotAsk("too many")
        self.orders += [values for code, values in commands.items() if code == "M0022"]
        self.messages += 1
        if "M0013" in commands:
            # Its inputs stand as they are asked.
            self.inputs = standing(read(commands["M0013"]["status"])[0], 8)
        return str(self.messages), Turn()

    async def pass_(self, seconds: int, groups: str = "11BB", vehicles: str = NOBODY, *, ago_s: int = 0) -> None:
        """North and south are green, whatever is asked."""
        await super().pass_(seconds, groups, vehicles, ago_s=ago_s)
        # What is read beside the step is known before the next.
        reading = self.steering.priority.fleet.reading
        assert reading is not None
        await reading

    def declares(self, *said: tuple[str, str]) -> None:
        """The site tells how its priorities stand."""
        at = self.bench.clock.now_us()
        value = cast(Any, [{"r": number, "t": "2026-11-24T03:00:00.000Z", "s": state} for number, state in said])
        event = StatusTold("J", "TC", at, (Told("S0033", "status", value, Quality.RECENT),), asked=False, receipt="")
        self.steering._hear(self.wire.sites["J"], event)

    def drives(self, asset: str, bearing_deg: float, away_m: float, **points: float) -> None:
        """Where a vehicle is now, seen from the middle of the junction."""
        engine, now_us = self.bench.engine, self.bench.clock.now_us()
        at = [(asset, name, value, now_us) for name, value in points.items()]
        self.bench.say([*at])
        number, (lon, lat) = engine.registry.numbers[asset], place(bearing_deg, away_m, LON, LAT)
        slot = engine.registry.slot(number, engine.registry.kind_of(number).points["position"])
        picture = engine.picture
        picture.fit()
        picture.value[slot], picture.value2[slot] = lon, lat
        picture.observed_us[slot] = picture.received_us[slot] = now_us

    async def comes(self, asset: str, bearing_deg: float, *away_m: float, **points: float) -> None:
        """It drives on; the junction tells its seconds meanwhile, and the post takes its steps."""
        for each in away_m:
            await self.pass_(2)
            self.drives(asset, bearing_deg, each, **points)
        await self.pass_(1)

    def rebuild(self) -> None:
        """Another document comes into force, of the junction after it was rebuilt."""
        self.documents = {JUNCTION: rebuilt()}
        self.bench.engine.plans.edition += 1

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.steering.deciding(JUNCTION).going]

    @property
    def passes(self) -> bool:
        """Whether it is written down that an emergency vehicle goes first."""
        return bool(self.bench.engine.is_open(EMERGENCY_PASSES, np.array([self.number], np.int64))[0])


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    bends = shapely.LineString([place(45.0, 400.0, LON, LAT), place(90.0, 60.0, LON, LAT), (LON, LAT)])
    more = [
        *(
            Draft(key=key, kind="vehicle", lon=LON, lat=LAT, area="dijon-metropole/dijon", attributes=attributes)
            for key, attributes in (("v1", {"emergency": "yes"}), ("v2", {"emergency": "no"}), ("v3", {}))
        ),
        Draft(key="b2", kind="bus", lon=LON, lat=LAT, area="dijon-metropole", attributes={"line": "L1"}),
        Draft(key="l1", kind="transit_line", lon=LON, lat=LAT, area="dijon-metropole", attributes={"line": "L1"},
              geometry=shapely.to_wkb(bends)),
    ]  # fmt: skip
    monkeypatch.setattr("tests.orders.drafts", lambda: [*drafts(), *more])
    bench = Bench(tmp_path)
    yield Town(bench, monkeypatch)
    bench.close()


def test_at_a_steered_junction_a_late_bus_is_weighed_and_it_says_so(town: Town) -> None:
    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(BUS, 90.0, 160, 140, delay=10.0)
        (going,) = town.steering.deciding(JUNCTION).going
        assert (going.state, going.groups, going.passage.late_s) == (CLAIMED, ("east",), 10.0)
        await town.comes(BUS, 90.0, 120, 100, delay=120.0)
        deciding = town.steering.deciding(JUNCTION)
        assert deciding.why is not None
        assert deciding.why.asked == 1, "the stage of east and west"
        assert deciding.gives_way
        assert (town.steering.priority.came, town.passes) == ({"bus": 1}, False)
        await town.comes(BUS, 90.0, 80, delay=-5.0)
        assert town.states == []
        assert town.orders == []

    asyncio.run(story())


def test_a_bus_that_says_its_line_is_known_to_come_round_the_bend(town: Town) -> None:
    async def story() -> None:
        await town.pass_(1)
        for bus in (BUS, ON_LINE):
            for away_m in (230.0, 200.0):
                await town.pass_(3)
                town.drives(bus, 52.0, away_m, delay=90.0)
            await town.pass_(1)
        (going,) = town.steering.deciding(JUNCTION).going
        registry = town.bench.engine.registry
        assert (registry.ids[going.passage.vehicle], going.groups) == (ON_LINE, ("east",))

    asyncio.run(story())


@pytest.mark.parametrize("key", ["v2", "v3"])
def test_the_mission_of_a_vehicle_that_is_no_emergency_vehicle_counts_for_nothing(town: Town, key: str) -> None:
    async def story() -> None:
        await town.take()
        await town.comes(f"vehicle-{key}", 0.0, 160, 140, mission=1.0)
        assert town.states == []

    asyncio.run(story())


def test_an_emergency_is_written_down_while_it_passes_and_names_no_vehicle(town: Town) -> None:
    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(AMBULANCE, 0.0, 160, 140)
        assert (town.states, town.passes) == ([], False), "it is on no mission"
        await town.comes(AMBULANCE, 0.0, 120, 100, mission=1.0)
        assert (town.states, town.passes) == ([CLAIMED], True)
        found = next(each for each in town.bench.engine.conditions.of(town.number) if each.kind is EMERGENCY_PASSES)
        assert found.evidence == {"groups": "north", "by": "steering"}
        await town.comes(AMBULANCE, 180.0, 40, mission=1.0)
        assert (town.states, town.passes) == ([], False)

    asyncio.run(story())


@pytest.mark.parametrize("comes", [BUS, AMBULANCE])
def test_a_document_that_changes_while_somebody_comes_costs_nobody_the_steering(town: Town, comes: str) -> None:
    points = {"mission": 1.0} if comes == AMBULANCE else {"delay": 90.0}

    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(comes, 270.0, 160, 140, **points)
        assert town.states == [CLAIMED]
        town.rebuild()
        await town.pass_(3, "1B")
        assert (town.because, town.states) == (Because.ORDERED, [])
        await town.comes(comes, 270.0, 120)
        assert [each.groups for each in town.steering.deciding(JUNCTION).going] == [("east",)]

    asyncio.run(story())


def test_who_comes_is_told_by_the_document_that_they_came_by(town: Town) -> None:
    async def story() -> None:
        await town.pass_(3)
        await town.comes(BUS, 270.0, 160, 140, delay=90.0)
        town.rebuild()
        # Somebody asks before anybody is seen again.
        town.steering.priority.keep(town.documents, 10**6)
        assert town.states == []

    asyncio.run(story())


def test_what_was_written_down_before_a_restart_ends_when_nobody_comes(town: Town) -> None:
    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(AMBULANCE, 0.0, 120, 100, mission=1.0)
        assert town.passes
        town.steering = town.started()
        await town.steering.step()
        assert not town.passes, "two positions are needed, and the post has seen one"

    asyncio.run(story())


def test_a_fault_in_who_goes_first_costs_a_junction_nothing_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        await town.take()
        await town.pass_(3)
        monkeypatch.setattr(Passages, "see", lambda passages, now_us, vehicles: 1 // 0)
        await town.comes(AMBULANCE, 0.0, 120, 100, mission=1.0)
        assert (town.because, town.states) == (Because.ORDERED, [])

    asyncio.run(story())


def test_a_fault_in_who_goes_first_takes_back_what_was_asked_and_ends_the_record(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        town.declares()
        await town.comes(AMBULANCE, 0.0, 260, 240, mission=1.0)
        town.declares((town.orders[0]["requestId"], "activated"))
        await town.pass_(1)
        assert town.passes
        monkeypatch.setattr(Passages, "see", lambda passages, now_us, vehicles: 1 // 0)
        await town.pass_(2)
        assert [each["type"] for each in town.orders if each["type"] != "update"] == ["new", "cancel"]
        assert (town.passes, town.states) == (False, [])

    asyncio.run(story())


def test_a_site_that_refuses_a_request_is_not_asked_again_at_once(town: Town) -> None:
    async def story() -> None:
        town.declares()
        await town.comes(AMBULANCE, 0.0, 260, 240, mission=1.0)
        assert town.states == [ASKED]
        made = next(n for n, each in enumerate(town.orders, 1) if each["type"] == "new")
        town.wire.on_settled(town.wire.sites["J"], Settled("J", str(made), Fate.REFUSED, "no priorities"))
        assert town.states == ["rejected"]
        await town.comes(AMBULANCE, 0.0, 220, 180, mission=1.0)
        assert [each["type"] for each in town.orders if each["type"] != "update"] == ["new"]

    asyncio.run(story())


def test_of_a_site_that_is_expelled_nothing_is_kept(town: Town) -> None:
    async def story() -> None:
        town.declares()
        await town.comes(AMBULANCE, 0.0, 260, 240, mission=1.0)
        assert town.states == [ASKED]
        town.wire.load([])
        await town.steering.step()
        priority = town.steering.priority
        assert (priority._requests, priority._declares, town.states) == ({}, set(), [""])

    asyncio.run(story())


def test_courses_that_could_not_be_read_are_read_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        lines, fleet = town.bench.engine.facts.lines, town.steering.priority.fleet
        monkeypatch.setattr(town.bench.engine.facts, "lines", lambda kind: 1 // 0)
        monkeypatch.setattr("vigie.api.rsmp.fleet.AGAIN_S", 0.0)
        await town.pass_(1)
        bus = town.bench.engine.registry.numbers[ON_LINE]
        assert fleet.course(bus) is None
        monkeypatch.setattr(town.bench.engine.facts, "lines", lines)
        await town.pass_(1)
        assert fleet.course(bus) is not None

    asyncio.run(story())


def test_under_its_own_plan_a_junction_is_asked_that_has_told_of_its_priorities(town: Town) -> None:
    async def story() -> None:
        await town.comes(AMBULANCE, 0.0, 300, 280, mission=1.0)
        assert (town.orders, town.states) == ([], [""]), "it has not told"
        town.declares()
        await town.comes(AMBULANCE, 0.0, 260, 240, mission=1.0)
        (asked,) = (each for each in town.orders if each["type"] == "new")
        assert {"inputId": "1", "level": "14", "vehicleType": "emergency"}.items() <= asked.items()
        assert (town.states, town.passes) == ([ASKED], False)
        town.declares((asked["requestId"], "activated"))
        await town.pass_(1)
        assert (town.states, town.passes) == (["activated"], True)
        assert town.steering.deciding(JUNCTION).gives_way
        await town.comes(AMBULANCE, 180.0, 60, mission=1.0)
        assert [each["type"] for each in town.orders][-1] == "cancel"
        assert not town.passes
        assert town.steering.priority.asked["new"] == 1

    asyncio.run(story())


def test_nothing_is_asked_of_who_has_no_priorities_or_is_not_to_be_asked(town: Town) -> None:
    async def passes(away_m: float) -> None:
        """An ambulance comes, and is gone."""
        await town.comes(AMBULANCE, 0.0, away_m + 20, away_m, mission=1.0)
        assert (len(town.states), town.orders) == (1, [])
        await town.comes(AMBULANCE, 180.0, 60)

    async def story() -> None:
        town.declares()
        town.bench.engine.consignations.held[town.number] = 1
        await passes(140)
        town.bench.engine.consignations.held[town.number] = 0
        town.wire.takes = False
        await passes(130)
        town.wire.takes = True
        values = (Told("S0033", "status", None, Quality.UNKNOWN),)
        town.steering._hear(town.wire.sites["J"], StatusTold("J", "TC", 0, values, asked=False, receipt=""))
        await passes(120)
        town.declares()
        town.wire.ways = (Way.INPUTS,)
        await passes(110)
        town.wire.ways = (Way.INPUTS, Way.PRIORITY)
        town.declares()
        await town.take()
        await town.pass_(3)
        await passes(100)

    asyncio.run(story())


def test_of_a_junction_that_was_unsafe_nothing_is_asked_steered_or_not(town: Town) -> None:
    async def story() -> None:
        town.declares()
        await town.take()
        await town.pass_(3)
        await town.pass_(2, BOTH)
        assert town.is_unsafe
        await town.comes(AMBULANCE, 0.0, 300, 280, mission=1.0)
        await town.steering.let_go(town.number, 10**18)
        await town.comes(AMBULANCE, 0.0, 260, 240, mission=1.0)
        assert (town.is_unsafe, town.orders, town.states) == (True, [], [""])

    asyncio.run(story())


def test_when_the_post_takes_a_junction_in_hand_it_takes_its_request_back(town: Town) -> None:
    async def story() -> None:
        town.declares()
        await town.comes(AMBULANCE, 0.0, 200, 180, mission=1.0)
        await town.take()
        await town.comes(AMBULANCE, 0.0, 160, 140, mission=1.0)
        assert [each["type"] for each in town.orders] == ["new", "cancel"]
        assert town.states == [CLAIMED]

    asyncio.run(story())


def test_a_mission_that_is_not_said_again_is_over(town: Town) -> None:
    async def story() -> None:
        await town.comes(AMBULANCE, 0.0, 160, 140, mission=1.0)
        assert len(town.states) == 1
        town.bench.later(121)
        await town.comes(AMBULANCE, 0.0, 120, 100)
        assert town.states == []

    asyncio.run(story())


@pytest.mark.parametrize("sees", [True, False])
def test_which_vehicle_it_is_those_know_who_may_see_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, *, sees: bool
) -> None:
    async def story() -> None:
        await town.take()
        await town.pass_(3)
        await town.comes(AMBULANCE, 90.0, 120, 100, mission=1.0)
        registry = town.bench.engine.registry
        covered = np.ones(registry.count, np.bool_)
        covered[registry.numbers[AMBULANCE]] = sees
        sources = SimpleNamespace(engine=town.bench.engine, sight=lambda caller: SimpleNamespace(covered=covered))
        door = DecidingDoor(cast(Sources, sources), town.steering.deciding)
        ask = SimpleNamespace(caller=None, part=lambda name: JUNCTION)
        form = await door.tell(cast(Any, ask))
        (going,) = form.going
        assert (going.sort, going.groups, going.state) == ("emergency", ("east",), CLAIMED)
        assert going.vehicle == (AMBULANCE if sees else None)
        assert (going.name is None) == (not sees)
        assert form.decides == "priority"

    asyncio.run(story())


def test_a_vehicle_at_the_middle_of_the_world_or_with_a_wrong_clock_asks_for_nothing(town: Town) -> None:
    async def story() -> None:
        town.declares()
        await town.comes(AMBULANCE, 0.0, 160, 140, mission=1.0)
        engine = town.bench.engine
        number = engine.registry.numbers[AMBULANCE]
        slot = engine.registry.slot(number, engine.registry.kind_of(number).points["position"])
        engine.picture.observed_us[slot] -= 30 * SECOND_US
        await town.pass_(1)
        assert town.states == []
        engine.picture.observed_us[slot] = town.bench.clock.now_us()
        engine.picture.received_us[slot] = town.bench.clock.now_us()
        engine.picture.value[slot] = engine.picture.value2[slot] = 0.0
        await town.pass_(2)
        assert town.states == []

    asyncio.run(story())

"""Gateways of the city and a CMS over real HTTP: they attach, report, obey, and outlive bad luck."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from tests import metropolis
from tests.protocols.talq.standard import Standard
from tests.sim.talq.town import Town, lamp_of, town
from vigie.core.kinds import Quality
from vigie.core.times import HOUR_US, SECOND_US, from_us, to_us
from vigie.protocols.talq import (
    Difference,
    Night,
    Programme,
    Rule,
    Slot,
    Sort,
    Year,
    actuators,
    digest,
    written,
    written_year,
)
from vigie.protocols.talq.cms import Enrolment
from vigie.protocols.talq.events import Attached, Reported
from vigie.protocols.talq.messages import (
    ImmediateReportingMode,
    ListedSources,
    LoggerConfig,
    ResourceReference,
    VendorRecordingMode,
)
from vigie.protocols.talq.peer import Step
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city import City
from vigie.sim.city.facts import CABINETS, LUMINAIRES
from vigie.sim.city.inventory import ids
from vigie.sim.devices import values_of
from vigie.sim.life import Reports
from vigie.sim.life.lamps import NONE
from vigie.sim.talq.equipment import FULL_LIGHT, LOGGERS, address_of
from vigie.sim.talq.park import Park
from vigie.sim.talq.sharing import lighting_gateways
from vigie.transports.http_end import Asked, Told

NAME = "lighting-flavignerot"
OTHER = "lighting-corcelles-les-monts"
_IDS = {"luminaire": ids("luminaire", LUMINAIRES), "cabinet": ids("cabinet", CABINETS)}
NIGHT_US = to_us(datetime(2026, 11, 24, 19, 0, tzinfo=UTC))

Story = Callable[[Town], Awaitable[None]]
Tell = Callable[..., None]


@pytest.fixture(scope="module")
def city() -> City:
    """The city with the lamps of two small communes: a night of theirs is soon over."""
    whole = metropolis.city()
    own = [number for number, name in enumerate(lighting_gateways(whole)["cabinet"]) if name in (NAME, OTHER)]
    return metropolis.small(whole, own)


@pytest.fixture(scope="module")
def park(city: City) -> Park:
    return Park.of(city)


@pytest.fixture
def tell(city: City, park: Park, talq: Standard) -> Tell:
    """Runs a story in a town of one gateway, or more."""

    def run(story: Story, *names: str, start_us: int = NIGHT_US) -> None:
        async def told() -> None:
            async with town(city, park, talq, names or (NAME,), start_us) as made:
                await story(made)

        asyncio.run(told())

    return run


def lamps_of(park: Park, name: str = NAME) -> list[int]:
    """The numbers of a gateway's lamps."""
    return [number for number, own in enumerate(park.gateways["luminaire"]) if own == name]


def able(town: Town, park: Park) -> list[int]:
    """The lamps of the gateway that are fed and whole."""
    return [each for each in lamps_of(park) if town.life.lamps.fault[each] == NONE]


def asset(number: int, kind: str = "luminaire") -> str:
    """The id of a lamp or cabinet."""
    return _IDS[kind][number]


def test_gateways_attach_and_all_that_devices_say_arrives_as_it_was_said(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        for name in (NAME, OTHER):
            assert town.post.peer(name).step is Step.READY
            assert len(town.post.peer(name).devices) == len(park.devices[name])
        await town.pass_time(16 * 60, 30)
        assert town.lighting.gateways[NAME].network.loggers.lost == 0
        wanted: dict[tuple[str, str], dict[int, object]] = {}
        for reports in town.said:
            kind = reports.kind.kind
            said = zip(
                reports.index.tolist(), values_of(reports.point, reports), reports.observed_us.tolist(), strict=True
            )
            for number, value, at_us in said:
                if park.gateways[kind][number] in (NAME, OTHER):
                    key = asset(number, kind), reports.point.name
                    wanted.setdefault(key, {})[at_us] = value
        # What is due is on its way for a second at most.
        await town.pass_time(5, 5)
        assert wanted.keys() == town.post.readings.keys()
        for key, values in wanted.items():
            heard = dict(town.post.readings[key])
            for at_us, value in values.items():
                close = pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
                assert heard[at_us] == close, (key, from_us(at_us))

    tell(story, NAME, OTHER)


def test_an_order_is_proved_by_what_the_lamp_says_and_ends_when_it_says(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(10)
        lamp = able(town, park)[0]
        before = town.life.lamps.level[lamp]
        until = from_us(town.post.now_us) + timedelta(minutes=2)
        order = town.post.peer(NAME).override([lamp_of(asset(lamp))], 40, until=until, mark="order-1")
        assert (await town.post.ask(NAME, order)).status == 201
        assert (await town.post.ask(NAME, order)).status == 201, "sent again, it is answered again"
        await town.pass_time(6)
        assert town.post.values(asset(lamp), "level")[-1] == 40.0
        assert town.life.lamps.level[lamp] == 40
        await town.pass_time(120)
        assert town.life.lamps.level[lamp] == before
        assert town.post.values(asset(lamp), "level")[-1] == before

    tell(story)


def test_a_release_and_an_order_that_begins_later(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(10)
        peer, (first, second) = town.post.peer(NAME), able(town, park)[:2]
        before = town.life.lamps.level[first]
        start = from_us(town.post.now_us) + timedelta(seconds=30)
        await town.post.ask(NAME, peer.override([lamp_of(asset(first))], 30))
        await town.post.ask(NAME, peer.override([lamp_of(asset(second))], 20, start=start))
        await town.pass_time(10)
        assert town.life.lamps.level[[first, second]].tolist() == [30, before]
        await town.post.ask(NAME, peer.release([lamp_of(asset(first))]))
        await town.pass_time(30)
        assert town.life.lamps.level[[first, second]].tolist() == [before, 20]

    tell(story)


def test_an_order_holds_over_dawn_and_ends_when_it_says(tell: Tell, park: Park) -> None:
    dawn_us = to_us(datetime(2026, 11, 25, 6, 20, tzinfo=UTC))

    async def story(town: Town) -> None:
        cabinet, lamps = town.city.lighting.cabinet, town.life.lamps
        permanent = [each for each in able(town, park) if not town.city.lighting.switched[cabinet[each]]]
        assert permanent, "some of this gateway's cabinets are fed by day"
        held, until_us = permanent[0], dawn_us + 2 * HOUR_US
        order = town.post.peer(NAME).override([lamp_of(asset(held))], 20, until=from_us(until_us))
        await town.post.ask(NAME, order)
        await town.pass_time(3_600, 60)
        assert set(lamps.level[permanent[1:]].tolist()) == {0}, "it is day"
        assert lamps.level[held] == 20
        await town.pass_time(3_700, 60)
        assert lamps.level[held] == 0

    tell(story, start_us=dawn_us)


def test_full_light_of_a_cabinet_is_an_order_to_its_own_actuator(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(10)
        peer = town.post.peer(NAME)
        number = park.gateways["cabinet"].index(NAME)
        (contactor,) = actuators(peer.devices[address_of(asset(number, "cabinet"))])
        assert contactor == ResourceReference("devices", f"{address_of(asset(number, 'cabinet'))}/{FULL_LIGHT}")
        for request, said in ((peer.override([contactor], 100), True), (peer.release([contactor]), False)):
            await town.post.ask(NAME, request)
            await town.pass_time(10)
            assert town.post.values(asset(number, "cabinet"), "full_light")[-1] is said

    tell(story)


def test_a_programme_that_the_gateway_holds_rules_its_lamps(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(10)
        own, peer = able(town, park), town.post.peer(NAME)
        ruled, free = own[:-1], own[-1]
        before = town.life.lamps.level[free]
        await give_programme(town, ruled)
        await town.pass_time(150, 10)
        lamps = town.life.lamps
        assert set(lamps.level[[each for each in ruled if lamps.fault[each] == NONE]].tolist()) == {35}
        assert lamps.level[free] == before
        # Five in the morning, by the city's clocks: the programme wants another level.
        await town.pass_time((to_us(datetime(2026, 11, 25, 4, 5, tzinfo=UTC)) - town.post.now_us) / 1e6, 600)
        assert set(lamps.level[[each for each in ruled if lamps.fault[each] == NONE]].tolist()) == {80}
        # And by day it gives no light.
        await town.pass_time(5 * 3_600, 600)
        assert set(lamps.level[ruled].tolist()) == {0}
        await town.post.ask(NAME, peer.assign("", [lamp_of(asset(each)) for each in ruled]))
        await town.pass_time((NIGHT_US + 24 * HOUR_US - town.post.now_us) / 1e6, 1_800)
        well = [each for each in own if lamps.fault[each] == NONE]
        assert set(lamps.level[well].tolist()) == {before}

    tell(story)


async def give_programme(town: Town, lamps: list[int]) -> None:
    """A programme of 35 per cent, and 80 from five in the morning, for these lamps."""
    peer, owner = town.post.peer(NAME), town.post.cms.address
    evening = Programme("evening", (Night(),), (Slot(time(5), 80), Slot(time(17), 35)))
    year = Year("year", (Rule("evening"),))
    peer.wanted.programs["evening"] = written(evening, owner)
    peer.wanted.calendars["year"] = written_year(year, owner)
    missing = [Difference(sort, name, wanted, None) for sort, name, wanted in (
        (Sort.PROGRAM, "evening", peer.wanted.programs["evening"]),
        (Sort.CALENDAR, "year", peer.wanted.calendars["year"]),
    )]  # fmt: skip
    for request in peer.mend(missing):
        assert (await town.post.ask(NAME, request)).status == 201
    given = await town.post.ask(NAME, peer.assign("year", [lamp_of(asset(each)) for each in lamps]))
    assert given.status == 201


def test_six_hours_alone(tell: Tell, park: Park) -> None:
    """The lamps stay on the programme that their gateway holds, an order of before is not done late, and what was said
    meanwhile is told, once, in few requests."""

    async def story(town: Town) -> None:
        await town.pass_time(10)
        peer, own = town.post.peer(NAME), able(town, park)
        await give_programme(town, own)
        await town.pass_time(150, 10)
        stale = peer.override([lamp_of(asset(own[0]))], 5, until=from_us(town.post.now_us) + timedelta(hours=1))
        town.post.deaf, gone_us, requests = True, town.post.now_us, len(town.post.asked)
        await town.pass_time(6 * 3_600, 30)
        lamps = town.life.lamps
        assert set(lamps.level[[each for each in own if lamps.fault[each] == NONE]].tolist()) == {35}
        assert len(town.post.asked) == requests
        town.post.deaf = False
        assert (await town.post.ask(NAME, stale)).status == 422
        await town.settle()
        await town.pass_time(5)
        assert set(lamps.level[[each for each in own if lamps.fault[each] == NONE]].tolist()) == {35}
        assert town.lighting.gateways[NAME].network.loggers.lost == 0
        assert len(town.post.asked) - requests < 20
        told = [at for at, _ in town.post.readings[asset(own[0]), "power"] if at > gone_us]
        assert len(told) == len(set(told)) >= 23, "each quarter of an hour, and none twice"

    tell(story)


def test_a_cms_that_is_busy_is_asked_again_and_nothing_is_lost(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        town.post.refuse = [Told(503, headers=(("retry-after", "0.1"),)), Told(500), Told(502)]
        await town.pass_time(10)
        assert not town.post.refuse
        assert town.board.conversations[NAME].tally.failures == 3
        assert town.board.conversations[NAME].tally.starts == 1
        heard = {key for key, point in town.post.readings if point == "level" and key.startswith("luminaire")}
        assert len(heard) > 100

    tell(story)


def test_a_cms_that_has_forgotten_the_gateway_is_told_everything_anew(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(3)
        town.post.cms.enrol(Enrolment(NAME, digest(f"secret {NAME}"), f"token {NAME}"))
        await town.pass_time(10)
        assert town.post.peer(NAME).step is Step.READY
        assert sum(isinstance(event, Attached) for event in town.post.heard) == 2
        heard = {key for key, point in town.post.readings if point == "level" and key.startswith("luminaire")}
        assert len(heard) > 100

    tell(story)


def test_what_the_cms_wants_logged_takes_the_place_of_what_the_gateway_logs_by_itself(tell: Tell) -> None:
    async def story(town: Town) -> None:
        loggers = town.lighting.gateways[NAME].network.loggers.loggers
        assert {each.address for each in LOGGERS} == loggers.keys()
        peer = town.post.peer(NAME)
        config = LoggerConfig(
            "66666666-0000-4000-8000-000000000001",
            town.post.cms.address,
            ListedSources(black_list=()),
            VendorRecordingMode(),
            ImmediateReportingMode(0),
        )
        (request,) = peer.mend([Difference(Sort.LOGGER, config.address, config, None)])
        assert (await town.post.ask(NAME, request)).status == 201
        await town.pass_time(10)
        assert {event.logger for event in town.post.heard if isinstance(event, Reported)} == {config.address}
        request = peer.caller.ask("deleteLoggerConfig", config.address)
        assert (await town.post.ask(NAME, request)).status == 200
        assert {each.address for each in LOGGERS} == loggers.keys()
        town.post.heard.clear()
        await town.pass_time(600, 60)
        assert LOGGERS[0].address in {event.logger for event in town.post.heard if isinstance(event, Reported)}

    tell(story)


def test_faults_and_losses_are_events_that_begin_and_end(tell: Tell, park: Park) -> None:
    async def story(town: Town) -> None:
        await town.pass_time(10)
        lamps, cabinet = town.life.lamps, park.gateways["cabinet"].index(NAME)
        dead = able(town, park)[0]
        steps = (
            (Luminaire, "fault", dead, ("lamp", "supply", "supply", "none", "driver", "none")),
            (Cabinet, "supply", cabinet, ("on", "lost", "lost", "off", "on", "lost", "on")),
            (Cabinet, "door", cabinet, ("open", "open", "closed", "closed")),
            (Cabinet, "breaker", cabinet, ("tripped", "tripped", "closed")),
            (Cabinet, "residual_current", cabinet, ("closed", "tripped", "closed")),
        )
        for kind, name, number, values in steps:
            for value in values:
                await town.pass_time(3)
                town.lighting.hear(say(kind, name, number, value, town.post.now_us))
        await town.pass_time(3)
        for kind, name, number, values in steps:
            heard = dict(town.post.readings[asset(number, kind.kind), name])
            said = [value for at, value in sorted(heard.items()) if at > NIGHT_US + 10 * SECOND_US]
            short = [value for value, before in zip(said, [None, *said], strict=False) if value != before]
            wanted = [value for value, before in zip(values, [None, *values], strict=False) if value != before]
            assert short == wanted, name
        assert lamps.fault[dead] == NONE
        assert not any(
            Quality.UNCERTAIN in event.readings.quality.values()
            for event in town.post.heard
            if isinstance(event, Reported)
        )

    tell(story)


def say(kind: type[Luminaire] | type[Cabinet], name: str, number: int, value: str, at_us: int) -> Reports:
    """One device says one thing."""
    point = kind.points[name]
    return Reports(kind, point, np.array([number]), np.array([at_us]), np.array([float(point.choices.index(value))]))


def test_who_is_not_there_is_not_found(tell: Tell) -> None:
    async def story(town: Town) -> None:
        assert town.board.answer(Asked("GET", "/lighting-nowhere/devices", {}, b"")).status == 404
        assert town.board.answer(Asked("GET", f"/{NAME}/devices", {}, b"")).status == 401
        assert town.board.answer(Asked("GET", f"/{NAME}", {}, b"")).status in (401, 404)

    tell(story)

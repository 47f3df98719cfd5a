"""What is answered on which address: the routes of the doors, composed."""

from __future__ import annotations

import gc
import importlib.metadata
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import ceil

from starlette.requests import Request
from starlette.routing import BaseRoute

from vigie.api.accounts import accounts_routes
from vigie.api.application import Endpoint, application
from vigie.api.devices import Devices, device_routes
from vigie.api.live import LiveFigures, live_routes
from vigie.api.mailing import MailFigures
from vigie.api.openapi import docs_routes
from vigie.api.operations import figures_access, operations_routes
from vigie.api.orders import OrderDoor, order_routes
from vigie.api.problems import Problem
from vigie.api.rsmp import (
    EscortOrders,
    RsmpDoor,
    RsmpFigures,
    RsmpOrders,
    RsmpSteering,
    SiteHealth,
    no_escorts,
    nobody_steers,
    nobody_to_ask,
)
from vigie.api.session import LoginFigures, SessionAccess, network_of, peer_of, session_routes
from vigie.api.talq import GatewayHealth, TalqFigures, TalqOrders
from vigie.api.tiles import Kiln, TileFigures
from vigie.api.trackers import tracker_routes
from vigie.app.accounts import keeper_of_post
from vigie.app.city import api_routes
from vigie.app.control import performing
from vigie.app.installation import Installation, installation
from vigie.app.live import live_hub
from vigie.app.mail import mailing
from vigie.app.mqtt import mqtt_link
from vigie.app.positions import vehicle_positions
from vigie.app.post import Post
from vigie.app.road_events import road_events
from vigie.app.rsmp import enrolments as rsmp_enrolments
from vigie.app.rsmp import junction_of, rsmp_door, steered_memory
from vigie.app.talq import enrolments, programme_keeping, talq_door
from vigie.core.scope import Placement
from vigie.core.times import SECOND_US
from vigie.engine.keeper import Keeper
from vigie.engine.rates import Allowance, Rates
from vigie.services.roads import Vehicle
from vigie.settings import Settings
from vigie.transports.control import ControlSocket
from vigie.transports.http import serve as serve_http

SWITCH_S = 0.0002


@dataclass(frozen=True)
class Doors:
    """A post, and what it answers: through the router, and around it (see `vigie.api.application.Application`).

    close: lets those go who wait for what may come, when the post is to stop. unlimited: whether it is one who is not
    held back by how often they ask. rsmp: where sites of traffic signals connect, where that is set; steering: what
    steers them.
    """

    post: Post
    routes: list[BaseRoute]
    direct: Mapping[tuple[str, str], Endpoint]
    close: Callable[[], None]
    unlimited: Callable[[Request], bool]
    rsmp: RsmpDoor | None = None
    steering: RsmpSteering | None = None


def doors_of(opened: Installation) -> Doors:
    """The post of an installation with all its doors. Nothing runs until its `life` does."""
    settings, post = opened.settings, Post(opened)
    devices = Devices(opened.facts.devices())
    door = OrderDoor(post.engine, post.acts, post.pump, opened.clock)
    direct = device_routes(devices, post.pump)
    direct |= tracker_routes(devices, post.engine.registry, post.pump, opened.clock)
    direct |= order_routes(devices, door, post.engine, post.acts, post.pump, opened.clock)
    mqtt = mqtt_link(settings, opened.shard, devices, post.pump)
    if mqtt is not None:
        post.beside.append(mqtt[0].run)
    keeper = keeper_of_post(opened, post.pump)
    talq = talq_door(opened, post)
    look_us = int(opened.settings.talq_look_s * SECOND_US)
    talq_orders = TalqOrders(talq, door, post.engine, post.acts, post.pump, opened.clock, look_us)
    post.beside += [talq.run, talq_orders.run, GatewayHealth(talq, post.engine, opened.clock).run]
    keeping = programme_keeping(opened, post, talq, post.calendar)
    events, positions = road_events(opened, post), vehicle_positions(opened, post, devices)
    outbox = mailing(opened, post)
    post.beside += [keeping.run, events.run, events.watch, *([] if positions is None else [positions.run])]

    rsmp = rsmp_door(opened, post)
    rsmp_orders, steering = _speaking_rsmp(opened, post, rsmp, door) if rsmp is not None else (None, None)
    escort_orders = _escorting(opened, post, door, steering)

    def settled() -> None:
        door.wake()
        talq_orders.wake()
        escort_orders.wake()
        if rsmp_orders is not None:
            rsmp_orders.wake()

    post.pump.on_settled = settled

    def admitted_anew() -> None:
        devices.load(opened.facts.devices())
        talq.load(enrolments(opened))
        if rsmp is not None:
            rsmp.load(rsmp_enrolments(opened))

    answering = performing(opened, post, admitted_anew, keeper, rsmp, events, positions, outbox)
    post.beside.append(ControlSocket(settings.data, answering).run)

    _knowing_crews(post, keeper)
    access = SessionAccess(keeper.directory, opened.clock)
    hub = live_hub(opened, post, access)
    post.beside.append(hub.run)
    kiln = Kiln()
    figures = [
        LiveFigures(hub),
        LoginFigures(keeper),
        TileFigures(kiln),
        TalqFigures(talq),
        *([] if rsmp is None or steering is None else [RsmpFigures(rsmp, steering)]),
        *(mqtt[1:] if mqtt else ()),
        *([] if outbox is None else [MailFigures(outbox)]),
    ]
    may_read = figures_access(access, settings.proxies)
    routes: list[BaseRoute] = [*operations_routes(post.engine, post.pump, lambda: post.trouble, may_read, figures)]
    routes += session_routes(keeper, access, opened.facts.accounts, proxies=settings.proxies)
    routes += accounts_routes(keeper, access, opened.facts.accounts)
    deciding = nobody_steers if steering is None else steering.deciding
    escorts = no_escorts if steering is None else steering.priority.escorts.told
    routes += api_routes(opened, post, access, kiln, talq, keeping, deciding, escorts, mails=outbox is not None)
    routes += live_routes(hub)
    routes += talq.routes
    routes += docs_routes(routes, direct, importlib.metadata.version("vigie"))
    return Doors(post, routes, direct, door.close, talq.knows, rsmp, steering)


def _knowing_crews(post: Post, keeper: Keeper) -> None:
    """Has whoever is of the crew that set a lock-out be known, at its asset."""

    def of_one_crew(one: str, other: str, asset: int) -> bool:
        about = post.engine.registry.about(asset)
        return keeper.directory.of_one_crew(one, other, Placement(about.area, about.service, about.verb))

    post.engine.consignations.of_one_crew = of_one_crew


def _speaking_rsmp(
    opened: Installation, post: Post, rsmp: RsmpDoor, door: OrderDoor
) -> tuple[RsmpOrders, RsmpSteering]:
    """Has the RSMP door run as long as the post, with what orders, steers and watches its sites."""
    asset_of = junction_of(post.engine)
    steering = RsmpSteering(rsmp, post.engine, opened.clock, steered_memory(opened, post), asset_of)
    orders = RsmpOrders(rsmp, door, post.engine, post.acts, post.pump, opened.clock, steering)
    health = SiteHealth(rsmp, post.engine, opened.clock, asset_of)
    post.beside += [rsmp.run, orders.run, steering.run, health.run]
    return orders, steering


def _escorting(opened: Installation, post: Post, door: OrderDoor, steering: RsmpSteering | None) -> EscortOrders:
    """Has orders to clear somebody's way carried out; where the post speaks to no junction they are refused."""
    if steering is None:
        post.engine.examiner.heed(Vehicle.escort, nobody_to_ask)
    orders = EscortOrders(door, post.engine, post.pump, opened.clock)
    post.beside.append(orders.run)
    return orders


async def serve(
    settings: Settings,
    *,
    on_ready: Callable[[int], None],
    first: Callable[[Installation], Awaitable[None]] | None = None,
) -> None:
    """Runs the post until it is asked to stop. Raises InUse, FolderUnusable, AddressRefused.

    first: what is done in the installation before it is served.
    """
    # The writer's thread comes back from the disk several times a commit, and each time waits for the interpreter
    # until the loop's thread lets go: 5 ms by default, longer than the commit itself.
    sys.setswitchinterval(SWITCH_S)
    # The city is read once and stays: the collector of cycles would go through all of it while it is read, and again
    # and again while the post runs, with nobody answered meanwhile.
    gc.disable()
    try:
        with installation(settings) as opened:
            if first is not None:
                await first(opened)
            doors = doors_of(opened)
            gc.freeze()
            gc.enable()
            answering = application(doors.routes, doors.post.life, doors.direct, _limit(opened, doors.unlimited))
            await serve_http(answering, settings.host, settings.port, on_ready=on_ready, on_stop=doors.close)
    finally:
        gc.unfreeze()
        gc.enable()


def _limit(opened: Installation, unlimited: Callable[[Request], bool]) -> Callable[[Request], None]:
    """Who asks how often, by address or network: wide enough for a control room behind one, whose maps load tiles."""
    rates, clock, proxies = Rates(Allowance(per_s=200, burst=3_000)), opened.clock, opened.settings.proxies

    def limit(request: Request) -> None:
        if unlimited(request):
            return
        wait_s = rates.take(network_of(peer_of(request, proxies)), clock.now_us())
        if wait_s:
            raise Problem(429, "Too often", "You ask more often than the post answers.", retry_after_s=ceil(wait_s))

    return limit

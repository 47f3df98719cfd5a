"""The RSMP door: sites of traffic signals connect, and the post is their supervisor.

What a site tells is on disk before it is acknowledged; where it cannot be, the site keeps it and sends it again. Of
each junction there is one site. A door whose address cannot be had is opened as soon as it can; the post works
without it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from vigie.api.rsmp.flows import FLOWS, Detectors, Row, readings_of
from vigie.api.rsmp.telling import INPUTS, PRIORITIES, SECONDS, WISHES, Telling
from vigie.core.readings import Readings
from vigie.core.times import MINUTE_US
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Acknowledgement, Busy, Stopping
from vigie.protocols.rsmp import Act, Enrolment, Link, Moment, Rate, Supervisor, Turn, Way
from vigie.protocols.rsmp.events import Attached, Detached, Garbled, Rejected, Settled, StatusTold, Step, Ticked
from vigie.transports.mqtt import NotNow
from vigie.transports.tcp import RsmpServer, now

AGAIN_S = 10.0
"""So long after its address could not be had the door tries again."""

NAMED_MAX = 1_000
"""So many of those who were not let in are remembered, so that each is told once."""

GARBLED_EVERY_US = MINUTE_US
"""How often what was not understood is told of one site, and of all who are no site: all of it is counted."""

_LIVE = frozenset(code for code, _ in (*SECONDS, *PRIORITIES))

_log = structlog.get_logger("vigie.rsmp")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where sites connect. tls: None for connections in the clear, on which whoever names a site speaks for it."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What the door works with. take: takes readings of a device in, and returns when they are on disk. asset_of: the
    id of the junction that a device, by its number, speaks for; empty for none. detectors_of: the detectors that it
    speaks for, and which of its detector logics they are."""

    clock: Clock
    take: Callable[[Readings, int], Awaitable[Acknowledgement]]
    asset_of: Callable[[int], str]
    detectors_of: Callable[[int], Detectors] = lambda number: {}


@dataclass
class Site:
    """One site at the post. number: of its device in the post's own tables. component: its controller's id.

    attached: whether it is connected. since_us: when that last changed, or when the post first knew of it. ahead_us:
    how far its clock was ahead at its last watchdog. refused: how many of its values were, by outcome. detectors: those
    of the inventory that it counts for. counts: whether it is to tell each second what is counted.
    """

    number: int
    enrolment: Enrolment
    component: str
    telling: Telling
    since_us: int
    attached: bool = False
    ahead_us: int = 0
    detectors: Detectors = field(default_factory=dict[str, int])
    counts: bool = False
    refused: Counter[str] = field(default_factory=Counter[str])

    @property
    def name(self) -> str:
        """Its site id, which is what its device is called."""
        return self.enrolment.names[0]


class RsmpDoor:
    """All sites that may speak RSMP. Lives on one event loop.

    sites: by their site ids. strangers: how many connections were refused. garbled: how many messages were not
    understood. edition: grows with each `load`. trouble: why the address could not be had. on_events: told what a site
    says, when it is on disk; on_settled: of that, what became of what it was asked.
    on_told: told what it says of its statuses as it comes. stages_of: how many stages the junction of this id has.
    """

    def __init__(self, means: Means, listening: Listening, *, seed: str) -> None:
        self._means, self.listening = means, listening
        self._supervisor = Supervisor((), seed=seed, live=_LIVE)
        self._server = RsmpServer(self._supervisor, self._take, tls=listening.tls)
        self._server.on_told = self._tell
        self.sites: dict[str, Site] = {}
        self.strangers = self.garbled = self.edition = 0
        self.trouble = ""
        self._garbled_us: dict[str, int] = {}
        self._named: dict[tuple[str, ...], None] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self.on_events: Callable[[Site, Sequence[Step]], None] = lambda site, events: None
        self.on_settled: Callable[[Site, Settled], None] = lambda site, settled: None
        self.on_told: Callable[[Site, StatusTold], None] = lambda site, told: None
        self.stages_of: Callable[[str], int] = lambda asset: 0

    def load(self, enrolled: Iterable[tuple[int, Enrolment]]) -> None:
        """These devices may speak from now on, and no others; what is as it was goes on as it did."""
        self.edition += 1
        wanted = {enrolment.names[0]: (number, enrolment) for number, enrolment in enrolled}
        for name, site in list(self.sites.items()):
            if wanted.get(name) != (site.number, site.enrolment):
                del self.sites[name]
                self._heed(self._supervisor.expel(name, now()))
        for name, (number, enrolment) in wanted.items():
            if name not in self.sites:
                component = next(iter(enrolment.components))
                self._supervisor.enrol(enrolment)
                site = Site(number, enrolment, component, Telling(""), self._means.clock.now_us())
                site.detectors = self._means.detectors_of(number)
                self._supervisor.want(name, component, _wishes(site))
                self.sites[name] = site

    @property
    def connections(self) -> int:
        """How many there are, attached or not."""
        return self._server.connections

    @property
    def turned_away(self) -> int:
        """How many connections there was no room for."""
        return self._server.turned_away

    @property
    def port(self) -> int:
        """Where it is open; 0 where it is not."""
        return self._server.port

    def count(self, site: Site, counts: bool) -> None:
        """Whether a site is to tell each second what its detectors count, from now on."""
        site.counts = counts
        self._follow(site)

    def look_for_detectors(self) -> None:
        """The inventory may be another by now: who counts for detectors of it, is asked to tell what."""
        for site in self.sites.values():
            found = self._means.detectors_of(site.number)
            wanted, site.detectors = bool(found) != bool(site.detectors), found
            if wanted:
                self._follow(site)

    def keep_flows(self, site: Site, rows: Sequence[Row]) -> None:
        """Takes in what the post has put together of a site's seconds; nobody waits for it, and what cannot be kept is
        no more lost than the seconds are."""
        if rows:
            task = asyncio.get_running_loop().create_task(self._keep_rows(site, rows))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    def _follow(self, site: Site) -> None:
        self._supervisor.want(site.name, site.component, _wishes(site))
        self._server.follow(site.name)

    async def _keep_rows(self, site: Site, rows: Sequence[Row]) -> None:
        try:
            await self._means.take(readings_of(rows), site.number)
        except (Busy, Stopping, StorageFull, OSError) as error:
            _log.warning("a minute of counts is not kept", site=site.name, reason=_why(error))

    def is_linked(self, site: Site) -> bool:
        """Whether it is connected, whatever of that is kept yet."""
        return site.name in self._supervisor.links

    def acts(self, site: Site) -> Mapping[Way, Act]:
        """By which orders control can act on a site, as far as it has shown."""
        return self._supervisor.sites[site.name].acts()

    def ask(self, site: Site, act: Callable[[Link, Moment], tuple[str, Turn]]) -> str:
        """Asks something of a site; the number of the request. Raises CannotAsk."""
        return self._server.ask(site.name, act)

    async def run(self) -> None:
        """Lets sites in until it is cancelled; then what was told is kept, and the connections end."""
        at = self.listening
        try:
            while True:
                try:
                    await self._server.start(at.host, at.port)
                except OSError as error:
                    if not self.trouble:
                        _log.error("the address cannot be had", host=at.host, port=at.port, reason=str(error))
                    self.trouble = str(error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                self.trouble = ""
                _log.info("sites may connect", host=at.host, port=self.port, tls=at.tls is not None)
                await asyncio.Event().wait()
        finally:
            await self._server.close()

    async def _take(self, events: Sequence[Step]) -> None:
        """Keeps what came on one connection; returns when it is on disk. Raises NotNow."""
        site = next((self.sites[name] for each in events if (name := _site_of(each)) in self.sites), None)
        if site is not None:
            await self._keep(site, events)
        self._heed(events)
        if site is not None:
            self.on_events(site, events)
            for each in events:
                if isinstance(each, Settled):
                    self.on_settled(site, each)

    def _tell(self, told: StatusTold) -> None:
        site = self.sites.get(told.site)
        if site is not None:
            self.on_told(site, told)

    async def _keep(self, site: Site, events: Sequence[Step]) -> None:
        asset, first = self._means.asset_of(site.number), site.enrolment.stage_inputs
        site.telling.asset = asset
        site.telling.inputs = range(first, first + self.stages_of(asset)) if first else None
        site.telling.detectors = site.detectors
        readings = site.telling.readings(events)
        if not len(readings):
            return
        try:
            taken = await self._means.take(readings, site.number)
        except (Busy, Stopping, StorageFull, OSError) as error:
            # What is not on disk was not learnt: the site connects anew and tells it all again.
            site.telling = Telling(site.telling.asset)
            raise NotNow(_why(error)) from error
        for each in taken.rejected:
            if each.outcome.value not in site.refused:
                _log.warning("refused", site=site.name, outcome=each.outcome.value, reason=each.detail)
            site.refused[each.outcome.value] += 1

    def _heed(self, events: Sequence[Step]) -> None:
        now_us = self._means.clock.now_us()
        for event in events:
            match event:
                case Rejected(names, why):
                    self.strangers += 1
                    if names not in self._named:
                        # It comes again every few seconds: it is counted each time, and told once.
                        self._named[names] = None
                        _log.warning("not let in", names=list(names)[:10], reason=why)
                    while len(self._named) > NAMED_MAX:
                        del self._named[next(iter(self._named))]
                case Garbled(name, why):
                    self.garbled += 1
                    if now_us - self._garbled_us.get(name, 0) >= GARBLED_EVERY_US:
                        self._garbled_us[name] = now_us
                        _log.warning("not understood", site=name, reason=why)
                case Attached(name, core, sxl) if name in self.sites:
                    site = self.sites[name]
                    site.attached, site.since_us = True, now_us
                    _log.info("attached", site=name, core=core, sxl=sxl)
                case Detached(name, why) if name in self.sites:
                    site = self.sites[name]
                    site.attached, site.since_us = name in self._supervisor.links, now_us
                    _log.info("detached", site=name, reason=why)
                case Ticked(name, _, ahead_us) if name in self.sites:
                    self.sites[name].ahead_us = ahead_us
                case _:
                    pass


def _wishes(site: Site) -> dict[tuple[str, str], Rate]:
    """What is subscribed to at a site's controller now."""
    wishes = dict(WISHES)
    if site.enrolment.stage_inputs:
        wishes.update(INPUTS)
        wishes.update(PRIORITIES)
    if site.detectors:
        wishes.update(FLOWS)
    if site.counts:
        wishes.update(SECONDS)
    return wishes


def _why(error: Exception) -> str:
    match error:
        case Busy():
            return "more waits to be kept than may wait"
        case Stopping():
            return "the post is stopping"
        case _:
            return f"the disk is full: {error}"


def _site_of(event: Step) -> str:
    return str(getattr(event, "site", ""))

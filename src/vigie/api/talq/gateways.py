"""How each TALQ gateway is, for whoever may see any of what it speaks for."""

from __future__ import annotations

import numpy as np

from vigie.api.city.forms import Form, Page
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.talq.door import TalqDoor
from vigie.api.talq.keeping import Keeping, ProgrammeKeeping
from vigie.api.talq.link import Link
from vigie.core.observations import Mask
from vigie.core.times import SECOND_US, rfc3339
from vigie.protocols.talq import Difference, Sort
from vigie.protocols.talq.devices import split
from vigie.protocols.talq.readings import Notice

TOLD_MAX = 100
"""Devices and assets of one gateway that are told one by one."""


class UnknownDevice(Form, frozen=True, kw_only=True):
    """A device that a gateway has, and that is none of the assets it speaks for. asset: as the gateway names it."""

    address: str
    name: str
    asset: str


class GatewayNotice(Form, frozen=True, kw_only=True):
    """What a gateway says of what it was asked: that it cannot be done, or that a device does not answer. event: TALQ's
    own word. begins: null for what has no length. asset: null where the device is none."""

    event: str
    begins: bool | None
    at: str
    device: str
    asset: str | None


class DifferenceForm(Form, frozen=True, kw_only=True):
    """Something that a gateway holds otherwise than it should. sort: TALQ's own word. what: `missing`, `other`,
    `surplus`, or `strange`: there, and in words that the post does not know. ours: whether the post mends it; what
    another system has put there it leaves alone. asset: the lamp whose calendar it is, null for what is no lamp's."""

    sort: str
    name: str
    what: str
    ours: bool
    asset: str | None


class HeldForm(Form, frozen=True, kw_only=True):
    """How a gateway stands to the programmes in force.

    stands: `unknown` until it was read, `unable` where it takes none, `in_step`, `differs` while what differs is being
    mended, `refuses` where it differs still after that. read: when it was last read whole. lamps: how many lamps have a
    calendar of ours. step_min: to how many minutes dusk and dawn are rounded, so that it has room. differences: what
    was found then; the first 100.
    """

    stands: str
    read: str | None
    lamps: int
    step_min: int
    differences: list[DifferenceForm]
    differences_total: int


class GatewayForm(Form, frozen=True, kw_only=True):
    """A TALQ gateway.

    step: how far it is attached; `ready` when whole. attached: since when, null for never. heard: when it last said or
    answered anything, null for not since the post started. reached: whether it answered the last time it was asked,
    null where it was not. clock_ahead_s: how far its clock is ahead, less than 0 behind. assets: how many of those it
    speaks for you see; devices: how many it has announced. unknown: devices that are none of its assets; missing:
    assets of yours that it has no device for; the first 100 of each. waiting: requests that wait for it. refused:
    readings of it that were refused since the post started, by outcome. programmes: what it holds of them. notices: the
    last, the newest first.
    """

    name: str
    uri: str
    step: str
    attached: str | None
    heard: str | None
    reached: bool | None
    clock_ahead_s: float
    assets: int
    devices: int
    unknown: list[UnknownDevice]
    unknown_total: int
    missing: list[str]
    missing_total: int
    waiting: int
    refused: dict[str, int]
    programmes: HeldForm
    notices: list[GatewayNotice]


class GatewaysDoor:
    """The operation on gateways; it only reads."""

    def __init__(self, sources: Sources, talq: TalqDoor, keeping: ProgrammeKeeping) -> None:
        self._sources, self._talq, self._keeping = sources, talq, keeping

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [Operation("GET", "gateways", self.gateways, answer=Page[GatewayForm])]

    async def gateways(self, ask: Ask[Nothing, Nothing]) -> Page[GatewayForm]:
        """Lists the TALQ gateways that speak for anything you see fully, by name.

        Of each, how far it is attached, when it was heard, what it has that is unknown here and the other way round,
        and what it said of what it was asked.
        """
        covered = self._sources.engine.visibility.covered(ask.caller.scope)
        told = [self._told(self._talq.links[name], covered) for name in sorted(self._talq.links)]
        items = [each for each in told if each is not None]
        return Page(items=items, total=len(items))

    def _told(self, link: Link, covered: Mask) -> GatewayForm | None:
        registry, now_us = self._sources.engine.registry, self._sources.clock.now_us()
        own = (registry.reporter[: registry.count] == link.number) & ~registry.gone[: registry.count]
        mine: list[int] = np.flatnonzero(own & covered[: registry.count]).tolist()
        if not mine:
            return None
        devices = link.peer.devices.values()
        there = {each.asset for each in devices}
        missing = [registry.ids[no] for no in mine if registry.ids[no] not in there]
        unknown = [
            UnknownDevice(address=each.address, name=each.name, asset=each.asset)
            for each in devices
            if each.kind and not ((no := registry.numbers.get(each.asset, 0)) and (own[no] or not covered[no]))
        ]
        return GatewayForm(
            name=link.name,
            uri=link.peer.uri,
            step=link.peer.step.value,
            attached=rfc3339(link.attached_us) if link.attached_us else None,
            heard=rfc3339(link.heard_us) if link.heard_us else None,
            reached=link.courier.reached,
            clock_ahead_s=round(link.clock_ahead_us(now_us) / SECOND_US, 1),
            assets=len(mine),
            devices=len(devices),
            unknown=unknown[:TOLD_MAX],
            unknown_total=len(unknown),
            missing=missing[:TOLD_MAX],
            missing_total=len(missing),
            waiting=len(link.courier),
            refused=dict(link.refused),
            programmes=self._held(link, covered),
            notices=self._notices(link, covered),
        )

    def _held(self, link: Link, covered: Mask) -> HeldForm:
        """What is told of its programmes; of lamps only those that are seen."""
        keeping = self._keeping.of.get(link.name, Keeping())
        told: list[DifferenceForm] = []
        for each in keeping.differences:
            no = self._lamp_of(link, each)
            if no is None or covered[no]:
                asset = self._sources.engine.registry.ids[no] if no else None
                told.append(
                    DifferenceForm(sort=each.sort.value, name=each.name, what=_what(each), ours=each.ours, asset=asset)
                )
        return HeldForm(
            stands=keeping.stands.value,
            read=rfc3339(keeping.read_us) if keeping.read_us else None,
            lamps=keeping.lamps,
            step_min=keeping.step_min,
            differences=told[:TOLD_MAX],
            differences_total=len(told),
        )

    def _lamp_of(self, link: Link, difference: Difference) -> int | None:
        """The number of the asset that a difference is about, 0 where it is unknown here; None where it is about
        none."""
        if difference.sort is not Sort.ASSIGNMENT:
            return None
        known = link.peer.devices.get(split(difference.name)[0])
        return self._sources.engine.registry.numbers.get(known.asset, 0) if known is not None else 0

    def _notices(self, link: Link, covered: Mask) -> list[GatewayNotice]:
        """Those of devices whose asset is seen, and of what is no asset, such as the gateway itself."""
        registry = self._sources.engine.registry
        told: list[GatewayNotice] = []
        for notice in reversed(link.notices):
            no = self._asset_of(link, notice)
            if not no or covered[no]:
                asset = registry.ids[no] if no else None
                at, begins = rfc3339(notice.at_us), notice.begins
                told.append(GatewayNotice(event=notice.event, begins=begins, at=at, device=notice.device, asset=asset))
        return told

    def _asset_of(self, link: Link, notice: Notice) -> int:
        known = link.peer.devices.get(notice.device)
        return self._sources.engine.registry.numbers.get(known.asset, 0) if known is not None else 0


def _what(difference: Difference) -> str:
    if difference.strange:
        return "strange"
    if difference.wanted and difference.held:
        return "other"
    return "missing" if difference.wanted else "surplus"

"""How each TALQ gateway is, for whoever may see any of what it speaks for; and to have one read again at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.acts import Bench
from vigie.api.acts.base import refusals
from vigie.api.acts.forms import WhyForm
from vigie.api.city.forms import Page
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.talq.door import TalqDoor
from vigie.api.talq.forms import (
    TOLD_MAX,
    DifferenceForm,
    GatewayCondition,
    GatewayForm,
    GatewayNotice,
    HeldForm,
    SaidForm,
    UnknownDevice,
)
from vigie.api.talq.keeping import Keeping, Keeps, ProgrammeKeeping
from vigie.api.talq.link import Link
from vigie.core.arrays import ints
from vigie.core.lives import COMMAND, TARGET
from vigie.core.observations import Mask
from vigie.core.scope import Verb
from vigie.core.service import Numbers
from vigie.core.times import SECOND_US, rfc3339
from vigie.protocols.talq import Difference, Sort
from vigie.protocols.talq.devices import split
from vigie.protocols.talq.differences import Item
from vigie.protocols.talq.messages import Calendar, ControlProgramOne
from vigie.protocols.talq.readings import Notice
from vigie.protocols.talq.schedules import Night, NoLighting, read, read_year
from vigie.services.lighting.conditions import GATEWAY_CLOCK, GATEWAY_SILENT, PROGRAMME_NOT_HELD

_OF_GATEWAYS = frozenset(each.name for each in (GATEWAY_SILENT, GATEWAY_CLOCK, PROGRAMME_NOT_HELD))


class GatewaysQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each is told."""

    told: Annotated[
        int, Meta(ge=0, le=TOLD_MAX, description="How many devices, assets, differences and notices are told of each.")
    ] = TOLD_MAX


@dataclass(frozen=True)
class _Sight:
    """What somebody sees and may do, and how much they want to know. orders: by the gateway's number as a device.
    is_current: see `ProgrammeKeeping`."""

    covered: Mask
    may: Mask
    told: int
    orders: Mapping[int, Mapping[str, int]]
    is_current: bool


class GatewaysDoor:
    """The operations on gateways."""

    def __init__(self, bench: Bench, talq: TalqDoor, keeping: ProgrammeKeeping) -> None:
        self._bench, self._talq, self._keeping = bench, talq, keeping
        self._sources, self._engine = bench.sources, bench.sources.engine

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "gateways", self.gateways, query=GatewaysQuery, answer=Page[GatewayForm]),
            Operation("GET", "gateways/{name}", self.gateway, answer=GatewayForm),
            Operation("POST", "gateways/{name}/read", self.read, body=WhyForm, answer=GatewayForm, status=202,
                      verb=Verb.ORDER, problems=(409, 507)),
        ]  # fmt: skip

    async def gateways(self, ask: Ask[GatewaysQuery, Nothing]) -> Page[GatewayForm]:
        """Lists the TALQ gateways that speak for anything you see fully, by name.

        Of each, how far it is attached, when it was heard, what it has that is unknown here and the other way round,
        what it holds of the programmes, and what it said of what it was asked.
        """
        sight = self._sight(ask.caller, ask.query.told)
        told = [self._told(self._talq.links[name], sight) for name in sorted(self._talq.links)]
        items = [each for each in told if each is not None]
        return Page(items=items, total=len(items))

    async def gateway(self, ask: Ask[Nothing, Nothing]) -> GatewayForm:
        """Tells how one TALQ gateway is that speaks for anything you see fully."""
        return self._one(ask.caller, ask.part("name"))

    async def read(self, ask: Ask[Nothing, WhyForm]) -> GatewayForm:
        """Has what a gateway holds of the programmes read anew in the next seconds, and what differs mended.

        It takes the right to order anything that the gateway speaks for. What becomes of it is told by the gateway's
        `programmes`.
        """
        told = self._one(ask.caller, ask.part("name"))
        if not told.may_read:
            raise Problem(403, "Not allowed", "You may order nothing that this gateway speaks for.")
        link = self._talq.links[told.name]
        if not link.is_ready or told.programmes.stands == Keeps.UNABLE:
            detail = "It is not attached, or takes no programmes."
            raise Problem(409, "Nothing to read", detail, rule="lighting.gateway_not_read")
        anchor = int(self._own(link, self._engine.visibility.mask(ask.caller.scope, Verb.ORDER))[0])
        with refusals():
            self._bench.acts.note_reread(link.name, anchor, actor=ask.caller.actor, reason=ask.body.reason.strip())
        self._keeping.read_again(link)
        await self._bench.kept()
        return self._one(ask.caller, told.name)

    def _sight(self, caller: Caller, told: int) -> _Sight:
        visibility = self._engine.visibility
        covered, may = visibility.covered(caller.scope), visibility.mask(caller.scope, Verb.ORDER)
        return _Sight(covered, may, told, self._orders(covered), self._keeping.is_current)

    def _one(self, caller: Caller, name: str) -> GatewayForm:
        """Raises Problem 404 for one that there is not, or that speaks for nothing the caller sees: both are told
        alike."""
        link = self._talq.links.get(name)
        told = self._told(link, self._sight(caller, TOLD_MAX)) if link is not None else None
        if told is None:
            raise Problem(404, "No such gateway", f"There is no gateway {name[:80]!r} that you may see.")
        return told

    def _own(self, link: Link, among: Mask) -> Numbers:
        """What it speaks for, of these assets, by number."""
        registry = self._engine.registry
        own = (registry.reporter[: registry.count] == link.number) & ~registry.gone[: registry.count]
        return np.flatnonzero(own & among[: registry.count])

    def _orders(self, covered: Mask) -> dict[int, dict[str, int]]:
        """Targets of orders under way by their state, by the number of the device that speaks for them."""
        reporter, found = self._engine.registry.reporter, dict[int, Counter[str]]()
        for command in self._engine.commands:
            if command.state in COMMAND.last:
                continue
            seen = covered[command.order.assets]
            rows = np.stack((reporter[command.order.assets][seen], command.state_of[seen].astype(np.int32)))
            pairs, counts = np.unique(rows, axis=1, return_counts=True)
            for (number, code), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
                found.setdefault(number, Counter())[TARGET.states[code]] += count
        return {number: dict(counts) for number, counts in found.items()}

    def _told(self, link: Link, sight: _Sight) -> GatewayForm | None:
        registry, now_us = self._engine.registry, self._sources.clock.now_us()
        mine = self._own(link, sight.covered)
        if not len(mine):
            return None
        devices = link.peer.devices.values()
        there = {each.asset for each in devices}
        missing = [registry.ids[no] for no in ints(mine) if registry.ids[no] not in there]
        unknown = self._unknown(link, sight.covered)
        kinds, counts = np.unique(registry.kind[mine], return_counts=True)
        lon, lat = registry.lon[mine], registry.lat[mine]
        return GatewayForm(
            name=link.name,
            uri=link.peer.uri,
            step=link.peer.step.value,
            telling=link.is_telling(now_us),
            attached=_instant(link.attached_us),
            heard=_instant(link.heard_us),
            reached=link.courier.reached,
            clock_ahead_s=round(link.clock_ahead_us(now_us) / SECOND_US, 1),
            assets=len(mine),
            kinds={registry.kinds[code].kind: count for code, count in zip(ints(kinds), ints(counts), strict=True)},
            bounds=(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())),
            devices=len(devices),
            unknown=unknown[: sight.told],
            unknown_total=len(unknown),
            missing=missing[: sight.told],
            missing_total=len(missing),
            waiting=len(link.courier),
            orders=dict(sight.orders.get(link.number, {})),
            refused=dict(link.refused),
            programmes=self._held(link, sight),
            conditions=self._conditions(link, sight.covered),
            notices=self._notices(link, sight.covered)[: sight.told],
            may_read=bool(sight.may[mine].any()),
        )

    def _unknown(self, link: Link, covered: Mask) -> list[UnknownDevice]:
        """Devices of it that are none of its assets. What is an asset that the caller does not see is told to nobody
        as unknown."""
        registry, found = self._engine.registry, list[UnknownDevice]()
        for each in link.peer.devices.values():
            no = registry.numbers.get(each.asset, 0)
            own = no and registry.reporter[no] == link.number and not registry.gone[no]
            if each.kind and not (no and (own or not covered[no])):
                found.append(UnknownDevice(address=each.address, name=each.name, asset=each.asset))
        return found

    def _held(self, link: Link, sight: _Sight) -> HeldForm:
        """What is told of its programmes; of lamps only those that are seen."""
        keeping = self._keeping.of.get(link.name, Keeping())
        stands = keeping.stands
        if stands is Keeps.IN_STEP and not sight.is_current:
            stands = Keeps.PENDING
        told = [
            (each, no) for each in keeping.differences if (no := self._lamp_of(link, each)) is None or sight.covered[no]
        ]
        return HeldForm(
            stands=stands.value,
            busy=keeping.busy,
            read=_instant(keeping.read_us),
            due=_instant(keeping.due_us) if link.is_ready and stands is not Keeps.UNABLE else None,
            lamps=keeping.lamps,
            step_min=keeping.step_min,
            plans=dict(keeping.plans),
            mended=_instant(keeping.mended_us),
            sent=keeping.sent,
            tries=keeping.tries,
            differences=[
                _difference(each, self._engine.registry.ids[no] if no else None)
                for each, no in _some_of_each(told, sight.told)
            ],
            differences_total=len(told),
            differing=dict(Counter(each.sort.value for each, _ in told)),
        )

    def _lamp_of(self, link: Link, difference: Difference) -> int | None:
        """The number of the asset that a difference is about, 0 where it is unknown here; None where it is about
        none."""
        if difference.sort is not Sort.ASSIGNMENT:
            return None
        known = link.peer.devices.get(split(difference.name)[0])
        return self._engine.registry.numbers.get(known.asset, 0) if known is not None else 0

    def _conditions(self, link: Link, covered: Mask) -> list[GatewayCondition]:
        return [
            GatewayCondition(
                id=each.id,
                condition=each.kind.name,
                outlet=each.kind.outlet.value,
                priority=each.kind.priority,
                raised=rfc3339(each.raised_us),
                asset=self._engine.registry.ids[each.asset],
            )
            for each in self._engine.conditions
            if each.kind.name in _OF_GATEWAYS and each.evidence.get("gateway") == link.name and covered[each.asset]
        ]

    def _notices(self, link: Link, covered: Mask) -> list[GatewayNotice]:
        """Those of devices whose asset is seen, and of what is no asset, such as the gateway itself."""
        registry = self._engine.registry
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
        return self._engine.registry.numbers.get(known.asset, 0) if known is not None else 0


def _instant(at_us: int) -> str | None:
    return rfc3339(at_us) if at_us else None


def _some_of_each(found: Sequence[tuple[Difference, int | None]], most: int) -> list[tuple[Difference, int | None]]:
    """So many of them at most, and of no sort so many that they would leave no room for the others."""
    share, taken, some = most // 3, Counter[Sort](), list[tuple[Difference, int | None]]()
    for each in found:
        if taken[each[0].sort] < share:
            taken[each[0].sort] += 1
            some.append(each)
    return some[:most]


def _difference(each: Difference, asset: str | None) -> DifferenceForm:
    return DifferenceForm(
        sort=each.sort.value,
        name=each.name,
        what=_what(each),
        ours=each.ours,
        asset=asset,
        wanted=_said(each.wanted),
        held=_said(each.held),
    )


def _said(item: Item | None) -> SaidForm | None:
    """What an item says, as far as these words go."""
    try:
        if isinstance(item, str):
            return SaidForm(calendar=item)
        if isinstance(item, Calendar):
            year = read_year(item)
            return SaidForm(nights=len({rule.programme for rule in year.rules} | {year.otherwise}))
        if isinstance(item, ControlProgramOne):
            programme = read(item)
            night = next((part for part in programme.alight if isinstance(part, Night)), None)
            return SaidForm(
                lit=None if night is None else (night.after_sunset_min, night.after_sunrise_min),
                levels=[(slot.start.hour * 60 + slot.start.minute, slot.level) for slot in programme.slots],
            )
    except NoLighting:
        return None
    return None


def _what(difference: Difference) -> str:
    if difference.strange:
        return "strange"
    if difference.wanted and difference.held:
        return "other"
    return "missing" if difference.wanted else "surplus"

"""Orders: previewed, given, confirmed, followed target by target, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.acts import forms
from vigie.api.acts.base import Bench, allowed, idempotency_key, refusals
from vigie.api.city import describe
from vigie.api.city.forms import Page
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.kinds import AssetKind, Keeper, Point, Sort
from vigie.core.scope import Placement, Verb
from vigie.core.service import Refusal
from vigie.core.times import rfc3339
from vigie.engine.command import Command, refusal_of
from vigie.engine.commands import CommandRefused
from vigie.engine.consignations import CONSIGNATION_ID
from vigie.engine.orders import TARGETS_MAX, Examined, Order, action_named, check_listed, keeper_of
from vigie.engine.ports import StorageFull
from vigie.engine.selection import Path, Selection
from vigie.engine.visibility import may_order
from vigie.store.commands import PastCommand, PastTarget

EXAMPLES_MAX = 5
LIMIT_MAX = 500

_STATES = Literal[
    "", "waiting", "refused", "cancelled", "expired", "already", "sent", "accepted", "done", "failed", "unproved",
    "superseded", "done_late", "returned", "released",
]  # fmt: skip


class CommandsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders."""

    open: Annotated[bool | None, Meta(description="true: under way; false: ended; both if not said.")] = None
    automatic: Annotated[bool, Meta(description="true: with those that automations gave, such as light on demand.")] = (
        False
    )
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 100
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class TargetsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which targets of an order."""

    state: Annotated[_STATES, Meta(description="Only those in this state.")] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 100
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class Orders:
    """The operations on orders."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine, self._stored = bench.sources.engine, bench.sources.facts.orders

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        key = {"Idempotency-Key": "The same key from the same person gives the same order, however often it is sent."}
        one = forms.CommandForm
        return [
            Operation("GET", "commands", self.list, query=CommandsQuery, answer=Page[one]),
            Operation("POST", "commands/preview", self.preview, body=forms.OrderForm, answer=forms.Preview,
                      verb=Verb.ORDER, problems=(422,)),
            Operation("POST", "commands", self.give, body=forms.OrderForm, answer=one, status=201, verb=Verb.ORDER,
                      headers=key, problems=(409, 422, 507)),
            Operation("GET", "commands/{id}", self.find, answer=one),
            Operation("GET", "commands/{id}/targets", self.targets, query=TargetsQuery,
                      answer=Page[forms.TargetForm]),
            Operation("POST", "commands/{id}/confirm", self.confirm, body=forms.WhyForm, answer=one, verb=Verb.ORDER,
                      problems=(409, 507)),
            Operation("POST", "commands/{id}/cancel", self.cancel, body=forms.WhyForm, answer=one, verb=Verb.ORDER,
                      problems=(409, 507)),
            Operation("POST", "commands/{id}/resend", self.resend, body=forms.WhyForm, answer=forms.Resent,
                      verb=Verb.ORDER, problems=(409, 507)),
        ]  # fmt: skip

    async def list(self, ask: Ask[CommandsQuery, Nothing]) -> Page[forms.CommandForm]:
        """Lists the orders that you may see, the newest first."""
        query = ask.query
        before = place_of(query.cursor, tuple[str])
        found = await asyncio.to_thread(
            self._stored.page,
            ask.caller.scope,
            open_only=query.open,
            before=before[0] if before else None,
            limit=query.limit + 1,
            automatic=query.automatic,
        )
        some = found[: query.limit]
        return Page(
            items=[self.past(ask.caller, each) for each in some],
            next=cursor(some[-1].id) if len(found) > query.limit else None,
        )

    async def preview(self, ask: Ask[Nothing, forms.OrderForm]) -> forms.Preview:
        """Tells what an order would do, without giving it: how many, from what, who would be refused and why."""
        order = await self._understood(ask.caller, ask.body)
        # Who may order it could work against the crew, and is told which it is.
        crews = {each.id: each.crew for each in self._engine.consignations}
        examined = self._bench.acts.examine(order)
        lasts_s = self._engine.commands.lasts_s(order, np.flatnonzero(examined.open))
        return _preview(order, examined, self._engine.registry.ids, crews, lasts_s)

    async def give(self, ask: Ask[Nothing, forms.OrderForm]) -> Answer:
        """Gives an order.

        It leaves at once where its hazard asks for no confirmation. Its targets are frozen now; the answer comes when
        it is in the journal.
        """
        order = await self._understood(ask.caller, ask.body)
        key = idempotency_key(ask.request)
        if key and self._engine.commands.by_key(ask.caller.actor, key) is None:
            past = await asyncio.to_thread(self._stored.by_key, ask.caller.actor, key)
            if past is not None and past.asked != order.asked:
                with refusals():
                    raise CommandRefused("engine.key_reused")
            if past is not None:
                return Answer(self.past(ask.caller, past), 200)
        with refusals():
            command = self._bench.acts.order(order, actor=ask.caller.actor, reason=ask.body.reason.strip(), key=key)
        await self._bench.kept()
        return Answer(self.now(ask.caller, command), headers={"Location": f"/api/v1/commands/{command.id}"})

    async def find(self, ask: Ask[Nothing, Nothing]) -> forms.CommandForm:
        """Tells how far an order is."""
        command = self._engine.commands.find(ask.part("id"))
        if command is not None and self.sees(ask.caller, command):
            return self.now(ask.caller, command)
        return self.past(ask.caller, await self._past(ask.caller, ask.part("id")))

    async def targets(self, ask: Ask[TargetsQuery, Nothing]) -> Page[forms.TargetForm]:
        """Lists the targets of an order that you may see, and what became of each."""
        query, engine = ask.query, self._engine
        command_id = ask.part("id")
        await self._past(ask.caller, command_id)
        if engine.owed:
            # What was told of the order a moment ago is among them; on a full disk, what was kept is told.
            with suppress(StorageFull):
                await self._bench.pump.settled()
        sight = self._bench.sources.sight(ask.caller).kept
        after = place_of(query.cursor, tuple[int])
        found = await asyncio.to_thread(
            self._stored.targets, command_id, sight.covered, state=query.state, after=after[0] if after else 0,
            limit=query.limit + 1,
        )  # fmt: skip
        some = found[: query.limit]
        crews = await asyncio.to_thread(self._stored.crews_of, some)
        numbers = [each.asset for each in some]
        knowing = [bool(crews) and self._bench.sources.knows_crew(ask.caller, no) for no in numbers]
        rows = describe.rows(engine, sight, numbers, self._bench.sources.clock.now_us())
        return Page(
            items=[
                _target(each, row, crews if knows else {}) for each, row, knows in zip(some, rows, knowing, strict=True)
            ],
            next=cursor(numbers[-1]) if len(found) > query.limit else None,
        )

    async def confirm(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.CommandForm:
        """Lets a hazardous order go; where it takes two persons, the second."""
        command = self._mine(ask)
        with refusals():
            self._bench.acts.confirm(command, ask.caller.actor, ask.body.reason.strip())
        await self._bench.kept()
        return self.now(ask.caller, command)

    async def cancel(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.CommandForm:
        """Takes back what was not sent yet. What was sent cannot be called back."""
        command = self._mine(ask)
        with refusals():
            self._bench.acts.cancel(command, ask.caller.actor, ask.body.reason.strip())
        await self._bench.kept()
        return self.now(ask.caller, command)

    async def resend(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.Resent:
        """Hands an order over again to whoever has not said that it took it."""
        command = self._mine(ask)
        with refusals():
            count = self._bench.acts.resend(command, ask.caller.actor, ask.body.reason.strip())
        await self._bench.kept()
        return forms.Resent(targets=count)

    def sees(self, caller: Caller, command: Command) -> bool:
        """Whether the caller may see an order: all of the area that it is given in."""
        return caller.scope.covers(Placement(command.area, command.order.kind.service, command.order.kind.verb))

    def now(self, caller: Caller, command: Command) -> forms.CommandForm:
        """An order that is under way, as it is told."""
        kind = command.order.kind
        may = allowed(caller, Verb.PERSONAL, command.area, kind.service, kind.verb)
        return forms.CommandForm(
            id=command.id,
            state=command.state,
            action=command.order.name,
            params=dict(command.order.params),
            reason=command.reason if may or caller.actor == command.actor else "",
            actor=self._bench.who(caller, command.actor, may=may),
            created=rfc3339(command.proposed_us),
            expires=rfc3339(command.expires_us),
            hazard=command.hazard.value,
            counts=command.counts,
            targets=len(command.order.assets),
            lasts_s=self._engine.commands.lasts_s(command.order, command.rows_in("waiting")),
            may_move=may_order(caller.scope, command.area, kind, command.order.action),
            changed=command.changed,
        )

    def past(self, caller: Caller, command: PastCommand) -> forms.CommandForm:
        """An order as it is kept, as it is told."""
        verb = self._seen_with(command)
        may = verb is not None and allowed(caller, Verb.PERSONAL, command.area, command.service, verb)
        return forms.CommandForm(
            id=command.id,
            state=command.state,
            action=command.action,
            params=dict(command.params),
            reason=command.reason if may or caller.actor == command.actor else "",
            actor=self._bench.who(caller, command.actor, may=may),
            created=rfc3339(command.proposed_us),
            expires=rfc3339(command.expires_us),
            hazard=command.hazard,
            counts=dict(command.counts),
            targets=sum(command.counts.values()),
            lasts_s=0.0,
            may_move=self._may_move(caller, command),
            changed=None,
        )

    async def _understood(self, caller: Caller, form: forms.OrderForm) -> Order:
        select = form.select
        if select.assets is None and not (
            select.street or select.area or select.polygon or select.path or select.order
        ):
            detail = "Say assets, a street, an area, a polygon, a path or an order."
            raise Problem(422, "Nothing selected", detail, rule="engine.nothing_selected")
        assets = select.assets
        if select.order:
            targets = await self._targets_of(caller, select.order)
            assets = targets if assets is None else sorted(set(targets) & set(assets))
        said = Selection(
            assets=assets,
            street=select.street,
            area=select.area,
            polygon=select.polygon,
            path=select.path and Path(select.path.places, select.path.within_m),
            order=select.order,
        )
        with refusals():
            kind, action = action_named(self._engine.registry.catalogue, form.action)
            may = self._engine.visibility.orderable(caller.scope, kind, action)
            order = self._bench.acts.understood(form.action, form.params, said, may)
            check_listed(order, self._engine.registry, self._engine.visibility.mask(caller.scope, Verb.ORDER))
            return order

    async def _targets_of(self, caller: Caller, command_id: str) -> list[str]:
        """The ids of all targets of an order that the caller may see. Raises Problem 404."""
        registry = self._engine.registry
        command = self._engine.commands.find(command_id)
        if command is not None and self.sees(caller, command):
            return [registry.ids[int(no)] for no in command.order.assets]
        await self._past(caller, command_id)
        covered = self._bench.sources.sight(caller).kept.covered
        found = await asyncio.to_thread(self._stored.targets, command_id, covered, state="", after=0, limit=TARGETS_MAX)
        return [registry.ids[each.asset] for each in found]

    def _mine(self, ask: Ask[Nothing, Any]) -> Command:
        """The order of the address, which the caller may command. Raises Problem 404, 403, 409."""
        command = self._engine.commands.find(ask.part("id"))
        if command is None or not self.sees(ask.caller, command):
            past = self._stored.find(ask.part("id"))
            if past is not None and self._sees_past(ask.caller, past):
                raise Problem(409, "Too late", "It has ended.", rule="engine.life", values={"state": past.state})
            raise _missing(ask.part("id"))
        if not may_order(ask.caller.scope, command.area, command.order.kind, command.order.action):
            raise Problem(403, "Not allowed", "You may not command everything that this order is meant for.")
        return command

    async def _past(self, caller: Caller, command_id: str) -> PastCommand:
        found = await asyncio.to_thread(self._stored.find, command_id)
        if found is None or not self._sees_past(caller, found):
            raise _missing(command_id)
        return found

    def _sees_past(self, caller: Caller, command: PastCommand) -> bool:
        verb = self._seen_with(command)
        return verb is not None and caller.scope.covers(Placement(command.area, command.service, verb))

    def _seen_with(self, command: PastCommand) -> str | None:
        """The right that it takes to see an order; None for a kind that this program no longer declares."""
        kind = self._kind_of(command)
        return None if kind is None else kind.verb

    def _may_move(self, caller: Caller, command: PastCommand) -> bool:
        """Whether the caller may command everything that an order is meant for."""
        kind = self._kind_of(command)
        action = kind.actions.get(command.action.partition(".")[2]) if kind is not None else None
        return kind is not None and action is not None and may_order(caller.scope, command.area, kind, action)

    def _kind_of(self, command: PastCommand) -> type[AssetKind] | None:
        return self._engine.registry.catalogue.assets.get(command.action.partition(".")[0])


def _missing(command_id: str) -> Problem:
    return Problem(404, "No such order", f"There is no order {command_id[:60]!r} that you may see.")


def _detail(refusal: Refusal, crews: Mapping[str, str]) -> Mapping[str, str | float]:
    """What goes into a refusal's sentence. crews: lock-out -> whose it is, for whom that may be told."""
    crew = crews.get(str(refusal.detail.get(CONSIGNATION_ID)))
    return {**refusal.detail, "crew": crew} if crew else refusal.detail


def _preview(
    order: Order, examined: Examined, ids: Sequence[str], crews: Mapping[str, str], lasts_s: float
) -> forms.Preview:
    refused, advice = (
        [
            forms.RefusedTargets(
                rule=refusal.rule,
                detail=_detail(refusal, crews),
                count=int(mask.sum()),
                examples=[ids[int(no)] for no in order.assets[mask][:EXAMPLES_MAX]],
            )
            for mask, refusal in said
        ]
        for said in (examined.refused, examined.advice)
    )
    known = examined.before[~np.isnan(examined.before)]
    point: Point[Any] | None = order.kind.points[order.proof[0]] if order.proof else None
    measured = point is not None and point.sort is Sort.NUMBER and len(known)
    return forms.Preview(
        targets=len(order.assets),
        already=int(examined.already.sum()),
        refused=refused,
        advice=advice,
        hazard=order.action.hazard.value,
        before=forms.Range(min=float(known.min()), max=float(known.max())) if measured else None,
        old=int(examined.old.sum()),
        until=None if order.until_us is None else rfc3339(order.until_us),
        stays=_stays(order, examined),
        lasts_s=lasts_s,
    )


def _stays(order: Order, examined: Examined) -> int:
    """How many targets that will get the order would stay as it sets them, for nobody ends it there."""
    if order.until_us is None or keeper_of(order) is not Keeper.DEVICE:
        return 0
    return int((examined.open & ~examined.knows_end).sum())


def _target(target: PastTarget, row: Any, crews: Mapping[str, str]) -> forms.TargetForm:
    refusal = refusal_of(target.refusal)
    return forms.TargetForm(
        asset=row,
        state=target.state,
        sent=None if target.sent_us is None else rfc3339(target.sent_us),
        ended=None if target.ended_us is None else rfc3339(target.ended_us),
        refusal=None if refusal is None else forms.RefusalForm(rule=refusal.rule, detail=_detail(refusal, crews)),
    )

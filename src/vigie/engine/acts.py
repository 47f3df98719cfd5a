"""What a person does at the post: orders, lock-outs, plans, alarms, the inventory by hand.

Each act is checked, moves the lives at once and owes its facts; who asked is answered when they are on disk
(`vigie.engine.pump.Pump.settled`). Where facts would not be taken, nothing is done at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from vigie.core.cases import Draft as CaseDraft
from vigie.core.drafts import Draft
from vigie.core.facts import POST, Entry, GatewayReread, because, digest
from vigie.core.ids import keyed_id, uuid7
from vigie.core.kinds import Hazard
from vigie.core.lives import COMMAND
from vigie.core.observations import Mask
from vigie.core.plans import Given, PlanKind
from vigie.core.service import Ask
from vigie.engine.cases import Case, CaseRefused, Photo, Wanted
from vigie.engine.command import Command
from vigie.engine.commands import CommandRefused
from vigie.engine.conditions import Condition
from vigie.engine.consignations import Consignation
from vigie.engine.hand import Hand
from vigie.engine.loop import Engine
from vigie.engine.orders import TARGETS_MAX, Examined, Order, OrderWrong, action_named, checked, completed, ends
from vigie.engine.plans import By
from vigie.engine.ports import Clock, Dice, FactStore, StorageFull
from vigie.engine.selection import Selection, numbers_of


def case_act(actor: str, what: str, case_id: str, key: str) -> str:
    """The id of an act of somebody in a case, under a key of theirs; "" without one. One key names one act of each sort
    in each case: what is sent under it again is the same, and nothing else is."""
    return str(keyed_id(actor, f"{what}\0{case_id}\0{key}")) if key else ""


class Acts:
    """The acts of persons on one engine. Called on the engine's own thread; returns before the facts are on disk."""

    def __init__(self, engine: Engine, facts: FactStore, clock: Clock, dice: Dice) -> None:
        self._engine, self._facts, self._clock, self._dice = engine, facts, clock, dice
        self._hand = Hand(engine)

    # Orders.

    def understood(self, action: str, params: Mapping[str, Any], selection: Selection, allowed: Mask) -> Order:
        """The order that is meant. allowed: what this person may order. Raises OrderWrong, SelectionWrong."""
        kind, named = action_named(self._engine.registry.catalogue, action)
        only = replace(selection, kinds=[kind.kind])
        assets = numbers_of(self._engine.registry, only, allowed)
        if not len(assets):
            raise OrderWrong("engine.nobody")
        if len(assets) > TARGETS_MAX:
            raise OrderWrong("engine.too_many_targets", most=TARGETS_MAX)
        now_us = self._clock.now_us()
        values = checked(named, params, now_us)
        # How it was selected, not what is found there now: a request that comes again is the same after an import.
        asked = digest(msgspec.json.encode((action, values, only), order="sorted"))
        return completed(Order(kind, named, values, assets, only.words, asked), self._engine.registry, now_us)

    def examine(self, order: Order) -> Examined:
        """What would become of each target now."""
        held = self._engine.consignations.refusals(order.assets)
        return self._engine.examiner.examine(order, held, self._clock.now_us())

    def order(self, order: Order, *, actor: str, reason: str = "", key: str = "") -> Command:
        """Gives an order, and lets it go at once where its hazard asks for no confirmation. The same key gives the same
        command. Raises CommandRefused, StorageFull."""
        known = self._engine.commands.by_key(actor, key) if key else None
        if known is not None:
            if known.order.asked != order.asked:
                raise CommandRefused("engine.key_reused")
            return known
        if order.action.answered and not reason and not ends(order):
            raise CommandRefused("engine.no_reason")
        now_us = self._begin()
        command = self._engine.commands.propose(
            self.new_id(), order, self.examine(order), actor=actor, reason=reason, key=key, now_us=now_us
        )
        if order.action.hazard is Hazard.NONE and command.state == COMMAND.first:
            self._engine.commands.release(command, actor, now_us=now_us)
        self._owe_orders(now_us)
        return command

    def confirm(self, command: Command, actor: str, reason: str = "") -> None:
        """Lets a hazardous order go. Raises CommandRefused, MoveRefused, StorageFull."""
        now_us = self._begin()
        self._engine.commands.release(command, actor, now_us=now_us, reason=reason)
        self._owe_orders(now_us)

    def cancel(self, command: Command, actor: str, reason: str = "") -> None:
        """Takes back what was not sent. Raises MoveRefused, StorageFull."""
        now_us = self._begin()
        self._engine.commands.cancel(command, actor, now_us=now_us, reason=reason)
        self._owe_orders(now_us)

    def resend(self, command: Command, actor: str, reason: str = "") -> int:
        """Hands an order over again; see `Commands.resend`. Raises CommandRefused, MoveRefused, StorageFull."""
        now_us = self._begin()
        count = self._engine.commands.resend(command, actor, now_us=now_us, reason=reason)
        self._owe_orders(now_us)
        return count

    # Lock-outs.

    def consign(self, asset: int, *, actor: str, crew: str, reason: str) -> Consignation:
        """Locks an asset out, with all that it feeds. Raises ConsignationRefused, StorageFull."""
        now_us = self._begin()
        made = Consignation(self.new_id(), asset, "set", actor, None, now_us, crew, reason)
        entry = self._engine.consignations.set(made, at_us=now_us)
        self._engine.owe([entry])
        return made

    def move_consignation(self, consignation_id: str, event: str, actor: str, reason: str = "") -> None:
        """Lifts a lock-out, or moves its override on.

        Raises ConsignationRefused, MoveRefused, StorageFull; KeyError where none of this id holds.
        """
        now_us = self._begin()
        entry = self._engine.consignations.move(
            consignation_id, event, actor, fact_id=self.new_id(), at_us=now_us, reason=reason
        )
        self._engine.owe([entry])

    # Plans.

    def make_plan(self, kind: PlanKind, body: Any, *, actor: str, reason: str, plan_id: str = "") -> str:
        """Begins a plan with its first draft; returns its id, which is a fresh one unless it is given.

        Raises PlanRefused, StorageFull.
        """
        by = self._by(actor, reason)
        plan_id = plan_id or self.new_id()
        self._engine.owe([self._engine.plans.make(plan_id, kind, body, by=by)])
        return plan_id

    def save_plan(self, plan_id: str, body: Any, *, number: int, revision: int, actor: str, reason: str) -> None:
        """Saves a draft; see `Plans.save`. Raises PlanRefused, StorageFull; KeyError where there is no such plan."""
        by = self._by(actor, reason)
        saved = self._engine.plans.save(plan_id, body, number=number, revision=revision, by=by)
        self._engine.owe([saved] if saved else [])

    def move_plan(self, plan_id: str, event: str, *, number: int, revision: int, actor: str, reason: str) -> None:
        """Approves, discards or withdraws; see `Plans.move`. Raises PlanRefused, MoveRefused, StorageFull; KeyError
        where there is no such plan."""
        by = self._by(actor, reason)
        self._engine.owe([self._engine.plans.move(plan_id, event, number=number, revision=revision, by=by)])

    def write_down(self, make: Callable[[By], Entry], *, actor: str, reason: str = "") -> None:
        """Writes down what somebody tells the post, which moves nothing that is held in memory. make: says it as a
        fact. Raises StorageFull, and what `make` raises."""
        self._engine.owe([make(self._by(actor, reason))])

    # Cases.

    def open_case(self, draft: CaseDraft, *, actor: str, key: str = "") -> Case:
        """Opens a case; the same key of the same person opens one. Raises CaseRefused, StorageFull."""
        by = self._keyed(actor, "", case_act(actor, "open", "", key))
        known = self._engine.cases.done(by.fact_id)
        if known is None:
            self._engine.owe([self._engine.cases.open(by.fact_id, draft, by=by)])
        case = self._engine.cases.find(known or by.fact_id)
        if case is None:
            raise CaseRefused("engine.case_archived")
        return case

    def move_case(
        self,
        case_id: str,
        event: str,
        *,
        actor: str,
        reason: str = "",
        revision: int | None = None,
        crew: int = 0,
        planned_us: int = 0,
        done_us: int = 0,
        key: str = "",
    ) -> None:
        """Moves a case on, see `Cases.move`; the same key of the same person moves it once. Raises CaseRefused,
        MoveRefused, StorageFull; KeyError where there is no such case."""
        by, cases = self._keyed(actor, reason, case_act(actor, "move", case_id, key)), self._engine.cases
        if cases.done(by.fact_id) is None:
            moved = cases.move(
                case_id, event, by=by, revision=revision, crew=crew, planned_us=planned_us, done_us=done_us
            )
            self._engine.owe([moved])

    def claim_case(
        self, case_id: str, event: str, *, actor: str, reason: str = "", done_us: int = 0, key: str = ""
    ) -> None:
        """Keeps what somebody says of a case that others have moved meanwhile. Raises StorageFull; KeyError where there
        is no such case."""
        by = self._keyed(actor, reason, case_act(actor, "move", case_id, key))
        if self._engine.cases.done(by.fact_id) is None:
            self._engine.owe([self._engine.cases.claim(case_id, event, done_us=done_us, by=by)])

    def change_case(
        self,
        case_id: str,
        wanted: Wanted,
        *,
        revision: int,
        actor: str,
        reason: str = "",
        key: str = "",
    ) -> None:
        """Changes what a case says; the same key of the same person changes it once. Raises CaseRefused, StorageFull;
        KeyError where there is no such case."""
        by = self._keyed(actor, reason, case_act(actor, "change", case_id, key))
        if self._engine.cases.done(by.fact_id) is None:
            changed = self._engine.cases.change(case_id, wanted, revision=revision, by=by)
            if changed is None and key:
                changed = self._engine.cases.confirm(case_id, by=by)
            self._engine.owe([changed] if changed else [])

    def note_case(self, case_id: str, text: str, *, actor: str, key: str = "") -> None:
        """Writes something into a case; the same key of the same person writes it once. Raises CaseRefused,
        StorageFull; KeyError where there is no such case."""
        by = self._keyed(actor, "", case_act(actor, "note", case_id, key))
        if self._engine.cases.done(by.fact_id) is None:
            self._engine.owe([self._engine.cases.note(case_id, text, by=by)])

    def photograph_case(self, case_id: str, photo: Photo, *, actor: str, key: str = "") -> None:
        """Adds a photo to a case; the same key of the same person adds it once. Raises CaseRefused, StorageFull;
        KeyError where there is no such case."""
        by = self._keyed(actor, "", case_act(actor, "photo", case_id, key))
        if self._engine.cases.done(by.fact_id) is None:
            self._engine.owe([self._engine.cases.photograph(case_id, photo, by=by)])

    # Gateways.

    def note_reread(self, device: str, anchor: int, *, actor: str, reason: str) -> None:
        """Writes down that somebody has what a gateway holds read anew. anchor: the asset that stands for it: who sees
        that reads it. Raises StorageFull."""
        now_us = self._begin()
        fact = GatewayReread(id=self.new_id(), at=now_us, actor=actor, device=device)
        about = replace(self._engine.registry.about(anchor), subject=device)
        self._engine.owe([Entry(fact, because(reason, now_us), about=about)])

    # Alarms.

    def move_condition(self, condition: Condition, event: str, actor: str, reason: str = "") -> Condition | None:
        """Acknowledges, shelves or unshelves; returns it as it is now, None where its life has ended by it.

        Raises MoveRefused, StorageFull.
        """
        now_us = self._begin()
        entry = self._engine.conditions.move(
            condition, event, actor, fact_id=self.new_id(), at_us=now_us, reason=reason
        )
        self._engine.owe([entry])
        return self._engine.conditions.find(condition.id)

    # The inventory by hand.

    def make_asset(self, draft: Draft, parent: int, *, actor: str, reason: str) -> int:
        """Makes an asset; returns its number. Raises HandRefused, StorageFull."""
        now_us = self._begin()
        no, entry = self._hand.make(draft, parent, fact_id=self.new_id(), actor=actor, reason=reason, at_us=now_us)
        self._engine.owe([entry])
        return no

    def change_asset(self, no: int, values: Mapping[str, Any], *, actor: str, reason: str) -> None:
        """Changes what is known of an asset; see `Hand.change`. Raises HandRefused, StorageFull."""
        now_us = self._begin()
        entry = self._hand.change(no, values, fact_id=self.new_id(), actor=actor, reason=reason, at_us=now_us)
        self._engine.owe([entry])

    def retire_asset(self, no: int, *, actor: str, reason: str) -> None:
        """Decommissions an asset: what is wrong with it is over, and orders to it are refused when they would leave.

        Raises HandRefused, StorageFull.
        """
        now_us = self._begin()
        retired = self._hand.retire(no, fact_id=self.new_id(), actor=actor, reason=reason, at_us=now_us)
        ended = self._engine.conditions.withdraw(no, actor, new_id=self.new_id, at_us=now_us)
        self._engine.owe([retired, *ended])

    def replace_device(self, no: int, serial: str, model: str, *, actor: str, reason: str) -> None:
        """Puts another apparatus in an asset's place. Raises StorageFull."""
        now_us = self._begin()
        entry = self._hand.replace(no, serial, model, fact_id=self.new_id(), actor=actor, reason=reason, at_us=now_us)
        self._engine.owe([entry])

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return str(uuid7(self._clock.now_us(), self._dice.bytes(10)))

    def tick(self) -> None:
        """What time does to orders and to what they set, and what automations order by themselves."""
        now_us = self._clock.now_us()
        try:
            self._engine.commands.tick(now_us)
            if self._facts.has_room:
                due = self._engine.holds.due(now_us)
                self._engine.apply(due.effects, self._engine.next_ingest, f"holds.{now_us}", now_us)
                for order in due.orders:
                    with suppress(CommandRefused):
                        self._give(order, now_us)
                self._automate(now_us)
        finally:
            self.note_orders()

    def _automate(self, now_us: int) -> None:
        """What automations order by themselves; a fault in one of them is its own (`Automations.faults`)."""
        automations = self._engine.automations
        # As before a sweep: an asset may have been made of which nobody has said anything yet.
        self._engine.picture.fit()
        for automation, asks, effects in automations.answer(self._engine, now_us):
            with automations.alone(automation):
                rule = f"automations.{automation.name}.{now_us}"
                self._engine.apply(effects, self._engine.next_ingest, rule, now_us)
                for ask in asks:
                    try:
                        given = self._answer(ask, now_us)
                    except CommandRefused:
                        automations.refused += 1
                    else:
                        if given is not None:
                            automations.gave(automation, given)

    def _answer(self, ask: Ask, now_us: int) -> Given | None:
        """Gives what an automation asks for, to those who are not refused and end it by themselves; None where that is
        nobody. Raises CommandRefused."""
        order = Order(ask.kind, ask.action, ask.params, ask.assets, ask.words)
        examined = self.examine(order)
        open_to = examined.open & (examined.knows_end | (order.until_us is None))
        if not open_to.any():
            return None
        assets = order.assets[open_to]
        self._give(replace(order, assets=assets), now_us, ask.expires_s)
        return Given(assets, now_us, ask.params, ask.words)

    def _give(self, order: Order, now_us: int, expires_s: float | None = None) -> None:
        """Gives an order in the post's own name. Raises CommandRefused."""
        commands = self._engine.commands
        command = commands.propose(
            self.new_id(), order, self.examine(order), actor=POST, reason="", key="", now_us=now_us,
            expires_s=expires_s,
        )  # fmt: skip
        if command.state == COMMAND.first:
            commands.release(command, POST, now_us=now_us)

    def withdraw_retired(self) -> None:
        """Ends what is open of assets that an import has retired while nothing ran."""
        now_us, gone = self._clock.now_us(), self._engine.registry.gone
        for asset in {each.asset for each in self._engine.conditions if gone[each.asset]}:
            self._engine.owe(self._engine.conditions.withdraw(asset, POST, new_id=self.new_id, at_us=now_us))

    def note_orders(self) -> None:
        """Owes the facts of what devices and time have done to orders."""
        self._owe_orders(self._clock.now_us())

    def _by(self, actor: str, reason: str) -> By:
        return By(actor, self._begin(), self.new_id(), reason)

    def _keyed(self, actor: str, reason: str, fact_id: str) -> By:
        by = self._by(actor, reason)
        return replace(by, fact_id=fact_id) if fact_id else by

    def _begin(self) -> int:
        if not self._facts.has_room:
            raise StorageFull("no room is left for what would have to be written down")
        return self._clock.now_us()

    def _owe_orders(self, now_us: int) -> None:
        self._engine.owe_orders(lambda _what: self.new_id(), now_us)

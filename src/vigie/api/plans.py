"""Plans over the API: drafts are written, checked, approved, discarded, withdrawn; and services are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Raw
from starlette.responses import Response

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed, idempotency_key, refusals
from vigie.api.acts.forms import Asked, Given
from vigie.api.bodies import Reason
from vigie.api.city.export import table_of
from vigie.api.city.forms import Form, Page, Who
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.turns import TurnPassed, Turns, TurnsBusy, Urgency
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.ids import keyed_id
from vigie.core.plans import Finding, PlanKind, Question, Unanswerable
from vigie.core.scope import Verb, lies_in
from vigie.core.times import rfc3339
from vigie.engine.known import Frozen
from vigie.engine.plans import Plan, Version, kinds_of

TRIES = 3


class PlanKept(Form, frozen=True, kw_only=True):
    """One version of a plan. revision: counts its saves. body: its document, as the kind's form says."""

    version: int
    revision: int
    editor: Who
    edited: str
    approver: Who | None
    approved: str | None
    body: Any


class PlanRow(Form, frozen=True, kw_only=True):
    """A plan in a list. rank: whose word it is, "" where its kind has no ranks. brief: what its kind says of it in a
    list, such as its hours; as the title, of what is in force, or of the draft where nothing is. in_force, draft: the
    numbers of its versions, None where there is none. editor, edited: who saved it last, and when. may_write,
    may_approve: what you may do with it."""

    id: str
    kind: str
    title: str
    area: str
    rank: str
    brief: Mapping[str, str | float]
    in_force: int | None
    draft: int | None
    editor: Who
    edited: str
    may_write: bool
    may_approve: bool


class PlanForm(PlanRow, frozen=True, kw_only=True):
    """A plan, with its documents. last: the number of its newest version."""

    last: int
    in_force_version: PlanKept | None
    draft_version: PlanKept | None


class RevisionForm(Form, frozen=True, kw_only=True):
    """One save of a plan, and what became of it."""

    version: int
    revision: int
    state: str
    editor: Who
    edited: str
    approver: Who | None
    approved: str | None
    ended: str | None


class NewPlan(Asked, frozen=True, kw_only=True):
    """A plan to begin. body: its document, as the kind's form says."""

    kind: Annotated[str, Meta(max_length=100)]
    body: Raw
    reason: Reason = ""


class PlanToCheck(Asked, frozen=True, kw_only=True):
    """A document to check. plan: the plan that it is of, by its id; empty for a new one. body: as the kind's form
    says."""

    kind: Annotated[str, Meta(max_length=100)]
    body: Raw
    plan: Annotated[str, Meta(max_length=100)] = ""


class PlanChecked(Form, frozen=True, kw_only=True):
    """All that is wrong with a document: what refuses its approval, and what is to be answered for in it."""

    findings: Sequence[Finding]


class SaveDraft(Asked, frozen=True, kw_only=True):
    """A draft to save. version, revision: what you saw last; revision 0 and the newest version where there was no
    draft yet."""

    version: int
    revision: int
    body: Raw
    reason: Reason = ""


class SeenDraft(Asked, frozen=True, kw_only=True):
    """What you saw when you decided."""

    version: int
    revision: int = 0
    reason: Given


class PlansAsked(msgspec.Struct, frozen=True):
    """Which plans are meant."""

    kind: Annotated[str, Meta(description="Only plans of this kind, such as lighting.programme.")] = ""


class PlanDoors:
    """The operations on plans, and the questions to services."""

    def __init__(self, bench: Bench, calendar: Callable[[], Calendar]) -> None:
        self._bench, self._calendar = bench, calendar
        self._engine = bench.sources.engine
        self._kinds = kinds_of(bench.sources.services)
        self._turns = Turns()

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        plan, busy = PlanForm, (409, 503, 507)
        key = {"Idempotency-Key": "The same key from the same person makes the same plan, however often it is sent."}
        return [
            Operation("GET", "plans", self.list, query=PlansAsked, answer=Page[PlanRow], verb=Verb.SEE),
            Operation("POST", "plans", self.make, body=NewPlan, answer=plan, status=201, verb=Verb.PLAN, problems=busy,
                      headers=key),
            Operation("POST", "plans/checks", self.check, body=PlanToCheck, answer=PlanChecked, verb=Verb.PLAN,
                      problems=(503,)),
            Operation("GET", "plans/{id}", self.tell, answer=plan, verb=Verb.SEE),
            Operation("GET", "plans/{id}/revisions", self.revisions, answer=Page[RevisionForm], verb=Verb.SEE),
            Operation("GET", "plans/{id}/revisions/{version}/{revision}", self.revision, answer=PlanKept,
                      verb=Verb.SEE),
            Operation("PUT", "plans/{id}/draft", self.save, body=SaveDraft, answer=plan, verb=Verb.PLAN, problems=busy),
            Operation("POST", "plans/{id}/approve", self.approve, body=SeenDraft, answer=plan, verb=Verb.APPROVE,
                      problems=busy),
            Operation("POST", "plans/{id}/discard", self.discard, body=SeenDraft, verb=Verb.PLAN, problems=busy),
            Operation("POST", "plans/{id}/withdraw", self.withdraw, body=SeenDraft, verb=Verb.APPROVE, problems=busy),
            *(
                operation
                for service in self._bench.sources.services
                for question in service.questions
                for operation in self._of(service.name, question)
            ),
        ]  # fmt: skip

    def _of(self, service: str, question: Question) -> Iterator[Operation]:
        """How a question is asked: in a body; or, where it has a table, in an address, and its table in another."""
        path, answered = f"services/{service}/{question.name}", _handler(self, question)
        if question.table is None:
            yield Operation("POST", path, answered, body=question.params, answer=question.answer, verb=Verb.SEE,
                            problems=(404, 503))  # fmt: skip
            return
        yield Operation("GET", path, answered, query=question.params, answer=question.answer, verb=Verb.SEE,
                        problems=(404, 503))  # fmt: skip
        yield Operation("GET", f"{path}.csv", _table_handler(self, question), query=question.params, verb=Verb.SEE,
                        also={"text/csv": "Always."}, problems=(404, 503))  # fmt: skip

    async def list(self, ask: Ask[PlansAsked, Nothing]) -> Page[PlanRow]:
        """Lists the plans that are drafted or in force, where you may see their service."""
        rows = [
            self._row(ask.caller, plan)
            for plan in self._engine.plans
            if ask.query.kind in ("", plan.kind.key) and self._sees(ask.caller, plan)
        ]
        return Page(items=sorted(rows, key=lambda row: (row.kind, row.title.casefold(), row.id)))

    async def make(self, ask: Ask[Nothing, NewPlan]) -> Answer | PlanForm:
        """Begins a plan with its first draft.

        It changes nothing until somebody else approves it.
        """
        kind = self._kind(ask.body.kind)
        body = _decoded(kind, ask.body.body)
        self._need_to_write(ask.caller, kind, body)
        actor, key = ask.caller.actor, idempotency_key(ask.request)
        plan_id = str(keyed_id(actor, key)) if key else ""
        if key and self._bench.sources.facts.plans.placed(plan_id) is not None:
            return Answer(self._told(ask.caller, self._plan(ask.caller, plan_id)), 200)
        with refusals():
            plan_id = self._bench.acts.make_plan(
                kind, body, actor=actor, reason=ask.body.reason.strip(), plan_id=plan_id
            )  # fmt: skip
        await self._bench.kept()
        return self._told(ask.caller, self._plan(ask.caller, plan_id))

    async def check(self, ask: Ask[Nothing, PlanToCheck]) -> PlanChecked:
        """Finds what is wrong with a document, saved or not, as far as you may see. It changes nothing.

        Plans that you may not see are left out of it: who approves may be told of more, such as a name that is taken
        elsewhere. Of each person one check waits, the newest: the one before it is answered 503.
        """
        form, caller = ask.body, ask.caller
        kind = self._kind(form.kind)
        body = _decoded(kind, form.body)
        if not touches(caller, kind.area(body), kind.service, Verb.PLAN):
            raise Problem(403, "Not allowed", f"It takes {Verb.PLAN.value!r} for {kind.service} there.")
        self._need_at_asset(caller, Verb.SEE, kind, body)

        def found(known: Frozen) -> Sequence[Finding]:
            return kind.check(body, form.plan, known)

        return PlanChecked(findings=await self._in_thread(found, caller, Urgency.CHECK, partial(self._sees, caller)))

    async def tell(self, ask: Ask[Nothing, Nothing]) -> PlanForm:
        """Tells a plan: what is in force of it, and the draft beside it."""
        return self._told(ask.caller, self._plan(ask.caller, ask.part("id")))

    async def revisions(self, ask: Ask[Nothing, Nothing]) -> Page[RevisionForm]:
        """Lists everything that was ever saved of a plan, the newest first, and what became of it."""
        plan_id = ask.part("id")
        self._may_read(ask.caller, plan_id)
        found = await asyncio.to_thread(self._bench.sources.facts.plans.revisions, plan_id)
        return Page(
            items=[
                RevisionForm(
                    version=each.version,
                    revision=each.revision,
                    state=each.state,
                    editor=self._who(ask.caller, each.editor),
                    edited=rfc3339(each.edited_us),
                    approver=self._who(ask.caller, each.approver) if each.approver else None,
                    approved=None if each.approved_us is None else rfc3339(each.approved_us),
                    ended=None if each.ended_us is None else rfc3339(each.ended_us),
                )
                for each in found
            ]
        )

    async def revision(self, ask: Ask[Nothing, Nothing]) -> PlanKept:
        """Tells the document of one save, as it was written."""
        plan_id = ask.part("id")
        self._may_read(ask.caller, plan_id)
        numbers = [ask.part(name) for name in ("version", "revision")]
        plans = self._bench.sources.facts.plans
        if all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
            version, revision = map(int, numbers)
            body = await asyncio.to_thread(plans.body, plan_id, version, revision)
            if body is not None:
                past = next(
                    each for each in plans.revisions(plan_id) if (each.version, each.revision) == (version, revision)
                )
                return PlanKept(
                    version=version,
                    revision=revision,
                    editor=self._who(ask.caller, past.editor),
                    edited=rfc3339(past.edited_us),
                    approver=self._who(ask.caller, past.approver) if past.approver else None,
                    approved=None if past.approved_us is None else rfc3339(past.approved_us),
                    body=Raw(body),
                )
        raise Problem(404, "No such save", "Of this plan there is no such version and revision.")

    async def save(self, ask: Ask[Nothing, SaveDraft]) -> PlanForm:
        """Saves a draft, or begins one beside what is in force.

        Where somebody has saved since you read it, nothing is saved and you are told: 409, with the version and the
        revision that there are now. Both texts are kept.
        """
        form, plan = ask.body, self._plan(ask.caller, ask.part("id"))
        body = _decoded(plan.kind, form.body)
        self._need(ask.caller, Verb.PLAN, plan.kind, plan.area)
        self._need_to_write(ask.caller, plan.kind, body)
        with refusals():
            self._bench.acts.save_plan(
                plan.id, body, number=form.version, revision=form.revision,
                actor=ask.caller.actor, reason=form.reason.strip(),
            )  # fmt: skip
        await self._bench.kept()
        return self._told(ask.caller, self._plan(ask.caller, plan.id))

    async def approve(self, ask: Ask[Nothing, SeenDraft]) -> PlanForm:
        """Approves a draft that somebody else saved last: from now on it is in force.

        What is wrong with it is found first. What refuses it must be mended; the rest must have been answered for in
        writing in the document itself.
        """
        form, plan = ask.body, self._plan(ask.caller, ask.part("id"))
        draft = plan.draft
        if draft is None:
            raise Problem(409, "Nothing to approve", "There is no draft of this plan.", rule="engine.no_draft")
        for area in {plan.area, plan.kind.area(draft.body)}:
            self._need(ask.caller, Verb.APPROVE, plan.kind, area)
        for _ in range(TRIES):
            edition = self._engine.plans.edition
            self._refuse_for(plan.kind, draft.body, await self._findings(ask.caller, plan, draft.body))
            if edition == self._engine.plans.edition:
                break
        with refusals():
            self._bench.acts.move_plan(
                plan.id, "approve", number=form.version, revision=form.revision,
                actor=ask.caller.actor, reason=form.reason.strip(),
            )  # fmt: skip
        await self._bench.kept()
        return self._told(ask.caller, self._plan(ask.caller, plan.id))

    async def discard(self, ask: Ask[Nothing, SeenDraft]) -> None:
        """Discards a draft. What was saved of it stays readable."""
        await self._move(ask, "discard", Verb.PLAN)

    async def withdraw(self, ask: Ask[Nothing, SeenDraft]) -> None:
        """Takes what is in force out of force."""
        await self._move(ask, "withdraw", Verb.APPROVE)

    async def answer(self, question: Question, ask: Ask[Nothing, Any]) -> Any:
        """What a service says to a question. Raises Problem 404 for what it does not find, 503 where too many wait."""
        said = ask.body if question.table is None else ask.query
        return await self._found(lambda known: question.ask(said, known), ask.caller)

    async def table(self, question: Question, ask: Ask[Any, Nothing]) -> Response:
        """The same as a table for spreadsheets."""
        make = question.table
        assert make is not None
        table = await self._found(lambda known: make(ask.query, known), ask.caller)
        return table_of(table, ask.caller.language, f"vigie-{question.name}.csv")

    async def _found(self, work: Callable[[Frozen], Any], caller: Caller) -> Any:
        try:
            return await self._in_thread(work, caller)
        except LookupError as error:
            raise Problem(404, "Not found", f"There is no {str(error)[:80]!r} that you may see.") from error

    async def _in_thread(
        self,
        work: Callable[[Frozen], Any],
        caller: Caller,
        urgency: Urgency = Urgency.QUESTION,
        told: Callable[[Plan], bool] | None = None,
    ) -> Any:
        """What work says of the city as the caller sees it. told: which plans it may know of; None: all of them."""
        try:
            async with self._turns.turn(urgency, caller.actor):
                scope, now_us = caller.scope.may(Verb.SEE), self._bench.sources.clock.now_us()
                known = Frozen.of(self._engine, self._calendar(), scope, now_us, told)
                return await asyncio.to_thread(work, known)
        except TurnsBusy as error:
            raise Problem(503, "Busy", "More is asked than can be answered at once.", retry_after_s=2) from error
        except TurnPassed as error:
            raise Problem(
                503, "Busy", "You asked for a newer check before this one's turn.", retry_after_s=2
            ) from error
        except Unanswerable as error:
            detail = f"The rule {error.rule!r} says why."
            raise Problem(422, "More than is computed", detail, rule=error.rule, values=error.detail) from error

    async def _findings(self, caller: Caller, plan: Plan, body: Any) -> Sequence[Finding]:
        return await self._in_thread(lambda known: plan.kind.check(body, plan.id, known), caller, Urgency.DECISION)

    def _refuse_for(self, kind: PlanKind, body: Any, findings: Sequence[Finding]) -> None:
        wrong = [each for each in findings if each.refuses or not kind.answer(body).strip()]
        if wrong:
            first = wrong[0]
            values: dict[str, Any] = {"findings": [msgspec.to_builtins(each) for each in wrong], "count": len(wrong)}
            raise Problem(
                409, "Not as it should be", f"The rule {first.rule!r} keeps it from being approved.",
                mend="Mend what refuses it; answer for the rest in the document.",
                rule="engine.plan_findings", values=values,
            )  # fmt: skip

    async def _move(self, ask: Ask[Nothing, SeenDraft], event: str, verb: Verb) -> None:
        form, plan = ask.body, self._plan(ask.caller, ask.part("id"))
        self._need(ask.caller, verb, plan.kind, plan.area)
        with refusals():
            self._bench.acts.move_plan(
                plan.id, event, number=form.version, revision=form.revision,
                actor=ask.caller.actor, reason=form.reason.strip(),
            )  # fmt: skip
        await self._bench.kept()

    def _kind(self, name: str) -> PlanKind:
        kind = self._kinds.get(name)
        if kind is None:
            raise Problem(422, "Unknown kind", f"There is no plan kind {name!r}.",
                          mend=f"There are: {', '.join(sorted(self._kinds))}.")  # fmt: skip
        return kind

    def _plan(self, caller: Caller, plan_id: str) -> Plan:
        plan = self._engine.plans.find(plan_id)
        if plan is None or not self._sees(caller, plan):
            raise Problem(404, "No such plan", "Nothing of it is drafted or in force, or you may not see it.")
        return plan

    def _may_read(self, caller: Caller, plan_id: str) -> None:
        """Raises Problem 404 where a plan, of now or of the past, may not be seen."""
        placed = self._bench.sources.facts.plans.placed(plan_id)
        if placed is None or not touches(caller, placed[2], placed[1]):
            raise Problem(404, "No such plan", "There is none of this id that you may see.")

    def _sees(self, caller: Caller, plan: Plan) -> bool:
        return touches(caller, plan.area, plan.kind.service)

    def _need_to_write(self, caller: Caller, kind: PlanKind, body: Any) -> None:
        """Raises Problem 403 where somebody may not write such a document: for its area, of the asset that it
        describes, and for assets of which they see none there."""
        self._need(caller, Verb.PLAN, kind, kind.area(body))
        self._need_at_asset(caller, Verb.PLAN, kind, body)
        done_at = self._engine.kind_named(kind.done_at(body))
        if done_at is None:
            return
        registry = self._engine.registry
        assets = registry.of_kind(done_at)
        seen = assets[self._engine.visibility.mask(caller.scope.may(Verb.SEE))[assets]]
        areas = ints(np.unique(registry.area[seen]))
        if not any(lies_in(registry.areas[area], kind.area(body)) for area in areas):
            raise Problem(403, "Not allowed", f"You see no asset of the kind {done_at.kind!r} in that area.")

    def _need_at_asset(self, caller: Caller, verb: Verb, kind: PlanKind, body: Any) -> None:
        """Raises Problem 403 where somebody has not this right where the asset lies that a document describes, wherever
        the document says that is. What the inventory lacks is the whole town's to describe, so that nobody learns what
        there is elsewhere."""
        asset, registry = kind.asset(body), self._engine.registry
        no = registry.numbers.get(asset, 0)
        area = registry.areas[int(registry.area[no])] if no else ""
        if asset and not allowed(caller, verb, area, kind.service, Verb.SEE):
            raise Problem(403, "Not allowed", f"It takes {verb.value!r} for {kind.service} where {asset!r} lies.")

    def _need(self, caller: Caller, verb: Verb, kind: PlanKind, area: str) -> None:
        if not allowed(caller, verb, area, kind.service, Verb.SEE):
            where = area or "the whole town"
            raise Problem(403, "Not allowed", f"It takes {verb.value!r} for {kind.service} in {where}.")

    def _who(self, caller: Caller, actor: str) -> Who:
        return self._bench.who(caller, actor, may=caller.scope.has(Verb.PLAN))

    def _row(self, caller: Caller, plan: Plan) -> PlanRow:
        return PlanRow(**self._common(caller, plan))

    def _common(self, caller: Caller, plan: Plan) -> Mapping[str, Any]:
        versions = (each for each in (plan.draft, plan.in_force) if each is not None)
        newest = max(versions, key=lambda each: each.edited_us)
        area, service = plan.area, plan.kind.service
        return {
            "id": plan.id,
            "kind": plan.kind.key,
            "title": plan.kind.title(plan.shown),
            "area": area,
            "rank": plan.kind.rank(plan.shown),
            "brief": plan.kind.brief(plan.shown),
            "in_force": plan.in_force.number if plan.in_force else None,
            "draft": plan.draft.number if plan.draft else None,
            "editor": self._who(caller, newest.editor),
            "edited": rfc3339(newest.edited_us),
            "may_write": allowed(caller, Verb.PLAN, area, service, Verb.SEE),
            "may_approve": allowed(caller, Verb.APPROVE, area, service, Verb.SEE),
        }

    def _told(self, caller: Caller, plan: Plan) -> PlanForm:
        def version(each: Version | None) -> PlanKept | None:
            if each is None:
                return None
            return PlanKept(
                version=each.number,
                revision=each.revision,
                editor=self._who(caller, each.editor),
                edited=rfc3339(each.edited_us),
                approver=self._who(caller, each.approver) if each.approver else None,
                approved=rfc3339(each.approved_us) if each.approver else None,
                body=each.body,
            )

        return PlanForm(
            **self._common(caller, plan),
            last=plan.last,
            in_force_version=version(plan.in_force),
            draft_version=version(plan.draft),
        )


def touches(caller: Caller, area: str, service: str, verb: Verb = Verb.SEE) -> bool:
    """Whether a plan of an area concerns what the caller may see, or may do this in too: their area lies in it, or it
    in theirs."""
    inside = allowed(caller, verb, area, service, Verb.SEE)
    grants = caller.scope.may(Verb.SEE).may(verb).grants
    own = (each.area for each in grants if service in each.services or "*" in each.services)
    return inside or any(lies_in(each, area) for each in own)


def _decoded(kind: PlanKind, body: Raw) -> Any:
    try:
        return msgspec.json.decode(body, type=kind.form)
    except msgspec.ValidationError as error:
        raise Problem(
            422, "Not such a plan", str(error), mend="The reference names the fields.", rule="engine.plan_form"
        ) from None


def _handler(doors: PlanDoors, question: Question) -> Callable[[Ask[Any, Any]], Any]:
    async def asked(ask: Ask[Any, Any]) -> Any:
        return await doors.answer(question, ask)

    asked.__doc__ = question.ask.__doc__
    asked.__name__ = question.name
    return asked


def _table_handler(doors: PlanDoors, question: Question) -> Callable[[Ask[Any, Any]], Any]:
    async def asked(ask: Ask[Any, Nothing]) -> Response:
        return await doors.table(question, ask)

    asked.__doc__ = question.table.__doc__
    asked.__name__ = f"{question.name}_table"
    return asked

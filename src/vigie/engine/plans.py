"""The plans of a city: drafts that people write, and what is in force. All of them are held in memory; they are few.

Two people at one draft: who saves says which revision they saw; where there is a newer one, nothing is saved, and they
are told so. Who saved a draft last does not approve it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from vigie.core.facts import About, Entry, PlanMoved, PlanSaved, because, digest
from vigie.core.lives import PLAN, MoveRefused
from vigie.core.plans import PlanKind
from vigie.core.scope import Verb
from vigie.core.service import Service

PLANS_MAX = 5_000
BODY_BYTES_MAX = 512 << 10


class PlanRefused(Exception):
    """What was asked of a plan cannot be done: a rule, and what goes into its sentence."""

    def __init__(self, rule: str, **detail: str | float) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, when, why, and under which id it is written down."""

    actor: str
    at_us: int
    fact_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a plan. number counts from 1; revision too: each save is one. body: its document."""

    number: int
    revision: int
    body: Any
    editor: str
    edited_us: int
    approver: str = ""
    approved_us: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan. last: the number of its newest version."""

    id: str
    kind: PlanKind
    made_us: int
    last: int = 0
    draft: Version | None = None
    in_force: Version | None = None

    @property
    def shown(self) -> Any:
        """The document that it is called by: what is in force, or the draft where nothing is."""
        version = self.in_force or self.draft
        return None if version is None else version.body

    @property
    def area(self) -> str:
        """The part of the town that it is for."""
        return self.kind.area(self.shown)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What is to be written of a saved draft, beside its fact."""

    service: str
    area: str
    title: str
    body: bytes


class Plans:
    """All plans that are drafted or in force."""

    def __init__(self, kept: Iterable[Plan] = ()) -> None:
        self._all: dict[str, Plan] = {plan.id: plan for plan in kept}
        self.edition = 0
        """Grows with whatever changes what is in force or drafted."""

    def __iter__(self) -> Iterator[Plan]:
        return iter(tuple(self._all.values()))

    def find(self, plan_id: str) -> Plan | None:
        """The plan of this id, while anything of it is drafted or in force."""
        return self._all.get(plan_id)

    def make(self, plan_id: str, kind: PlanKind, body: Any, *, by: By) -> Entry:
        """A new plan, as a draft. Raises PlanRefused."""
        if len(self._all) >= PLANS_MAX:
            raise PlanRefused("engine.too_many_plans", most=PLANS_MAX)
        return self._save(Plan(plan_id, kind, by.at_us), body, number=1, revision=1, by=by)

    def save(self, plan_id: str, body: Any, *, number: int, revision: int, by: By) -> Entry | None:
        """Saves a draft over one that was seen (its number and revision), or begins one beside what is in force (its
        number, and revision 0). The save of a moment ago, sent again, is none: its answer was lost. Raises
        PlanRefused; KeyError where there is no such plan."""
        plan = self._all[plan_id]
        seen = (plan.draft.number, plan.draft.revision) if plan.draft else (plan.last, 0)
        if (number, revision) != seen:
            if plan.draft and _is_again(plan.draft, body, number, revision, by):
                return None
            raise PlanRefused("engine.plan_changed", version=seen[0], revision=seen[1])
        if plan.draft is None:
            return self._save(plan, body, number=plan.last + 1, revision=1, by=by)
        return self._save(plan, body, number=plan.draft.number, revision=plan.draft.revision + 1, by=by)

    def move(self, plan_id: str, event: str, *, number: int, revision: int = 0, by: By) -> Entry:
        """Approves or discards a draft, or withdraws what is in force; number, revision: what was seen.

        Raises PlanRefused, MoveRefused; KeyError where there is no such plan.
        """
        plan = self._all[plan_id]
        version = plan.in_force if event == "withdraw" else plan.draft
        if version is None:
            raise MoveRefused(PLAN.name, "draft" if plan.draft else "in_force", event)
        if number != version.number or (event == "approve" and revision != version.revision):
            raise PlanRefused("engine.plan_changed", version=version.number, revision=version.revision)
        if event == "approve" and by.actor == version.editor:
            raise PlanRefused("engine.second_person")
        state = PLAN.move("in_force" if event == "withdraw" else "draft", event)
        about = self._about(plan)
        match event:
            case "approve":
                approved = replace(version, approver=by.actor, approved_us=by.at_us)
                self._keep(replace(plan, in_force=approved, draft=None))
            case "discard":
                self._keep(replace(plan, draft=None))
            case _:
                self._keep(replace(plan, in_force=None))
        fact = PlanMoved(
            id=by.fact_id, at=by.at_us, actor=by.actor, plan=plan_id, version=version.number, event=event, state=state
        )
        return Entry(fact, because(by.reason, by.at_us), about=about)

    def _save(self, plan: Plan, body: Any, *, number: int, revision: int, by: By) -> Entry:
        written = msgspec.json.encode(body, order="sorted")
        if len(written) > BODY_BYTES_MAX:
            raise PlanRefused("engine.plan_too_long", most_kib=BODY_BYTES_MAX >> 10)
        try:
            msgspec.json.decode(written, type=plan.kind.form)
        except msgspec.ValidationError as error:
            # What was put together in memory was held against no limit, and would not be read at the next start.
            raise PlanRefused("engine.plan_form", what=str(error)) from None
        version = Version(number, revision, body, by.actor, by.at_us)
        saved = replace(plan, last=max(plan.last, number), draft=version)
        self._keep(saved)
        kind = plan.kind
        fact = PlanSaved(
            id=by.fact_id, at=by.at_us, actor=by.actor, plan=plan.id, kind=kind.key, version=number, revision=revision,
            item=digest(written),
        )  # fmt: skip
        row = SavedPlan(kind.service, kind.area(body), kind.title(body), written)
        return Entry(fact, because(by.reason, by.at_us), row, self._about(saved))

    def _keep(self, plan: Plan) -> None:
        self.edition += 1
        if plan.draft is None and plan.in_force is None:
            self._all.pop(plan.id, None)
        else:
            self._all[plan.id] = plan

    def _about(self, plan: Plan) -> About:
        # Whoever sees the service there may read in the journal what became of its plans.
        version = plan.draft or plan.in_force
        area = "" if version is None else plan.kind.area(version.body)
        return About(plan.id, area, plan.kind.service, Verb.SEE)


def _is_again(draft: Version, body: Any, number: int, revision: int, by: By) -> bool:
    """Whether a draft is what this save would make of what it was made of."""
    made_of = (draft.number, draft.revision - 1) if draft.revision > 1 else (draft.number - 1, 0)
    return (number, revision) == made_of and by.actor == draft.editor and body == draft.body


def kinds_of(services: Iterable[Service]) -> Mapping[str, PlanKind]:
    """All varieties of plans that some services declare, by key. Raises ValueError where two share a name."""
    found: dict[str, PlanKind] = {}
    for service in services:
        for kind in service.plans:
            if found.setdefault(kind.key, kind) is not kind:
                raise ValueError(f"two services declare the plan kind {kind.key!r}")
    return found

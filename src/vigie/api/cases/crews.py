"""The crew's door: a day's work to take along, and what was done, told when there is a network again.

A telephone keeps what was done under ids of its own, and sends them until it is answered: the same act is done once. An
act that the life of its case allows no more, since somebody else has moved that meanwhile, is kept on the timeline:
nothing that a crew says is lost, and both see what happened. What goes into the document (ticks, parts, minutes) is
told as what came to it, so that two telephones never overwrite each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from msgspec.structs import replace

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, refusals
from vigie.api.cases import forms
from vigie.api.cases.telling import Telling
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.arrays import ints
from vigie.core.lives import MoveRefused
from vigie.core.scope import Verb, lies_in
from vigie.core.times import from_us, rfc3339, to_us
from vigie.engine.acts import case_act
from vigie.engine.cases import Case, Wanted
from vigie.services.roads import Crew
from vigie.services.roads.crews import lacking, skills_of
from vigie.services.roads.orders import Check, Part, WorkOrder

ABOUT_MAX, TIMELINE_MAX, CASES_MAX = 50, 20, 300


@dataclass(frozen=True, slots=True)
class _Became:
    what: Literal["done", "again", "claimed", "refused"]
    rule: str | None = None


class CrewDoor:
    """The operations of a crew's application."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine = bench.sources.engine
        self._stored = bench.sources.facts.cases
        self._telling = Telling(bench)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "crew/day", self.day, query=forms.CrewQuery, answer=forms.CrewDay, verb=Verb.WORK),
            Operation("POST", "crew/acts", self.tell, body=forms.CrewActs, answer=forms.ActOutcomes, verb=Verb.WORK,
                      problems=(507,)),
        ]  # fmt: skip

    async def day(self, ask: Ask[forms.CrewQuery, Nothing]) -> forms.CrewDay:
        """Tells what a crew has to do, with all that it needs where there is no network, and what it has ended today.

        At most 300 cases are told, the first planned and the first due of them.
        """
        caller, no = ask.caller, crew_of(self._bench, ask.caller, ask.query.crew)
        now_us = self._bench.sources.clock.now_us()
        today = from_us(now_us).astimezone(self._engine.zone).date()

        def is_of_today(case: Case) -> bool:
            return not case.is_over or from_us(case.moved_us).astimezone(self._engine.zone).date() == today

        mine = [case for case in self._engine.cases if case.crew == no and self._may_work(caller, case)]
        mine = sorted(filter(is_of_today, mine), key=lambda each: (not each.planned_us, each.planned_us, each.due_us))
        sheets = await self._telling.sheets(caller, mine[:CASES_MAX], TIMELINE_MAX)
        cases = [self._taken(sheet) for sheet in sheets]
        return forms.CrewDay(now=rfc3339(now_us), crew=self._telling.asset(no), cases=cases)

    async def tell(self, ask: Ask[Nothing, forms.CrewActs]) -> forms.ActOutcomes:
        """Takes in what a crew has done, in its order, each for itself.

        An act is told until this is answered: the same one again is done once. Where others have moved a case so that
        its life does not allow an act any more, or have opened it again since that was done, the act is kept on its
        timeline (`claimed`).
        """
        caller, form = ask.caller, ask.body
        now_us = self._bench.sources.clock.now_us()
        # The telephone's clock may be wrong; how far apart its instants are, it knows.
        ahead_us = to_us(form.sent) - now_us
        became: list[_Became] = []
        for act in form.acts:
            done_us = min(to_us(act.at) - ahead_us, now_us)
            try:
                became.append(await self._do(caller, act, act.crew or form.crew, done_us))
            except Problem as error:
                if error.status == 507:
                    raise
                became.append(_Became("refused", error.rule))
        await self._bench.kept()
        told = zip(form.acts, became, strict=True)
        return forms.ActOutcomes(outcomes=[await self._outcome(caller, act, what) for act, what in told])

    async def _do(self, caller: Caller, act: forms.CrewAct, crew: str, done_us: int) -> _Became:
        acts, cases = self._bench.acts, self._engine.cases
        sort = {"move": "move", "note": "note"}.get(act.what, "change")
        fact_id = case_act(caller.actor, sort, act.case, act.id)
        if cases.done(fact_id) is not None or await asyncio.to_thread(self._stored.is_done, fact_id):
            return _Became("again")
        case = cases.find(act.case)
        if case is None or not self._telling.sees(caller, case):
            kept = await asyncio.to_thread(self._stored.find, act.case, cases.kinds)
            seen = kept is not None and self._telling.sees(caller, kept)
            return _Became("refused", "engine.case_archived" if seen else "engine.case_gone")
        if not self._may_work(caller, case):
            return _Became("refused", "engine.case_right")
        done_us = max(done_us, case.opened_us)
        with refusals():
            match act.what:
                case "move":
                    return self._move(caller, case, act, crew, done_us)
                case "note":
                    acts.note_case(case.id, act.text.strip(), actor=caller.actor, key=act.id)
                case _:
                    if not isinstance(case.document, WorkOrder):
                        return _Became("refused", "engine.case_form")
                    wanted = Wanted(document=_with(case.document, act))
                    acts.change_case(case.id, wanted, revision=case.revision, actor=caller.actor, key=act.id)
        return _Became("done")

    def _move(self, caller: Caller, case: Case, act: forms.CrewAct, crew: str, done_us: int) -> _Became:
        asked = case.kind.moves.get(act.event)
        if asked is None or asked.by_post:
            return _Became("refused", "engine.case_event")
        if asked.verb is not Verb.WORK:
            return _Became("refused", "engine.case_right")
        no = crew_of(self._bench, caller, crew) if crew else 0
        acts, actor, reason = self._bench.acts, caller.actor, act.reason.strip()
        # What was done before it was opened again is what somebody found not to be done.
        if done_us >= case.reopened_us:
            try:
                acts.move_case(case.id, act.event, actor=actor, reason=reason, crew=no, done_us=done_us, key=act.id)
                return _Became("done")
            except MoveRefused:
                pass
        acts.claim_case(case.id, act.event, actor=actor, reason=reason, done_us=done_us, key=act.id)
        return _Became("claimed")

    async def _outcome(self, caller: Caller, act: forms.CrewAct, became: _Became) -> forms.ActOutcome:
        case = self._engine.cases.find(act.case)
        row = self._telling.row(caller, case) if case is not None and self._telling.sees(caller, case) else None
        return forms.ActOutcome(id=act.id, became=became.what, rule=became.rule, row=row)

    def _taken(self, sheet: forms.CaseSheet) -> forms.CrewCase:
        registry = self._engine.registry
        return forms.CrewCase(
            row=sheet.row,
            words=sheet.words,
            about=[
                forms.PlacedAsset(
                    id=each.id, name=each.name, kind=each.kind,
                    lon=float(registry.lon[registry.numbers[each.id]]),
                    lat=float(registry.lat[registry.numbers[each.id]]),
                )
                for each in sheet.about[:ABOUT_MAX]
            ],
            document=sheet.document,
            timeline=sheet.timeline,
            photos=sheet.photos,
            planned=sheet.row.planned,
        )  # fmt: skip

    def _may_work(self, caller: Caller, case: Case) -> bool:
        return self._telling.allows(caller, Verb.WORK, case)


def crew_of(bench: Bench, caller: Caller, crew: str) -> int:
    """The number of a crew to whom the caller may give work, or of whose work they do some. Raises Problem 422."""
    registry = bench.sources.engine.registry
    no = registry.numbers.get(crew, 0)
    is_crew = no and registry.kind_of(no) is Crew and not registry.gone[no]
    if not is_crew or not may_send(caller, registry.areas[int(registry.area[no])]):
        raise Problem(422, "No such crew", f"There is no crew {crew[:80]!r} that you may send.",
                      rule="engine.no_crew")  # fmt: skip
    return no


def skills(bench: Bench) -> Mapping[int, Mapping[str, date | None]]:
    """What each crew is able and allowed to do, by its number, as the inventory has it on disk; not on the loop."""
    numbers, said = bench.sources.facts.attributes(Crew, ("skills",))
    return {no: skills_of(str(text)) for no, text in zip(ints(numbers), said["skills"], strict=True)}


def need_skills(case: Case, has: Mapping[str, date | None], day: date) -> None:
    """Raises Problem 409 where a case asks for what a crew may not do on a day: nobody decides that it be so."""
    missing = lacking(case.document.skills, has, day) if isinstance(case.document, WorkOrder) else ()
    if missing:
        raise Problem(409, "Not for this crew", "It lacks a skill that the work asks for, or it does not hold then.",
                      rule="engine.crew_skill", values={"skills": ", ".join(sorted(missing))})  # fmt: skip


def may_send(caller: Caller, area: str) -> bool:
    """Whether somebody gives work to crews of an area, or does it there, in whatever service."""
    grants = (*caller.scope.may(Verb.DISPATCH).grants, *caller.scope.may(Verb.WORK).grants)
    return any(lies_in(area, grant.area) or lies_in(grant.area, area) for grant in grants)


def _with(document: WorkOrder, act: forms.CrewAct) -> WorkOrder:
    """A document with what an act brings to it; what cannot be is refused where it is written."""
    match act.what:
        case "tick":
            known = {each.what for each in document.checklist}
            ticked = [replace(each, done=act.done) if each.what == act.item else each for each in document.checklist]
            new = () if act.item in known else (Check(act.item, act.done),)
            return replace(document, checklist=(*ticked, *new))
        case "used":
            used: dict[str, float] = {}
            for name, count in [*((each.name, each.count) for each in document.parts), (act.name, act.count)]:
                used[name] = used.get(name, 0) + count
            return replace(document, parts=tuple(Part(name, count) for name, count in used.items() if count > 0))
        case _:
            return replace(document, spent_min=max(0, document.spent_min + act.minutes))

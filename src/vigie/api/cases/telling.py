"""Cases as they are told to somebody."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed
from vigie.api.cases import forms
from vigie.api.city.forms import Erased, Who
from vigie.core.facts import CaseChanged, CaseClaimed, CaseJoined, CaseMoved, CaseOpened, CasePhotographed
from vigie.core.plans import Cell, Phrase
from vigie.core.scope import Placement, Verb
from vigie.core.times import nameable_us, rfc3339
from vigie.engine.accounts import OPEN_ENDED_US
from vigie.engine.cases import DOCUMENT, NOTE, Case
from vigie.services.roads.reports import Report
from vigie.store.cases import Happened, KeptPhoto
from vigie.store.journal import PersonalField

ABOUT_MAX = 200
TIMELINE_MAX = 500
_CONDITION = "condition:"

CASES_HEADS = (
    "number", "state", "category", "priority", "title", "asset", "street", "area", "crew", "opened", "due", "late",
)  # fmt: skip


class Telling:
    """Says cases to a caller, as far as they may know."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sources = bench.sources

    def sees(self, caller: Caller, case: Case) -> bool:
        """Whether a caller sees a case at all."""
        return caller.scope.covers(Placement(case.area, case.service, Verb.SEE))

    def areas(self, case: Case) -> list[str]:
        """Where a case lies: its own area, and those of all that its document says that it is about."""
        registry = self._sources.engine.registry
        numbers = [registry.numbers.get(each, 0) for each in case.kind.lies(case.document).assets]
        return [*dict.fromkeys([case.area, *(registry.areas[int(registry.area[no])] for no in numbers if no)])]

    def allows(self, caller: Caller, verb: Verb, case: Case) -> bool:
        """Whether a caller may do this with a case, wherever it lies."""
        return all(allowed(caller, verb, area, case.service, Verb.SEE) for area in self.areas(case))

    def document(self, caller: Caller, case: Case) -> Any:
        """The document of a case: whole for who works on it, without what is private in it for who only sees it."""
        return case.document if self.works_on(caller, case) else case.kind.public(case.document)

    def row(self, caller: Caller, case: Case) -> forms.CaseRow:
        """A case in a list."""
        now_us, due_us = self._sources.clock.now_us(), self._sources.engine.cases.due_us(case)
        condition = case.source.removeprefix(_CONDITION) if case.source.startswith(_CONDITION) else None
        return forms.CaseRow(
            id=case.id,
            number=case.no,
            kind=case.kind.key,
            state=case.state,
            over=case.is_over,
            category=case.category,
            service=case.service,
            area=case.area,
            street=case.street,
            lon=None if math.isnan(case.lon) else case.lon,
            lat=None if math.isnan(case.lat) else case.lat,
            priority=case.priority,
            title=case.title,
            condition=condition,
            asset=next(iter(self._assets(caller, case.assets[:1])), None),
            assets=len(case.assets),
            crew=self._crew(caller, case),
            owner=self._who(caller, case, case.owner) if case.owner else None,
            opened=_said(case.opened_us),
            due=_said(due_us),
            planned=_said(case.planned_us) if case.planned_us else None,
            moved=_said(case.moved_us),
            late=not case.is_over and due_us < now_us,
            may=[event for event in case.kind.events(case.state) if self._may(caller, case, event)],
            revision=case.revision,
        )

    def shows_photos(self, caller: Caller, case: Case) -> bool:
        """Whether a caller sees the photos of a case: somebody may be seen on them."""
        return self.sees(caller, case) and self.works_on(caller, case)

    def photo(self, caller: Caller, case: Case, kept: KeptPhoto) -> forms.PhotoForm:
        """A photo in a list."""
        return forms.PhotoForm(
            id=kept.id, width=kept.width, height=kept.height, added=_said(kept.added_us),
            who=self._who(caller, case, kept.adder),
        )  # fmt: skip

    async def sheet(self, caller: Caller, case: Case, timeline_max: int = TIMELINE_MAX) -> forms.CaseSheet:
        """All of a case."""
        stored = self._sources.facts.cases
        (sheet,) = await self.sheets(caller, [case], timeline_max)
        links = [
            *((other, how, True) for other, how in case.links.items()),
            *((other, how, False) for other, how in (await asyncio.to_thread(stored.linked, case.id)).items()),
        ]
        told = [await self._link(caller, *each) for each in links]
        reads = allowed(caller, Verb.PERSONAL, case.area, case.service, Verb.SEE)
        contact = await asyncio.to_thread(stored.contact, case.id) if reads else None
        private = await asyncio.to_thread(stored.private, case.document_leaf)
        return replace(
            sheet,
            links=[each for each in told if each is not None],
            contact=msgspec.convert(contact, forms.ContactForm) if contact else None,
            private=[_private(each, shown=self.works_on(caller, case)) for each in private],
        )

    async def sheets(self, caller: Caller, cases: Sequence[Case], timeline_max: int) -> list[forms.CaseSheet]:
        """Some cases, each but for other cases and how to reach who reported it: read at once, however many."""
        stored, ids = self._sources.facts.cases, [case.id for case in cases]
        happened = await asyncio.to_thread(stored.timelines, ids, timeline_max)
        people = {actor for case in cases for actor in (case.opener, case.owner)}
        people |= {each.fact.actor for some in happened.values() for each in some}
        names = await asyncio.to_thread(self._sources.facts.sheets.names, people - {""})
        photos = await asyncio.to_thread(stored.photos_in, ids)
        return [self._sheet(caller, case, happened[case.id], photos[case.id], names) for case in cases]

    def _sheet(
        self,
        caller: Caller,
        case: Case,
        happened: Sequence[Happened],
        photos: Sequence[KeptPhoto],
        names: Mapping[str, str],
    ) -> forms.CaseSheet:
        live = self._sources.engine.cases.find(case.id) is not None
        return forms.CaseSheet(
            row=self.row(caller, case),
            words=case.words if self.works_on(caller, case) or _is_public(case) else "",
            opener=self._who(caller, case, case.opener, names),
            about=self._assets(caller, case.assets[:ABOUT_MAX]),
            document=msgspec.to_builtins(self.document(caller, case)),
            photos=[self.photo(caller, case, each) for each in photos] if self.works_on(caller, case) else [],
            links=[],
            # What somebody wanted that was so already is known to the post alone, so that it is done once.
            timeline=[
                self._happening(caller, case, each, names)
                for each in happened
                if not isinstance(each.fact, CaseChanged) or each.fact.changed
            ],
            may_change=live and self.allows(caller, Verb.DISPATCH, case),
        )

    async def _link(self, caller: Caller, other: str, how: str, own: bool) -> forms.LinkForm | None:
        cases, stored = self._sources.engine.cases, self._sources.facts.cases
        case = cases.find(other) or await asyncio.to_thread(stored.find, other, cases.kinds)
        if case is None or not self.sees(caller, case):
            return None
        return forms.LinkForm(
            case=other, number=case.no, kind=case.kind.key, state=case.state, relation=how,
            whose="this" if own else "other",
        )  # fmt: skip

    def _happening(self, caller: Caller, case: Case, happened: Happened, names: Mapping[str, str]) -> forms.Happening:
        fact = happened.fact
        # What is written in a case is written for all who work on it.
        works = self.works_on(caller, case)
        said = next((each for each in happened.personal if each.field in ("reason", NOTE)), None)
        told = forms.Happening(
            n=happened.n,
            at=_said(fact.at),
            who=self._who(caller, case, fact.actor, names),
            what="noted",
            text=said.value if said and works else None,
            erased=said is not None and said.value is None,
            gone=[
                Erased(field=each.field, on=_said(each.erased_us), rule=each.rule or "")
                for each in happened.personal
                if each.erased_us is not None and each.field.startswith(DOCUMENT)
            ],
        )
        match fact:
            case CaseOpened():
                return replace(told, what="opened", state=fact.state, assets=self._seen(caller, fact.assets))
            case CaseMoved():
                done = _said(fact.done) if fact.done else None
                return replace(
                    told,
                    what=fact.event,
                    state=fact.state,
                    crew=fact.crew or None if works else None,
                    into=fact.into or None,
                    done=done,
                )
            case CaseClaimed():
                return replace(told, what="claim", event=fact.event, state=fact.state, done=_said(fact.done))
            case CaseChanged():
                return replace(told, what="changed", fields=tuple(fact.changed))
            case CaseJoined():
                return replace(told, what="joined", assets=self._seen(caller, fact.assets))
            case CasePhotographed():
                return replace(told, what="photographed")
            case _:
                return told

    def _seen(self, caller: Caller, assets: Sequence[str]) -> tuple[str, ...]:
        registry, covered = self._sources.engine.registry, self._sources.sight(caller).covered
        return tuple(each for each in assets[:ABOUT_MAX] if covered[registry.numbers.get(each, 0)])

    def _may(self, caller: Caller, case: Case, event: str) -> bool:
        return self.allows(caller, case.kind.moves[event].verb, case)

    def _who(self, caller: Caller, case: Case, actor: str, names: Mapping[str, str] | None = None) -> Who:
        """Somebody. names: what people are called, where that was asked for all at once."""
        may = self.works_on(caller, case) or caller.actor == actor
        if names is None:
            return self._bench.who(caller, actor, may=may)
        return Who(id=actor, name=names.get(actor) if may else None)

    def works_on(self, caller: Caller, case: Case) -> bool:
        """Whether a caller sends people there, works there or reads personal fields there: who else does, and what
        they saw, is told to them alone."""
        verbs = (Verb.PERSONAL, Verb.DISPATCH, Verb.WORK)
        return any(allowed(caller, verb, case.area, case.service, Verb.SEE) for verb in verbs)

    def _assets(self, caller: Caller, numbers: Sequence[int]) -> list[forms.CaseAsset]:
        covered = self._sources.sight(caller).covered
        return [self.asset(no) for no in numbers if covered[no]]

    def _crew(self, caller: Caller, case: Case) -> forms.CaseAsset | None:
        """Whom it is given to, for who works on it and for who sees that crew."""
        if not case.crew or not (self.works_on(caller, case) or self._sources.sight(caller).covered[case.crew]):
            return None
        return self.asset(case.crew)

    def asset(self, no: int) -> forms.CaseAsset:
        """An asset, or a crew, by its name."""
        registry = self._sources.engine.registry
        return forms.CaseAsset(id=registry.ids[no], name=registry.names[no], kind=registry.kind_of(no).kind)


def _is_public(case: Case) -> bool:
    """Whether a person has read what a resident wrote, and let everybody read it."""
    return isinstance(case.document, Report) and case.document.words_public


def table_rows(rows: Iterable[forms.CaseRow], most: int) -> Iterator[list[Cell]]:
    """So many cases as a table; where there are more of them, its last line says so."""
    for n, row in enumerate(rows):
        if n == most:
            yield [Phrase("csv.cases.more", {"most": most})]
            return
        what: Cell = row.title or (Phrase(f"condition.{row.condition}") if row.condition else "")
        yield [
            row.number,
            Phrase(f"state.{row.kind.partition('.')[2]}.{row.state}"),
            Phrase(f"case.category.{row.category}"),
            row.priority,
            what,
            row.asset.name or row.asset.id if row.asset else "",
            row.street,
            row.area,
            row.crew.name or row.crew.id if row.crew else "",
            row.opened,
            row.due,
            Phrase("csv.yes") if row.late else "",
        ]


def _private(field: PersonalField, *, shown: bool) -> forms.PrivateForm:
    """A private field of a document. shown: whether its caller is told what it says."""
    gone = field.erased_us is not None
    return forms.PrivateForm(
        field=field.field.removeprefix(DOCUMENT), shown=shown and not gone,
        until=None if gone or field.until_us >= OPEN_ENDED_US else _said(field.until_us),
        erased=_said(field.erased_us) if field.erased_us is not None else None, rule=field.rule,
    )  # fmt: skip


def _said(instant_us: int) -> str:
    return rfc3339(nameable_us(instant_us))

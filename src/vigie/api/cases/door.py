"""The operations on cases."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed, idempotency_key, refusals
from vigie.api.cases import forms
from vigie.api.cases.crews import crew_of, may_send, need_skills, skills
from vigie.api.cases.telling import CASES_HEADS, Telling, table_rows
from vigie.api.city.export import table_of
from vigie.api.city.forms import Page
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.arrays import ints
from vigie.core.cases import PRIORITIES, CaseKind, Draft, Lies
from vigie.core.plans import Table
from vigie.core.scope import Verb
from vigie.core.times import DAY_US, from_us, to_us
from vigie.engine.acts import case_act
from vigie.engine.cases import Case, Cases, Wanted
from vigie.engine.nearby import nearest
from vigie.services.roads import Crew
from vigie.store.cases import Filter

LIVE = "live"
"""The state, in a question, of whatever is not over."""

EXPORTED_MAX = 20_000

PAST_US, AHEAD_US = 366 * DAY_US, 3_660 * DAY_US
"""How far back, and ahead, something may be due or planned."""


class CasesDoor:
    """Lists, sheets, and what people do to cases."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine = bench.sources.engine
        self._stored = bench.sources.facts.cases
        self._telling = Telling(bench)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        acting = (409, 422, 507)
        once = {"Idempotency-Key": "Makes a repeated request the same act."}
        return [
            Operation("GET", "cases", self.list, query=forms.CasesQuery, answer=Page[forms.CaseRow],
                      also={"text/csv": "With format=csv, or `Accept: text/csv`."}),
            Operation("GET", "cases/counts", self.counts, query=forms.CasesQuery, answer=forms.CaseCounts),
            Operation("GET", "cases/kinds", self.kinds, answer=Page[forms.CaseKindForm]),
            Operation("GET", "cases/crews", self.crews, answer=Page[forms.CrewRow]),
            Operation("GET", "cases/{id}", self.sheet, answer=forms.CaseSheet),
            Operation("POST", "cases", self.open, body=forms.OpenCase, answer=forms.CaseRow, status=201,
                      problems=acting, headers=once),
            Operation("POST", "cases/moves", self.move_many, body=forms.MoveCases, answer=forms.MovedCases,
                      problems=acting),
            Operation("PATCH", "cases/{id}", self.change, body=forms.ChangeCase, answer=forms.CaseRow, problems=acting,
                      headers=once),
            Operation("POST", "cases/{id}/moves", self.move, body=forms.MoveCase, answer=forms.CaseRow,
                      problems=acting, headers=once),
            Operation("POST", "cases/{id}/notes", self.note, body=forms.NoteForm, answer=forms.CaseRow,
                      problems=acting, headers=once),
        ]  # fmt: skip

    @property
    def _cases(self) -> Cases:
        return self._engine.cases

    async def list(self, ask: Ask[forms.CasesQuery, Nothing]) -> Page[forms.CaseRow] | Response:
        """Lists the cases of services that you see, where you see them.

        total stops at 10,000: narrow the question. As CSV the first 20,000 are told; where there are more, its last
        line says so.
        """
        query, kinds = ask.query, self._cases.kinds
        wanted, by_due = self._wanted(query), query.sort == "due"
        after = place_of(query.cursor, tuple[int, str])
        if query.format == "csv" or "text/csv" in ask.request.headers.get("accept", ""):
            page = await asyncio.to_thread(
                self._stored.page, ask.caller.scope, wanted, kinds, by_due=by_due, limit=EXPORTED_MAX + 1
            )
            rows = table_rows((self._telling.row(ask.caller, case) for case in page), EXPORTED_MAX)
            return table_of(Table(CASES_HEADS, rows), ask.caller.language, "vigie-cases.csv")
        page = await asyncio.to_thread(
            self._stored.page, ask.caller.scope, wanted, kinds, by_due=by_due, after=after, limit=query.limit + 1
        )
        total = await asyncio.to_thread(self._stored.count, ask.caller.scope, wanted)
        shown = page[: query.limit]
        last = shown[-1] if len(page) > query.limit else None
        return Page(
            items=[self._telling.row(ask.caller, case) for case in shown],
            next=cursor(last.due_us if by_due else last.opened_us, last.id) if last else None,
            total=total,
        )

    async def counts(self, ask: Ask[forms.CasesQuery, Nothing]) -> forms.CaseCounts:
        """Counts the cases in each state, of those that the question is for."""
        wanted = self._wanted(ask.query)
        return forms.CaseCounts(states=dict(await asyncio.to_thread(self._stored.states, ask.caller.scope, wanted)))

    async def kinds(self, ask: Ask[Nothing, Nothing]) -> Page[forms.CaseKindForm]:
        """Tells the varieties of cases: their states, what moves them on, and how soon each priority is due."""
        return Page(items=[_kind_form(kind, ask.caller) for kind in self._cases.kinds.values()])

    async def crews(self, ask: Ask[Nothing, Nothing]) -> Page[forms.CrewRow]:
        """Lists the crews to whom you may give cases, or of whose work you do some, with how much each has to do."""
        registry, busy = self._engine.registry, Counter(case.crew for case in self._cases if not case.is_over)
        items = [
            forms.CrewRow(id=registry.ids[no], name=registry.names[no], area=area, cases=busy[no])
            for no in ints(registry.of_kind(Crew))
            if may_send(ask.caller, area := registry.areas[int(registry.area[no])])
        ]
        return Page(items=items, total=len(items))

    async def sheet(self, ask: Ask[Nothing, Nothing]) -> forms.CaseSheet:
        """Tells all of a case, archived or not: what it says, what it is about, and what happened to it."""
        case = await self._seen(ask.caller, ask.part("id"))
        return await self._telling.sheet(ask.caller, case)

    async def open(self, ask: Ask[Nothing, forms.OpenCase]) -> Answer:
        """Opens a case.

        It takes the right to open one of its kind where it lies, for the service of its category; where its document
        says where that is, in the area of each street. Where no asset is named, it lies in the narrowest area that
        holds its place.
        """
        caller, form = ask.caller, ask.body
        kind = self._kind(form.kind)
        service = kind.categories.get(form.category)
        if service is None:
            known = ", ".join(kind.categories)
            raise Problem(422, "No such category", f"There is no category {form.category!r}.",
                          mend=f"Take one of: {known}.", rule="engine.case_category")  # fmt: skip
        draft = self._draft(caller, form, kind)
        areas = [draft.area]
        if draft.document is not None and kind.lies(draft.document).is_said:
            areas += map(self._area_of, draft.assets)
        self._need(caller, kind.opens, areas, service)
        key = idempotency_key(ask.request)
        if key and (again := await self._done_before(caller, key)) is not None:
            return Answer(self._telling.row(caller, again), 200)
        with refusals():
            case = self._bench.acts.open_case(draft, actor=caller.actor, key=key)
        await self._bench.kept()
        return Answer(self._telling.row(caller, case))

    async def move(self, ask: Ask[Nothing, forms.MoveCase]) -> forms.CaseRow:
        """Moves a case on by an event of its life.

        Where somebody has moved or changed it since you read it, nothing is done and you are told: 409, with the
        revision that there is now.
        """
        caller, form = ask.caller, ask.body
        case = await self._seen(caller, ask.part("id"))
        key = idempotency_key(ask.request)
        if key and await asyncio.to_thread(self._stored.is_done, case_act(caller.actor, "move", case.id, key)):
            return self._telling.row(caller, case)
        has = await self._skills(form.crew)
        await self._ready(case.kind)
        self._move(caller, case, form, has, key)
        await self._bench.kept()
        return self._telling.row(caller, await self._seen(caller, case.id))

    async def move_many(self, ask: Ask[Nothing, forms.MoveCases]) -> forms.MovedCases:
        """Moves many cases on by one event, each for itself: what cannot be moved is told, and keeps no other from
        it."""
        caller, form = ask.caller, ask.body
        refused: dict[str, str] = {}
        has = await self._skills(form.crew)
        for case_id, revision in form.cases.items():
            try:
                case = await self._seen(caller, case_id)
                await self._ready(case.kind)
                self._move(
                    caller, case,
                    forms.MoveCase(event=form.event, revision=revision, crew=form.crew, reason=form.reason), has,
                )  # fmt: skip
            except Problem as error:
                refused[case_id] = error.rule
        await self._bench.kept()
        moved = [await self._seen(caller, case_id) for case_id in form.cases if case_id not in refused]
        return forms.MovedCases(moved=[self._telling.row(caller, case) for case in moved], refused=refused)

    async def change(self, ask: Ask[Nothing, forms.ChangeCase]) -> forms.CaseRow:
        """Changes what a case says. It takes the right to dispatch there; for the fields of the document that its kind
        leaves to the crew, to work there. Of the document, what is not said stays (RFC 7396). Where it says where it
        is, the case is about that and nothing else from then on."""
        caller, form = ask.caller, ask.body
        case = self._live(await self._seen(caller, ask.part("id")))
        said = {"title", "words", "priority", "due", "owner"}
        dispatches = any(getattr(form, name) is not UNSET for name in said)
        verb = Verb.DISPATCH if dispatches or not case.kind.worked else Verb.WORK
        self._need(caller, verb, self._telling.areas(case), case.service)
        owner = None if form.owner is UNSET else form.owner
        if owner and self._bench.sources.facts.accounts.name_of(owner) is None:
            raise Problem(422, "Nobody", f"There is nobody {owner[:80]!r}.", rule="engine.case_owner")
        key = idempotency_key(ask.request)
        if key and await asyncio.to_thread(self._stored.is_done, case_act(caller.actor, "change", case.id, key)):
            return self._telling.row(caller, case)
        await self._ready(case.kind)
        # From here on nobody else changes it: the document is that of the revision which is looked at.
        case = self._live(self._cases.find(case.id) or case)
        document = None if form.document is UNSET or form.document is None else _patched(case, form.document)
        if document is not None and form.revision == case.revision:
            changed = {name for name in case.kind.form.__struct_fields__
                       if getattr(document, name) != getattr(case.document, name)}  # fmt: skip
            if changed - case.kind.worked:
                verb = Verb.DISPATCH
                self._need(caller, verb, self._telling.areas(case), case.service)
        lies = Lies() if document is None else case.kind.lies(document)
        # Where it leads through already may have been written by somebody who sees more.
        about = self._about(caller, lies, case.kind.lies(case.document).through) if lies.is_said else ()
        if about and self._area_of(about[0]) != case.area:
            raise Problem(409, "Elsewhere", f"By its new document it does not lie in {case.area!r} any more.",
                          mend="Open another one there.", rule="engine.case_elsewhere")  # fmt: skip
        self._need(caller, verb, map(self._area_of, about), case.service)
        wanted = Wanted(
            title=None if form.title is UNSET else form.title.strip(),
            words=None if form.words is UNSET else form.words.strip(),
            priority=None if form.priority is UNSET else form.priority,
            due_us=None if form.due is UNSET else self._when(form.due),
            owner=owner,
            document=document, assets=about or None, lon=lies.lon, lat=lies.lat,
        )  # fmt: skip
        with refusals():
            self._bench.acts.change_case(
                case.id,
                wanted,
                revision=form.revision,
                actor=caller.actor,
                reason=form.reason.strip(),
                key=key,
            )
        await self._bench.kept()
        return self._telling.row(caller, await self._seen(caller, case.id))

    async def note(self, ask: Ask[Nothing, forms.NoteForm]) -> forms.CaseRow:
        """Writes something into a case, for all who see it. It takes the right to work there."""
        caller = ask.caller
        case = self._live(await self._seen(caller, ask.part("id")))
        self._need(caller, Verb.WORK, [case.area], case.service)
        key = idempotency_key(ask.request)
        if not key or not await asyncio.to_thread(self._stored.is_done, case_act(caller.actor, "note", case.id, key)):
            case = self._live(case)
            with refusals():
                self._bench.acts.note_case(case.id, ask.body.text.strip(), actor=caller.actor, key=key)
            await self._bench.kept()
        return self._telling.row(caller, await self._seen(caller, case.id))

    # How.

    async def _skills(self, crew: str | None) -> Mapping[int, Mapping[str, date | None]]:
        """Of each crew, its skills; of none where no crew is meant."""
        return await asyncio.to_thread(skills, self._bench) if crew else {}

    async def _ready(self, kind: CaseKind) -> None:
        """Returns when a guard of cases of a kind knows what it goes by."""
        ready = self._cases.readies.get(kind.key)
        if ready is not None:
            await asyncio.to_thread(ready)

    def _move(
        self,
        caller: Caller,
        case: Case,
        asked: forms.MoveCase,
        has: Mapping[int, Mapping[str, date | None]],
        key: str = "",
    ) -> None:
        self._need_to_move(caller, case, asked.event)
        number = crew_of(self._bench, caller, asked.crew) if asked.crew else 0
        planned_us = 0 if asked.planned is None else self._when(asked.planned)
        if number:
            on_us = planned_us or self._bench.sources.clock.now_us()
            need_skills(case, has.get(number, {}), from_us(on_us).astimezone(self._engine.zone).date())
        with refusals():
            self._bench.acts.move_case(
                case.id, asked.event, actor=caller.actor, reason=asked.reason.strip(), revision=asked.revision,
                crew=number, planned_us=planned_us, key=key,
            )  # fmt: skip

    def _when(self, said: datetime) -> int:
        """When something is due or planned. Raises Problem 422 for a slip of the pen, by which it never would be."""
        now_us, at_us = self._bench.sources.clock.now_us(), to_us(said)
        if not now_us - PAST_US <= at_us <= now_us + AHEAD_US:
            raise Problem(422, "Not then", "It is more than a year ago, or more than ten years ahead.",
                          rule="engine.case_when")  # fmt: skip
        return at_us

    async def _seen(self, caller: Caller, case_id: str) -> Case:
        """A case, archived or not. Raises Problem 404."""
        case = self._cases.find(case_id)
        if case is None:
            case = await asyncio.to_thread(self._stored.find, case_id, self._cases.kinds)
        if case is None or not self._telling.sees(caller, case):
            raise Problem(404, "No such case", f"There is no case {case_id[:80]!r} that you may see.",
                          rule="engine.case_gone")  # fmt: skip
        return case

    def _live(self, case: Case) -> Case:
        if self._cases.find(case.id) is None:
            raise Problem(409, "Archived", "This case is archived: it is not changed any more.",
                          mend="Open another one.", rule="engine.case_archived")  # fmt: skip
        return case

    async def _done_before(self, caller: Caller, key: str) -> Case | None:
        """The case that was opened under this key before this process knew of it."""
        return await asyncio.to_thread(self._stored.find, case_act(caller.actor, "open", "", key), self._cases.kinds)

    def _need(self, caller: Caller, verb: Verb, areas: Iterable[str], service: str) -> None:
        for area in areas:
            if not allowed(caller, verb, area, service, Verb.SEE):
                where = area or "the whole town"
                raise Problem(403, "Not allowed", f"It takes {verb.value!r} for {service} in {where}.",
                              rule="engine.case_right")  # fmt: skip

    def _need_to_move(self, caller: Caller, case: Case, event: str) -> None:
        asked = self._live(case).kind.moves.get(event)
        if asked is None:
            known = ", ".join(name for name, move in case.kind.moves.items() if not move.by_post)
            raise Problem(422, "No such event", f"There is no event {event!r}.", mend=f"Take one of: {known}.",
                          rule="engine.case_event")  # fmt: skip
        self._need(caller, asked.verb, self._telling.areas(case), case.service)

    def _kind(self, key: str) -> CaseKind:
        kind = self._cases.kinds.get(key)
        if kind is None:
            known = ", ".join(self._cases.kinds)
            raise Problem(422, "No such kind", f"There is no kind of case {key[:80]!r}.",
                          mend=f"Take one of: {known}.", rule="engine.case_kind")  # fmt: skip
        return kind

    def _draft(self, caller: Caller, form: forms.OpenCase, kind: CaseKind) -> Draft:
        document = _document(kind, form.document)
        lies = Lies() if document is None else kind.lies(document)
        if form.lon is not None and form.lat is not None and not lies.is_said:
            lies = replace(lies, lon=form.lon, lat=form.lat)
        elif lies.is_said and set(form.assets) - set(lies.assets):
            raise Problem(422, "Not about these", "What it is about is what its document says, and nothing else.",
                          rule="engine.case_assets")  # fmt: skip
        own = not lies.assets and form.assets
        assets = self._assets(caller, form.assets) if own else self._about(caller, lies)
        lon = lies.lon if form.lon is None else form.lon
        lat = lies.lat if form.lat is None else form.lat
        if not assets and (math.isnan(lon) or math.isnan(lat)):
            raise Problem(422, "Nowhere", "Neither an asset nor a place says where it is.", rule="engine.case_nowhere")
        return Draft(
            kind=kind, category=form.category, priority=form.priority, title=form.title.strip(),
            words=form.words.strip(), lon=lon, lat=lat, assets=assets,
            area=self._area_of(assets[0]) if assets else self._engine.area_at(lon, lat),
            due_us=None if form.due is None else self._when(form.due), document=document,
        )  # fmt: skip

    def _assets(self, caller: Caller, ids: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._bench.asset(caller, asset, Verb.SEE) for asset in dict.fromkeys(ids))

    def _about(self, caller: Caller, lies: Lies, known: Collection[str] = ()) -> tuple[int, ...]:
        """The assets that a case is about by its document. known: what it leads through and the caller need not see.
        Raises Problem 404 and 403 for what the caller does not see."""
        self._assets(caller, (each for each in lies.through if each not in known))
        if lies.assets or not lies.near or math.isnan(lies.lon):
            return self._assets(caller, lies.assets)
        near = nearest(self._engine.registry, lies.lon, lies.lat, math.inf, lies.near)
        return (near,) if near else ()

    def _area_of(self, asset: int) -> str:
        registry = self._engine.registry
        return registry.areas[int(registry.area[asset])]

    def _wanted(self, query: forms.CasesQuery) -> Filter:
        registry, now_us = self._engine.registry, self._bench.sources.clock.now_us()
        kinds = [kind for kind in self._cases.kinds.values() if query.kind in ("", kind.key)]
        states = _listed(query.state)
        if LIVE in states or (query.late and not states):
            going = (state for kind in kinds for state in kind.life.states if not kind.is_over(state))
            states = [*(each for each in states if each != LIVE), *dict.fromkeys(going)]
        due_us = None if query.due_until is None else to_us(query.due_until)
        return Filter(
            kinds=[kind.key for kind in kinds] or [query.kind],
            states=states,
            categories=_listed(query.category),
            priorities=_priorities(query.priority),
            crew=registry.numbers.get(query.crew, -1) if query.crew else None,
            owner=query.owner,
            area=query.area,
            street=query.street,
            asset=registry.numbers.get(query.asset, -1) if query.asset else None,
            number=query.number,
            due_since_us=None if query.due_since is None else to_us(query.due_since),
            due_before_us=min(now_us, due_us or now_us) if query.late else due_us,
            opened_since_us=None if query.opened_since is None else to_us(query.opened_since),
            opened_until_us=None if query.opened_until is None else to_us(query.opened_until),
            box=_box(query.box),
        )


def _listed(said: str) -> list[str]:
    return [each.strip() for each in said.split(",") if each.strip()]


def _priorities(said: str) -> list[int]:
    found = [int(each) for each in _listed(said) if each.isascii() and each.isdigit()]
    if len(found) != len(_listed(said)) or set(found) - set(PRIORITIES):
        raise Problem(400, "No such priority", "Priorities are numbers from 1 to 4.")
    return found


def _box(said: str) -> tuple[float, float, float, float] | None:
    if not said:
        return None
    try:
        west, south, east, north = map(float, said.split(","))
    except ValueError:
        raise Problem(400, "Not a box", "A box is west,south,east,north in degrees.") from None
    if not all(map(math.isfinite, (west, south, east, north))):
        raise Problem(400, "Not a box", "The sides of a box are numbers.")
    return west, south, east, north


def _document(kind: CaseKind, said: Any) -> Any:
    if said is None:
        return None
    try:
        return msgspec.convert(said, kind.form)
    except msgspec.ValidationError as error:
        raise Problem(422, "Not such a document", str(error), mend="The reference names the fields.",
                      rule="engine.case_form") from None  # fmt: skip


def _patched(case: Case, said: Any) -> Any:
    """The document of a case with what is said of it anew. Raises Problem 422."""
    return _document(case.kind, _merged(msgspec.to_builtins(case.document), said))


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = cast("dict[str, Any]", {**target} if isinstance(target, dict) else {})
    for name, value in cast("dict[str, Any]", patch).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _kind_form(kind: CaseKind, caller: Caller) -> forms.CaseKindForm:
    moves: Mapping[str, forms.MoveKind] = {
        event: forms.MoveKind(verb=move.verb.value, reason=move.reason, crew=move.crew, by_post=move.by_post)
        for event, move in kind.moves.items()
    }
    return forms.CaseKindForm(
        key=kind.key,
        life=kind.life.name,
        states=list(kind.life.states),
        over=[state for state in kind.life.states if kind.is_over(state)],
        moves=dict(moves),
        categories=dict(kind.categories),
        private_days={name: each.days for name, each in kind.private.items()},
        worked=sorted(kind.worked),
        levels_h={priority: level.hours for priority, level in kind.levels.items()},
        working={priority: level.working for priority, level in kind.levels.items()},
        may_open=caller.scope.has(kind.opens),
    )

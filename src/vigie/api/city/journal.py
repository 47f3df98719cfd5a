"""The journal over HTTP: who did what and why, and the proof that it was written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.city import forms
from vigie.api.city.sources import Sources
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation, nearest
from vigie.api.problems import Problem
from vigie.core.facts import POST, AnyFact
from vigie.core.scope import Placement, Verb
from vigie.core.times import nameable_us, rfc3339, to_us
from vigie.engine.cases import DOCUMENT
from vigie.store.chronicle import Chapter
from vigie.store.journal import PersonalField

LIMIT_MAX = 200
FACTS = tuple(sorted(each.__name__ for each in AnyFact.__args__))

_SAID_ELSEWHERE = frozenset({"id", "at", "actor", "sealed", "kind"})
_INSTANTS = frozenset({"expires", "received", "run"})
_IDS = frozenset({"condition", "command", "consignation", "user", "session", "token", "plan", "comparison"})


class JournalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries, and how many of them."""

    type: Annotated[str, Meta(description="The fact, such as CommandProposed.")] = ""
    actor: Annotated[str, Meta(max_length=200, description="Who did it: an id, or a part of a name.")] = ""
    asset: Annotated[str, Meta(max_length=200, description="The id of the asset it is about.")] = ""
    start: Annotated[
        forms.Instant | None, Meta(description="The first instant, RFC 3339; from the first entry unless said.")
    ] = msgspec.field(name="from", default=None)
    end: Annotated[
        forms.Instant | None, Meta(description="The first instant that is no more of it; now unless said.")
    ] = msgspec.field(name="to", default=None)
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 50
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class AssetJournalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 50
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class ProofQuery(msgspec.Struct, frozen=True, kw_only=True):
    """For which tree."""

    size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Of how many leaves; those of the newest signed head unless said."),
    ] = None


class JournalDoor:
    """The operations on the journal."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        one_page = forms.Page[forms.JournalEntry]
        may = Verb.JOURNAL
        return [
            Operation("GET", "journal", self.journal, query=JournalQuery, answer=one_page, verb=may),
            Operation("GET", "assets/{id}/journal", self.of_asset, query=AssetJournalQuery, answer=one_page, verb=may),
            Operation("GET", "journal/head", self.head, answer=forms.JournalHead, verb=may, problems=(404,)),
            Operation("GET", "journal/{n}/proof", self.proof, query=ProofQuery, answer=forms.JournalProof, verb=may),
        ]

    async def journal(self, ask: Ask[JournalQuery, Nothing]) -> forms.Page[forms.JournalEntry]:
        """Lists the facts that you may read, the newest first: what was done, by whom, why.

        What people are called and their own words are told to those with the right to personal data; what was erased is
        shown as erased. Filtering by a part of a name finds only what you may read the names of.
        """
        return await self._page(ask.caller, ask.query)

    async def of_asset(self, ask: Ask[AssetJournalQuery, Nothing]) -> forms.Page[forms.JournalEntry]:
        """Lists the facts about one asset, and about orders that it was a target of, the newest first."""
        asset = ask.part("id")
        no = self._sources.engine.registry.numbers.get(asset, 0)
        if not self._sources.sight(ask.caller).covered[no]:
            raise Problem(404, "No such asset", f"There is no asset {asset[:80]!r} whose journal you may read.")
        query = JournalQuery(asset=asset, limit=ask.query.limit, cursor=ask.query.cursor)
        return await self._page(ask.caller, query)

    async def head(self, ask: Ask[Nothing, Nothing]) -> forms.JournalHead:
        """Tells the newest signed head of the journal, and the key that it is signed with.

        Keep what it says: whoever holds a head can prove later that nothing before it was changed.
        """
        head = await asyncio.to_thread(self._sources.facts.journal.head)
        if head is None:
            raise Problem(404, "No head yet", "The journal is signed each minute.", retry_after_s=60)
        return forms.JournalHead(
            size=head.size,
            root=head.root.hex(),
            at=rfc3339(head.at_us),
            at_us=head.at_us,
            signature=head.signature.hex(),
            key=self._sources.key.hex(),
        )

    async def proof(self, ask: Ask[ProofQuery, Nothing]) -> forms.JournalProof:
        """Proves that an entry is in the journal: its leaf, and the path from there to the root of a tree."""
        number = ask.part("n")
        n = int(number) if number.isdecimal() and len(number) < 19 else -1
        return await asyncio.to_thread(self._prove, ask.caller, n, ask.query.size)

    async def _page(self, caller: Caller, query: JournalQuery) -> forms.Page[forms.JournalEntry]:
        if query.type and query.type not in FACTS:
            raise Problem(400, "Unknown fact", f"There is no fact {query.type!r}.", mend=nearest(query.type, FACTS))
        return await asyncio.to_thread(self._read, caller, query)

    def _read(self, caller: Caller, query: JournalQuery) -> forms.Page[forms.JournalEntry]:
        facts, numbers = self._sources.facts, self._sources.engine.registry.numbers
        chronicle, actor = facts.chronicle, query.actor.strip()
        before = place_of(query.cursor, tuple[int])
        chapters = chronicle.page(
            caller.scope,
            types=[query.type] if query.type else (),
            actors=[actor] if actor else (),
            named=chronicle.people_called(actor) if actor else (),
            asset=(query.asset, numbers.get(query.asset, 0)) if query.asset else None,
            since_us=None if query.start is None else to_us(query.start),
            until_us=None if query.end is None else to_us(query.end),
            before=before[0] if before else None,
            limit=query.limit + 1,
        )
        page = chapters[: query.limit]
        readable = [each for each in page if _names(caller, each)]
        people = facts.sheets.names(
            {each.fact.actor for each in readable}
            | {str(getattr(each.fact, "user", "")) for each in readable}
            | {caller.actor}
        )
        return forms.Page(
            items=[_entry(caller, each, people) for each in page],
            next=cursor(page[-1].n) if len(chapters) > len(page) else None,
        )

    def _prove(self, caller: Caller, n: int, size: int | None) -> forms.JournalProof:
        journal = self._sources.facts.journal
        if not self._sources.facts.chronicle.shows(caller.scope, n):
            raise Problem(404, "No such entry", "There is no such entry that you may read.")
        if size is None:
            head = journal.head()
            size = head.size if head is not None and n < head.size else None
        try:
            proof = journal.prove(n, size)
        except IndexError as error:
            raise Problem(404, "No such tree", f"{str(error).capitalize()}.") from error
        return forms.JournalProof(
            leaf=proof.leaf.hex(),
            index=proof.n,
            size=proof.size,
            root=proof.root.hex(),
            path=[each.hex() for each in proof.path],
        )


def _names(caller: Caller, chapter: Chapter) -> bool:
    """Whether the caller may read what people are called in this entry."""
    about = Placement(chapter.area, chapter.service, Verb.PERSONAL)
    return caller.scope.may(Verb.JOURNAL).covers(about)


def _entry(caller: Caller, chapter: Chapter, people: Mapping[str, str]) -> forms.JournalEntry:
    fact = chapter.fact
    # One's own name is no secret to oneself.
    own = {name: said for name, said in people.items() if name == caller.actor}
    names = people if _names(caller, chapter) else own
    return forms.JournalEntry(
        n=chapter.n,
        id=fact.id,
        at=rfc3339(fact.at),
        type=type(fact).__name__,
        actor=None if fact.actor == POST else forms.Who(id=fact.actor, name=names.get(fact.actor)),
        summary=_summary(chapter, names),
        assets=list(chapter.assets),
        erased=[
            forms.Erased(field=each.field, on=rfc3339(each.erased_us or 0), rule=each.rule or "")
            for each in chapter.erased
        ],
    )


def _summary(chapter: Chapter, names: Mapping[str, str]) -> dict[str, Any]:
    """What the fact says, its ids beside what they stand for: a condition's kind, an order with its parameters."""
    fact = chapter.fact
    summary: dict[str, Any] = {}
    if chapter.order is not None:
        summary |= {"action": chapter.order.action, "params": chapter.order.params}
    if chapter.plan is not None:
        summary["title"] = chapter.plan
    if chapter.condition is not None:
        summary["condition"] = chapter.condition
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name in _IDS:
            summary[f"{name}_id"] = value
        elif name in _INSTANTS:
            summary[name] = rfc3339(nameable_us(value))
        elif name not in _SAID_ELSEWHERE or (name == "kind" and chapter.condition is None):
            summary[name] = value
    user = names.get(str(getattr(fact, "user", "")))
    if user is not None:
        summary["user"] = user
    if "asset" not in summary and len(chapter.assets) == 1:
        summary["asset"] = chapter.assets[0]
    return summary | {each.field: _value(each) for each in chapter.personal}


def _value(field: PersonalField) -> Any:
    """What a personal field says; a part of a case's document is kept in JSON."""
    return msgspec.json.decode(field.value or "null") if field.field.startswith(DOCUMENT) else field.value

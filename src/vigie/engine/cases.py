"""The cases of a city: those that are not archived are held in memory, and moved there.

Each is moved by the table of its kind's life. Two people at one case: who changes it says which revision they saw;
where there is a newer one, nothing is done, and they are told so.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from vigie.core.calendar import Calendar
from vigie.core.cases import (
    ARCHIVE,
    CHANGE,
    PARTED,
    PRIORITIES,
    CaseEffect,
    CaseKind,
    Draft,
    Hasten,
    Join,
    MoveOn,
    Open,
    Opened,
)
from vigie.core.facts import (
    POST,
    About,
    CaseChanged,
    CaseClaimed,
    CaseJoined,
    CaseMoved,
    CaseNoted,
    CaseOpened,
    CasePhotographed,
    Entry,
    Personal,
    because,
    digest,
)
from vigie.core.hours import Week, read
from vigie.core.refusals import Refusal
from vigie.core.scope import Verb
from vigie.core.service import Service
from vigie.core.times import DAY_US
from vigie.engine.accounts import OPEN_ENDED_US
from vigie.engine.plans import By
from vigie.engine.registry import Registry

DONE_KEPT = 20_000
"""So many of the newest acts are known by their ids, so that one that is sent again is done once: whoever repeats it
later is answered from the journal."""
LIVE_MAX = 200_000
"""So many cases that are not archived are held."""
DOCUMENT_BYTES_MAX = 64 << 10
ASSETS_MAX = 5_000
TITLE_LENGTH_MAX = 200
WORDS_LENGTH_MAX = 5_000

PHOTOS_MAX = 50

TITLE, WORDS, NOTE, PHOTO = "title", "words", "note", "photo"
"""Personal fields beside facts of cases: somebody may have written of somebody in each, or be seen there."""
CONTACT = "contact_"
"""What the personal fields begin with that say how to reach who reported it."""
CONTACT_LENGTH_MAX = 320
DOCUMENT = "document."
"""What the personal fields begin with that belong into a case's document: each is one of it, in JSON."""

_NO_PERSONAL: Mapping[str, Personal] = MappingProxyType({})
_NO_CALENDAR = Calendar(ZoneInfo("UTC"))
_CHANGED = (TITLE, WORDS, "priority", "due_us", "owner", "document", "assets")


class CaseRefused(Exception):
    """What was asked of a case cannot be done: a rule, and what goes into its sentence."""

    def __init__(self, rule: str, **detail: str | float) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True, slots=True)
class Case:
    """One case. no: what people call it by. source: the rule of the post that opened it, "" for a person. assets:
    numbers, the first of them where the work is. title, words: a person's, "" where there are none or they were erased;
    title_leaf, words_leaf, document_leaf: the facts beside which they are kept, and what of the document is private; ""
    where nothing is. crew: the number of whom it is given to, 0 for nobody;
    planned_us: when they are to be there, 0 for whenever. owner: the person who answers for it. revision: grows with
    each change and move. photos: how many were ever added. links: other cases, and how they have to do with it.
    reopened_us: when it was last taken up again after it was over, 0 for never."""

    id: str
    no: int
    kind: CaseKind
    state: str
    source: str
    category: str
    service: str
    area: str
    street: str
    lon: float
    lat: float
    assets: tuple[int, ...]
    priority: int
    title: str
    title_leaf: str
    words: str
    words_leaf: str
    owner: str
    crew: int
    opener: str
    opened_us: int
    due_us: int
    planned_us: int
    moved_us: int
    revision: int
    document: Any
    photos: int = 0
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    reopened_us: int = 0
    document_leaf: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.kind.is_over(self.state)

    def until_us(self, name: str) -> int:
        """Until when a private field of its document is kept: as long as the case is not over, no end is known."""
        return self.moved_us + self.kind.private[name].days * DAY_US if self.is_over else OPEN_ENDED_US


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be otherwise in a case; None leaves it as it is. assets: all that it is about, which is
    where the first of them is, or at a place in degrees (`lon`, `lat`) that stands for it."""

    title: str | None = None
    words: str | None = None
    priority: int | None = None
    due_us: int | None = None
    owner: str | None = None
    document: Any = None
    assets: tuple[int, ...] | None = None
    lon: float = float("nan")
    lat: float = float("nan")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept: its sizes in pixels and bytes, and a digest of it."""

    id: str
    width: int
    height: int
    size_bytes: int
    digest: str


class Cases:
    """All cases that are not archived."""

    def __init__(
        self,
        registry: Registry,
        kinds: Iterable[CaseKind] = (),
        kept: Iterable[Case] = (),
        *,
        last_no: int = 0,
        week: str = "",
        calendar: Callable[[], Calendar] = lambda: _NO_CALENDAR,
    ) -> None:
        """week: the hours in which the town works, "" for all of them. calendar: its days."""
        self._registry = registry
        self.kinds: Mapping[str, CaseKind] = {kind.key: kind for kind in kinds}
        self._all: dict[str, Case] = {case.id: case for case in kept}
        self._in = Counter((case.kind.key, case.state) for case in self._all.values())
        self._last_no = last_no
        self._week: Week = read(week) if week else ()
        self._calendar = calendar
        self._done: OrderedDict[str, str] = OrderedDict()
        self.refused = 0
        """How many the post would have opened, had there not been too many."""
        self.edition = 0
        """Grows with whatever changes any of them."""
        self.guards: dict[str, Callable[[Case, str], Refusal | None]] = {}
        """By the key of a kind: what else may refuse an event of a case, or a change of its document (`CHANGE`, of the
        case as it would be), by all that stands around it."""
        self.readies: dict[str, Callable[[], object]] = {}
        """By the key of a kind: what has to be ready for its guard, and takes too long for the engine's thread. Called
        from any other thread before cases of the kind are moved or changed."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Case]:
        return iter(tuple(self._all.values()))

    def find(self, case_id: str) -> Case | None:
        """The case of this id, unless it is archived."""
        return self._all.get(case_id)

    def count(self, kind: CaseKind, state: str) -> int:
        """How many cases of a kind are in a state."""
        return self._in[kind.key, state]

    @property
    def week(self) -> Week:
        """The hours in which the town works; empty where it does at all times."""
        return self._week

    def done(self, fact_id: str) -> str | None:
        """The case in which what is asked under this id was done a while ago in this process; None: it was not."""
        return self._done.get(fact_id)

    def due(self, kind: CaseKind, priority: int, opened_us: int) -> int:
        """By when a case of this kind and priority is due that was opened then."""
        return kind.levels[priority].due(opened_us, self._week, self._calendar())

    def due_us(self, case: Case) -> int:
        """By when a case is due: what was kept may be of before the day was the law's, or a holiday was known."""
        return self._due(case) if case.kind.by_law else case.due_us

    def _due(self, case: Case) -> int:
        """By when a case is due, as its kind says of its document and state, or else its priority."""
        asked_us = case.reopened_us or case.opened_us
        said = case.kind.due(case.document, case.state, asked_us, self._calendar())
        return self.due(case.kind, case.priority, case.opened_us) if said is None else said

    def open(self, case_id: str, draft: Draft, *, by: By) -> Entry:
        """Opens a case. Raises CaseRefused."""
        if len(self._all) >= LIVE_MAX:
            raise CaseRefused("engine.too_many_cases", most=LIVE_MAX)
        kind = draft.kind
        if draft.category not in kind.categories:
            raise CaseRefused("engine.case_category", category=draft.category)
        if kind.by_law and draft.due_us is not None:
            raise CaseRefused("engine.case_by_law")
        _need_fit(draft.title, draft.words, draft.priority)
        if not 0 < len(draft.assets) <= ASSETS_MAX and not (np.isfinite(draft.lon) and np.isfinite(draft.lat)):
            raise CaseRefused("engine.case_nowhere")
        document = kind.form() if draft.document is None else draft.document
        item = _written(kind, document)
        place: dict[str, Any] = {"area": draft.area, "street": draft.street, "lon": draft.lon, "lat": draft.lat}
        if draft.assets:
            place = self._place(draft.assets, draft.lon, draft.lat)
        case = Case(
            id=case_id, no=self._last_no + 1, kind=kind, state=kind.life.first, source=draft.source,
            category=draft.category, service=kind.categories[draft.category], **place,
            assets=draft.assets, priority=draft.priority, title=draft.title,
            title_leaf=by.fact_id if draft.title else "", words=draft.words,
            words_leaf=by.fact_id if draft.words else "", owner="", crew=0, opener=by.actor,
            opened_us=by.at_us, due_us=draft.due_us or 0, planned_us=0, moved_us=by.at_us, revision=1,
            document=document, links=draft.links, document_leaf=by.fact_id if kind.apart(document) else "",
        )  # fmt: skip
        if draft.due_us is None:
            case = replace(case, due_us=self._due(case))
        contact = _contact(draft, by)
        self._last_no = case.no
        fact = CaseOpened(
            id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, number=case.no, kind=kind.key,
            category=case.category, priority=case.priority, due=case.due_us, assets=self._ids(case.assets),
            source=case.source, state=case.state, item=digest(item),
        )  # fmt: skip
        return self._keep(case, fact, self._words(case, (TITLE, WORDS), by) | contact | _private(case))

    def move(
        self,
        case_id: str,
        event: str,
        *,
        by: By,
        revision: int | None = None,
        crew: int = 0,
        planned_us: int = 0,
        into: str = "",
        done_us: int = 0,
    ) -> Entry:
        """Moves a case on. revision: what was seen of it, None to move it whatever has become of it. crew, planned_us:
        the number of whom it is given to, and when they are to be there. done_us: when that was, where it is told
        later. Raises CaseRefused, MoveRefused; KeyError where there is no such case."""
        case = self._all[case_id]
        self._need_seen(case, revision)
        state = case.kind.life.move(case.state, event)
        asked = case.kind.moves[event]
        if asked.by_post and by.actor != POST:
            raise CaseRefused("engine.case_by_post", event=event)
        if asked.reason and not by.reason and by.actor != POST:
            raise CaseRefused("engine.case_reason", event=event)
        if asked.crew and not crew:
            raise CaseRefused("engine.case_crew", event=event)
        if asked.held and not case.crew:
            raise CaseRefused("engine.case_nobody", event=event)
        self._need_allowed(case, event)
        # What is told later has been so since it was done.
        moved_us = max(case.moved_us, min(done_us, by.at_us)) if done_us else by.at_us
        moved = replace(case, state=state, moved_us=moved_us, revision=case.revision + 1)
        if case.is_over and not moved.is_over:
            moved = replace(moved, reopened_us=by.at_us)
        if asked.crew:
            moved = replace(moved, crew=crew, planned_us=planned_us)
        elif crew and not case.crew:
            # A crew that passes by has begun, or done, what nobody had given it.
            moved = replace(moved, crew=crew)
        elif asked.frees or state == case.kind.life.first:
            moved = replace(moved, crew=0, planned_us=0)
        if asked.parts:
            links = {other: PARTED if how == asked.parts else how for other, how in case.links.items()}
            moved = replace(moved, links=links)
        if into:
            moved = replace(moved, links={**moved.links, into: event})
        if case.due_us == self._due(case) or case.kind.by_law:
            # Nobody has promised another day: its kind says when it is due in this state.
            moved = replace(moved, due_us=self._due(moved))
        told_of = crew if asked.crew else case.crew if asked.frees else 0
        fact = CaseMoved(
            id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, event=event, state=state,
            crew=self._registry.ids[told_of], planned=moved.planned_us if asked.crew else 0, into=into, done=done_us,
        )  # fmt: skip
        return self._keep(moved, fact, because(by.reason, by.at_us))

    def claim(self, case_id: str, event: str, *, done_us: int, by: By) -> Entry:
        """Keeps what somebody says of a case, which its life does not allow any more. KeyError where there is no such
        case."""
        case = self._all[case_id]
        fact = CaseClaimed(
            id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, event=event, state=case.state, done=done_us
        )
        return self._keep(case, fact, because(by.reason, by.at_us))

    def change(self, case_id: str, wanted: Wanted, *, revision: int, by: By) -> Entry | None:
        """Changes what a case says; None where nothing of it would be otherwise. Raises CaseRefused; KeyError where
        there is no such case."""
        case = self._all[case_id]
        self._need_seen(case, revision)
        named = {name: value for name in _CHANGED if (value := getattr(wanted, name)) is not None}
        values = {name: value for name, value in named.items() if value != getattr(case, name)}
        if not values:
            return None
        if "due_us" in values and case.kind.by_law:
            raise CaseRefused("engine.case_by_law")
        changed = replace(case, **values, revision=case.revision + 1)
        _need_fit(changed.title, changed.words, changed.priority)
        if "assets" in values:
            if not 0 < len(changed.assets) <= ASSETS_MAX:
                raise CaseRefused("engine.case_nowhere")
            changed = replace(changed, **self._place(changed.assets, wanted.lon, wanted.lat))
        if "document" in values:
            self._need_allowed(changed, CHANGE)
        promised = not case.kind.by_law and ("due_us" in named or case.due_us != self._due(case))
        if not promised and case.due_us != (due_us := self._due(changed)):
            # Nobody has promised another day: the level of the new priority, or the new document, says when.
            values["due_us"] = due_us
            changed = replace(changed, due_us=due_us)
        item = _written(case.kind, changed.document)
        said = [name for name in (TITLE, WORDS) if name in values]
        # Each has a fact of its own: to write a title anew keeps nobody's words longer.
        leaves = {f"{name}_leaf": by.fact_id if values[name] else "" for name in said}
        if "document" in values:
            leaves["document_leaf"] = by.fact_id if case.kind.apart(changed.document) else ""
        changed = replace(changed, **leaves)
        words = self._words(changed, said, by) | (_private(changed) if "document" in values else {})
        fact = CaseChanged(
            id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, changed=sorted(values),
            priority=changed.priority, due=changed.due_us, item=digest(item),
        )  # fmt: skip
        return self._keep(changed, fact, words | because(by.reason, by.at_us))

    def confirm(self, case_id: str, *, by: By) -> Entry:
        """Keeps that somebody wanted what is so already: told again after others have changed it, it stays without
        effect. KeyError where there is no such case."""
        case = self._all[case_id]
        fact = CaseChanged(
            id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, changed=[], priority=case.priority,
            due=case.due_us, item=digest(_written(case.kind, case.document)),
        )  # fmt: skip
        return self._keep(case, fact)

    def join(self, case_id: str, assets: Sequence[int], *, by: By) -> Entry | None:
        """Adds assets to a case; None where all belong to it. KeyError where there is no such case."""
        case = self._all[case_id]
        new = [asset for asset in assets if asset not in case.assets][: ASSETS_MAX - len(case.assets)]
        if not new:
            return None
        joined = replace(case, assets=(*case.assets, *new), revision=case.revision + 1)
        fact = CaseJoined(id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, assets=self._ids(new))
        return self._keep(joined, fact)

    def hasten(self, case_id: str, priority: int, *, by: By) -> Entry | None:
        """Makes a case as urgent as something that joins it now; None where it is so already, or over. KeyError where
        there is no such case."""
        case = self._all[case_id]
        if case.is_over or case.priority <= priority:
            return None
        # What was opened long ago is not late for what is known only now.
        due_us = min(case.due_us, self.due(case.kind, priority, by.at_us))
        return self.change(case_id, Wanted(priority=priority, due_us=due_us), revision=case.revision, by=by)

    def note(self, case_id: str, text: str, *, by: By) -> Entry:
        """Writes something into a case. Raises CaseRefused; KeyError where there is no such case."""
        case = self._all[case_id]
        if not text or len(text) > WORDS_LENGTH_MAX:
            raise CaseRefused("engine.case_words", most=WORDS_LENGTH_MAX)
        fact = CaseNoted(id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id)
        return self._keep(case, fact, {NOTE: self._personal(case.kind, text, by)})

    def photograph(self, case_id: str, photo: Photo, *, by: By) -> Entry:
        """Adds a photo to a case. Raises CaseRefused; KeyError where there is no such case."""
        case = self._all[case_id]
        if case.photos >= PHOTOS_MAX:
            raise CaseRefused("engine.case_photos", most=PHOTOS_MAX)
        fact = CasePhotographed(id=by.fact_id, at=by.at_us, actor=by.actor, case=case.id, photo=photo.id)
        taken = replace(case, photos=case.photos + 1)
        entry = self._keep(taken, fact, {PHOTO: self._personal(case.kind, photo.digest, by)})
        return replace(entry, payload=photo)

    def heard_of(self) -> list[Opened]:
        """The cases, as the rules that open some know them."""
        return [
            Opened(
                c.id, c.kind, c.state, c.source, c.assets, c.opened_us, c.moved_us, c.category, c.priority,
                c.lon, c.lat, c.words, c.links, c.reopened_us, c.document,
                self.due_us(c), c.no, bool(c.crew and self._registry.gone[c.crew]), c.area,
            )
            for c in self._all.values()
        ]  # fmt: skip

    def answer(
        self, effects: Sequence[CaseEffect], by: Callable[[int], By], owe: Callable[[Sequence[Entry]], None]
    ) -> None:
        """Does what a rule of the post asks for. by(place): under which id the effect at a place is written down. owe:
        gets each fact at once, so that none stands unwritten where a later effect fails."""
        cases: dict[int, str] = {}
        for place, effect in enumerate(effects):
            mine, entry = by(place), None
            match effect:
                case Open():
                    if len(self._all) >= LIVE_MAX:
                        self.refused += 1
                        continue
                    cases[place] = mine.fact_id
                    entry = self.open(mine.fact_id, self._asked_for(effect), by=mine)
                case Join():
                    cases[place] = effect.case
                    entry = self.join(effect.case, effect.assets, by=mine)
                case Hasten():
                    entry = self.hasten(effect.case, effect.priority, by=mine)
                case MoveOn():
                    into = effect.into or "" if not isinstance(effect.into, int) else cases.get(effect.into, "")
                    if effect.into is None or into:
                        entry = self.move(effect.case, effect.event, by=mine, into=into)
            owe([] if entry is None else [entry])

    def archive(self, now_us: int, kept: Collection[str], by: Callable[[str], By]) -> list[Entry]:
        """Archives what has been over for as long as its kind says, but for those that are kept. by(case): under which
        id that is written down."""
        due = [
            case
            for case in self._all.values()
            if now_us - case.moved_us >= case.kind.settles_days * DAY_US
            and case.kind.life.allows(case.state, ARCHIVE)
            and case.id not in kept
        ]
        return [self.move(case.id, ARCHIVE, by=by(case.id)) for case in due]

    def erased(self, fields: Iterable[str]) -> None:
        """Personal fields, "leaf id/field" each, were erased: they are held no longer."""
        gone = set(fields)
        for case in tuple(self._all.values()) if gone else ():
            kept = case
            if f"{case.title_leaf}/{TITLE}" in gone:
                kept = replace(kept, title="", title_leaf="")
            if f"{case.words_leaf}/{WORDS}" in gone:
                kept = replace(kept, words="", words_leaf="")
            private = [name for name in case.kind.private if f"{case.document_leaf}/{DOCUMENT}{name}" in gone]
            if private:
                kept = replace(kept, document=case.kind.public(case.document, private))
            if kept is not case:
                self._all[case.id] = kept
                self.edition += 1

    def about(self, case: Case) -> About:
        """Whom a fact of it is about: whoever sees its service there reads it in the journal."""
        return About(case.id, case.area, case.service, Verb.SEE)

    def _need_allowed(self, case: Case, event: str) -> None:
        refusal = case.kind.allows(case.document, case.state, event)
        guard = self.guards.get(case.kind.key)
        if refusal is None and guard is not None:
            refusal = guard(case, event)
        if refusal is not None:
            raise CaseRefused(refusal.rule, **refusal.detail)

    def _need_seen(self, case: Case, revision: int | None) -> None:
        if revision is not None and revision != case.revision:
            raise CaseRefused("engine.case_changed", revision=case.revision)

    def _keep(self, case: Case, fact: Any, personal: Mapping[str, Personal] = _NO_PERSONAL) -> Entry:
        self.edition += 1
        self._done[fact.id] = case.id
        if len(self._done) > DONE_KEPT:
            self._done.popitem(last=False)
        before = self._all.pop(case.id, None) if case.state in case.kind.life.last else self._all.get(case.id)
        if before is not None:
            self._in[before.kind.key, before.state] -= 1
        if case.state not in case.kind.life.last:
            self._all[case.id] = case
            self._in[case.kind.key, case.state] += 1
        return Entry(fact, personal, case, self.about(case))

    def _asked_for(self, effect: Open) -> Draft:
        draft = Draft(
            effect.kind, effect.category, effect.priority, effect.title, assets=effect.assets, due_us=effect.due_us,
            document=effect.document, source=effect.source,
        )  # fmt: skip
        like = self._all.get(effect.like)
        if like is None or effect.assets:
            return draft
        return replace(draft, lon=like.lon, lat=like.lat, area=like.area, street=like.street)

    def _place(self, assets: Sequence[int], lon: float, lat: float) -> dict[str, Any]:
        """Where it lies that is about assets: where it is said to, in the area and street of the first of them."""
        said = np.isfinite(lon) and np.isfinite(lat)
        registry, first = self._registry, assets[0]
        return {
            "area": registry.areas[int(registry.area[first])],
            "street": registry.streets[int(registry.street[first])],
            "lon": lon if said else float(registry.lon[first]),
            "lat": lat if said else float(registry.lat[first]),
        }

    def _ids(self, assets: Sequence[int]) -> list[str]:
        return [self._registry.ids[asset] for asset in assets]

    def _words(self, case: Case, names: Iterable[str], by: By) -> dict[str, Personal]:
        said = {name: getattr(case, name) for name in names}
        return {name: self._personal(case.kind, text, by) for name, text in said.items() if text}

    @staticmethod
    def _personal(kind: CaseKind, text: str, by: By) -> Personal:
        return Personal(text, "what a case is about", by.at_us + kind.words_days * DAY_US)


def case_kinds_of(services: Iterable[Service]) -> list[CaseKind]:
    """All varieties of cases that some services declare. Raises ValueError where two share a name."""
    found: dict[str, CaseKind] = {}
    for service in services:
        for kind in service.cases:
            if found.setdefault(kind.key, kind) is not kind:
                raise ValueError(f"two services declare the case kind {kind.key!r}")
    return list(found.values())


def _need_fit(title: str, words: str, priority: int) -> None:
    if len(title) > TITLE_LENGTH_MAX or not title.isprintable():
        raise CaseRefused("engine.case_title", most=TITLE_LENGTH_MAX)
    if len(words) > WORDS_LENGTH_MAX:
        raise CaseRefused("engine.case_words", most=WORDS_LENGTH_MAX)
    if priority not in PRIORITIES:
        raise CaseRefused("engine.case_priority", least=PRIORITIES[0], most=PRIORITIES[-1])


def _contact(draft: Draft, by: By) -> dict[str, Personal]:
    """How to reach who reported it, as it travels beside the fact. Raises CaseRefused."""
    until_us = by.at_us + draft.kind.contact_days * DAY_US
    said = {name: text for name, text in draft.contact.items() if text}
    if any(len(text) > CONTACT_LENGTH_MAX for text in said.values()):
        # Half of an address reaches somebody else.
        raise CaseRefused("engine.case_contact", most=CONTACT_LENGTH_MAX)
    return {f"{CONTACT}{name}": Personal(text, "to answer who reported it", until_us) for name, text in said.items()}


def _private(case: Case) -> dict[str, Personal]:
    """What its document says of persons, as it travels beside the fact."""
    return {
        f"{DOCUMENT}{name}": Personal(text, case.kind.private[name].purpose, case.until_us(name))
        for name, text in case.kind.apart(case.document).items()
    }


def _written(kind: CaseKind, document: Any) -> bytes:
    """What of a document is about nobody, as it is kept. Raises CaseRefused for one that would not be read at the next
    start."""
    written = msgspec.json.encode(document, order="sorted")
    if len(written) > DOCUMENT_BYTES_MAX:
        raise CaseRefused("engine.case_too_long", most_kib=DOCUMENT_BYTES_MAX >> 10)
    try:
        msgspec.json.decode(written, type=kind.form)
    except msgspec.ValidationError as error:
        raise CaseRefused("engine.case_form", what=str(error)) from None
    return msgspec.json.encode(kind.public(document), order="sorted") if kind.private else written

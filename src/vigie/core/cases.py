"""Cases: something that people must deal with, with a life, a timeline and an owner.

A case has common columns, the same for all varieties, and one document of its kind's own form. Its kind declares its
life, who may move it, how soon each priority is due, how long people's words are kept, and what of its document is
about persons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from vigie.core.calendar import Calendar
from vigie.core.hours import Week, worked_from
from vigie.core.kinds import ConditionKind
from vigie.core.lives import Life
from vigie.core.refusals import Refusal
from vigie.core.scope import Verb
from vigie.core.times import HOUR_US

PRIORITIES = (1, 2, 3, 4)
"""The most urgent first: at once, today, this week, when somebody passes."""

ARCHIVE = "archive"
"""The event that ends a case for good: a state from which it leads is one in which nothing more is to be done."""

PARTED = "parted"
"""What a case is to another from which `Move.parts` has parted it."""

CHANGE = "change"
"""What is asked of `CaseKind.allows` where a document is changed: no life has an event of this name."""


@dataclass(frozen=True)
class Level:
    """How soon a case is due. working: whether the hours are those in which the town works, or of the clock."""

    hours: float
    working: bool = True

    def due(self, opened_us: int, week: Week, calendar: Calendar) -> int:
        """When a case that was opened then is due."""
        work_us = round(self.hours * HOUR_US)
        return worked_from(week, calendar, opened_us, work_us) if self.working else opened_us + work_us


@dataclass(frozen=True)
class Move:
    """What it takes to move a case by an event. verb: the right. reason: whether it must be said why. crew: whether it
    must be said for whom. held: whether somebody must have it. frees: whether nobody has it any more. by_post: whether
    the post alone does it. parts: what other cases are to it that it has nothing to do with any more."""

    verb: Verb = Verb.DISPATCH
    reason: bool = False
    crew: bool = False
    held: bool = False
    frees: bool = False
    by_post: bool = False
    parts: str = ""


@dataclass(frozen=True)
class Private:
    """A field of a document that may be about persons: it lies apart from that, where it can be erased. purpose: what
    it is kept for. public(document): what of it is about nobody, and stays in the document. days: so long after the
    case is over it is kept."""

    purpose: str
    public: Callable[[Any], Any]
    days: int = 365


@dataclass(frozen=True, slots=True)
class Lies:
    """What a document says of where its case is. assets: the ids of those that it is about, the first of them where the
    work is. lon, lat: a place in degrees; near: the kinds of which the nearest asset to it stands for it, where it
    names none. through: the ids of what it is not about but leads through, which whoever writes it has to see."""

    assets: tuple[str, ...] = ()
    lon: float = float("nan")
    lat: float = float("nan")
    near: tuple[str, ...] = ()
    through: tuple[str, ...] = ()

    @property
    def is_said(self) -> bool:
        """Whether it says where its case is at all."""
        return bool(self.assets) or not math.isnan(self.lon)


@lru_cache
def _types(form: type[msgspec.Struct]) -> Mapping[str, Any]:
    return {each.name: each.type for each in msgspec.structs.fields(form)}


def _allow(document: Any, state: str, event: str) -> Refusal | None:
    return None


def _lie(document: Any) -> Lies:
    return Lies()


def _by_level(document: Any, state: str, opened_us: int, calendar: Calendar) -> int | None:
    return None


@dataclass(frozen=True)
class CaseKind:
    """A variety of case.

    service: which declares it. life: see `vigie.core.lives`. moves: of each event of it. form: its document, which has
    a value for everything. categories: what it may be about, and the service that this is of: whoever sees that
    service there sees the case. levels: by priority. opens: the right to open one. settles_days: after so many days in
    a state in which nothing more is to be done, it is archived. words_days: so long are kept what people wrote in it.
    contact_days: so long is kept how to reach who reported it. private: the fields of its document that may be about
    persons, by their names. worked: the fields of its document that whoever works there may change; the others take the
    right to dispatch. allows(document, state, event): why it is not moved on from a state, or its document not changed
    (`CHANGE`, with the new one). lies(document): where it is. due(document, state, opened_us, calendar): when it is due
    in a state, opened then or taken up again; None for what the level of its priority says. by_law: that day is the
    law's, and nobody says another.
    """

    name: str
    service: str
    life: Life
    moves: Mapping[str, Move]
    form: type[msgspec.Struct]
    categories: Mapping[str, str]
    levels: Mapping[int, Level]
    opens: Verb = Verb.DISPATCH
    settles_days: int = 14
    words_days: int = 3 * 365
    contact_days: int = 365
    private: Mapping[str, Private] = field(default_factory=dict[str, Private])
    worked: frozenset[str] = frozenset()
    allows: Callable[[Any, str, str], Refusal | None] = _allow
    lies: Callable[[Any], Lies] = _lie
    due: Callable[[Any, str, int, Calendar], int | None] = _by_level
    by_law: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a kind that leaves something of its life unsaid."""
        events = {event for _, event in self.life.moves}
        if events != set(self.moves):
            raise ValueError(f"{self.name}: the moves are not those of its life: {events ^ set(self.moves)}")
        if set(self.levels) != set(PRIORITIES):
            raise ValueError(f"{self.name}: not every priority has its level")
        if unknown := {*self.private, *self.worked} - set(self.form.__struct_fields__):
            raise ValueError(f"{self.name}: its document has no {unknown}")

    @property
    def key(self) -> str:
        """How it is named beyond its service."""
        return f"{self.service}.{self.name}"

    def public(self, document: Any, names: Iterable[str] | None = None) -> Any:
        """A document without what it says of persons. names: the private fields that are taken out, None for all."""
        taken = {name: self.private[name].public(document) for name in (self.private if names is None else names)}
        return replace(document, **taken) if taken else document

    def apart(self, document: Any) -> dict[str, str]:
        """What `public` takes out of a document: field -> its value in JSON."""
        public = self.public(document)
        told = {name: getattr(document, name) for name in self.private}
        return {
            name: msgspec.json.encode(value, order="sorted").decode()
            for name, value in told.items()
            if value != getattr(public, name)
        }

    def joined(self, document: Any, apart: Mapping[str, str]) -> Any:
        """A document with what lies apart of it put back. Raises msgspec.ValidationError for what is not of its
        form."""
        if not apart:
            return document
        types = _types(self.form)
        return replace(document, **{name: msgspec.json.decode(text, type=types[name]) for name, text in apart.items()})

    def is_over(self, state: str) -> bool:
        """Whether nothing more is to be done in this state, or none can be."""
        return state in self.life.last or self.life.allows(state, ARCHIVE)

    def events(self, state: str) -> list[str]:
        """The events by which somebody may move a case on from a state."""
        return [event for (origin, event) in self.life.moves if origin == state and not self.moves[event].by_post]


@dataclass(frozen=True, slots=True)
class Trouble:
    """An abnormal state that is to be mended: where it is, since when, and what feeds that (0 for nothing)."""

    kind: ConditionKind
    asset: int
    since_us: int
    feeder: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that is not archived, as the rule that opens cases may know it. source: the rule that opened it, "" for a
    person. opened_us, moved_us: when that was, and when it came into its state. lon, lat: in degrees. words: a
    person's. links: other cases, and how they have to do with it. reopened_us: when it was last taken up again after it
    was over, 0 for never. document: that of its kind. due_us: when it is due. no: what people call it by. crew_gone:
    whether the crew that has it is no more. area: the part of the town in which it lies."""

    id: str
    kind: CaseKind
    state: str
    source: str
    assets: tuple[int, ...]
    opened_us: int
    moved_us: int
    category: str = ""
    priority: int = PRIORITIES[-2]
    lon: float = float("nan")
    lat: float = float("nan")
    words: str = ""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    reopened_us: int = 0
    document: Any = None
    due_us: int = 0
    no: int = 0
    crew_gone: bool = False
    area: str = ""

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was ever done with it but that assets joined it."""
        return self.moved_us == self.opened_us

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done in it."""
        return self.kind.is_over(self.state)


@dataclass(frozen=True, slots=True)
class Open:
    """A case is to be opened by the post.

    source: which rule of what. assets: what it is about, the first of them where the work is. title: "" where its
    source says what it is. due_us: None for what the level of its priority says. like: the case that lies where it
    does, where no asset says that.
    """

    kind: CaseKind
    source: str
    category: str
    priority: int
    assets: tuple[int, ...]
    document: msgspec.Struct
    title: str = ""
    due_us: int | None = None
    like: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """More assets belong to a case."""

    case: str
    assets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MoveOn:
    """A case is moved by the post. into: the case that does the work from now on, where there is one."""

    case: str
    event: str
    into: int | str | None = None
    """Its id; or the place, among the effects of the same answer, of the `Open` or `Join` of it."""


@dataclass(frozen=True, slots=True)
class Hasten:
    """A case becomes as urgent as what has joined it, and is due as soon. One that is so already, or over, stays as it
    is."""

    case: str
    priority: int


CaseEffect = Open | Join | MoveOn | Hasten


Answer = Callable[[Sequence[Trouble], Sequence[Opened], int], list[CaseEffect]]
"""answer(troubles, cases, now_us): what all that asks for maintenance now asks for, whichever service found it. cases:
those that are not archived. The effects come in a fixed order."""


@dataclass(frozen=True)
class Draft:
    """A case as somebody asks for it. Places are in degrees; assets: numbers, the first of them where the work is.
    due_us: None for what its level says. words: a person's; personal data may be in them. contact: how to reach who
    reported it."""

    kind: CaseKind
    category: str
    priority: int
    title: str = ""
    words: str = ""
    lon: float = float("nan")
    lat: float = float("nan")
    area: str = ""
    street: str = ""
    assets: tuple[int, ...] = ()
    due_us: int | None = None
    document: Any = None
    source: str = ""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other cases that it has to do with, and how: id -> relation."""
    contact: Mapping[str, str] = field(default_factory=dict[str, str])

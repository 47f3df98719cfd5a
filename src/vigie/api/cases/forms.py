"""What is asked of cases, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vigie.api.acts.forms import Asked
from vigie.api.bodies import Reason
from vigie.api.city.forms import Erased, Form, Instant, Who
from vigie.core.cases import PRIORITIES
from vigie.engine.cases import TITLE_LENGTH_MAX, WORDS_LENGTH_MAX

CASES_AT_ONCE_MAX = 500
ACTS_AT_ONCE_MAX = 100

Title = Annotated[str, Meta(max_length=TITLE_LENGTH_MAX)]
Words = Annotated[str, Meta(max_length=WORDS_LENGTH_MAX)]
Priority = Annotated[int, Meta(ge=PRIORITIES[0], le=PRIORITIES[-1])]
Name = Annotated[str, Meta(max_length=100)]
WhyNot = Annotated[str, Meta(max_length=500, description="Why, in the crew's words: kept a year, erasable.")]
Seen = Annotated[int, Meta(ge=1, description="The revision that you saw: where there is a newer one, nothing is done.")]


class CaseAsset(Form, frozen=True, kw_only=True):
    """An asset that a case is about, as far as you may see it."""

    id: str
    name: str
    kind: str


class PlacedAsset(CaseAsset, frozen=True, kw_only=True):
    """The same, with its place in degrees."""

    lon: float
    lat: float


class CaseRow(Form, frozen=True, kw_only=True):
    """A case. number: what people call it by. title: empty for what the post opened itself: then `condition` says what
    is wrong. assets: how many it is about; asset: the first of them. over: nothing more is to be done. late: it is due,
    and not over. crew: whom it is given to; planned: when
    they are to be there. may: the events by which you may move it now. revision: grows with each
    change."""

    id: str
    number: int
    kind: str
    state: str
    over: bool
    category: str
    service: str
    area: str
    street: str
    lon: float | None
    lat: float | None
    priority: int
    title: str
    condition: str | None
    asset: CaseAsset | None
    assets: int
    crew: CaseAsset | None
    owner: Who | None
    opened: str
    due: str
    planned: str | None
    moved: str
    late: bool
    may: list[str]
    revision: int


class Happening(Form, frozen=True, kw_only=True):
    """One thing that happened to a case. what: opened, an event of its life, changed, joined, noted, photographed, or
    `claim`: somebody told an event that the state did not allow any more. state: in which it was then, null where that
    did not change. text: what was written, null where that was erased. crew, into: the id of whom it was given to, and
    of the case that does its work. done: when that was, where it was told later. fields: what was changed. gone: what
    of the document that was written then is about persons, and was erased."""

    n: int
    at: str
    who: Who
    what: str
    state: str | None = None
    text: str | None = None
    erased: bool = False
    crew: str | None = None
    into: str | None = None
    done: str | None = None
    event: str | None = None
    fields: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    gone: Sequence[Erased] = ()


class LinkForm(Form, frozen=True, kw_only=True):
    """Another case, and how it has to do with this one; whose: which of the two says so."""

    case: str
    number: int
    kind: str
    state: str
    relation: str
    whose: Literal["this", "other"]


class PhotoForm(Form, frozen=True, kw_only=True):
    """A photo. width, height: in pixels; who added it, and when."""

    id: str
    width: int
    height: int
    added: str
    who: Who


class ContactForm(Form, frozen=True, kw_only=True):
    """How to reach who reported it, as far as they said it. language: in which they are told by mail how it goes; empty
    where they are not."""

    name: str = ""
    mail: str = ""
    phone: str = ""
    language: str = ""


class PrivateForm(Form, frozen=True, kw_only=True):
    """A field of a document that is about persons. shown: you are told it; whoever neither works there nor sends
    anybody has the document without it. until: when it will be erased, null as long as the case is not over. erased,
    rule: when it was, and under which rule: nobody is told it any more."""

    field: str
    shown: bool
    until: str | None
    erased: str | None
    rule: str | None


class CaseSheet(Form, frozen=True, kw_only=True):
    """All of a case. words: what a person wrote at its opening. about: the first 200 assets that it is about. document:
    as its kind declares it; private: the fields of it that are about persons. photos: none for whoever neither works
    there nor sends anybody. contact: for whoever reads personal fields there. timeline: the newest first."""

    row: CaseRow
    words: str
    opener: Who
    about: list[CaseAsset]
    document: Any
    photos: list[PhotoForm]
    links: list[LinkForm]
    timeline: list[Happening]
    may_change: bool
    contact: ContactForm | None = None
    private: Sequence[PrivateForm] = ()


class MoveKind(Form, frozen=True, kw_only=True):
    """What it takes to move a case by an event. verb: the right. reason, crew: whether they must be said. by_post: only
    the post does it."""

    verb: str
    reason: bool
    crew: bool
    by_post: bool


class CaseKindForm(Form, frozen=True, kw_only=True):
    """A variety of case. life: its name among the lives. over: the states in which nothing more is to be done.
    categories: and the service that each is of. private_days: the fields of its document that are about persons, and
    how long after the case is over they are kept. worked: those that whoever works there may change. levels_h: by
    priority, in how many hours it is due; working: whether those are working hours."""

    key: str
    life: str
    states: list[str]
    over: list[str]
    moves: dict[str, MoveKind]
    categories: dict[str, str]
    private_days: Mapping[str, int]
    worked: Sequence[str]
    levels_h: dict[int, float]
    working: dict[int, bool]
    may_open: bool


def _asked(description: str, length_max: int = 100) -> Any:
    """What may be said of a column; a list is written with commas."""
    return Meta(max_length=length_max, description=description)


Kinds = Annotated[str, _asked("A kind, such as roads.work_order.")]
States = Annotated[str, _asked("States, with commas; `live` for all in which something is to be done.", 300)]
Categories = Annotated[str, _asked("Categories, with commas.", 300)]
Priorities = Annotated[str, _asked("Priorities from 1 to 4, with commas.", 20)]
OfCrew = Annotated[str, _asked("The id of the crew that has them.", 200)]
OfOwner = Annotated[str, _asked("The id of who answers for them.")]
InArea = Annotated[str, _asked("A part of the town, with all below it.", 200)]
InStreet = Annotated[str, _asked("The name of a street.", 200)]
OfAsset = Annotated[str, _asked("The id of an asset that they are about.", 200)]
Number = Annotated[Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | None, Meta(description="What people call it by.")]
Late = Annotated[bool, Meta(description="Only those that are due by now, and not over.")]
Since = Annotated[Instant | None, Meta(description="Opened from then on.")]
Until = Annotated[Instant | None, Meta(description="Opened before then.")]
DueSince = Annotated[Instant | None, Meta(description="Due from then on.")]
DueUntil = Annotated[Instant | None, Meta(description="Due before then.")]
Box = Annotated[str, _asked("Those in west,south,east,north (degrees).")]
Sort = Annotated[Literal["opened", "due"], Meta(description="`opened`: the newest first; `due`: the first due first.")]
Cursor = Annotated[str, _asked("`next` of the page before.", 200)]
Limit = Annotated[int, Meta(ge=1, le=500, description="So many at most.")]
Format = Annotated[Literal["json", "csv"], Meta(description="csv: one table; limit and cursor say nothing then.")]


class CasesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which cases; what is not said is whatever it is."""

    kind: Kinds = ""
    state: States = ""
    category: Categories = ""
    priority: Priorities = ""
    crew: OfCrew = ""
    owner: OfOwner = ""
    area: InArea = ""
    street: InStreet = ""
    asset: OfAsset = ""
    number: Number = None
    late: Late = False
    opened_since: Since = None
    opened_until: Until = None
    due_since: DueSince = None
    due_until: DueUntil = None
    box: Box = ""
    sort: Sort = "opened"
    cursor: Cursor = ""
    limit: Limit = 100
    format: Format = "json"


class CaseCounts(Form, frozen=True, kw_only=True):
    """How many cases there are in each state."""

    states: dict[str, int]


class OpenCase(Asked, frozen=True, kw_only=True):
    """A case to be opened. assets: their ids, the first of them where the work is; without any, lon and lat say where
    that is. due: where it is not as the level of its priority says. words: what there is to say of it; do not name
    people where it can be avoided."""

    kind: Name
    category: Name
    priority: Priority = 3
    title: Title = ""
    words: Words = ""
    assets: Annotated[tuple[str, ...], Meta(max_length=500)] = ()
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    due: Instant | None = None
    document: Any = None


class MoveCase(Asked, frozen=True, kw_only=True):
    """A case to be moved on. crew: the id of whom it is given to; planned: when they are to be there. revision: as
    `Seen`; without it, it is moved whatever has become of it meanwhile, if its life allows."""

    event: Name
    revision: Seen | None = None
    crew: Name = ""
    planned: Instant | None = None
    reason: Reason = ""


class MoveCases(Asked, frozen=True, kw_only=True):
    """Many cases to be moved on by one event. cases: id -> the revision that you saw."""

    event: Name
    cases: Annotated[dict[str, int], Meta(min_length=1, max_length=CASES_AT_ONCE_MAX)]
    crew: Name = ""
    reason: Reason = ""


class MovedCases(Form, frozen=True, kw_only=True):
    """What became of each. refused: id -> the rule that kept it from being moved."""

    moved: list[CaseRow]
    refused: dict[str, str]


class ChangeCase(Asked, frozen=True, kw_only=True):
    """What is to be otherwise in a case. owner: the id of who answers for it, empty for nobody. document: as a merge
    patch (RFC 7396): what is not said of it stays, null sets a field back to what it is where nothing is said, and a
    list is said whole."""

    revision: Seen
    title: Title | UnsetType = UNSET
    words: Words | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    due: Instant | UnsetType = UNSET
    owner: Name | UnsetType = UNSET
    document: Any = UNSET
    reason: Reason = ""


class NoteForm(Asked, frozen=True, kw_only=True):
    """Something to be written into a case."""

    text: Annotated[str, Meta(min_length=1, max_length=WORDS_LENGTH_MAX, pattern=r"\S")]


class CrewRow(Form, frozen=True, kw_only=True):
    """A crew, and how many cases it has that are not over."""

    id: str
    name: str
    area: str
    cases: int


class CrewCase(Form, frozen=True, kw_only=True):
    """A case as a crew takes it along. about: the first 50 assets that it is about, with their places. timeline: the
    newest 20."""

    row: CaseRow
    words: str
    about: list[PlacedAsset]
    document: Any
    timeline: list[Happening]
    photos: list[PhotoForm]
    planned: str | None


class CrewDay(Form, frozen=True, kw_only=True):
    """What a crew has to do, in the order in which it is planned and then due, and what it has ended today. now: the
    post's time."""

    now: str
    crew: CaseAsset
    cases: list[CrewCase]


class CrewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose day."""

    crew: Annotated[str, Meta(min_length=1, max_length=200, description="The id of the crew.")]


class CrewAct(Asked, frozen=True, kw_only=True):
    """One thing that somebody of a crew did, as their telephone kept it.

    id: made there; the same one again is the same act. at: when, by its clock. what: `move` (event, and a reason where
    it asks for one), `note` (text), `tick` (item of the checklist, and whether it is done), `used` (name and count of
    what was used up; a count below zero takes back), `spent` (minutes, those of each act are added up). crew: with
    which it was done, where that is not the one of them all.
    """

    id: Annotated[str, Meta(min_length=8, max_length=64)]
    case: Name
    at: Instant
    what: Literal["move", "note", "tick", "used", "spent"]
    event: Name = ""
    reason: WhyNot = ""
    text: Words = ""
    crew: Name = ""
    item: Title = ""
    done: bool = True
    name: Title = ""
    count: Annotated[float, Meta(ge=-1_000_000, le=1_000_000)] = 1
    minutes: Annotated[int, Meta(ge=-1_440, le=1_440)] = 0


class CrewActs(Asked, frozen=True, kw_only=True):
    """What was done, in its order. sent: the telephone's clock now, against which its instants are held. crew: the id
    of the crew that did it, which has what nobody had been given: a move that names none that you may send is refused
    by itself."""

    sent: Instant
    crew: Name = ""
    acts: Annotated[list[CrewAct], Meta(max_length=ACTS_AT_ONCE_MAX)]


class ActOutcome(Form, frozen=True, kw_only=True):
    """What became of an act. became: `done`; `again`, where it was done before; `claimed`, where the case's life does
    not allow it any more: it is kept on the timeline for all to read; `refused`, by a rule. row: the case as it is now,
    where it may be seen."""

    id: str
    became: Literal["done", "again", "claimed", "refused"]
    rule: str | None
    row: CaseRow | None


class ActOutcomes(Form, frozen=True, kw_only=True):
    """What became of each act, in their order."""

    outcomes: list[ActOutcome]

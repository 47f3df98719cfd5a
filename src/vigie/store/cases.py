"""Cases as they are read: those that are not archived at a start, and lists of all of them under a Scope."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal_column, or_, select, text
from sqlalchemy.engine import Engine

from vigie.core.cases import CaseKind
from vigie.core.facts import AnyFact, fact_of
from vigie.core.scope import Scope
from vigie.engine.cases import CONTACT, DOCUMENT, PHOTO, Case
from vigie.store.journal import PersonalField
from vigie.store.tables import CASE_ASSET, CASE_LINK, CASE_PHOTO, CASES, LEAF, PERSONAL
from vigie.store.transactions import reading

COUNTED_MAX = 10_000
"""More than so many are not counted: whoever reads a list of them narrows it."""

_AT_ONCE = 500

# A plus keeps SQLite from going by an index of the column: without counts of what is in its tables it would choose it.
_UNSORTED_DUE: ColumnElement[int] = literal_column("+cases.due_us")
_UNSOUGHT_KIND: ColumnElement[str] = literal_column("+cases.kind")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which cases. Empty or None: whatever it is. crew, asset: numbers. area: it and what lies below. due_since_us,
    due_before_us, opened_since_us, opened_until_us: instants. number, numbers: what people call it by. box: west,
    south, east, north."""

    kinds: Sequence[str] = ()
    states: Sequence[str] = ()
    categories: Sequence[str] = ()
    priorities: Sequence[int] = ()
    crew: int | None = None
    owner: str = ""
    area: str = ""
    street: str = ""
    asset: int | None = None
    source: str = ""
    number: int | None = None
    numbers: Sequence[int] = ()
    due_since_us: int | None = None
    due_before_us: int | None = None
    opened_since_us: int | None = None
    opened_until_us: int | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a case: what the journal says of it, and what was written beside it, as far as that is
    not erased."""

    n: int
    fact: AnyFact
    personal: Sequence[PersonalField]


@dataclass(frozen=True, slots=True)
class KeptPhoto:
    """A photo as the tables have it. width, height: in pixels."""

    id: str
    case: str
    width: int
    height: int
    adder: str
    added_us: int


class StoredCases:
    """Reads of cases; what writes them are facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def last_no(self) -> int:
        """The highest number of a case."""
        with self._engine.connect() as read:
            return int(read.execute(select(func.coalesce(func.max(CASES.c.no), 0))).scalar_one())

    def live(self, kinds: Iterable[CaseKind]) -> list[Case]:
        """The cases of these kinds that are not archived."""
        known = {kind.key: kind for kind in kinds}
        lasting = or_(
            *(and_(CASES.c.kind == kind.key, CASES.c.state.not_in(sorted(kind.life.last))) for kind in known.values())
        )
        if not known:
            return []
        with reading(self._engine) as read:
            rows = read.execute(select(CASES).where(lasting).order_by(CASES.c.no)).all()
            return _cases(read, rows, known)

    def find(self, case_id: str, kinds: Mapping[str, CaseKind]) -> Case | None:
        """A case, archived or not."""
        with reading(self._engine) as read:
            rows = read.execute(select(CASES).where(CASES.c.id == case_id)).all()
            return next(iter(_cases(read, rows, kinds)), None)

    def page(
        self,
        scope: Scope,
        wanted: Filter,
        kinds: Mapping[str, CaseKind],
        *,
        by_due: bool = False,
        after: tuple[int, str] | None = None,
        limit: int = 100,
        skipped: int = 0,
    ) -> list[Case]:
        """The newest first, or the first due. after: opened_us, or due_us, and id of the last that was given. skipped:
        so many are passed over, for whoever asks by the number of a page."""
        c = CASES.c
        column = c.due_us if by_due else c.opened_us
        query = select(CASES).where(*_clauses(scope, wanted))
        if after is not None:
            at_us, case_id = after
            same = and_(column == at_us, c.id > case_id if by_due else c.id < case_id)
            # The bound alone is what an index begins at: it does not begin at an "or".
            query = query.where(column >= at_us if by_due else column <= at_us)
            query = query.where(or_(column > at_us if by_due else column < at_us, same))
        # Of some states few cases are left, and the first due of all are long over: they are found first, and sorted.
        first: ColumnElement[Any] = _UNSORTED_DUE if wanted.states else column
        order: list[ColumnElement[Any]] = [first, c.id] if by_due else [column.desc(), c.id.desc()]
        with reading(self._engine) as read:
            return _cases(read, read.execute(query.order_by(*order).limit(limit).offset(skipped)).all(), kinds)

    def count(self, scope: Scope, wanted: Filter) -> int:
        """How many there are, `COUNTED_MAX` for that many or more."""
        some = select(CASES.c.id).where(*_clauses(scope, wanted, counting=True)).limit(COUNTED_MAX).subquery()
        with self._engine.connect() as read:
            return int(read.execute(select(func.count()).select_from(some)).scalar_one())

    def states(self, scope: Scope, wanted: Filter) -> Mapping[str, int]:
        """How many there are in each state, of the first `COUNTED_MAX` that are found."""
        some = select(CASES.c.state).where(*_clauses(scope, wanted, counting=True)).limit(COUNTED_MAX).subquery()
        query = select(some.c.state, func.count()).group_by(some.c.state)
        with self._engine.connect() as read:
            return {state: int(count) for state, count in read.execute(query)}

    def timeline(self, case_id: str, limit: int = 500) -> list[Happened]:
        """What happened to a case, the newest first."""
        return self.timelines([case_id], limit)[case_id]

    def timelines(self, case_ids: Sequence[str], limit: int) -> dict[str, list[Happened]]:
        """What happened to each of some cases, the newest first, read at once."""
        query = select(LEAF.c.n, LEAF.c.id, LEAF.c.body).order_by(LEAF.c.n.desc()).limit(limit)
        beside: dict[str, list[PersonalField]] = defaultdict(list)
        with reading(self._engine) as read:
            leaves = {each: read.execute(query.where(LEAF.c.subject == each)).all() for each in case_ids}
            ids = [leaf.id for some in leaves.values() for leaf in some]
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                for row in read.execute(select(PERSONAL).where(PERSONAL.c.leaf_id.in_(some))):
                    beside[row.leaf_id].append(_field(row))
        return {
            case_id: [Happened(leaf.n, fact_of(leaf.body), beside.get(leaf.id, ())) for leaf in some]
            for case_id, some in leaves.items()
        }

    def photos(self, case_id: str) -> list[KeptPhoto]:
        """The photos of a case that are not erased, in the order in which they were added."""
        return self.photos_in([case_id])[case_id]

    def photos_in(self, case_ids: Sequence[str]) -> dict[str, list[KeptPhoto]]:
        """The same of some cases, read at once."""
        c, found = CASE_PHOTO.c, {case_id: list[KeptPhoto]() for case_id in case_ids}
        query = select(c.id, c.case, c.width, c.height, c.adder, c.added_us).where(c.erased_us.is_(None))
        with self._engine.connect() as read:
            for start in range(0, len(case_ids), _AT_ONCE):
                some = case_ids[start : start + _AT_ONCE]
                for row in read.execute(query.where(c.case.in_(some)).order_by(c.added_us, c.id)):
                    found[row.case].append(KeptPhoto(*row))
        return found

    def photos_of(self, fields: Iterable[str]) -> list[str]:
        """The ids of the photos whose digests are these personal fields, "leaf id/field" each."""
        leaves = [leaf for leaf, _, field in (each.rpartition("/") for each in fields) if field == PHOTO]
        found: list[str] = []
        with self._engine.connect() as read:
            for start in range(0, len(leaves), _AT_ONCE):
                some = leaves[start : start + _AT_ONCE]
                found += read.execute(select(CASE_PHOTO.c.id).where(CASE_PHOTO.c.leaf.in_(some))).scalars()
        return found

    def photos_kept(self) -> set[str]:
        """The ids of all photos that are not erased."""
        with self._engine.connect() as read:
            return set(read.execute(select(CASE_PHOTO.c.id).where(CASE_PHOTO.c.erased_us.is_(None))).scalars())

    def contact(self, case_id: str) -> Mapping[str, str]:
        """How to reach who reported it: name, mail, phone, as far as they were said and are not erased."""
        c = PERSONAL.c
        query = select(c.field, c.value).where(c.leaf_id == case_id, c.field.startswith(CONTACT, autoescape=True))
        with self._engine.connect() as read:
            rows = read.execute(query.where(c.value.is_not(None)).order_by(c.field))
            return {row.field.removeprefix(CONTACT): row.value for row in rows}

    def private(self, leaf_id: str) -> list[PersonalField]:
        """What a document says of persons beside the fact that wrote it, erased or not."""
        if not leaf_id:
            return []
        with self._engine.connect() as read:
            return _private(read, [leaf_id]).get(leaf_id, [])

    def linked(self, case_id: str) -> Mapping[str, str]:
        """The cases that say that they have to do with this one, and how."""
        query = select(CASE_LINK.c.case, CASE_LINK.c.relation).where(CASE_LINK.c.other == case_id)
        with self._engine.connect() as read:
            return {row.case: row.relation for row in read.execute(query)}

    def is_done(self, fact_id: str) -> bool:
        """Whether the journal holds a fact of this id: what was asked under it was done before."""
        with self._engine.connect() as read:
            return read.execute(select(LEAF.c.n).where(LEAF.c.id == fact_id)).one_or_none() is not None


def _clauses(scope: Scope, wanted: Filter, *, counting: bool = False) -> list[ColumnElement[bool]]:
    """counting: in no order, so that what narrows most is looked up first."""
    c = CASES.c
    kind = _UNSOUGHT_KIND if counting and wanted.area else c.kind
    seen = scope.clause("cases")
    clauses: list[ColumnElement[bool]] = [text(seen.text).bindparams(**seen.params)]  # type: ignore[list-item]
    lists: dict[Any, Any] = {
        kind: wanted.kinds,
        c.state: wanted.states,
        c.category: wanted.categories,
        c.priority: wanted.priorities,
        c.no: wanted.numbers,
    }
    clauses += [column.in_(list(values)) for column, values in lists.items() if values]
    exact: dict[Any, Any] = {c.crew: wanted.crew, c.no: wanted.number}
    exact |= {c.owner: wanted.owner or None, c.street: wanted.street or None, c.source: wanted.source or None}
    clauses += [column == value for column, value in exact.items() if value is not None]
    if wanted.area:
        clauses.append(or_(c.area == wanted.area, and_(c.area >= f"{wanted.area}/", c.area < f"{wanted.area}0")))
    if wanted.asset is not None:
        clauses.append(c.id.in_(select(CASE_ASSET.c.case).where(CASE_ASSET.c.asset == wanted.asset)))
    if wanted.due_since_us is not None:
        clauses.append(c.due_us >= wanted.due_since_us)
    if wanted.due_before_us is not None:
        clauses.append(c.due_us < wanted.due_before_us)
    if wanted.opened_since_us is not None:
        clauses.append(c.opened_us >= wanted.opened_since_us)
    if wanted.opened_until_us is not None:
        clauses.append(c.opened_us < wanted.opened_until_us)
    if wanted.box is not None:
        west, south, east, north = wanted.box
        clauses += [c.lon >= west, c.lon <= east, c.lat >= south, c.lat <= north]
    return clauses


def _field(row: Row[Any]) -> PersonalField:
    return PersonalField(row.field, row.value, row.purpose, row.until_us, row.erased_us, row.rule)


def _private(read: Connection, leaves: Sequence[str]) -> dict[str, list[PersonalField]]:
    """By the fact beside which it lies: what documents say of persons."""
    p, found = PERSONAL.c, defaultdict[str, list[PersonalField]](list)
    for start in range(0, len(leaves), _AT_ONCE):
        some = p.leaf_id.in_(leaves[start : start + _AT_ONCE]) & p.field.startswith(DOCUMENT, autoescape=True)
        for row in read.execute(select(PERSONAL).where(some).order_by(p.field)):
            found[row.leaf_id].append(_field(row))
    return found


def _cases(read: Connection, rows: Sequence[Row[Any]], kinds: Mapping[str, CaseKind]) -> list[Case]:
    assets: dict[str, list[int]] = defaultdict(list)
    links: dict[str, dict[str, str]] = defaultdict(dict)
    ids = [row.id for row in rows]
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        a, k = CASE_ASSET.c, CASE_LINK.c
        for row in read.execute(select(a.case, a.asset).where(a.case.in_(some)).order_by(a.case, a.place)):
            assets[row.case].append(row.asset)
        for row in read.execute(select(CASE_LINK).where(k.case.in_(some))):
            links[row.case][row.other] = row.relation
    private = _private(read, [row.document_leaf for row in rows if row.document_leaf])
    found: list[Case] = []
    for row in rows:
        kind = kinds.get(row.kind)
        if kind is None:
            continue
        try:
            apart = {
                each.field.removeprefix(DOCUMENT): each.value
                for each in private.get(row.document_leaf, ())
                if each.value is not None
            }
            document = kind.joined(msgspec.json.decode(row.document, type=kind.form), apart)
        except msgspec.ValidationError as error:
            # It is of another version of vigie: the case stands, with a document that says nothing.
            _log.error("document of a case not understood", case=row.id, reason=str(error))
            document = kind.form()
        found.append(
            Case(
                id=row.id, no=row.no, kind=kind, state=row.state, source=row.source, category=row.category,
                service=row.service, area=row.area, street=row.street,
                lon=math.nan if row.lon is None else row.lon, lat=math.nan if row.lat is None else row.lat,
                assets=tuple(assets[row.id]), priority=row.priority, title=row.title, title_leaf=row.title_leaf,
                words=row.words, words_leaf=row.words_leaf, owner=row.owner, crew=row.crew, opener=row.opener,
                opened_us=row.opened_us, due_us=row.due_us, planned_us=row.planned_us,
                moved_us=row.moved_us, revision=row.revision,
                photos=row.photos, document=document, links=links.get(row.id, {}), reopened_us=row.reopened_us,
                document_leaf=row.document_leaf,
            )
        )  # fmt: skip
    return found

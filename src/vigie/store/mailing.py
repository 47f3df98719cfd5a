"""The outbox of mail to residents: what is to be told follows from facts, and is kept until it was told.

The journal is read on from where it was read last, and what it asks to be told is written down with that mark in one
transaction: nothing is lost, and nothing is told twice of one fact. Before a mail is sent it is noted up to which leaf
it tells, so that whoever sends it again, not knowing whether it left, tells the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Engine

from vigie.core.facts import CaseMoved, CaseOpened, fact_of
from vigie.core.times import DAY_US
from vigie.engine.cases import CONTACT
from vigie.store.tables import CASE_LINK, CASES, LEAF, MAIL, MAIL_STEP, META, PERSONAL
from vigie.store.transactions import reading, writing

ADDRESS, LANGUAGE = f"{CONTACT}mail", f"{CONTACT}language"
"""The personal fields beside the opening of a case that say where to, and in which language, it is told how it goes."""
LEAVES_AT_ONCE = 5_000
REFUSED_KEPT_US = 400 * DAY_US
"""So long is known of which cases nobody is reached: by then their addresses are erased."""

_SEEN = "mail_seen"
_MOVES = (CaseOpened.__name__, CaseMoved.__name__)


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to a case that somebody may be told of. leaf: the id of the fact, n its number. event: "" for its
    opening; before, state_before: the event before it, and the state that it led to. tells: whether whoever opened it
    is to be told; followers: the cases that go its way, or that of one that does, of whom the same is true."""

    n: int
    leaf: str
    case: str
    at_us: int
    event: str
    before: str
    state_before: str
    tells: bool
    followers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is to be told of a case; see `vigie.services.roads.telling`."""

    case: str
    n: int
    step: str
    leaf: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that is to be sent. tries: how often it was tried."""

    case: str
    tries: int
    steps: tuple[Step, ...]

    @property
    def last_n(self) -> int:
        """Up to which leaf it tells."""
        return self.steps[-1].n


class StoredMail:
    """Reads from any thread; writes come from the one thread that may. These raise StorageFull, OSError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self) -> None:
        """From now on is told what happens; what happened before is not, unless it was to be told already."""
        with writing(self._engine) as write:
            if _seen(write) is None:
                write.execute(insert(META).values(key=_SEEN, value=str(_size(write))))

    def cease(self) -> None:
        """What happens from now on is not told."""
        if self._read_seen() is not None:
            with writing(self._engine) as write:
                write.execute(delete(META).where(META.c.key == _SEEN))

    def empty(self) -> None:
        """What waits is not told, nor what was not read yet: whoever has taken the post back to an earlier day cannot
        know what was told since."""
        with writing(self._engine) as write:
            write.execute(delete(MAIL_STEP))
            write.execute(delete(MAIL).where(MAIL.c.refused_us == 0))
            write.execute(delete(META).where(META.c.key == _SEEN))

    def tidy(self, now_us: int) -> None:
        """Forgets of which cases nobody was reached, once that is old."""
        c = MAIL.c
        old = (c.refused_us > 0) & (c.refused_us < now_us - REFUSED_KEPT_US)
        with self._engine.connect() as read:
            found = read.execute(select(func.count()).select_from(MAIL).where(old)).scalar_one()
        if found:
            with writing(self._engine) as write:
                write.execute(delete(MAIL).where(old))

    def ahead(self, first: int, kind: str, merged: str, relation: str) -> tuple[list[Happened], int]:
        """What has happened to cases of a kind since the journal was read last, of those of whom somebody may be told;
        and up to where it was read now. first: up to where it was read since, where that is further. merged, relation:
        the state of a case that goes another's way, and what that other is to it."""
        with reading(self._engine) as read:
            size = _size(read)
            seen = _seen(read)
            first = size if seen is None else max(seen, first)
            end = min(size, first + LEAVES_AT_ONCE)
            c = LEAF.c
            query = select(c.n, c.id, c.body, c.subject).where(c.n >= first, c.n < end, c.type.in_(_MOVES))
            rows = read.execute(query.join(CASES, CASES.c.id == c.subject).where(CASES.c.kind == kind).order_by(c.n))
            found: list[Happened] = []
            for row in rows.all():
                followers = _followers(read, row.subject, merged, relation)
                told = _told(read, [row.subject, *followers])
                if not told:
                    continue
                fact = fact_of(row.body)
                assert isinstance(fact, CaseOpened | CaseMoved)
                before = None if isinstance(fact, CaseOpened) else _before(read, row.subject, row.n)
                found.append(
                    Happened(
                        row.n, row.id, row.subject, fact.at,
                        "" if isinstance(fact, CaseOpened) else fact.event,
                        before.event if isinstance(before, CaseMoved) else "",
                        "" if before is None else before.state,
                        row.subject in told,
                        tuple(each for each in followers if each in told),
                    )
                )  # fmt: skip
        return found, end

    def queue(self, steps: Sequence[Step], seen_n: int, next_us: int) -> None:
        """Writes down what is to be told, a mail that is not under way at `next_us`; and that the journal was read up
        to a leaf. Of who is refused mail nothing is written down."""
        with writing(self._engine) as write:
            for each in steps:
                row = {"next_us": next_us, "tries": 0, "claimed": 0, "refused_us": 0}
                write.execute(insert(MAIL).values(case=each.case, **row).on_conflict_do_nothing())
                query = select(MAIL.c.refused_us).where(MAIL.c.case == each.case)
                if not write.execute(query).scalar_one():
                    values = {"case": each.case, "n": each.n, "step": each.step, "leaf": each.leaf, "at_us": each.at_us}
                    write.execute(insert(MAIL_STEP).values(values).on_conflict_do_nothing())
            write.execute(update(META).where(META.c.key == _SEEN).values(value=str(seen_n)))

    def due(self, now_us: int, most: int) -> list[Waiting]:
        """The mails whose time has come, the first due first. One that may have been sent tells what it told then."""
        c, s = MAIL.c, MAIL_STEP.c
        query = select(MAIL).where(c.next_us <= now_us, c.refused_us == 0).order_by(c.next_us, c.case).limit(most)
        found: list[Waiting] = []
        with reading(self._engine) as read:
            for row in read.execute(query).all():
                mine = select(MAIL_STEP).where(s.case == row.case).order_by(s.n)
                if row.claimed:
                    mine = mine.where(s.n <= row.claimed)
                steps = tuple(Step(each.case, each.n, each.step, each.leaf, each.at_us) for each in read.execute(mine))
                if steps:
                    found.append(Waiting(row.case, row.tries, steps))
        return found

    def claim(self, mail: Waiting) -> bool:
        """Notes that a mail is being sent, and up to which leaf it tells. Returns whether it may be: not where nobody
        is to be told any more since it was made."""
        return self._note(mail.case, claimed=mail.last_n)

    def defer(self, mail: Waiting, next_us: int) -> None:
        """It was not taken, for now: it is tried again then, with what is to be told by then."""
        self._note(mail.case, claimed=0, tries=mail.tries + 1, next_us=next_us)

    def doubt(self, mail: Waiting, next_us: int) -> None:
        """It may have been taken, or not: the very same is sent again then."""
        self._note(mail.case, tries=mail.tries + 1, next_us=next_us)

    def postpone(self, until_us: Mapping[str, int]) -> None:
        """These, by their cases, were not tried, and are not before then."""
        with writing(self._engine) as write:
            for case, next_us in until_us.items():
                write.execute(update(MAIL).where(MAIL.c.case == case).values(next_us=next_us))

    def give_up(self, case: str, steps: Sequence[Step]) -> None:
        """These steps are told no more; what is left is a mail of its own."""
        c = MAIL_STEP.c
        with writing(self._engine) as write:
            write.execute(delete(MAIL_STEP).where(c.case == case, c.n.in_([each.n for each in steps])))
            if write.execute(select(func.count()).select_from(MAIL_STEP).where(c.case == case)).scalar_one():
                write.execute(update(MAIL).where(MAIL.c.case == case).values(claimed=0))
            else:
                write.execute(delete(MAIL).where(MAIL.c.case == case))

    def told(self, mail: Waiting, next_us: int) -> None:
        """It was sent: what it told is done; what came meanwhile is told by another."""
        c = MAIL_STEP.c
        with writing(self._engine) as write:
            write.execute(delete(MAIL_STEP).where(c.case == mail.case, c.n <= mail.last_n))
            left = select(func.count()).select_from(MAIL_STEP).where(c.case == mail.case)
            if write.execute(left).scalar_one():
                row = {"next_us": next_us, "tries": 0, "claimed": 0}
                write.execute(update(MAIL).where(MAIL.c.case == mail.case).values(row))
            else:
                write.execute(delete(MAIL).where(MAIL.c.case == mail.case))

    def refuse(self, case: str, now_us: int) -> None:
        """Its address is none that mail reaches: nothing more is told of the case."""
        with writing(self._engine) as write:
            write.execute(delete(MAIL_STEP).where(MAIL_STEP.c.case == case))
            write.execute(update(MAIL).where(MAIL.c.case == case).values(refused_us=now_us, claimed=0))

    def forget(self, case: str) -> None:
        """Nobody is to be told of this case any more: there is no address."""
        with writing(self._engine) as write:
            write.execute(delete(MAIL_STEP).where(MAIL_STEP.c.case == case))
            write.execute(delete(MAIL).where(MAIL.c.case == case))

    def counts(self) -> tuple[int, int]:
        """How many mails wait, and of how many cases nobody can be reached."""
        c = MAIL.c
        query = select(func.count().filter(c.refused_us == 0), func.count().filter(c.refused_us != 0)).select_from(MAIL)
        with self._engine.connect() as read:
            waiting, refused = read.execute(query).one()
            return int(waiting), int(refused)

    def reason(self, leaf: str) -> str:
        """What was written beside a fact for why; "" where nothing was, or it was erased."""
        c = PERSONAL.c
        query = select(c.value).where(c.leaf_id == leaf, c.field == "reason", c.value.is_not(None))
        with self._engine.connect() as read:
            return read.execute(query).scalar_one_or_none() or ""

    def _note(self, case: str, **values: int) -> bool:
        with writing(self._engine) as write:
            return write.execute(update(MAIL).where(MAIL.c.case == case).values(values)).rowcount > 0

    def _read_seen(self) -> int | None:
        with self._engine.connect() as read:
            return _seen(read)


def _seen(read: Connection) -> int | None:
    said = read.execute(select(META.c.value).where(META.c.key == _SEEN)).scalar_one_or_none()
    return None if said is None else int(said)


def _size(read: Connection) -> int:
    return int(read.execute(select(func.coalesce(func.max(LEAF.c.n), -1) + 1)).scalar_one())


def _told(read: Connection, cases: Sequence[str]) -> set[str]:
    """Of which of some cases somebody may be told: there is an address, and a language to tell it in."""
    c = PERSONAL.c
    query = select(c.leaf_id).where(c.leaf_id.in_(cases), c.field.in_((ADDRESS, LANGUAGE)), c.value.is_not(None))
    return set(read.execute(query.group_by(c.leaf_id).having(func.count() == 2)).scalars())


def _followers(read: Connection, case: str, merged: str, relation: str) -> list[str]:
    """The cases that go the way of one, the nearest first: also those that go the way of one of them."""
    found, reached = [case], {case}
    query = select(CASE_LINK.c.case).join(CASES, CASES.c.id == CASE_LINK.c.case)
    query = query.where(CASE_LINK.c.relation == relation, CASES.c.state == merged)
    for each in found:
        nearer = read.execute(query.where(CASE_LINK.c.other == each)).scalars().all()
        found += [other for other in nearer if other not in reached]
        reached |= set(nearer)
    return found[1:]


def _before(read: Connection, case: str, n: int) -> CaseOpened | CaseMoved | None:
    """What opened or moved a case before a leaf."""
    c = LEAF.c
    query = select(c.body).where(and_(c.subject == case, c.n < n, c.type.in_(_MOVES))).order_by(c.n.desc()).limit(1)
    body = read.execute(query).scalar_one_or_none()
    fact = None if body is None else fact_of(body)
    return fact if isinstance(fact, CaseOpened | CaseMoved) else None

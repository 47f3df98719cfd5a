"""The journal in SQL: one RFC 6962 log, its personal fields beside it, its signed heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.engine import Engine

from vigie.core import merkle
from vigie.core.facts import About, AnyFact, commitment, fact_of
from vigie.engine.cases import DOCUMENT
from vigie.store.tables import HEAD, LEAF, NODE, PERSONAL
from vigie.store.transactions import reading, writing


class JournalBroken(Exception):
    """The journal does not hold what it once said: the first thing that is wrong, in words."""


@dataclass(frozen=True, slots=True)
class Head:
    """A signed tree head: so many leaves had this root at this instant."""

    size: int
    root: bytes
    at_us: int
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over."""
        return b"vigie tree head 1\n" + self.size.to_bytes(8) + self.at_us.to_bytes(8) + self.root


@dataclass(frozen=True, slots=True)
class Proof:
    """That a leaf is in the tree of `size` leaves with this root (RFC 6962, 2.1.1)."""

    n: int
    leaf: bytes
    size: int
    root: bytes
    path: tuple[bytes, ...]

    @property
    def holds(self) -> bool:
        """Whether the path leads from the leaf to the root."""
        return merkle.root_from_inclusion(merkle.leaf_hash(self.leaf), self.n, self.size, self.path) == self.root


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A field that may be erased: what it says, or when and under which rule it was erased."""

    field: str
    value: str | None
    purpose: str
    until_us: int
    erased_us: int | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One leaf as it is read: its number, the fact, and what is known beside it."""

    n: int
    fact: AnyFact
    personal: tuple[PersonalField, ...]


class Journal:
    """Reading, proving and checking. What appends is `FactStore.commit`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def size(self) -> int:
        """How many leaves there are."""
        with self._engine.connect() as read:
            return size_of(read)

    def lines(self, *, before: int | None = None, limit: int = 100) -> list[Line]:
        """The newest leaves first; before: only those with a smaller number."""
        query = select(LEAF.c.n, LEAF.c.id, LEAF.c.body).order_by(LEAF.c.n.desc()).limit(limit)
        if before is not None:
            query = query.where(LEAF.c.n < before)
        with reading(self._engine) as read:
            leaves = read.execute(query).all()
            beside: dict[str, list[PersonalField]] = {}
            for row in read.execute(select(PERSONAL).where(PERSONAL.c.leaf_id.in_([leaf.id for leaf in leaves]))):
                field = PersonalField(row.field, row.value, row.purpose, row.until_us, row.erased_us, row.rule)
                beside.setdefault(row.leaf_id, []).append(field)
        return [Line(leaf.n, fact_of(leaf.body), tuple(beside.get(leaf.id, ()))) for leaf in leaves]

    def head(self) -> Head | None:
        """The newest signed head; None before the first."""
        with self._engine.connect() as read:
            row = read.execute(select(HEAD).order_by(HEAD.c.size.desc()).limit(1)).one_or_none()
            return None if row is None else Head(row.size, row.root, row.at_us, row.signature)

    def prove(self, n: int, size: int | None = None) -> Proof:
        """The proof that leaf n is in the tree of `size` leaves (the whole one by default). Raises IndexError."""
        with self._engine.connect() as read:
            whole = size_of(read)
            size = whole if size is None else size
            if size > whole:
                raise IndexError(f"there are only {whole} leaves")
            if not 0 <= n < size:
                raise IndexError(f"there is no leaf {n}: the tree has leaves 0 to {size - 1}")
            leaf: bytes = read.execute(select(LEAF.c.body).where(LEAF.c.n == n)).scalar_one()
            node = nodes_of(read)
            return Proof(n, leaf, size, merkle.root(size, node), tuple(merkle.inclusion(n, size, node)))

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree of `new` leaves extends the one of `old`. Raises IndexError."""
        with self._engine.connect() as read:
            if new > size_of(read):
                raise IndexError(f"there are only {size_of(read)} leaves")
            return tuple(merkle.consistency(old, new, nodes_of(read)))

    def sign(self, key: Ed25519PrivateKey, at_us: int) -> Head:
        """Signs the tree as it stands, keeps the head and returns it. A size is signed once. Raises StorageFull."""
        with writing(self._engine) as write:
            size = size_of(write)
            kept = write.execute(select(HEAD).where(HEAD.c.size == size)).one_or_none()
            if kept is not None:
                return Head(kept.size, kept.root, kept.at_us, kept.signature)
            unsigned = Head(size, merkle.root(size, nodes_of(write)), at_us, b"")
            head = Head(size, unsigned.root, at_us, key.sign(unsigned.signed))
            write.execute(insert(HEAD).values(size=size, root=head.root, at_us=at_us, signature=head.signature))
            return head

    def verify(self, key: Ed25519PublicKey) -> Iterator[int]:
        """Checks everything, yielding the number of leaves done from time to time. Raises JournalBroken.

        Each leaf is hashed anew and the tree built from them; every stored node, every signed head and every
        commitment whose field was not erased must agree. Leaves without a hole; a sealed field without a row, or a
        row erased without a fact that says so, is a break too.
        """
        built: dict[tuple[int, int], bytes] = {}
        erasures: set[str] = set()
        with reading(self._engine) as read:
            heads = {row.size: row for row in read.execute(select(HEAD))}
            personal = {(row.leaf_id, row.field): row for row in read.execute(select(PERSONAL))}
            erased = {f"{leaf}/{field}" for (leaf, field), row in personal.items() if row.erased_us is not None}
            done = 0
            for row in read.execute(select(LEAF.c.n, LEAF.c.id, LEAF.c.body).order_by(LEAF.c.n)):
                if row.n != done:
                    raise JournalBroken(f"leaf {done} is missing")
                for level, position, hashed in merkle.completed(
                    row.n, merkle.leaf_hash(row.body), lambda a, b: built[a, b]
                ):
                    built[level, position] = hashed
                fact = fact_of(row.body)
                erasures |= set(getattr(fact, "fields", ()))
                for field, sealed in fact.sealed.items():
                    kept = personal.get((fact.id, field))
                    if kept is None:
                        raise JournalBroken(f"leaf {row.n} seals {field!r}, and nothing is kept of it")
                    if kept.erased_us is None and commitment(kept.salt, kept.value) != sealed:
                        raise JournalBroken(f"{field!r} of leaf {row.n} is not what was sealed")
                done += 1
                if done in heads:
                    self._check_head(heads[done], merkle.root(done, lambda a, b: built[a, b]), key)
                if done % 10_000 == 0:
                    yield done
            if ahead := [size for size in heads if size > done]:
                raise JournalBroken(f"a tree of {max(ahead)} leaves was signed, and only {done} are left")
            if unsaid := erased - erasures:
                raise JournalBroken(f"{min(unsaid)} was erased, and no fact says so")
            stored = {(row.level, row.position): row.hash for row in read.execute(select(NODE))}
            if stored != built:
                wrong = min(stored.items() ^ built.items())[0]
                raise JournalBroken(f"the stored node {wrong} is not the hash of its leaves")
        yield done

    def unsealed(self) -> int:
        """How many private fields of documents stand without a commitment: an older version had written them into the
        document itself. What they say is not what `verify` vouches for."""
        kept = select(PERSONAL.c.field, LEAF.c.body).outerjoin(LEAF, LEAF.c.id == PERSONAL.c.leaf_id)
        documents = PERSONAL.c.field.startswith(DOCUMENT, autoescape=True)
        with reading(self._engine) as read:
            rows = read.execute(kept.where(documents, PERSONAL.c.erased_us.is_(None))).all()
        return sum(row.body is None or row.field not in fact_of(row.body).sealed for row in rows)

    def verify_newest(self, count: int, key: Ed25519PublicKey) -> int:
        """Checks the newest leaves, the newest signed head and the tree under it, in the time of a glance. Returns how
        many leaves were checked. Raises JournalBroken."""
        with reading(self._engine) as read:
            node, size = nodes_of(read), size_of(read)
            low = max(0, size - count)
            leaves = read.execute(select(LEAF.c.n, LEAF.c.body).where(LEAF.c.n >= low).order_by(LEAF.c.n)).all()
            for wanted, row in enumerate(leaves, low):
                if row.n != wanted:
                    raise JournalBroken(f"leaf {wanted} is missing")
                if node(0, row.n) != merkle.leaf_hash(row.body):
                    raise JournalBroken(f"the stored hash of leaf {row.n} is not its own")
            head = read.execute(select(HEAD).order_by(HEAD.c.size.desc()).limit(1)).one_or_none()
            if head is not None:
                if head.size > size:
                    raise JournalBroken(f"a tree of {head.size} leaves was signed, and only {size} are left")
                self._check_head(head, merkle.root(head.size, node), key)
        return len(leaves)

    def root_at(self, size: int) -> bytes | None:
        """The root of the first `size` leaves, by the stored hashes; None where there are fewer."""
        with self._engine.connect() as read:
            return merkle.root(size, nodes_of(read)) if size <= size_of(read) else None

    @staticmethod
    def _check_head(row: object, root: bytes, key: Ed25519PublicKey) -> None:
        head = Head(row.size, row.root, row.at_us, row.signature)  # type: ignore[attr-defined]
        if head.root != root:
            raise JournalBroken(f"the signed root of {head.size} leaves is not theirs")
        try:
            key.verify(head.signature, head.signed)
        except InvalidSignature:
            raise JournalBroken(f"the signature of the tree of {head.size} leaves is not of this key") from None


def size_of(read: Connection) -> int:
    """How many leaves there are."""
    return int(read.execute(select(func.coalesce(func.max(LEAF.c.n) + 1, 0))).scalar_one())


def nodes_of(read: Connection) -> merkle.Node:
    """The stored subtrees."""

    def node(level: int, position: int) -> bytes:
        query = select(NODE.c.hash).where(NODE.c.level == level, NODE.c.position == position)
        return read.execute(query).scalar_one()

    return node


def append_leaf(write: Connection, n: int, fact: AnyFact, body: bytes, about: About) -> None:
    """Writes leaf number n and the subtrees it completes, within the caller's transaction."""
    write.execute(
        insert(LEAF).values(
            n=n,
            id=fact.id,
            type=type(fact).__name__,
            at_us=fact.at,
            actor=fact.actor,
            body=body,
            subject=about.subject,
            area=about.area,
            service=about.service,
            verb=about.verb,
        )
    )
    made = merkle.completed(n, merkle.leaf_hash(body), nodes_of(write))
    write.execute(insert(NODE), [{"level": level, "position": p, "hash": hashed} for level, p, hashed in made])


def erase_fields(write: Connection, fields: list[str], at_us: int, rule: str) -> None:
    """Takes value and salt of "leaf id/field" each away, within the caller's transaction."""
    for each in fields:
        leaf_id, field = each.rsplit("/", 1)
        write.execute(
            update(PERSONAL)
            .where(PERSONAL.c.leaf_id == leaf_id, PERSONAL.c.field == field)
            .values(value=None, salt=None, erased_us=at_us, rule=rule)
        )

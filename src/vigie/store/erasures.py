"""The list of erasures, beside the database: what a restored backup is told, so that what was erased stays erased.

It holds no personal word: which field of which leaf, when, and under which rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import Engine

from vigie.core.facts import PersonalErased, fact_of
from vigie.store.files import append_lines
from vigie.store.tables import LEAF

ERASURES = "erasures.jsonl"


class Erasure(msgspec.Struct, frozen=True):
    """One fact of erasing. leaf: its number; fields: "leaf id/field" each."""

    leaf: int
    at_us: int
    rule: str
    fields: list[str]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Erasure).decode


class Erasures:
    """The list, appended to and synced after each erasure; what a crash kept from it the next start makes up for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = max((each.leaf for each in read_erasures(path)), default=-1) if path.exists() else -1

    def note(self, engine: Engine) -> None:
        """Appends what the journal has and the list has not."""
        query = select(LEAF.c.n, LEAF.c.body).where(LEAF.c.n > self._last, LEAF.c.type == PersonalErased.__name__)
        with engine.connect() as read:
            rows = read.execute(query.order_by(LEAF.c.n)).all()
        if not rows:
            return
        said: list[bytes] = []
        for row in rows:
            fact = fact_of(row.body)
            assert isinstance(fact, PersonalErased)
            said.append(_encode(Erasure(row.n, fact.at, fact.rule, fact.fields)))
        append_lines(self._path, said)
        self._last = rows[-1].n


def read_erasures(path: Path) -> Iterator[Erasure]:
    """What a list says; a line that a crash has cut is passed over. Raises OSError."""
    for line in path.read_bytes().splitlines():
        try:
            yield _decode(line)
        except msgspec.DecodeError:
            continue

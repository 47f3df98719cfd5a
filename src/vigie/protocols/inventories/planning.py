"""What an import would change: a pure comparison of what a source says with what the post holds of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from vigie.core.drafts import Draft, Scalar
from vigie.protocols.inventories import shapes

_FORM = msgspec.json.Encoder()
_DEGREE = 10**shapes.DIGITS


@dataclass(frozen=True, slots=True)
class Link:
    """A street or a parent that a draft names, and that neither the source nor the post holds."""

    key: str
    field: str
    to: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do.

    made, changed: drafts that the post does not hold, or holds otherwise; their dead links are taken out.
    unchanged, gone: keys. Gone are those that the post holds and the files read no longer name.
    fingerprints: of every draft, made, changed or not, by key: what the store keeps for the next import.
    dead: the links that were taken out.
    """

    made: tuple[Draft, ...]
    changed: tuple[Draft, ...]
    unchanged: tuple[str, ...]
    gone: tuple[str, ...]
    fingerprints: Mapping[str, bytes]
    dead: tuple[Link, ...]


def part_of(key: str) -> str:
    """The name of the file that a key comes from."""
    return key.partition("/")[0]


def fingerprint(draft: Draft) -> bytes:
    """A hash of all that a draft says, 16 bytes, the same on every machine.

    Places are rounded to 1e-7 degrees (a centimetre), and a number is the same whether a file wrote 5 or 5.0.
    """
    form = (
        (draft.key, draft.kind, draft.id, draft.name, draft.area, draft.street, draft.parent),
        (round(draft.lon * _DEGREE), round(draft.lat * _DEGREE)),
        _flat(draft.geometry),
        sorted((name, _plain(value)) for name, value in draft.attributes.items()),
    )
    return hashlib.blake2b(_FORM.encode(form), digest_size=16).digest()


def plan(existing: Mapping[str, bytes], drafts: Iterable[Draft], parts: Collection[str] | None = None) -> Plan:
    """Compares drafts with what the post holds of their source.

    existing: key -> fingerprint of every asset of the source that is not retired.
    parts: the names of the files that were read; only their keys can be gone. None: all files were.
    Raises ValueError for a key that comes twice.
    """
    given = list(drafts)
    known = existing.keys() | {draft.key for draft in given}
    dead: list[Link] = []
    made: list[Draft] = []
    changed: list[Draft] = []
    unchanged: list[str] = []
    prints: dict[str, bytes] = {}
    for draft in (_linked(draft, known, dead) for draft in given):
        if draft.key in prints:
            raise ValueError(f"the key {draft.key!r} comes twice")
        prints[draft.key] = new = fingerprint(draft)
        old = existing.get(draft.key)
        if old is None:
            made.append(draft)
        elif old != new:
            changed.append(draft)
        else:
            unchanged.append(draft.key)
    gone = [key for key in existing if key not in prints and (parts is None or part_of(key) in parts)]
    return Plan(tuple(made), tuple(changed), tuple(unchanged), tuple(gone), prints, tuple(dead))


def _linked(draft: Draft, known: Collection[str], dead: list[Link]) -> Draft:
    """The draft without links that lead nowhere."""
    for field, to in (("street", draft.street), ("parent", draft.parent)):
        if to and to not in known:
            dead.append(Link(draft.key, field, to))
            draft = msgspec.structs.replace(draft, **{field: ""})
    return draft


def _flat(wkb: bytes | None) -> bytes | None:
    """A geometry rounded, in the one form of well-known binary that we write."""
    if wkb is None:
        return None
    return shapes.to_wkb(shapes.moved([shapes.from_wkb(wkb)], lambda x, y: (x, y))[0])


def _plain(value: Scalar) -> Scalar:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

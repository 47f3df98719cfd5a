"""Taking in an inventory: which drafts are new, which changed, which are as they were. Pure.

An asset is known by (source, key) for good. What the source says of it is kept as a fingerprint, with the area and the
street that were found for it, so that the same files twice change nothing, and what people changed by hand stays until
the source says something else. What was retired because its source named it no more comes back when it is named again;
what a person retired stays retired.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vigie.core.assets import AssetChange, AssetGone
from vigie.core.drafts import Draft, Scalar
from vigie.core.kinds import AssetKind, Attribute, Catalogue, Sort
from vigie.engine.areas import Area, Areas, shapes_of

HAND = "hand"
"""The source of what is made in the console."""

GONE = b""
"""The fingerprint of what was retired because its source names it no more."""

_DEGREE_DIGITS = 7
"""A ten-millionth of a degree is a centimetre: what a second projection of the same place may differ by."""

_NOT_IN_AN_ID = re.compile(r"[^\w.~-]+")
"""An id stands in addresses: what separates the parts of one may not be in it."""


@dataclass(frozen=True, slots=True)
class Known:
    """An asset that the post has from this source already; the fingerprint of one that is gone is GONE."""

    no: int
    kind: str
    fingerprint: bytes
    id: str = ""
    name: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class KnownArea:
    """A part of the town that the post has, of any source, and the key that the source has for it."""

    source: str
    key: str
    kind: str
    name: str
    within: str
    lon: float
    lat: float
    surface: bytes


@dataclass(frozen=True, slots=True)
class DraftRefused:
    """A draft that cannot be taken in: its place among the drafts, its key, and why."""

    row: int
    key: str
    reason: str


@dataclass(frozen=True)
class Intake:
    """What taking in the drafts would do.

    changes: the new and the changed, new numbers in order; their drafts have the id, the area and the street that were
    found for them. gone: keys of what the source names no more. retired: those of them that are to be retired.
    unplaced: keys of drafts that lie in no area. dead: keys of drafts whose parent is not there.
    """

    changes: tuple[AssetChange, ...]
    unchanged: int
    gone: tuple[str, ...]
    refused: tuple[DraftRefused, ...]
    retired: tuple[AssetGone, ...] = ()
    unplaced: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()

    @property
    def made(self) -> int:
        """How many assets are new."""
        return sum(change.is_new for change in self.changes)

    @property
    def rows(self) -> tuple[AssetChange | AssetGone, ...]:
        """All that is to be written, as the journal's leaf commits to it."""
        return (*self.changes, *self.retired)


_encoded = msgspec.json.Encoder(order="sorted").encode


def fingerprint(draft: Draft) -> bytes:
    """A digest of what a draft says: equal for equal drafts, whatever run or machine they come from."""
    # Adding zero turns -0.0, which is written otherwise than 0.0, into it.
    lon, lat = round(draft.lon, _DEGREE_DIGITS) + 0.0, round(draft.lat, _DEGREE_DIGITS) + 0.0
    rounded = msgspec.structs.replace(draft, lon=lon, lat=lat)
    return hashlib.sha256(_encoded(rounded)).digest()


def id_of(draft: Draft) -> str:
    """What people call the asset: its own id, or one made from its kind and its key without the name of the file."""
    return draft.id or f"{draft.kind}-{_NOT_IN_AN_ID.sub('-', draft.key.partition('/')[2] or draft.key).strip('-')}"


def plan_intake(
    catalogue: Catalogue,
    drafts: Iterable[Draft],
    known: Mapping[str, Known],
    ids: Mapping[str, int],
    next_no: int,
    *,
    source: str = "",
    areas: Sequence[KnownArea] = (),
    covers: Callable[[str], bool] = lambda key: True,
    retire: bool = False,
) -> Intake:
    """Sets drafts of one source against what the post has of it.

    known: source key -> what the post has, retired or not. ids: every asset id of the city -> its number. next_no: the
    first free number. areas: the parts of the town that the post has. covers: whether the drafts would name this key,
    were it still there: a file that was not read says nothing of its own. retire: whether what is gone is retired.
    """
    given = list(drafts)
    taken, refused = _taken(catalogue, given, known, ids)
    named = {draft.key for _, draft, _ in taken} | {each.key for each in refused}
    gone = tuple(key for key, each in known.items() if not each.retired and key not in named and covers(key))
    still = [
        area for area in areas if area.source != source or not (area.key in named or (retire and area.key in gone))
    ]
    placed, unplaced = _placed(catalogue, [draft for _, draft, _ in taken], still)
    names = {key: each.name or each.id for key, each in known.items() if each.kind == "street"}
    names |= {draft.key: draft.name or id for _, draft, id in taken if draft.kind == "street"}
    there = known.keys() | {draft.key for draft in placed}
    changes: list[AssetChange] = []
    dead: list[str] = []
    for draft, (_, _, id) in zip(placed, taken, strict=True):
        parent = draft.parent if draft.parent in there else ""
        if parent != draft.parent:
            dead.append(draft.key)
        street = names.get(draft.street, draft.street)
        linked = draft
        if (street, parent) != (draft.street, draft.parent):
            linked = msgspec.structs.replace(draft, street=street, parent=parent)
        mark = fingerprint(linked)
        before = known.get(draft.key)
        if before is None:
            changes.append(AssetChange(no=next_no, is_new=True, draft=_as(linked, id), fingerprint=mark))
            next_no += 1
        elif before.fingerprint != mark:
            back = before.retired and before.fingerprint == GONE
            changes.append(
                AssetChange(no=before.no, is_new=False, draft=_as(linked, id), fingerprint=mark, is_back=back)
            )
    retired = tuple(AssetGone(no=known[key].no) for key in gone) if retire else ()
    unchanged = len(placed) - len(changes)
    return Intake(tuple(changes), unchanged, gone, tuple(refused), retired, tuple(unplaced), tuple(dead))


Taken = tuple[int, Draft, str]
"""A draft that is taken in: its place among the drafts, itself, and the id that it is to have."""


def _taken(
    catalogue: Catalogue, drafts: Sequence[Draft], known: Mapping[str, Known], ids: Mapping[str, int]
) -> tuple[list[Taken], list[DraftRefused]]:
    """The drafts that can be taken in, and the others."""
    taken: list[Taken] = []
    refused: list[DraftRefused] = []
    seen: set[str] = set()
    used: dict[str, str] = {}
    own = {each.no for each in known.values()}
    drawn = shapes_of([draft.geometry for draft in drafts])
    for row, (draft, shape) in enumerate(zip(drafts, drawn, strict=True)):
        before = known.get(draft.key)
        reason = _reason_to_refuse(catalogue, draft, shape)
        if reason is None and before is not None and before.kind != draft.kind:
            reason = f"it was a {before.kind} and cannot become a {draft.kind}: retire it and give the new one a key"
        if reason is None and draft.key in seen:
            reason = f"the key {draft.key!r} comes twice"
        id = draft.id or (before.id if before is not None else "")
        if reason is None and not id:
            # Ids made from keys of one source may fall together; one that another source has is no slip of writing.
            id = next(each for each in _ids(draft) if each not in used and ids.get(each) not in own)
        owner = ids.get(id)
        if reason is None and (id in used or (owner is not None and (before is None or owner != before.no))):
            reason = f"the id {id!r} belongs to another asset"
        if reason is not None:
            refused.append(DraftRefused(row, draft.key, reason))
            continue
        seen.add(draft.key)
        used[id] = draft.key
        taken.append((row, draft, id))
    return taken, refused


def _ids(draft: Draft) -> Iterator[str]:
    """The id made for a draft, and what follows when another draft has it."""
    first = id_of(draft)
    yield first
    number = 2
    while True:
        yield f"{first}-{number}"
        number += 1


def _placed(catalogue: Catalogue, drafts: Sequence[Draft], known: Sequence[KnownArea]) -> tuple[list[Draft], list[str]]:
    """The drafts with the area that each lies in, where it does not say so itself; and the keys of those in none."""
    ranks = {kind.kind: rank for rank, kind in enumerate(catalogue.assets.values()) if kind.area}
    parts = [
        (draft.key, Area(ranks[draft.kind], draft.name or draft.key, draft.area, draft.lon, draft.lat, draft.geometry))
        for draft in drafts
        if draft.kind in ranks and draft.geometry is not None
    ]
    others = [
        Area(ranks[area.kind], area.name or area.key, area.within, area.lon, area.lat, area.surface)
        for area in known
        if area.kind in ranks
    ]
    areas = Areas([area for _, area in parts] + others)
    # An area lies in the one around it, which is not itself.
    around = {key: path.rpartition("/")[0] for (key, _), path in zip(parts, areas.paths, strict=False)}
    lost = [draft for draft in drafts if not draft.area and draft.key not in around]
    found = around | dict(
        zip(
            (draft.key for draft in lost),
            areas.find([draft.lon for draft in lost], [draft.lat for draft in lost]),
            strict=True,
        )
    )
    placed = [draft if draft.area else msgspec.structs.replace(draft, area=found[draft.key]) for draft in drafts]
    return placed, [draft.key for draft in lost if not found[draft.key]]


def _as(draft: Draft, id: str) -> Draft:
    return draft if draft.id == id else msgspec.structs.replace(draft, id=id)


def _reason_to_refuse(catalogue: Catalogue, draft: Draft, drawn: str | None) -> str | None:
    kind = catalogue.assets.get(draft.kind)
    if kind is None:
        return f"there is no kind {draft.kind!r}"
    if not draft.key:
        return "it has no key"
    if not (-180 <= draft.lon <= 180 and -90 <= draft.lat <= 90):
        return f"({draft.lon}, {draft.lat}) is no place on Earth"
    if drawn is None:
        return "its geometry is no well-known binary in degrees"
    if drawn and drawn != kind.shape:
        return f"its geometry is a {drawn}, and a {draft.kind} is a {kind.shape}"
    return _reason_of_attributes(kind, draft)


def _reason_of_attributes(kind: type[AssetKind], draft: Draft) -> str | None:
    for name, value in draft.attributes.items():
        declared = kind.attributes.get(name)
        if declared is None:
            return f"{draft.kind} has no attribute {name!r}"
        if not _fits(declared, value):
            return f"{name} of {draft.kind} takes no {value!r}"
        if declared.check is not None:
            try:
                declared.check(str(value))
            except ValueError as error:
                return f"{name} of {draft.kind} takes no {value!r}: {error}"
    return None


_TAKES: Mapping[Sort, frozenset[type]] = {Sort.NUMBER: frozenset({int, float}), Sort.FLAG: frozenset({bool})}
"""What a value of a sort is; of any other, it is a text."""
_TEXT = frozenset({str})


def _fits(declared: Attribute, value: Scalar) -> bool:
    if declared.sort is Sort.CHOICE:
        return value in declared.choices
    return type(value) in _TAKES.get(declared.sort, _TEXT)


def digests_of(rows: Sequence[AssetChange | AssetGone]) -> tuple[bytes, ...]:
    """What the journal's leaf commits to: number and fingerprint of each row."""
    return tuple(row.no.to_bytes(8) + (row.fingerprint if isinstance(row, AssetChange) else GONE) for row in rows)

"""Taking in an inventory: which drafts are new, which changed, which are as they were. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vigie.core.assets import AssetChange
from vigie.core.drafts import Draft
from vigie.core.kinds import Catalogue, Sort

HAND = "hand"
"""The source of what is made in the console."""

_DEGREE_DIGITS = 7
"""A ten-millionth of a degree is a centimetre: what a second projection of the same place may differ by."""


@dataclass(frozen=True, slots=True)
class Known:
    """An asset that the post has from this source already."""

    no: int
    kind: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class DraftRefused:
    """A draft that cannot be taken in: its place among the drafts, its key, and why."""

    row: int
    key: str
    reason: str


@dataclass(frozen=True)
class Intake:
    """What taking in the drafts would do. changes holds the new and the changed, new numbers in order."""

    changes: tuple[AssetChange, ...]
    unchanged: int
    gone: tuple[str, ...]
    refused: tuple[DraftRefused, ...]

    @property
    def made(self) -> int:
        """How many assets are new."""
        return sum(change.is_new for change in self.changes)


def fingerprint(draft: Draft) -> bytes:
    """A digest of what a draft says: equal for equal drafts, whatever run or machine they come from."""
    # Adding zero turns -0.0, which is written otherwise than 0.0, into it.
    lon, lat = round(draft.lon, _DEGREE_DIGITS) + 0.0, round(draft.lat, _DEGREE_DIGITS) + 0.0
    rounded = msgspec.structs.replace(draft, lon=lon, lat=lat)
    return hashlib.sha256(msgspec.json.encode(rounded, order="sorted")).digest()


def id_of(draft: Draft) -> str:
    """What people call the asset: its own id, or one made from kind and key."""
    return draft.id or f"{draft.kind}-{draft.key}"


def plan_intake(
    catalogue: Catalogue, drafts: Iterable[Draft], known: Mapping[str, Known], ids: Mapping[str, int], next_no: int
) -> Intake:
    """Sets drafts of one source against what the post has of it.

    known: source key -> what the post has. ids: every asset id of the city -> its number. next_no: the first
    free number.
    """
    changes: list[AssetChange] = []
    refused: list[DraftRefused] = []
    seen: set[str] = set()
    taken: set[str] = set()
    unchanged = 0
    for row, draft in enumerate(drafts):
        reason = _reason_to_refuse(catalogue, draft)
        before = known.get(draft.key)
        if reason is None and before is not None and before.kind != draft.kind:
            reason = f"it was a {before.kind} and cannot become a {draft.kind}: retire it and give the new one a key"
        if reason is None and draft.key in seen:
            reason = f"the key {draft.key!r} comes twice"
        owner = ids.get(id_of(draft))
        if reason is None and (id_of(draft) in taken or (owner is not None and (before is None or owner != before.no))):
            reason = f"the id {id_of(draft)!r} belongs to another asset"
        if reason is not None:
            refused.append(DraftRefused(row, draft.key, reason))
            continue
        seen.add(draft.key)
        taken.add(id_of(draft))
        mark = fingerprint(draft)
        if before is None:
            changes.append(AssetChange(no=next_no, is_new=True, draft=draft, fingerprint=mark))
            next_no += 1
        elif before.fingerprint != mark:
            changes.append(AssetChange(no=before.no, is_new=False, draft=draft, fingerprint=mark))
        else:
            unchanged += 1
    kept = seen | {each.key for each in refused}
    return Intake(tuple(changes), unchanged, tuple(key for key in known if key not in kept), tuple(refused))


def _reason_to_refuse(catalogue: Catalogue, draft: Draft) -> str | None:
    kind = catalogue.assets.get(draft.kind)
    if kind is None:
        return f"there is no kind {draft.kind!r}"
    if not draft.key:
        return "it has no key"
    if not (-180 <= draft.lon <= 180 and -90 <= draft.lat <= 90):
        return f"({draft.lon}, {draft.lat}) is no place on Earth"
    for name, value in draft.attributes.items():
        declared = kind.attributes.get(name)
        if declared is None:
            return f"{draft.kind} has no attribute {name!r}"
        fits = {
            Sort.NUMBER: isinstance(value, (int, float)) and not isinstance(value, bool),
            Sort.FLAG: isinstance(value, bool),
            Sort.CHOICE: value in declared.choices,
        }.get(declared.sort, isinstance(value, str))
        if not fits:
            return f"{name} of {draft.kind} takes no {value!r}"
    return None


def digests_of(changes: Sequence[AssetChange]) -> tuple[bytes, ...]:
    """What the journal's leaf commits to: number and fingerprint of each row."""
    return tuple(change.no.to_bytes(8) + change.fingerprint for change in changes)

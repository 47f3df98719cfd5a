"""Links between rows: the street that something stands on, and what feeds it, by their keys in the same source."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import msgspec

from vigie.core.drafts import Draft
from vigie.protocols.inventories.reading import FileReading, SourceReading


@dataclass(frozen=True, slots=True)
class Link:
    """A street or a parent that a draft names, and that neither the source nor the post holds."""

    key: str
    field: str
    to: str


def linked(reading: SourceReading, known: Collection[str]) -> tuple[SourceReading, tuple[Link, ...]]:
    """The same without links that lead nowhere, and those links.

    known: the keys that the post has of this source; a file that was not read now may have been before.
    """
    there = {draft.key for draft in reading.drafts}.union(known)
    dead: list[Link] = []
    files = tuple(_file(file, there, dead) for file in reading.files)
    return replace(reading, files=files), tuple(dead)


def _file(file: FileReading, there: Collection[str], dead: list[Link]) -> FileReading:
    return replace(file, drafts=tuple(_draft(draft, there, dead) for draft in file.drafts))


def _draft(draft: Draft, there: Collection[str], dead: list[Link]) -> Draft:
    for field, to in (("street", draft.street), ("parent", draft.parent)):
        if to and to not in there:
            dead.append(Link(draft.key, field, to))
            draft = msgspec.structs.replace(draft, **{field: ""})
    return draft

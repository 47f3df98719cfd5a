"""The report of an import: what a person reads afterwards, and what a program reads as JSON."""

from __future__ import annotations

from collections import Counter

import msgspec

from vigie.protocols.inventories.limits import DEFAULT, Limits
from vigie.protocols.inventories.planning import Plan, part_of
from vigie.protocols.inventories.reading import FileReading, Rejection, SourceReading


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file.

    rows = made + changed + unchanged + joined + left_out + rejected, always.
    crs, crs_how: the projection, and whether it was declared, named by the file, or recognised by its numbers.
    joined: rows that are part of another row's asset. left_out: rows that the mapping does not ask for.
    gone: assets that the file no longer names; retired: how many of them were retired for it.
    rejections: the first ones, each with its line (what a line is, `counted_by` says); rejected counts them all.
    """

    source: str
    file: str
    part: str
    crs: str
    crs_how: str
    rows: int
    made: int
    changed: int
    unchanged: int
    joined: int
    left_out: int
    gone: int
    retired: int
    rejected: int
    counted_by: str
    rejections: tuple[Rejection, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> bytes:
        """One line of JSON."""
        return msgspec.json.encode(self)


def reports(
    reading: SourceReading, plan: Plan, *, retired: bool = False, limits: Limits = DEFAULT
) -> tuple[Report, ...]:
    """One report a file, in the mapping's order. retired: whether what is gone was retired."""
    counts = {
        "made": Counter(part_of(draft.key) for draft in plan.made),
        "changed": Counter(part_of(draft.key) for draft in plan.changed),
        "unchanged": Counter(part_of(key) for key in plan.unchanged),
        "gone": Counter(part_of(key) for key in plan.gone),
    }
    return tuple(
        Report(
            source=reading.source,
            file=file.file,
            part=file.name,
            crs=file.crs,
            crs_how=file.crs_how,
            rows=file.rows,
            joined=file.joined,
            left_out=file.left_out,
            retired=counts["gone"][file.name] if retired else 0,
            rejected=len(file.rejections),
            counted_by=file.word,
            rejections=file.rejections[: limits.rejections_listed_max],
            warnings=(*file.warnings, *_dead(file, plan)),
            **{name: count[file.name] for name, count in counts.items()},
        )
        for file in reading.files
    )


def _dead(file: FileReading, plan: Plan) -> list[str]:
    """One sentence for links that lead nowhere."""
    told: list[str] = []
    for field in ("street", "parent"):
        links = [link for link in plan.dead if link.field == field and part_of(link.key) == file.name]
        if links:
            told.append(f"{len(links)} name a {field} that is not there, first {links[0].to!r} of {links[0].key!r}")
    return told

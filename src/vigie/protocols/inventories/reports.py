"""The report of an import: what a person reads afterwards, and what a program reads as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from vigie.protocols.inventories.limits import DEFAULT, Limits
from vigie.protocols.inventories.planning import Link, Plan, part_of
from vigie.protocols.inventories.reading import FileReading, Rejection, SourceReading


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the post did with the drafts of a source, by key. What is in none of them is unchanged.

    refused: drafts that the post did not take, with the reason. gone: what the files no longer name, retired or not.
    dead: links to a street or a parent that is not there.
    """

    made: Collection[str]
    changed: Collection[str]
    gone: Collection[str]
    retired: Collection[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    dead: Sequence[Link] = ()

    @staticmethod
    def of(plan: Plan, *, retire: bool = False) -> Outcome:
        """What carrying out a plan to the letter does."""
        made = frozenset(draft.key for draft in plan.made)
        changed = frozenset(draft.key for draft in plan.changed)
        return Outcome(made, changed, plan.gone, plan.gone if retire else (), dead=plan.dead)


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


def reports(reading: SourceReading, outcome: Outcome, limits: Limits = DEFAULT) -> tuple[Report, ...]:
    """One report a file, in the mapping's order."""
    gone = Counter(part_of(key) for key in outcome.gone)
    retired = Counter(part_of(key) for key in outcome.retired)
    return tuple(
        _report(reading.source, file, outcome, gone[file.name], retired[file.name], limits) for file in reading.files
    )


def _report(source: str, file: FileReading, outcome: Outcome, gone: int, retired: int, limits: Limits) -> Report:
    did: Counter[str] = Counter()
    rejections = list(file.rejections)
    for draft, line in zip(file.drafts, file.lines, strict=True):
        if draft.key in outcome.refused:
            rejections.append(Rejection(line, outcome.refused[draft.key]))
        elif draft.key in outcome.made:
            did["made"] += 1
        elif draft.key in outcome.changed:
            did["changed"] += 1
        else:
            did["unchanged"] += 1
    rejections.sort(key=lambda rejection: rejection.line)
    return Report(
        source=source,
        file=file.file,
        part=file.name,
        crs=file.crs,
        crs_how=file.crs_how,
        rows=file.rows,
        made=did["made"],
        changed=did["changed"],
        unchanged=did["unchanged"],
        joined=file.joined,
        left_out=file.left_out,
        gone=gone,
        retired=retired,
        rejected=len(rejections),
        counted_by=file.word,
        rejections=tuple(rejections[: limits.rejections_listed_max]),
        warnings=(*file.warnings, *_dead(file, outcome.dead)),
    )


def _dead(file: FileReading, dead: Sequence[Link]) -> list[str]:
    """One sentence for each sort of link that leads nowhere."""
    told: dict[str, list[Link]] = defaultdict(list)
    for link in dead:
        if part_of(link.key) == file.name:
            told[link.field].append(link)
    return [
        f"{len(links)} name a {name} that is not there, first {links[0].to!r} of {links[0].key!r}"
        for name, links in told.items()
    ]

"""The report of an import: what a person reads afterwards, and what a program reads as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from vigie.core.plans import Finding
from vigie.protocols.inventories.limits import DEFAULT, Limits
from vigie.protocols.inventories.links import Link
from vigie.protocols.inventories.reading import FileReading, Rejection, SourceReading


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the post did with the drafts of a source, by key. What is in none of them is unchanged.

    refused: drafts that the post did not take, with the reason, by their place among the source's drafts. gone: what
    the files no longer name; retired: what of it was retired. unplaced: what lies in no area. dead: links to a street
    or a parent that is not there. dry: nothing was done, and all this is what would be. findings: what services have
    against what was made or changed.
    """

    made: Collection[str]
    changed: Collection[str]
    gone: Collection[str] = ()
    retired: Collection[str] = ()
    refused: Mapping[int, str] = field(default_factory=dict[int, str])
    unplaced: Collection[str] = ()
    dead: Sequence[Link] = ()
    retire: bool = False
    dry: bool = False
    findings: Sequence[Finding] = ()


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of rows. read = made + changed + unchanged + joined + left_out + rejected, always.

    joined: rows that are part of another row's asset. left_out: rows that the mapping does not ask for.
    gone: assets that the files no longer name; retired: how many of them were retired for it.
    """

    read: int = 0
    made: int = 0
    changed: int = 0
    unchanged: int = 0
    joined: int = 0
    left_out: int = 0
    rejected: int = 0
    gone: int = 0
    retired: int = 0


class FileReport(Counts, frozen=True, kw_only=True):
    """What became of one file.

    part: what its keys begin with; empty for vigie's own form. crs, crs_how: the projection, and whether it was
    declared, named by the file, or recognised by its numbers. rejections: the first ones, each with its line (what a
    line is, `counted_by` says); rejected counts them all.
    """

    part: str
    file: str
    crs: str
    crs_how: str
    counted_by: str
    rejections: tuple[Rejection, ...]
    warnings: tuple[str, ...]


class Report(Counts, frozen=True, kw_only=True):
    """What became of a source: the sums, and each file. absent: files of the mapping that were not given.

    dry: nothing was done, and the counts are what would be. findings: what services have against the assets that were
    made or changed, a rule at a time, each with how many and the ids of the first.
    """

    source: str
    dry: bool
    absent: tuple[str, ...]
    files: tuple[FileReport, ...]
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> bytes:
        """One line of JSON."""
        return msgspec.json.encode(self)


def report_of(reading: SourceReading, outcome: Outcome, limits: Limits = DEFAULT) -> Report:
    """The report of one import."""
    files: list[FileReport] = []
    first = 0
    for file in reading.files:
        files.append(_file(file, first, outcome, limits))
        first += len(file.drafts)
    sums = {name: sum(getattr(file, name) for file in files) for name in Counts.__struct_fields__}
    return Report(
        source=reading.source, dry=outcome.dry, absent=reading.absent, files=tuple(files),
        findings=tuple(outcome.findings), **sums,
    )  # fmt: skip


def _file(file: FileReading, first: int, outcome: Outcome, limits: Limits) -> FileReport:
    did: Counter[str] = Counter()
    rejections = list(file.rejections)
    for row, (draft, line) in enumerate(zip(file.drafts, file.lines, strict=True), first):
        if row in outcome.refused:
            rejections.append(Rejection(line, outcome.refused[row], draft.key))
        elif draft.key in outcome.made:
            did["made"] += 1
        elif draft.key in outcome.changed:
            did["changed"] += 1
        else:
            did["unchanged"] += 1
    rejections.sort(key=lambda rejection: rejection.line)
    return FileReport(
        part=file.name,
        file=file.file,
        crs=file.crs,
        crs_how=file.crs_how,
        read=file.rows,
        made=did["made"],
        changed=did["changed"],
        unchanged=did["unchanged"],
        joined=file.joined,
        left_out=file.left_out,
        rejected=len(rejections),
        gone=sum(map(file.names, outcome.gone)),
        retired=sum(map(file.names, outcome.retired)),
        counted_by=file.word,
        rejections=tuple(rejections[: limits.rejections_listed_max]),
        warnings=(*file.warnings, *_afterwards(file, outcome)),
    )


def _afterwards(file: FileReading, outcome: Outcome) -> list[str]:
    """What a person should know of the file that shows only once it is set against what the post has."""
    told: list[str] = []
    dead: dict[str, list[Link]] = defaultdict(list)
    for link in outcome.dead:
        if file.names(link.key):
            dead[link.field].append(link)
    for name, links in dead.items():
        told.append(
            f"{_many(len(links), 'row')} named a {name} that is not there, and got none; first {links[0].key!r}, "
            f"which named {links[0].to!r}"
        )
    lost = [key for key in outcome.unplaced if file.names(key)]
    if lost:
        told.append(f"{_many(len(lost), 'asset')} in no area that the post knows; first {lost[0]!r}")
    if outcome.retire and not file.rows:
        told.append("nothing of it was retired, as it has no row at all")
    if outcome.retire and file.blind:
        told.append(
            f"nothing of it was retired: {_many(file.blind, 'rejected row')} might name what seems to be gone; "
            "mend them first"
        )
    return told


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s'[: number != 1]}"

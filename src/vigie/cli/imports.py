"""vigie import: an inventory taken in."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vigie.api.words import words
from vigie.app import Installation
from vigie.cli.common import ConfigOption, DataOption, JsonOption, ReasonOption, mapping_option, opened
from vigie.cli.consoles import err, fail, group, out
from vigie.engine.inventory import Intake
from vigie.protocols.inventories import (
    Counts,
    FileReport,
    Limits,
    Link,
    Outcome,
    Report,
    SourceError,
    SourceMapping,
    SourceReading,
    linked,
    read_mapping,
    read_own,
    read_source,
    report_of,
    shipped,
    shipped_mapping,
)

commands = group()

LIMITS = Limits()
OWN_MAPPING = "vigie.toml"
"""A folder's own mapping."""

REJECTIONS_SHOWN = 20
_HOW_TO = "docs/how-to/take-in-an-inventory.md"
_ALWAYS = ("read", "made", "changed", "unchanged", "gone", "rejected")
_WHERE_ANY = ("joined", "left_out", "retired")


@commands.command("import")
def import_command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="A city's folder, some of its files, or a file in vigie's own form.",
            show_default=False,
        ),
    ],
    mapping: Annotated[str, mapping_option(OWN_MAPPING, shipped())] = "",
    source: Annotated[
        str, typer.Option(help="The name of the source; the mapping's, or the file's, if not given.")
    ] = "",
    retire: Annotated[bool, typer.Option("--retire", help="Retire what the files no longer name.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Takes an inventory in: shapefiles in a zip, GeoJSON, CSV or OpenStreetMap under a mapping, or vigie's own form.

    The same files twice change nothing. A bad row rejects that row; a bad file changes nothing at all.
    """
    with _progress() as progress:
        reading = _read(paths, mapping, source, progress)
        task = progress.add_task("comparing and writing", total=None)
        with opened(config, data) as post:
            report = _take(post, reading, reason=reason, retire=retire, dry=dry)
        progress.update(task, total=1, completed=1)
    if as_json:
        typer.echo(report.to_json().decode())
    else:
        _show(report)


@contextmanager
def _progress() -> Generator[Progress]:
    """On the other console, and gone when it is done, so that the report can be piped."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        try:
            yield progress
        except SourceError as error:
            raise fail(str(error)) from None


def _read(paths: Sequence[Path], mapping: str, source: str, progress: Progress) -> SourceReading:
    """What the files say. Raises SourceError for the first that cannot be used."""
    if len(paths) == 1 and not mapping and not paths[0].is_dir():
        _refuse_known_suffix(paths[0])
        return read_own(source or paths[0].stem, paths[0].name, _content(paths[0]))
    found, files = _source(paths, mapping)
    if source:
        found = msgspec.structs.replace(found, source=source)
    task = progress.add_task("reading", total=len(files))
    contents = {name: _content(path) for name, path in files.items()}

    def on_file(file: str) -> None:
        progress.update(task, description=f"reading {file}", completed=list(files).index(file) if file in files else 0)

    reading = read_source(found, contents, LIMITS, on_file)
    progress.update(task, description="read", completed=len(files))
    return reading


def _source(paths: Sequence[Path], mapping: str) -> tuple[SourceMapping, dict[str, Path]]:
    """The mapping, and its files by the names under which it knows them."""
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    if mapping:
        found = _mapping(mapping)
    elif folder is not None and (folder / OWN_MAPPING).exists():
        found = _mapping(str(folder / OWN_MAPPING))
    elif folder is not None:
        name = folder.resolve().name
        if name not in shipped():
            raise SourceError(
                f"{folder} has no {OWN_MAPPING}, and no mapping is shipped under its name",
                f"Write one ({_HOW_TO}), or name one with --mapping; shipped are {', '.join(shipped())}",
            )
        found = shipped_mapping(name)
    else:
        raise SourceError(
            "Several files, and no mapping that says what they are", f"Name one with --mapping ({_HOW_TO})"
        )
    if folder is not None:
        return found, {rule.file: folder / rule.file for rule in found.files if (folder / rule.file).exists()}
    return found, {path.name: path for path in paths}


def _mapping(name: str) -> SourceMapping:
    """The mapping in a file, or the one that is shipped under the name."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return read_mapping(_content(path), path.name)
    return shipped_mapping(name)


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LIMITS.file_bytes_max:  # before it is in memory
            raise SourceError(f"{path} has {size:,} bytes, over the limit of {LIMITS.file_bytes_max:,}", "Split it")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}", "Look at its name and at who may read it"
        ) from None


def _refuse_known_suffix(path: Path) -> None:
    if path.suffix.lower() in {".zip", ".shp", ".geojson", ".csv", ".tsv", ".pbf", ".osm"}:
        raise SourceError(
            f"{path.name} is not in vigie's own form, and no mapping says what its columns are",
            f"Name one with --mapping ({_HOW_TO})",
        )


def _take(post: Installation, reading: SourceReading, *, reason: str, retire: bool, dry: bool) -> Report:
    """Takes the drafts in, and says what became of each."""
    known = post.facts.known_of(reading.source)
    dead: tuple[Link, ...] = ()
    if all(file.name for file in reading.files):  # in vigie's own form a street may be named by its name
        reading, dead = linked(reading, known.keys())
    intake = post.take_assets(
        reading.source,
        reading.drafts,
        reason=reason,
        covers=reading.coverage(surely=retire),
        retire=retire,
        rejected=reading.rejected,
        dry=dry,
    )
    return report_of(reading, _outcome(post, reading, intake, dead, retire=retire, dry=dry))


def _outcome(
    post: Installation, reading: SourceReading, intake: Intake, dead: tuple[Link, ...], *, retire: bool, dry: bool
) -> Outcome:
    drafts, taken = reading.drafts, [change.draft for change in intake.changes]
    parents = {draft.key: draft.parent for draft in drafts}
    return Outcome(
        made=frozenset(change.draft.key for change in intake.changes if change.is_new),
        changed=frozenset(change.draft.key for change in intake.changes if not change.is_new),
        gone=intake.gone,
        retired=intake.gone if intake.retired else (),
        refused={each.row: each.reason for each in intake.refused},
        unplaced=intake.unplaced,
        dead=(*dead, *(Link(key, "parent", parents[key]) for key in intake.dead)),
        retire=retire,
        dry=dry,
        findings=tuple(finding for service in post.services for finding in service.judge(taken)),
    )


def _show(report: Report) -> None:
    """The report for a person: what became of how many, then each file's projection, warnings and rejections."""
    titles = {name: name.replace("_", " ") for name in Counts.__struct_fields__}
    shown = [name for name in titles if name in _ALWAYS or (name in _WHERE_ANY and getattr(report, name))]
    if len(report.files) == 1:
        for name in shown:
            _say(f"{titles[name]:>10}  {getattr(report, name):,}")
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(report.source)
        for name in shown:
            table.add_column(titles[name], justify="right")
        for file in report.files:
            table.add_row(file.part, *(f"{getattr(file, name):,}" for name in shown))
        table.add_row("all", *(f"{getattr(report, name):,}" for name in shown), style="bold")
        out.print(table)
    for file in report.files:
        _show_file(file)
    _show_findings(report)
    for name in report.absent:
        _say(f"{name} is not there: nothing is said of what comes from it")
    if report.gone and not report.retired:
        _say(f"{report.gone:,} gone from the files and still in service: --retire retires them")
    if report.dry:
        _say("nothing was changed: this is what would be")


def _show_findings(report: Report) -> None:
    """What services have against what was made or changed. It is no reason to refuse it: the whole list is theirs."""
    if not report.findings:
        return
    said = words("en")
    out.print()
    out.print("judged, of what is new or changed", style="bold")
    for finding in report.findings:
        article = f" ({finding.article})" if finding.article else ""
        _say(f"{finding.count:>10,}  {said(f'finding.{finding.rule}', **finding.detail)}{article}")


def _show_file(file: FileReport) -> None:
    out.print()
    out.print(file.file, style="bold", soft_wrap=True)
    _say(f"  projection: {file.crs or 'none'}, {file.crs_how}")
    for warning in file.warnings:
        _say(f"  note: {warning}")
    for rejection in file.rejections[:REJECTIONS_SHOWN]:
        _say(f"  {file.counted_by} {rejection.line}: {rejection.reason}")
    more = file.rejected - min(len(file.rejections), REJECTIONS_SHOWN)
    if more:
        _say(f"  and {more:,} rejected more (--json lists the first {LIMITS.rejections_listed_max})")


def _say(line: str) -> None:
    out.print(line, soft_wrap=True)

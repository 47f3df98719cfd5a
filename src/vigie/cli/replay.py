"""vigie replay: what a city published once, sent to a post as its devices would."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from vigie.app import Installation, admit_device, services
from vigie.cli.common import ConfigOption, DataOption, JsonOption, ReasonOption, mapping_option, opened, plain_errors
from vigie.cli.consoles import err, fail, group
from vigie.core.facts import COMMAND_LINE, DeviceExpelled, Entry
from vigie.core.kinds import Sort
from vigie.core.times import rfc3339, to_us
from vigie.engine.loop import catalogue_of
from vigie.protocols.feeds import (
    FeedError,
    FeedMapping,
    FeedRead,
    Shift,
    Times,
    course_of,
    read_feed,
    read_feed_mapping,
    shipped_feed,
    shipped_feeds,
)
from vigie.settings import load_settings
from vigie.sim.replay import Mark, Replay, ReplayRefused
from vigie.transports.device_http import HttpDoor

commands = group()

OWN_MAPPING = "vigie-feed.toml"
"""A folder's own mapping."""

AT_ONCE = "max"
REJECTIONS_SHOWN = 10
_HOW_TO = "docs/how-to/replay-a-feed.md"
_TIMES: dict[str, str] = {
    "twice_first": "in the hour that comes twice, told to be the first",
    "twice_second": "in the hour that comes twice, told to be the second",
    "twice_assumed": "in the hour that comes twice, and nothing shows which: the first was assumed",
    "skipped": "in the hour that the clock skips, read as if it had not been changed yet",
    "other_zone": "written in the other zone ({other}), as they are later than what follows them",
    "pauses": "pauses so long that times of the other zone could hide after them; read as {zone}",
}


@commands.command("replay")
def replay_command(
    feed: Annotated[Path, typer.Argument(help="The folder that holds the feed's files.", show_default=False)],
    mapping: Annotated[str, mapping_option(OWN_MAPPING, shipped_feeds())] = "",
    url: Annotated[
        str, typer.Option(help="The post to send to, such as http://127.0.0.1:8000. Without it: prepare --data for it.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="The file with the device's secret; as prepared in --data, if not given.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help=f"How many times as fast as life, or {AT_ONCE}: as fast as the post takes it.")
    ] = "60",
    shift: Annotated[
        Shift | None,
        typer.Option(
            help="How the feed is moved in time. now: it begins now, observed as it is sent. week: by whole weeks, "
            "weekdays and hours stay true (speed 1 or max). end: it ends now. none: not at all. "
            f"If not given: now, or end at speed {AT_ONCE}.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[str, typer.Option("--from", help="Only from this time of the feed's city on.")] = "",
    until: Annotated[str, typer.Option("--to", help="Only before this time of the feed's city.")] = "",
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end (shift now or week).")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, though the last replay was stopped.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Read the feed and say what is in it; send nothing.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Sends a feed of the past as if it were live, through the same door as devices.

    Twice: first with --data alone, which makes the feed's assets and admits a device for them; then with --url.
    """
    with _plain(), err.status("reading"):
        found, read, digest = _read(feed, mapping, since, until)
        _fits(read)
    if not as_json:
        _show(read)
    told: dict[str, Any] = {}
    if not dry and not url:
        told = _prepare(config, data, found, read, reason)
        if not as_json:
            _say_next(feed, mapping, told)
    elif not dry:
        with _plain():
            secret_file = token_file or _secret_file(load_settings(config, data=data).data, found)
            post = url.rstrip("/")
            how = _How(post, _secret(secret_file), secret_file, shift, speed, loop=loop, restart=restart)
            told = _send(how, read, hashlib.sha256(f"{digest} {post}".encode()).hexdigest(), quiet=as_json)
    if as_json:
        typer.echo(msgspec.json.encode(_summary(read) | told).decode())


@contextmanager
def _plain() -> Generator[None]:
    """What a person can mend is said in a sentence."""
    try:
        with plain_errors():
            yield
    except (FeedError, ReplayRefused, ValueError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error.filename} cannot be read: {error.strerror}") from None


def _read(folder: Path, mapping: str, since: str, until: str) -> tuple[FeedMapping, FeedRead, str]:
    """The mapping, what the feed says between these times, and a digest of both."""
    if not folder.is_dir():
        raise FeedError(f"{folder} is no folder", "Name the folder that holds the feed's files")
    found = _mapping(folder, mapping)
    names = [rule.file for rule in found.files] + ([found.stations.file] if found.stations else [])
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    read = read_feed(found, files)
    zone = ZoneInfo(found.zone)
    first, last = _instant(since, zone), _instant(until, zone)
    kept = tuple(
        each
        for each in read.observations
        if (first is None or each[3] >= first) and (last is None or each[3] < last)
    )  # fmt: skip
    if not kept:
        raise FeedError(f"Between --from {since} and --to {until} the feed says nothing", "Look with --dry-run alone")
    digest = hashlib.sha256(msgspec.json.encode(found) + f"{first} {last}".encode())
    for name in sorted(files):
        digest.update(hashlib.sha256(files[name]).digest())
    return found, msgspec.structs.replace(read, observations=kept), digest.hexdigest()


def _mapping(folder: Path, mapping: str) -> FeedMapping:
    path = Path(mapping)
    if mapping and (path.suffix == ".toml" or path.is_file()):
        return read_feed_mapping(path.read_bytes(), path.name)
    own = folder / OWN_MAPPING
    if not mapping and own.exists():
        return read_feed_mapping(own.read_bytes(), own.name)
    name = mapping or folder.resolve().name
    if not mapping and name not in shipped_feeds():
        raise FeedError(
            f"{folder} has no {OWN_MAPPING}, and no mapping is shipped under its name",
            f"Write one ({_HOW_TO}), or name one with --mapping; shipped are {', '.join(shipped_feeds())}",
        )
    return shipped_feed(name)


def _instant(text: str, zone: ZoneInfo) -> int | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise FeedError(f"{text!r} is no time", "Write it as 2024-03-31 or 2024-03-31T06:00") from None
    return to_us(read if read.tzinfo is not None else read.replace(tzinfo=zone))


def _fits(read: FeedRead) -> None:
    """Refuses a mapping that speaks of kinds, points or attributes that nobody declares, before anything is sent."""
    kinds = catalogue_of(services()).assets
    kind_of = {draft.id: draft.kind for draft in read.drafts}
    for draft in read.drafts:
        kind = kinds.get(draft.kind)
        if kind is None:
            raise FeedError(f"There is no kind {draft.kind!r}", "Mend the mapping")
        for name in draft.attributes.keys() - kind.attributes.keys():
            raise FeedError(f"A {draft.kind} has no attribute {name!r}", "Mend the mapping")
    for kind_name, point, placed in {(kind_of[row[0]], row[1], isinstance(row[2], tuple)) for row in read.observations}:
        declared = kinds[kind_name].points.get(point)
        if declared is None or (declared.sort is Sort.PLACE) != placed:
            raise FeedError(f"A {kind_name} has no point {point!r} that takes such values", "Mend the mapping")


def _device(mapping: FeedMapping) -> str:
    return f"replay-{mapping.source}"


def _secret_file(folder: Path, mapping: FeedMapping) -> Path:
    return folder / "keys" / f"{_device(mapping)}.token"


def _prepare(
    config: Path | None, data: Path | None, mapping: FeedMapping, read: FeedRead, reason: str
) -> dict[str, Any]:
    """Makes the feed's assets and admits a device for them, as far as the installation has them not."""
    with opened(config, data) as post:
        intake = post.take_assets(_device(mapping), read.drafts, reason=reason or f"the replay of {mapping.source}")
        for refused in intake.refused[:REJECTIONS_SHOWN]:
            err.print(f"vigie: {refused.key} is not taken in: {refused.reason}", markup=False, highlight=False)
        path = _secret_file(post.settings.data, mapping)
        admitted = _admit(post, _device(mapping), path, reason)
        return {
            "made": intake.made,
            "unchanged": intake.unchanged,
            "refused": len(intake.refused),
            "unplaced": len(intake.unplaced),
            "admitted": admitted,
            "token_file": str(path),
            "data": str(post.settings.data),
        }


def _admit(post: Installation, name: str, path: Path, reason: str) -> bool:
    """Admits the device, and again if it does not speak for all of its assets. Returns whether that was needed."""
    own = {each.no for each in post.facts.known_of(name).values() if not each.retired}
    number = next((number for number, known in post.facts.devices().values() if known == name), 0)
    spoken = {row[0] for row in post.facts.registry_rows() if row[5] == number}
    if number and path.exists() and own <= spoken:
        return False
    if number:
        fact = DeviceExpelled(id=post.new_id(), at=post.clock.now_us(), actor=COMMAND_LINE, device=name)
        post.facts.commit([Entry(fact, post.because(reason or "admitted anew for its replay"))])
    secret = admit_device(post, name, sorted(own), reason=reason or "a replay")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    return True


def _secret(path: Path) -> str:
    """The secret in the first line of a file."""
    if not path.exists():
        raise FeedError(
            f"There is no secret in {path}", "Prepare the replay first, with --data and without --url; or --token-file"
        )
    return path.read_text("utf-8").partition("\n")[0].strip()


class _How(msgspec.Struct, frozen=True):
    """How a feed is sent."""

    url: str
    secret: str
    secret_file: Path
    shift: Shift | None
    speed: str
    loop: bool
    restart: bool


class _Wall:
    """The machine's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _mark(how: _How, read: FeedRead, digest: str, path: Path) -> Mark:
    """Where to begin: where a replay of the same feed, in the same way, was stopped; else at the beginning."""
    try:
        speed = 0.0 if how.speed == AT_ONCE else float(how.speed)
    except ValueError:
        raise FeedError(f"A speed of {how.speed!r}", f"Say a number, or {AT_ONCE}") from None
    if how.speed != AT_ONCE and speed == 0.0:
        raise FeedError("At a speed of 0 nothing would ever be sent", f"Say a number above 0, or {AT_ONCE}")
    shift = how.shift or (Shift.END if how.speed == AT_ONCE else Shift.NOW)
    course = course_of(shift, speed, read.observations, zone=read.zone, now_us=_Wall().now_us())
    if how.loop:
        course.again()  # says so where there can be no repetition
    if path.exists() and not how.restart:
        known = msgspec.json.decode(path.read_bytes(), type=Mark)
        # The weeks' own speed is that of life: what was sent at once goes on as it comes.
        alike = known.course.shift == shift and (shift is Shift.WEEK or known.course.speed == speed)
        if known.feed == digest and not known.done and alike:
            err.print(
                f"going on after {known.next:,} of {len(read.observations):,} readings; --restart begins anew",
                markup=False,
                highlight=False,
            )
            return known
    return Mark(feed=digest, course=course)


def _door(how: _How) -> HttpDoor:
    try:
        return HttpDoor(how.url, how.secret)
    except ValueError as error:
        raise FeedError(f"--url: {error}", "Write it as http://127.0.0.1:8000") from None


def _send(how: _How, read: FeedRead, digest: str, *, quiet: bool) -> dict[str, Any]:
    door = _door(how)
    path = how.secret_file.with_suffix(".progress")
    mark = _mark(how, read, digest, path)
    rows = read.observations
    troubled = False

    def keep(mark: Mark) -> None:
        # Not synced: what is lost of it is sent again, and the post knows a duplicate when it sees one.
        beside = path.with_suffix(".progress-new")
        beside.write_bytes(msgspec.json.encode(mark))
        beside.replace(path)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        task = bars.add_task(read.source, total=len(rows), completed=mark.next, told="")

        def tell(mark: Mark, trouble: str) -> None:
            nonlocal troubled
            if bool(trouble) != troubled:  # a line at each change, also where no bar is drawn
                troubled = bool(trouble)
                said = f"{how.url}: {trouble}, until it answers" if trouble else f"{how.url} answers again"
                err.print(said, markup=False, highlight=False, soft_wrap=True)
            bars.update(task, completed=mark.next, told=trouble or _told(mark))

        replay = Replay(
            door,
            rows,
            mark,
            _Wall(),
            keep=keep,
            tell=tell,
            until_now=mark.course.shift is Shift.WEEK and how.speed == AT_ONCE,
            repeat=how.loop,
        )
        stopped = False
        try:
            asyncio.run(replay.run())
        except KeyboardInterrupt:
            stopped = True
    if not quiet:
        for each in replay.refusals:
            typer.echo(f"  refused ({each.outcome}): {each.detail}")
        typer.echo(f"{'stopped' if stopped else 'done'}: {_told(mark)}")
        if stopped:
            typer.echo("the same command goes on from here; with --restart it begins anew")
        elif mark.next < len(rows):
            typer.echo(f"{len(rows) - mark.next:,} readings of this week are still to come; --speed 1 waits for them")
    counts = {name: getattr(mark, name) for name in ("sent", "accepted", "late", "duplicate", "rejected", "too_old")}
    course = mark.course
    moved = {
        "first_observed": rfc3339(course.observed_us(rows[0][3])),
        "last_observed": rfc3339(course.observed_us(rows[-1][3])),
    }
    return counts | moved | {"retries": replay.retries, "to_come": len(rows) - mark.next, "stopped": stopped}


def _told(mark: Mark) -> str:
    counts = (f"{getattr(mark, name):,} {name}" for name in ("accepted", "late", "duplicate", "rejected"))
    old = f"; {mark.too_old:,} left out, older than the post keeps" if mark.too_old else ""
    return f"{mark.sent:,} sent: {', '.join(counts)}{old}"


def _summary(read: FeedRead) -> dict[str, Any]:
    return {
        "source": read.source,
        "assets": len(read.drafts),
        "readings": len(read.observations),
        "first": rfc3339(read.observations[0][3]),
        "last": rfc3339(read.observations[-1][3]),
        "files": msgspec.to_builtins(read.files),
        "told": list(read.told),
        "absent": list(read.absent),
    }


def _show(read: FeedRead) -> None:
    """What is in the feed, and all that had to be decided to read it."""
    first, last = read.observations[0][3], read.observations[-1][3]
    typer.echo(f"{read.title or read.source}: {len(read.observations):,} readings of {len(read.drafts):,} assets")
    typer.echo(f"  from {rfc3339(first)[:19]}Z to {rfc3339(last)[:19]}Z")
    for file in read.files:
        typer.echo(
            f"  {file.file}: {file.rows:,} rows = {file.used:,} used + {file.missing:,} missing + "
            f"{file.rejected:,} rejected + {file.left_out:,} left out"
        )
        typer.echo(
            f"    values: {file.values_used:,} used, {file.values_missing:,} missing, {file.values_rejected:,} rejected"
        )
        for sentence in _times(file.times):
            typer.echo(f"    {sentence}")
        for each in file.rejections[:REJECTIONS_SHOWN]:
            typer.echo(f"    line {each.line}: {each.reason}")
    for sentence in (*read.told, *(f"{name} is not there" for name in read.absent)):
        typer.echo(f"  {sentence}")


def _times(times: Times) -> Sequence[str]:
    how = {"zone": times.zone, "other": times.other}
    return [f"{count:,} {words.format(**how)}" for name, words in _TIMES.items() if (count := getattr(times, name))]


def _say_next(feed: Path, mapping: str, told: dict[str, Any]) -> None:
    named = f" --mapping {mapping}" if mapping else ""
    typer.echo(f"{told['made']:,} assets made, {told['unchanged']:,} there already, {told['refused']:,} refused")
    if told["unplaced"]:
        typer.echo(f"{told['unplaced']:,} of them lie in no area that the post knows")
    typer.echo("Next, the post and then the feed:")
    typer.echo(f"    vigie serve --data {told['data']}")
    typer.echo(f"    vigie replay {feed}{named} --data {told['data']} --url http://127.0.0.1:8000")

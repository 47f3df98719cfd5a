"""Backups, made while the post runs, and their restoring.

A backup is a folder laid out as the installation is, and a manifest that names every file with its digest. It is there
whole or not at all. The keys are not in it unless that is asked for: whoever has the backup and the key could sign
another history.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from vigie import __version__
from vigie.app.control import Hand, operation
from vigie.app.installation import HEADS, PHOTOS, STAGING, Installation, installation
from vigie.core.facts import POST, Entry, PersonalErased
from vigie.core.times import rfc3339
from vigie.settings import Settings
from vigie.store.backup import (
    copy_digested,
    copy_facts,
    copy_observations,
    digest_of,
    files_below,
    held_observations,
    hold_facts,
    link,
    sync_folders,
)
from vigie.store.erasures import ERASURES, read_erasures
from vigie.store.files import free_bytes, sync_folder, write_whole
from vigie.store.journal import Head
from vigie.transports.control import Say, Wrong

MANIFEST = "manifest.json"
ROOM_LEFT_BYTES = 64 << 20


class BackupOrder(msgspec.Struct, frozen=True):
    """Where to, as an absolute path, and whether the keys go with it."""

    to: str
    with_keys: bool = False


class File(msgspec.Struct, frozen=True):
    """A file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. ingest: its newest batch; size, root: of the journal, hex; files: by their path."""

    vigie: str
    made: str
    city: str
    shard: str
    ingest: int
    size: int
    root: str
    keys: bool
    files: dict[str, File]


@operation("backup", BackupOrder)
async def back_up(hand: Hand, args: BackupOrder) -> dict[str, Any]:
    """Makes a backup; answers with what is in it. Raises Wrong, and then nothing is left of it."""
    target = Path(args.to)
    loop = asyncio.get_running_loop()

    def write(work: Callable[[], None]) -> None:
        """Runs work in the thread that writes, from this other thread."""
        asyncio.run_coroutine_threadsafe(_coroutine(hand, work), loop).result()

    partial = target.with_name(f".{target.name}.partial")
    staging = hand.opened.settings.data / "observations" / STAGING
    await asyncio.to_thread(_check, target)
    try:
        manifest = await asyncio.to_thread(_back_up, hand, args.with_keys, partial, staging, write)
        await asyncio.to_thread(partial.rename, target)
    finally:
        await asyncio.to_thread(_remove, partial, staging)
    return {
        "to": str(target),
        "files": len(manifest.files),
        "bytes": sum(file.bytes for file in manifest.files.values()),
        "leaves": manifest.size,
        "ingest": manifest.ingest,
        "keys": manifest.keys,
    }


def restore(settings: Settings, source: Path, erasures: Path | None, say: Say) -> dict[str, Any]:
    """Makes an installation of a backup, in a folder that is not there or empty; then erases again what the list says.

    Raises Wrong, and then the folder is as it was.
    """
    target = settings.data
    manifest = read_manifest(source)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Wrong(f"{target} is not empty: a backup is restored to a folder of its own")
    needed = sum(file.bytes for file in manifest.files.values())
    target.parent.mkdir(parents=True, exist_ok=True)
    _need_room(target.parent, needed)
    listed = [] if erasures is None else list(read_erasures(erasures))
    partial = target.with_name(f".{target.name}.restoring")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        done = 0
        for name, file in manifest.files.items():
            path = source / name
            if not path.is_file() or copy_digested(path, partial / name) != file.sha256:
                raise Wrong(f"{path} is missing or not what the manifest says: this backup is damaged")
            done += file.bytes
            say("bytes", done, needed)
        for path in (partial / "keys").glob("*"):
            path.chmod(0o600)
        (partial / "keys").mkdir(mode=0o700, exist_ok=True)
        (partial / "keys").chmod(0o700)
        sync_folders(partial)
        with installation(msgspec.structs.replace(settings, data=partial)) as opened:
            head = opened.facts.journal.size
            if head != manifest.size:
                raise Wrong(f"the journal has {head} leaves, and the manifest says {manifest.size}")
            erased = 0
            for erasure in listed:
                erased += _erase_again(opened, erasure.rule, erasure.fields)
            # What waited to be told may have been told since.
            opened.facts.mail.empty()
            # Nothing is on its way here: what no row names any more goes at once.
            opened.photos.forget_others(opened.facts.cases.photos_kept(), left_s=0)
            leaves = 0
            for leaves in opened.facts.journal.verify(opened.public_key):
                say("leaves", leaves, head)
        partial.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return {"made": manifest.made, "city": manifest.city, "leaves": leaves, "erased": erased, "keys": manifest.keys}


def read_manifest(source: Path) -> Manifest:
    """What a backup says of itself. Raises Wrong."""
    if not (source / MANIFEST).is_file():
        raise Wrong(f"there is no backup in {source}: name a folder that vigie backup has made")
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Wrong(f"the {MANIFEST} of {source} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    outside = [name for name in manifest.files if Path(name).is_absolute() or ".." in Path(name).parts]
    if outside:
        raise Wrong(f"the manifest names {outside[0]!r}, which lies outside of the backup")
    return manifest


def _check(target: Path) -> None:
    if not target.is_absolute():
        raise Wrong(f"{target} is no absolute path")
    if target.exists():
        raise Wrong(f"{target} is there already: a backup goes to a folder of its own")
    if not target.parent.is_dir():
        raise Wrong(f"there is no folder {target.parent}")


def _back_up(
    hand: Hand, with_keys: bool, partial: Path, staging: Path, write: Callable[[Callable[[], None]], None]
) -> Manifest:
    opened, data = hand.opened, hand.opened.settings.data
    _remove(partial, staging)
    # On the same disk sealed days cost a second name each, and no room.
    linked = data.stat().st_dev == partial.parent.stat().st_dev
    counted = [path for path in files_below(data) if not (linked and path.suffix in (".parquet", ".jpg"))]
    _need_room(partial.parent, sum((data / path).stat().st_size for path in counted))
    partial.mkdir(mode=0o700)
    ingest = 0
    held: list[tuple[sqlite3.Connection, Head]] = []
    with held_observations(opened.observations, staging) as cut:

        def cut_all() -> None:
            nonlocal ingest
            head = opened.sign_head()
            ingest = cut()
            for name in (HEADS, ERASURES):
                if (data / name).exists():
                    copy_digested(data / name, partial / name)
            held.append((hold_facts(data / "facts.sqlite"), head))

        write(cut_all)
        copy_observations(opened.observations, ingest, staging)
    connection, head = held[0]
    with closing(connection):
        copy_facts(connection, partial / "facts.sqlite", lambda done, total: hand.say("pages of facts", done, total))
    names = files_below(staging)
    for done, name in enumerate(names, 1):
        path = partial / "observations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        link(staging / name, path)
        hand.say("files of observations", done, len(names))
    # A photo that came after the facts were held is one that no row names: the restored post forgets it.
    for path in (data / PHOTOS).glob("*/*.jpg"):
        place = partial / path.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            link(path, place)
    if with_keys:
        (partial / "keys").mkdir(mode=0o700)
        for path in (data / "keys").iterdir():
            copy_digested(path, partial / "keys" / path.name)
            (partial / "keys" / path.name).chmod(0o600)
    return _sealed(hand, partial, ingest, head, with_keys)


def _sealed(hand: Hand, partial: Path, ingest: int, head: Head, with_keys: bool) -> Manifest:
    """Digests what was copied and writes the manifest, last."""
    names = files_below(partial)
    files: dict[str, File] = {}
    for done, name in enumerate(names, 1):
        files[name.as_posix()] = File((partial / name).stat().st_size, digest_of(partial / name))
        hand.say("digests", done, len(names))
    opened = hand.opened
    manifest = Manifest(
        vigie=__version__,
        made=rfc3339(opened.clock.now_us()),
        city=opened.settings.city,
        shard=opened.shard,
        ingest=ingest,
        size=head.size,
        root=head.root.hex(),
        keys=with_keys,
        files=files,
    )
    said = msgspec.json.format(msgspec.json.encode(manifest))

    def put(path: Path) -> None:
        path.write_bytes(said)

    write_whole(partial / MANIFEST, put)
    sync_folders(partial)
    return manifest


def _erase_again(opened: Installation, rule: str, fields: list[str]) -> int:
    """Erases the fields of a fact that a backup knows nothing of. Returns how many there were."""
    kept = opened.facts.personal_kept()
    again = [field for field in fields if field in kept]
    if again:
        fact = PersonalErased(id=opened.new_id(), at=opened.clock.now_us(), actor=POST, rule=rule, fields=again)
        opened.facts.commit([Entry(fact)])
    return len(again)


def _need_room(folder: Path, needed: int) -> None:
    free = free_bytes(folder)
    if free < needed + ROOM_LEFT_BYTES:
        raise Wrong(f"{folder} has {free >> 20} MiB free, and {(needed + ROOM_LEFT_BYTES) >> 20} MiB are needed")


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


async def _coroutine(hand: Hand, work: Callable[[], None]) -> None:
    await hand.write(work)

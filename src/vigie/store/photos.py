"""Photos as files: each one whole and small, synced before anybody is told that it is kept.

Which of them there are, the tables say. A file that no row names is what a crash left between the two, or is erased.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from pathlib import Path

from vigie.engine.ports import StorageFull
from vigie.store.files import free_bytes, write_whole

LEFT_S = 3_600
"""A file that no row names is left alone for so long: its fact may be on its way."""

_NAME = re.compile(r"[0-9a-f-]{36}", re.ASCII)


class Photos:
    """The photos of an installation."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 32 << 20) -> None:
        """reserve_bytes: what stays free there."""
        self._folder, self._reserve_bytes = folder, reserve_bytes

    def put(self, photo: str, whole: bytes, small: bytes) -> str:
        """Keeps a photo; returns a digest of it, in hex. Raises StorageFull, OSError."""
        if free_bytes(self._folder.parent) < self._reserve_bytes + len(whole) + len(small):
            raise StorageFull(f"less than {self._reserve_bytes >> 20} MiB are free in {self._folder}")
        for path, content in ((self.path(photo, small=True), small), (self.path(photo), whole)):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, lambda beside, content=content: _write(beside, content))
        return hashlib.sha256(whole).hexdigest()

    def path(self, photo: str, *, small: bool = False) -> Path:
        """Where a photo is. Raises ValueError for what is no id of one."""
        if not _NAME.fullmatch(photo):
            raise ValueError(photo)
        # The last digits of a UUIDv7 are random: no folder holds too many.
        return self._folder / photo[-2:] / f"{photo}{'.small' if small else ''}.jpg"

    def forget(self, photos: Iterable[str]) -> None:
        """Deletes the files of some photos."""
        for photo in photos:
            for small in (False, True):
                self.path(photo, small=small).unlink(missing_ok=True)

    def forget_others(self, kept: set[str], *, left_s: float = LEFT_S) -> int:
        """Deletes the files of photos that are not kept, but for those that came so short a while ago. Returns how many
        files."""
        before_s, gone = time.time() - left_s, 0
        for path in self._folder.glob("*/*"):
            if path.name.partition(".")[0] not in kept and path.stat().st_mtime <= before_s:
                path.unlink(missing_ok=True)
                gone += 1
        return gone


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)

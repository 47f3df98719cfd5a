"""Zip archives from strangers: nothing is written to disk, and nothing is unpacked beyond a stated limit."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from vigie.protocols.inventories.limits import Limits, SourceError

_FETCH_AGAIN = "Fetch the file again, or ask its publisher"


def members(data: bytes, file: str, limits: Limits) -> dict[str, bytes]:
    """Every file in the archive by its name. Raises SourceError for one that is broken, locked, too large or crafty."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check(infos, file, limits, len(data))
            return _unpacked(archive, infos, file, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise SourceError(f"{file} is no whole zip archive ({error})", _FETCH_AGAIN) from error


def _check(infos: list[zipfile.ZipInfo], file: str, limits: Limits, packed_bytes: int) -> None:
    """What can be seen before anything is unpacked."""
    if len(infos) > limits.members_max:
        raise SourceError(
            f"{file} holds {len(infos)} files, over the limit of {limits.members_max}", "Pack only what is needed"
        )
    for info in infos:
        name = info.orig_filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/") or "\0" in name:
            raise SourceError(f"{file} holds the path {name!r}, which leads out of the archive", _FETCH_AGAIN)
        if info.flag_bits & 0x1:
            raise SourceError(f"{file} is locked by a password", "Ask for it without one")
    bytes_max = min(limits.unzipped_bytes_max, max(packed_bytes * limits.unzipped_ratio_max, 1 << 20))
    total = sum(info.file_size for info in infos)
    if total > bytes_max:
        raise SourceError(
            f"{file} unpacks to {total:,} bytes, over the limit of {bytes_max:,}", "Pack only what is needed"
        )


def _unpacked(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], file: str, limits: Limits) -> dict[str, bytes]:
    """The members' bytes; a member larger than its own header says is refused as it unpacks."""
    found: dict[str, bytes] = {}
    left = limits.unzipped_bytes_max
    for info in infos:
        with archive.open(info) as member:
            content = member.read(min(info.file_size, left) + 1)
        if len(content) > info.file_size or len(content) > left:
            raise SourceError(f"{file}: {info.filename} unpacks to more than it states", _FETCH_AGAIN)
        left -= len(content)
        found[info.filename] = content
    return found

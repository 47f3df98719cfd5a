"""Bytes to text in a declared encoding, and what to do when it was another one."""

from __future__ import annotations

from vigie.protocols.inventories.limits import SourceError

DECLARE = 'Declare its encoding in the mapping, such as encoding = "latin-1"'
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def known(encoding: str, file: str) -> str:
    """The encoding, UTF-8 where none is given. Raises SourceError for a name that nobody knows."""
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise SourceError(f"{file}: unknown encoding {encoding!r}", DECLARE) from error
    return encoding or "utf-8"


def decoded(data: bytes, file: str, encoding: str) -> str:
    """The text of a file, without a byte order mark. Raises SourceError with the line that is not in this encoding."""
    try:
        return data.decode(known(encoding, file)).removeprefix(_MARK)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{file} is not written in {encoding or 'utf-8'} (line {line})", DECLARE) from error

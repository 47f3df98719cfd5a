"""Forms with files as RFC 7578 has them: parts between boundaries, each with a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vigie.protocols.open311.asking import FIELDS_MAX, Unasked

_BOUNDARY = re.compile(r'multipart/form-data\b.*?;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(r'(?:^|;)\s*name="([^"]{1,100})"', re.IGNORECASE)
_FILE = re.compile(r"(?:^|;)\s*filename\*?=", re.IGNORECASE)
_HEAD_BYTES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part. file: whether it is a file; what it is called and said to be is of no interest."""

    name: str
    content: bytes
    file: bool = False

    @property
    def text(self) -> str:
        """What a field says. Raises Unasked."""
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise Unasked(f"the field {self.name[:40]!r} is no UTF-8") from error


def read_multipart(media: str, body: bytes) -> list[Part]:
    """The parts of a body. media: its content type. Raises Unasked."""
    found = _BOUNDARY.match(media)
    if found is None:
        raise Unasked("a form with files says its boundary")
    between = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
    # The first boundary may begin the body; what stands before it, and after the last, is nobody's. What lies between
    # is looked for in place: of a photo there is one copy beside the body.
    at = -2 if body.startswith(between[2:]) else body.find(between)
    parts: list[Part] = []
    while at != -1:
        begin = at + len(between)
        if body.startswith(b"--", begin):
            return parts
        if len(parts) >= FIELDS_MAX:
            raise Unasked(f"a form has {FIELDS_MAX} parts at most")
        at = body.find(between, begin)
        if at != -1:
            parts.append(_part(body, begin, at))
    raise Unasked("the form ends before its last boundary")


def encode_multipart(parts: Sequence[Part], boundary: str) -> tuple[str, bytes]:
    """The content type and the body of a form: the application's end. boundary: what no part contains."""
    pieces: list[bytes] = []
    for part in parts:
        file = '; filename="photo"\r\nContent-Type: application/octet-stream' if part.file else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n\r\n'
        pieces += [head.encode(), part.content, b"\r\n"]
    return f"multipart/form-data; boundary={boundary}", b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _part(body: bytes, begin: int, end: int) -> Part:
    # What follows the boundary on its line is padding.
    apart = body.find(b"\r\n\r\n", begin, min(end, begin + _HEAD_BYTES_MAX + 4))
    if apart == -1:
        raise Unasked("a part of the form has no head, or one without an end")
    content = body[apart + 4 : end]
    for line in body[begin:apart].decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition" and (name := _NAME.search(value)) is not None:
            return Part(name[1], content, _FILE.search(value) is not None)
    raise Unasked("a part of the form has no name")

"""The first sheet of an .xlsx workbook (ECMA-376): the texts of its cells, as publishers give station tables.

Only what a table needs is read: shared and inline texts, and numbers as they are written. Dates are numbers there and
stay so; formulas give the value that was last computed.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from xml.etree import ElementTree

from vigie.protocols.feeds.limits import FeedError, FeedLimits

_NAMES = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LETTERS = re.compile(r"[A-Z]{1,3}")
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
_FETCH = "Fetch it again, or save it as CSV"
COLUMNS_MAX = 500


def read_workbook(data: bytes, file: str, limits: FeedLimits) -> list[tuple[int, list[str]]]:
    """The rows of the first sheet with their numbers, all as wide as the first. Raises FeedError."""
    try:
        parts = _parts(data, file, limits)
        texts = _texts(parts.get("xl/sharedStrings.xml", b""), file)
        sheets = sorted((name for name in parts if _SHEET.fullmatch(name)), key=lambda name: (len(name), name))
        if not sheets:
            raise FeedError(f"{file} has no sheet", _FETCH)
        return _rows(_tree(parts[sheets[0]], file), texts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise FeedError(f"{file} is no whole workbook ({error})", _FETCH) from error
    except (ElementTree.ParseError, ValueError, IndexError) as error:
        raise FeedError(f"{file} is no workbook that can be read ({error})", _FETCH) from error


def _parts(data: bytes, file: str, limits: FeedLimits) -> dict[str, bytes]:
    """The members that matter; a member that is larger than its header says is refused as it unpacks."""
    found: dict[str, bytes] = {}
    left = limits.unpacked_bytes_max
    with zipfile.ZipFile(BytesIO(data)) as archive:
        infos = archive.infolist()
        if len(infos) > limits.members_max:
            raise FeedError(f"{file} holds {len(infos)} parts, over the limit of {limits.members_max}", _FETCH)
        for info in infos:
            if info.filename == "xl/sharedStrings.xml" or _SHEET.fullmatch(info.filename):
                with archive.open(info) as member:
                    content = member.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise FeedError(f"{file} unpacks to more than {limits.unpacked_bytes_max:,} bytes", _FETCH)
                found[info.filename] = content
    return found


def _tree(content: bytes, file: str) -> ElementTree.Element:
    # Entities are how a small XML becomes a huge one; no workbook declares any.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FeedError(f"{file} declares entities, which no workbook does", _FETCH)
    return ElementTree.fromstring(content)


def _texts(content: bytes, file: str) -> list[str]:
    if not content:
        return []
    return ["".join(part.text or "" for part in each.iter(f"{_NAMES}t")) for each in _tree(content, file)]


def _rows(sheet: ElementTree.Element, texts: list[str]) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    width = 0
    for number, row in enumerate(sheet.iter(f"{_NAMES}row"), 1):
        cells: dict[int, str] = {}
        for place, cell in enumerate(row.iter(f"{_NAMES}c")):
            cells[_place(cell.get("r", ""), place)] = _text(cell, texts)
        if not any(text.strip() for text in cells.values()):
            continue
        width = width or max(cells) + 1
        found.append((int(row.get("r", number)), [cells.get(place, "") for place in range(max(width, max(cells) + 1))]))
    return found


def _place(reference: str, otherwise: int) -> int:
    """The number of a column from a reference such as "AB12", from 0."""
    letters = _LETTERS.match(reference)
    if letters is None:
        return otherwise
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    if place > COLUMNS_MAX:
        raise ValueError(f"column {letters[0]} is beyond {COLUMNS_MAX}")
    return place - 1


def _text(cell: ElementTree.Element, texts: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_NAMES}t"))
    value = cell.find(f"{_NAMES}v")
    said = "" if value is None else value.text or ""
    return texts[int(said)] if cell.get("t") == "s" and said else said

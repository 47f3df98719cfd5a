"""XML of SUMO's, read without entities and without the network. lxml has no types: nobody else here touches it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

_etree: Any = import_module("lxml.etree")

BYTES_MAX = 256 << 20
"""A file larger than this, unpacked, is not read: in memory it takes some times as much, and a gzip of a few hundred KB
may hold it. All of a large town with its lights has some tens of MB."""


class XmlWrong(ValueError):
    """A file that is no XML, or too large. The text says which."""


def parsed(path: Path) -> Any:
    """The first element of a file, gzipped or not. Raises XmlWrong, and OSError where it cannot be read."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    parser = _etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, load_dtd=False)
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        if len(text) > BYTES_MAX:
            raise XmlWrong(f"it has more than {BYTES_MAX >> 20} MiB unpacked: cut out the part that you need")
        return _etree.fromstring(text, parser)
    except (_etree.XMLSyntaxError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise XmlWrong(str(error)) from None


def made(tag: str, attributes: Mapping[str, str], children: Iterable[Any] = ()) -> Any:
    """A new element."""
    element = _etree.Element(tag, dict(attributes))
    element.extend(children)
    return element


def write(path: Path, root: Any) -> None:
    """Writes an element as a file of its own."""
    _etree.indent(root)
    path.write_bytes(_etree.tostring(root, encoding="utf-8", xml_declaration=True))


def elements(path: Path, tag: str) -> Iterator[dict[str, str]]:
    """The attributes of each element of a name, one after the other, however large the file is."""
    for _, element in _etree.iterparse(str(path), tag=tag, resolve_entities=False, no_network=True, huge_tree=True):
        yield dict(element.attrib)
        element.clear()

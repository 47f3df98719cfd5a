"""The mappings that are shipped, by the name of the source's folder. They are part of the program, as its code is."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files

from vigie.protocols.inventories.limits import SourceError
from vigie.protocols.inventories.mapping import SourceMapping, read_mapping


def shipped() -> tuple[str, ...]:
    """The names of the mappings that come with vigie."""
    return tuple(sorted(path.name[:-5] for path in files(__name__).iterdir() if path.name.endswith(".toml")))


def shipped_mapping(name: str) -> SourceMapping:
    """The mapping of a folder's name, such as "montpellier". Raises SourceError for a name that none has."""
    if name not in shipped():
        near = get_close_matches(name, shipped(), 1, 0.0)[0]
        raise SourceError(
            f"No mapping is shipped for {name!r}", f"Give one with --mapping; the nearest shipped is {near!r}"
        )
    return read_mapping((files(__name__) / f"{name}.toml").read_bytes(), f"{name}.toml")

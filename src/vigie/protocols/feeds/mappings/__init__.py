"""The mappings of feeds that are shipped, by the name of the feed's folder. They are part of the program."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files

from vigie.protocols.feeds.limits import FeedError
from vigie.protocols.feeds.mapping import FeedMapping, read_feed_mapping


def shipped_feeds() -> tuple[str, ...]:
    """The names of the mappings that come with vigie."""
    return tuple(sorted(path.name[:-5] for path in files(__name__).iterdir() if path.name.endswith(".toml")))


def shipped_feed(name: str) -> FeedMapping:
    """The mapping of a folder's name, such as "berlin-counts". Raises FeedError for a name that none has."""
    if name not in shipped_feeds():
        near = get_close_matches(name, shipped_feeds(), 1, 0.0)[0]
        raise FeedError(
            f"No mapping is shipped for {name!r}", f"Give one with --mapping; the nearest shipped is {near!r}"
        )
    return read_feed_mapping((files(__name__) / f"{name}.toml").read_bytes(), f"{name}.toml")

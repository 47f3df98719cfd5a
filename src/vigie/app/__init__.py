"""The composition root: the only place that names concrete classes."""

from vigie.app.installation import (
    Installation,
    InUse,
    SystemDice,
    WallClock,
    admit_device,
    installation,
    journal_key,
    services,
)
from vigie.app.post import Post
from vigie.app.serving import serve

__all__ = [
    "InUse",
    "Installation",
    "Post",
    "SystemDice",
    "WallClock",
    "admit_device",
    "installation",
    "journal_key",
    "serve",
    "services",
]

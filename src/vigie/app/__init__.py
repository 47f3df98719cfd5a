"""The composition root: the only place that names concrete classes."""

# Each of these registers its operations.
from vigie.app import administration as administration
from vigie.app import backup as backup
from vigie.app import broker as broker
from vigie.app import doctor as doctor
from vigie.app import people as people
from vigie.app import signals as signals
from vigie.app.control import perform
from vigie.app.installation import (
    FolderUnusable,
    Installation,
    InUse,
    KeyMissing,
    NoInstallation,
    SystemDice,
    WallClock,
    admission,
    admit_device,
    installation,
    journal_key,
    services,
)
from vigie.app.post import Post
from vigie.app.rsmp import RSMP, Binding, bind
from vigie.app.serving import doors_of, serve
from vigie.app.talq import TALQ, gateway_token

__all__ = [
    "RSMP",
    "TALQ",
    "Binding",
    "FolderUnusable",
    "InUse",
    "Installation",
    "KeyMissing",
    "NoInstallation",
    "Post",
    "SystemDice",
    "WallClock",
    "admission",
    "admit_device",
    "bind",
    "doors_of",
    "gateway_token",
    "installation",
    "journal_key",
    "perform",
    "serve",
    "services",
]

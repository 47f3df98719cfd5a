"""What most commands need: the options that come again, an installation, and errors in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress, TaskID

from vigie.app import FolderUnusable, Installation, InUse, KeyMissing, NoInstallation, installation, perform
from vigie.cli.consoles import err, fail
from vigie.settings import SettingsWrong, load_settings
from vigie.store.journal import JournalBroken
from vigie.transports.control import Wrong
from vigie.transports.http import AddressRefused

ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The installation's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The report as JSON.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your own words: kept a year, erasable.")]


def mapping_option(own: str, shipped: Sequence[str]) -> Any:
    """The option that names a mapping. own: the file in which a folder has its own."""
    return typer.Option(
        help=f"A mapping file, or the name of one that is shipped ({', '.join(shipped)}). If not given: the folder's "
        f"own {own}, else the shipped one of the folder's name."
    )


_MENDABLE = (
    AddressRefused, FolderUnusable, InUse, JournalBroken, KeyMissing, NoInstallation, SettingsWrong, Wrong,
)  # fmt: skip


@contextmanager
def plain_errors() -> Generator[None]:
    """What a person can mend is said in a sentence; anything else is a fault and keeps its trace."""
    try:
        yield
    except _MENDABLE as error:
        raise fail(str(error)) from None


@contextmanager
def opened(config: Path | None, data: Path | None) -> Generator[Installation]:
    """The installation that the options name, made where there is none, and held alone."""
    with plain_errors(), installation(load_settings(config, data=data)) as opened:
        yield opened


def done(config: Path | None, data: Path | None, do: str, args: msgspec.Struct | None = None) -> Any:
    """Has an operation done: by the post that runs there, or here where none does. Says how far it is."""
    with plain_errors(), progress() as say:
        return perform(load_settings(config, data=data), do, args, say)


@contextmanager
def progress() -> Generator[Callable[[str, int, int], None]]:
    """Gives say(what, done, total), which draws a bar for each thing that is being done."""
    with Progress(console=err, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def say(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield say
